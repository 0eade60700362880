package report

import (
	"strings"

	"github.com/middle-go/course/grader/internal/printable"
)

// codeSpecials keeps a name inside its code span.
var codeSpecials = strings.NewReplacer("`", "'", "\n", " ")

// escape makes text from a submission harmless in Markdown.
func escape(s string) string { return printable.Markdown(s) }

func longestRun(s string, c byte) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] == c {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	return longest
}
