package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/report"
	"github.com/middle-go/course/grader/internal/verify"
)

func newMutate(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "mutate [week|exercise|milestone ...]",
		Short: "check the course's tests: small faults in the references are found",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, list, err := s.newVerifier(cmd.Context(), args)
			if err != nil {
				return err
			}
			list = slices.DeleteFunc(list, func(ex *course.Exercise) bool {
				return ex.Kind == course.Tests || ex.BlackBox() && len(args) == 0 // a mutant takes as long as its suite
			})
			return mutateAll(cmd.Context(), v, list)
		},
	}
}

// mutateAll takes one exercise after another: the mutants of each run in
// parallel.
func mutateAll(ctx context.Context, v *verify.Verifier, list []*course.Exercise) error {
	start := time.Now()
	w := output()
	bar := newProgress(os.Stderr, len(list))
	var mutants, killed, listed, survivors, stale int
	for _, ex := range list {
		m, err := v.Mutation(ctx, ex)
		if err != nil {
			bar.clear()
			return &exitError{exitBlocked, fmt.Errorf("%s: %w", ex.ID(), err)}
		}
		bar.clear()
		showMutation(w, m)
		bar.done(m.Exercise)
		mutants, killed, listed = mutants+m.Mutants, killed+m.Killed, listed+len(m.Listed)
		survivors, stale = survivors+len(m.Survivors), stale+len(m.Stale)
	}
	bar.clear()
	fmt.Fprintf(w, "\n%d mutants: %d killed (%.1f %%), %d listed with a reason, %d survive; %v\n",
		mutants, killed, percent(killed, mutants), listed, survivors, time.Since(start).Round(100*time.Millisecond))
	if survivors+stale > 0 {
		return &exitError{code: exitFail}
	}
	return nil
}

func percent(part, whole int) float64 {
	if whole == 0 {
		return 100
	}
	return 100 * float64(part) / float64(whole)
}

func showMutation(w io.Writer, m *verify.Mutation) {
	status := checks.Pass
	if len(m.Survivors)+len(m.Stale) > 0 {
		status = checks.Fail
	}
	fmt.Fprintf(w, "%s %-20s %3d mutants, %3d killed, %2d listed   %s\n",
		report.Mark(status), m.Exercise, m.Mutants, m.Killed, len(m.Listed), took(m.Elapsed, m.Cached))
	for _, s := range m.Survivors {
		fmt.Fprintf(w, "    survives %s:%d\n        %s\n", s.File, s.Line, s.Key())
	}
	for _, key := range m.Stale {
		fmt.Fprintf(w, "    %s\n        is listed as a survivor, and does not survive\n", strings.TrimSpace(key))
	}
}
