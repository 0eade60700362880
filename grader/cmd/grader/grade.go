package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/record"
	"github.com/middle-go/course/grader/internal/report"
)

func newWeek(s *settings) *cobra.Command {
	return &cobra.Command{
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
	}
}

func (s *settings) gradeWeek(ctx context.Context, c *course.Course, week *course.Week) error {
	return s.gradeAll(ctx, c, fmt.Sprintf("Week %d: %s", week.Number, week.Title), week.Exercises, nextStep(week))
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
	return &cobra.Command{
		Use:   "exercise week01/handles",
		Short: "grade one exercise",
		Args:  cobra.ExactArgs(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return s.gradeOne(cmd.Context(), args[0]) },
	}
}

func newMilestone(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "milestone m01a",
		Short: "grade a milestone of the project",
		Args:  cobra.ExactArgs(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return s.gradeOne(cmd.Context(), args[0]) },
	}
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
	return s.gradeAll(ctx, c, ex.ID()+": "+ex.Title, []*course.Exercise{ex}, "")
}

// gradeAll grades exercises, shows the report and notes the verdicts.
func (s *settings) gradeAll(ctx context.Context, c *course.Course, title string, list []*course.Exercise, next string) error {
	start := time.Now()
	format, err := report.ParseFormat(s.format)
	if err != nil {
		return usage(err)
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
	reqs := make([]grade.Request, len(list))
	for i, ex := range list {
		reqs[i] = grade.Request{Exercise: ex, Submission: root, ExtraTests: s.testsFrom}
	}
	bar := newProgress(os.Stderr, len(reqs))
	verdicts, err := g.Each(ctx, reqs, func(v *grade.Verdict) { bar.done(v.Exercise) })
	bar.clear()
	if err != nil {
		return &exitError{exitBlocked, err}
	}
	summary := report.NewSummary(title, verdicts, time.Since(start))
	summary.Path = shownPath(c, root)
	summary.NextStep = next
	if err := summary.Write(output(), format); err != nil {
		return err
	}
	if err := note(root, verdicts); err != nil {
		fmt.Fprintln(os.Stderr, "grader:", err)
	}
	return exitFor(summary)
}

// note adds verdicts to the student's record.
func note(root string, verdicts []*grade.Verdict) error {
	rec, err := record.Open(root)
	if err != nil {
		return err
	}
	for _, v := range verdicts {
		rec.Add(v)
	}
	return rec.Save()
}
