package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/gradebook"
)

func newGradebook(s *settings) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "gradebook DIR...",
		Short: "many JSON reports in, one table of a cohort out",
		Long: `gradebook reads the JSON reports (--format json) in directories and writes one
table to standard output: where every student stands, and which exercises and
misconceptions cost the cohort most.

A file ada.json is a report on ada, and so is every *.json below a directory
ada. Of each exercise the latest verdict stands. A file that is no report of
the grader is named on standard error, and the exit code is then 1.`,
		Example: "  grader gradebook reports > book.html",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, dirs []string) error {
			f, err := gradebook.ParseFormat(format)
			if err != nil {
				return usage(err)
			}
			c, err := s.openCourse()
			if err != nil {
				return usage(err)
			}
			return writeGradebook(c, dirs, f)
		},
	}
	cmd.Flags().StringVar(&format, "format", string(gradebook.HTML), "html, markdown or csv")
	return cmd
}

func writeGradebook(c *course.Course, dirs []string, f gradebook.Format) error {
	exercises, err := everyExercise(c)
	if err != nil {
		return usage(err)
	}
	book := gradebook.New(exercises, time.Now())
	skipped := 0
	for _, dir := range dirs {
		list, err := book.ReadDir(dir)
		if err != nil {
			return usage(err)
		}
		for _, err := range list {
			fmt.Fprintln(os.Stderr, "grader:", err)
		}
		skipped += len(list)
	}
	if len(book.Students) == 0 {
		return usage(errors.New("there are no reports; a report is what --format json writes, in a file such as ada.json or ada/week-01.json"))
	}
	if err := book.Write(output(), f); err != nil {
		return err
	}
	if skipped > 0 {
		return &exitError{code: exitFail}
	}
	return nil
}

// everyExercise returns the exercises and milestones of c, week by week.
func everyExercise(c *course.Course) ([]*course.Exercise, error) {
	weeks, err := c.All()
	if err != nil {
		return nil, err
	}
	var list []*course.Exercise
	for _, w := range weeks {
		list = append(list, w.Exercises...)
		if w.Milestone == "" {
			continue
		}
		m, err := c.Milestone(w.Milestone)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}
