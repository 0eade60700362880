package checks

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/cover"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

const (
	appFile    = "tasktracker/app/repo.go"
	memoryFile = "tasktracker/infra/memory/repo.go"
	threeLines = "package x\nfunc F() {\n\tprintln()\n}\n"
)

// about is a room of a milestone about some packages, with two files of the same
// name.
func about(c *course.Coverage, packages ...string) *Room {
	return &Room{
		Exercise: &course.Exercise{
			Kind: course.Project, Slug: "m02a", Dir: "tasktracker/milestones/m02a", Module: "tasktracker",
			Packages: packages, Checks: course.Checks{Coverage: c},
		},
		Student: []assembly.File{
			{Path: appFile, Content: []byte(threeLines)},
			{Path: memoryFile, Content: []byte(threeLines)},
		},
	}
}

// profile says of a file that its one function of n statements ran count times.
func profile(file string, n, count int) *cover.Profile {
	return &cover.Profile{FileName: course.ModulePath + "/" + file, Blocks: []cover.ProfileBlock{
		{StartLine: 2, StartCol: 10, EndLine: 4, EndCol: 2, NumStmt: n, Count: count},
	}}
}

func judged(t *testing.T, r *Room, profiles ...*cover.Profile) Result {
	t.Helper()
	spans, err := r.functionSpans()
	require.NoError(t, err)
	return r.judgeCoverage(profiles, spans)
}

func TestCoverage_CountsABlockOfSeveralRunsOnce(t *testing.T) {
	got := judged(t, about(&course.Coverage{Total: 80}, "app", "infra/memory"),
		profile(appFile, 3, 0), profile(memoryFile, 1, 2), profile(appFile, 3, 1), profile(memoryFile, 1, 0))
	require.Equal(t, Pass, got.Status)
	require.Equal(t, "100.0 %", got.Summary)
}

func TestCoverage_IsOfThePackagesThatTheMilestoneIsAbout(t *testing.T) {
	got := judged(t, about(&course.Coverage{Total: 80}, "app"), profile(appFile, 3, 0), profile(memoryFile, 9, 1))
	require.Equal(t, Fail, got.Status)
	require.Equal(t, "0.0 %", got.Summary)
	require.Equal(t, "0.0 % of the statements are covered, want 80 %", got.Findings[0].Message)
	require.Equal(t, appFile, got.Findings[1].File)
}

func TestCoverage_WithoutAGoalIsReported(t *testing.T) {
	got := judged(t, about(nil), profile(appFile, 3, 1), profile(memoryFile, 1, 0))
	require.Equal(t, Pass, got.Status)
	require.Equal(t, "75.0 %", got.Summary)
}
