package report

import (
	"strings"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
)

// The parts of the text report, for a program that lays them out itself. Each
// is a block of lines; a Summary needs its Path only.

// Failing returns the findings that make v fail, the one to work on first.
func Failing(v *grade.Verdict) []checks.Finding { return failing(v) }

// StatusText is what a reader of v has to know before its findings: what it
// passed, or that it is rejected, blocked or not started. It may be empty.
func (s *Summary) StatusText(v *grade.Verdict) string {
	return block(func(b *strings.Builder) { s.textStatus(b, v) })
}

// FindingText is a finding of v in full.
func (s *Summary) FindingText(v *grade.Verdict, f checks.Finding) string {
	return block(func(b *strings.Builder) { s.textFinding(b, v, shown.finding(f)) })
}

// RestText is the short list of the findings that come after another.
func (s *Summary) RestText(rest []checks.Finding) string {
	return block(func(b *strings.Builder) { s.textRest(b, shown.all(rest)) })
}

// block returns what write writes, without empty lines around it and without
// the margin of the report.
func block(write func(*strings.Builder)) string {
	var b strings.Builder
	write(&b)
	return strings.Trim(strings.ReplaceAll("\n"+b.String(), "\n    ", "\n"), "\n")
}
