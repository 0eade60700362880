package assembly

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/atomicfile"
	"github.com/middle-go/course/grader/internal/course"
)

// Stubs are the hashes of the student's files as the course gives them, by path
// from the root. At a student's desk his files take the place of the stubs, so
// the hashes are what is left to tell whether he has started.
type Stubs map[string]string

// LoadStubs reads the recorded stubs of the course in root. A course without a
// record has none.
func LoadStubs(root string) (Stubs, error) {
	f, err := os.Open(filepath.Join(root, filepath.FromSlash(course.StubsFile)))
	if errors.Is(err, fs.ErrNotExist) {
		return Stubs{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	stubs := Stubs{}
	sc := bufio.NewScanner(f)
	for n := 1; sc.Scan(); n++ {
		hash, name, ok := strings.Cut(sc.Text(), "  ")
		if !ok {
			return nil, fmt.Errorf("%s:%d: not a line of sha256sum", course.StubsFile, n)
		}
		stubs[name] = hash
	}
	return stubs, sc.Err()
}

// Is reports whether content is the stub of the file at path.
func (s Stubs) Is(path string, content []byte) bool {
	hash, ok := s[path]
	return ok && hash == hashOf(content)
}

// Record notes files as stubs.
func (s Stubs) Record(files []File) {
	for _, f := range files {
		s[f.Path] = hashOf(f.Content)
	}
}

// Save writes the record into the course in root.
func (s Stubs) Save(root string) error {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%s  %s\n", s[name], name)
	}
	return atomicfile.Write(filepath.Join(root, filepath.FromSlash(course.StubsFile)), []byte(b.String()), 0o644)
}

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
