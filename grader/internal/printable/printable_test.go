package printable_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/printable"
)

func TestText_KeepsWordsAndLinesOnly(t *testing.T) {
	for in, want := range map[string]string{
		"plain\ntext":                   "plain\ntext",
		"\x1b[2J\x1b[31mcleared\x1b[0m": "cleared",
		"a\tb\r\x07\x00":                "a    b",
		"\x1b]0;title\x07shown":         "shown",
		"größer":                        "größer",
		"a\u202eb\u2066c":               "abc",
		"cut \xc3":                      "cut \ufffd",
	} {
		require.Equal(t, want, printable.Text(in))
	}
}
