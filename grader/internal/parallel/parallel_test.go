package parallel_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/parallel"
)

func TestEach_KeepsWithinTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, peak, calls atomic.Int64
		start := time.Now()
		err := parallel.Each(t.Context(), 3, make([]int, 9), func(context.Context, int, int) error {
			peak.Store(max(peak.Load(), running.Add(1)))
			time.Sleep(time.Hour)
			running.Add(-1)
			calls.Add(1)
			return nil
		})
		require.NoError(t, err)
		require.EqualValues(t, 9, calls.Load())
		require.EqualValues(t, 3, peak.Load())
		require.Equal(t, 3*time.Hour, time.Since(start))
	})
}

func TestEach_StartsInOrder(t *testing.T) {
	var order []int
	err := parallel.Each(t.Context(), 1, []int{3, 1, 2}, func(_ context.Context, _, item int) error {
		order = append(order, item)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []int{3, 1, 2}, order)
}

func TestEach_FirstErrorStopsTheRest(t *testing.T) {
	broken := errors.New("broken")
	var calls atomic.Int64
	err := parallel.Each(t.Context(), 1, make([]int, 100), func(context.Context, int, int) error {
		calls.Add(1)
		return broken
	})
	require.ErrorIs(t, err, broken)
	require.EqualValues(t, 1, calls.Load())
}

func TestEach_ErrorCancelsCallsUnderWay(t *testing.T) {
	broken := errors.New("broken")
	err := parallel.Each(t.Context(), 2, []string{"waits", "fails"}, func(ctx context.Context, _ int, item string) error {
		if item == "fails" {
			return broken
		}
		<-ctx.Done()
		return context.Cause(ctx)
	})
	require.ErrorIs(t, err, broken)
}

func TestEach_ReturnsTheCauseOfItsContext(t *testing.T) {
	interrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(interrupted)
	err := parallel.Each(ctx, 2, []int{1, 2}, func(context.Context, int, int) error {
		t.Error("started work for a cancelled context")
		return nil
	})
	require.ErrorIs(t, err, interrupted)
}
