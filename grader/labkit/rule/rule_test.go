package rule_test

import (
	"errors"
	"testing"

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
