package review

import (
	"path"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/git"
	"github.com/middle-go/course/grader/internal/grade"
)

// Touched is what a change touches.
type Touched struct {
	Exercises []*course.Exercise // those of the weeks, then the milestones
	Protected []git.Change       // files of the course; what the change does to them counts for nothing
	Other     []git.Change       // files that are in no exercise

	onlyProject bool // no exercise of a week says which week it is
}

// Find sorts the changes, for one week or, if week is 0, for all. Milestones are
// cumulative, so a change of the project touches all that are about its files, up
// to that of the last week with an exercise in the change.
func Find(c *course.Course, changes []git.Change, week int) (*Touched, error) {
	weeks, err := c.All()
	if err != nil {
		return nil, err
	}
	milestones, err := c.Milestones()
	if err != nil {
		return nil, err
	}
	t := &Touched{}
	all := slices.Clone(milestones)
	last := week
	for _, w := range weeks {
		all = append(all, w.Exercises...)
		for _, ex := range w.Exercises {
			if (week == 0 || week == w.Number) && touches(changes, ex) {
				t.Exercises = append(t.Exercises, ex)
				last = max(last, w.Number)
			}
		}
	}
	t.onlyProject = last == 0
	for _, m := range milestones {
		if (t.onlyProject || m.Week <= last) && touches(changes, m) {
			t.Exercises = append(t.Exercises, m)
		}
	}
	for _, change := range changes {
		switch {
		case slices.ContainsFunc(all, func(ex *course.Exercise) bool { return assembly.IsStudents(ex, change.Path) }):
		case ofCourse(change):
			t.Protected = append(t.Protected, change)
		default:
			t.Other = append(t.Other, change)
		}
	}
	return t, nil
}

func touches(changes []git.Change, ex *course.Exercise) bool {
	return slices.ContainsFunc(changes, func(c git.Change) bool { return assembly.IsStudents(ex, c.Path) && ex.About(c.Path) })
}

// ofCourse reports whether a file that is no student's is the course's: one that
// was there, and what lies where only the course writes.
func ofCourse(c git.Change) bool {
	top, rest, _ := strings.Cut(c.Path, "/")
	switch {
	case c.Kind != git.Added, course.CourseOwned(c.Path):
		return true
	case top == course.ProjectDir:
		return path.Base(c.Path) == "go.mod" || path.Base(c.Path) == "go.sum"
	case rest == "":
		return strings.HasPrefix(top, "go.") || top == "Makefile"
	}
	return top == "grader" || top == ".github" || top == ".ci" || strings.HasPrefix(top, "module")
}

// reached leaves out the milestones that the student has not come to. Where no
// week is known, these are the ones after the first that does not pass behind the
// last that does.
func reached(verdicts []*grade.Verdict, onlyProject bool) (kept []*grade.Verdict, later []string) {
	if !onlyProject {
		return verdicts, nil
	}
	end := 0
	for i, v := range verdicts {
		if v.Status == checks.Pass {
			end = i + 1
		}
	}
	end = min(end+1, len(verdicts))
	for _, v := range verdicts[end:] {
		later = append(later, v.Exercise)
	}
	return verdicts[:end], later
}
