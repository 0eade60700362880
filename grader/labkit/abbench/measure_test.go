package abbench

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// bench is a fake machine: its clocks advance only by what the sides cost.
type bench struct {
	cpu, waited time.Duration
	calls       strings.Builder
}

func (b *bench) meter() meter {
	return meter{
		work: func() time.Duration { return b.cpu },
		wall: func() time.Time { return time.Unix(0, 0).Add(b.cpu + b.waited) },
	}
}

func (b *bench) side(name string, cpu, wait time.Duration) func() {
	return func() {
		b.cpu += cpu
		b.waited += wait
		b.calls.WriteString(name)
	}
}

func TestCompare_DividesBaselineByCandidateTime(t *testing.T) {
	var b bench
	ratios, err := b.meter().compare(b.side("A", 30*time.Microsecond, 0), b.side("B", 10*time.Microsecond, 0))
	require.NoError(t, err)
	require.Len(t, ratios, steady.rounds)
	require.InDelta(t, 3, slices.Min(ratios), 1e-9)
	require.InDelta(t, 3, slices.Max(ratios), 1e-9)
}

func TestRounds_LetTheSidesTakeTurnsInGoingFirst(t *testing.T) {
	var b bench
	_, err := b.meter().rounds(4, [2]side{
		{f: b.side("A", time.Millisecond, 0), calls: 2},
		{f: b.side("B", time.Millisecond, 0), calls: 1},
	})
	require.NoError(t, err)
	require.Equal(t, "AAB BAA AAB BAA AAB", inRounds(b.calls.String(), 3))
}

func TestRounds_DropTheFirst(t *testing.T) {
	var b bench
	cold := 9 * time.Second
	ratios, err := b.meter().rounds(10, [2]side{
		{f: func() { b.cpu += time.Millisecond + cold; cold = 0 }, calls: 1},
		{f: b.side("B", time.Millisecond, 0), calls: 1},
	})
	require.NoError(t, err)
	require.Len(t, ratios, 10)
	require.InDelta(t, 1, slices.Max(ratios), 1e-9)
}

func TestCompare_FillsBlocksOfOneMillisecond(t *testing.T) {
	var b bench
	s := side{f: b.side("A", 10*time.Microsecond, 0)}
	require.NoError(t, b.meter().calibrate(&s))
	require.Equal(t, 100, s.calls)

	s = side{f: b.side("A", time.Second, 0)}
	require.NoError(t, b.meter().calibrate(&s))
	require.Equal(t, 1, s.calls)
}

func TestCompare_StopsEarlyWhenACallTakesLong(t *testing.T) {
	var b bench
	ratios, err := b.meter().compare(b.side("A", 2*time.Second, 0), b.side("B", time.Second, 0))
	require.NoError(t, err)
	require.Len(t, ratios, minRounds)
}

func TestCompare_NamesTheSideThatUsesNoProcessorTime(t *testing.T) {
	var b bench
	_, err := b.meter().compare(b.side("A", time.Millisecond, 0), b.side("B", 0, time.Millisecond))
	require.EqualError(t, err, "abbench: the candidate cannot be measured: in 2.047s it used 0s of processor time; does it wait instead of working?")
}

func TestCompare_FailsTheBenchmarkThatCannotBeMeasured(t *testing.T) {
	var failed bool
	testing.Benchmark(func(b *testing.B) {
		defer func() { failed = b.Failed() }()
		var fake bench
		fake.meter().report(b, fake.side("A", time.Millisecond, 0), fake.side("B", 0, time.Millisecond))
	})
	require.True(t, failed)
}

func TestRounds_NameTheSideWhoseBlockShowsNoTime(t *testing.T) {
	var b bench
	_, err := b.meter().rounds(1, [2]side{
		{name: "baseline", f: b.side("A", time.Millisecond, 0), calls: 1},
		{name: "candidate", f: b.side("B", 0, 0), calls: 7},
	})
	require.EqualError(t, err, "abbench: 7 calls of the candidate took no time that the clock can show")
}

func TestMedian_IsTheMiddle(t *testing.T) {
	require.InDelta(t, 3, median([]float64{9, 1, 3}), 0)
	require.InDelta(t, 2, median([]float64{3, 9, 0, 1}), 0)
}

// inRounds cuts calls into groups of n.
func inRounds(calls string, n int) string {
	var groups []string
	for g := range slices.Chunk([]byte(calls), n) {
		groups = append(groups, string(g))
	}
	return strings.Join(groups, " ")
}
