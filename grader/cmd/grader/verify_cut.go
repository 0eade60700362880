package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/parallel"
	"github.com/middle-go/course/grader/internal/report"
	"github.com/middle-go/course/grader/internal/verify"
)

// milestones returns those of list.
func milestones(list []*course.Exercise) []*course.Exercise {
	var found []*course.Exercise
	for _, ex := range list {
		if ex.Kind == course.Project {
			found = append(found, ex)
		}
	}
	return found
}

// verifyCuts verifies the reference as it stands after each of the milestones.
// It reports whether all of these are sound.
func verifyCuts(ctx context.Context, w io.Writer, bar *progress, v *verify.Verifier, list []*course.Exercise, limit int) (bool, error) {
	start := time.Now()
	var mu sync.Mutex
	sound, suites, passed := 0, 0, 0
	err := parallel.Each(ctx, limit, list, func(ctx context.Context, _ int, m *course.Exercise) error {
		c, err := v.Cut(ctx, m)
		if err != nil {
			return fmt.Errorf("cut %s: %w", m.ID(), err)
		}
		mu.Lock()
		defer mu.Unlock()
		bar.clear()
		showCut(w, c)
		bar.done("cut " + c.Milestone)
		suites, passed = suites+c.Suites, passed+c.Passed
		if c.OK() {
			sound++
		}
		return nil
	})
	bar.clear()
	if err != nil {
		return false, err
	}
	fmt.Fprintf(w, "%d of %d cuts sound: %d of %d suites pass; %v\n", sound, len(list), passed, suites, time.Since(start).Round(100*time.Millisecond))
	return sound == len(list), nil
}

func showCut(w io.Writer, c *verify.Cut) {
	status := checks.Pass
	if !c.OK() {
		status = checks.Fail
	}
	fmt.Fprintf(w, "%s %-20s %d of %d suites pass   %s\n", report.Mark(status), "cut "+c.Milestone, c.Passed, c.Suites, took(c.Elapsed, c.Cached))
	for _, p := range c.Problems {
		fmt.Fprintf(w, "    %s\n", strings.ReplaceAll(p, "\n", "\n    "))
	}
}
