package patch_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/patch"
)

const poem = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n"

// apply parses a diff of one file and applies it.
func apply(t *testing.T, diff, content string) (string, error) {
	t.Helper()
	files, err := patch.Parse(diff)
	require.NoError(t, err)
	require.Len(t, files, 1)
	return files[0].Apply(content)
}

const twoHunks = `--- a/poem.txt
+++ b/poem.txt
@@ -1,3 +1,4 @@
 one
+one and a half
 two
 three
@@ -6,3 +7,2 @@
 six
-seven
 eight
`

func TestApply_ChangesEveryPlace(t *testing.T) {
	got, err := apply(t, twoHunks, poem)
	require.NoError(t, err)
	require.Equal(t, "one\none and a half\ntwo\nthree\nfour\nfive\nsix\neight\n", got)
}

func TestApply_FindsAPlaceThatHasMoved(t *testing.T) {
	got, err := apply(t, twoHunks, "zero\nzero\nzero\n"+poem)
	require.NoError(t, err)
	require.Equal(t, "zero\nzero\nzero\none\none and a half\ntwo\nthree\nfour\nfive\nsix\neight\n", got)
}

func TestApply_TakesTheNearestOfEqualPlaces(t *testing.T) {
	got, err := apply(t, "--- x\n+++ x\n@@ -5 +5 @@\n-a\n+B\n", "a\nb\na\nb\na\nb\na\n")
	require.NoError(t, err)
	require.Equal(t, "a\nb\na\nb\nB\nb\na\n", got)
}

func TestApply_NamesFileAndHunkThatDoNotFit(t *testing.T) {
	_, err := apply(t, twoHunks, strings.Replace(poem, "seven", "SEVEN", 1))
	require.EqualError(t, err, "poem.txt: hunk @@ -6,3 +7,2 @@ does not apply: its lines are not in the file")
	var wrong *patch.ApplyError
	require.ErrorAs(t, err, &wrong)
}

func TestApply_InsertsWithoutContext(t *testing.T) {
	got, err := apply(t, "--- x\n+++ x\n@@ -2,0 +3 @@\n+new\n@@ -3 +4 @@\n-c\n\\ No newline at end of file\n+C\n\\ No newline at end of file\n", "a\nb\nc")
	require.NoError(t, err)
	require.Equal(t, "a\nb\nnew\nC\n", got)
}

func TestApply_KnowsFilesWithoutLines(t *testing.T) {
	got, err := apply(t, "--- x\n+++ x\n@@ -0,0 +1 @@\n+a\n", "")
	require.NoError(t, err)
	require.Equal(t, "a\n", got)
	got, err = apply(t, "--- x\n+++ x\n@@ -1 +0,0 @@\n-a\n", "a\n")
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestApply_OfANewFileTakesEveryHunk(t *testing.T) {
	got, err := apply(t, "--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n@@ -0,0 +2 @@\n+b\n", "")
	require.NoError(t, err)
	require.Equal(t, "a\nb\n", got)
	_, err = apply(t, "--- /dev/null\n+++ b/x\n@@ -1 +1,2 @@\n a\n+b\n", "")
	require.EqualError(t, err, "x: hunk @@ -1 +1,2 @@ does not apply: its lines are not in the file")
}

func TestApply_DoesNotGoBack(t *testing.T) {
	_, err := apply(t, "--- x\n+++ x\n@@ -2 +2 @@\n-b\n+B\n@@ -3 +3 @@\n-a\n+A\n", "a\nb\n")
	require.EqualError(t, err, "x: hunk @@ -3 +3 @@ does not apply: its lines are not in the file")
}

func TestParse_ReadsWhatGitWrites(t *testing.T) {
	files, err := patch.Parse(`Wrong: forgets something.
Caught by: TestX

diff --git a/domain/task.go b/domain/task.go
index 83db48f..bf2a8c1 100644
--- a/domain/task.go
+++ b/domain/task.go
@@ -10,2 +10,2 @@ func (t *Task) Done() bool {
 a
-b
+c
diff --git a/new.go b/new.go
new file mode 100644
--- /dev/null
+++ b/new.go
@@ -0,0 +1,2 @@
+package x
+
diff --git a/old.go b/old.go
deleted file mode 100644
--- a/old.go	2026-01-02 03:04:05
+++ /dev/null
@@ -1 +0,0 @@
-package x
`)
	require.NoError(t, err)
	require.Len(t, files, 3)
	require.Equal(t, "domain/task.go", files[0].Name)
	require.False(t, files[0].New || files[0].Gone)
	require.Equal(t, "new.go", files[1].Name)
	require.True(t, files[1].New)
	content, err := files[1].Apply("")
	require.NoError(t, err)
	require.Equal(t, "package x\n\n", content)
	require.Equal(t, "old.go", files[2].Name)
	require.True(t, files[2].Gone)
}

func TestParse_KeepsLinesThatLookLikeHeaders(t *testing.T) {
	got, err := apply(t, "--- x.sql\n+++ x.sql\n@@ -1,2 +1,2 @@\n--- a comment\n+++ another\n b\n", "-- a comment\nb\n")
	require.NoError(t, err)
	require.Equal(t, "++ another\nb\n", got)
}

func TestParse_TakesAnEmptyLineForContext(t *testing.T) {
	got, err := apply(t, "--- x\n+++ x\n@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n", "a\n\nb\n")
	require.NoError(t, err)
	require.Equal(t, "a\n\nc\n", got)
}

func TestParse_NamesTheLineOfEveryMistake(t *testing.T) {
	for name, tc := range map[string]struct{ diff, want string }{
		"nothing":              {"Wrong: x\n", "1: no file is changed; a change begins with --- and +++"},
		"hunk without file":    {"@@ -1 +1 @@\n-a\n+b\n", "1: a hunk before the name of its file"},
		"one name":             {"--- a\n", "2: --- without +++"},
		"renamed":              {"--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n", "3: x becomes y; files keep their names"},
		"no file":              {"--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n", "3: neither side names a file"},
		"no name":              {"--- /dev/null\n+++ b/\n@@ -0,0 +1 @@\n+a\n", `3: "" names no file below this directory`},
		"a name elsewhere":     {"--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n", `3: "../x" names no file below this directory`},
		"no hunk":              {"--- x\n+++ x\n", "3: x has no hunk"},
		"header":               {"--- x\n+++ x\n@@ -1 @@\n-a\n", `3: "@@ -1 @@" is not the header of a hunk`},
		"too short":            {"--- x\n+++ x\n@@ -1,3 +1,2 @@\n-a\n b\n", "6: hunk @@ -1,3 +1,2 @@ ends too early"},
		"too long on one side": {"--- x\n+++ x\n@@ -1 +1,2 @@\n-a\n-b\n+c\n+d\n", "3: hunk @@ -1 +1,2 @@ has other numbers of lines than it says"},
		"neither":              {"--- x\n+++ x\n@@ -1 +1 @@\n-a\n*b\n", "5: hunk @@ -1 +1 @@ has a line that begins with neither space, + nor -"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := patch.Parse(tc.diff)
			require.EqualError(t, err, tc.want)
		})
	}
}
