package patch_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/patch"
)

// diff writes the change of a file from old to new, with the equal lines at both
// ends as its context, or without any.
func diff(old, new string, context bool) string {
	before, after := lines(old), lines(new)
	head := 0
	for head < len(before) && head < len(after) && before[head] == after[head] {
		head++
	}
	tail := 0
	for tail < len(before)-head && tail < len(after)-head && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	from, end := head, tail
	if context {
		from, end = 0, 0
	}
	gone, come := len(before)-from-end, len(after)-from-end
	first := func(n int) int { // diff names the line before an empty place
		if n == 0 {
			return from
		}
		return from + 1
	}
	var b strings.Builder
	fmt.Fprintf(&b, "--- a/x.go\n+++ b/x.go\n@@ -%d,%d +%d,%d @@\n", first(gone), gone, first(come), come)
	write := func(mark string, list []string) {
		for _, line := range list {
			b.WriteString(mark + line + "\n")
		}
	}
	write(" ", before[from:head])
	write("-", before[head:len(before)-tail])
	write("+", after[head:len(after)-tail])
	write(" ", before[len(before)-tail:len(before)-end])
	return b.String()
}

// lines splits a text whose last line may lack its end.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func FuzzApply_MakesTheNewFileOfTheOld(f *testing.F) {
	f.Add(poem, strings.Replace(poem, "four\n", "", 1))
	f.Add("a\nb\na\nb\n", "a\nb\nx\na\nb\n")
	f.Add("", "x\n")
	f.Add("x\n", "")
	f.Add("\n", "\n\n")
	f.Add("--- a/x.go\n+++ b/x.go\n", "@@ -1 +1 @@\n\\ No newline at end of file\n")
	f.Fuzz(func(t *testing.T, old, new string) {
		if old == new || !ends(old) || !ends(new) {
			t.Skip("a change of files whose lines have ends")
		}
		for _, context := range []bool{true, false} {
			got, err := apply(t, diff(old, new, context), old)
			require.NoError(t, err)
			require.Equal(t, new, got)
		}
	})
}

func ends(text string) bool { return text == "" || strings.HasSuffix(text, "\n") }

// What is not understood changes nothing.
func FuzzParse(f *testing.F) {
	f.Add(twoHunks, poem)
	f.Add("--- /dev/null\n+++ b/new.go\n@@ -0,0 +1,2 @@\n+package x\n+\n", "")
	f.Add("--- a/old.go\t2026\n+++ /dev/null\n@@ -1 +0,0 @@\n-package x\n", "package x\n")
	f.Add("--- x\n+++ x\n@@ -9223372036854775807,0 +1 @@\n+a\n\\ No newline at end of file\n", "b")
	f.Add("--- x\n+++ x\n@@ -1,99999999999999999999 +1 @@\n-a\n+b\n@@ -1 +1 @@\n-b\n+c\n", "a\n")
	f.Add("--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n", "")
	f.Fuzz(func(t *testing.T, diff, content string) {
		files, err := patch.Parse(diff)
		if err != nil {
			require.Empty(t, files)
			require.Regexp(t, `^\d+: `, err)
			return
		}
		for _, file := range files {
			require.True(t, fs.ValidPath(file.Name) && file.Name != ".", "%q", file.Name)
			require.False(t, file.New && file.Gone)
			got, err := file.Apply(content)
			if err != nil {
				require.Empty(t, got)
				var wrong *patch.ApplyError
				require.ErrorAs(t, err, &wrong)
				continue
			}
			require.True(t, ends(got))
			require.LessOrEqual(t, len(got), len(content)+len(diff)+1)
		}
	})
}
