package watch

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/middle-go/course/grader/internal/printable"
)

// body is everything there is to say of the current exercise, in lines that fit
// the window.
func (m model) body() []string {
	return m.lines(m.before(), m.hintPart(), m.after())
}

// hintLines returns the first line of the hint in the body, and the one after
// its last.
func (m model) hintLines() (first, last int) {
	last = len(m.lines(m.before(), m.hintPart()))
	return last - len(m.lines(m.hintPart())), last
}

// before is what stands above the hint: what is wrong with the watch itself,
// and the finding to work on.
func (m model) before() string {
	var parts []string
	if m.problem != nil {
		parts = append(parts, red.Render(printable.Text(m.problem.Error())))
	}
	if m.notice != nil {
		parts = append(parts, yellow.Render(printable.Text(m.notice.Error())))
	}
	if m.current >= len(m.rows) {
		return paragraphs(append(parts, "The week has no exercises.")...)
	}
	switch r := m.rows[m.current]; {
	case r.err != nil:
		parts = append(parts, yellow.Render("not graded: "+printable.Text(r.err.Error())), "Press r to try again.")
	case r.verdict == nil:
		parts = append(parts, faint.Render("grading "+r.ex.ID()))
	case r.passed() && m.allPassed():
		parts = append(parts, green.Render("Every exercise of the week passes."), m.nextStep, m.report.StatusText(r.verdict))
	default:
		parts = append(parts, m.report.StatusText(r.verdict))
		if list := r.failing(); len(list) > 0 {
			parts = append(parts, m.report.FindingText(r.verdict, list[m.finding]))
		}
	}
	return paragraphs(parts...)
}

func (m model) hintPart() string {
	if m.current >= len(m.rows) || m.rows[m.current].hint == nil {
		return ""
	}
	h := m.rows[m.current].hint
	text := yellow.Render(fmt.Sprintf("hint %d of %d", h.number, h.of)) + "\n" + h.text
	if h.again {
		text += "\n" + faint.Render("That was the last hint. Your mentor has more.")
	}
	return text
}

// after lists the findings that n shows next.
func (m model) after() string {
	if m.current >= len(m.rows) {
		return ""
	}
	r := m.rows[m.current]
	list := r.failing()
	if len(list) == 0 {
		return ""
	}
	return m.report.RestText(list[m.finding+1:])
}

func (m model) allPassed() bool {
	for _, r := range m.rows {
		if !r.passed() {
			return false
		}
	}
	return true
}

// lines wraps paragraphs to the window.
func (m model) lines(parts ...string) []string {
	text := paragraphs(parts...)
	if text == "" {
		return nil
	}
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, wrap(line, m.width)...)
	}
	return lines
}

// paragraphs joins what is not empty with an empty line between.
func paragraphs(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		if p == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(p)
	}
	return b.String()
}

// label matches the indent of a line and a label such as "  got: ".
var label = regexp.MustCompile(`^ *(?:[a-z]+: )?`)

// wrap breaks a line to the given width. What follows stands under the text
// behind the label; where that leaves too little room, nothing is indented.
func wrap(line string, width int) []string {
	if ansi.StringWidth(line) <= width {
		return []string{line}
	}
	hang := len(label.FindString(ansi.Strip(line)))
	if hang == 0 || 2*hang >= width {
		return pieces(strings.TrimLeft(line, " "), width)
	}
	lines := pieces(ansi.TruncateLeft(line, hang, ""), width-hang)
	for i := range lines {
		lines[i] = strings.Repeat(" ", hang) + lines[i]
	}
	lines[0] = ansi.Truncate(line, hang, "") + lines[0][hang:]
	return lines
}

// pieces breaks a line between words, and words that are too long. Every piece
// has the style of its part of the line.
func pieces(line string, width int) []string {
	broken := ansi.Hardwrap(ansi.Wrap(line, width, ""), width, true) // Wrap alone is off by one at some hyphens
	var b strings.Builder
	w := lipgloss.NewWrapWriter(&b)
	_, _ = io.WriteString(w, broken) // to memory
	_ = w.Close()
	return strings.Split(b.String(), "\n")
}
