package checks

import (
	"context"
	"fmt"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// interleaveCheck repeats the tests with a yield at every lock, channel and
// atomic operation of the student's code. It finds the races in logic that the
// race detector cannot see and that luck rarely shows.
type interleaveCheck struct{}

func (interleaveCheck) Name() string                     { return "interleave" }
func (interleaveCheck) Applies(ex *course.Exercise) bool { return ex.Checks.Interleave }
func (interleaveCheck) Needs() []string                  { return []string{"tests", "leak"} }

// interleavedRuns is how often a submission is run with yields. One run repeats
// the critical step hundreds of times, so more runs find little more.
const interleavedRuns = 2

func (interleaveCheck) Run(ctx context.Context, r *Room) (Result, error) {
	summary := plural(interleavedRuns, "run")
	for i := range uint64(interleavedRuns) {
		o := toolchain.RunOptions{Shuffle: r.Seed + i, Interleave: r.Seed + i + 1, Leak: r.Exercise.Checks.Leak, Skip: r.stretch()}
		run, err := r.run(ctx, r.main(), fmt.Sprintf("interleave %d", i), o)
		if err != nil {
			return Result{}, err
		}
		findings := r.testFindings(run, r.core(r.expected(r.HasRace())))
		for k := range findings {
			findings[k].Message += " when goroutines take turns at every synchronisation"
			findings[k].Detail += fmt.Sprintf("\nThe order of steps matters here: another goroutine may run between any two of them (seed %d).", r.Seed+i+1)
		}
		if len(findings) > 0 {
			return decide("interleave", findings, summary), nil
		}
	}
	return decide("interleave", nil, summary), nil
}
