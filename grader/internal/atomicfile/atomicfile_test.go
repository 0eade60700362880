package atomicfile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/atomicfile"
)

// names lists a directory.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestWrite_MakesReplacesAndLeavesNothingElse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	name := filepath.Join(dir, "file")
	for _, content := range []string{"first, which is longer", "second", ""} {
		require.NoError(t, atomicfile.Write(name, []byte(content), 0o644))
		got, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, content, string(got))
		require.Equal(t, []string{"file"}, names(t, dir))
	}
}

func TestWrite_SetsThePermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows knows read-only and nothing else")
	}
	name := filepath.Join(t.TempDir(), "file")
	for _, perm := range []fs.FileMode{0o644, 0o600, 0o755} {
		require.NoError(t, atomicfile.Write(name, nil, perm))
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, perm, info.Mode().Perm())
	}
}

func TestWrite_ReplacesALinkAndNotItsTarget(t *testing.T) {
	dir := t.TempDir()
	target, name := filepath.Join(dir, "target"), filepath.Join(dir, "name")
	require.NoError(t, os.WriteFile(target, []byte("precious"), 0o644))
	if err := os.Symlink(target, name); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	require.NoError(t, atomicfile.Write(name, []byte("new"), 0o644))
	got, err := os.ReadFile(target)
	require.NoError(t, err)
	require.Equal(t, "precious", string(got))
}

func TestWrite_FailsAndLeavesTheOldContent(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, []byte("old"), 0o644))
	require.Error(t, atomicfile.Write(filepath.Join(file, "below"), []byte("new"), 0o644), "a file where a directory should be")

	full := filepath.Join(dir, "full")
	require.NoError(t, os.MkdirAll(filepath.Join(full, "kept"), 0o755))
	require.Error(t, atomicfile.Write(full, []byte("new"), 0o644), "a directory where the file should be")
	require.Equal(t, []string{"file", "full"}, names(t, dir), "the temporary file stayed")
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "old", string(got))
}

func TestWrite_ShowsAReaderTheOldContentOrTheNew(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	contents := map[string]bool{}
	for _, c := range []byte("abcdef") {
		text := make([]byte, 64<<10)
		for i := range text {
			text[i] = c
		}
		contents[string(text)] = true
	}
	write := func() error {
		for text := range contents {
			if err := atomicfile.Write(name, []byte(text), 0o644); err != nil {
				return err
			}
		}
		return nil
	}
	require.NoError(t, write())
	var wg sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		wg.Go(func() { errs[i] = write() })
	}
	for range 50 {
		got, err := os.ReadFile(name)
		require.NoError(t, err)
		require.True(t, contents[string(got)], "a mixture of %d bytes", len(got))
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}
