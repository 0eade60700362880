package rule_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/labkit/internal/tbspy"
	"github.com/middle-go/course/grader/labkit/rule"
)

func TestBroken_StopsTheTestAndShowsFourParts(t *testing.T) {
	reached := false
	spy := tbspy.Run(func(tb testing.TB) {
		rule.Broken(tb, rule.Case{
			Do:   "s := NewStack()\ns.Pop()",
			Got:  "",
			Want: errors.New("stack: empty"),
			Why:  "A caller that ignores the error would charge order 0.",
		})
		reached = true
	})
	require.True(t, spy.Failed)
	require.False(t, reached)
	require.Equal(t, `
   do: s := NewStack()
       s.Pop()
  got: ""
 want: error "stack: empty"
  why: A caller that ignores the error would charge order 0.
`, spy.Log)
}

func TestCase_ShowsValuesAsGoProgrammersWriteThem(t *testing.T) {
	for _, tc := range []struct {
		got  any
		want string
	}{
		{nil, "nil"},
		{[]string{"a b", ""}, `["a b" ""]`},
		{[]byte("x\n"), `"x\n"`},
		{struct{ N int }{3}, "{N:3}"},
		{rule.Textf("%d tasks", 2), "2 tasks"},
		{(*refusal)(nil), "error <nil>"},
	} {
		require.Contains(t, rule.Case{Got: tc.got}.String(), "got: "+tc.want)
	}
}

// refusal is an error that nil does not survive.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

func TestDuration_IsGoCode(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                       "0",
		1:                       "1",
		-time.Second:            "-1*time.Second",
		time.Second:             "time.Second",
		90 * time.Second:        "90*time.Second",
		2 * time.Minute:         "2*time.Minute",
		48 * time.Hour:          "48*time.Hour",
		1500 * time.Millisecond: "1500*time.Millisecond",
		time.Second + 1:         "1000000001",
	} {
		if got := rule.Duration(d); got != want {
			t.Errorf("Duration(%v) = %s, want %s", d, got, want)
		}
	}
}
