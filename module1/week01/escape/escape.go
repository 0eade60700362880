// Package escape holds five helpers of the metrics path: they run for every
// request that the service answers.
package escape

import (
	"fmt"
	"strconv"
	"unicode"
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
	each(samples, size, func(s *Stats) bool { return visit(*s) })
}

// each calls visit for each window. Private: its signature is yours to change.
func each(samples []int64, size int, visit func(*Stats) bool) {
	if size < 1 {
		return
	}
	for len(samples) > 0 {
		n := min(size, len(samples))
		s := &Stats{N: n, Min: samples[0], Max: samples[0]}
		for _, v := range samples[:n] {
			s.Min = min(s.Min, v)
			s.Max = max(s.Max, v)
			s.Sum += v
		}
		if !visit(s) {
			return
		}
		samples = samples[n:]
	}
}

// AppendTaskID appends the id of a task to dst and returns the extended slice,
// as append does. An id is "task-", shard in four lower-case hexadecimal digits,
// "-" and seq in decimal: task-00ff-42.
func AppendTaskID(dst []byte, shard uint16, seq uint64) []byte {
	return append(dst, fmt.Sprintf("task-%04x-%d", shard, seq)...)
}

// HasLabel reports whether want is one of labels. Labels are equal under simple
// Unicode case folding, and bytes that are not UTF-8 count as U+FFFD.
func HasLabel(labels []string, want string) bool {
	for _, label := range labels {
		if fold(label) == fold(want) {
			return true
		}
	}
	return false
}

// fold maps every letter of s to the smallest letter of its case orbit, so that
// K, k and the Kelvin sign become one. Private: its signature is yours to change.
func fold(s string) string {
	var folded []rune
	for _, r := range s {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		folded = append(folded, least)
	}
	return string(folded)
}

// SumPoints returns the sum of ps, for each coordinate, wrapping around as
// int64 does. The sum of nothing is the zero Point.
func SumPoints(ps []Point) Point {
	sum := reduce(ps, Point{}, func(sum any, p Point) any {
		s := sum.(Point)
		return Point{X: s.X + p.X, Y: s.Y + p.Y}
	})
	return sum.(Point)
}

// reduce folds ps into acc. Private: its signature is yours to change.
func reduce(ps []Point, acc any, add func(acc any, p Point) any) any {
	for _, p := range ps {
		acc = add(acc, p)
	}
	return acc
}

// Classify returns the class of an HTTP status: "1xx" to "5xx" for 100 to 599,
// "other" for the rest.
func Classify(status int) string {
	if status < 100 || status > 599 {
		return "other"
	}
	return strconv.Itoa(status/100) + "xx"
}
