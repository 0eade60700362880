// Wrong: believes that temporary files belong into the system's directory for them.
// Caught by: TestCache_FileAtomic/rename_works
// Replaces: cache.go

package weathercli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// FileCache is a Cache that keeps each key in a file of its own in one
// directory. Goroutines and processes may share the directory.
type FileCache struct{ dir string }

// NewFileCache returns a cache in dir, which need not exist before the first
// Store. Nothing outside of dir is read or written.
func NewFileCache(dir string) *FileCache { return &FileCache{dir: dir} }

// entry is the content of a file.
type entry struct {
	StoredAt    time.Time
	Observation *Observation
}

// Load implements Cache. A file that is damaged counts as none.
func (c *FileCache) Load(key string) (Observation, time.Time, bool) {
	content, err := os.ReadFile(c.path(key))
	if err != nil {
		return Observation{}, time.Time{}, false
	}
	var e entry
	if err := json.Unmarshal(content, &e); err != nil || e.Observation == nil {
		return Observation{}, time.Time{}, false
	}
	return *e.Observation, e.StoredAt, true
}

// Store implements Cache. Whatever interrupts it, the file of key is either the
// old one or the new one, whole. If it fails, it leaves no other file behind.
func (c *FileCache) Store(key string, o Observation, at time.Time) error {
	content, err := json.Marshal(entry{StoredAt: at, Observation: &o})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp("", "weather-*.tmp")
	if err != nil {
		return err
	}
	_, err = tmp.Write(content)
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), c.path(key))
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
	return err
}

// path returns the file of key. A hash makes a name out of any key.
func (c *FileCache) path(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(c.dir, hex.EncodeToString(sum[:])+".json")
}
