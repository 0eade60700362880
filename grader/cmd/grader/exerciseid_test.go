package main_test

import "testing"

func TestExercise_TakesTheDirectoryToo(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solve(t)
	for _, arg := range []string{exercise, "module1/" + exercise, "module1/" + exercise + "/"} {
		c.grader(t, "exercise", arg).shows(t, 0, "week01/aliasing: Who shares this memory?")
		c.grader(t, "hint", arg, "1").shows(t, 0, "week01/aliasing: hint 1 of 3")
	}
	c.grader(t, "exercise", "module1/week01").complains(t, 2, `"module1/week01" is not in this course; name an exercise like week01/handles`)
}
