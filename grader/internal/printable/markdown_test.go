package printable_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/printable"
)

func TestMarkdown_IsTextAndNothingElse(t *testing.T) {
	for text, want := range map[string]string{
		"plain text, 1 + 1":      "plain text, 1 + 1",
		"`x` *y* _z_ ~a~ $b$":    "\\`x\\` \\*y\\* \\_z\\_ \\~a\\~ \\$b\\$",
		"a | b\n# c":             "a \\| b #&#8203; c",
		"<img src=x> &lt;":       "&lt;img src=x&gt; &amp;lt;",
		"@octocat #1":            "@&#8203;octocat #&#8203;1",
		"[l](https://x) www.y.z": "\\[l\\](https:&#8203;//x) www&#8203;.y.z",
		"\x1b[31mred\x1b[0m\x00": "red",
	} {
		require.Equal(t, want, printable.Markdown(text))
	}
}

func TestFenced_CannotBeEndedFromInside(t *testing.T) {
	require.Equal(t, "```go\nx\n```\n", printable.Fenced("go", "x\n"))
	require.Equal(t, "`````\n````\n# Passed\n`````\n", printable.Fenced("", "````\n# Passed"))
}
