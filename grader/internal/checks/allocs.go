package checks

import (
	"context"
	"strings"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// allocsCheck runs the tests that the race detector would disturb, in a build
// without it.
type allocsCheck struct{}

func (allocsCheck) Name() string                     { return "allocs" }
func (allocsCheck) Applies(ex *course.Exercise) bool { return ex.Checks.Allocs }
func (allocsCheck) Needs() []string                  { return []string{"tests"} }

func (allocsCheck) Run(ctx context.Context, r *Room) (Result, error) {
	tops := r.Inventory.plainTops()
	want := map[string]bool{}
	for name, plainOnly := range r.Inventory {
		if plainOnly {
			want[name] = true
		}
	}
	_, findings, err := r.judge(ctx, r.plain(), "allocs", toolchain.RunOptions{Run: "^(" + strings.Join(tops, "|") + ")$"}, want)
	if err != nil {
		return Result{}, err
	}
	return decide("allocs", findings, plural(len(tops), "test")), nil
}
