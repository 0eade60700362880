package report_test

import (
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/report"
)

func TestParts_AreTheBlocksOfTheText(t *testing.T) {
	s := mixed()
	v := s.Verdicts[0]
	findings := report.Failing(v)
	require.Equal(t, "TestBatches_AppendDoesNotReachNeighbour", findings[0].Rule)
	for _, f := range findings {
		require.False(t, f.Stretch, "a stretch test makes nothing fail")
		require.NotEqual(t, "race", f.Check, "the test that the race broke says it already")
	}
	require.Empty(t, s.StatusText(v))
	require.Equal(t, `Batches: append does not reach neighbour
TestBatches_AppendDoesNotReachNeighbour  week01/aliasing/aliasing_test.go:27
   do: b := Batches(tasks, 2)
       _ = append(b[0], Task{ID: 99})
  got: 99
 want: 3
  why: The batches share one array.

A belief that leads here: a sub-slice ends at its length.
hint: make hint-week-01-aliasing`, ansi.Strip(s.FindingText(v, findings[0])))

	require.Equal(t, "rejected: the submission breaks the rules of the exercise", ansi.Strip(s.StatusText(s.Verdicts[3])))
}

func TestParts_ArePrintable(t *testing.T) {
	f := checks.Finding{Check: "files", File: "a\x1b[2J\nb.go", Message: "is a link\x07"}
	for _, text := range []string{mixed().FindingText(mixed().Verdicts[0], f), mixed().RestText([]checks.Finding{f})} {
		require.Contains(t, ansi.Strip(text), "a b.go: is a link")
		require.NotContains(t, text, "\x1b[2J")
	}
}
