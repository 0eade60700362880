package review

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/git"
	"github.com/middle-go/course/grader/internal/printable"
	"github.com/middle-go/course/grader/internal/report"
	"github.com/middle-go/course/grader/internal/similar"
)

// What the page has at most, of each kind.
const (
	mostLines    = 20
	mostPassages = 4
	mostQuoted   = 8 // lines of a passage
	longestLine  = 200
)

// WriteMarkdown writes the page for the mentor. What comes from the change is
// escaped; the checklists are the course's own.
func (r *Review) WriteMarkdown(w io.Writer) error {
	p := &page{}
	p.printf("# Review of %s\n\n", cmp.Or(title(r.Summary.Verdicts), "a change without exercises"))
	p.printf("Against %s. Verdict: **%s**.\n", printable.Markdown(r.Base), r.Summary.Status)
	p.protected(r.Touched)
	if len(r.Exercises) > 0 {
		p.printf("\n")
		if err := r.Summary.Write(&p.Buffer, report.Markdown); err != nil {
			return err
		}
	}
	if len(r.Later) > 0 {
		p.printf("\nAbout the same files, and not passed yet: %s.\n", strings.Join(r.Later, ", "))
	}
	for _, e := range r.Exercises {
		p.exercise(e)
	}
	for _, c := range r.Checklists {
		p.printf("\n## Week %d: what to look at together\n\n", c.Week)
		for _, item := range c.Items {
			p.printf("- [ ] %s\n", item)
		}
		if len(c.Questions) > 0 {
			p.printf("\nQuestions:\n\n")
		}
		for i, question := range c.Questions {
			p.printf("%d. %s\n", i+1, question)
		}
	}
	p.printf("\n---\n\n%s\n", limits)
	_, err := w.Write(p.Bytes())
	return err
}

var limits = fmt.Sprintf("What stands under a verdict is for your judgement and decides nothing. "+
	"Goroutines: a heuristic; an owner further away than the function and its types is not seen. "+
	"Copied: %.0f %% of the student's own tokens or more, in runs of 20 or more that also stand in the reference, whatever the names and the order; "+
	"code from `make catch-up` is the reference's and is found too.", 100*similar.Threshold)

// page is Markdown under construction.
type page struct{ bytes.Buffer }

func (p *page) printf(format string, args ...any) { fmt.Fprintf(&p.Buffer, format, args...) }

func (p *page) protected(t *Touched) {
	if len(t.Protected) > 0 {
		p.printf("\n## Files of the course were changed\n\nThe verdicts do not depend on them: they are taken from the base.\n\n")
		p.changes(t.Protected)
	}
	if len(t.Other) > 0 {
		p.printf("\nNew files outside of the exercises:\n\n")
		p.changes(t.Other)
	}
}

func (p *page) changes(list []git.Change) {
	list, more := first(list, mostLines)
	for _, c := range list {
		p.printf("- %s: %s\n", printable.Markdown(c.Path), c.Kind)
	}
	p.more(more)
}

// short returns the beginning of s. A line of a submission can be as long as a
// file.
func short(s string) string {
	if runes := []rune(s); len(runes) > longestLine {
		return string(runes[:longestLine]) + "..."
	}
	return s
}

// first returns at most n elements and how many are left.
func first[T any](list []T, n int) ([]T, int) {
	if len(list) <= n {
		return list, 0
	}
	return list[:n], len(list) - n
}

func (p *page) more(n int) {
	if n > 0 {
		p.printf("- and %d more\n", n)
	}
}

func (p *page) exercise(e *Exercise) {
	p.printf("\n## %s: %s\n", printable.Markdown(e.Verdict.Exercise), e.Verdict.Status)
	if len(e.Files) == 0 {
		p.printf("\nThe files could not be read.\n")
		return
	}
	p.copied(e)
	p.sizes(e.Files)
	p.declarations("Exported and not in the stub", e.API.Added)
	p.declarations("Exported by the stub and gone", e.API.Removed)
	lists := []struct {
		title string
		known bool
		notes []Note
	}{
		{"Lint", e.linted(), e.lint()},
		{"Unsafe, cgo, linkname and their like", true, e.Inventory},
		{"Goroutines without an owner nearby", e.Compiles, e.review("ownerless")},
		{"Dropped errors", e.Compiles, e.review("droppederr")},
	}
	var none, unknown []string
	for _, l := range lists {
		switch {
		case !l.known:
			unknown = append(unknown, strings.ToLower(l.title))
		case len(l.notes) == 0:
			none = append(none, strings.ToLower(l.title))
		default:
			p.notes(l.title, l.notes)
		}
	}
	if len(none) > 0 {
		p.printf("\nNone: %s.\n", strings.Join(none, "; "))
	}
	if len(unknown) > 0 {
		p.printf("\nNot known, because it does not compile or was refused: %s.\n", strings.Join(unknown, "; "))
	}
}

func (e *Exercise) linted() bool {
	result, ok := e.Verdict.Check("lint")
	return ok && result.Status != checks.NotRun
}

func (e *Exercise) lint() []Note {
	result, _ := e.Verdict.Check("lint")
	return notes(result.Findings)
}

// review returns what an analyzer found.
func (e *Exercise) review(analyzer string) []Note {
	var list []checks.Finding
	for _, f := range e.Review {
		if f.Rule == analyzer {
			list = append(list, f)
		}
	}
	return notes(list)
}

func notes(findings []checks.Finding) []Note {
	var list []Note
	for _, f := range findings {
		list = append(list, Note{f.File, f.Line, f.Message})
	}
	return list
}

func (p *page) copied(e *Exercise) {
	m := e.Copied
	switch {
	case m == nil:
		p.printf("\nCopied: not compared, the reference is not here; `--solutions` names it.\n")
	case m.Own < similar.Least:
		p.printf("\nCopied: too little code of its own to tell (%d tokens beside the stub).\n", m.Own)
	case !m.Copied():
		p.printf("\nCopied: no; %.0f %% of %d own tokens stand in the reference.\n", 100*m.Share(), m.Own)
	default:
		p.printf("\n**Copied: %.0f %% of %d own tokens stand in the reference.** Ask for an explanation of these lines", 100*m.Share(), m.Own)
		if k := e.Verdict.Ex.Kind; k == course.Fix || k == course.Optimise {
			p.printf("; code that mends given code has less room to differ")
		}
		p.printf(":\n")
		list, more := first(m.Passages, mostPassages)
		for _, passage := range list {
			p.printf("\n%s, as in the reference's %s (%d tokens)\n", span(passage.Here), span(passage.There), passage.Tokens)
			p.printf("\n%s", printable.Fenced("go", e.text(passage.Here)))
		}
		if more > 0 {
			p.printf("\nand %d more passages\n", more)
		}
	}
}

// text returns the first lines of a passage.
func (e *Exercise) text(s similar.Span) string {
	for _, f := range e.files {
		if f.Path == s.Path {
			all := lines(f.Content)
			list, more := first(all[s.First-1:min(s.Last, len(all))], mostQuoted)
			var text string
			for _, line := range list {
				text += short(string(line)) + "\n"
			}
			if more > 0 {
				text += "..."
			}
			return text
		}
	}
	return ""
}

func span(s similar.Span) string {
	return printable.Markdown(fmt.Sprintf("%s:%d-%d", path.Base(s.Path), s.First, s.Last))
}

func (p *page) sizes(list []File) {
	p.printf("\n| file | lines | against the stub |\n| --- | --- | --- |\n")
	list, more := first(list, mostLines)
	for _, f := range list {
		against := fmt.Sprintf("+%d -%d", f.Added, f.Removed)
		switch {
		case f.New:
			against = "new"
		case f.Added+f.Removed == 0:
			against = "unchanged"
		}
		p.printf("| %s | %d | %s |\n", printable.Markdown(f.Path), f.Lines, against)
	}
	if more > 0 {
		p.printf("| and %d more | | |\n", more)
	}
}

func (p *page) declarations(title string, list []string) {
	if len(list) == 0 {
		return
	}
	list, more := first(list, mostLines)
	var text strings.Builder
	for _, d := range list {
		fmt.Fprintln(&text, short(d))
	}
	p.printf("\n%s:\n\n%s", title, printable.Fenced("go", text.String()))
	if more > 0 {
		p.printf("\nand %d more\n", more)
	}
}

func (p *page) notes(title string, list []Note) {
	p.printf("\n%s:\n\n", title)
	list, more := first(list, mostLines)
	for _, n := range list {
		where := n.File
		if n.Line > 0 {
			where = fmt.Sprintf("%s:%d", n.File, n.Line)
		}
		p.printf("- %s %s\n", printable.Markdown(where), printable.Markdown(short(n.Text)))
	}
	p.more(more)
}
