package toolchain

import (
	"io/fs"
	"os"
	"path/filepath"
)

// newScratch makes an empty directory in parent, which is made if it is not
// there.
func newScratch(parent string) (string, error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", err
	}
	return os.MkdirTemp(parent, "run-")
}

// removeAll removes dir, also when a submission has left directories in it that
// nobody may enter. It follows no link. What it cannot remove stays in the cache.
func removeAll(dir string) {
	if os.RemoveAll(dir) == nil {
		return
	}
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() { // it is read after this
			_ = os.Chmod(name, 0o700)
		}
		return nil
	})
	_ = os.RemoveAll(dir)
}
