package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/middle-go/course/grader/internal/checks"
)

func (s *Summary) writeMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s: %s\n\n", escape(s.Title), s.Status)
	b.WriteString("| exercise | verdict | checks |\n| --- | --- | --- |\n")
	for _, v := range s.Verdicts {
		list := passedChecks(v)
		if n := len(failing(v)); n > 0 {
			list = fmt.Sprintf("%d findings", n)
			if n == 1 {
				list = "1 finding"
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", escape(v.Exercise), v.Status, escape(list))
	}
	for _, v := range s.Verdicts {
		findings := failing(v)
		if len(findings) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n", escape(v.Exercise))
		s.markdownFinding(&b, findings[0])
		if len(findings) > 1 {
			b.WriteString("\nThen:\n\n")
		}
		for _, f := range findings[1:] {
			fmt.Fprintf(&b, "- %s\n", escape(s.headline(f)))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *Summary) markdownFinding(b *strings.Builder, f checks.Finding) {
	fmt.Fprintf(b, "\n**%s**", escape(s.headline(f)))
	if isTest(f) {
		fmt.Fprintf(b, " (`%s`)", codeSpecials.Replace(f.Rule))
		if p := s.position(f); p != "" {
			fmt.Fprintf(b, " %s", escape(p))
		}
	}
	b.WriteString("\n")
	if isTest(f) && f.Message != "failed" {
		fmt.Fprintf(b, "\n%s\n", escape(f.Message))
	}
	if f.Detail != "" {
		fence := strings.Repeat("`", max(3, longestRun(f.Detail, '`')+1))
		fmt.Fprintf(b, "\n%stext\n%s\n%s\n", fence, f.Detail, fence)
	}
	if f.Misconception != "" {
		fmt.Fprintf(b, "\nA belief that leads here: %s.\n", escape(f.Misconception))
	}
}

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
