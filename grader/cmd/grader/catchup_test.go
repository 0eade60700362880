package main_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// newTracker returns a checkout with a tracker that has m01a and m01b, and with
// their reference.
func newTracker(t *testing.T) checkout {
	t.Helper()
	c := copyCourse(t)
	for name, content := range map[string]string{
		"tasktracker/go.mod":                   "module example.org/tasktracker\n\ngo 1.26.0\n\nreplace example.org/labkit => ../grader/labkit\n",
		"tasktracker/milestones/m01a.yaml":     "slug: m01a\n",
		"tasktracker/milestones/m01b.yaml":     "slug: m01b\n",
		"tasktracker/domain/task.go":           "package domain // the student's\n",
		"tasktracker/domain/draft.go":          "package domain // the student's\n",
		"tasktracker/mine/mine.go":             "package mine\n\nimport _ \"github.com/middle-go/course/tasktracker/domain\"\n",
		"solutions/tasktracker/domain/task.go": "package domain\n\n//course:since m01b\nvar Version = 1\n\n//course:end\n",
		"solutions/tasktracker/infra/repo.go":  "//course:since m01b\n\npackage infra\n",
		"solutions/tasktracker/testdata/w1.go": "package domain\n",
		stubs:                                  "",
	} {
		c.write(t, name, content)
	}
	return c
}

func TestCatchUp_SaysWhereTheOldCodeIsAndHowToGoBack(t *testing.T) {
	t.Parallel()
	c := newTracker(t)
	sh := func(line string) string {
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", line)
		cmd.Dir, cmd.Env = c.root, append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", line, out)
		return string(out)
	}
	sh("git init -q -b main && git config user.name S && git config user.email s@example.org && git add -A && git commit -qm first")

	r := c.grader(t, "catch-up", "--week", "02")
	r.shows(t, 0)
	require.Equal(t, `Your tracker is as it stands after m01a; week 2 can begin.
  files taken from the reference: 1; files of yours removed: 1; stubs of later milestones brought back: 0

What you had is on the branch before-catch-up-week-02. Look at it:
  git diff before-catch-up-week-02 -- tasktracker
  git show before-catch-up-week-02:./tasktracker/domain/draft.go
Go back to it; what you do in tasktracker from now on is lost then:
  git clean -fd -- tasktracker
  git restore --source=before-catch-up-week-02 --worktree -- tasktracker

These packages are yours alone and were left as they are. They import what has changed; if they no longer build, remove them:
  tasktracker/mine
`, r.stdout)
	require.Equal(t, "package domain\n", c.read(t, "tasktracker/domain/task.go"))
	c.grader(t, "catch-up", "--week", "2").shows(t, 0, "Your tracker is at m01a already; nothing was changed.\n")

	_, back, _ := strings.Cut(r.stdout, "is lost then:\n")
	back, _, _ = strings.Cut(back, "\n\n")
	sh(back)
	require.Equal(t, "package domain // the student's\n", c.read(t, "tasktracker/domain/task.go"))
	require.Equal(t, "package domain // the student's\n", c.read(t, "tasktracker/domain/draft.go"))
	require.Empty(t, sh("git status --porcelain"))
}

func TestCatchUp_OutsideOfGitAndOfTheDirectory(t *testing.T) {
	t.Parallel()
	c := newTracker(t)
	elsewhere := c
	elsewhere.root = t.TempDir()
	elsewhere.grader(t, "catch-up", "--week", "3", "--course", c.root).shows(t, 0,
		"\nWhat you had is in tasktracker.before-week-03. Look at it:\n  cd "+c.root+"\n  diff -ru tasktracker.before-week-03 tasktracker\n",
		"is lost then:\n  cd "+c.root+"\n  rm -r tasktracker\n  mv tasktracker.before-week-03 tasktracker\n")
	require.Equal(t, "package domain\n\nvar Version = 1\n", c.read(t, "tasktracker/domain/task.go"))
	require.Equal(t, "package domain // the student's\n", c.read(t, "tasktracker.before-week-03/domain/draft.go"))
}

func TestCatchUp_SaysWhatItNeeds(t *testing.T) {
	t.Parallel()
	c := newTracker(t)
	c.grader(t, "catch-up").complains(t, 2, "name the week that you want to begin: make catch-up week=8, or grader catch-up --week 8")
	c.grader(t, "catch-up", "--week", "eight").complains(t, 2, `"eight" is not the number of a week; the course has weeks 1 to 24`)
	c.grader(t, "catch-up", "--week", "1").complains(t, 2, "week 1: there is something to catch up with in weeks 2 to 24")
	c.grader(t, "catch-up", "--week", "9").complains(t, 2, "week 9 goes on from milestone m04b, which this course does not have yet")

	c.remove(t, "solutions/tasktracker/domain/task.go")
	c.write(t, "solutions/tasktracker/domain/task.go", "package domain\n\n//course:since m01b\n")
	c.grader(t, "catch-up", "--week", "2").complains(t, 2, "solutions/tasktracker/domain/task.go:3: the region is never closed; end it with //course:end")
	require.Equal(t, "package domain // the student's\n", c.read(t, "tasktracker/domain/task.go"))
}

func TestCut_WritesATreeThatBuilds(t *testing.T) {
	t.Parallel()
	c := newTracker(t)
	c.grader(t, "cut", "m01a").shows(t, 0, "m01a: 2 files in bin/cuts/m01a\n", "  cd bin/cuts/m01a && GOWORK=off go test ./...\n")
	c.grader(t, "cut", "m01b", "--out", "here/m01b").shows(t, 0, "m01b: 3 files in here/m01b\n")
	require.Equal(t, "package domain\n\nvar Version = 1\n", c.read(t, "here/m01b/domain/task.go"))
	require.NoDirExists(t, c.path("here/m01b/testdata"))

	build := exec.CommandContext(t.Context(), "go", "build", "./...")
	build.Dir, build.Env = c.path("here/m01b"), append(build.Environ(), "GOWORK=off")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	c.grader(t, "cut", "m01b", "--out", "here/m01b").complains(t, 2, "here/m01b is not empty; nothing was written")
	c.grader(t, "cut", "m02a").complains(t, 2, "milestone m02a is not in this course")
	c.grader(t, "cut", "../m01a").complains(t, 2, "milestone ../m01a is not in this course")
}
