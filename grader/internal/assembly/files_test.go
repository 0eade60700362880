package assembly_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/course"
)

// write writes files, by slash-separated path below root.
func write(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		full := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte(content), 0o644))
	}
}

// ring is an exercise with one file of the student's.
func ring() *course.Exercise {
	return &course.Exercise{
		Week: 1, Slug: "ring", Kind: course.Implement, Dir: "module1/week01/ring", Module: "module1",
		Files: []string{"ring.go"},
	}
}

// task is a milestone whose files are given by patterns.
func task(patterns ...string) *course.Exercise {
	return &course.Exercise{
		Week: 1, Slug: "m01a", Kind: course.Project, Dir: "tasktracker/domain", Module: "tasktracker",
		Files: patterns,
	}
}

// suite is an exercise in which the student writes the tests.
func suite() *course.Exercise {
	return &course.Exercise{
		Week: 1, Slug: "suite", Kind: course.Tests, Dir: "module1/week01/suite", Module: "module1",
		Files: []string{"suite_test.go"},
	}
}
