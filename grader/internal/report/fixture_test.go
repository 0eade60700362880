package report_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/report"
)

func verdict(slug, title string, status checks.Status, results ...checks.Result) *grade.Verdict {
	return &grade.Verdict{
		Exercise: "week01/" + slug, Title: title, Status: status, Checks: results,
		Sandbox: "rlimits", Go: "go1.26.8", At: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Elapsed: 1200 * time.Millisecond,
		Ex: &course.Exercise{Week: 1, Slug: slug, Dir: "module1/week01/" + slug, Module: "module1"},
	}
}

func result(check string, status checks.Status, summary string, findings ...checks.Finding) checks.Result {
	for i := range findings {
		findings[i].Check = check
	}
	return checks.Result{Check: check, Status: status, Summary: summary, Findings: findings, Elapsed: 300 * time.Millisecond}
}

func pass(check, summary string) checks.Result { return result(check, checks.Pass, summary) }

func summary(title string, verdicts ...*grade.Verdict) *report.Summary {
	return report.NewSummary(title, verdicts, 2345*time.Millisecond)
}

// mixed is a week with one exercise of every kind of verdict.
func mixed() *report.Summary {
	failed := result("tests", checks.Fail, "13 tests, 41 subtests",
		checks.Finding{
			Rule: "TestBatches_AppendDoesNotReachNeighbour", File: "module1/week01/aliasing/aliasing_test.go", Line: 27,
			Message: "failed", Detail: "   do: b := Batches(tasks, 2)\n       _ = append(b[0], Task{ID: 99})\n  got: 99\n want: 3\n  why: The batches share one array.",
			Misconception: "a sub-slice ends at its length", Hint: 2,
		},
		checks.Finding{Rule: "TestWithTag_SiblingsDiverge/three_tags", Message: "panic: runtime error: index out of range [3] with length 3", Detail: "at aliasing.go:31 in WithTag"},
		checks.Finding{Rule: "TestWithTag_SiblingsDiverge/four_tags", Message: "failed", File: "module1/week01/aliasing/aliasing_test.go", Line: 40},
		checks.Finding{Rule: "TestWithTag_AllocatesOnce", Message: "failed", Stretch: true},
	)
	for i := range 15 {
		failed.Findings = append(failed.Findings, checks.Finding{Check: "tests", Rule: fmt.Sprintf("TestQueue_Rule%d", i), Message: "failed"})
	}
	s := summary("Week 1: Values, aliasing, lifetimes",
		verdict("aliasing", "Who shares this memory?", checks.Fail, pass("files", ""), pass("policy", ""), pass("build", ""), failed,
			result("race", checks.Fail, "", checks.Finding{Rule: "race", Message: "data race"}),
			result("lint", checks.NotRun, "")),
		verdict("escape", "Off the heap", checks.Fail, pass("files", ""), pass("policy", ""),
			result("build", checks.Fail, "", checks.Finding{File: "module1/week01/escape/escape.go", Line: 12, Message: "undefined: x"})),
		verdict("handles", "Handles that know they are stale", checks.Pass, pass("files", ""), pass("policy", ""), pass("build", ""),
			pass("race", ""), pass("leak", ""),
			result("tests", checks.Pass, "9 tests, 1 subtest", checks.Finding{Rule: "TestArena_ZeroAlloc", Message: "failed", Stretch: true}),
			pass("coverage", "91.3 %"),
			result("bench", checks.Unproven, "1.49x the baseline's speed [1.30, 1.72], want 1.50x")),
		verdict("zerocopy", "A parser that borrows", checks.Rejected, pass("files", ""),
			result("policy", checks.Rejected, "", checks.Finding{
				Rule: "import", File: "module1/week01/zerocopy/zerocopy.go", Line: 4,
				Message: `import "unsafe" is not allowed in this exercise; its README lists what is`,
			})),
		verdict("cpu", "Counting", checks.Blocked, pass("files", ""),
			result("race", checks.Blocked, "", checks.Finding{Message: "the race detector needs a C compiler; grader doctor says how to install one"})),
		verdict("suite", "Tests that find something", checks.Fail, pass("files", ""),
			result("mutants", checks.Fail, "5 of 9 killed", checks.Finding{
				Rule: course.RuleKillsMutants, File: "module1/week01/suite/suite_test.go",
				Message: "the suite finds 5 of 9 broken variants, want 7", Detail: "It passes on:\n  code that loses the last element",
				Misconception: "one case is a test",
			})),
	)
	s.Path = func(p string) string { return strings.TrimPrefix(p, "module1/") }
	return s
}

// passed is a week with nothing left to do.
func passed() *report.Summary {
	s := summary("Week 1: Lifetimes",
		verdict("weakcache", "A cache that lets go", checks.Pass, pass("files", ""), pass("tests", "12 tests"), pass("race", ""), pass("lint", "")),
		verdict("a", "Short", checks.Pass, pass("tests", "1 test")),
	)
	for _, v := range s.Verdicts {
		v.Cached = true
	}
	s.NextStep = "The project step of this week: make milestone-m01a"
	return s
}

// untouched is an exercise that nobody has started.
func untouched() *report.Summary {
	v := verdict("weakcache", "A cache that lets go", checks.Fail, pass("build", ""),
		result("tests", checks.Fail, "12 tests", checks.Finding{Rule: "TestCache_Get", Message: "panic: not implemented", TimedOut: true}))
	v.Untouched = true
	return summary("week01/weakcache: A cache that lets go", v)
}

// again is a week whose milestone passes and breaks an earlier one.
func again() *report.Summary {
	milestone := func(slug string, status checks.Status, results ...checks.Result) *grade.Verdict {
		v := verdict(slug, "The milestone "+slug, status, results...)
		v.Exercise, v.Ex = slug, &course.Exercise{Week: 1, Slug: slug, Kind: course.Project, Dir: "tasktracker/milestones/" + slug, Module: "tasktracker"}
		return v
	}
	broken := result("tests", checks.Fail, "12 tests",
		checks.Finding{
			Rule: "TestTransitionMatrix", File: "tasktracker/domain/m01a_test.go", Line: 80, Message: "failed",
			Detail: "  got: nil\n want: ErrConflict", Misconception: "a status without a row has no limits", Hint: 3,
		},
		checks.Finding{Rule: "TestTitleRules", Message: "failed"})
	s := summary("Week 5: Goroutines",
		verdict("pipeline", "A pipeline", checks.Pass, pass("tests", "9 tests"), pass("race", "")),
		milestone("m03a", checks.Pass, pass("tests", "11 tests"), pass("layers", "4 rules")))
	s.AddEarlier(
		report.Earlier{Verdict: milestone("m01a", checks.Fail, broken), PassedBefore: true},
		report.Earlier{Verdict: milestone("m01b", checks.Pass, pass("tests", "12 tests")), PassedBefore: true},
		report.Earlier{Verdict: milestone("m02a", checks.Pass, pass("tests", "8 tests")), PassedBefore: true},
		report.Earlier{Verdict: milestone("m02b", checks.Rejected, result("files", checks.Rejected, "", checks.Finding{
			File: "tasktracker/app", Message: "is a link"})), PassedBefore: true},
		report.Earlier{Verdict: milestone("m02c", checks.Fail, broken)},
	)
	return s
}

// everything is a summary with every field of a report in it.
func everything() *report.Summary {
	s := again()
	v := s.Verdicts[0]
	v.Week, v.Lacks, v.Untouched, v.Cached = 5, []string{"Landlock", "a network namespace"}, true, true
	v.Checks = append(v.Checks,
		result("bench", checks.Unproven, "1.49x the baseline's speed [1.30, 1.72], want 1.50x"),
		result("lint", checks.Pass, "", checks.Finding{Rule: "SA4006", File: "a.go", Line: 7, Message: "m", Detail: "d", Misconception: "b", Hint: 1, Stretch: true, TimedOut: true}))
	v.Checks[len(v.Checks)-2].Metrics = map[string]float64{"ratio": 1.49, "ratio_low": 1.3, "ratio_high": 1.72, "want": 1.5}
	v.Checks[len(v.Checks)-1].Omitted = 3
	s.Verdicts[1].Checks = append(s.Verdicts[1].Checks, pass("coverage", "81.4 %"))
	s.Verdicts[1].Checks[2].Metrics = map[string]float64{"coverage_percent": 81.4, "want": 70}
	s.HintsUsed = map[string]int{"week01/pipeline": 2, "m03a": 0}
	s.Changes = []report.Change{
		{Exercise: "week01/pipeline", From: checks.Fail, To: checks.Pass, Mended: []string{"TestPipeline_Stops", "module1/week01/pipeline/pipeline.go: unused (U1000)"}, Broken: []string{"TestPipeline_Closes"}},
		{Exercise: "m03a", To: checks.Pass},
	}
	return s
}
