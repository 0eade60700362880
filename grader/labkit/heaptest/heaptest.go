// Package heaptest measures the memory that values hold.
//
//	table, held := heaptest.Held(func() []Row { return load(day) })
//	if held > 4<<20 {
//		rule.Broken(t, ...)
//	}
//	runtime.KeepAlive(table)
//
// What is measured is the live heap after garbage collections: the whole
// process, so no other goroutine may allocate meanwhile, and a test that
// measures must not run beside others. Repeated measurements differ by a few
// kilobytes, so compare megabytes.
package heaptest

import (
	"runtime"
	"runtime/metrics"
)

// Live collects garbage and returns the bytes of heap that are reachable now.
func Live() int64 {
	// The second collection frees what the first one moved out of reach by
	// running cleanups, and what sync.Pool kept for one more round.
	runtime.GC()
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// Held calls f, and returns what f returned with the bytes that live because of
// it: results, and what f left elsewhere. Keep the value alive if you need the
// memory to be.
func Held[T any](f func() T) (v T, bytes int64) {
	before := Live()
	v = f()
	bytes = Live() - before
	runtime.KeepAlive(v)
	return v, bytes
}
