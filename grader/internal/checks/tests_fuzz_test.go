package checks

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/sandbox"
	"github.com/middle-go/course/grader/internal/toolchain"
)

var fuzzedTests = []string{"TestA", "TestA/x", "TestA/x/y", "TestB", "TestStretch", "TestForged", "TestForged/x", ""}

var fuzzedOutcomes = []toolchain.Outcome{toolchain.Passed, toolchain.Failed, toolchain.Skipped, toolchain.Running}

// fuzzedRun is a run with one test for each byte: three bits for its name, two
// for its outcome.
func fuzzedRun(tests []byte, end sandbox.End, code int, done bool, output, leaks string) *toolchain.Run {
	run := &toolchain.Run{End: end, Code: code, Done: done, Output: output, Leaks: leaks}
	seen := map[string]bool{}
	for _, b := range tests {
		name := fuzzedTests[b%8]
		if seen[name] {
			continue // the reader of events merges them
		}
		seen[name] = true
		run.Tests = append(run.Tests, toolchain.Test{Name: name, Outcome: fuzzedOutcomes[b/8%4], Output: output})
	}
	return run
}

// Whatever a run looks like: nothing is wrong with it only if it may be believed
// and has passed every test that was expected. Other tests count for nothing.
func FuzzTestFindings(f *testing.F) {
	f.Add([]byte{0, 1, 3}, 0, true, "", "", byte(0b1011))
	f.Add([]byte{0, 9, 3}, 1, true, "panic: x\n\ngoroutine 1 [running]:\n", "", byte(0b1111))
	f.Add([]byte{5, 6, 7}, 0, true, "", "", byte(0b0001))
	f.Add([]byte{0, 24}, 2, false, "panic: test timed out after 1s\n", "", byte(0))
	f.Add([]byte{0, 4, 12}, 66, false, "WARNING: DATA RACE\nread at\n", "", byte(0b10001))
	f.Add([]byte{0}, 65, true, "", "Goroutine 7 in state select, with\n", byte(1))
	f.Fuzz(func(t *testing.T, tests []byte, code int, done bool, output, leaks string, expected byte) {
		want := map[string]bool{}
		for i, name := range fuzzedTests {
			if expected&(1<<i) != 0 {
				want[name] = true
			}
		}
		room := poolRoom()
		room = NewRoom(nil, "/nowhere", assembly.Source{}, room.Exercise, room.Student, nil, 0)
		for _, end := range []sandbox.End{sandbox.Exited, sandbox.TimedOut, sandbox.TooLoud, sandbox.Signalled} {
			run := fuzzedRun(tests, end, code, done, output, leaks)
			findings := room.testFindings(run, want)
			if len(findings) > 0 {
				for _, found := range decide("tests", findings, "").Findings {
					require.NotEmpty(t, found.Message)
					require.GreaterOrEqual(t, found.Line, 0)
				}
				continue
			}
			require.True(t, run.OK())
			passed := map[string]bool{}
			for _, test := range run.Tests {
				passed[test.Name] = test.Outcome == toolchain.Passed
			}
			for name := range want {
				require.True(t, passed[name], "%q", name)
			}
		}
	})
}

// Whatever a benchmark reports, only an interval that reaches the threshold
// passes.
func FuzzJudge(f *testing.F) {
	f.Add([]byte{200, 210, 205, 190, 220, 210, 205}, 2.0)
	f.Add([]byte{}, 1.0)
	f.Add([]byte{1}, 0.0)
	f.Fuzz(func(t *testing.T, hundredths []byte, threshold float64) {
		var ratios []float64
		lowest, highest := 1e300, -1e300
		for _, b := range hundredths {
			x := float64(b)/100 - 0.5
			ratios = append(ratios, x)
			lowest, highest = min(lowest, x), max(highest, x)
		}
		status, got, err := Judge(threshold, func() ([]float64, error) { return ratios, nil })
		require.NoError(t, err)
		switch status {
		case Pass:
			require.GreaterOrEqual(t, highest, threshold, fmt.Sprint(got))
			require.GreaterOrEqual(t, got.Center, threshold)
		case Fail:
			require.Less(t, lowest, threshold, fmt.Sprint(got))
		default:
			require.Equal(t, Unproven, status)
		}
	})
}
