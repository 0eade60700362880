package main_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNew_WhatItWritesIsSound(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.grader(t, "new", "week07/slug", "--kind", "implement").shows(t, 0,
		"module1/week07/slug/README.md\nmodule1/week07/slug/slug.go\nmodule1/week07/slug/slug_test.go\n",
		"\nsolutions/module1/week07/slug/slug.go\n",
		"\nmodule1/week07/week.yaml\n",
		"\n  bin/grader verify --record week07/slug\n  bin/grader verify week07/slug\n")

	c.grader(t, "verify", "--runs", "1", "--record", "week07/slug").shows(t, 0, "1 of 1 sound: 1 tests")
	c.grader(t, "verify", "--runs", "1", "week07/slug").shows(t, 0, "1 of 1 sound: 1 tests")

	c.grader(t, "week", "7").shows(t, 1, "Answer: is the answer\n", "not started: module1/week07/slug/README.md is where to begin\n")
	c.grader(t, "week", "7", "--submission", "solutions").shows(t, 0)
	c.grader(t, "status").shows(t, 0, "· week  7  open        0 of 1  TODO")
}

func TestNew_EveryKindIsSound(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.grader(t, "new", "week08/mended", "--kind", "fix").shows(t, 0)
	c.grader(t, "new", "week08/faster", "--kind", "optimise").shows(t, 0)
	c.grader(t, "verify", "--runs", "1", "--record", "8").shows(t, 0, "2 of 2 sound: 2 tests")
}

func TestNew_JoinsTheOtherExercisesOfAWeek(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	before := c.read(t, manifest)
	c.grader(t, "new", "week01/second").shows(t, 0)
	require.Equal(t, before, c.read(t, manifest)[:len(before)])
	c.grader(t, "status").shows(t, 0, "· week  1  open        0 of 2  Values, aliasing, lifetimes\n")
}

func TestNew_ReplacesNothing(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.grader(t, "new", exercise).complains(t, 2, " is already there; nothing was written")
	require.Equal(t, weekYAML, c.read(t, manifest))

	c.write(t, "solutions/module1/week07/slug/slug.go", "package slug\n")
	c.grader(t, "new", "week07/slug").complains(t, 2, "solutions/module1/week07/slug/slug.go is already there; nothing was written")
	require.NoDirExists(t, c.path("module1/week07"))
}

func TestNew_RefusesWhatItCannotScaffold(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	for _, tc := range []struct{ id, kind, want string }{
		{"week07/Slug", "implement", `"week07/Slug" is not the name of an exercise; write it like week07/router`},
		{"week7/slug", "implement", `"week7/slug" is not the name of an exercise`},
		{"../week07/slug", "implement", `"../week07/slug" is not the name of an exercise`},
		{"week25/slug", "implement", "week 25: the course has weeks 1 to 24"},
		{"week07/slug", "tests", "kind tests has no scaffold; copy an exercise of that kind"},
		{"week07/slug", "quiz", `kind "quiz" is unknown; use implement, fix or optimise`},
	} {
		c.grader(t, "new", tc.id, "--kind", tc.kind).complains(t, 2, tc.want)
	}
	require.NoDirExists(t, c.path("module1/week07"))
}
