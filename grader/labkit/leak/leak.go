// Package leak finds goroutines that a test started and did not stop.
package leak

import (
	"testing"

	"go.uber.org/goleak"
)

// Check fails t at its end if a goroutine that was started after Check still
// runs. Goroutines that are about to finish are waited for, at most about half
// a second.
//
//	func TestWatcher_CloseStopsEverything(t *testing.T) {
//		leak.Check(t)
//		...
//	}
//
// Check must not be used in a test that runs beside parallel tests.
func Check(t testing.TB) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		t.Helper()
		if err := goleak.Find(before); err != nil {
			t.Errorf("a goroutine is still running after the test\n%v", err)
		}
	})
}

// Find returns an error that lists the goroutines, other than the caller's and
// those of package testing, that still run. It waits about half a second for
// goroutines that are about to finish.
func Find() error { return goleak.Find() }
