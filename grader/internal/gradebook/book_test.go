package gradebook_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/gradebook"
	"github.com/middle-go/course/grader/internal/report"
)

const aliasing = "week01/aliasing"

var (
	first  = plan()[0] // aliasing
	escape = plan()[1]
	m01a   = plan()[4]
)

// untouched makes v one on the course's stub.
func untouched(v *grade.Verdict) *grade.Verdict {
	v.Untouched = true
	return v
}

func TestAdd_TheLatestVerdictStandsInAnyOrder(t *testing.T) {
	reports := []*report.Summary{
		one(verdict(first, day(1), failed(0))),
		one(verdict(first, day(2), passed())),
		one(verdict(first, day(3), failed(1))),
	}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {2, 2, 1, 0, 0}} {
		book := newBook()
		for _, i := range order {
			require.NoError(t, book.Add("ada", reports[i]))
		}
		m := book.Students[0].Mark(aliasing)
		require.Equal(t, checks.Fail, m.Status)
		require.Equal(t, day(3), m.At)
		require.Equal(t, "append always copies", m.Belief)
		require.Equal(t, 2, book.ExerciseCosts()[0].Verdicts, "a report that is read twice counts once")
	}
}

func TestAdd_OfTwoVerdictsAtOneTimeTheWorseStands(t *testing.T) {
	pass, fail := one(verdict(first, day(1), passed())), one(verdict(first, day(1), failed(0)))
	for _, order := range [][]*report.Summary{{pass, fail}, {fail, pass}} {
		book := newBook()
		for _, s := range order {
			require.NoError(t, book.Add("ada", s))
		}
		require.Equal(t, checks.Fail, book.Students[0].Mark(aliasing).Status)
	}
}

func TestAdd_LeavesOutWhatDoesNotFitTheCourse(t *testing.T) {
	alien := verdict(exercise(1, "invented", "Mine"), day(1), passed())
	future := verdict(escape, now.AddDate(0, 0, 2), passed())
	book := newBook()
	require.EqualError(t, book.Add("ada", one(alien, future, verdict(first, day(1), passed()))),
		"left out: week01/invented is not in this course; week01/escape was graded in the future, at 2026-11-14T18:00:00Z")
	require.True(t, book.Students[0].Mark(aliasing).Passed())
	require.Nil(t, book.Students[0].Mark("week01/invented"))
	require.Nil(t, book.Students[0].Mark("week01/escape"))
}

func TestAdd_AMilestoneThatPassedBeforeIsToAskAbout(t *testing.T) {
	s := one(verdict(plan()[8], day(9), passed()))
	s.AddEarlier(report.Earlier{Verdict: verdict(m01a, day(9), failed(0)), PassedBefore: true})
	book := newBook()
	require.NoError(t, book.Add("ada", s))
	ada := book.Students[0]
	require.Equal(t, "fails again", ada.Mark("m01a").Word())
	require.Equal(t, []string{"1 passed before and fails now"}, ada.Standing(plan()).Notes(day(10)))

	require.NoError(t, book.Add("ada", one(verdict(m01a, day(11), passed()))))
	require.Equal(t, "pass", ada.Mark("m01a").Word())
}

func TestStanding_PutsEveryExerciseInOnePlace(t *testing.T) {
	practice := verdict(plan()[5], day(1), passed())
	practice.Lacks = []string{"Landlock"}
	s := one(
		verdict(first, day(1), passed()), verdict(escape, day(2), failed(0)), verdict(plan()[2], day(1), status("policy", checks.Rejected)),
		verdict(plan()[3], day(1), status("race", checks.Blocked)), untouched(verdict(m01a, day(1), failed(0))), practice,
	)
	s.HintsUsed = map[string]int{aliasing: 2, "m01a": 1}
	book := newBook()
	require.NoError(t, book.Add("ada", s))
	sum := book.Students[0].Standing(book.Exercises())
	require.Equal(t, gradebook.Standing{Of: 9, Passed: 2, Failed: 1, Rejected: 1, Blocked: 1, Practice: 1, Hints: 3, Last: day(2)}, sum)
	require.Equal(t, []string{"1 rejected", "1 blocked", "1 passed in practice only"}, sum.Notes(day(3)))
	require.Equal(t, []string{"1 rejected", "1 blocked", "quiet for 15 days", "1 passed in practice only"}, sum.Notes(day(17)))
}

func TestNotes_NobodyWhoIsDoneIsQuiet(t *testing.T) {
	require.Empty(t, gradebook.Standing{Of: 3, Passed: 3, Last: day(1)}.Notes(day(50)))
}

func TestExercises_EndWithTheLastWeekThatAnybodyReached(t *testing.T) {
	book := newBook()
	require.NoError(t, book.Add("ada", one(verdict(plan()[13], day(1), passed()))))
	require.Equal(t, []int{1, 2, 3, 4}, book.Weeks())
	require.Equal(t, "m02b", book.Exercises()[len(book.Exercises())-1].ID())
}

// What nobody has started fails too. It costs nobody anything.
func TestExerciseCosts_OrdersByWhoIsStuck(t *testing.T) {
	book := newBook()
	add := func(name string, v *grade.Verdict) { require.NoError(t, book.Add(name, one(v))) }
	add("ada", verdict(first, day(1), failed(0)))
	add("ada", verdict(first, day(2), failed(0)))
	add("ada", verdict(first, day(3), passed()))
	add("ada", verdict(escape, day(1), failed(0)))
	add("bob", untouched(verdict(first, day(1), failed(0))))
	add("bob", verdict(escape, day(1), passed()))
	add("bob", verdict(plan()[2], day(1), passed()))
	require.Equal(t, []gradebook.ExerciseCost{
		{Exercise: book.Exercises()[1], Started: 2, Stuck: 1, Verdicts: 1},
		{Exercise: book.Exercises()[0], Started: 1, Verdicts: 2},
	}, book.ExerciseCosts())
}

func TestBeliefCosts_CountTheBeliefThatAVerdictNamesFirst(t *testing.T) {
	book := newBook()
	add := func(name string, v *grade.Verdict) { require.NoError(t, book.Add(name, one(v))) }
	add("ada", verdict(first, day(1), failed(9, 1, 0))) // nothing is known of test 9
	add("ada", verdict(first, day(2), failed(1)))
	add("ada", verdict(first, day(3), passed()))
	add("bob", verdict(first, day(1), failed(1)))
	add("bob", verdict(first, day(2), failed(0)))
	add("eve", untouched(verdict(first, day(1), failed(2))))
	require.Equal(t, []gradebook.BeliefCost{
		{Exercise: book.Exercises()[0], Belief: "append always copies", Students: 2, Verdicts: 3},
		{Exercise: book.Exercises()[0], Belief: "a sub-slice ends at its length", Students: 1, Stuck: 1, Verdicts: 1},
	}, book.BeliefCosts())
}

func TestBeliefCosts_TakeTheBeliefFromTheCourse(t *testing.T) {
	r := failed(0)
	r.Findings[0].Rule += "/a_subtest"
	r.Findings[0].Misconception = "the mentor owes me a beer"
	book := newBook()
	require.NoError(t, book.Add("ada", one(verdict(first, day(1), r))))
	require.Equal(t, "a sub-slice ends at its length", book.BeliefCosts()[0].Belief)
}

func TestParseFormat_NamesTheFormats(t *testing.T) {
	for _, f := range []gradebook.Format{gradebook.HTML, gradebook.Markdown, gradebook.CSV} {
		got, err := gradebook.ParseFormat(string(f))
		require.NoError(t, err)
		require.Equal(t, f, got)
	}
	_, err := gradebook.ParseFormat("text")
	require.EqualError(t, err, `format "text" is unknown; a grade book is written as html, markdown or csv`)
}
