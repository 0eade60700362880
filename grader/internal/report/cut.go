package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/printable"
)

// Limits of the JSON report, in characters. The schema has them too.
const (
	lineLimit     = 2000
	textLimit     = 16000
	findingsLimit = 100
)

// limits bound what a report says of one check.
type limits struct{ findings, line, text int }

// What the formats beside JSON show.
var (
	shown     = limits{findings: 1000, line: lineLimit, text: textLimit}
	commented = limits{findings: 1000, line: 500, text: 6000}
)

// cuts are tried in this order until a report is small enough.
var cuts = []limits{
	{findingsLimit, lineLimit, textLimit},
	{50, 1000, 4000},
	{20, 500, 1000},
	{5, 200, 500},
	{1, 100, 200},
}

// cut returns a copy of s within the limits. All its text is printable.
func (s *Summary) cut(l limits) *Summary {
	c := *s
	c.Title = l.oneLine(s.Title)
	c.Verdicts = make([]*grade.Verdict, len(s.Verdicts))
	for i, v := range s.Verdicts {
		c.Verdicts[i] = l.verdict(v)
	}
	c.Earlier = slices.Clone(s.Earlier)
	for i := range c.Earlier {
		c.Earlier[i].Verdict = l.verdict(c.Earlier[i].Verdict)
	}
	c.Changes = slices.Clone(s.Changes)
	for i := range c.Changes {
		c.Changes[i].Mended = l.lines(c.Changes[i].Mended)
		c.Changes[i].Broken = l.lines(c.Changes[i].Broken)
	}
	return &c
}

func (l limits) verdict(v *grade.Verdict) *grade.Verdict {
	c := *v
	c.Title, c.Sandbox, c.Go = l.oneLine(v.Title), l.oneLine(v.Sandbox), l.oneLine(v.Go)
	c.Lacks = l.lines(v.Lacks)
	c.Checks = slices.Clone(v.Checks)
	for i := range c.Checks {
		c.Checks[i] = l.result(c.Checks[i])
	}
	return &c
}

func (l limits) result(r checks.Result) checks.Result {
	r.Summary = l.oneLine(r.Summary)
	if more := len(r.Findings) - l.findings; more > 0 {
		r.Omitted += more
		r.Findings = r.Findings[:l.findings]
	}
	r.Findings = l.all(r.Findings)
	r.Metrics = maps.Clone(r.Metrics)
	maps.DeleteFunc(r.Metrics, func(_ string, v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	return r
}

func (l limits) all(list []checks.Finding) []checks.Finding {
	list = slices.Clone(list)
	for i := range list {
		list[i] = l.finding(list[i])
	}
	return list
}

func (l limits) finding(f checks.Finding) checks.Finding {
	f.Rule, f.File, f.Message = l.oneLine(f.Rule), l.oneLine(f.File), l.oneLine(f.Message)
	f.Misconception = l.oneLine(f.Misconception)
	f.Detail = shortened(printable.Text(f.Detail), l.text)
	return f
}

func (l limits) lines(list []string) []string {
	list = slices.Clone(list[:min(len(list), l.findings)])
	for i := range list {
		list[i] = l.oneLine(list[i])
	}
	return list
}

func (l limits) oneLine(s string) string {
	return shortened(strings.ReplaceAll(printable.Text(s), "\n", " "), l.line)
}

// shortened returns s in at most limit characters, of which the last ones say
// how much is missing.
func shortened(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n := utf8.RuneCountInString(s)
	if n <= limit {
		return s
	}
	const room = 40 // for the note
	runes := []rune(s)
	return fmt.Sprintf("%s (and %d more characters)", string(runes[:limit-room]), n-limit+room)
}
