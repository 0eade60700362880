package gradebook

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/printable"
	"github.com/middle-go/course/grader/internal/report"
)

// Bounds of a directory of reports.
const (
	maxFiles    = 20_000
	maxStudents = 2000
)

// ReadDir adds the reports in a directory to b. A file ada.json is a report on
// ada, and so is every file *.json below a directory ada. Links are not
// followed.
//
// The first result is one error for each file that was left out, in part or as
// a whole; the second is for a directory that cannot be read.
func (b *Book) ReadDir(dir string) (skipped []error, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	files := 0
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path.Ext(name) != ".json" || entry.IsDir() {
			return nil
		}
		if files++; files > maxFiles {
			return fmt.Errorf("%s has more than %d reports", dir, maxFiles)
		}
		if err := b.readFile(root, name, entry); err != nil {
			skipped = append(skipped, fmt.Errorf("%s: %w", printable.Text(name), err))
		}
		return nil
	})
	return skipped, err
}

func (b *Book) readFile(root *os.Root, name string, entry fs.DirEntry) error {
	if !entry.Type().IsRegular() {
		return errors.New("is not a regular file")
	}
	file, err := root.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	s, err := report.Read(file)
	if err != nil {
		return err
	}
	student := studentOf(name)
	if len(b.Students) == maxStudents && !b.knows(student) {
		return fmt.Errorf("is on one more student than the %d that a book has room for", maxStudents)
	}
	return b.Add(student, s)
}

func (b *Book) knows(key string) bool {
	return slices.ContainsFunc(b.Students, func(s *Student) bool { return s.key == key })
}

// studentOf returns the key of the student that a file is about.
func studentOf(name string) string {
	if dir, _, ok := strings.Cut(name, "/"); ok {
		return dir
	}
	return strings.TrimSuffix(name, ".json")
}
