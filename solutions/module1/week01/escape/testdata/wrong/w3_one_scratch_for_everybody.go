// Wrong: believes that a scratch buffer of the package is a free stack variable.
// Caught by: TestAll_Parallel

// Package escape holds five helpers of the metrics path: they run for every
// request that the service answers.
package escape

import (
	"strconv"
	"strings"
)

// Stats summarises one window of samples.
type Stats struct {
	N             int // number of samples, at least 1
	Min, Max, Sum int64
}

// Point is a position on the heat map.
type Point struct{ X, Y int64 }

// Window cuts samples into consecutive windows of size samples and calls visit
// with the statistics of each, in order, until visit returns false. The last
// window may be shorter. There is none if samples is empty or size is less than
// 1. Sums wrap around as int64 does.
func Window(samples []int64, size int, visit func(Stats) bool) {
	if size < 1 {
		return
	}
	for len(samples) > 0 {
		n := min(size, len(samples))
		if !visit(summarise(samples[:n])) {
			return
		}
		samples = samples[n:]
	}
}

// summarise returns the statistics of window, which is not empty.
func summarise(window []int64) Stats {
	s := Stats{N: len(window), Min: window[0], Max: window[0]}
	for _, v := range window {
		s.Min = min(s.Min, v)
		s.Max = max(s.Max, v)
		s.Sum += v
	}
	return s
}

// scratch is where ids are built.
var scratch [32]byte

// AppendTaskID appends the id of a task to dst and returns the extended slice,
// as append does. An id is "task-", shard in four lower-case hexadecimal digits,
// "-" and seq in decimal: task-00ff-42.
func AppendTaskID(dst []byte, shard uint16, seq uint64) []byte {
	const hex = "0123456789abcdef"
	id := append(scratch[:0], "task-"...)
	id = append(id, hex[shard>>12], hex[shard>>8&0xf], hex[shard>>4&0xf], hex[shard&0xf], '-')
	return append(dst, strconv.AppendUint(id, seq, 10)...)
}

// HasLabel reports whether want is one of labels. Labels are equal under simple
// Unicode case folding, and bytes that are not UTF-8 count as U+FFFD.
func HasLabel(labels []string, want string) bool {
	for _, label := range labels {
		if strings.EqualFold(label, want) {
			return true
		}
	}
	return false
}

// SumPoints returns the sum of ps, for each coordinate, wrapping around as
// int64 does. The sum of nothing is the zero Point.
func SumPoints(ps []Point) Point {
	var sum Point
	for _, p := range ps {
		sum.X += p.X
		sum.Y += p.Y
	}
	return sum
}

// Classify returns the class of an HTTP status: "1xx" to "5xx" for 100 to 599,
// "other" for the rest.
func Classify(status int) string {
	switch status / 100 {
	case 1:
		return "1xx"
	case 2:
		return "2xx"
	case 3:
		return "3xx"
	case 4:
		return "4xx"
	case 5:
		return "5xx"
	default:
		return "other"
	}
}
