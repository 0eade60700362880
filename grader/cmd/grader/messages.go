package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/report"
	"github.com/middle-go/course/grader/internal/verify"
)

// screen is how many lines a student sees without scrolling.
const screen = 24

// showMessages prints what a student reads first for every wrong solution. One
// mistake can break several rules, and then the first of them speaks. It fails
// if that one is a test that names no belief at all.
func showMessages(ctx context.Context, v *verify.Verifier, list []*course.Exercise) error {
	w := output()
	bar := newProgress(os.Stderr, len(list))
	var shown, exact int
	var silent []string
	for _, ex := range list {
		messages, err := v.Messages(ctx, ex)
		bar.clear()
		if err != nil {
			return &exitError{exitBlocked, fmt.Errorf("%s: %w", ex.ID(), err)}
		}
		for _, m := range messages {
			text, err := firstScreen(ex, m.Verdict)
			if err != nil {
				return err
			}
			shown++
			switch failing := report.Failing(m.Verdict); {
			case strings.Contains(oneLine(text), oneLine(m.Belief)):
				exact++
			case m.Verdict.Status == checks.Fail && (len(failing) == 0 || failing[0].Misconception == ""):
				silent = append(silent, ex.ID()+" "+m.Wrong.Name)
			}
			fmt.Fprintf(w, "=== %s %s: %s\n=== caught by %s\n%s\n\n", ex.ID(), m.Wrong.Name, m.Wrong.Belief, m.Wrong.CaughtBy, text)
		}
		bar.done(ex.ID())
	}
	bar.clear()
	fmt.Fprintf(w, "%d wrong solutions: on the first %d lines, %d read of their own misconception, %d of one nearby, %d of none\n",
		shown, screen, exact, shown-exact-len(silent), len(silent))
	for _, s := range silent {
		fmt.Fprintf(w, "    %s\n", s)
	}
	if len(silent) > 0 {
		return &exitError{code: exitFail}
	}
	return nil
}

func firstScreen(ex *course.Exercise, verdict *grade.Verdict) (string, error) {
	var b strings.Builder
	err := report.NewSummary(ex.ID()+": "+ex.Title, []*grade.Verdict{verdict}, verdict.Elapsed).Write(&b, report.Text)
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	return strings.Join(lines[:min(len(lines), screen)], "\n"), err
}

// oneLine undoes the line breaks of a report.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
