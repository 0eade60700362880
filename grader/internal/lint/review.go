package lint

import (
	"slices"

	"golang.org/x/tools/go/analysis"
)

// review is the analyzers that speak to a reviewer. No verdict depends on them.
var review = []*analysis.Analyzer{Dropped, Ownerless}

// ForReview reports whether the analyzer of that name speaks to a reviewer and
// not to the student.
func ForReview(name string) bool {
	return slices.ContainsFunc(review, func(a *analysis.Analyzer) bool { return a.Name == name })
}
