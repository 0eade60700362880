package catchup

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"github.com/middle-go/course/grader/internal/cut"
)

// stage holds new files until all of them are written. It lies in the student's
// tree, so that moving a file from it into the tracker is one step.
type stage struct {
	dir   string
	files []cut.File
}

func newStage(root string, files []cut.File) (*stage, error) {
	parent := filepath.Join(root, ".grader")
	if err := os.Mkdir(parent, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	if info, err := os.Lstat(parent); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory; remove it first. Nothing was changed", parent)
	}
	s := &stage{dir: filepath.Join(parent, "catch-up"), files: files}
	s.remove() // what an interrupted run has left
	if err := os.Mkdir(s.dir, 0o755); err != nil {
		return nil, err
	}
	for i, f := range files {
		if err := os.WriteFile(s.name(i), f.Content, f.Perm()); err != nil {
			s.remove()
			return nil, err
		}
	}
	return s, nil
}

func (s *stage) name(i int) string { return filepath.Join(s.dir, strconv.Itoa(i)) }

func (s *stage) remove() { os.RemoveAll(s.dir) }

// apply moves the files to their places and removes what has to go.
func (s *stage) apply(t *tracker, p *plan) error {
	for _, name := range p.clear {
		if err := t.Remove(filepath.FromSlash(name)); err != nil {
			return err
		}
	}
	for i, f := range s.files {
		if err := t.MkdirAll(filepath.FromSlash(path.Dir(f.Path)), 0o755); err != nil {
			return err
		}
		if err := os.Rename(s.name(i), filepath.Join(t.dir, filepath.FromSlash(f.Path))); err != nil {
			return err
		}
	}
	for _, name := range p.remove {
		if err := t.Remove(filepath.FromSlash(name)); err != nil {
			return err
		}
	}
	return nil
}
