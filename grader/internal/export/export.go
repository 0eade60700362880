// Package export writes the students' repository: the course without its
// solutions. It also proves that nothing of them is in one.
package export

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/git"
)

//go:embed README.students
var readme []byte

// Written is what an export has written.
type Written struct {
	Files   int
	LeftOut int
}

// Write writes the students' repository of c into dir, which must be empty or
// not there. There is no history in it. The course has to be a git work tree:
// what git ignores is not written.
func Write(ctx context.Context, c *course.Course, dir string) (Written, error) {
	var w Written
	if err := outside(c.Root, dir); err != nil {
		return w, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return w, err
	}
	if len(entries) > 0 {
		return w, fmt.Errorf("%s is not empty; nothing was written", dir)
	}
	repo, err := git.Open(ctx, c.Root)
	if err != nil {
		return w, err
	}
	names, err := repo.Files(ctx)
	if err != nil {
		return w, err
	}
	if err := stubsOnly(c, names); err != nil {
		return w, err
	}
	for _, name := range names {
		from := filepath.Join(c.Root, filepath.FromSlash(name))
		info, err := os.Lstat(from)
		switch {
		case errors.Is(err, fs.ErrNotExist): // deleted and not committed
			continue
		case err != nil:
			return w, err
		case leftOut(name):
			w.LeftOut++
			continue
		case !info.Mode().IsRegular():
			return w, fmt.Errorf("%s is not a regular file; nobody knows what a student would get", name)
		}
		content, err := os.ReadFile(from)
		if err != nil {
			return w, err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return w, err
		}
		if err := os.WriteFile(to, changed(name, content), info.Mode().Perm()); err != nil {
			return w, err
		}
		w.Files++
	}
	return w, nil
}

// outside refuses a directory that the next export would take for a part of the
// course.
func outside(root, dir string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(root, abs)
	if err == nil && filepath.IsLocal(rel) && !strings.HasPrefix(filepath.ToSlash(rel), "bin/") {
		return fmt.Errorf("%s lies in the course; name a directory outside, or one in bin", dir)
	}
	return nil
}

// leftOut reports whether a file is of no use to a student: the solutions, and
// what tests and describes the course itself.
func leftOut(name string) bool {
	switch top, _, _ := strings.Cut(name, "/"); top {
	case "solutions", ".ci", "bin", "CONTRIBUTING.md":
		return true
	case ".github":
		return name == ".github/workflows/course.yml" || name == ".github/simulate"
	case "grader":
		return strings.HasSuffix(name, "_test.go") || strings.Contains(name, "/testdata/") || path.Ext(name) == ".md" ||
			strings.HasPrefix(name, "grader/cmd/") && !strings.HasPrefix(name, "grader/cmd/grader/")
	}
	return false
}

// changed returns what a student gets of a file.
func changed(name string, content []byte) []byte {
	switch name {
	case "README.md":
		return readme
	case "Makefile":
		return studentsMakefile(content)
	}
	return content
}

// studentsMakefile leaves out the targets that are marked as the course's.
func studentsMakefile(content []byte) []byte {
	var blocks [][]byte
	var gone []string
	for block := range bytes.SplitSeq(content, []byte("\n\n")) {
		first, _, _ := bytes.Cut(block, []byte("\n"))
		target, _, isTarget := bytes.Cut(first, []byte(":"))
		if isTarget && bytes.Contains(first, []byte("## course:")) {
			gone = append(gone, string(target))
			continue
		}
		blocks = append(blocks, block)
	}
	var lines []string
	for line := range strings.Lines(string(bytes.Join(blocks, []byte("\n\n")))) {
		switch {
		case strings.Contains(line, "## course:"), strings.Contains(line, "people who work on the course"):
		case strings.HasPrefix(line, ".PHONY:"):
			lines = append(lines, without(line, gone))
		default:
			lines = append(lines, line)
		}
	}
	return []byte(strings.Replace(strings.Join(lines, ""), runFinished, runOwn, 1))
}

// What make run does: without the reference there is only one tracker to start.
const (
	runFinished = "start the finished tracker and show how to talk to it (OWN=1 for yours)"
	runOwn      = "start your tracker and show how to talk to it"
)

func without(line string, gone []string) string {
	var kept []string
	for word := range strings.FieldsSeq(line) {
		if !slices.Contains(gone, word) {
			kept = append(kept, word)
		}
	}
	return strings.Join(kept, " ") + "\n"
}

// stubsOnly returns an error if a student's file among names is not the stub that
// is on record: somebody's solution would go out with it.
func stubsOnly(c *course.Course, names []string) error {
	stubs, err := assembly.LoadStubs(c.Root)
	if err != nil {
		return err
	}
	students, err := newStudents(c)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		if stubs[name] == "" && !students.own(name) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(c.Root, filepath.FromSlash(name)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			errs = append(errs, fmt.Errorf("%s is missing; bring the stub back", name))
		case err != nil:
			errs = append(errs, err)
		case !stubs.Is(name, content):
			errs = append(errs, fmt.Errorf("%s is a student's file and not the stub on record; bring the stub back, or record a new one with verify --record", name))
		}
	}
	return errors.Join(errs...)
}

// students knows whose files are the students'.
type students []*course.Exercise

func newStudents(c *course.Course) (students, error) {
	weeks, err := c.All()
	if err != nil {
		return nil, err
	}
	all, err := c.Milestones()
	if err != nil {
		return nil, err
	}
	for _, w := range weeks {
		all = append(all, w.Exercises...)
	}
	return all, nil
}

func (s students) own(name string) bool {
	return slices.ContainsFunc(s, func(ex *course.Exercise) bool { return assembly.IsStudents(ex, name) })
}
