package gradebook

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/middle-go/course/grader/internal/printable"
)

// costLines is how many exercises and misconceptions are listed.
const costLines = 10

func (b *Book) writeMarkdown(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "## Grade book, %s\n\n", b.Now.UTC().Format("2 January 2006"))
	b.markdownStudents(&out)
	b.markdownExercises(&out)
	b.markdownBeliefs(&out)
	_, err := io.WriteString(w, out.String())
	return err
}

func (b *Book) markdownStudents(out *strings.Builder) {
	exercises, weeks := b.Exercises(), b.Weeks()
	out.WriteString("| student |")
	for _, n := range weeks {
		fmt.Fprintf(out, " %d |", n)
	}
	fmt.Fprintf(out, " passed | last verdict | to ask about |\n|%s\n", strings.Repeat(" --- |", len(weeks)+4))
	for _, s := range b.Students {
		fmt.Fprintf(out, "| %s |", printable.Markdown(s.Name))
		for _, n := range weeks {
			fmt.Fprintf(out, " %s |", s.Standing(inWeek(exercises, n)).fraction())
		}
		sum := s.Standing(exercises)
		fmt.Fprintf(out, " %d of %d | %s | %s |\n", sum.Passed, sum.Of, sum.Last.UTC().Format(time.DateOnly), strings.Join(sum.Notes(b.Now), ", "))
	}
	out.WriteString("\nA column is a week: passed exercises and milestones, of how many. Empty means not started.\n")
}

// fraction is what a cell of a week shows.
func (s Standing) fraction() string {
	if !s.Started() {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Passed, s.Of)
}

func (b *Book) markdownExercises(out *strings.Builder) {
	list := b.ExerciseCosts()
	if len(list) == 0 {
		return
	}
	out.WriteString("\n### The exercises that cost most\n\n| exercise | stuck | started | failed verdicts | hints |\n| --- | --- | --- | --- | --- |\n")
	for _, c := range list[:min(len(list), costLines)] {
		fmt.Fprintf(out, "| %s: %s | %d | %d | %d | %d |\n", c.Exercise.ID(), printable.Markdown(c.Exercise.Title), c.Stuck, c.Started, c.Verdicts, c.Hints)
	}
}

func (b *Book) markdownBeliefs(out *strings.Builder) {
	list := b.BeliefCosts()
	if len(list) == 0 {
		return
	}
	out.WriteString("\n### The misconceptions that cost most\n\n| belief | exercise | students | stuck | failed verdicts |\n| --- | --- | --- | --- | --- |\n")
	for _, c := range list[:min(len(list), costLines)] {
		fmt.Fprintf(out, "| %s | %s | %d | %d | %d |\n", printable.Markdown(c.Belief), c.Exercise.ID(), c.Students, c.Stuck, c.Verdicts)
	}
	out.WriteString("\nA failed verdict counts for the belief that it names first.\n")
}
