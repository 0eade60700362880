package cut_test

import (
	"archive/zip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/cut"
)

func TestOpen_PrefersTheReference(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{
		"grader/cuts/m01a/domain/task.go":      "package domain // ready\n",
		"grader/cuts/m01a/go.mod":              "module m\n",
		"solutions/tasktracker/domain/task.go": "package domain // reference\n",
	})
	require.Equal(t, map[string]string{"domain/task.go": "package domain // reference\n"}, cutOf(t, cut.Open(root), "m01a"))
	require.NoError(t, os.RemoveAll(filepath.Join(root, "solutions")))
	require.Equal(t, map[string]string{"domain/task.go": "package domain // ready\n"}, cutOf(t, cut.Open(root), "m01a"))
}

func TestReady_ReadsAnArchive(t *testing.T) {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "m04a.zip"))
	require.NoError(t, err)
	w := zip.NewWriter(file)
	tree := t.TempDir()
	write(t, tree, map[string]string{"domain/task.go": "package domain\n", "go.mod": "module m\n"})
	require.NoError(t, w.AddFS(os.DirFS(tree)))
	require.NoError(t, w.Close())
	require.NoError(t, file.Close())
	require.Equal(t, map[string]string{"domain/task.go": "package domain\n"}, cutOf(t, cut.Ready{Dir: dir}, "m04a"))
}

func TestReady_SaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	_, err := cut.Ready{Dir: dir}.Cut("m04a")
	require.EqualError(t, err, "this repository has no reference to cut m04a from; get m04a.zip from your mentor or from the course, and put it into "+dir)

	write(t, dir, map[string]string{"m04b.zip": "not an archive"})
	_, err = cut.Ready{Dir: dir}.Cut("m04b")
	require.EqualError(t, err, filepath.Join(dir, "m04b.zip")+": zip: not a valid zip file")
}

func TestWrite_RefusesADirectoryThatIsNotEmpty(t *testing.T) {
	tree := cut.Tree{{Path: "domain/task.go", Content: []byte("package domain\n")}, {Path: "up.sh", Executable: true}}
	dir := t.TempDir()
	require.NoError(t, tree.Write(dir))
	require.FileExists(t, filepath.Join(dir, "domain", "task.go"))
	info, err := os.Stat(filepath.Join(dir, "up.sh"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o111), info.Mode()&0o111)
	require.EqualError(t, tree.Write(dir), dir+" is not empty; nothing was written")
	require.NoError(t, tree.Write(filepath.Join(dir, "new", "place")))
}
