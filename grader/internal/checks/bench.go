package checks

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/perf/benchmath"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// benchCheck compares the student's code with the baseline in one process:
// alternating blocks, process CPU time, and a 99 % interval of the median of
// the ratios. Only an interval that lies on one side of the threshold decides.
type benchCheck struct{}

func (benchCheck) Name() string                     { return "bench" }
func (benchCheck) Applies(ex *course.Exercise) bool { return ex.Checks.Bench != nil }
func (benchCheck) Needs() []string                  { return []string{"tests"} }

// attempts is how often a measurement is taken until it decides.
const attempts = 2

func (benchCheck) Run(ctx context.Context, r *Room) (Result, error) {
	want := r.Exercise.Checks.Bench
	var last Interval
	for i := range attempts {
		run, err := r.run(ctx, r.plain(), fmt.Sprintf("bench %d", i), toolchain.RunOptions{Bench: "^" + want.Name + "$", Timeout: 3 * r.Timeout})
		if err != nil {
			return Result{}, err
		}
		at := slices.IndexFunc(run.Benches, func(b toolchain.Bench) bool { return b.Name == want.Name })
		if !run.OK() || at < 0 {
			findings := r.testFindings(run, nil)
			if len(findings) == 0 {
				findings = []Finding{{Rule: want.Name, Message: "was not measured", Detail: tail(run.Output)}}
			}
			return decide("bench", findings, ""), nil
		}
		last = NewInterval(run.Benches[at].Ratios)
		switch last.Against(want.Faster) {
		case Pass:
			return r.benchResult(Pass, last), nil
		case Fail:
			return r.benchResult(Fail, last), nil
		}
	}
	return r.benchResult(Unproven, last), nil
}

func (r *Room) benchResult(s Status, got Interval) Result {
	want := r.Exercise.Checks.Bench
	result := Result{
		Check: "bench", Status: s,
		Summary: fmt.Sprintf("%.2fx the baseline's speed [%.2f, %.2f], want %.2fx", got.Center, got.Low, got.High, want.Faster),
		Metrics: map[string]float64{"ratio": got.Center, "ratio_low": got.Low, "ratio_high": got.High, "want": want.Faster},
	}
	if s == Fail {
		f := Finding{
			Check: "bench", Rule: want.Name,
			Message: fmt.Sprintf("is %.2f times as fast as the baseline, want %.2f", got.Center, want.Faster),
			Detail:  fmt.Sprintf("99 %% interval of the ratio: %.2f to %.2f. Profile it: go test -run '^$' -bench %s -cpuprofile cpu.out", got.Low, got.High, want.Name),
		}
		r.teach(&f)
		result.Findings = []Finding{f}
	}
	return result
}

// Interval is the median of measured ratios with its confidence interval.
type Interval struct{ Center, Low, High float64 }

// confidence of the interval.
const confidence = 0.99

// NewInterval returns the median of the ratios and its 99 % interval, with no
// assumption about their distribution.
func NewInterval(ratios []float64) Interval {
	s := benchmath.AssumeNothing.Summary(benchmath.NewSample(slices.Clone(ratios), &benchmath.DefaultThresholds), confidence)
	return Interval{Center: s.Center, Low: s.Lo, High: s.Hi}
}

// Against judges the interval: it passes when all of it reaches the threshold,
// fails when none of it does, and is unproven otherwise.
func (i Interval) Against(threshold float64) Status {
	switch {
	case i.Low >= threshold:
		return Pass
	case i.High < threshold:
		return Fail
	default:
		return Unproven
	}
}
