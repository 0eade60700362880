package printable

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

// Markdown makes s harmless text of one line in Markdown: no markup, no link, no
// mention of anybody, no broken table.
func Markdown(s string) string { return markdownSpecials.Replace(Text(s)) }

// Fenced returns s as a code block in Markdown that s cannot end.
func Fenced(language, s string) string {
	s = Text(s)
	longest, run := 0, 0
	for _, c := range s {
		if c != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", max(3, longest+1))
	return fence + language + "\n" + strings.TrimRight(s, "\n") + "\n" + fence + "\n"
}
