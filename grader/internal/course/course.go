// Package course reads the manifests of the course: the weeks, their exercises
// and the milestones of the project. It loads and validates, nothing else.
package course

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Weeks is the number of weeks of the course.
const Weeks = 24

// ModulePath is the prefix of every module path of the course.
const ModulePath = "github.com/middle-go/course"

// Course is a tree with manifests.
type Course struct {
	Root string // absolute path
}

// Week is one week of the course.
type Week struct {
	Number         int
	Title          string
	TheoryMinutes  int
	ProjectMinutes int
	Outcomes       []string
	Exercises      []*Exercise
	Milestone      string // such as m01a, or empty
	Dir            string // slash-separated, from the root of the course
}

// ErrNoContent is returned for a week of the course that is not written yet.
var ErrNoContent = errors.New("has no exercises yet")

// ErrNotFound is returned for a week, an exercise or a milestone that the
// course does not have.
var ErrNotFound = errors.New("not in this course")

// Open returns the course in root.
func Open(root string) (*Course, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(abs, "module1")); err != nil {
		return nil, fmt.Errorf("%s is not a course: it has no module1 directory; name one with --course", root)
	}
	return &Course{Root: abs}, nil
}

// Find returns the course that contains dir, looking upwards.
func Find(dir string) (*Course, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	for d := abs; ; d = filepath.Dir(d) {
		_, grader := os.Stat(filepath.Join(d, "grader", "go.mod"))
		_, module := os.Stat(filepath.Join(d, "module1"))
		if grader == nil && module == nil {
			return Open(d)
		}
		if d == filepath.Dir(d) {
			return nil, fmt.Errorf("%s is not inside a course; change into your checkout or name it with --course", abs)
		}
	}
}

// WeekDir returns the directory of week n, from the root of the course.
func WeekDir(n int) string { return fmt.Sprintf("module%d/week%02d", module(n), n) }

func module(week int) int {
	switch {
	case week <= 8:
		return 1
	case week <= 18:
		return 2
	default:
		return 3
	}
}

// Week loads week n. The error wraps [ErrNotFound] or [ErrNoContent], or lists
// what is wrong with the manifest, with file and line.
func (c *Course) Week(n int) (*Week, error) {
	if n < 1 || n > Weeks {
		return nil, fmt.Errorf("week %d is %w: it has weeks 1 to %d", n, ErrNotFound, Weeks)
	}
	dir := WeekDir(n)
	w, err := loadWeek(c.Root, dir, n)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("week %d %w", n, ErrNoContent)
	}
	return w, err
}

// All loads every week that has content, in order, and reports all errors.
func (c *Course) All() ([]*Week, error) {
	var weeks []*Week
	var errs []error
	for n := 1; n <= Weeks; n++ {
		w, err := c.Week(n)
		switch {
		case errors.Is(err, ErrNoContent):
		case err != nil:
			errs = append(errs, err)
		default:
			weeks = append(weeks, w)
		}
	}
	return weeks, errors.Join(errs...)
}

// Exercise loads the exercise or milestone with the given ID, such as
// week01/handles or m01a.
func (c *Course) Exercise(id string) (*Exercise, error) {
	var n int
	var slug string
	if _, err := fmt.Sscanf(id, "week%02d/%s", &n, &slug); err != nil {
		if !IsMilestone(id) {
			return nil, fmt.Errorf("%q is %w; name an exercise like week01/handles or a milestone like m01a", id, ErrNotFound)
		}
		return c.Milestone(id)
	}
	w, err := c.Week(n)
	if err != nil {
		return nil, err
	}
	for _, e := range w.Exercises {
		if e.Slug == slug {
			return e, nil
		}
	}
	return nil, fmt.Errorf("exercise %s is %w; week %d has %s", id, ErrNotFound, n, w.slugs())
}

func (w *Week) slugs() string {
	list := ""
	for i, e := range w.Exercises {
		if i > 0 {
			list += ", "
		}
		list += e.Slug
	}
	return list
}
