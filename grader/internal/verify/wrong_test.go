package verify

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

func milestone() *course.Exercise {
	return &course.Exercise{Kind: course.Project, Slug: "m01b", Dir: "tasktracker/milestones/m01b", Module: "tasktracker", Files: []string{"**/*.go"}}
}

// loaded writes wrong solutions of a milestone and loads them.
func loaded(t *testing.T, files map[string]string) ([]Wrong, error) {
	t.Helper()
	solutions := t.TempDir()
	dir := filepath.Join(solutions, "tasktracker", "testdata", "wrong", "m01b")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	return loadWrong(solutions, milestone())
}

var reference = []assembly.File{
	{Path: "tasktracker/app/app.go", Content: []byte("package app\n\nconst Max = 10\n")},
	{Path: "tasktracker/domain/task.go", Content: []byte("package domain\n\nconst Min = 1\n")},
}

const lockPatch = `Wrong: believes that more is better.
Caught by: TestMax
It is an old belief: nobody knows why.

--- a/app/app.go
+++ b/app/app.go
@@ -3 +3 @@
-const Max = 10
+const Max = 11
--- a/domain/task.go
+++ /dev/null
@@ -1,3 +0,0 @@
-package domain
-
-const Min = 1
--- /dev/null
+++ b/store/store.go
@@ -0,0 +1 @@
+package store
`

func TestWrong_IsAFileOrAPatch(t *testing.T) {
	all, err := loaded(t, map[string]string{
		"w10_patch.patch": lockPatch,
		"w2_file.go":      "// Wrong: believes in nothing.\n// Caught by: TestMin\n// Replaces: domain/task.go\n\npackage domain\n",
		"notes.txt":       "",
	})
	require.NoError(t, err)
	require.Len(t, all, 2)
	file, patched := all[0], all[1]

	require.Equal(t, []string{"w2_file", "believes in nothing", "TestMin"}, []string{file.Name, file.Belief, file.CaughtBy})
	got, err := file.apply(reference)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, "tasktracker/domain/task.go", got[1].Path)
	require.Contains(t, string(got[1].Content), "// Wrong: believes in nothing.")

	require.Equal(t, []string{"w10_patch", "believes that more is better", "TestMax"}, []string{patched.Name, patched.Belief, patched.CaughtBy})
	got, err = patched.apply(reference)
	require.NoError(t, err)
	require.Equal(t, []assembly.File{
		{Path: "tasktracker/app/app.go", Content: []byte("package app\n\nconst Max = 11\n")},
		{Path: "tasktracker/store/store.go", Content: []byte("package store\n")},
	}, got)
	require.Equal(t, "package app\n\nconst Max = 10\n", string(reference[0].Content), "the reference stays as it is")
}

func TestWrong_NamesFileAndHunkOfAPatchThatDoesNotApply(t *testing.T) {
	const name = "solutions/tasktracker/testdata/wrong/m01b/w1.patch: "
	for want, diff := range map[string]string{
		name + "app/app.go: hunk @@ -3 +3 @@ does not apply: its lines are not in the file": "--- a/app/app.go\n+++ b/app/app.go\n@@ -3 +3 @@\n-const Max = 9\n+const Max = 11\n",
		name + "changes tasktracker/app/no.go, which the reference does not have":           "--- a/app/no.go\n+++ b/app/no.go\n@@ -3 +3 @@\n-a\n+b\n",
		name + "adds tasktracker/app/app.go, which the reference has already":               "--- /dev/null\n+++ b/app/app.go\n@@ -0,0 +1 @@\n+package app\n",
	} {
		all, err := loaded(t, map[string]string{"w1.patch": "Wrong: x\nCaught by: TestX\n\n" + diff})
		require.NoError(t, err)
		_, err = all[0].apply(reference)
		require.EqualError(t, err, want)
	}
}

func TestWrong_NamesTheLineOfABadFile(t *testing.T) {
	const dir = "solutions/tasktracker/testdata/wrong/m01b/"
	for _, c := range []struct{ name, content, want string }{
		{"w1.go", "package x\n", `w1.go:1: a wrong solution begins with "// Wrong: ..."`},
		{"w1.go", "// Wrong: x\npackage x\n", `w1.go:1: a wrong solution begins with "// Caught by: ..."`},
		{"w1.go", "// Wrong: x\n// Caught by: TestX\npackage x\n", `w1.go:1: the exercise has several files; name one with "// Replaces: ..."`},
		{"w1.patch", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", `w1.patch:1: a wrong solution begins with "Wrong: ..."`},
		{"w1.patch", "Wrong: x\n\nCaught by: TestX\n", `w1.patch:1: a wrong solution begins with "Caught by: ..."`},
		{"w1.patch", "Wrong: x\nCaught by: TestX\n", "w1.patch:1: no file is changed; a change begins with --- and +++"},
		{"w1.patch", "Wrong: x\nCaught by: TestX\n--- a/x\n+++ b/x\n@@ -1 @@\n", `w1.patch:5: "@@ -1 @@" is not the header of a hunk`},
	} {
		_, err := loaded(t, map[string]string{c.name: c.content})
		require.EqualError(t, err, dir+c.want)
	}
}
