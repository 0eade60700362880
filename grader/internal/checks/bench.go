package checks

import (
	"context"
	"errors"
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
	attempt := 0
	status, got, err := Judge(want.Faster, func() ([]float64, error) {
		attempt++
		run, err := r.run(ctx, r.plain(), fmt.Sprintf("bench %d", attempt), toolchain.RunOptions{Bench: "^" + want.Name + "$", Timeout: 3 * r.Timeout})
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(run.Benches, func(b toolchain.Bench) bool { return b.Name == want.Name })
		if !run.OK() || at < 0 {
			return nil, &unmeasured{run}
		}
		return run.Benches[at].Ratios, nil
	})
	if u, ok := errors.AsType[*unmeasured](err); ok {
		findings := r.testFindings(u.run, nil)
		if len(findings) == 0 {
			findings = []Finding{{Rule: want.Name, Message: "was not measured", Detail: tail(u.run.Output)}}
		}
		return decide("bench", findings, ""), nil
	}
	if err != nil {
		return Result{}, err
	}
	return r.benchResult(status, got), nil
}

// unmeasured is a benchmark that failed instead of measuring.
type unmeasured struct{ run *toolchain.Run }

func (*unmeasured) Error() string { return "not measured" }

// Judge measures ratios until they decide about the threshold, at most twice.
func Judge(threshold float64, measure func() ([]float64, error)) (Status, Interval, error) {
	var got Interval
	for range attempts {
		ratios, err := measure()
		if err != nil {
			return "", Interval{}, err
		}
		got = NewInterval(ratios)
		if s := got.Against(threshold); s != Unproven {
			return s, got, nil
		}
	}
	return Unproven, got, nil
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

// resolution is the smallest difference that one measurement can tell. The
// interval is about the rounds of one process; between processes the median
// itself moves by about 1 % on a loaded machine, and 3 of those are rare.
const resolution = 0.03

// Against judges the interval: it passes when all of it reaches the threshold,
// fails when none of it comes within the method's resolution of the threshold,
// and is unproven otherwise.
func (i Interval) Against(threshold float64) Status {
	switch {
	case i.Low >= threshold:
		return Pass
	case i.High < threshold*(1-resolution):
		return Fail
	default:
		return Unproven
	}
}
