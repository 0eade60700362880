// Package allocs asserts how many heap allocations a call makes.
//
//	func TestSum_ZeroAlloc(t *testing.T) {
//		allocs.AtMost(t, 0, "Sum(1000 numbers)", func() { Sum(numbers) })
//	}
//
// The race detector allocates on its own account, so every assertion skips in
// a binary built with -race. The grader runs such tests a second time in a
// binary built without it; a test that is skipped in both is not believed.
package allocs

import (
	"fmt"
	"testing"

	"github.com/middle-go/course/grader/labkit/rule"
)

// runs is how many calls [testing.AllocsPerRun] averages over. It rounds down,
// so one stray allocation of the runtime in 100 calls does not fail a test.
const runs = 100

// AtMost fails t if one call of f makes more than limit heap allocations on
// average. do is what f does, as the student would write it.
//
// f runs once to warm up, then 100 times with GOMAXPROCS set to 1, so AtMost
// must not be used in a test that called t.Parallel.
func AtMost(t testing.TB, limit int, do string, f func()) {
	t.Helper()
	Skip(t)
	if got := testing.AllocsPerRun(runs, f); got > float64(limit) {
		t.Error(rule.Case{
			Do:   do,
			Got:  rule.Text(perCall(got)),
			Want: rule.Textf("at most %d", limit),
			Why:  "Every call leaves garbage that the collector has to find. See where: go build -gcflags=-m . 2>&1 | grep -E 'escapes|moved'",
		}.String())
	}
}

func perCall(n float64) string {
	if n == 1 {
		return "1 allocation per call"
	}
	return fmt.Sprintf("%v allocations per call", n)
}

// Skip skips t in a binary built with -race, for a test that counts bytes or
// allocations on its own.
func Skip(t testing.TB) {
	t.Helper()
	if raceEnabled {
		t.Skip("memory is measured in the build without -race")
	}
}
