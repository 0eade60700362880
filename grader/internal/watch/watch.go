// Package watch grades a week again whenever the student saves, and shows the
// first failing check on the whole terminal.
//
// The model decides and draws; everything it wants done goes through the
// interface effects, which a desk fulfils: grading, the record, hints, and the
// watcher that turns what the file system reports into changes.
package watch

import (
	"context"
	"errors"
	"fmt"

	tea "charm.land/bubbletea/v2"
	"github.com/fsnotify/fsnotify"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/record"
	"github.com/middle-go/course/grader/internal/report"
)

// Config is what a watch is about.
type Config struct {
	Week       *course.Week
	Grader     *grade.Grader
	Submission string              // root of the student's tree, an absolute path
	ExtraTests string              // directory with private tests, or empty
	Path       func(string) string // a path from the root as the reader should see it
	NextStep   string              // what to do when everything passes, or empty
}

// Run watches until the student quits or ctx is cancelled, which is no error.
// Standard output must be a terminal. When Run returns, the terminal is as it
// was and nothing is under way.
func Run(ctx context.Context, cfg Config) error {
	files, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("saves cannot be noticed: %w", err)
	}
	defer files.Close()
	c := cfg.Grader.Course
	saves := &watcher{
		events: files.Events, errors: files.Errors, add: files.Add,
		load:   func() (*course.Week, error) { return c.Week(cfg.Week.Number) },
		course: c.Root, submission: cfg.Submission,
	}
	if err := saves.follow(cfg.Week); err != nil {
		return err
	}
	d := newDesk(ctx, cfg.Submission, saves, cfg.Grader.Parallel)
	d.examine = cfg.examine
	defer d.close()
	m := newModel(d, cfg.Week)
	m.report = &report.Summary{Path: cfg.Path}
	m.nextStep = cfg.NextStep
	// Signals cancel ctx, so bubbletea's handler has nothing to do.
	_, err = tea.NewProgram(m, tea.WithContext(ctx), tea.WithoutSignalHandler()).Run()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (cfg Config) examine(ctx context.Context, ex *course.Exercise, fresh bool) (*grade.Verdict, error) {
	g := *cfg.Grader
	if fresh {
		g.Cache = grade.Cache{}
	}
	return g.Grade(ctx, grade.Request{Exercise: ex, Submission: cfg.Submission, ExtraTests: cfg.ExtraTests})
}

// FirstUnfinished returns the first week with an exercise that the record does
// not show as passed, or week 1 if there is none.
func FirstUnfinished(c *course.Course, rec *record.Record) (*course.Week, error) {
	for n := 1; n <= course.Weeks; n++ {
		week, err := c.Week(n)
		if errors.Is(err, course.ErrNoContent) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, ex := range week.Exercises {
			if e, ok := rec.Exercises[ex.ID()]; !ok || e.Status != checks.Pass {
				return week, nil
			}
		}
	}
	return c.Week(1)
}
