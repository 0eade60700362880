package ci

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/printable"
)

// Ignored are the files of a submission that differ from the course's and are not
// the student's to change. They had no effect.
type Ignored struct {
	Files []string `json:"files,omitempty"` // printable, in order
	More  int      `json:"more,omitempty"`  // those that are not in Files
}

// What a submission can make the grader look at and show.
const (
	maxEntries = 50_000 // files and directories of a submission
	maxIgnored = 20
	maxName    = 120 // bytes of a name
)

// Everything in these directories is made by tools, or for other readers.
var unseen = []string{".git", ".grader", "bin", "solutions"}

func findIgnored(c *course.Course, weeks []*course.Week, submission string) (Ignored, error) {
	var found Ignored
	own := map[string]bool{}
	for _, w := range weeks {
		for _, ex := range w.Exercises {
			for _, f := range ex.Files {
				own[path.Join(ex.FilesDir(), f)] = true
			}
		}
	}
	students := func(p string) bool {
		inProject := strings.HasPrefix(p, course.ProjectDir+"/")
		return own[p] || inProject && !course.CourseOwned(p)
	}
	root, err := os.OpenRoot(submission)
	if err != nil {
		return found, err
	}
	defer root.Close()
	entries := 0
	err = fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if entries++; entries > maxEntries {
			found.More++
			return fs.SkipAll
		}
		switch {
		case err != nil:
			found.add(p)
			return nil
		case slices.Contains(unseen, p):
			return skip(d)
		case d.IsDir() || students(p) || same(c.Root, root, p, d):
			return nil
		}
		found.add(p)
		return nil
	})
	if err != nil {
		return found, err
	}
	return found, found.addMissing(c, root, students)
}

// addMissing adds the files of the course that the submission does not have.
func (i *Ignored) addMissing(c *course.Course, submission *os.Root, students func(string) bool) error {
	return fs.WalkDir(os.DirFS(c.Root), ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case slices.Contains(unseen, p):
			return skip(d)
		case d.IsDir() || students(p):
			return nil
		}
		if _, err := submission.Lstat(p); errors.Is(err, fs.ErrNotExist) {
			i.add(p + " (missing)")
		}
		return nil
	})
}

func skip(d fs.DirEntry) error {
	if d.IsDir() {
		return fs.SkipDir
	}
	return nil
}

func (i *Ignored) add(name string) {
	if len(i.Files) == maxIgnored {
		i.More++
		return
	}
	name = strings.ReplaceAll(printable.Text(name), "\n", " ")
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "") + "..."
	}
	i.Files = append(i.Files, name)
}

// same reports whether a file of the submission is equal to the course's.
func same(courseRoot string, submission *os.Root, p string, d fs.DirEntry) bool {
	given := filepath.Join(courseRoot, filepath.FromSlash(p))
	want, err := os.Lstat(given)
	if err != nil || want.Mode().Type() != d.Type() {
		return false
	}
	if want.Mode()&fs.ModeSymlink != 0 {
		a, errA := os.Readlink(given)
		b, errB := submission.Readlink(p)
		return a == b && errors.Join(errA, errB) == nil
	}
	info, err := d.Info()
	if err != nil || info.Size() != want.Size() {
		return false
	}
	a, errA := os.ReadFile(given)
	b, errB := submission.ReadFile(p)
	return errors.Join(errA, errB) == nil && bytes.Equal(a, b)
}
