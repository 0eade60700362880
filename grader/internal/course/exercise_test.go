package course_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/course"
)

func exercise(t *testing.T, id string) *course.Exercise {
	t.Helper()
	e, err := goodCourse().open(t).Exercise(id)
	require.NoError(t, err)
	return e
}

func TestExercise_HasNamesAndPlaces(t *testing.T) {
	ring := exercise(t, "week01/ring")
	require.Equal(t, "hint-week-01-ring", ring.HintTarget())
	require.Equal(t, "module1/week01/ring/README.md", ring.Readme())
	require.Equal(t, "module1/week01/ring", ring.FilesDir())
	require.Equal(t, "github.com/middle-go/course/module1/week01/ring", ring.ImportPath())

	m := exercise(t, "m01a")
	require.Equal(t, "hint-m01a", m.HintTarget())
	require.Equal(t, "tasktracker/milestones/m01a/README.md", m.Readme())
	require.Equal(t, "tasktracker", m.FilesDir())
	require.Equal(t, "github.com/middle-go/course/tasktracker/domain", m.ImportPath())
}

func TestAllowedImports_AreTheDefaultsAndTheManifests(t *testing.T) {
	ring := exercise(t, "week01/ring")
	require.Equal(t, append(slices.Clone(course.DefaultImports), "unsafe"), ring.AllowedImports())
	require.NotContains(t, course.DefaultImports, "unsafe", "the list of the manifest was added to that of everybody")
}

func TestDefaultImports_ReachNothingOutsideTheProcess(t *testing.T) {
	require.True(t, slices.IsSorted(course.DefaultImports))
	for _, name := range []string{"os", "os/exec", "net", "net/http", "syscall", "unsafe", "reflect", "runtime", "runtime/debug", "plugin", "C", "testing"} {
		require.NotContains(t, course.DefaultImports, name)
	}
}

func TestIsStretch_HoldsForSubtestsToo(t *testing.T) {
	ring := exercise(t, "week01/ring")
	require.True(t, ring.IsStretch("TestRing_ZeroAlloc"))
	require.True(t, ring.IsStretch("TestRing_ZeroAlloc/small"))
	require.False(t, ring.IsStretch("TestRing_ZeroAllocs"))
	require.False(t, ring.IsStretch("TestRing_Wraps"))
}

func TestMisconception_LooksAtTheSubtestBeforeItsParent(t *testing.T) {
	ring := exercise(t, "week01/ring")
	for rule, want := range map[string]string{
		"TestRing_Wraps":              "an index only grows",
		"TestRing_Wraps/twice around": "once is enough",
		"TestRing_Wraps/thrice":       "an index only grows",
	} {
		m, ok := ring.Misconception(rule)
		require.True(t, ok, rule)
		require.Equal(t, want, m.Belief)
	}
	_, ok := ring.Misconception("TestRing_Empty")
	require.False(t, ok)
}

func TestTestFiles_LeaveOutWhatIsNotTheCourses(t *testing.T) {
	files := goodCourse()
	files["module1/week01/ring/baseline_test.go"] = "package ring_test\n"
	files["module1/week01/ring/dir_test.go/file.go"] = "package dir\n"
	files["module1/week01/ring/testdata/x_test.go"] = "package x\n"
	c := files.open(t)
	for id, want := range map[string][]string{
		"week01/ring":  {"baseline_test.go", "ring_test.go"},
		"week01/suite": nil, // the student writes it
		"m01a":         {"m01a_test.go"},
	} {
		e, err := c.Exercise(id)
		require.NoError(t, err)
		got, err := course.TestFiles(c.Root, e)
		require.NoError(t, err)
		require.Equal(t, want, got, id)
	}
}

func TestIsTest_FollowsPackageTesting(t *testing.T) {
	for name, want := range map[string]bool{
		"Test": true, "TestX": true, "Test_x": true, "Test1": true, "TestÄ": true, "FuzzX": true, "Fuzz": true,
		"TestMain": false, "Testify": false, "Testä": false, "testX": false, "BenchmarkX": false, "ExampleX": false, "Fuzzy": false, "": false,
	} {
		require.Equal(t, want, course.IsTest(name), name)
	}
}
