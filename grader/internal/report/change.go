package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
)

// Change is what is different about an exercise from last time.
type Change struct {
	Exercise string        `json:"exercise"`
	From     checks.Status `json:"from,omitempty"` // empty for an exercise that was not graded then
	To       checks.Status `json:"to"`

	// Mended and Broken name the rules that were broken last time and are not
	// any more, and those that are broken now and were not. Both are empty when
	// only the status of last time is known.
	Mended []string `json:"mended,omitempty"`
	Broken []string `json:"broken,omitempty"`
}

// Since notes in s what is different from an older report.
func (s *Summary) Since(old *Summary) {
	before := map[string]*grade.Verdict{}
	for _, v := range old.all() {
		before[v.Exercise] = v
	}
	s.Changes = []Change{}
	for _, v := range s.all() {
		c := Change{Exercise: v.Exercise, To: v.Status}
		if o := before[v.Exercise]; o != nil {
			c.From = o.Status
			c.Mended, c.Broken = brokenOnlyIn(o, v), brokenOnlyIn(v, o)
		}
		s.note(c)
	}
}

// SinceStatuses notes in s what is different from the statuses of last time. An
// unknown status is taken for none.
func (s *Summary) SinceStatuses(before map[string]checks.Status) {
	s.Changes = []Change{}
	for _, v := range s.all() {
		c := Change{Exercise: v.Exercise, To: v.Status}
		if from := before[v.Exercise]; slices.Contains(decisions, from) {
			c.From = from
		}
		s.note(c)
	}
}

// decisions are the statuses of verdicts.
var decisions = []checks.Status{checks.Pass, checks.Fail, checks.Blocked, checks.Rejected}

func (s *Summary) note(c Change) {
	if c.From != c.To || len(c.Mended)+len(c.Broken) > 0 {
		s.Changes = append(s.Changes, c)
	}
}

// all returns every verdict, those on earlier milestones last.
func (s *Summary) all() []*grade.Verdict {
	list := slices.Clone(s.Verdicts)
	for _, e := range s.Earlier {
		list = append(list, e.Verdict)
	}
	return list
}

// brokenOnlyIn returns the rules that are broken in a and not in b. It looks at
// checks that ran for both: nobody knows of the others.
func brokenOnlyIn(a, b *grade.Verdict) []string {
	var list []string
	for _, was := range a.Checks {
		is, _ := b.Check(was.Check)
		if !ran(was) || !ran(is) || is.Omitted > 0 {
			continue
		}
		for _, rule := range brokenRules(was) {
			if !slices.Contains(brokenRules(is), rule) && !slices.Contains(list, rule) {
				list = append(list, rule)
			}
		}
	}
	return list
}

func ran(r checks.Result) bool {
	return r.Status != "" && r.Status != checks.NotRun && r.Status != checks.Blocked
}

// brokenRules names what a check found, in words that stay the same while the
// code around it moves.
func brokenRules(r checks.Result) []string {
	var list []string
	for _, f := range r.Findings {
		switch {
		case f.Stretch:
		case isTest(f):
			list = append(list, f.Rule)
		case f.File == "" || r.Metrics != nil: // the message of what is measured has a figure in it
			list = append(list, strings.TrimSpace(f.Check+" "+cmp.Or(f.Rule, f.Message)))
		default:
			list = append(list, f.File+": "+f.Message)
		}
	}
	return list
}
