// Package printable makes text that a submission controls safe for a terminal.
package printable

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// Text returns s without escape sequences, control characters, and the
// characters that make text run the other way, with tabs expanded to four
// spaces. Line feeds stay. The result is valid UTF-8.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.ReplaceAll(ansi.Strip(s), "\t", "    "))
}
