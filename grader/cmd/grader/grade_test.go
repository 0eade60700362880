package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWeek_StubGetsAReadableRedVerdict(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)

	r := c.grader(t, "week", "1")

	r.shows(t, 1,
		"Week 1: Values, aliasing, lifetimes\n\n✗ aliasing  Who shares this memory?\n",
		"not started: "+dir+"README.md is where to begin\n",
		"\n    Batches: append does not reach neighbour\n    TestBatches_AppendDoesNotReachNeighbour  "+dir+"aliasing_test.go:",
		"\n       do: tasks := []Task{",
		"\n      got: 99\n     want: 3\n      why: The batches share one array.",
		"\n    hint: make hint-week-01-aliasing\n",
		"\n    then\n      WithTag: parent untouched\n      WithTag: siblings diverge\n",
		"\n0 of 1 done (",
		"). Start with "+dir+"README.md.\n",
	)
	require.NotContains(t, r.stdout, "\x1b", "colours are for terminals")
	require.NotContains(t, r.stdout, c.cache, "paths are the student's own")
}

func TestWeek_ReferencePasses(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.grader(t, "week", "1", "--submission", "solutions").shows(t, 0,
		"✓ aliasing  Who shares this memory?\n    14 tests, 9 subtests, race, allocs 2 tests, gofmt, lint\n",
		"\n1 of 1 done (")
}

func TestWeek_OneWrongLineNamesTheRuleThatItBreaks(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solveBut(t, raiseLine, "\t\tlist[i].Limit -= delta\n")

	r := c.grader(t, "week", "1")

	r.shows(t, 1,
		"\n    Raise: mutates in place\n    TestRaise_MutatesInPlace  "+dir+"aliasing_test.go:",
		"\n     want: [{Used:1 Limit:15} {Used:2 Limit:25}]\n",
		"\n    A belief that leads here: range gives references to the elements.\n",
		"). Continue with aliasing.\n")
	require.NotContains(t, r.stdout, "then\n", "no other rule is broken")
	require.NotContains(t, r.stdout, "not started")
}

func TestExercise_GradesOneExercise(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solve(t)
	c.grader(t, "exercise", exercise).shows(t, 0, "week01/aliasing: Who shares this memory?\n\n✓ aliasing  ")
}

func TestWeek_PathsOpenFromTheWorkingDirectory(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)

	inside := c.command(t, "week", "1")
	inside.Dir = c.path("module1/week01")
	finish(t, start(t, inside)).shows(t, 1, "  aliasing/aliasing_test.go:")

	outside := c.command(t, "week", "1", "--course", c.root)
	outside.Dir = t.TempDir()
	finish(t, start(t, outside)).shows(t, 1, "  "+c.path(dir+"aliasing_test.go")+":")
}

// document is the part of the JSON report that tests look at.
type document struct {
	Schema   int
	Status   string
	Verdicts []struct {
		Exercise, Status string
		Cached           bool
		Checks           []struct {
			Check, Status string
			Findings      []map[string]any
		}
	}
}

func decode(t *testing.T, r result) document {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(r.stdout))
	var d document
	require.NoError(t, dec.Decode(&d), "%v", r)
	_, err := dec.Token()
	require.ErrorIs(t, err, io.EOF, "more than one document: %v", r)
	return d
}

func TestFormat_JSONIsOneDocument(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solveBut(t, raiseLine, "\t\tlist[i].Limit -= delta\n")

	r := c.grader(t, "week", "1", "--format", "json")

	r.shows(t, 1)
	d := decode(t, r)
	require.Equal(t, 1, d.Schema)
	require.Equal(t, "fail", d.Status)
	require.Len(t, d.Verdicts, 1)
	require.Equal(t, exercise, d.Verdicts[0].Exercise)
	require.Equal(t, "fail", d.Verdicts[0].Status)
	var findings []string
	for _, check := range d.Verdicts[0].Checks {
		for _, f := range check.Findings {
			findings = append(findings, fmt.Sprint(check.Check, " ", f["rule"], " ", f["file"]))
		}
	}
	require.Equal(t, []string{"tests TestRaise_MutatesInPlace " + dir + "aliasing_test.go"}, findings)
}

func TestFormat_MarkdownHasATableAndTheFirstFinding(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solveBut(t, raiseLine, "\t\tlist[i].Limit -= delta\n")
	c.grader(t, "week", "1", "--format", "markdown").shows(t, 1,
		"## Week 1: Values, aliasing, lifetimes: fail\n\n| exercise | verdict | checks |\n| --- | --- | --- |\n| week01/aliasing | fail | 1 finding |\n",
		"\n**Raise: mutates in place** (`TestRaise_MutatesInPlace`)", "\n```text\n", "\n want: [{Used:1 Limit:15} {Used:2 Limit:25}]\n")
}

func TestWeek_SecondRunSaysThatNothingChanged(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	first := c.grader(t, "week", "1")
	require.NotContains(t, first.stdout, "nothing changed")

	second := c.grader(t, "week", "1")
	second.shows(t, 1, ", nothing changed). Start with ")
	require.Equal(t, withoutLast(first.stdout), withoutLast(second.stdout))

	again := c.grader(t, "week", "1", "--no-cache", "--format", "json")
	again.shows(t, 1)
	require.False(t, decode(t, again).Verdicts[0].Cached)

	c.solve(t)
	changed := c.grader(t, "week", "1")
	changed.shows(t, 0)
	require.NotContains(t, changed.stdout, "nothing changed")
}

// withoutLast drops the last line, which says how long it took.
func withoutLast(text string) []string {
	all := lines(text)
	return all[:len(all)-1]
}

func TestWeek_TwoGradersAtOnceAgree(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	a := start(t, c.command(t, "week", "1", "--no-cache", "--format", "json"))
	b := start(t, c.command(t, "week", "1", "--no-cache", "--format", "json"))
	first, second := finish(t, a), finish(t, b)

	first.shows(t, 1)
	second.shows(t, 1)
	require.Equal(t, decode(t, first), decode(t, second))
	c.grader(t, "status").shows(t, 0, "week  1  open ")
}

func TestWatch_WithoutATerminalIsOneReport(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	r := c.grader(t, "watch")
	require.Equal(t, 2, r.code, "%v", r)
	require.Contains(t, r.stdout, "✗ aliasing  Who shares this memory?\n")
	r.notes(t, "watch needs a terminal; what you see is one report")
}

func TestTestsFrom_AddsPrivateTests(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solve(t)
	c.write(t, "private/"+dir+"secret_test.go", `package aliasing_test

import "testing"

func TestSecret_IsGraded(t *testing.T) { t.Error("seen") }
`)
	c.grader(t, "week", "1", "--tests-from", filepath.Join(c.root, "private")).shows(t, 1,
		"\n    Secret: is graded\n    TestSecret_IsGraded  "+dir+"secret_test.go:5\n    seen\n")
}
