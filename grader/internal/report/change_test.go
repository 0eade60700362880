package report_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/report"
)

func broken(rule string) checks.Finding { return checks.Finding{Rule: rule, Message: "failed"} }

func TestSince_NamesWhatIsMendedAndWhatIsBroken(t *testing.T) {
	lint := func(line int) checks.Result {
		return result("lint", checks.Fail, "", checks.Finding{Rule: "S1", File: "a.go", Line: line, Message: "unused"})
	}
	old := summary("before",
		verdict("mended", "", checks.Fail, result("tests", checks.Fail, "", broken("TestA"), broken("TestB"))),
		verdict("moved", "", checks.Fail, result("tests", checks.Pass, ""), lint(3)),
		verdict("same", "", checks.Pass, pass("tests", "")),
		verdict("gone", "", checks.Pass, pass("tests", "")),
	)
	now := summary("now",
		verdict("mended", "", checks.Fail, result("tests", checks.Fail, "", broken("TestB"), broken("TestC"))),
		verdict("moved", "", checks.Fail, pass("tests", ""), lint(70)),
		verdict("same", "", checks.Pass, pass("tests", "")),
		verdict("new", "", checks.Pass, pass("tests", "")),
	)
	now.Since(old)
	require.Equal(t, []report.Change{
		{Exercise: "week01/mended", From: checks.Fail, To: checks.Fail, Mended: []string{"TestA"}, Broken: []string{"TestC"}},
		{Exercise: "week01/new", To: checks.Pass},
	}, now.Changes)
}

// A build that fails hides the tests. They are not mended by that, and when it
// works again they are not newly broken.
func TestSince_ComparesChecksThatRanBothTimes(t *testing.T) {
	built := summary("t", verdict("a", "", checks.Fail, pass("build", ""), result("tests", checks.Fail, "", broken("TestA"))))
	unbuilt := summary("t", verdict("a", "", checks.Fail,
		result("build", checks.Fail, "", checks.Finding{File: "a.go", Line: 1, Message: "undefined: x"}), result("tests", checks.NotRun, "")))

	unbuilt.Since(built)
	require.Equal(t, []report.Change{
		{Exercise: "week01/a", From: checks.Fail, To: checks.Fail, Broken: []string{"a.go: undefined: x"}},
	}, unbuilt.Changes)
	built.Since(unbuilt)
	require.Equal(t, []report.Change{
		{Exercise: "week01/a", From: checks.Fail, To: checks.Fail, Mended: []string{"a.go: undefined: x"}},
	}, built.Changes)
}

func TestSince_AFigureThatMovesIsNoNewRule(t *testing.T) {
	covered := func(message string) *report.Summary {
		r := result("coverage", checks.Fail, "", checks.Finding{Rule: "total", Message: message})
		r.Metrics = map[string]float64{"coverage_percent": 60}
		return summary("t", verdict("a", "", checks.Fail, r))
	}
	now := covered("61.0 % of the statements are covered, want 80 %")
	now.Since(covered("60.0 % of the statements are covered, want 80 %"))
	require.Empty(t, now.Changes)
	require.NotNil(t, now.Changes, "there was a last time")
}

func TestSinceStatuses_TakesAnUnknownStatusForNone(t *testing.T) {
	s := again()
	s.SinceStatuses(map[string]checks.Status{
		"week01/pipeline": checks.Pass, "m03a": "## excellent", "m01a": checks.Pass, "m01b": checks.Pass, "m02a": checks.Pass, "m02b": checks.Rejected, "m02c": checks.Fail,
	})
	require.Equal(t, []report.Change{
		{Exercise: "m03a", To: checks.Pass},
		{Exercise: "m01a", From: checks.Pass, To: checks.Fail},
	}, s.Changes)
}
