package ci_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/ci"
	"github.com/middle-go/course/grader/internal/course"
)

// copyOf returns the course and a copy of it without solutions, as a student has it.
func copyOf(t *testing.T) (*course.Course, string) {
	t.Helper()
	given := t.TempDir()
	for _, dir := range []string{"module1", "tasktracker", "grader/inventory", ".github"} {
		require.NoError(t, os.MkdirAll(filepath.Join(given, filepath.Dir(dir)), 0o755))
		require.NoError(t, os.CopyFS(filepath.Join(given, dir), os.DirFS(filepath.Join(root, dir))))
	}
	require.NoError(t, os.WriteFile(filepath.Join(given, "go.work"), []byte("go 1.26.0\n"), 0o644))
	c, err := course.Open(given)
	require.NoError(t, err)
	theirs := t.TempDir()
	require.NoError(t, os.CopyFS(theirs, os.DirFS(given)))
	return c, theirs
}

func write(t *testing.T, tree, name, content string) {
	t.Helper()
	name = filepath.Join(tree, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.RemoveAll(name))
	require.NoError(t, os.WriteFile(name, []byte(content), 0o644))
}

func plan(t *testing.T, c *course.Course, theirs, branch string) *ci.Plan {
	t.Helper()
	p, err := ci.NewPlan(c, theirs, branch)
	require.NoError(t, err)
	return p
}
