package allocs_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/labkit/allocs"
	"github.com/middle-go/course/grader/labkit/internal/tbspy"
)

var sink []byte

func TestAtMost_ReportsTheCallAndTheCount(t *testing.T) {
	allocs.Skip(t)
	spy := tbspy.Run(func(tb testing.TB) {
		allocs.AtMost(tb, 1, "grow(64)", func() { sink = make([]byte, 64); sink = make([]byte, 65) })
	})
	require.True(t, spy.Failed)
	require.Contains(t, spy.Log, "grow(64)")
	require.Contains(t, spy.Log, "got: 2 allocations per call")
	require.Contains(t, spy.Log, "at most 1")
}

func TestAtMost_AcceptsTheLimitItself(t *testing.T) {
	spy := tbspy.Run(func(tb testing.TB) {
		allocs.AtMost(tb, 1, "grow(64)", func() { sink = make([]byte, 64) })
	})
	require.False(t, spy.Failed)
}
