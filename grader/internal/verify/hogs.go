package verify

import (
	"runtime"
	"sync/atomic"
)

// examinations is how many are in progress. Each keeps a CPU busy.
var examinations atomic.Int32

// startHogs keeps the CPUs busy that other examinations leave idle, until the
// returned function is called: tests that depend on a quiet machine fail beside
// a busy one.
func startHogs() (stop func()) {
	var over atomic.Bool
	for range runtime.NumCPU() - int(examinations.Load()-1) {
		go func() {
			for !over.Load() {
			}
		}()
	}
	return func() { over.Store(true) }
}
