package verify

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// hogs keep every CPU busy while at least one examination wants it: one for each
// CPU, however many examinations there are.
var hogs struct {
	sync.Mutex
	users int
	over  *atomic.Bool
}

// startHogs keeps every CPU busy until the returned function is called. Tests
// that depend on a quiet machine fail beside it.
func startHogs() (stop func()) {
	hogs.Lock()
	defer hogs.Unlock()
	hogs.users++
	if hogs.users == 1 {
		over := new(atomic.Bool)
		hogs.over = over
		for range runtime.NumCPU() {
			go func() {
				for !over.Load() {
				}
			}()
		}
	}
	return func() {
		hogs.Lock()
		defer hogs.Unlock()
		hogs.users--
		if hogs.users == 0 {
			hogs.over.Store(true)
		}
	}
}
