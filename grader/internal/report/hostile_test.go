package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/report"
)

const hostile = "`code` **bold** _it_ ~~gone~~ | cell | <img src=x onerror=alert(1)> &lt; @octocat @org/team #1 " +
	"https://evil.example www.evil.example [link](https://evil.example) ![img](x) $x$ \\`"

// attack is a verdict in which a submission chose every text that it can.
func attack() *report.Summary {
	text := hostile + "\n\n# Passed\n\n| week01/ring | pass |"
	return summary("week01/ring: A ring",
		verdict("ring", "A ring", checks.Fail,
			result("tests", checks.Fail, "", checks.Finding{
				Rule: "TestRing/a`\n\n# @octocat passed", File: "module1/week01/ring/@octocat|.go", Line: 3,
				Message: "panic: " + text, Detail: "```\n# @octocat passed\n````text\n" + text,
			}),
			result("lint", checks.Fail, "", checks.Finding{File: "module1/week01/ring/<b>.go", Message: text}),
		))
}

func TestMarkdown_GivesASubmissionNoMarkup(t *testing.T) {
	out := string(written(t, attack(), report.Markdown))
	golden(t, "hostile.md", []byte(out))
	outside := outsideCode(out)
	for _, markup := range []string{
		"@octocat", "@org", "#1", "://", "www.evil", "<img", "<b>", " **bold", "~~gone", "[link]", " _it_", "$x$", "| cell", "\n# ",
	} {
		require.NotContains(t, strings.ReplaceAll(outside, `\`+markup[:1], ""), markup)
	}
}

// outsideCode is Markdown without its code spans and fenced blocks, in which
// GitHub looks for nothing.
func outsideCode(markdown string) string {
	var b strings.Builder
	fence := ""
	for line := range strings.Lines(markdown) {
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence == "" && len(ticks) >= 3:
			fence = ticks
		case fence != "" && strings.TrimSpace(line) == fence:
			fence = ""
		case fence == "":
			b.WriteString(line)
		}
	}
	out := strings.ReplaceAll(b.String(), "\\`", "")
	for {
		before, rest, ok := strings.Cut(out, "`")
		if !ok {
			return out
		}
		_, after, _ := strings.Cut(rest, "`")
		out = before + after
	}
}

func TestMarkdown_KeepsATableOfOneRowPerExercise(t *testing.T) {
	s := attack()
	s.Verdicts[0].Checks = []checks.Result{pass("tests", "a | b\nc | d")}
	s.Verdicts[0].Status = checks.Pass
	out := string(written(t, s, report.Markdown))
	require.Contains(t, out, "\n| week01/ring | pass | a \\| b c \\| d |\n")
}
