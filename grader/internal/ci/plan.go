// Package ci is what the workflows of a pull request do: it tells what to grade,
// puts the results of several machines together, and posts a comment. Everything
// in a pull request, and everything that comes from a machine that graded one, is
// a stranger's.
package ci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

// Plan says what to grade of a submission.
type Plan struct {
	Weeks   []int   `json:"weeks"` // in order, never nil
	Ignored Ignored `json:"ignored"`
}

// NewPlan compares a submission with the course. It reads the submission and runs
// nothing of it.
//
// A week is graded if a student's file of its exercises differs from the course's,
// or if the branch is named after it. The project is one program for all weeks, so
// that its files alone do not tell the week. If nothing else does, it is the last
// milestone that looks into packages and whose packages differ; the earlier ones
// are graded again with it.
func NewPlan(c *course.Course, submission, branch string) (*Plan, error) {
	weeks, err := c.All()
	if err != nil {
		return nil, err
	}
	p := &Plan{Weeks: []int{}}
	project := 0
	for _, w := range weeks {
		named := w.Number == weekOf(branch)
		for _, ex := range w.Exercises {
			changed, err := differs(c, submission, ex)
			if err != nil {
				return nil, err
			}
			named = named || changed
		}
		if named {
			p.Weeks = append(p.Weeks, w.Number)
		}
		changed, err := milestoneDiffers(c, submission, w)
		if err != nil {
			return nil, err
		}
		if changed {
			project = w.Number
		}
	}
	if len(p.Weeks) == 0 && project > 0 {
		p.Weeks = []int{project}
	}
	p.Ignored, err = findIgnored(c, weeks, submission)
	return p, err
}

var weekInName = regexp.MustCompile(`(?i)(?:^|[^a-z0-9])week[-_]?0?([1-9][0-9]?)(?:[^0-9]|$)`)

// weekOf returns the week in the name of a branch such as anna/week-05, or 0.
func weekOf(branch string) int {
	m := weekInName.FindStringSubmatch(branch)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

func milestoneDiffers(c *course.Course, submission string, w *course.Week) (bool, error) {
	if w.Milestone == "" {
		return false, nil
	}
	m, err := c.Milestone(w.Milestone)
	if err != nil || m.BlackBox() {
		return false, err
	}
	return differs(c, submission, m)
}

// differs reports whether the submission has other files for ex than the course.
// A file that the grader does not read is a difference too.
func differs(c *course.Course, submission string, ex *course.Exercise) (bool, error) {
	given, err := assembly.Read(c.Root, c.Root, ex)
	if err != nil {
		return false, fmt.Errorf("the course: %w", err)
	}
	theirs, err := assembly.Read(submission, c.Root, ex)
	if unreadable(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	about := func(f assembly.File) bool { return ex.Kind != course.Project || ex.About(f.Path) }
	return !slices.EqualFunc(only(given, about), only(theirs, about), func(a, b assembly.File) bool {
		return a.Path == b.Path && bytes.Equal(a.Content, b.Content)
	}), nil
}

func unreadable(err error) bool {
	_, rejected := errors.AsType[*assembly.RejectedError](err)
	_, missing := errors.AsType[*assembly.MissingError](err)
	return rejected || missing
}

func only(files []assembly.File, keep func(assembly.File) bool) []assembly.File {
	return slices.DeleteFunc(slices.Clone(files), func(f assembly.File) bool { return !keep(f) })
}

// WriteOutputs writes p as outputs of a workflow's step: weeks, a JSON array for a
// matrix, and plan, which [ReadPlan] reads.
func (p *Plan) WriteOutputs(w io.Writer) error {
	weeks, err := json.Marshal(p.Weeks)
	if err != nil {
		return err
	}
	plan, err := json.Marshal(p)
	if err != nil {
		return err
	}
	// JSON escapes line feeds, so each output is one line.
	_, err = fmt.Fprintf(w, "weeks=%s\nplan=%s\n", weeks, plan)
	return err
}

// ReadPlan reads the output plan.
func ReadPlan(data string) (*Plan, error) {
	p := &Plan{}
	if err := json.Unmarshal([]byte(data), p); err != nil {
		return nil, fmt.Errorf("the plan of the pull request does not decode: %w", err)
	}
	return p, nil
}
