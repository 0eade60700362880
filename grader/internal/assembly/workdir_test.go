package assembly_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
)

func acquire(t *testing.T, root, id string) *assembly.WorkDir {
	t.Helper()
	w, err := assembly.Acquire(root, id)
	require.NoError(t, err)
	t.Cleanup(w.Release)
	return w
}

func TestAcquire_HonoursGraderCache(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GRADER_CACHE", dir)
	w := acquire(t, "/course", "week01/ring")
	require.True(t, strings.HasPrefix(w.Path, dir+string(filepath.Separator)), w.Path)
}

func TestAcquire_GivesEveryGradingItsOwnDirectory(t *testing.T) {
	t.Setenv("GRADER_CACHE", t.TempDir())
	first := acquire(t, "/course", "week01/ring")
	second := acquire(t, "/course", "week01/ring")
	require.NotEqual(t, first.Path, second.Path)
	for _, other := range []struct{ root, id string }{{"/course", "week01/list"}, {"/other", "week01/ring"}} {
		w := acquire(t, other.root, other.id)
		require.NotEqual(t, first.Path, w.Path)
		require.NotEqual(t, second.Path, w.Path)
	}

	require.NoError(t, os.WriteFile(filepath.Join(first.Path, "kept"), nil, 0o600))
	first.Release()
	again := acquire(t, "/course", "week01/ring")
	require.Equal(t, first.Path, again.Path, "a stable path keeps the go command's caches warm")
	require.FileExists(t, filepath.Join(again.Path, "kept"))
}

func TestAcquire_SaysWhatToDoAboutACacheThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	t.Setenv("GRADER_CACHE", file)
	_, err := assembly.Acquire("/course", "week01/ring")
	require.ErrorContains(t, err, "the grader's cache cannot be written")
	require.ErrorContains(t, err, "set GRADER_CACHE to a directory that you may write")
}

func TestAcquire_BoundsHowManyGradingsRunAtOnce(t *testing.T) {
	t.Setenv("GRADER_CACHE", t.TempDir())
	for range 64 {
		acquire(t, "/course", "week01/ring")
	}
	_, err := assembly.Acquire("/course", "week01/ring")
	require.EqualError(t, err, "64 gradings of week01/ring are already running")
}

func TestReset_EmptiesADirectory(t *testing.T) {
	t.Setenv("GRADER_CACHE", t.TempDir())
	w := acquire(t, "/course", "week01/ring")
	write(t, w.Path, map[string]string{"tmp/left": "", "other/kept": ""})
	dir, err := w.Reset("tmp")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"./": ""}, content(t, dir))
	require.FileExists(t, filepath.Join(w.Path, "other", "kept"))
}
