package catchup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/middle-go/course/grader/internal/course"
)

// tracker is the student's directory of the project. No method follows a
// symbolic link of his.
type tracker struct {
	*os.Root
	dir string
}

func openTracker(dir string) (*tracker, error) {
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory; nothing was changed", dir)
	}
	root, err := os.OpenRoot(dir)
	return &tracker{root, dir}, err
}

// lstat returns what p is. Below a link, or below a file, there is nothing.
func (t *tracker) lstat(p string) (fs.FileInfo, error) {
	for i, c := range p {
		if c != '/' {
			continue
		}
		info, err := t.Root.Lstat(filepath.FromSlash(p[:i]))
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			return nil, &fs.PathError{Op: "lstat", Path: p, Err: fs.ErrNotExist}
		}
	}
	return t.Root.Lstat(filepath.FromSlash(p))
}

// entries returns the names in the directory p that are no directories. A
// directory that is not there has none.
func (t *tracker) entries(p string) ([]string, error) {
	info, err := t.lstat(p)
	if err != nil || !info.IsDir() {
		return nil, ignoreAbsent(err)
	}
	list, err := fs.ReadDir(t.FS(), p)
	var names []string
	for _, d := range list {
		if !d.IsDir() {
			names = append(names, d.Name())
		}
	}
	return names, err
}

// content returns what is saved of a file: its bytes, or where a link leads.
func (t *tracker) content(p string, info fs.FileInfo) ([]byte, error) {
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := t.Readlink(filepath.FromSlash(p))
		return []byte(filepath.ToSlash(target)), err
	}
	return t.ReadFile(filepath.FromSlash(p))
}

// isSaved reports whether a file of that kind is somebody's work. Sockets and
// pipes are not.
func isSaved(info fs.FileInfo) bool {
	return info.Mode().IsRegular() || info.Mode()&fs.ModeSymlink != 0
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// isCourses reports whether a file of the tracker is the course's: it is never
// the student's, and no cut replaces it.
func isCourses(p string) bool {
	return course.CourseOwned(path.Join(course.ProjectDir, p)) || slices.Contains(givenFiles, p) || course.IsMilestoneTest(p)
}

var givenFiles = []string{"README.md", "openapi.yaml"}
