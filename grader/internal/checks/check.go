// Package checks holds the checks of a submission, one file each. A check gets
// a room with a work tree and gives findings; it knows no report and no other
// check.
package checks

import (
	"context"
	"strings"
	"time"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/printable"
)

// Status is the result of a check or of a whole verdict.
type Status string

// The statuses. They are never mixed: what could not be checked is not a pass,
// and what breaks the rules is not a failed attempt.
const (
	Pass     Status = "pass"
	Fail     Status = "fail"
	Blocked  Status = "blocked"  // the environment lacks something
	Rejected Status = "rejected" // the submission breaks the rules
	NotRun   Status = "not run"  // an earlier check decided
	Unproven Status = "unproven" // the benchmark's interval does not decide; neither pass nor fail
)

// Finding is one thing that a check has to say to the student.
type Finding struct {
	Check         string `json:"check"`
	Rule          string `json:"rule,omitempty"`          // the test, or the rule that broke
	File          string `json:"file,omitempty"`          // slash-separated, from the root of the tree
	Line          int    `json:"line,omitempty"`          // 0 if there is none
	Message       string `json:"message"`                 // one line
	Detail        string `json:"detail,omitempty"`        // reproduction, got, want, why
	Misconception string `json:"misconception,omitempty"` // the belief that leads here
	Hint          int    `json:"hint,omitempty"`          // the hint that helps, from 1
	Stretch       bool   `json:"stretch,omitempty"`       // for distinction, not needed to pass
	TimedOut      bool   `json:"timed_out,omitempty"`
}

// Result is what one check found.
type Result struct {
	Check    string             `json:"check"`
	Status   Status             `json:"status"`
	Summary  string             `json:"summary,omitempty"` // such as "13 tests, 41 subtests"
	Findings []Finding          `json:"findings,omitempty"`
	Omitted  int                `json:"omitted,omitempty"` // further findings that a report has left out
	Metrics  map[string]float64 `json:"metrics,omitempty"`
	Elapsed  time.Duration      `json:"elapsed_ns"`
}

// Check is one kind of examination.
type Check interface {
	// Name is a word for reports, such as "tests".
	Name() string
	// Applies reports whether the exercise asks for this check.
	Applies(ex *course.Exercise) bool
	// Needs names the checks that must have passed for this one to make sense.
	Needs() []string
	// Run examines the room. The error is for what is not the submission's
	// fault: a cancelled context, a full disk.
	Run(ctx context.Context, r *Room) (Result, error)
}

// All returns the checks in the order in which they run: first what makes the
// others possible, then what a student should mend first.
func All() []Check {
	return []Check{
		policyCheck{},
		buildCheck{},
		testsCheck{},
		raceCheck{},
		leakCheck{},
		allocsCheck{},
		escapesCheck{},
		interleaveCheck{},
		coverageCheck{},
		layersCheck{},
		limitsCheck{},
		mutantsCheck{},
		benchCheck{},
		formatCheck{},
		lintCheck{},
	}
}

// decide gives the result of a check from its findings: a failure unless all of
// them are about stretch tests.
func decide(check string, findings []Finding, summary string) Result {
	r := Result{Check: check, Status: Pass, Summary: summary, Findings: findings}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Check = check
		f.Rule, f.File, f.Message = oneLine(f.Rule), oneLine(f.File), oneLine(f.Message)
		f.Detail = printable.Text(f.Detail)
		if !f.Stretch {
			r.Status = Fail
		}
	}
	return r
}

func oneLine(s string) string { return strings.ReplaceAll(printable.Text(s), "\n", " ") }
