package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/record"
	"github.com/middle-go/course/grader/internal/report"
)

func newStatus(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "the map of all weeks, and the next thing to do",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			st, err := s.openStudent()
			if err != nil {
				return err
			}
			return showStatus(output(), st.course, st.record, shownPath(st.course, st.root))
		},
	}
}

// showStatus prints a line a week, from the last verdict on every exercise.
func showStatus(w io.Writer, c *course.Course, rec *record.Record, path func(string) string) error {
	var next *course.Exercise
	free := structureIsFree(c, rec)
	for n := 1; n <= course.Weeks; n++ {
		week, err := c.Week(n)
		if errors.Is(err, course.ErrNoContent) {
			fmt.Fprintf(w, "%s week %2d  not written yet\n", report.Mark(checks.NotRun), n)
			continue
		}
		if err != nil {
			return usage(err)
		}
		list := week.Exercises
		if week.Milestone != "" {
			m, err := c.Milestone(week.Milestone)
			if err != nil {
				return usage(err)
			}
			list = append(list[:len(list):len(list)], m)
		}
		state, passed, words := weekState(list, rec, free)
		fmt.Fprintf(w, "%s week %2d  %-11s %d of %d  %s\n", report.Mark(state), n, words, passed, len(list), week.Title)
		for _, ex := range list {
			e := rec.Exercises[ex.ID()]
			if next == nil && !done(ex, e, free) {
				next = ex
			}
			switch {
			case regressed(ex, e, free):
				fmt.Fprintf(w, "             %s %s passed before, now fails: make milestone-%s\n", report.Mark(checks.Fail), ex.Slug, ex.Slug)
			case words == "in progress" || words == "blocked" || words == "regression":
				fmt.Fprintf(w, "             %s %s\n", report.Mark(stateOf(e)), ex.Slug)
			}
		}
	}
	if next == nil {
		_, err := fmt.Fprintln(w, "\nEverything that is written so far is done.")
		return err
	}
	command := fmt.Sprintf("make week-%02d", next.Week)
	if next.Kind == course.Project {
		command = "make milestone-" + next.Slug
	}
	_, err := fmt.Fprintf(w, "\nNext: %s (%s, about %d minutes). Read %s, then %s.\n", next.ID(), next.Title, next.Minutes, path(next.Readme()), command)
	return err
}

// weekState sums a week up: done, in progress, open, blocked or a regression.
func weekState(list []*course.Exercise, rec *record.Record, free bool) (state checks.Status, passed int, words string) {
	started, blocked, broken := false, false, false
	for _, ex := range list {
		e := rec.Exercises[ex.ID()]
		if e == nil {
			continue
		}
		switch {
		case done(ex, e, free):
			passed++
			started = true
		case regressed(ex, e, free):
			broken = true
		case e.Status == checks.Blocked:
			blocked = true
		case !e.Untouched && e.Status != "":
			started = true
		}
	}
	switch {
	case passed == len(list):
		return checks.Pass, passed, "done"
	case broken:
		return checks.Fail, passed, "regression"
	case blocked:
		return checks.Blocked, passed, "blocked"
	case started:
		return checks.Fail, passed, "in progress"
	default:
		return checks.NotRun, passed, "open"
	}
}

func stateOf(e *record.Entry) checks.Status {
	if e == nil || e.Untouched {
		return checks.NotRun
	}
	return cmp.Or(e.Status, checks.NotRun)
}
