package course_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/course"
)

func TestMilestoneOf_HalvesAMilestoneEveryTwoWeeks(t *testing.T) {
	for week, want := range map[int]string{1: "m01a", 2: "m01b", 3: "m02a", 8: "m04b", 19: "m10a", 24: "m12b"} {
		require.Equal(t, want, course.MilestoneOf(week), "week %d", week)
	}
	for week := 2; week <= course.Weeks; week++ {
		require.Less(t, course.MilestoneOf(week-1), course.MilestoneOf(week))
	}
}

func TestIsPlanned_KnowsThePlanOnly(t *testing.T) {
	for _, id := range []string{"m01a", "m04b", "m12b"} {
		require.True(t, course.IsPlanned(id), id)
	}
	for _, id := range []string{"", "m00a", "m13a", "m5a", "m05", "m05c", "m05a ", "M05a"} {
		require.False(t, course.IsPlanned(id), "%q", id)
	}
}

func TestHasMilestone_LooksForTheManifest(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "module1"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "tasktracker", "milestones"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "tasktracker", "milestones", "m01a.yaml"), nil, 0o644))
	c, err := course.Open(root)
	require.NoError(t, err)
	require.True(t, c.HasMilestone("m01a"))
	require.False(t, c.HasMilestone("m01b"))
	require.False(t, c.HasMilestone("../milestones/m01a"))
}
