package grade_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/verify"
)

// newCutTracker returns a tracker whose program came with m04a.
func newCutTracker(t *testing.T) (tracker, *verify.Verifier) {
	t.Helper()
	tr := newTracker(t)
	tr.edit(t, "cmd/tasktracker/main.go", "// Tasktracker counts over HTTP.", "//course:since m04a\n\n// Tasktracker counts over HTTP.")
	return tr, &verify.Verifier{Grader: tr.grader, Solutions: tr.student, Runs: 1, CacheDir: t.TempDir()}
}

func (tr tracker) cut(t *testing.T, v *verify.Verifier, id string) *verify.Cut {
	t.Helper()
	c, err := v.Cut(t.Context(), tr.milestone(t, id))
	require.NoError(t, err)
	return c
}

func TestVerify_EveryCutHolds(t *testing.T) {
	tr, v := newCutTracker(t)
	for _, id := range []string{"m01b", "m04a"} {
		c := tr.cut(t, v, id)
		require.Empty(t, c.Problems, id)
		require.Equal(t, 1, c.Suites, "from m04a on the tests do not look into packages")
		require.Equal(t, 1, c.Passed)
		require.False(t, c.Cached)
		require.True(t, tr.cut(t, v, id).Cached)
	}
	tr.edit(t, "cmd/tasktracker/main.go", "Tasktracker counts", "Tasktracker still counts")
	require.True(t, tr.cut(t, v, "m01b").Cached, "what came later is no part of it")
	require.False(t, tr.cut(t, v, "m04a").Cached)
}

func TestVerify_FindsACutThatDoesNotHold(t *testing.T) {
	for name, tc := range map[string]struct {
		file, old, new string
		want           string
	}{
		"a marker": {"store/store.go", "// Counter counts.", "//course:since m04\n\n// Counter counts.",
			`solutions/tasktracker/store/store.go:6: "m04" is no milestone`},
		"a build": {"store/store.go", "\tn  int\n", "\t//course:since m04a\n\tn int\n\t//course:end\n",
			"somebody who has caught up does not get past go vet:\n"},
		"the tests of the reference": {"store/store.go", "\tc.n++\n", "\t//course:since m04a\n\tc.n++\n\t//course:end\n",
			"the tests of the reference fail:\n--- FAIL: TestAdd"},
		"a suite": {"store/store_test.go", "package store_test", "//course:since m04a\n\npackage store_test",
			"m01b does not pass: "},
	} {
		t.Run(name, func(t *testing.T) {
			tr, v := newCutTracker(t)
			tr.edit(t, tc.file, tc.old, tc.new)
			for range 2 { // what does not hold is not remembered
				c := tr.cut(t, v, "m01b")
				require.Len(t, c.Problems, 1)
				require.Contains(t, c.Problems[0], tc.want)
				require.False(t, c.Cached)
			}
		})
	}
}
