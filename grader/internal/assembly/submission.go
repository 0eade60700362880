// Package assembly builds the work tree that is graded: everything from the
// course, plus the files that the manifest lists as the student's.
//
// A student's file is read as a regular file without following links on any
// element of its path, and up to a size. Nothing else of the submission is
// looked at, so edited tests, a replaced go.mod or a vendor directory have no
// effect.
package assembly

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/middle-go/course/grader/internal/course"
)

// MaxFile is the largest file that a student may submit, in bytes.
const MaxFile = 256 << 10

// File is one file of the submission.
type File struct {
	Path      string // slash-separated, from the root: module1/week01/handles/handles.go
	Content   []byte
	Untouched bool // equal to the stub of the course
}

// IsTest reports whether f is a Go test file.
func (f File) IsTest() bool { return strings.HasSuffix(f.Path, "_test.go") }

// RejectedError is a submission that breaks the rules of assembly.
type RejectedError struct {
	File   string // slash-separated, from the root
	Reason string
}

func (e *RejectedError) Error() string { return e.File + " " + e.Reason }

// MissingError is a file that the student should have and has not.
type MissingError struct{ File string }

func (e *MissingError) Error() string { return e.File + " is missing" }

// Read reads the student's files of ex from the tree in root. The course in
// courseRoot knows the stubs. The error is a [*RejectedError], a [*MissingError] or
// one of the file system.
func Read(root, courseRoot string, ex *course.Exercise) ([]File, error) {
	paths, err := studentPaths(root, ex)
	if err != nil {
		return nil, err
	}
	stubs, err := LoadStubs(courseRoot)
	if err != nil {
		return nil, err
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	files := make([]File, 0, len(paths))
	for _, p := range paths {
		content, err := readRegular(r, p)
		if err != nil {
			return nil, err
		}
		files = append(files, File{Path: p, Content: content, Untouched: stubs.Is(p, content)})
	}
	return files, nil
}

// readRegular reads one file below r, refusing links on every element.
func readRegular(r *os.Root, p string) ([]byte, error) {
	elements := strings.Split(p, "/")
	for i := range elements {
		part := path.Join(elements[:i+1]...)
		info, err := r.Lstat(filepath.FromSlash(part))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, &MissingError{File: p}
		case err != nil:
			return nil, &RejectedError{File: p, Reason: "cannot be read: " + err.Error()}
		case info.Mode()&fs.ModeSymlink != 0:
			return nil, &RejectedError{File: p, Reason: fmt.Sprintf("is not read: %s is a symbolic link; put a regular file there", part)}
		case i < len(elements)-1:
		case !info.Mode().IsRegular():
			return nil, &RejectedError{File: p, Reason: "is not a regular file"}
		case info.Size() > MaxFile:
			return nil, &RejectedError{File: p, Reason: fmt.Sprintf("has %d bytes; the grader reads at most %d", info.Size(), MaxFile)}
		}
	}
	content, err := r.ReadFile(filepath.FromSlash(p))
	if err != nil {
		return nil, &RejectedError{File: p, Reason: "cannot be read: " + err.Error()}
	}
	if len(content) > MaxFile {
		return nil, &RejectedError{File: p, Reason: fmt.Sprintf("grew above %d bytes while it was read", MaxFile)}
	}
	return content, nil
}
