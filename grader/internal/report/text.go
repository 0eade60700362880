package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
)

// Colours of the terminal's own palette, so that they fit its theme.
var (
	green  = lipgloss.NewStyle().Foreground(lipgloss.Green)
	red    = lipgloss.NewStyle().Foreground(lipgloss.Red)
	yellow = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	bold   = lipgloss.NewStyle().Bold(true)
	faint  = lipgloss.NewStyle().Faint(true)
)

// Mark returns the sign of a status.
func Mark(s checks.Status) string {
	switch s {
	case checks.Pass:
		return green.Render("✓")
	case checks.Blocked, checks.Unproven:
		return yellow.Render("?")
	case checks.NotRun:
		return faint.Render("·")
	default:
		return red.Render("✗")
	}
}

func (s *Summary) writeText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", bold.Render(s.Title))
	width := 0
	for _, v := range s.Verdicts {
		width = max(width, len(slug(v)))
	}
	for _, v := range s.Verdicts {
		b.WriteByte('\n')
		s.textVerdict(&b, v, width)
	}
	s.textEarlier(&b)
	b.WriteByte('\n')
	if note := s.practice(); note != "" {
		fmt.Fprintf(&b, "%s\n", faint.Render(note))
	}
	s.textFooter(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *Summary) textVerdict(b *strings.Builder, v *grade.Verdict, width int) {
	name := bold.Render(slug(v)) + strings.Repeat(" ", width-len(slug(v)))
	fmt.Fprintf(b, "%s %s  %s\n", Mark(v.Status), name, v.Title)
	s.textStatus(b, v)
	if findings := failing(v); v.Status != checks.Pass && len(findings) > 0 {
		s.textFinding(b, v, findings[0])
		s.textRest(b, findings[1:])
	}
}

// textStatus shows what a reader has to know before the findings.
func (s *Summary) textStatus(b *strings.Builder, v *grade.Verdict) {
	switch v.Status {
	case checks.Pass:
		fmt.Fprintf(b, "    %s\n", faint.Render(passedChecks(v)))
		for _, f := range stretch(v) {
			fmt.Fprintf(b, "    %s for distinction, not yet: %s\n", yellow.Render("☆"), Rule(f.Rule))
		}
		return
	case checks.Rejected:
		fmt.Fprintf(b, "    %s\n", red.Render("rejected: the submission breaks the rules of the exercise"))
	case checks.Blocked:
		fmt.Fprintf(b, "    %s\n", yellow.Render("blocked: this machine lacks something; see make doctor"))
	}
	if v.Untouched {
		fmt.Fprintf(b, "    %s\n", faint.Render("not started"+s.whereToBegin(v)))
	}
}

// whereToBegin names the task of v, of which a report that was read knows nothing.
func (s *Summary) whereToBegin(v *grade.Verdict) string {
	if v.Ex == nil {
		return ""
	}
	return ": " + s.Path(v.Ex.Readme()) + " is where to begin"
}

// detailLines is how much of one finding's detail is shown.
const detailLines = 24

// textFinding shows the finding to work on now, in full.
func (s *Summary) textFinding(b *strings.Builder, v *grade.Verdict, f checks.Finding) {
	fmt.Fprintf(b, "\n    %s\n", red.Render(s.headline(f)))
	s.textBody(b, v, f)
}

// textBody shows what a finding says below its headline.
func (s *Summary) textBody(b *strings.Builder, v *grade.Verdict, f checks.Finding) {
	if isTest(f) {
		where := f.Rule
		if p := s.position(f); p != "" {
			where += "  " + p
		}
		fmt.Fprintf(b, "    %s\n", faint.Render(where))
		if f.Message != "failed" {
			fmt.Fprintf(b, "    %s\n", f.Message)
		}
	}
	lines := strings.Split(f.Detail, "\n")
	for i, line := range lines {
		if i == detailLines {
			fmt.Fprintf(b, "    %s\n", faint.Render(fmt.Sprintf("(%d more lines)", len(lines)-i)))
			break
		}
		if line != "" {
			fmt.Fprintf(b, "    %s\n", line)
		}
	}
	if f.Check == "build" {
		fmt.Fprintf(b, "    This blocks every other check of %s.\n", v.Exercise)
	}
	if f.Misconception != "" {
		fmt.Fprintf(b, "\n    A belief that leads here: %s.\n", f.Misconception)
	}
	if isTest(f) || f.Check == "mutants" {
		fmt.Fprintf(b, "    hint: %s\n", bold.Render(hintCommand(v)))
	}
}

func isTest(f checks.Finding) bool {
	return (f.Check == "tests" || f.Check == "allocs" || f.Check == "interleave") && (strings.HasPrefix(f.Rule, "Test") || strings.HasPrefix(f.Rule, "Fuzz"))
}

// restLines is how many further findings are listed by name.
const restLines = 12

func (s *Summary) textRest(b *strings.Builder, rest []checks.Finding) {
	if len(rest) == 0 {
		return
	}
	fmt.Fprintf(b, "\n    %s\n", faint.Render("then"))
	lines := s.restHeadlines(rest)
	for i, line := range lines {
		if i == restLines {
			fmt.Fprintf(b, "      %s\n", faint.Render(fmt.Sprintf("and %d more", len(lines)-i)))
			return
		}
		fmt.Fprintf(b, "      %s\n", line)
	}
}

// restHeadlines names findings in a line each; the subtests of one test share
// a line.
func (s *Summary) restHeadlines(rest []checks.Finding) []string {
	var lines []string
	last := ""
	for _, f := range rest {
		top, _, isSub := strings.Cut(f.Rule, "/")
		if !isTest(f) || !isSub {
			lines, last = append(lines, s.headline(f)), ""
			continue
		}
		if top != last {
			lines, last = append(lines, Rule(top)), top
		}
	}
	return lines
}

func (s *Summary) textFooter(b *strings.Builder) {
	passed := 0
	var next *grade.Verdict
	cached := true
	for _, v := range s.Verdicts {
		cached = cached && v.Cached
		if v.Status == checks.Pass {
			passed++
		} else if next == nil {
			next = v
		}
	}
	for _, e := range s.Earlier {
		cached = cached && e.Cached
	}
	took := s.Elapsed.Round(10 * time.Millisecond).String()
	if cached {
		took += ", nothing changed"
	}
	fmt.Fprintf(b, "%d of %d done (%s).", passed, len(s.Verdicts), took)
	switch broken := s.broken(); {
	case len(broken) > 0:
		fmt.Fprintf(b, " First mend %s: a milestone never breaks an earlier one.\n", strings.Join(broken, ", "))
	case next != nil && next.Untouched && next.Ex != nil:
		fmt.Fprintf(b, " Start with %s.\n", s.Path(next.Ex.Readme()))
	case next != nil:
		fmt.Fprintf(b, " Continue with %s.\n", slug(next))
	case s.NextStep != "":
		fmt.Fprintf(b, " %s\n", s.NextStep)
	default:
		b.WriteByte('\n')
	}
}
