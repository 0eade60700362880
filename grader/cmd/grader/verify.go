package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/cachedir"
	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/parallel"
	"github.com/middle-go/course/grader/internal/report"
	"github.com/middle-go/course/grader/internal/verify"
)

func newVerify(s *settings) *cobra.Command {
	var runs, limit int
	var record, messages bool
	cmd := &cobra.Command{
		Use:   "verify [week|exercise|milestone ...]",
		Short: "check the course itself: stubs fail, references pass, wrong solutions are caught, cuts hold",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, list, err := s.newVerifier(cmd.Context(), args)
			if err != nil {
				return err
			}
			v.Runs, v.Record = runs, record
			if messages {
				return showMessages(cmd.Context(), v, list)
			}
			return verifyAll(cmd.Context(), v, list, limit)
		},
	}
	cmd.Flags().IntVar(&runs, "runs", 3, "how often the reference and every wrong solution run")
	cmd.Flags().IntVar(&limit, "parallel", runtime.NumCPU()+1, "exercises at once")
	cmd.Flags().BoolVar(&record, "record", false, "write the inventories of the tests instead of comparing them")
	cmd.Flags().BoolVar(&messages, "messages", false, "print what a student with each wrong solution reads first, and nothing else")
	return cmd
}

// newVerifier returns a verifier of the course, and the exercises that args name.
func (s *settings) newVerifier(ctx context.Context, args []string) (*verify.Verifier, []*course.Exercise, error) {
	c, err := s.openCourse()
	if err != nil {
		return nil, nil, usage(err)
	}
	list, err := selected(c, args)
	if err != nil {
		return nil, nil, usage(err)
	}
	solutions := s.submission
	if solutions == "" {
		solutions = filepath.Join(c.Root, "solutions")
	}
	if solutions, err = filepath.Abs(solutions); err != nil {
		return nil, nil, usage(err)
	}
	g, err := s.newGrader(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	v := &verify.Verifier{Grader: g, Solutions: solutions}
	if !s.noCache {
		dir, err := cachedir.Path()
		if err != nil {
			return nil, nil, &exitError{exitBlocked, err}
		}
		v.CacheDir = filepath.Join(dir, "verified")
	}
	return v, list, nil
}

// selected returns the exercises that args name, or all of the course.
func selected(c *course.Course, args []string) ([]*course.Exercise, error) {
	if len(args) == 0 {
		weeks, err := c.All()
		milestones, merr := c.Milestones()
		var list []*course.Exercise
		for _, w := range weeks {
			list = append(list, w.Exercises...)
		}
		return append(list, milestones...), errors.Join(err, merr)
	}
	var list []*course.Exercise
	for _, arg := range args {
		if w, err := loadWeek(c, arg); err == nil {
			list = append(list, w.Exercises...)
			continue
		}
		ex, err := c.Exercise(arg)
		if err != nil {
			return nil, err
		}
		list = append(list, ex)
	}
	return list, nil
}

func verifyAll(ctx context.Context, v *verify.Verifier, list []*course.Exercise, limit int) error {
	start := time.Now()
	w := output()
	cuts := milestones(list)
	if v.Record {
		cuts = nil
	}
	list = longestFirst(list)
	bar := newProgress(os.Stderr, len(list)+len(cuts))
	var mu sync.Mutex
	var total verify.Report
	sound := 0
	err := parallel.Each(ctx, limit, list, func(ctx context.Context, _ int, ex *course.Exercise) error {
		r, err := v.Exercise(ctx, ex)
		if err != nil {
			return fmt.Errorf("%s: %w", ex.ID(), err)
		}
		mu.Lock()
		defer mu.Unlock()
		bar.clear()
		showVerified(w, r)
		bar.done(r.Exercise)
		total.Add(r)
		if r.OK() {
			sound++
		}
		return nil
	})
	bar.clear()
	if err != nil {
		return &exitError{exitBlocked, err}
	}
	fmt.Fprintf(w, "\n%d of %d sound: %d tests, %d subtests; references %d runs, %d flakes; %d wrong solutions, caught in %d of %d runs; %d mutants; %v\n",
		sound, len(list), total.Tests, total.Subtests, total.Runs, total.Flakes, total.Wrong,
		total.WrongRuns-total.Escaped, total.WrongRuns, total.Mutants, time.Since(start).Round(100*time.Millisecond))
	cutsSound := true
	if len(cuts) > 0 {
		if cutsSound, err = verifyCuts(ctx, w, bar, v, cuts, limit); err != nil {
			return &exitError{exitBlocked, err}
		}
	}
	if sound < len(list) || !cutsSound {
		return &exitError{code: exitFail}
	}
	return nil
}

// longestFirst orders exercises so that none is left to wait for alone at the
// end: the suites that run the tracker wait for it most of the time, and the
// later ones are longer.
func longestFirst(list []*course.Exercise) []*course.Exercise {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b *course.Exercise) int {
		switch {
		case a.BlackBox() && b.BlackBox():
			return strings.Compare(b.Slug, a.Slug)
		case a.BlackBox():
			return -1
		case b.BlackBox():
			return 1
		}
		return 0
	})
	return list
}

func showVerified(w io.Writer, r *verify.Report) {
	status := checks.Pass
	if !r.OK() {
		status = checks.Fail
	}
	tests := fmt.Sprintf("%d tests, %d subtests", r.Tests, r.Subtests)
	if r.Mutants > 0 {
		tests = fmt.Sprintf("%d mutants", r.Mutants)
	}
	fmt.Fprintf(w, "%s %-20s %-24s reference %d/%d   wrong solutions %d, caught %d/%d   %s\n", report.Mark(status),
		r.Exercise, tests, r.Runs-r.Flakes, r.Runs, r.Wrong, r.WrongRuns-r.Escaped, r.WrongRuns, took(r.Elapsed, r.Cached))
	for _, p := range r.Problems {
		fmt.Fprintf(w, "    %s\n", strings.ReplaceAll(p, "\n", "\n    "))
	}
}

// took says how long a result took, or that it was known before.
func took(elapsed time.Duration, cached bool) string {
	if cached {
		return "unchanged"
	}
	return elapsed.Round(100 * time.Millisecond).String()
}
