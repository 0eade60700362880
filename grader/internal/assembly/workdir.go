package assembly

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/middle-go/course/grader/internal/cachedir"
)

// WorkDir is a directory in the user's cache, reserved for one grading at a
// time. Its path is stable from run to run, which keeps the go command's caches
// warm.
type WorkDir struct {
	Path string
	lock *os.File
}

// maxSlots is how many gradings of one exercise may run at once.
const maxSlots = 64

// errBusy is returned by tryLock while somebody else holds the lock.
var errBusy = errors.New("locked")

// Acquire reserves the work directory of an exercise of the course in root. The
// first grading gets the same directory every time; others that run beside it
// get their own.
func Acquire(courseRoot, id string) (*WorkDir, error) {
	cache, err := cachedir.Path()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(courseRoot))
	base := filepath.Join(cache, "work", hex.EncodeToString(sum[:6]), strings.ReplaceAll(id, "/", "-"))
	for slot := range maxSlots {
		dir := fmt.Sprintf("%s-%d", base, slot)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("the grader's cache cannot be written: %w; set GRADER_CACHE to a directory that you may write", err)
		}
		lock, err := tryLock(filepath.Join(dir, "lock"))
		if errors.Is(err, errBusy) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &WorkDir{Path: dir, lock: lock}, nil
	}
	return nil, fmt.Errorf("%d gradings of %s are already running", maxSlots, id)
}

// Release gives the directory back. What is in it stays, for the next grading.
func (w *WorkDir) Release() { w.lock.Close() }

// Reset returns an empty directory with the given name in w.
func (w *WorkDir) Reset(name string) (string, error) {
	dir := filepath.Join(w.Path, name)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o700)
}
