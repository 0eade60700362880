package printable_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/printable"
)

func addHostile(f *testing.F) {
	for _, s := range []string{
		"plain\ntext", "\x1b[2J\x1b[31mcleared\x1b[0m", "a\tb\r\x07\x00", "\x1b]0;title\x07shown", "größer", "a\u202eb\u2066c", "cut \xc3",
		"\x9b31m\u009b31m", "\x1b\x1b[[31m31m", "\x90\x1b\\", "\x1bP\xff", "````\n# Passed", "~~~\n```\n", "[l](https://x) www.y.z @a #1 <b>&lt; \\`",
	} {
		f.Add(s)
	}
}

// Nothing is left that moves a cursor or turns text around, and honest text
// stays as it is.
func FuzzText(f *testing.F) {
	addHostile(f)
	f.Fuzz(func(t *testing.T, s string) {
		text := printable.Text(s)
		require.True(t, utf8.ValidString(text))
		for _, r := range text {
			require.False(t, unicode.IsControl(r) && r != '\n', "%q", r)
			require.False(t, unicode.Is(unicode.Bidi_Control, r), "%q", r)
		}
		require.Equal(t, text, printable.Text(text))
		require.LessOrEqual(t, len(text), 4*len(s))
		require.LessOrEqual(t, strings.Count(text, "\n"), strings.Count(s, "\n"))
		if !strings.ContainsFunc(s, func(r rune) bool {
			return r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
		}) {
			require.Equal(t, s, text)
		}
	})
}

var (
	escapedInMarkdown = regexp.MustCompile("\\\\[\\\\`*_~\\[\\]|$]")
	entities          = regexp.MustCompile(`&(amp|lt|gt|#8203);`)
)

// Text in Markdown is one line without markup: what is left when escapes are
// taken out means nothing.
func FuzzMarkdown(f *testing.F) {
	addHostile(f)
	f.Fuzz(func(t *testing.T, s string) {
		out := printable.Markdown(s)
		require.Equal(t, out, printable.Text(out))
		rest := entities.ReplaceAllString(escapedInMarkdown.ReplaceAllString(out, ""), "\x00")
		require.False(t, strings.ContainsAny(rest, "\\`*_~[]|$<>&\n"), "%q", rest)
		require.NotRegexp(t, "[@#]($|[^\x00])", rest, "a mention or a reference")
		require.NotContains(t, out, "www.")
		require.NotContains(t, out, "://")
	})
}

// No line of the text ends the block that it stands in.
func FuzzFenced(f *testing.F) {
	addHostile(f)
	f.Fuzz(func(t *testing.T, s string) {
		block := printable.Fenced("go", s)
		opening, rest, _ := strings.Cut(block, "\n")
		fence := strings.TrimSuffix(opening, "go")
		require.Regexp(t, "^```+$", fence)
		inside, ok := strings.CutSuffix(rest, "\n"+fence+"\n")
		require.True(t, ok)
		for line := range strings.Lines(inside) {
			closing := strings.TrimSpace(line)
			require.False(t, strings.Trim(closing, "`") == "" && len(closing) >= len(fence), "%q", line)
		}
		require.Equal(t, strings.TrimRight(printable.Text(s), "\n"), inside)
	})
}
