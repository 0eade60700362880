// Package interleave shakes the order in which goroutines run, so that a
// logical race shows in almost every run instead of in one of a thousand.
//
// The grader inserts calls to [Point] around the lock, channel and atomic
// operations of a submission and runs its tests with GRADER_INTERLEAVE set.
// Points only yield. A sleep would freeze a testing/synctest bubble whose
// goroutines wait for a mutex that the sleeper holds.
package interleave

import (
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
)

// Variable is the environment variable that switches the points on. Its value
// is a seed, a decimal unsigned 64-bit number; any other text, the empty one
// included, means a random seed. It is read once, when the process starts.
//
// The seed chooses the sequence of yields, not the schedule: a run repeats
// itself at best with GOMAXPROCS=1 and without the race detector.
const Variable = "GRADER_INTERLEAVE"

var state, enabled = seed(os.LookupEnv(Variable))

// Enabled reports whether [Point] yields in this process.
func Enabled() bool { return enabled }

// Point yields the processor 0 to 3 times when the points are switched on, and
// does nothing otherwise. Any goroutine may call it. It orders nothing: the
// race detector finds the same races with and without points.
func Point() {
	if enabled {
		yield()
	}
}

func yield() {
	for range next() >> 62 {
		runtime.Gosched()
	}
}

// next is splitmix64 over a shared state that nothing guards. A lock or an
// atomic operation would order the goroutines under test and so hide their
// races from the detector. An update that is lost repeats a random number.
//
//go:norace
func next() uint64 {
	state += 0x9e3779b97f4a7c15
	z := state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func seed(value string, set bool) (uint64, bool) {
	if n, err := strconv.ParseUint(value, 10, 64); err == nil {
		return n, set
	}
	return rand.Uint64(), set
}
