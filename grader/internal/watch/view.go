package watch

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/report"
)

var (
	green  = lipgloss.NewStyle().Foreground(lipgloss.Green)
	red    = lipgloss.NewStyle().Foreground(lipgloss.Red)
	yellow = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	bold   = lipgloss.NewStyle().Bold(true)
	faint  = lipgloss.NewStyle().Faint(true)
)

// View draws the whole window: the week, a rule, as much of the current
// exercise as fits, and the keys.
func (m model) View() tea.View {
	v := tea.NewView(strings.Join(m.screen(), "\n"))
	v.AltScreen = true
	return v
}

// Windows that are lower than this show nothing but the current exercise.
const (
	heightForFrame = 6
	roomBesideWeek = 8 // lines for the exercise that the list of the week leaves
)

// screen returns at most as many lines as the window has, none wider than it.
func (m model) screen() []string {
	if m.width <= 0 || m.height <= 0 {
		return nil
	}
	body, room := m.body(), m.room()
	shown := body[min(m.offset, len(body)):min(m.offset+room, len(body))]
	if m.height < heightForFrame {
		return shown
	}
	lines := append(m.week(), m.rule())
	lines = append(lines, shown...)
	lines = append(lines, make([]string, room-len(shown))...)
	return append(lines, m.keys())
}

// room is the number of lines for the current exercise.
func (m model) room() int {
	if m.height < heightForFrame {
		return max(m.height, 1)
	}
	return m.height - len(m.week()) - 2
}

// lastOffset is the offset at which the last line is on the screen.
func (m model) lastOffset() int { return max(len(m.body())-m.room(), 0) }

// week is a line an exercise, or in a low window only that of the current one.
func (m model) week() []string {
	if m.height-len(m.rows)-3 < roomBesideWeek && len(m.rows) > 0 {
		return []string{m.rowLine(m.current)}
	}
	passed := 0
	for _, r := range m.rows {
		if r.passed() {
			passed++
		}
	}
	lines := []string{m.spread(bold.Render(m.title), fmt.Sprintf("%d of %d done", passed, len(m.rows)), " ")}
	for i := range m.rows {
		lines = append(lines, m.rowLine(i))
	}
	return lines
}

func (m model) rowLine(i int) string {
	width := 0
	for _, r := range m.rows {
		width = max(width, len(r.ex.Slug))
	}
	r := m.rows[i]
	pointer, name := "  ", fmt.Sprintf("%-*s", width, r.ex.Slug)
	if i == m.current {
		pointer, name = "▸ ", bold.Render(name)
	}
	return m.spread(pointer+r.mark()+" "+name+"  "+r.ex.Title, r.state(), " ")
}

func (r row) mark() string {
	switch {
	case r.grading:
		return yellow.Render("…")
	case r.err != nil:
		return report.Mark(checks.Blocked)
	default:
		return report.Mark(r.verdict.Status)
	}
}

func (r row) state() string {
	switch {
	case r.grading:
		return "grading"
	case r.err != nil:
		return "not graded"
	case r.passed():
		return ""
	case r.verdict.Status != checks.Fail:
		return string(r.verdict.Status)
	case r.verdict.Untouched:
		return "not started"
	}
	if n := len(r.failing()); n != 1 {
		return fmt.Sprintf("%d findings", n)
	}
	return "1 finding"
}

// rule divides the week from its current exercise and says how many lines of
// that are above and below the window.
func (m model) rule() string {
	left, right := "──", ""
	if m.current < len(m.rows) {
		r := m.rows[m.current]
		left += " " + r.ex.Slug
		if n := len(r.failing()); n > 1 {
			left += fmt.Sprintf(": finding %d of %d", m.finding+1, n)
		}
		left += " "
	}
	if m.offset > 0 {
		right += fmt.Sprintf(" ↑%d", m.offset)
	}
	if below := m.lastOffset() - m.offset; below > 0 {
		right += fmt.Sprintf(" ↓%d", below)
	}
	if right != "" {
		right += " "
	}
	return m.spread(faint.Render(left), right+"──", "─")
}

// keys is the last line of the screen.
func (m model) keys() string {
	keys := [][2]string{{"n", "next"}, {"h", "hint"}, {"r", "rerun"}, {"q", "quit"}}
	if m.lastOffset() > 0 {
		keys = slices.Insert(keys, 3, [2]string{"↑↓", "scroll"})
	}
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = bold.Render(k[0]) + faint.Render(" "+k[1])
	}
	line := strings.Join(parts, "   ")
	if ansi.StringWidth(line) > m.width {
		line = strings.Join(parts, " ")
	}
	return ansi.Truncate(line, m.width, "")
}

// spread puts left and right at the ends of a line as wide as the window. Where
// both do not fit, left gives way.
func (m model) spread(left, right, fill string) string {
	right = faint.Render(ansi.Truncate(right, m.width, ""))
	left = ansi.Truncate(left, max(m.width-ansi.StringWidth(right)-1, 0), "…")
	gap := m.width - ansi.StringWidth(left) - ansi.StringWidth(right)
	return left + faint.Render(strings.Repeat(fill, gap)) + right
}
