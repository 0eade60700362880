package interleave

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSeed_ANumberFixesTheSequence(t *testing.T) {
	draw := func(value string) (out [64]uint64) {
		state, _ = seed(value, true)
		for i := range out {
			out[i] = next()
		}
		return out
	}
	require.Equal(t, draw("7"), draw("7"))
	require.NotEqual(t, draw("7"), draw("8"))
	require.NotEqual(t, draw("any"), draw("any"))
}

func TestNext_YieldsZeroToThreeTimesEquallyOften(t *testing.T) {
	state = 1
	var count [4]int
	for range 4000 {
		count[next()>>62]++
	}
	for _, n := range count {
		require.InDelta(t, 1000, n, 150)
	}
}
