package main_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const lastHint = "\nThat was the last hint. Your mentor has more.\n"

func TestHint_ShowsTheNextOneUntilTheLast(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	for _, want := range []string{
		"week01/aliasing: hint 1 of 3\n\nPrint len and cap.\n",
		"week01/aliasing: hint 2 of 3\n\nThree indexes limit an append.\n",
		"week01/aliasing: hint 3 of 3\n\nOnly a copy lets go.\n",
		"week01/aliasing: hint 3 of 3\n\nOnly a copy lets go.\n" + lastHint,
		"week01/aliasing: hint 3 of 3\n\nOnly a copy lets go.\n" + lastHint,
	} {
		r := c.grader(t, "hint", exercise)
		r.shows(t, 0)
		require.Equal(t, want, r.stdout)
	}
}

func TestHint_OneMayBeAskedFor(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.grader(t, "hint", exercise, "2").shows(t, 0, "hint 2 of 3\n\nThree indexes")
	c.grader(t, "hint", exercise, "1").shows(t, 0, "hint 1 of 3\n\nPrint len")
	c.grader(t, "hint", exercise).shows(t, 0, "hint 3 of 3\n\nOnly a copy") // 2 was the furthest
	for _, n := range []string{"4", "0", "-1", "two"} {
		c.grader(t, "hint", "--", exercise, n).complains(t, 2, `hint "`+n+`": week01/aliasing has hints 1 to 3`)
	}
}

func TestHint_SurvivesVerdicts(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.grader(t, "hint", exercise).shows(t, 0, "hint 1 of 3")
	c.grader(t, "week", "1").shows(t, 1)
	c.grader(t, "hint", exercise).shows(t, 0, "hint 2 of 3")
}

func TestStatus_FollowsTheStudent(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	const (
		open = "· week  1  open        0 of 1  Values, aliasing, lifetimes\n· week  2  not written yet\n"
		next = "\nNext: week01/aliasing (Who shares this memory?, about 55 minutes). Read " + dir + "README.md, then make week-01.\n"
	)
	c.grader(t, "status").shows(t, 0, open, next)

	c.grader(t, "week", "1").shows(t, 1) // the stub is no attempt
	c.grader(t, "status").shows(t, 0, open, next)

	c.solveBut(t, raiseLine, "\t\tlist[i].Limit -= delta\n")
	c.grader(t, "week", "1").shows(t, 1)
	c.grader(t, "status").shows(t, 0, "✗ week  1  in progress 0 of 1  Values, aliasing, lifetimes\n             ✗ aliasing\n", next)

	c.solve(t)
	c.grader(t, "week", "1").shows(t, 0)
	r := c.grader(t, "status")
	r.shows(t, 0, "✓ week  1  done        1 of 1  Values, aliasing, lifetimes\n", "\nEverything that is written so far is done.\n")
	require.Len(t, lines(r.stdout), 25)
}

func TestStatus_IsOfTheTreeThatWasGraded(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.grader(t, "week", "1", "--submission", "solutions").shows(t, 0)
	c.grader(t, "status").shows(t, 0, "week  1  open ")
	c.grader(t, "status", "--submission", "solutions").shows(t, 0, "week  1  done ")
}
