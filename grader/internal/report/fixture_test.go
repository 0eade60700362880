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
