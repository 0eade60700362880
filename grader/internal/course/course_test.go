package course_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/course"
)

func TestWeekDir_FollowsTheModules(t *testing.T) {
	for week, want := range map[int]string{
		1: "module1/week01", 8: "module1/week08", 9: "module2/week09", 18: "module2/week18", 19: "module3/week19", 24: "module3/week24",
	} {
		require.Equal(t, want, course.WeekDir(week))
	}
}

func TestWeek_TellsApartWhatIsNotThereAndWhatIsNotWrittenYet(t *testing.T) {
	c := goodCourse().open(t)
	for _, n := range []int{-1, 0, 25} {
		_, err := c.Week(n)
		require.ErrorIs(t, err, course.ErrNotFound)
	}
	_, err := c.Week(25)
	require.EqualError(t, err, "week 25 is not in this course: it has weeks 1 to 24")
	_, err = c.Week(24)
	require.ErrorIs(t, err, course.ErrNoContent)
	require.EqualError(t, err, "week 24 has no exercises yet")
}

func TestExercise_FindsWeeksAndMilestones(t *testing.T) {
	c := goodCourse().open(t)
	for _, id := range []string{"week01/ring", "week01/suite", "m01a"} {
		e, err := c.Exercise(id)
		require.NoError(t, err)
		require.Equal(t, id, e.ID())
	}
}

func TestExercise_SaysWhatToNameInstead(t *testing.T) {
	c := goodCourse().open(t)
	for id, want := range map[string]string{
		"week01/rign": "exercise week01/rign is not in this course; week 1 has ring, suite",
		"week25/ring": "week 25 is not in this course: it has weeks 1 to 24",
		"m01b":        "milestone m01b is not in this course",
		"ring":        `"ring" is not in this course; name an exercise like week01/handles or a milestone like m01a`,
		"../m01a":     `"../m01a" is not in this course; name an exercise like week01/handles or a milestone like m01a`,
		"":            `"" is not in this course; name an exercise like week01/handles or a milestone like m01a`,
	} {
		_, err := c.Exercise(id)
		require.ErrorIs(t, err, course.ErrNotFound, id)
		require.EqualError(t, err, want)
	}
}

func TestAll_LoadsWhatItCanAndReportsEveryError(t *testing.T) {
	files := goodCourse()
	files["module1/week02/week.yaml"] = "week: two\n"
	files["module3/week24/week.yaml"] = "weak: 24\n"
	weeks, err := files.open(t).All()
	require.EqualError(t, err, "module1/week02/week.yaml:1: string was used where int is expected\n"+
		`module3/week24/week.yaml:1: unknown field "weak"`)
	require.Len(t, weeks, 1)
	require.Equal(t, 1, weeks[0].Number)
}

func TestMilestones_LoadsWhatItCanAndReportsEveryError(t *testing.T) {
	files := goodCourse()
	files["tasktracker/milestones/m01b.yaml"] = "slug: [m01b]\n"
	list, err := files.open(t).Milestones()
	require.EqualError(t, err, "tasktracker/milestones/m01b.yaml:1: sequence was used where string is expected")
	require.Len(t, list, 1)
	require.Equal(t, "m01a", list[0].ID())
}

func TestFind_LooksUpwards(t *testing.T) {
	root := goodCourse().write(t)
	c, err := course.Find(filepath.Join(root, "module1", "week01", "ring"))
	require.NoError(t, err)
	require.Equal(t, root, c.Root)
}

func TestFind_SaysHowToNameACourse(t *testing.T) {
	dir := t.TempDir()
	_, err := course.Find(dir)
	require.EqualError(t, err, dir+" is not inside a course; change into your checkout or name it with --course")
	_, err = course.Open(dir)
	require.EqualError(t, err, dir+" is not a course: it has no module1 directory; name one with --course")
}

// TestRealCourse_Loads is the check of this repository itself.
func TestRealCourse_Loads(t *testing.T) {
	c, err := course.Find(".")
	require.NoError(t, err)
	weeks, err := c.All()
	require.NoError(t, err)
	require.NotEmpty(t, weeks)
	milestones, err := c.Milestones()
	require.NoError(t, err)
	require.NotEmpty(t, milestones)

	targets := map[string]string{}
	check := func(e *course.Exercise) {
		require.NotContains(t, targets, e.HintTarget(), "two exercises share a make target")
		targets[e.HintTarget()] = e.ID()
		found, err := c.Exercise(e.ID())
		require.NoError(t, err)
		require.Equal(t, e, found)
		mod, err := os.ReadFile(filepath.Join(c.Root, filepath.FromSlash(e.Module), "go.mod"))
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(mod), "module "+course.ModulePath+"/"+e.Module+"\n"), "%s/go.mod", e.Module)
		tests, err := course.TestFiles(c.Root, e)
		require.NoError(t, err)
		require.Equal(t, e.Kind != course.Tests, len(tests) > 0, "%s: tests of the course: %v", e.ID(), tests)
	}
	for _, w := range weeks {
		require.NotEmpty(t, w.Exercises, "week %d", w.Number)
		for _, e := range w.Exercises {
			check(e)
		}
	}
	for _, m := range milestones {
		check(m)
	}
	t.Logf("%d weeks, %d exercises and milestones", len(weeks), len(targets))
}
