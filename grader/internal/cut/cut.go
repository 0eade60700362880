// Package cut writes the tracker as it stood after a milestone.
//
// There is one reference, the finished service. Markers in its files say what
// came when:
//
//	//course:since m05a     the file, if it stands before the package clause
//
//	//course:since m05a     these lines
//	...
//	//course:end
//
//	//course:until m05a     these lines, which m05a replaces; the finished
//	// ...                  reference holds them as comments
//	//course:end
//
// YAML and its like write # course:since m05a, and SQL -- course:since m05a. There
// a marker on the first line is for the whole file.
package cut

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/middle-go/course/grader/internal/course"
)

// Source gives the tracker as it stands after the milestone id: what a student
// has written by then, without the course's own files.
type Source interface {
	Cut(id string) (Tree, error)
}

// Tree is the files of a cut, in the order of their paths.
type Tree []File

// File is one file of a cut.
type File struct {
	Path       string // slash-separated, from the directory of the tracker
	Content    []byte
	Executable bool
}

// Perm returns the permissions with which f is written.
func (f File) Perm() os.FileMode {
	if f.Executable {
		return 0o755
	}
	return 0o644
}

// Open returns the source of the course in root: the reference in its
// solutions, or, in a repository that has none, the directory grader/cuts.
func Open(root string) Source {
	name := "solutions/" + course.ProjectDir
	dir := filepath.Join(root, filepath.FromSlash(name))
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return Reference{Dir: dir, Name: name}
	}
	return Ready{Dir: filepath.Join(root, "grader", "cuts")}
}

// checkID refuses what is not the id of a milestone.
func checkID(id string) error {
	if !course.IsPlanned(id) {
		return fmt.Errorf("%q is no milestone; the course has %s to %s", id, course.MilestoneOf(1), course.MilestoneOf(course.Weeks))
	}
	return nil
}

// Write writes the files of t below dir, which must be empty or not there.
func (t Tree) Write(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty; nothing was written", dir)
	}
	for _, f := range t {
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, f.Content, f.Perm()); err != nil {
			return err
		}
	}
	return nil
}
