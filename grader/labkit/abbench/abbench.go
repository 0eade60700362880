// Package abbench measures how many times faster a candidate is than a
// baseline, on machines that are busy with other things.
//
//	func BenchmarkJoin(b *testing.B) {
//		abbench.Compare(b,
//			func() { sink = joinBaseline(parts) },
//			func() { sink = join.Join(parts) },
//		)
//	}
//
// Two times taken one after the other differ by what the machine did meanwhile.
// So both sides run in one process in blocks of about a millisecond, in turns,
// and each pair of neighbouring blocks gives one ratio. Blocks are measured in
// CPU time of the process, which counts the garbage collector's part and leaves
// other processes out, where the system has such a clock, and in wall time
// elsewhere. GOMAXPROCS is 1 meanwhile: with more, the collector marks on every
// idle processor, and what that burns hides a true ratio of 2.
//
// So the metric is about work. It does not credit work that is spread over
// processors, and it does not see contention.
package abbench

import (
	"slices"
	"sync"
	"testing"
)

// Sample is the outcome of one comparison.
type Sample struct {
	Name    string    // full name of the benchmark
	Ratios  []float64 // baseline time / candidate time, one a round, in order
	CPUTime bool      // measured in CPU time of the process, not in wall time
}

// OnSample sets the function that gets every sample, in place of an earlier
// one. It is called from the goroutine of the benchmark. Set it before the
// benchmarks run.
func OnSample(f func(Sample)) {
	results.Lock()
	defer results.Unlock()
	results.onSample = f
}

// results hold the median of each benchmark that ran in this process.
var results = struct {
	sync.Mutex
	median   map[string]float64
	onSample func(Sample)
}{median: make(map[string]float64), onSample: func(Sample) {}}

// Compare measures candidate against baseline and reports the median ratio as
// the metric x-faster: 2 means that candidate takes half the time. Both are
// called very often, so each must leave things as it found them. Setup belongs
// in front of Compare, and what they compute must go to a package variable, or
// the compiler may drop the work.
//
// It fails b when a side cannot be measured. The iterations in the output of
// the benchmark mean nothing; there is one measurement for all of them.
func Compare(b *testing.B, baseline, candidate func()) {
	b.Helper()
	newMeter().report(b, baseline, candidate)
}

func (m meter) report(b *testing.B, baseline, candidate func()) {
	b.Helper()
	b.StopTimer()
	if b.N == 1 { // package testing calls with N = 1 first, then with more
		ratios, err := m.compare(baseline, candidate)
		if err != nil {
			b.Fatal(err)
		}
		record(Sample{Name: b.Name(), Ratios: ratios, CPUTime: cpuTime})
	}
	b.ReportMetric(medianOf(b.Name()), "x-faster")
	b.ReportMetric(0, "ns/op") // 0 hides it
}

func record(s Sample) {
	results.Lock()
	defer results.Unlock()
	results.median[s.Name] = median(s.Ratios)
	results.onSample(s)
}

func medianOf(name string) float64 {
	results.Lock()
	defer results.Unlock()
	return results.median[name]
}

// median returns the middle of x, which must not be empty.
func median(x []float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
