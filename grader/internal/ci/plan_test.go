package ci_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/ci"
)

func TestPlan_GradesTheWeeksWhoseFilesDiffer(t *testing.T) {
	c, theirs := copyOf(t)
	require.Equal(t, &ci.Plan{Weeks: []int{}}, plan(t, c, theirs, "main"))

	write(t, theirs, "module1/week05/mailbox/mailbox.go", "package mailbox\n")
	require.NoError(t, os.Remove(filepath.Join(theirs, "module1/week02/logstat/logstat.go")))
	link := filepath.Join(theirs, "module1/week03/retry/retry.go")
	require.NoError(t, os.Remove(link))
	require.NoError(t, os.Symlink("/etc/passwd", link))
	require.Equal(t, &ci.Plan{Weeks: []int{2, 3, 5}}, plan(t, c, theirs, "main"), "changed, removed, and a link")
}

func TestPlan_BranchNamesAWeek(t *testing.T) {
	c, theirs := copyOf(t)
	for branch, want := range map[string][]int{
		"week-05": {5}, "week5": {5}, "anna/Week_08-again": {8},
		"main": {}, "week-0": {}, "week-24": {}, "week-512": {}, "biweek-5": {}, "": {},
		"week-5\nplan={}": {5},
	} {
		require.Equal(t, want, plan(t, c, theirs, branch).Weeks, "%q", branch)
	}
}

func TestPlan_ProjectAloneIsTheLastMilestoneThatDiffers(t *testing.T) {
	c, theirs := copyOf(t)
	withMilestone(t, c.Root, "module1/week05/week.yaml", "m03a")
	withMilestone(t, theirs, "module1/week05/week.yaml", "m03a")
	write(t, theirs, "tasktracker/domain/task.go", "package domain\n")
	require.Equal(t, []int{1}, plan(t, c, theirs, "main").Weeks)
	write(t, theirs, "tasktracker/lifecycle/own.go", "package lifecycle\n")
	require.Equal(t, []int{5}, plan(t, c, theirs, "main").Weeks)
	write(t, theirs, "module1/week03/retry/retry.go", "package retry\n")
	require.Equal(t, []int{3}, plan(t, c, theirs, "main").Weeks, "an exercise tells the week better")
}

// withMilestone gives a week its milestone, if it has none yet.
func withMilestone(t *testing.T, tree, manifest, id string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(tree, manifest))
	require.NoError(t, err)
	if !strings.Contains(string(data), "\nmilestone: ") {
		write(t, tree, manifest, "milestone: "+id+"\n"+string(data))
	}
}

func TestPlan_NamesWhatHasNoEffect(t *testing.T) {
	c, theirs := copyOf(t)
	write(t, theirs, "module1/week01/handles/handles_test.go", "package handles_test\n")
	write(t, theirs, "module1/week01/handles/more_test.go", "package handles_test\n")
	write(t, theirs, ".github/workflows/grade.yml", "on: push\n")
	write(t, theirs, "tasktracker/milestones/m01a.yaml", "week: 1\n")
	write(t, theirs, "tasktracker/notes.md", "mine\n")
	write(t, theirs, "bin/grader", "a program\n")
	write(t, theirs, "a\x1b[2J\n\u202eb", "")
	require.NoError(t, os.Remove(filepath.Join(theirs, "module1/go.sum")))
	p := plan(t, c, theirs, "main")
	require.Empty(t, p.Weeks)
	require.Equal(t, []string{
		".github/workflows/grade.yml", "a b", "module1/week01/handles/handles_test.go",
		"module1/week01/handles/more_test.go", "tasktracker/milestones/m01a.yaml", "module1/go.sum (missing)",
	}, p.Ignored.Files)
}

func TestPlan_OfAHugeTreeIsSmall(t *testing.T) {
	c, theirs := copyOf(t)
	for i := range 60 {
		write(t, theirs, fmt.Sprintf("%02d%s", i, strings.Repeat("x", 200)), "")
	}
	p := plan(t, c, theirs, "main")
	require.Len(t, p.Ignored.Files, 20)
	require.Equal(t, 40, p.Ignored.More)
	for _, f := range p.Ignored.Files {
		require.LessOrEqual(t, len(f), 123)
	}
}

func TestPlan_OutputsAreTwoLines(t *testing.T) {
	p := &ci.Plan{Weeks: []int{1, 5}, Ignored: ci.Ignored{Files: []string{"a\nweeks=[9]"}}}
	var b strings.Builder
	require.NoError(t, p.WriteOutputs(&b))
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	require.Len(t, lines, 2)
	require.Equal(t, "weeks=[1,5]", lines[0])
	again, err := ci.ReadPlan(strings.TrimPrefix(lines[1], "plan="))
	require.NoError(t, err)
	require.Equal(t, p, again)
	_, err = ci.ReadPlan("no plan")
	require.Error(t, err)
}
