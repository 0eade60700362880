package assembly_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

// paths lists where files lie.
func paths(files []assembly.File) []string {
	var list []string
	for _, f := range files {
		list = append(list, f.Path)
	}
	return list
}

// refused demands that reading ends in a *assembly.RejectedError with that text.
func refused(t *testing.T, err error, want string) {
	t.Helper()
	var rejected *assembly.RejectedError
	require.ErrorAs(t, err, &rejected)
	require.EqualError(t, err, want)
}

func TestRead_TakesTheManifestsFilesAndNothingElse(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{
		"module1/week01/ring/ring.go":       "package ring\n",
		"module1/week01/ring/more.go":       "package ring\n",
		"module1/week01/ring/ring_test.go":  "package ring\n",
		"module1/week01/ring/go.mod":        "module evil\n",
		"module1/go.mod":                    "module evil\n",
		"module1/vendor/modules.txt":        "# evil\n",
		"module1/week01/ring/testdata/want": "42\n",
	})
	files, err := assembly.Read(root, t.TempDir(), ring())
	require.NoError(t, err)
	require.Empty(t, cmp.Diff([]assembly.File{{Path: "module1/week01/ring/ring.go", Content: []byte("package ring\n")}}, files))
}

func TestIsStudents_KnowsAFileByItsName(t *testing.T) {
	for name, want := range map[string]bool{
		"module1/week01/ring/ring.go":      true,
		"module1/week01/ring/more.go":      false,
		"module1/week01/ring/ring_test.go": false,
		"module1/week01/ring":              false,
		"module1/week01/other/ring.go":     false,
		"ring.go":                          false,
	} {
		require.Equal(t, want, assembly.IsStudents(ring(), name), name)
	}
	milestone := &course.Exercise{Slug: "m02a", Kind: course.Project, Dir: "tasktracker/milestones/m02a", Module: "tasktracker", Files: []string{"**/*.go", "app/*.sql"}}
	for name, want := range map[string]bool{
		"tasktracker/domain/task.go":            true,
		"tasktracker/domain/task_test.go":       true,
		"tasktracker/app/x.sql":                 true,
		"tasktracker/domain/x.sql":              false,
		"tasktracker/domain/m01a_test.go":       false,
		"tasktracker/domain/event.go":           false,
		"tasktracker/milestones/m02a/x_test.go": false,
		"tasktracker/go.mod":                    false,
		"module1/week01/ring/ring.go":           false,
	} {
		require.Equal(t, want, assembly.IsStudents(milestone, name), name)
	}
}

func TestRead_NamesTheMissingFile(t *testing.T) {
	_, err := assembly.Read(t.TempDir(), t.TempDir(), ring())
	var missing *assembly.MissingError
	require.ErrorAs(t, err, &missing)
	require.Equal(t, "module1/week01/ring/ring.go", missing.File)
	require.EqualError(t, err, "module1/week01/ring/ring.go is missing")
}

func TestRead_RefusesWhatIsNotARegularFile(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{"module1/week01/ring/ring.go/file": ""})
	_, err := assembly.Read(root, t.TempDir(), ring())
	refused(t, err, "module1/week01/ring/ring.go is not a regular file")

	root = t.TempDir()
	write(t, root, map[string]string{"module1/week01/ring": "a file where a directory should be"})
	_, err = assembly.Read(root, t.TempDir(), ring())
	var rejected *assembly.RejectedError
	require.ErrorAs(t, err, &rejected)
	require.ErrorContains(t, err, "module1/week01/ring/ring.go cannot be read")
}

func TestRead_RefusesFilesAboveTheLimit(t *testing.T) {
	root := t.TempDir()
	const name = "module1/week01/ring/ring.go"
	write(t, root, map[string]string{name: strings.Repeat("x", assembly.MaxFile)})
	files, err := assembly.Read(root, t.TempDir(), ring())
	require.NoError(t, err)
	require.Len(t, files[0].Content, assembly.MaxFile)

	write(t, root, map[string]string{name: strings.Repeat("x", assembly.MaxFile+1)})
	_, err = assembly.Read(root, t.TempDir(), ring())
	refused(t, err, name+" has 262145 bytes; the grader reads at most 262144")
}

func TestRead_ExpandsThePatternsOfAProject(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{
		"tasktracker/domain/task.go":          "",
		"tasktracker/domain/task_test.go":     "", // the student's own test
		"tasktracker/domain/m01a_test.go":     "", // the course's
		"tasktracker/domain/m01b_ids_test.go": "", // the course's
		"tasktracker/domain/m01.go":           "", // the student's, whatever it is called
		"tasktracker/domain/notes.txt":        "",
		"tasktracker/domain/deep/deep.go":     "",
		"tasktracker/app/app.go":              "",
		"tasktracker/cmd/tasktracker/main.go": "",
	})
	files, err := assembly.Read(root, t.TempDir(), task("domain/*.go", "cmd/*/main.go", "domain/task.go", "app/app.go"))
	require.NoError(t, err)
	require.Equal(t, []string{
		"tasktracker/app/app.go",
		"tasktracker/cmd/tasktracker/main.go",
		"tasktracker/domain/m01.go",
		"tasktracker/domain/task.go",
		"tasktracker/domain/task_test.go",
	}, paths(files))
}

func TestRead_AsksForAFileOfEveryPattern(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{"tasktracker/domain/m01a_test.go": "", "tasktracker/app/app.go": ""})
	_, err := assembly.Read(root, t.TempDir(), task("domain/*.go", "app/*.go"))
	var missing *assembly.MissingError
	require.ErrorAs(t, err, &missing)
	require.Equal(t, "tasktracker/domain/*.go", missing.File)
}

func TestRead_BoundsHowManyFilesAPatternTakes(t *testing.T) {
	root := t.TempDir()
	files := map[string]string{}
	for i := range 1001 {
		files[fmt.Sprintf("tasktracker/domain/f%d.go", i)] = ""
	}
	write(t, root, files)
	_, err := assembly.Read(root, t.TempDir(), task("domain/*.go"))
	refused(t, err, "tasktracker has 1001 files; the grader reads at most 1000")
}

func TestRead_TellsStubsFromWork(t *testing.T) {
	root, courseRoot := t.TempDir(), t.TempDir()
	stubs := assembly.Stubs{}
	stubs.Record([]assembly.File{
		{Path: "tasktracker/domain/a.go", Content: []byte("stub\n")},
		{Path: "tasktracker/domain/b.go", Content: []byte("stub\n")},
	})
	require.NoError(t, stubs.Save(courseRoot))
	write(t, root, map[string]string{
		"tasktracker/domain/a.go": "stub\n",
		"tasktracker/domain/b.go": "work\n",
		"tasktracker/domain/c.go": "stub\n", // no stub of that name
	})
	files, err := assembly.Read(root, courseRoot, task("domain/*.go"))
	require.NoError(t, err)
	var untouched []bool
	for _, f := range files {
		untouched = append(untouched, f.Untouched)
	}
	require.Equal(t, []bool{true, false, false}, untouched)
}

func TestStubs_SurviveSaveAndLoad(t *testing.T) {
	root := t.TempDir()
	empty, err := assembly.LoadStubs(root)
	require.NoError(t, err)
	require.Empty(t, empty)

	stubs := assembly.Stubs{}
	stubs.Record([]assembly.File{{Path: "b/b.go", Content: []byte("b")}, {Path: "a/with  two spaces.go", Content: []byte("a")}})
	require.NoError(t, stubs.Save(root))
	loaded, err := assembly.LoadStubs(root)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(stubs, loaded))
	require.True(t, loaded.Is("b/b.go", []byte("b")))
	require.False(t, loaded.Is("b/b.go", []byte("B")))
	require.False(t, loaded.Is("c/c.go", []byte("b")))
}

func TestLoadStubs_NamesTheDamagedLine(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{"grader/inventory/stubs.sha256": "00  a.go\nnonsense\n"})
	_, err := assembly.LoadStubs(root)
	require.EqualError(t, err, "grader/inventory/stubs.sha256:2: not a line of sha256sum")
}
