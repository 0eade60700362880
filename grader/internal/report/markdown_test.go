package report_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/report"
)

func TestMarkdown_HasRoomInAComment(t *testing.T) {
	loud := strings.Repeat("@#<&`|\n", 4000)
	s := attack()
	for i := range 60 {
		s.Verdicts = append(s.Verdicts, verdict(fmt.Sprint("ex", i), loud, checks.Fail,
			result("tests", checks.Fail, loud,
				checks.Finding{Rule: "TestA/" + loud, File: loud, Message: loud, Detail: loud, Misconception: loud},
				checks.Finding{Rule: "TestB", Message: "failed"})))
	}
	out := string(written(t, s, report.Markdown))
	require.LessOrEqual(t, len(out), report.MaxMarkdown)
	require.Greater(t, len(out), report.MaxMarkdown/2, "it uses the room")
	require.True(t, utf8.ValidString(out))
	require.Regexp(t, `\n\*\*\d+ findings had no room in this comment;\*\* the JSON report has more\.\n$`, out)
	require.Contains(t, out, "\n| week01/ex59 | fail | 2 findings |\n", "the table comes first")

	fences := 0
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "```") {
			fences++
		}
	}
	require.Zero(t, fences%2, "no block is cut in its middle")
}

func TestMarkdown_SaysThatNothingHasChanged(t *testing.T) {
	s := passed()
	require.NotContains(t, string(written(t, s, report.Markdown)), "last time")
	s.Since(passed())
	require.Contains(t, string(written(t, s, report.Markdown)), "\nNothing has changed since last time.\n")
}

func TestPractice_IsNamedInEveryFormat(t *testing.T) {
	for _, f := range report.Formats() {
		out := string(written(t, everything(), f))
		require.Contains(t, out, "Landlock", "%s", f)
		if f != report.JSON {
			require.Contains(t, out, "practice verdict", "%s", f)
		}
		require.NotContains(t, string(written(t, again(), f)), "practice", "%s", f)
	}
}
