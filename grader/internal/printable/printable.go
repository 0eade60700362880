// Package printable makes text that a submission controls safe for a terminal.
package printable

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// Text returns s without escape sequences and control characters, with tabs
// expanded to four spaces. Line feeds stay.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return -1
		}
		return r
	}, strings.ReplaceAll(ansi.Strip(s), "\t", "    "))
}
