package abbench_test

import (
	"hash/crc32"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/labkit/abbench"
)

var (
	page   = make([]byte, 4096)
	digest uint32
	grown  []byte
)

func once()  { digest ^= crc32.ChecksumIEEE(page) }
func twice() { once(); once() }

func grow()      { grown = append([]byte(nil), page...) }
func growTwice() { grow(); grow() }

func TestRatios_HalfForTwiceTheWork(t *testing.T) {
	require.InDelta(t, 0.5, medianOf(t, once, twice), 0.15)
}

func TestRatios_OneForEqualWork(t *testing.T) {
	require.InEpsilon(t, 1, medianOf(t, once, once), 0.25)
}

func TestRatios_TwoForHalfTheAllocations(t *testing.T) {
	require.InDelta(t, 2, medianOf(t, growTwice, grow), 0.5)
}

func TestCompare_GivesOneSampleForAllRunsOfABenchmark(t *testing.T) {
	var samples []abbench.Sample
	runs := 0
	abbench.OnSample(func(s abbench.Sample) { samples = append(samples, s) })
	defer abbench.OnSample(func(abbench.Sample) {})

	result := testing.Benchmark(func(b *testing.B) {
		runs++
		abbench.Compare(b, once, twice)
	})

	require.Greater(t, runs, 1)
	require.Len(t, samples, 1)
	require.Len(t, samples[0].Ratios, 100)
	require.InDelta(t, 0.5, result.Extra["x-faster"], 0.15)
	require.NotContains(t, result.String(), "ns/op")
}

func medianOf(t *testing.T, baseline, candidate func()) float64 {
	t.Helper()
	ratios := slices.Sorted(slices.Values(abbench.Ratios(baseline, candidate)))
	q := func(p float64) float64 { return ratios[int(p*float64(len(ratios)-1))] }
	t.Logf("%d rounds, median %.3f, middle half %.3f to %.3f", len(ratios), q(.5), q(.25), q(.75))
	return q(.5)
}
