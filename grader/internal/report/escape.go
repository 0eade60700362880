package report

import "strings"

// zeroWidth is a character that nobody sees. After @ and # and inside a URL it
// keeps GitHub from making a mention, a reference or a link of plain text;
// an escape or an entity does not, because GitHub looks at the rendered text.
const zeroWidth = "&#8203;"

var markdownSpecials = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "~", `\~`, "[", `\[`, "]", `\]`, "|", `\|`, "$", `\$`,
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "\n", " ",
	"@", "@"+zeroWidth, "#", "#"+zeroWidth, "://", ":"+zeroWidth+"//", "www.", "www"+zeroWidth+".",
)

// codeSpecials keeps a name inside its code span.
var codeSpecials = strings.NewReplacer("`", "'", "\n", " ")

// escape makes text from a submission harmless in Markdown: no markup, no link,
// no mention of anybody, no broken table.
func escape(s string) string { return markdownSpecials.Replace(s) }

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
