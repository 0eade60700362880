package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/record"
)

// writeWeek adds a week with the exercises one and two to a course.
func writeWeek(t *testing.T, root string, n int) {
	t.Helper()
	write := func(name, content string) {
		path := filepath.Join(root, course.WeekDir(n), name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	manifest := fmt.Sprintf("week: %d\ntitle: Title\ntheory_minutes: 10\noutcomes: [read]\nexercises:\n", n)
	for _, slug := range []string{"one", "two"} {
		manifest += fmt.Sprintf("  - {slug: %s, title: Title, kind: implement, minutes: 5, files: [%[1]s.go], hints: [a, b, c]}\n", slug)
		write(slug+"/README.md", "# Title\n")
		write(slug+"/"+slug+".go", "package "+slug+"\n")
	}
	write("week.yaml", manifest)
}

func TestFirstUnfinished_IsTheFirstWeekThatIsNotAllPassed(t *testing.T) {
	root := t.TempDir()
	writeWeek(t, root, 1)
	writeWeek(t, root, 3)
	c, err := course.Open(root)
	require.NoError(t, err)
	rec, err := record.Open(root)
	require.NoError(t, err)
	for _, step := range []struct {
		exercise string
		status   checks.Status
		want     int
		why      string
	}{
		{"week01/one", checks.Pass, 1, "week01/two was never graded"},
		{"week01/two", checks.Fail, 1, "week01/two fails"},
		{"week01/two", checks.Pass, 3, "week 2 has no content"},
		{"week03/one", checks.Pass, 3, "week03/two was never graded"},
		{"week03/two", checks.Pass, 1, "everything passes"},
	} {
		rec.Entry(step.exercise).Status = step.status
		week, err := FirstUnfinished(c, rec)
		require.NoError(t, err)
		require.Equal(t, step.want, week.Number, step.why)
	}
}

func TestFirstUnfinished_SaysWhatIsWrongWithAManifest(t *testing.T) {
	root := t.TempDir()
	writeWeek(t, root, 1)
	require.NoError(t, os.WriteFile(filepath.Join(root, course.WeekDir(1), "week.yaml"), []byte("week: 1\ntitel: Title\n"), 0o644))
	c, err := course.Open(root)
	require.NoError(t, err)
	_, err = FirstUnfinished(c, &record.Record{})
	require.ErrorContains(t, err, "module1/week01/week.yaml:2:")
}
