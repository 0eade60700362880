//course:since m01b

package ttlog

import (
	"math/bits"
	"time"
)

// histogram counts durations in buckets. Durations below 128 ns have a bucket
// each. From there on each power of two has 64 buckets, so the middle of a
// bucket is within 1/128 of all that is in it.
type histogram [58 * perPower]int64

const (
	perPower     = 1 << perPowerBits
	perPowerBits = 6
)

func (h *histogram) add(d time.Duration) {
	v := uint64(d)
	shift := max(bits.Len64(v)-perPowerBits-1, 0)
	h[shift*perPower+int(v>>shift)]++
}

// middle returns the middle of bucket i.
func middle(i int) time.Duration {
	shift := max(i/perPower-1, 0)
	width := time.Duration(1) << shift
	return time.Duration(i-shift*perPower)*width + width/2
}

// quantile returns a duration that percent of all durations do not exceed.
func (h *histogram) quantile(percent int64) time.Duration {
	var total int64
	for _, n := range h {
		total += n
	}
	rank := (total*percent + 99) / 100
	for i, n := range h {
		rank -= n
		if n > 0 && rank <= 0 {
			return middle(i)
		}
	}
	return 0
}
