// Package rule reports that a submission breaks the rule a test states.
//
// The report is what a stuck student reads, so it has four parts: code to paste
// and try, what it gave, what it should give, and why that matters.
//
//	if got := Sum(nil); got != 0 {
//		rule.Broken(t, rule.Case{
//			Do:   "Sum(nil)",
//			Got:  got,
//			Want: 0,
//			Why:  "An empty invoice costs nothing.",
//		})
//	}
package rule

import (
	"fmt"
	"strings"
	"testing"
)

// Case is one broken rule.
type Case struct {
	Do   string // Go code that a student can paste into a test or a main function
	Got  any    // what the code gave; strings are quoted, a [Text] is not
	Want any    // what the rule demands
	Why  string // one sentence: what goes wrong in production otherwise
}

// Text is a Got or Want in words, printed as it stands.
type Text string

// Textf formats a [Text].
func Textf(format string, a ...any) Text { return Text(fmt.Sprintf(format, a...)) }

// Broken fails t with c and stops the test. Like t.FailNow it must be called
// from the goroutine that runs the test.
func Broken(t testing.TB, c Case) {
	t.Helper()
	t.Fatal(c.String())
}

// String returns the report, with the parts aligned in one column.
func (c Case) String() string {
	var b strings.Builder
	for _, part := range []struct{ label, text string }{
		{"do", c.Do}, {"got", show(c.Got)}, {"want", show(c.Want)}, {"why", c.Why},
	} {
		if part.text == "" {
			continue
		}
		fmt.Fprintf(&b, "\n%5s: %s", part.label, indent(part.text))
	}
	return b.String()
}

const hanging = "       " // the width of "want: " and its margin

func indent(s string) string {
	return strings.ReplaceAll(strings.Trim(s, "\n"), "\n", "\n"+hanging)
}

func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case Text:
		return string(v)
	case string:
		return fmt.Sprintf("%q", v)
	case []byte:
		return fmt.Sprintf("%q", v)
	case error:
		return fmt.Sprintf("error %q", v) // fmt survives an Error that panics
	case fmt.Stringer:
		return fmt.Sprint(v)
	case []string:
		return fmt.Sprintf("%q", v)
	default:
		return fmt.Sprintf("%+v", v)
	}
}
