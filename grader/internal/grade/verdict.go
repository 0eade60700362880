// Package grade runs the checks of an exercise in order and gives a verdict.
package grade

import (
	"cmp"
	"slices"
	"time"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
)

// Verdict is what the grader says of one exercise.
type Verdict struct {
	Exercise  string          `json:"exercise"` // such as week01/handles
	Week      int             `json:"week,omitempty"`
	Title     string          `json:"title"`
	Status    checks.Status   `json:"status"`
	Untouched bool            `json:"untouched,omitempty"` // the files are still the stub
	Checks    []checks.Result `json:"checks"`
	Sandbox   string          `json:"sandbox"`                 // what contained the submission
	Lacks     []string        `json:"sandbox_lacks,omitempty"` // what this machine could not contain it with
	Go        string          `json:"go"`
	At        time.Time       `json:"at"`
	Elapsed   time.Duration   `json:"elapsed_ns"`
	Cached    bool            `json:"cached,omitempty"`

	Ex *course.Exercise `json:"-"`
}

// Practice reports whether v is a practice verdict: the submission ran in less
// than the whole box.
func (v *Verdict) Practice() bool { return len(v.Lacks) > 0 }

// Findings returns the findings of all checks, in order.
func (v *Verdict) Findings() []checks.Finding {
	var all []checks.Finding
	for _, c := range v.Checks {
		all = append(all, c.Findings...)
	}
	return all
}

// Check returns the result of the named check.
func (v *Verdict) Check(name string) (checks.Result, bool) {
	i := slices.IndexFunc(v.Checks, func(r checks.Result) bool { return r.Check == name })
	if i < 0 {
		return checks.Result{}, false
	}
	return v.Checks[i], true
}

// weight orders statuses by what the exit code must say.
var weight = map[checks.Status]int{checks.Pass: 0, checks.Unproven: 0, checks.NotRun: 0, checks.Blocked: 1, checks.Fail: 2, checks.Rejected: 3}

// Worst returns the status that decides about several.
func Worst(statuses ...checks.Status) checks.Status {
	worst := checks.Pass
	for _, s := range statuses {
		if cmp.Compare(weight[s], weight[worst]) > 0 {
			worst = s
		}
	}
	return worst
}

// decide gives the verdict's status from its checks.
func (v *Verdict) decide() {
	v.Status = checks.Pass
	for _, c := range v.Checks {
		v.Status = Worst(v.Status, c.Status)
	}
}
