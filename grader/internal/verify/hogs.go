package verify

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// startHogs keeps every CPU busy until the returned function is called. Tests
// that depend on a quiet machine fail beside it.
func startHogs() (stop func()) {
	var over atomic.Bool
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for !over.Load() {
			}
		})
	}
	return func() {
		over.Store(true)
		wg.Wait()
	}
}
