package watch

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
)

// fake answers a model's commands from memory and remembers them.
type fake struct {
	calls    []string // such as "grade aliasing fresh"
	verdicts map[string]*grade.Verdict
	hints    int // shown so far
	err      error
	arrived  chan change
}

func (f *fake) grade(ex *course.Exercise, _ int, fresh bool) (*grade.Verdict, error) {
	call := "grade " + ex.Slug
	if fresh {
		call += " fresh"
	}
	f.calls = append(f.calls, call)
	return f.verdicts[ex.Slug], f.err
}

func (f *fake) hint(ex *course.Exercise) (*hint, error) {
	f.calls = append(f.calls, "hint "+ex.Slug)
	again := f.hints == len(ex.Hints)
	f.hints = min(f.hints+1, len(ex.Hints))
	return &hint{number: f.hints, of: len(ex.Hints), text: ex.Hints[f.hints-1], again: again}, f.err
}

func (f *fake) changes() (change, error) {
	c, open := <-f.arrived
	if !open {
		return change{}, errClosed
	}
	return c, nil
}

// terminal is a model with its runtime, in which nothing happens by itself.
type terminal struct {
	t  *testing.T
	do *fake
	m  model
}

// exerciseNames are the exercises of the week under test, in order.
var exerciseNames = []string{"aliasing", "escape", "handles"}

func testWeek(slugs ...string) *course.Week {
	week := &course.Week{Number: 1, Title: "Values, aliasing, lifetimes", Dir: "module1/week01"}
	for _, slug := range slugs {
		week.Exercises = append(week.Exercises, &course.Exercise{
			Week: 1, Slug: slug, Title: "The title of " + slug, Dir: week.Dir + "/" + slug, Files: []string{slug + ".go"},
			Hints: []string{"Look at the length.", "Look at the capacity.", "Cap the slice."},
		})
	}
	return week
}

// open returns a terminal in which every exercise is being graded.
func open(t *testing.T) *terminal {
	t.Helper()
	do := &fake{verdicts: map[string]*grade.Verdict{}, arrived: make(chan change)}
	close(do.arrived) // so that waiting for a change ends at once
	tm := &terminal{t: t, do: do, m: newModel(do, testWeek(exerciseNames...))}
	tm.send(tea.WindowSizeMsg{Width: 100, Height: 40})
	return tm
}

// send delivers a message and returns the command that answers it.
func (tm *terminal) send(msg tea.Msg) tea.Cmd {
	tm.t.Helper()
	next, cmd := tm.m.Update(msg)
	m, ok := next.(model)
	require.True(tm.t, ok)
	tm.m = m
	return cmd
}

// press presses a key and delivers what comes of it.
func (tm *terminal) press(key rune) {
	tm.t.Helper()
	for _, msg := range run(tm.send(tea.KeyPressMsg{Code: key, Text: string(key)})) {
		tm.send(msg)
	}
}

// deliver gives the verdict of the latest grading of an exercise.
func (tm *terminal) deliver(v *grade.Verdict) {
	tm.t.Helper()
	i := tm.m.index(v.Exercise)
	tm.send(gradedMsg{v.Exercise, tm.m.rows[i].run, v, nil})
}

// run executes a command, and those of a batch in order.
func run(cmd tea.Cmd) []tea.Msg {
	if cmd == nil {
		return nil
	}
	switch msg := cmd().(type) {
	case tea.BatchMsg:
		var all []tea.Msg
		for _, c := range msg {
			all = append(all, run(c)...)
		}
		return all
	default:
		return []tea.Msg{msg}
	}
}

func passing(slug string) *grade.Verdict {
	return &grade.Verdict{
		Exercise: "week01/" + slug, Title: "The title of " + slug, Status: checks.Pass,
		Checks: []checks.Result{{Check: "tests", Status: checks.Pass, Summary: "9 tests"}, {Check: "race", Status: checks.Pass}},
		Ex:     &course.Exercise{Slug: slug, Dir: "module1/week01/" + slug},
	}
}

// failing gives a verdict with one failed test a rule.
func failing(slug string, rules ...string) *grade.Verdict {
	v := passing(slug)
	v.Status = checks.Fail
	r := checks.Result{Check: "tests", Status: checks.Fail}
	for _, rule := range rules {
		r.Findings = append(r.Findings, checks.Finding{
			Check: "tests", Rule: rule, File: v.Ex.Dir + "/" + slug + "_test.go", Line: 27, Message: "failed",
			Detail:        "   do: b := Batches(tasks, 2)\n       _ = append(b[0], Task{ID: 99})\n  got: 99\n want: 3\n  why: The batches share one array. A batch that has spare capacity lets append write into the next one.",
			Misconception: "a sub-slice ends at its length",
		})
	}
	v.Checks = []checks.Result{r}
	return v
}

// where names what is shown big, such as "aliasing 1".
func (tm *terminal) where() string {
	return fmt.Sprintf("%s %d", tm.m.rows[tm.m.current].ex.Slug, tm.m.finding+1)
}

func TestModel_GradesEveryExerciseFirst(t *testing.T) {
	tm := open(t)
	msgs := run(tm.m.Init())
	require.Equal(t, []string{"grade aliasing", "grade escape", "grade handles"}, tm.do.calls)
	require.Len(t, msgs, 4, "and it waits for changes")
}

func TestModel_ShowsTheFirstExerciseThatFails(t *testing.T) {
	tm := open(t)
	tm.deliver(failing("handles", "TestA_B"))
	require.Equal(t, "aliasing 1", tm.where(), "what is still graded may fail")
	tm.deliver(passing("aliasing"))
	require.Equal(t, "escape 1", tm.where())
	tm.deliver(passing("escape"))
	require.Equal(t, "handles 1", tm.where())
	tm.deliver(passing("handles"))
	require.Equal(t, "handles 1", tm.where(), "nothing fails, so there is nowhere to go")
}

func TestModel_NGoesThroughFindingsThenExercises(t *testing.T) {
	tm := open(t)
	tm.deliver(failing("aliasing", "TestA_One", "TestA_Two"))
	tm.deliver(passing("escape"))
	tm.deliver(failing("handles", "TestH_One"))
	for _, want := range []string{"aliasing 2", "handles 1", "aliasing 1"} {
		tm.press('n')
		require.Equal(t, want, tm.where())
	}
}

func TestModel_NStaysWhenOnlyOneThingFails(t *testing.T) {
	tm := open(t)
	tm.press('n')
	require.Equal(t, "aliasing 1", tm.where(), "nothing is known yet")
	tm.deliver(passing("escape"))
	tm.deliver(passing("handles"))
	tm.deliver(failing("aliasing", "TestA_One"))
	tm.press('n')
	require.Equal(t, "aliasing 1", tm.where())
}

func TestModel_SaveGradesExactlyWhatChanged(t *testing.T) {
	tm := open(t)
	for _, slug := range exerciseNames {
		tm.deliver(failing(slug, "TestX_Y"))
	}
	cmd := tm.send(changeMsg{touched: []string{"week01/escape"}})
	require.Equal(t, "escape 1", tm.where(), "what is worked on is what is shown")
	require.True(t, tm.m.rows[1].grading)
	require.False(t, tm.m.rows[0].grading)
	run(cmd)
	require.Equal(t, []string{"grade escape"}, tm.do.calls)
}

func TestModel_SaveOfTheShownExerciseKeepsItInPlace(t *testing.T) {
	tm := open(t)
	for _, slug := range exerciseNames {
		tm.deliver(failing(slug, "TestX_Y"))
	}
	tm.press('n')
	require.Equal(t, "escape 1", tm.where())
	tm.send(changeMsg{touched: []string{"week01/aliasing", "week01/escape"}})
	require.Equal(t, "escape 1", tm.where())
}

func TestModel_DropsVerdictsOfOlderFiles(t *testing.T) {
	tm := open(t)
	old := tm.m.rows[0].run
	tm.send(changeMsg{touched: []string{"week01/aliasing"}})
	tm.send(gradedMsg{"week01/aliasing", old, passing("aliasing"), nil})
	require.True(t, tm.m.rows[0].grading)
	require.Nil(t, tm.m.rows[0].verdict)
	tm.deliver(failing("aliasing", "TestA_One"))
	require.False(t, tm.m.rows[0].grading)
	require.Equal(t, checks.Fail, tm.m.rows[0].verdict.Status)
}

func TestModel_KeepsTheChosenFindingWhileItFails(t *testing.T) {
	tm := open(t)
	tm.deliver(failing("aliasing", "TestA_One", "TestA_Two", "TestA_Three"))
	tm.press('n')
	tm.press('n')
	require.Equal(t, "aliasing 3", tm.where())
	tm.deliver(failing("aliasing", "TestA_Two", "TestA_Three"))
	require.Equal(t, "aliasing 2", tm.where(), "TestA_Three is still the one")
	tm.deliver(failing("aliasing", "TestA_One", "TestA_Two"))
	require.Equal(t, "aliasing 1", tm.where(), "TestA_Three passes")
}

func TestModel_ShowsANewFirstFailure(t *testing.T) {
	tm := open(t)
	tm.deliver(failing("aliasing", "TestA_Two"))
	tm.deliver(failing("aliasing", "TestA_One", "TestA_Two"))
	require.Equal(t, "aliasing 1", tm.where(), "nobody chose TestA_Two")
}

func TestModel_RGradesTheShownExerciseWithoutCache(t *testing.T) {
	tm := open(t)
	tm.do.verdicts["aliasing"] = passing("aliasing")
	tm.deliver(failing("aliasing", "TestA_One"))
	tm.press('r')
	require.Equal(t, []string{"grade aliasing fresh"}, tm.do.calls)
	require.Equal(t, "escape 1", tm.where(), "it passes now")
}

func TestModel_HShowsOneHintAfterTheOther(t *testing.T) {
	tm := open(t)
	tm.deliver(failing("aliasing", "TestA_One"))
	for n, want := range []string{"Look at the length.", "Look at the capacity.", "Cap the slice.", "Your mentor has more."} {
		require.NotContains(t, tm.text(), want)
		tm.press('h')
		require.Contains(t, tm.text(), want)
		require.Contains(t, tm.text(), fmt.Sprintf("hint %d of 3", min(n+1, 3)))
	}
	require.Equal(t, slices.Repeat([]string{"hint aliasing"}, 4), tm.do.calls)
	tm.deliver(passing("aliasing"))
	require.Nil(t, tm.m.rows[0].hint, "a passed exercise needs none")
}

func TestModel_ScrollsToTheHint(t *testing.T) {
	tm := open(t)
	tm.deliver(failing("aliasing", "TestA_One"))
	tm.send(tea.WindowSizeMsg{Width: 60, Height: 10})
	require.NotContains(t, tm.text(), "hint: make")
	tm.press('h')
	require.Contains(t, tm.text(), "Look at the length.")
}

func TestModel_ScrollStopsAtTheEnds(t *testing.T) {
	tm := open(t)
	tm.deliver(failing("aliasing", "TestA_One", "TestA_Two"))
	tm.send(tea.WindowSizeMsg{Width: 60, Height: 10})
	tm.press('k')
	require.Zero(t, tm.m.offset)
	for range 100 {
		tm.press('j')
	}
	require.Equal(t, tm.m.lastOffset(), tm.m.offset)
	require.Contains(t, tm.text(), "A: two")
	tm.send(tea.WindowSizeMsg{Width: 100, Height: 60})
	require.Zero(t, tm.m.offset, "everything fits a larger window")
}

func TestModel_ManifestThatDoesNotLoadIsAMessage(t *testing.T) {
	tm := open(t)
	tm.deliver(failing("aliasing", "TestA_One"))
	tm.send(changeMsg{err: errors.New("module1/week01/week.yaml:12: kind fixx is unknown")})
	require.Contains(t, tm.text(), "week.yaml:12: kind fixx is unknown")
	require.Contains(t, tm.text(), "A: one", "the watch goes on")
	require.Empty(t, tm.do.calls)

	cmd := tm.send(changeMsg{week: testWeek("escape", "aliasing", "zerocopy")})
	require.NotContains(t, tm.text(), "week.yaml")
	require.Equal(t, "aliasing 1", tm.where())
	require.NotNil(t, tm.m.rows[1].verdict, "the verdict stays on the screen until the next")
	run(cmd)
	require.Equal(t, []string{"grade escape", "grade aliasing", "grade zerocopy"}, tm.do.calls)
}

func TestModel_WeekWithoutExercisesIsNoCrash(t *testing.T) {
	tm := open(t)
	tm.send(changeMsg{week: testWeek()})
	for _, key := range "nhrjk" {
		tm.press(key)
	}
	require.Contains(t, tm.text(), "no exercises")
}

func TestModel_SaysWhyThereIsNoVerdict(t *testing.T) {
	tm := open(t)
	tm.do.err = errors.New("no space left on device")
	tm.press('r')
	require.Contains(t, tm.text(), "no space left on device")
	require.False(t, tm.m.rows[0].grading)
	tm.do.err = nil
	tm.do.verdicts["aliasing"] = failing("aliasing", "TestA_One")
	tm.press('r')
	require.NotContains(t, tm.text(), "no space left on device")
	require.Contains(t, tm.text(), "A: one")
}

func TestModel_ShowsAVerdictThatCouldNotBeNoted(t *testing.T) {
	tm := open(t)
	tm.do.err = errors.New("the record is not kept")
	tm.do.verdicts["aliasing"] = failing("aliasing", "TestA_One")
	tm.press('r')
	require.Contains(t, tm.text(), "the record is not kept")
	require.Contains(t, tm.text(), "A: one")
	tm.press('j')
	require.NotContains(t, tm.text(), "the record is not kept", "a key takes note of it")
}

func TestModel_SaysWhenSavesAreNotNoticedAnyMore(t *testing.T) {
	tm := open(t)
	for _, msg := range run(tm.m.waitForChange) {
		tm.send(msg)
	}
	require.Contains(t, tm.text(), "saves are not noticed any more")
}

func TestModel_QuitsOnQAndControlC(t *testing.T) {
	for _, key := range []tea.KeyPressMsg{{Code: 'q', Text: "q"}, {Code: 'c', Mod: tea.ModCtrl}} {
		require.Equal(t, []tea.Msg{tea.QuitMsg{}}, run(open(t).send(key)), key.String())
	}
}

func TestModel_UpdateLeavesTheOldModelAlone(t *testing.T) {
	tm := open(t)
	before := tm.m
	tm.deliver(passing("aliasing"))
	require.Nil(t, before.rows[0].verdict)
	require.True(t, before.rows[0].grading)
}
