package weathercli

import (
	"errors"
	"time"
)

// FileCache is a Cache that keeps each key in a file of its own in one
// directory. Goroutines and processes may share the directory.
type FileCache struct{}

// NewFileCache returns a cache in dir, which need not exist before the first
// Store. Nothing outside of dir is read or written.
func NewFileCache(dir string) *FileCache { return new(FileCache) }

// Load implements Cache. A file that is damaged counts as none.
func (c *FileCache) Load(key string) (Observation, time.Time, bool) {
	return Observation{}, time.Time{}, false
}

// Store implements Cache. Whatever interrupts it, the file of key is either the
// old one or the new one, whole. If it fails, it leaves no other file behind.
func (c *FileCache) Store(key string, o Observation, at time.Time) error {
	return errors.ErrUnsupported
}
