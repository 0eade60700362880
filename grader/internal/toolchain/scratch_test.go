package toolchain

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScratch_IsRemovedWhateverIsLeftInIt(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "scratch")
	scratch, err := newScratch(parent)
	require.NoError(t, err)
	kept := filepath.Join(t.TempDir(), "kept")
	require.NoError(t, os.WriteFile(kept, nil, 0o400))

	deep := filepath.Join(scratch, "closed", "closed too")
	require.NoError(t, os.MkdirAll(deep, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(deep, "file"), nil, 0o600))
	require.NoError(t, os.Symlink(filepath.Dir(kept), filepath.Join(deep, "link")))
	require.NoError(t, os.Chmod(deep, 0))
	require.NoError(t, os.Chmod(filepath.Dir(deep), 0))

	removeAll(scratch)
	entries, err := os.ReadDir(parent)
	require.NoError(t, err)
	require.Empty(t, entries)
	require.FileExists(t, kept)
}
