package tracker

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// stopWhenCovered ends a service that still runs at the end of a test by SIGTERM
// if somebody counts coverage: a process that is killed leaves none. How it ends
// is not checked; that is what tests are for.
func (tt *Tracker) stopWhenCovered(t testing.TB) {
	if os.Getenv("GOCOVERDIR") == "" {
		return
	}
	t.Cleanup(func() {
		select {
		case <-tt.Exited():
			return // expected or not: package proc knows
		default:
		}
		tt.Signal(t, syscall.SIGTERM)
		select {
		case <-tt.Exited():
		case <-time.After(coverageWithin):
		}
	})
}
