package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
)

// writeMarkdown writes a comment for a pull request. What has no room is counted
// at the end.
func (s *Summary) writeMarkdown(w io.Writer) error {
	p := &page{}
	p.add(fmt.Sprintf("## %s: %s\n\n", escape(s.Title), s.Status))
	if note := s.practice(); note != "" {
		p.add(fmt.Sprintf("**%s**\n\n", escape(note)))
	}
	s.markdownTable(p)
	s.markdownChanges(p)
	for _, v := range s.Verdicts {
		s.markdownFindings(p, v, v.Exercise)
	}
	for _, e := range s.Earlier {
		s.markdownFindings(p, e.Verdict, e.Exercise+" "+e.words())
	}
	s.markdownMeasured(p)
	_, err := io.WriteString(w, p.text())
	return err
}

func (s *Summary) markdownTable(p *page) {
	head, line := "| exercise | verdict | checks |", "| --- | --- | --- |"
	if s.HintsUsed != nil {
		head, line = head+" hints used |", line+" --- |"
	}
	p.add(head + "\n" + line + "\n")
	for _, v := range s.Verdicts {
		p.add(s.markdownRow(v, string(v.Status)))
	}
	for _, e := range s.Earlier {
		p.add(s.markdownRow(e.Verdict, fmt.Sprintf("%s (%s)", e.Status, e.words())))
	}
}

func (s *Summary) markdownRow(v *grade.Verdict, verdict string) string {
	list := passedChecks(v)
	if n := len(failing(v)); n > 0 {
		list = counted(n, "finding")
	}
	row := fmt.Sprintf("| %s | %s | %s |", escape(v.Exercise), verdict, escape(list))
	if s.HintsUsed != nil {
		row += fmt.Sprintf(" %d |", s.HintsUsed[v.Exercise])
	}
	return row + "\n"
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (s *Summary) markdownFindings(p *page, v *grade.Verdict, title string) {
	findings := failing(v)
	if len(findings) == 0 {
		return
	}
	if !p.add(fmt.Sprintf("\n### %s\n%s", escape(title), s.markdownFinding(v, findings[0]))) {
		p.left += len(findings)
		return
	}
	for i, f := range findings[1:] {
		line := fmt.Sprintf("- %s\n", escape(s.headline(f)))
		if i == 0 {
			line = "\nThen:\n\n" + line
		}
		if !p.add(line) {
			p.left += len(findings) - 1 - i
			return
		}
	}
}

func (s *Summary) markdownFinding(v *grade.Verdict, f checks.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n**%s**", escape(s.headline(f)))
	if isTest(f) {
		fmt.Fprintf(&b, " (`%s`)", codeSpecials.Replace(f.Rule))
		if p := s.position(f); p != "" {
			fmt.Fprintf(&b, " %s", escape(p))
		}
	}
	b.WriteString("\n")
	if isTest(f) && f.Message != "failed" {
		fmt.Fprintf(&b, "\n%s\n", escape(f.Message))
	}
	if f.Detail != "" {
		fence := strings.Repeat("`", max(3, longestRun(f.Detail, '`')+1))
		fmt.Fprintf(&b, "\n%stext\n%s\n%s\n", fence, f.Detail, fence)
	}
	if f.Misconception != "" {
		fmt.Fprintf(&b, "\nA belief that leads here: %s.\n", escape(f.Misconception))
	}
	if isTest(f) || f.Check == "mutants" {
		fmt.Fprintf(&b, "\nA hint: `%s`\n", codeSpecials.Replace(hintCommand(v)))
	}
	return b.String()
}

// markdownMeasured is a table of coverage and speed.
func (s *Summary) markdownMeasured(p *page) {
	var rows []string
	for _, v := range s.all() {
		if r, ok := v.Check("coverage"); ok && r.Metrics != nil {
			wanted := ""
			if want, ok := r.Metrics["want"]; ok {
				wanted = fmt.Sprintf("%.0f %% ", want)
			}
			rows = append(rows, fmt.Sprintf("| %s | coverage | %.1f %% | %s| %s |\n", escape(v.Exercise), r.Metrics["coverage_percent"], wanted, r.Status))
		}
		if r, ok := v.Check("bench"); ok && r.Metrics != nil {
			m := r.Metrics
			rows = append(rows, fmt.Sprintf("| %s | times as fast as the baseline | %.2f, 99 %% interval %.2f to %.2f | %.2f | %s |\n",
				escape(v.Exercise), m["ratio"], m["ratio_low"], m["ratio_high"], m["want"], r.Status))
		}
	}
	if len(rows) == 0 {
		return
	}
	p.add("\n### Measured\n\n| exercise | what | measured | wanted | result |\n| --- | --- | --- | --- | --- |\n" + strings.Join(rows, ""))
}
