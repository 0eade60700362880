package checks

import (
	"context"
	"fmt"
	"slices"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/lint"
)

// lintCheck runs go vet's and staticcheck's analyzers.
type lintCheck struct{}

func (lintCheck) Name() string                  { return "lint" }
func (lintCheck) Applies(*course.Exercise) bool { return true }
func (lintCheck) Needs() []string               { return []string{"build"} }

func (lintCheck) Run(ctx context.Context, r *Room) (Result, error) {
	diags, err := r.vet(ctx)
	if be, ok := buildError(err); ok {
		return decide("lint", r.buildFindings(be), ""), nil
	}
	if err != nil {
		return Result{}, err
	}
	var findings []Finding
	for _, d := range diags {
		file := r.coursePath(d.File)
		if d.Analyzer == lint.Policy.Name || lint.ForReview(d.Analyzer) || !r.isStudents(file) {
			continue
		}
		findings = append(findings, Finding{
			Rule: d.Analyzer, File: file, Line: d.Line, Message: fmt.Sprintf("%s (%s)", d.Message, d.Analyzer),
		})
	}
	slices.SortFunc(findings, byPosition)
	return decide("lint", findings, ""), nil
}
