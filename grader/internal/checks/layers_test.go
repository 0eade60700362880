package checks

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

// onion is a project with a rule for every kind of package.
func onion() *course.Exercise {
	return &course.Exercise{
		Kind: course.Project, Slug: "m02a", Dir: "tasktracker/milestones/m02a", Module: "tasktracker",
		Layers: map[string][]string{
			"domain":   {},
			"errs":     {},
			"app":      {"domain", "errs"},
			"infra/*":  {"domain", "errs"},
			"infra/pg": {"domain", "sqlitedb"},
			"httpx":    {"app"},
		},
		Misconceptions: map[string]course.Misconception{"layers": {Belief: "what compiles may be imported", Hint: 2}},
	}
}

// importing is a file of a package that imports others.
func importing(name string, imports ...string) assembly.File {
	var b strings.Builder
	b.WriteString("package x\n\nimport (\n")
	for _, i := range imports {
		fmt.Fprintf(&b, "\t%q\n", strings.ReplaceAll(i, "./", projectPrefix+"/"))
	}
	b.WriteString(")\n")
	return assembly.File{Path: "tasktracker/" + name, Content: []byte(b.String())}
}

// crossed lists what the check says of files, as "file:line message".
func crossed(t *testing.T, files ...assembly.File) []string {
	t.Helper()
	result, err := layersCheck{}.Run(t.Context(), &Room{Exercise: onion(), Student: files})
	require.NoError(t, err)
	var list []string
	for _, f := range result.Findings {
		require.Equal(t, "layers", f.Rule)
		require.Equal(t, "what compiles may be imported", f.Misconception)
		list = append(list, fmt.Sprintf("%s:%d %s", f.File, f.Line, f.Message))
	}
	require.Equal(t, len(list) == 0, result.Status == Pass)
	return list
}

func TestLayers_PassesWhatPointsInwards(t *testing.T) {
	require.Empty(t, crossed(t,
		importing("domain/task.go", "time", "github.com/google/uuid"),
		importing("app/tasks.go", "context", "./domain", "./errs"),
		importing("app/internal/clock/clock.go", "./domain", "./app/internal/wall"),
		importing("app/tasks2.go", "./app/internal/clock"),
		importing("infra/memory/repo.go", "./domain", "./infra/memory/internal/tree"),
		importing("infra/pg/repo.go", "./domain", "./sqlitedb"),
		importing("cmd/tasktracker/main.go", "./app", "./infra/memory", "./anything"),
		importing("httpapi/v1/tasks.go", "./app", "./domain", "./errs"),
		importing("domain/task_test.go", "./app", "./infra/memory"),
		importing("app/testdata/example.go", "./infra/memory"),
	))
}

func TestLayers_NamesEveryArrowThatPointsOutwards(t *testing.T) {
	for _, c := range []struct {
		file, imported, want string
	}{
		{"domain/task.go", "./errs", "domain -> errs: domain may import nothing of the project"},
		{"domain/task.go", "./app", "domain -> app: domain may import nothing of the project"},
		{"app/tasks.go", "./infra/memory", "app -> infra/memory: app may import domain, errs and nothing else of the project"},
		{"app/internal/x/x.go", "./infra/memory", "app/internal/x -> infra/memory: app may import domain, errs and nothing else of the project"},
		{"infra/memory/repo.go", "./app", "infra/memory -> app: infra/memory may import domain, errs and nothing else of the project"},
		{"infra/memory/repo.go", "./infra/sqlite", "infra/memory -> infra/sqlite: infra/memory may import domain, errs and nothing else of the project"},
		{"infra/memory/deep/x.go", "./infra/sqlite", "infra/memory/deep -> infra/sqlite: infra/memory may import domain, errs and nothing else of the project"},
		{"infra/pg/repo.go", "./errs", "infra/pg -> errs: infra/pg may import domain, sqlitedb and nothing else of the project"},
		{"httpx/x.go", "./domain", "httpx -> domain: httpx may import app and nothing else of the project"},
		{"sweep/sweep.go", "./domain", "sweep -> domain: the layers of this milestone say nothing of sweep, so it may import nothing of the project"},
		{"app/tasks.go", "./domainevents", "app -> domainevents: app may import domain, errs and nothing else of the project"},
		{"x.go", "./domain", ". -> domain: the layers of this milestone say nothing of ., so it may import nothing of the project"},
	} {
		require.Equal(t, []string{"tasktracker/" + c.file + ":5 " + c.want}, crossed(t, importing(c.file, "context", c.imported)))
	}
}

func TestLayers_SeeThroughNamesAndLeaveTheRestToTheCompiler(t *testing.T) {
	named := assembly.File{Path: "tasktracker/domain/task.go", Content: []byte("package domain\n\nimport e \"" + projectPrefix + "/errs\"\n")}
	require.Len(t, crossed(t, named), 1)
	broken := assembly.File{Path: "tasktracker/domain/task.go", Content: []byte("package domain\n\nimport (\n")}
	require.Empty(t, crossed(t, broken))
	require.Empty(t, crossed(t, assembly.File{Path: "tasktracker/domain/schema.sql", Content: []byte("-- sql\n")}))
}

func TestLayers_ApplyOnlyWhereThereAreRules(t *testing.T) {
	require.True(t, layersCheck{}.Applies(onion()))
	require.False(t, layersCheck{}.Applies(&course.Exercise{Kind: course.Project}))
}
