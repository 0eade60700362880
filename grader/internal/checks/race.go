package checks

import (
	"context"
	"strings"

	"github.com/middle-go/course/grader/internal/course"
)

// raceCheck asks whether the race detector was on, and silent. A race stops the
// tests, so the check for tests fails first and this one says why.
type raceCheck struct{}

func (raceCheck) Name() string                     { return "race" }
func (raceCheck) Applies(ex *course.Exercise) bool { return ex.Kind != course.Tests }
func (raceCheck) Needs() []string                  { return []string{"build"} }

func (raceCheck) Run(ctx context.Context, r *Room) (Result, error) {
	if !r.HasRace() {
		return Result{Check: "race", Status: Blocked, Findings: []Finding{{
			Check: "race", Message: "the race detector needs a C compiler; grader doctor says how to install one",
		}}}, nil
	}
	run, err := r.mainRun(ctx)
	if err != nil {
		return Result{}, err
	}
	if strings.Contains(run.Output, raceWarning) {
		return decide("race", []Finding{{Rule: "race", Message: "data race", Detail: r.explainRace(run.Output)}}, ""), nil
	}
	return decide("race", nil, ""), nil
}
