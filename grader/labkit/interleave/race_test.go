//go:build race

package interleave_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/labkit/interleave"
)

// TestPoint_HidesNoRace writes one variable from two goroutines, the second
// time after the first has passed a point. If points ordered goroutines, the
// detector would see two ordered writes.
func TestPoint_HidesNoRace(t *testing.T) {
	if !interleave.Enabled() {
		out, err := child(t.Name(), "1").CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), "DATA RACE")
		return
	}
	var (
		shared int
		first  flag
		wg     sync.WaitGroup
	)
	wg.Go(func() {
		shared++
		interleave.Point()
		first.raise()
	})
	wg.Go(func() {
		first.await()
		interleave.Point()
		shared++
	})
	wg.Wait()
}

// flag passes a signal that the race detector does not see.
type flag struct{ up bool }

//go:norace
func (f *flag) raise() { f.up = true }

//go:norace
func (f *flag) await() {
	for !f.up {
		runtime.Gosched()
	}
}
