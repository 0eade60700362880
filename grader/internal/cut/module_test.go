package cut_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/cut"
)

func TestModule_LeadsToTheSameDirectories(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{
		"tasktracker/go.mod": "module m\n\ngo 1.26.0\n\nreplace (\n\texample.org/labkit => ../grader/labkit\n\texample.org/x => example.org/y v1.0.0\n)\n",
		"tasktracker/go.sum": "sums\n",
	})
	tree, err := cut.Module(root, filepath.Join(root, "bin", "cuts", "m01a"))
	require.NoError(t, err)
	require.Equal(t, cut.Tree{
		{Path: "go.mod", Content: []byte("module m\n\ngo 1.26.0\n\nreplace (\n\texample.org/labkit => ../../../grader/labkit\n\texample.org/x => example.org/y v1.0.0\n)\n")},
		{Path: "go.sum", Content: []byte("sums\n")},
	}, tree)
	tree, err = cut.Module(root, root)
	require.NoError(t, err)
	require.Contains(t, string(tree[0].Content), "example.org/labkit => ./grader/labkit\n")
}
