package watch

import (
	"math/rand/v2"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
)

// text is the screen without colours and without spaces at the ends of lines.
func (tm *terminal) text() string {
	lines := strings.Split(ansi.Strip(tm.m.View().Content), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// showing returns a terminal of the given size in the middle of a week: one
// exercise fails, one is graded again, one passes.
func showing(t *testing.T, width, height int) *terminal {
	t.Helper()
	tm := open(t)
	tm.deliver(failing("aliasing", "TestBatches_AppendDoesNotReachNeighbour", "TestWithTag_ParentUntouched", "TestWithTag_SiblingsDiverge"))
	tm.deliver(failing("escape", "TestAll_ZeroAlloc"))
	tm.deliver(passing("handles"))
	tm.send(changeMsg{touched: []string{"week01/aliasing", "week01/escape"}})
	tm.deliver(tm.m.rows[0].verdict)
	tm.send(tea.WindowSizeMsg{Width: width, Height: height})
	return tm
}

func TestView_Wide(t *testing.T) {
	require.Equal(t, `Week 1: Values, aliasing, lifetimes                                                                          1 of 3 done
▸ ✗ aliasing  The title of aliasing                                                                           3 findings
  … escape    The title of escape                                                                                grading
  ✓ handles   The title of handles
── aliasing: finding 1 of 3 ────────────────────────────────────────────────────────────────────────────────────────────
Batches: append does not reach neighbour
TestBatches_AppendDoesNotReachNeighbour  module1/week01/aliasing/aliasing_test.go:27
   do: b := Batches(tasks, 2)
       _ = append(b[0], Task{ID: 99})
  got: 99
 want: 3
  why: The batches share one array. A batch that has spare capacity lets append write into the next one.

A belief that leads here: a sub-slice ends at its length.
hint: make hint-week-01-aliasing

then
  WithTag: parent untouched
  WithTag: siblings diverge



n next   h hint   r rerun   q quit
`, showing(t, 120, 23).text())
}

func TestView_Narrow(t *testing.T) {
	require.Equal(t, `Week 1: Values, aliasing, l… 1 of 3 done
▸ ✗ aliasing  The title of a… 3 findings
  … escape    The title of esca… grading
  ✓ handles   The title of handles
── aliasing: finding 1 of 3 ───── ↓10 ──
Batches: append does not reach neighbour
TestBatches_AppendDoesNotReachNeighbour
module1/week01/aliasing/aliasing_test.go
:27
   do: b := Batches(tasks, 2)
       _ = append(b[0], Task{ID: 99})
  got: 99
 want: 3
  why: The batches share one array. A
       batch that has spare capacity
n next h hint r rerun ↑↓ scroll q quit
`, showing(t, 40, 16).text())
}

func TestView_LowWindowKeepsTheFinding(t *testing.T) {
	require.Equal(t, `▸ ✗ aliasing  The title of aliasing               3 findings
── aliasing: finding 1 of 3 ───────────────────────── ↓11 ──
Batches: append does not reach neighbour
TestBatches_AppendDoesNotReachNeighbour
module1/week01/aliasing/aliasing_test.go:27
   do: b := Batches(tasks, 2)
       _ = append(b[0], Task{ID: 99})
n next   h hint   r rerun   ↑↓ scroll   q quit
`, showing(t, 60, 8).text())
	require.Equal(t, "Batches: append does not reach neighbour\n", showing(t, 60, 1).text())
}

func TestView_FitsEveryWindow(t *testing.T) {
	tm := showing(t, 0, 0)
	require.Equal(t, "\n", tm.text(), "no size is known yet")
	tm.press('h')
	for width := 1; width <= 121; width += 3 {
		for height := 1; height <= 31; height += 2 {
			tm.send(tea.WindowSizeMsg{Width: width, Height: height})
			lines := tm.m.screen()
			require.LessOrEqual(t, len(lines), height, "at %dx%d", width, height)
			for _, line := range lines {
				require.LessOrEqual(t, ansi.StringWidth(line), width, "at %dx%d: %q", width, height, line)
			}
		}
	}
}

func TestView_WeekThatPasses(t *testing.T) {
	tm := open(t)
	tm.m.nextStep = "The project step of this week: make milestone-m01a"
	for _, slug := range exerciseNames {
		tm.deliver(passing(slug))
	}
	require.Contains(t, tm.text(), "3 of 3 done")
	require.Contains(t, tm.text(), "Every exercise of the week passes.\n\nThe project step of this week: make milestone-m01a")
}

func TestView_TellsTheStatusesApart(t *testing.T) {
	finding := func(status checks.Status, f checks.Finding) checks.Result {
		return checks.Result{Check: f.Check, Status: status, Findings: []checks.Finding{f}}
	}
	for _, tc := range []struct {
		status    checks.Status
		untouched bool
		finding   checks.Finding
		row, body string
	}{
		{checks.Fail, false, checks.Finding{Check: "tests", Rule: "TestA_One", Message: "failed"}, "1 finding", "A: one"},
		{checks.Fail, true, checks.Finding{Check: "tests", Rule: "TestA_One", Message: "failed"}, "not started", "module1/week01/aliasing/README.md is where to begin"},
		{checks.Fail, false, checks.Finding{Check: "build", File: "aliasing.go", Line: 3, Message: "undefined: x"}, "1 finding", "aliasing.go:3: undefined: x\nThis blocks every other check"},
		{checks.Blocked, false, checks.Finding{Check: "modules", Message: "no network"}, "blocked", "modules: no network"},
		{checks.Rejected, false, checks.Finding{Check: "files", File: "aliasing.go", Message: "is a link"}, "rejected", "aliasing.go: is a link"},
	} {
		tm := open(t)
		v := failing("aliasing")
		v.Status, v.Untouched, v.Checks = tc.status, tc.untouched, []checks.Result{finding(tc.status, tc.finding)}
		tm.deliver(v)
		require.Contains(t, ansi.Strip(tm.m.rowLine(0)), tc.row)
		require.Contains(t, tm.text(), tc.body)
	}
}

func TestWrap_HangsUnderTheLabel(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		width    int
		want     []string
	}{
		{"fits", "  got: 1", 8, []string{"  got: 1"}},
		{"label", "  why: one two three", 15, []string{"  why: one two", "       three"}},
		{"narrow", "  why: one two three", 12, []string{"why: one two", "three"}},
		{"code", "       if a { b() }", 16, []string{"       if a {", "       b() }"}},
		{"long word", "  got: aaaaaaaaaaaa", 15, []string{"  got: aaaaaaaa", "       aaaa"}},
		{"no room for the indent", "       aa bb cc", 7, []string{"aa bb", "cc"}},
		{"no width", "abc", 1, []string{"a", "b", "c"}},
		{"hyphen at the edge", "a--a b", 3, []string{"a--", "a b"}},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.want, wrap(tc.in, tc.width)) })
	}
}

func TestWrap_KeepsTheStyleOfEveryLine(t *testing.T) {
	lines := wrap(red.Render("one two"), 4)
	require.Equal(t, []string{red.Render("one"), red.Render("two")}, lines)
}

func TestWrap_IsNeverWiderThanAsked(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("ab  :-/世é")
	for range 20_000 {
		line := make([]rune, random.IntN(40))
		for i := range line {
			line[i] = alphabet[random.IntN(len(alphabet))]
		}
		width := 2 + random.IntN(30) // in a single column no 世 fits
		for _, piece := range wrap(string(line), width) {
			require.LessOrEqual(t, ansi.StringWidth(piece), width, "%q at width %d gives %q", string(line), width, piece)
		}
	}
}
