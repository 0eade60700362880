//course:since m01b

package ttlog

import (
	"cmp"
	"container/heap"
	"slices"
)

// count says how often a path came: at least N-Err times and at most N times.
type count struct {
	Path string `json:"path"`
	N    int64  `json:"n"`
	Err  int64  `json:"err"`
}

// counters count paths with a fixed number of counters. It is the space-saving
// algorithm: a path without a counter takes over the lowest one, with its count
// as the error.
type counters struct {
	size   int
	byPath map[string]*counter
	lowest counterHeap
}

type counter struct {
	count
	index int // in the heap
}

func newCounters(size int) *counters {
	return &counters{size: size, byPath: make(map[string]*counter)}
}

func (s *counters) add(path string) {
	c, ok := s.byPath[path]
	switch {
	case ok:
		c.N++
	case len(s.lowest) < s.size:
		c = &counter{count: count{Path: path, N: 1}}
		heap.Push(&s.lowest, c)
	default:
		c = s.lowest[0]
		delete(s.byPath, c.Path)
		c.count = count{Path: path, N: c.N + 1, Err: c.N}
	}
	s.byPath[path] = c
	heap.Fix(&s.lowest, c.index)
}

// top returns the n paths that came most often. Equal ones are in the order of
// bytes.
func (s *counters) top(n int) []count {
	all := make([]count, 0, len(s.lowest))
	for _, c := range s.lowest {
		all = append(all, c.count)
	}
	slices.SortFunc(all, func(a, b count) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Path, b.Path))
	})
	return all[:min(n, len(all))]
}

type counterHeap []*counter

func (h counterHeap) Len() int           { return len(h) }
func (h counterHeap) Less(i, j int) bool { return h[i].N < h[j].N }
func (h counterHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *counterHeap) Push(x any) {
	c := x.(*counter)
	c.index = len(*h)
	*h = append(*h, c)
}

func (h *counterHeap) Pop() any { panic("ttlog: a counter is never removed") }
