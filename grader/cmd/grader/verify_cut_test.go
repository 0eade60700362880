package main_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVerify_HasALineForEveryCut(t *testing.T) {
	t.Parallel()
	c := copyCourse(t)
	const tracker = "../../internal/grade/testdata/tracker/"
	require.NoError(t, os.CopyFS(c.root, os.DirFS(tracker+"course")))
	require.NoError(t, os.CopyFS(c.path("solutions"), os.DirFS(tracker+"solution")))
	c.remove(t, "tasktracker/milestones/m04a.yaml")
	require.NoError(t, os.RemoveAll(c.path("tasktracker/acceptance")))
	c.write(t, "tasktracker/go.mod", `module github.com/middle-go/course/tasktracker

go 1.26.0

require github.com/middle-go/course/grader/labkit v0.0.0

replace github.com/middle-go/course/grader/labkit => ../grader/labkit
`)
	c.write(t, "tasktracker/go.sum", c.read(t, "grader/labkit/go.sum"))
	const main = "solutions/tasktracker/cmd/tasktracker/main.go"
	c.write(t, main, "//course:since m04a\n\n"+c.read(t, main))

	r := c.grader(t, "verify", "--record", "--runs", "1", "m01b")
	r.shows(t, 0, "1 of 1 sound")
	require.NotContains(t, r.stdout, "cut")
	r = c.grader(t, "verify", "--runs", "1", "m01b")
	r.shows(t, 0, "✓ m01b ", "\n✓ cut m01b             1 of 1 suites pass   ", "\n1 of 1 cuts sound: 1 of 1 suites pass; ")
	c.grader(t, "verify", "--runs", "1", "m01b").shows(t, 0, "✓ cut m01b             1 of 1 suites pass   unchanged\n")

	const store = "solutions/tasktracker/store/store.go"
	c.edit(t, store, "\tn  int\n", "\t//course:since m04a\n\tn int\n\t//course:end\n")
	c.grader(t, "verify", "--runs", "1", "m01b").shows(t, 1,
		"\n✗ cut m01b             0 of 0 suites pass   ",
		"\n    somebody who has caught up does not get past go vet:\n", "c.n undefined",
		"\n0 of 1 cuts sound: 0 of 0 suites pass; ")
}
