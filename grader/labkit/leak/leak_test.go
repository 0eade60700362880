package leak_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/labkit/internal/tbspy"
	"github.com/middle-go/course/grader/labkit/leak"
)

func TestCheck_NamesTheGoroutineThatStayed(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	spy := tbspy.Run(func(tb testing.TB) {
		leak.Check(tb)
		go waitForever(stop)
	})
	require.True(t, spy.Failed)
	require.Contains(t, spy.Log, "waitForever")
}

func TestCheck_AcceptsGoroutinesThatStopped(t *testing.T) {
	spy := tbspy.Run(func(tb testing.TB) {
		leak.Check(tb)
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() { defer close(stopped); waitForever(stop) }()
		close(stop)
		<-stopped
	})
	require.False(t, spy.Failed, spy.Log)
}

func TestCheck_IgnoresWhatRanBefore(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	go waitForever(stop)
	spy := tbspy.Run(func(tb testing.TB) { leak.Check(tb) })
	require.False(t, spy.Failed, spy.Log)
}

func waitForever(stop <-chan struct{}) { <-stop }
