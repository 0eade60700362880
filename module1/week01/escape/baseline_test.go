package escape_test

import (
	"fmt"
	"strconv"
	"unicode"

	"github.com/middle-go/course/module1/week01/escape"
)

// These are the helpers as they were given. They allocate, and they are right:
// the tests compare every output with theirs.

func slowWindow(samples []int64, size int, visit func(escape.Stats) bool) {
	slowEach(samples, size, func(s *escape.Stats) bool { return visit(*s) })
}

func slowEach(samples []int64, size int, visit func(*escape.Stats) bool) {
	if size < 1 {
		return
	}
	for len(samples) > 0 {
		n := min(size, len(samples))
		s := &escape.Stats{N: n, Min: samples[0], Max: samples[0]}
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

func slowAppendTaskID(dst []byte, shard uint16, seq uint64) []byte {
	return append(dst, fmt.Sprintf("task-%04x-%d", shard, seq)...)
}

func slowHasLabel(labels []string, want string) bool {
	for _, label := range labels {
		if slowFold(label) == slowFold(want) {
			return true
		}
	}
	return false
}

func slowFold(s string) string {
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

func slowSumPoints(ps []escape.Point) escape.Point {
	sum := slowReduce(ps, escape.Point{}, func(sum any, p escape.Point) any {
		s := sum.(escape.Point)
		return escape.Point{X: s.X + p.X, Y: s.Y + p.Y}
	})
	return sum.(escape.Point)
}

func slowReduce(ps []escape.Point, acc any, add func(acc any, p escape.Point) any) any {
	for _, p := range ps {
		acc = add(acc, p)
	}
	return acc
}

func slowClassify(status int) string {
	if status < 100 || status > 599 {
		return "other"
	}
	return strconv.Itoa(status/100) + "xx"
}
