package lint_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/middle-go/course/grader/internal/lint"
)

func TestReview_TellsAReviewer(t *testing.T) {
	both := &analysis.Analyzer{Name: "both", Doc: "both analyzers, whose wants stand in one file", Run: func(pass *analysis.Pass) (any, error) {
		if _, err := lint.Dropped.Run(pass); err != nil {
			return nil, err
		}
		return lint.Ownerless.Run(pass)
	}}
	analysistest.Run(t, analysistest.TestData(), both, "review")
}

func TestForReview_KnowsWhatIsNotForTheStudent(t *testing.T) {
	require.True(t, lint.ForReview(lint.Dropped.Name))
	require.True(t, lint.ForReview(lint.Ownerless.Name))
	require.False(t, lint.ForReview(lint.Policy.Name))
}
