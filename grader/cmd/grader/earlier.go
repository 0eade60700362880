package main

import (
	"slices"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/record"
)

// again is an earlier milestone to grade again.
type again struct {
	milestone *course.Exercise
	passed    bool // the student's record says so
}

// earlier returns the milestones before m that the student has passed. Where
// nothing is recorded, as in CI, it returns all of them.
func (s *settings) earlier(c *course.Course, m *course.Exercise) ([]again, error) {
	st, err := s.openStudent()
	if err != nil {
		return nil, err
	}
	milestones, err := c.Earlier(m)
	if err != nil {
		return nil, usage(err)
	}
	var list []again
	for _, o := range milestones {
		e := st.record.Exercises[o.ID()]
		passed := e != nil && !e.FirstGreen.IsZero()
		if passed || len(st.record.Exercises) == 0 {
			list = append(list, again{o, passed})
		}
	}
	return list, nil
}

func milestonesOf(list []again) []*course.Exercise {
	var all []*course.Exercise
	for _, a := range list {
		all = append(all, a.milestone)
	}
	return all
}

// regressed reports whether the milestone ex passed before and fails now.
func regressed(ex *course.Exercise, e *record.Entry, free bool) bool {
	return ex.Kind == course.Project && e != nil && !e.FirstGreen.IsZero() && !done(ex, e, free) && e.Status != checks.Blocked
}

// done reports whether nothing is left to do in ex. A milestone that looks into
// packages stays done when the structure is the student's own.
func done(ex *course.Exercise, e *record.Entry, free bool) bool {
	if e == nil {
		return false
	}
	return e.Status == checks.Pass || free && ex.Kind == course.Project && !ex.BlackBox() && !e.FirstGreen.IsZero()
}

// structureIsFree reports whether the student has begun with the milestones
// that know only the running program.
func structureIsFree(c *course.Course, rec *record.Record) bool {
	milestones, _ := c.Milestones() // a broken manifest is told with its week
	return slices.ContainsFunc(milestones, func(m *course.Exercise) bool {
		e := rec.Exercises[m.ID()]
		return m.BlackBox() && e != nil && e.Status != "" && !e.Untouched
	})
}
