package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/record"
	"github.com/middle-go/course/grader/internal/report"
	"github.com/middle-go/course/grader/internal/verify"
)

func newWeek(s *settings) *cobra.Command {
	return s.reportFlags(&cobra.Command{
		Use:   "week N",
		Short: "grade the exercises of a week",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.openCourse()
			if err != nil {
				return usage(err)
			}
			week, err := loadWeek(c, args[0])
			if err != nil {
				return usage(err)
			}
			return s.gradeWeek(cmd.Context(), c, week)
		},
	})
}

// gradeWeek grades the exercises of a week, its milestone, and the earlier
// milestones that later work must not break.
func (s *settings) gradeWeek(ctx context.Context, c *course.Course, week *course.Week) error {
	list := slices.Clone(week.Exercises)
	var earlier []again
	if week.Milestone != "" {
		m, err := c.Milestone(week.Milestone)
		if err != nil {
			return usage(err)
		}
		list = append(list, m)
		if earlier, err = s.earlier(c, m); err != nil {
			return err
		}
	}
	return s.gradeAll(ctx, c, fmt.Sprintf("Week %d: %s", week.Number, week.Title), list, earlier)
}

// nextStep is what to do when the exercises of a week pass, or empty.
func nextStep(week *course.Week) string {
	if week.Milestone == "" {
		return ""
	}
	return "The project step of this week: make milestone-" + week.Milestone
}

func loadWeek(c *course.Course, arg string) (*course.Week, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(arg, "week"))
	if err != nil {
		return nil, fmt.Errorf("%q is not the number of a week; the course has weeks 1 to %d", arg, course.Weeks)
	}
	return c.Week(n)
}

func newExercise(s *settings) *cobra.Command {
	return s.reportFlags(&cobra.Command{
		Use:   "exercise week01/handles",
		Short: "grade one exercise",
		Args:  cobra.ExactArgs(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return s.gradeOne(cmd.Context(), exerciseID(args[0])) },
	})
}

func newMilestone(s *settings) *cobra.Command {
	return s.reportFlags(&cobra.Command{
		Use:   "milestone m01a",
		Short: "grade a milestone of the project",
		Args:  cobra.ExactArgs(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return s.gradeOne(cmd.Context(), args[0]) },
	})
}

func (s *settings) gradeOne(ctx context.Context, id string) error {
	c, err := s.openCourse()
	if err != nil {
		return usage(err)
	}
	ex, err := c.Exercise(id)
	if err != nil {
		return usage(err)
	}
	return s.gradeAll(ctx, c, ex.ID()+": "+ex.Title, []*course.Exercise{ex}, nil)
}

// gradeAll grades exercises, and earlier milestones again, shows the report and
// notes the verdicts.
func (s *settings) gradeAll(ctx context.Context, c *course.Course, title string, list []*course.Exercise, earlier []again) error {
	start := time.Now()
	out, err := s.outputs()
	if err != nil {
		return err
	}
	root, err := s.submissionRoot(c)
	if err != nil {
		return usage(err)
	}
	if s.testsFrom != "" {
		if _, err := os.ReadDir(s.testsFrom); err != nil {
			return usage(fmt.Errorf("--tests-from: %w", err))
		}
	}
	g, err := s.newGrader(ctx, c)
	if err != nil {
		return err
	}
	var reqs []grade.Request
	for _, ex := range slices.Concat(list, milestonesOf(earlier)) {
		req := grade.Request{Exercise: ex, Submission: root, ExtraTests: s.testsFrom}
		if ex.Kind == course.Project && root == filepath.Join(c.Root, "solutions") {
			// A finished tracker, of which a milestone knows its own part.
			if req.Files, err = verify.Reference(root, c.Root, ex); err != nil {
				return err
			}
		}
		reqs = append(reqs, req)
	}
	bar := newProgress(os.Stderr, len(reqs))
	verdicts, err := g.Each(ctx, reqs, func(v *grade.Verdict) { bar.done(v.Exercise) })
	bar.clear()
	if err != nil {
		return &exitError{exitBlocked, err}
	}
	summary := report.NewSummary(title, verdicts[:len(list)], time.Since(start))
	for i, v := range verdicts[len(list):] {
		summary.AddEarlier(report.Earlier{Verdict: v, PassedBefore: earlier[i].passed})
	}
	summary.Path = shownPath(c, root)
	rec, recErr := record.Open(root)
	if recErr == nil {
		remember(summary, rec)
	}
	if out.since != nil {
		summary.Since(out.since)
	}
	if err := out.show(output(), summary); err != nil {
		return err
	}
	if recErr == nil {
		recErr = note(rec, verdicts)
	}
	if recErr != nil {
		fmt.Fprintln(os.Stderr, "grader:", recErr)
	}
	if err := out.save(summary); err != nil {
		return err
	}
	return exitFor(summary)
}

// note adds verdicts to the student's record.
func note(rec *record.Record, verdicts []*grade.Verdict) error {
	for _, v := range verdicts {
		rec.Add(v)
	}
	return rec.Save()
}
