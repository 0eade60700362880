package gctest_test

import (
	"runtime"
	"testing"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/labkit/gctest"
	"github.com/middle-go/course/grader/labkit/internal/tbspy"
)

type order struct {
	id    int64
	lines [8]int64
}

func TestCollected_PassesWhenNothingHoldsTheValue(t *testing.T) {
	p := weak.Make(&order{id: 1})
	gctest.Collected(t, p, "forget(order)", "the order")
}

func TestCollected_FailsWhileSomethingHoldsTheValue(t *testing.T) {
	o := &order{id: 1}
	p := weak.Make(o)
	spy := tbspy.Run(func(tb testing.TB) { gctest.Collected(tb, p, "forget(order)", "the order") })
	require.True(t, spy.Failed)
	require.Contains(t, spy.Log, "the order is still reachable")
	runtime.KeepAlive(o)
}

func TestAlive_FailsOnceTheValueIsGone(t *testing.T) {
	p := weak.Make(&order{id: 1})
	spy := tbspy.Run(func(tb testing.TB) { gctest.Alive(tb, p, "forget(order)", "the order") })
	require.True(t, spy.Failed)
	require.Contains(t, spy.Log, "was collected")
}

func TestCollected_RefusesTinyTypes(t *testing.T) {
	spy := tbspy.Run(func(tb testing.TB) { gctest.Collected(tb, weak.Make(new(int32)), "forget(order)", "an int32") })
	require.True(t, spy.Failed)
	require.Contains(t, spy.Log, "cannot watch a int32")

	spy = tbspy.Run(func(tb testing.TB) { gctest.Collected(tb, weak.Make(new(*int)), "forget(order)", "a pointer") })
	require.False(t, spy.Failed, "a small value that holds a pointer is not batched")
}

func TestEventually_LetsCleanupsRun(t *testing.T) {
	ran := make(chan struct{}, 1)
	runtime.AddCleanup(&order{}, func(c chan struct{}) { c <- struct{}{} }, ran)
	gctest.Eventually(t, "forget(order)", "the cleanup has run", func() bool { return len(ran) == 1 })
}

func TestEventually_FailsWithTheCondition(t *testing.T) {
	spy := tbspy.Run(func(tb testing.TB) {
		gctest.Eventually(tb, "forget(order)", "pigs fly", func() bool { return false })
	})
	require.True(t, spy.Failed)
	require.Contains(t, spy.Log, "pigs fly")
}
