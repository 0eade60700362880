package catchup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/catchup"
)

// caughtUp is what the tracker of a student who did his [desk.work] looks like
// afterwards.
var caughtUp = map[string]string{
	"domain/task.go":          "0 package domain // of the cut\n",
	"domain/text.go":          "0 package domain // of the cut\n",
	"domain/text_test.go":     "0 package domain_test // of the cut\n",
	"app/tasks.go":            "0 package app // of the cut\n",
	"app/validate.go":         "0 package app // stub of m02b\n",
	"infra/memory/memory.go":  "0 package memory // of the cut\n",
	"cmd/tasktracker/main.go": "0 package main // of the cut\n",
	"cmd/tasktracker/io.go":   "0 package main // stub of a later milestone\n",
	"deploy/up.sh":            "100 #!/bin/sh\n",
	"life/life.go":            "0 package life // stub of m03a\n",
	"mine/mine.go":            "0 package mine\n\nimport _ \"github.com/middle-go/course/tasktracker/domain\"\n",
	"alone/alone.go":          "0 package alone\n\nimport _ \"os\"\n",
	"mine/cover.out":          "0 ignored, and in nobody's way\n",
	"run.sh":                  "100 #!/bin/sh\n",

	"go.mod":               "0 module tasktracker\n",
	"go.sum":               "0 ",
	"README.md":            "0 the course's\n",
	"openapi.yaml":         "0 the: course's\n",
	"milestones/m02a.yaml": "0 slug: m02a\n",
	"milestones/m02a/a.go": "0 package m02a\n",
	"domain/m01a_test.go":  "0 package domain_test // the course's\n",
	"sqlitedb/open.go":     "0 package sqlitedb\n",
	"acceptance/go.mod":    "0 module acceptance\n",
}

func TestRun_GivesTheCutAndTheStubsOfLaterMilestones(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	d.work()
	others := d.below("grader")
	result := d.catchUp()
	if diff := cmp.Diff(caughtUp, d.tracker()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	require.Equal(t, others, d.below("grader"))
	require.Equal(t, "m02a", result.Milestone)
	require.Equal(t, "before-catch-up-week-04", result.Saved.Branch)
	require.Equal(t, []string{"app/tasks.go", "cmd/tasktracker/main.go", "deploy/up.sh", "domain/task.go", "domain/text.go", "domain/text_test.go", "infra/memory/memory.go"}, result.Written)
	require.Equal(t, []string{"infra", "domain/cover.out", "domain/link.go", "domain/odd.txt", "domain/windows.go", "domain/ä \"quoted\" \\ name.go"}, result.Removed)
	require.Equal(t, []string{"app/validate.go", "cmd/tasktracker/io.go"}, result.Restored)
	require.Empty(t, result.Kept)
	require.Equal(t, []string{"mine"}, result.Own)
}

func TestRun_TheWayBackRestoresEveryByte(t *testing.T) {
	t.Parallel()
	for name, later := range map[string]func(d desk){
		"at once":                  func(desk) {},
		"after work":               func(d desk) { d.write("tasktracker/domain/new.go", "package domain\n") },
		"after the cut was staged": func(d desk) { d.git("add", "tasktracker") },
		"after a commit":           func(d desk) { d.git("add", "tasktracker"); d.git("commit", "-qm", "week 4") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newRepository(t)
			d.work()
			before := d.tracker()
			result := d.catchUp()
			require.NotEqual(t, before, d.tracker())
			require.NotEmpty(t, d.follow(result.Saved, result.Saved.Look))
			later(d)
			d.follow(result.Saved, result.Saved.Back)
			if diff := cmp.Diff(before, d.tracker()); diff != "" {
				t.Errorf("(-before +after)\n%s", diff)
			}
		})
	}
}

func TestRun_LeavesIndexAndHeadAlone(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	d.work()
	d.write("tasktracker/domain/task.go", "package domain // staged only\n")
	d.git("add", "tasktracker/domain/task.go")
	d.write("tasktracker/domain/task.go", "package domain // the student's\n")
	status, head := d.git("ls-files", "--stage"), d.git("rev-parse", "HEAD")
	index, err := os.ReadFile(d.path(".git/index"))
	require.NoError(t, err)

	result := d.catchUp()
	require.Equal(t, status, d.git("ls-files", "--stage"))
	require.Equal(t, head, d.git("rev-parse", "HEAD"))
	require.Equal(t, head, d.git("rev-parse", result.Saved.Branch+"^"))
	after, err := os.ReadFile(d.path(".git/index"))
	require.NoError(t, err)
	require.Equal(t, index, after)

	d.follow(result.Saved, result.Saved.Back)
	require.Equal(t, status, d.git("ls-files", "--stage"))
}

func TestRun_SavesWithTheRestOfTheCommitAndTheNameOfTheStudent(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	d.work()
	d.git("config", "user.name", "Ada Student")
	d.git("config", "user.email", "ada@example.org")
	d.write("module1/README.md", "not the business of catch-up\n")
	d.catchUp()
	require.Equal(t, "lessons\n", d.git("show", "before-catch-up-week-04:module1/README.md"))
	require.Equal(t, "Save the tracker before catching up for week 4 (Ada Student <ada@example.org>)\n",
		d.git("log", "-1", "--format=%s (%cn <%ce>)", "before-catch-up-week-04"))
}

func TestRun_ASecondTimeChangesNothing(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	d.work()
	d.catchUp()
	before := d.everything()
	result := d.catchUp()
	require.False(t, result.Changed())
	require.Empty(t, result.Saved)
	require.Equal(t, before, d.everything())
	require.Equal(t, []string{"before-catch-up-week-04", "main"}, d.branches())
}

func TestRun_NeverWritesToABranchThatIsThere(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	d.git("branch", "before-catch-up-week-04")
	old := d.git("rev-parse", "before-catch-up-week-04")
	d.work()
	require.Equal(t, "before-catch-up-week-04-2", d.catchUp().Saved.Branch)
	require.Equal(t, old, d.git("rev-parse", "before-catch-up-week-04"))
}

func TestRun_FinishesWhatWasInterrupted(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	d.work()
	before := d.tracker()
	first := d.catchUp()
	// As if it had been killed halfway.
	d.write("tasktracker/domain/windows.go", "package domain\r\n// CRLF\r\n")
	d.remove("tasktracker/app/tasks.go")
	d.write(".grader/catch-up/0", "left behind\n")
	d.catchUp()
	if diff := cmp.Diff(caughtUp, d.tracker()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	require.NoDirExists(t, d.path(".grader/catch-up"))
	d.follow(first.Saved, first.Saved.Back)
	require.Equal(t, before, d.tracker())
}

func TestRun_InARepositoryWithoutACommit(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.git("init", "-q", "-b", "main")
	d.work()
	before := d.tracker()
	result := d.catchUp()
	require.Equal(t, []string{"app/validate.go", "cmd/tasktracker/io.go"}, result.Kept, "there is no history to find it in")
	d.follow(result.Saved, result.Saved.Back)
	require.Equal(t, before, d.tracker())
}

func TestRun_WhereTheTrackerIsTheRepository(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.shellIn(d.path("tasktracker"), "git init -q -b main && git add -A && git commit -qm first")
	d.work()
	before := d.tracker()
	result := d.catchUp()
	require.Equal(t, "0 package app // stub of m02b\n", d.tracker()["app/validate.go"])
	d.follow(result.Saved, result.Saved.Look)
	d.follow(result.Saved, result.Saved.Back)
	require.Equal(t, before, d.tracker())
}

func TestRun_WhereGitIgnoresTheTracker(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	d.write(".gitignore", "tasktracker/\n")
	d.git("rm", "-rq", "--cached", "tasktracker")
	d.git("add", "-A")
	d.git("commit", "-qm", "ignore the tracker")
	d.work()
	before := d.tracker()
	result := d.catchUp()
	for name, content := range before {
		if d.tracker()[name] != content {
			d.git("rev-parse", "--verify", result.Saved.Branch+":tasktracker/"+name)
		}
	}
}

func TestRun_RefusesARepositoryInsideTheTracker(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	d.work()
	d.shell("git init -q tasktracker/mine/lib && cd tasktracker/mine/lib && git commit -q --allow-empty -m x")
	d.refuses("tasktracker/mine/lib is a git repository of its own")
	d.git("add", "-f", "tasktracker/mine/lib")
	d.refuses("tasktracker/mine/lib is a git repository of its own")
}

func TestRun_DoesNotObeyTheVariablesOfAHook(t *testing.T) {
	d := newRepository(t)
	d.work()
	other := newRepository(t)
	t.Setenv("GIT_DIR", other.path(".git"))
	t.Setenv("GIT_INDEX_FILE", filepath.Join(t.TempDir(), "index"))
	require.Equal(t, "before-catch-up-week-04", d.catchUp().Saved.Branch)
	os.Unsetenv("GIT_DIR")
	os.Unsetenv("GIT_INDEX_FILE")
	require.Contains(t, d.branches(), "before-catch-up-week-04")
	require.NotContains(t, other.branches(), "before-catch-up-week-04")
}

func TestRun_ChangesNothingIfItCannotSave(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	d.work()
	d.git("branch", "before-catch-up-week-04/taken") // no branch can have the shorter name
	d.refuses("the tracker could not be saved; nothing was changed: git fast-import: ")
}

func TestRun_FollowsNoLink(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	outside := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "task.go"), []byte("somebody else's\n"), 0o644))
	d.remove("tasktracker/domain")
	require.NoError(t, os.Symlink(outside, d.path("tasktracker/domain")))
	d.remove("tasktracker/app/tasks.go")
	require.NoError(t, os.Symlink(filepath.Join(outside, "task.go"), d.path("tasktracker/app/tasks.go")))
	before := d.tracker()

	result := d.catchUp()
	require.Equal(t, "0 package domain // of the cut\n", d.tracker()["domain/task.go"])
	require.Equal(t, "0 package app // of the cut\n", d.tracker()["app/tasks.go"])
	entries, err := os.ReadDir(outside)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	content, err := os.ReadFile(filepath.Join(outside, "task.go"))
	require.NoError(t, err)
	require.Equal(t, "somebody else's\n", string(content))

	d.follow(result.Saved, result.Saved.Back)
	require.Equal(t, before, d.tracker())
}

func TestRun_RefusesALinkedTracker(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	require.NoError(t, os.Rename(d.path("tasktracker"), d.path("elsewhere")))
	require.NoError(t, os.Symlink("elsewhere", d.path("tasktracker")))
	d.refuses("tasktracker is not a directory; nothing was changed")
}

func TestRun_RefusesADirectoryInPlaceOfAFile(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	d.remove("tasktracker/domain/task.go")
	d.write("tasktracker/domain/task.go/notes.txt", "")
	d.refuses("tasktracker/domain/task.go is a directory, where the cut has a file; rename it first. Nothing was changed")
}

func TestRun_RefusesALinkInPlaceOfTheGradersDirectory(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	require.NoError(t, os.Symlink(t.TempDir(), d.path(".grader")))
	d.work()
	d.refuses(".grader is not a directory; remove it first. Nothing was changed")
}

func TestRun_RefusesWeeksWithNothingBefore(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for week, want := range map[int]string{
		1: "week 1: there is something to catch up with in weeks 2 to 24", 25: "week 25: there is",
		8: "week 8 goes on from milestone m04a, which this course does not have yet",
	} {
		r := d.request()
		r.Week = week
		_, err := catchup.Run(t.Context(), r)
		require.ErrorContains(t, err, want)
	}
	d.write("tasktracker/milestones/m02b.yaml", "")
	r := d.request()
	r.Week = 5
	_, err := catchup.Run(t.Context(), r)
	require.ErrorContains(t, err, "this repository has no reference to cut m02b from")
}

func TestRun_BringsBackAPackageThatIsGone(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	d.remove("tasktracker/life")
	require.Contains(t, d.catchUp().Restored, "life/life.go")
	require.Equal(t, "0 package life // stub of m03a\n", d.tracker()["life/life.go"])
}

func TestRun_LeavesAPackageAloneThatTheCutHasNot(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	d.remove("tasktracker/life/life.go")
	d.write("tasktracker/life/run.go", "package life // the student's own way\n")
	result := d.catchUp()
	require.NotContains(t, result.Restored, "life/life.go")
	require.Equal(t, "0 package life // the student's own way\n", d.tracker()["life/run.go"])
	require.NoFileExists(t, d.path("tasktracker/life/life.go"))
}

func TestRun_FindsAStubInTheHistory(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	for _, text := range []string{"one", "two"} {
		d.write("tasktracker/app/validate.go", "package app // "+text+"\n")
		d.git("commit", "-qam", text)
	}
	d.remove("tasktracker/app/validate.go")
	d.git("commit", "-qam", "gone")
	require.Equal(t, []string{"app/validate.go"}, d.catchUp().Restored)
	require.Equal(t, given["tasktracker/app/validate.go"], d.read("tasktracker/app/validate.go"))
}

func TestRun_SaysWhichStubIsNowhere(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	d.write("tasktracker/app/validate.go", "package app // the student's\n")
	d.shell("rm -rf .git && git init -q -b main && git add -A && git commit -qm squashed")
	require.Equal(t, []string{"app/validate.go"}, d.catchUp().Kept)
	require.Equal(t, "package app // the student's\n", d.read("tasktracker/app/validate.go"))
}

func TestRun_TakesStubsFromAnotherCourseTree(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.write("tasktracker/app/validate.go", "package app // the student's\n")
	r := d.request()
	r.Course = newDesk(t).request().Course
	result, err := catchup.Run(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, []string{"app/validate.go"}, result.Restored)
}

func TestRun_OutsideOfGitCopiesFirst(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.work()
	before := d.tracker()
	result := d.catchUp()
	require.Equal(t, "tasktracker.before-week-04", result.Saved.Dir)
	require.Equal(t, before, d.below("tasktracker.before-week-04"))
	require.Equal(t, "0 package domain // of the cut\n", d.tracker()["domain/task.go"])
	entries, err := os.ReadDir(d.root)
	require.NoError(t, err)
	for _, e := range entries {
		require.False(t, strings.HasPrefix(e.Name(), ".tasktracker"), "%s was left behind", e.Name())
	}
	d.follow(result.Saved, result.Saved.Back)
	require.Equal(t, before, d.tracker())
}

func TestRun_OutsideOfGitReplacesNoCopy(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.work()
	d.write("tasktracker.before-week-04/precious.go", "")
	d.refuses("tasktracker.before-week-04 is there already; rename it or remove it first. Nothing was changed")
}

func TestRun_WithoutGitInPathCopies(t *testing.T) {
	d := newRepository(t)
	d.work()
	before := d.tracker()
	t.Setenv("PATH", t.TempDir())
	require.Equal(t, "tasktracker.before-week-04", d.catchUp().Saved.Dir)
	require.Equal(t, before, d.below("tasktracker.before-week-04"))
}

func TestLay_SavesNothing(t *testing.T) {
	t.Parallel()
	d := newRepository(t)
	d.work()
	r := d.request()
	tree, err := r.Source.Cut("m02a")
	require.NoError(t, err)
	require.NoError(t, catchup.Lay(t.Context(), r.Course, d.root, tree))
	require.Equal(t, caughtUp, d.tracker())
	require.Equal(t, []string{"main"}, d.branches())
}
