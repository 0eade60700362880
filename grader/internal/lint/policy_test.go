package lint_test

import (
	"go/importer"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/lint"
)

func TestPolicy_SeesWhatAnIdentifierMeans(t *testing.T) {
	require.NoError(t, lint.Policy.Flags.Set("forbid", "net/url.Parse"))
	t.Cleanup(func() { require.NoError(t, lint.Policy.Flags.Set("forbid", "")) })

	categories := map[string]int{}
	for _, r := range analysistest.Run(t, analysistest.TestData(), lint.Policy, "policy") {
		for _, d := range r.Action.Diagnostics {
			categories[d.Category]++
		}
	}
	require.Equal(t, map[string]int{"time.Sleep": 2, "fmt.*": 1, "sync.WaitGroup.Go": 1, "math/rand.*": 1, "net/url.Parse": 1}, categories)
}

func TestWatched_HasAllThatTheCourseForbids(t *testing.T) {
	c, err := course.Open("../../..")
	require.NoError(t, err)
	weeks, err := c.All()
	require.NoError(t, err)
	exercises, err := c.Milestones()
	require.NoError(t, err)
	for _, w := range weeks {
		exercises = append(exercises, w.Exercises...)
	}
	for _, ex := range exercises {
		for _, name := range ex.Forbid {
			require.Contains(t, lint.Watched, name, "%s forbids it; add it to watched.go", ex.ID())
		}
	}
}

// A name that nothing has forbids nothing.
func TestWatched_NamesWhatThereIs(t *testing.T) {
	require.True(t, slices.IsSorted(lint.Watched))
	std := importer.ForCompiler(token.NewFileSet(), "gc", nil)
	for _, name := range lint.Watched {
		slash := strings.LastIndex(name, "/") + 1
		pkgName, member, _ := strings.Cut(name[slash:], ".")
		pkg, err := std.Import(name[:slash] + pkgName)
		require.NoError(t, err, name)
		typeName, method, isMethod := strings.Cut(member, ".")
		obj := pkg.Scope().Lookup(typeName)
		require.True(t, member == "*" || obj != nil, name)
		if isMethod {
			found, _, _ := types.LookupFieldOrMethod(obj.Type(), true, pkg, method)
			require.NotNil(t, found, name)
		}
	}
}
