package checks

import (
	"context"
	"slices"

	"github.com/middle-go/course/grader/internal/lint"
)

// ReviewFindings returns what a reviewer should look at in the student's code:
// dropped errors and goroutines without an owner. The rule of a finding is the
// analyzer's name. Code that does not compile gives none, and known is false.
func (r *Room) ReviewFindings(ctx context.Context) (findings []Finding, known bool, err error) {
	diags, err := r.vet(ctx)
	if _, ok := buildError(err); ok {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	for _, d := range diags {
		if file := r.coursePath(d.File); lint.ForReview(d.Analyzer) && r.isStudents(file) && r.Exercise.About(file) {
			findings = append(findings, Finding{Check: "review", Rule: d.Analyzer, File: file, Line: d.Line, Message: oneLine(d.Message)})
		}
	}
	slices.SortFunc(findings, byPosition)
	return findings, true, nil
}
