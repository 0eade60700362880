//go:build linux || darwin

package proc

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const scratchPattern = "middle-go-proc-*"

// scratchDir makes a directory that lasts as long as this process, which holds
// a lock on it, and removes those whose process has ended: a test process has
// no place for cleaning up when its last test is over.
func scratchDir() (string, error) {
	sweep()
	for {
		dir, err := os.MkdirTemp("", scratchPattern)
		if err != nil {
			return "", err
		}
		if _, err := lock(dir); errors.Is(err, unix.EWOULDBLOCK) {
			continue // another process is sweeping it
		}
		if _, err := os.Stat(dir); err == nil {
			return dir, nil
		}
	}
}

func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), scratchPattern))
	for _, dir := range dirs {
		if fd, err := lock(dir); err == nil {
			_ = os.RemoveAll(dir)
			_ = unix.Close(fd)
		}
	}
}

// lock takes the lock of dir, which lasts until the descriptor is closed or the
// process ends.
func lock(dir string) (int, error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}
