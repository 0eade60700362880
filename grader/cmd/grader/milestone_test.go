package main_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const project = "../../internal/grade/testdata/tracker/"

// newProject returns a checkout with the milestones m01b, m02a and m04a, in
// weeks without exercises.
func newProject(t *testing.T) checkout {
	t.Helper()
	c := newCheckout(t)
	require.NoError(t, os.CopyFS(c.root, os.DirFS(project+"course")))
	sums, err := os.ReadFile("../../labkit/go.sum")
	require.NoError(t, err)
	for module, labkit := range map[string]string{"tasktracker": "../grader/labkit", "tasktracker/acceptance": "../../grader/labkit"} {
		c.write(t, module+"/go.mod", "module github.com/middle-go/course/"+module+"\n\ngo 1.26.0\n\n"+
			"require github.com/middle-go/course/grader/labkit v0.0.0\n\nreplace github.com/middle-go/course/grader/labkit => "+labkit+"\n")
		c.write(t, module+"/go.sum", string(sums))
	}
	for _, stub := range []string{"tasktracker/store/store.go", "tasktracker/greet/greet.go"} {
		c.write(t, stubs, c.read(t, stubs)+fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(c.read(t, stub))), stub))
	}
	for week, milestone := range map[string]string{"2": "m01b", "3": "m02a", "7": "m04a"} {
		c.write(t, "module1/week0"+week+"/week.yaml", "week: "+week+"\ntitle: A week\ntheory_minutes: 1\noutcomes: [none]\nmilestone: "+milestone+"\n")
	}
	return c
}

// finishProject puts the finished project in place of the student's.
func (c checkout) finishProject(t *testing.T) {
	t.Helper()
	done := os.DirFS(project + "solution/tasktracker")
	for _, dir := range []string{"store", "greet", "cmd"} {
		require.NoError(t, os.RemoveAll(c.path("tasktracker/"+dir)))
	}
	require.NoError(t, os.RemoveAll(c.path("tasktracker/testdata")))
	require.NoError(t, os.CopyFS(c.path("tasktracker"), done))
}

func TestWeek_GradesTheMilestoneAndTheEarlierOnesAgain(t *testing.T) {
	t.Parallel()
	c := newProject(t)
	c.grader(t, "week", "2").shows(t, 1,
		"✗ m01b  A counter that counts\n",
		"not started: "+filepath.FromSlash("tasktracker/milestones/m01b/README.md")+" is where to begin\n",
		"\n0 of 1 done (")

	c.finishProject(t)
	c.grader(t, "week", "2").shows(t, 0, "✓ m01b  A counter that counts\n", "\n1 of 1 done (")
	c.grader(t, "week", "3").shows(t, 0, "✓ m02a  A greeting\n", "\n✓ m01b still passes\n", "\n1 of 1 done (")
	c.grader(t, "status").shows(t, 0, "✓ week  2  done ", "✓ week  3  done ")

	c.edit(t, "tasktracker/store/store.go", "\tc.n++\n", "\tc.n += 2\n")
	r := c.grader(t, "week", "3")
	r.shows(t, 1,
		"✓ m02a  A greeting\n",
		"\n✗ m01b  A counter that counts\n    m01b passed before, now fails: Counter: counts\n    TestCounter_Counts  "+filepath.FromSlash("tasktracker/milestones/m01b/store_test.go")+":",
		"). First mend m01b: a milestone never breaks an earlier one.\n")
	require.NotContains(t, r.stdout, "still passes")
	c.grader(t, "status").shows(t, 0,
		"✗ week  2  regression  0 of 1  A week\n             ✗ m01b passed before, now fails: make milestone-m01b\n", "✓ week  3  done ")

	c.grader(t, "week", "3", "--format", "markdown").shows(t, 1,
		"| m02a | pass |", "| m01b | fail (passed before, now fails) |", "\n### m01b passed before, now fails\n")
	d := c.grader(t, "week", "3", "--format", "json")
	d.shows(t, 1, `"passed_before": true`)
	require.Len(t, decode(t, d).Verdicts, 1)

	require.NoError(t, os.RemoveAll(c.path(".grader")))
	c.grader(t, "week", "3").shows(t, 1, "    m01b is an earlier milestone, and fails: Counter: counts\n")
}

func TestWeek_WhatWasNotPassedIsNoRegression(t *testing.T) {
	t.Parallel()
	c := newProject(t)
	stub := c.read(t, "tasktracker/store/store.go")
	c.finishProject(t)
	c.write(t, "tasktracker/store/store.go", stub)
	c.grader(t, "hint", exercise).shows(t, 0) // a record without m01b
	r := c.grader(t, "week", "3")
	r.shows(t, 0, "✓ m02a  A greeting\n")
	require.NotContains(t, r.stdout, "m01b")
}

func TestWeek_BlackBoxLetsTheStructureGo(t *testing.T) {
	t.Parallel()
	c := newProject(t)
	c.finishProject(t)
	c.grader(t, "week", "2").shows(t, 0)
	c.grader(t, "week", "3").shows(t, 0)

	require.NoError(t, os.RemoveAll(c.path("tasktracker/greet")))
	require.NoError(t, os.Rename(c.path("tasktracker/store"), c.path("tasktracker/counting")))
	for _, name := range []string{"counting/store.go", "counting/store_test.go", "cmd/tasktracker/main.go"} {
		name = "tasktracker/" + name
		c.write(t, name, strings.NewReplacer("package store", "package counting", "tasktracker/store", "tasktracker/counting",
			"store.Counter", "counting.Counter", "Package store", "Package counting").Replace(c.read(t, name)))
	}
	r := c.grader(t, "week", "7")
	r.shows(t, 0, "✓ m04a  A counter that answers\n")
	require.NotContains(t, r.stdout, "m01b")
	c.grader(t, "milestone", "m01b").shows(t, 1)
	c.grader(t, "status").shows(t, 0, "✓ week  2  done ", "✓ week  3  done ", "✓ week  7  done ")
}
