package checks

import (
	"context"

	"github.com/middle-go/course/grader/internal/course"
)

// leakCheck looks for goroutines that are left when all tests have passed.
type leakCheck struct{}

func (leakCheck) Name() string                     { return "leak" }
func (leakCheck) Applies(ex *course.Exercise) bool { return ex.Checks.Leak && ex.Kind != course.Tests }
func (leakCheck) Needs() []string                  { return []string{"build"} }

func (leakCheck) Run(ctx context.Context, r *Room) (Result, error) {
	run, _, err := r.judgeMain(ctx)
	if err != nil {
		return Result{}, err
	}
	switch {
	case run.Leaks != "":
		return decide("leak", []Finding{{
			Rule: "leak", Message: "goroutines are still running after the tests", Detail: r.explainLeak(run.Leaks),
		}}, ""), nil
	case !run.OK(): // looked for only when every test passes
		return Result{Check: "leak", Status: NotRun}, nil
	}
	return decide("leak", nil, ""), nil
}
