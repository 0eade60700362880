package checks

import (
	"bytes"
	"context"
	"go/format"
	"strings"

	"github.com/middle-go/course/grader/internal/course"
)

// formatCheck demands what gofmt would write.
type formatCheck struct{}

func (formatCheck) Name() string                  { return "gofmt" }
func (formatCheck) Applies(*course.Exercise) bool { return true }
func (formatCheck) Needs() []string               { return []string{"build"} }

func (formatCheck) Run(_ context.Context, r *Room) (Result, error) {
	var findings []Finding
	for _, f := range r.Student {
		if !strings.HasSuffix(f.Path, ".go") {
			continue
		}
		want, err := format.Source(f.Content)
		if err != nil || bytes.Equal(want, f.Content) {
			continue
		}
		findings = append(findings, Finding{
			File: f.Path, Line: firstDifference(f.Content, want),
			Message: "is not formatted; run: gofmt -w " + f.Path,
		})
	}
	return decide("gofmt", findings, ""), nil
}

// firstDifference returns the number of the first line that differs.
func firstDifference(a, b []byte) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return bytes.Count(a[:i], []byte("\n")) + 1
}
