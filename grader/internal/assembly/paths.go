package assembly

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/middle-go/course/grader/internal/course"
)

// maxFiles bounds how many files the patterns of a milestone may match.
const maxFiles = 1000

// studentPaths lists the student's files of ex in the tree in root. What belongs
// to the course is never among them.
func studentPaths(root string, ex *course.Exercise) ([]string, error) {
	var paths []string
	for _, f := range ex.Files {
		p := path.Join(ex.FilesDir(), f)
		if !strings.Contains(f, "*") {
			paths = append(paths, p)
			continue
		}
		found, err := glob(root, ex.FilesDir(), f)
		if err != nil {
			return nil, err
		}
		found = slices.DeleteFunc(found, func(m string) bool {
			return course.CourseOwned(m) || ex.Given(m) || course.IsMilestoneTest(m)
		})
		if len(found) == 0 && !strings.Contains(f, "**") {
			return nil, &MissingError{File: p}
		}
		paths = append(paths, found...)
	}
	if len(paths) == 0 && len(ex.Files) > 0 {
		return nil, &MissingError{File: path.Join(ex.FilesDir(), ex.Files[0])}
	}
	for _, p := range paths {
		if err := printableName(p); err != nil {
			return nil, err
		}
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	if len(paths) > maxFiles {
		return nil, &RejectedError{File: ex.FilesDir(), Reason: fmt.Sprintf("has %d files; the grader reads at most %d", len(paths), maxFiles)}
	}
	return paths, nil
}

// IsStudents reports whether name, from the root of a tree, is one of the
// student's files of ex. It need not exist.
func IsStudents(ex *course.Exercise, name string) bool {
	rel, inside := strings.CutPrefix(name, ex.FilesDir()+"/")
	if !inside || course.CourseOwned(name) || ex.Given(name) || course.IsMilestoneTest(name) {
		return false
	}
	return slices.ContainsFunc(ex.Files, func(f string) bool {
		return f == rel || strings.Contains(f, "*") && matches(strings.Split(f, "/"), strings.Split(rel, "/"))
	})
}

// glob returns what matches pattern below root/dir, from root.
func glob(root, dir, pattern string) ([]string, error) {
	if strings.Contains(pattern, "**") {
		return globDeep(root, dir, strings.Split(pattern, "/"))
	}
	matches, err := fs.Glob(os.DirFS(root), path.Join(dir, pattern))
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	return matches, nil
}

// globDeep is glob for a pattern in which the element ** stands for any number
// of directories, other than those that the go command ignores.
func globDeep(root, dir string, pattern []string) ([]string, error) {
	var found []string
	err := fs.WalkDir(os.DirFS(root), dir, func(name string, d fs.DirEntry, err error) error {
		rel := strings.TrimPrefix(name, dir+"/")
		switch {
		case err != nil:
			return err
		case name == dir:
			return nil
		case course.CourseOwned(name) || d.IsDir() && leftOut(d.Name()) && d.Name() != "testdata":
			return skip(d)
		case d.IsDir() && !utf8.ValidString(name): // package fs cannot look into it
			return printableName(name)
		case d.IsDir():
		case matches(pattern, strings.Split(rel, "/")):
			found = append(found, name)
		case d.Type()&fs.ModeSymlink != 0 && !leftOut(d.Name()) && isDir(root, name):
			return cmp.Or(printableName(name), error(&RejectedError{File: name, Reason: "is not read: it is a symbolic link; put a directory there"}))
		}
		return nil
	})
	if os.IsNotExist(err) {
		return nil, nil
	}
	return found, err
}

// printableName returns a [*RejectedError] for a name that would damage a report.
func printableName(name string) error {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return &RejectedError{File: strconv.Quote(name), Reason: "has a name that cannot be printed; rename it"}
	}
	return nil
}

func skip(d fs.DirEntry) error {
	if d.IsDir() {
		return fs.SkipDir
	}
	return nil
}

func isDir(root, name string) bool {
	info, err := fs.Stat(os.DirFS(root), name)
	return err == nil && info.IsDir()
}

// leftOut reports whether the go command looks for no packages in a directory of
// that name.
func leftOut(name string) bool {
	return name == "testdata" || name == "vendor" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// matches reports whether the elements of a path match those of a pattern.
func matches(pattern, name []string) bool {
	for ; len(pattern) > 0 && pattern[0] != "**"; pattern, name = pattern[1:], name[1:] {
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], name[0]); err != nil || !ok {
			return false
		}
	}
	switch {
	case len(pattern) == 0 || len(name) == 0:
		return len(pattern) == len(name)
	case len(pattern) == 1: // a last ** stands for files
		return !leftOut(name[0]) && (len(name) == 1 || matches(pattern, name[1:]))
	}
	return matches(pattern[1:], name) || !leftOut(name[0]) && matches(pattern, name[1:])
}
