package scaffold_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/scaffold"
)

func TestParse_ReadsNameAndKind(t *testing.T) {
	for _, kind := range []course.Kind{course.Implement, course.Fix, course.Optimise} {
		e, err := scaffold.Parse("week07/router2", string(kind))
		require.NoError(t, err)
		require.Equal(t, scaffold.Exercise{Week: 7, Slug: "router2", Kind: kind}, e)
	}
}

func TestParse_SaysHowToWriteIt(t *testing.T) {
	name := func(id string) string {
		return `"` + id + `" is not the name of an exercise; write it like week07/router, with lower-case letters and digits`
	}
	for _, c := range []struct{ id, kind, want string }{
		{"router", "fix", name("router")},
		{"week7/router", "fix", name("week7/router")},
		{"week07/", "fix", name("week07/")},
		{"week07/Router", "fix", name("week07/Router")},
		{"week07/my-router", "fix", name("week07/my-router")},
		{"week07/2router", "fix", name("week07/2router")},
		{"week07/../../x", "fix", name("week07/../../x")},
		{"m01a", "fix", name("m01a")},
		{"week00/router", "fix", "week 0: the course has weeks 1 to 24"},
		{"week25/router", "fix", "week 25: the course has weeks 1 to 24"},
		{"week07/router", "tests", "kind tests has no scaffold; copy an exercise of that kind"},
		{"week07/router", "project", "kind project has no scaffold; copy an exercise of that kind"},
		{"week07/router", "write", `kind "write" is unknown; use implement, fix or optimise`},
		{"week07/router", "", `kind "" is unknown; use implement, fix or optimise`},
	} {
		_, err := scaffold.Parse(c.id, c.kind)
		require.EqualError(t, err, c.want)
	}
}

func parse(t *testing.T, id, kind string) scaffold.Exercise {
	t.Helper()
	e, err := scaffold.Parse(id, kind)
	require.NoError(t, err)
	return e
}

// emptyCourse is a directory that course.Open accepts.
func emptyCourse(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "module1"), 0o755))
	return root
}

func TestWrite_MakesExercisesThatLoad(t *testing.T) {
	root := emptyCourse(t)
	c, err := course.Open(root)
	require.NoError(t, err)
	for i, kind := range []string{"implement", "fix", "optimise"} {
		slug := "sample" + kind
		written, err := parse(t, "week07/"+slug, kind).Write(root)
		require.NoError(t, err)
		dir := "module1/week07/" + slug
		require.Equal(t, []string{
			dir + "/README.md",
			dir + "/" + slug + ".go",
			dir + "/" + slug + "_test.go",
			"module1/week07/week.yaml",
			"solutions/" + dir + "/" + slug + ".go",
			"solutions/" + dir + "/testdata/wrong/w1_forgets_the_answer.go",
		}, written)

		w, err := c.Week(7)
		require.NoError(t, err)
		require.Len(t, w.Exercises, i+1)
		require.Equal(t, course.Kind(kind), w.Exercises[i].Kind)
		require.Equal(t, slug, w.Exercises[i].Slug)
	}
}

func TestWrite_MakesFilesThatGofmtLeavesAlone(t *testing.T) {
	gofmt, err := exec.LookPath("gofmt")
	require.NoError(t, err)
	root := emptyCourse(t)
	_, err = parse(t, "week07/router", "implement").Write(root)
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), gofmt, "-l", root).CombinedOutput()
	require.NoError(t, err)
	require.Empty(t, string(out))
}

func TestWrite_ReplacesNothing(t *testing.T) {
	e := parse(t, "week07/router", "implement")
	for _, name := range []string{
		"module1/week07/router/README.md",
		"module1/week07/router/router_test.go",
		"solutions/module1/week07/router/router.go",
	} {
		root := emptyCourse(t)
		full := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte("mine\n"), 0o644))
		_, err := e.Write(root)
		require.EqualError(t, err, name+" is already there; nothing was written")
		require.Equal(t, map[string]string{name: "mine\n"}, files(t, root))
	}
}

func TestWrite_AddsToTheEndOfTheExercises(t *testing.T) {
	for _, tail := range []string{"", "milestone: ''\n", "\n# the end\n", "\n\n", "milestone: ''"} {
		root := emptyCourse(t)
		_, err := parse(t, "week07/first", "implement").Write(root)
		require.NoError(t, err)
		name := filepath.Join(root, "module1", "week07", "week.yaml")
		manifest, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(name, append(manifest, tail...), 0o644))

		_, err = parse(t, "week07/second", "fix").Write(root)
		require.NoError(t, err)
		c, err := course.Open(root)
		require.NoError(t, err)
		w, err := c.Week(7)
		require.NoError(t, err, "after %q", tail)
		require.Equal(t, "first", w.Exercises[0].Slug)
		require.Equal(t, "second", w.Exercises[1].Slug)
	}
}

func TestWrite_RefusesAManifestThatItCannotExtend(t *testing.T) {
	root := emptyCourse(t)
	dir := filepath.Join(root, "module1", "week07")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "week.yaml"), []byte("week: 7\nexercises: []\n"), 0o644))
	_, err := parse(t, "week07/router", "fix").Write(root)
	require.EqualError(t, err, `module1/week07/week.yaml has no line "exercises:" to add the exercise below; nothing was written`)
	require.Len(t, files(t, root), 1)
}

// files reads all of a directory.
func files(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		if !d.IsDir() {
			content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
			require.NoError(t, err)
			all[name] = string(content)
		}
		return nil
	}))
	return all
}
