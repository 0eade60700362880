// Package handles keeps values in an arena and refers to them by small handles.
// The use of a handle whose value was removed is detected.
package handles

import (
	"errors"
	"iter"
	"sync/atomic"
)

// The reasons for which an arena rejects a handle. Test for them with
// [errors.Is].
var (
	ErrStale   = errors.New("handles: the value was removed")
	ErrForeign = errors.New("handles: the handle belongs to another arena")
	ErrZero    = errors.New("handles: zero handle")
)

// Handle names one value of one arena. An arena never gives out the same handle
// twice, and no two arenas of a program give out equal handles. Handles are
// comparable, may be copied and stored freely, and keep nothing in memory.
type Handle struct {
	arena uint64 // never zero in a handle that was issued
	index uint32
	gen   uint32
}

// IsZero reports whether h is the zero Handle, which names nothing.
func (h Handle) IsZero() bool { return h == Handle{} }

// Option configures an arena.
type Option func(*config)

type config struct{ maxGen uint32 }

const defaultBits = 32

// WithGenerationBits limits the generation of a slot to n bits: a slot serves at
// most 2^n values, one after another, and then retires. The default is 32, which
// is also used for n of 0 and for n above 32.
func WithGenerationBits(n uint8) Option {
	if n == 0 || n > defaultBits {
		n = defaultBits
	}
	return func(c *config) { c.maxGen = uint32(1<<n - 1) }
}

const chunkSize = 64

type slot[T any] struct {
	value T
	gen   uint32 // of the current value, or of the next one
	next  uint32 // 1 + index of the next free slot, or 0
	live  bool
}

var arenas atomic.Uint64

// Arena owns values of type T. Create one with [NewArena]. An Arena is not safe
// for concurrent use; different arenas are independent of each other.
type Arena[T any] struct {
	id     uint64
	maxGen uint32
	chunks []*[chunkSize]slot[T]
	made   int
	free   uint32 // 1 + index of the first free slot, or 0
	length int
}

// NewArena returns an empty arena. It may be called from several goroutines at
// once.
func NewArena[T any](opts ...Option) *Arena[T] {
	c := config{maxGen: 1<<defaultBits - 1}
	for _, opt := range opts {
		opt(&c)
	}
	return &Arena[T]{id: arenas.Add(1), maxGen: c.maxGen}
}

func (a *Arena[T]) slot(i uint32) *slot[T] { return &a.chunks[i/chunkSize][i%chunkSize] }

// Insert stores v and returns its handle, which is never the zero Handle.
func (a *Arena[T]) Insert(v T) Handle {
	var i uint32
	var s *slot[T]
	if a.free != 0 {
		i = a.free - 1
		s = a.slot(i)
		a.free = s.next
		s.next = 0
	} else {
		if a.made == len(a.chunks)*chunkSize {
			a.chunks = append(a.chunks, new([chunkSize]slot[T]))
		}
		i = uint32(a.made)
		a.made++
		s = a.slot(i)
	}
	s.value, s.live = v, true
	a.length++
	return Handle{arena: a.id, index: i, gen: s.gen}
}

func (a *Arena[T]) find(h Handle) (*slot[T], error) {
	switch {
	case h.IsZero():
		return nil, ErrZero
	case h.arena != a.id:
		return nil, ErrForeign
	}
	s := a.slot(h.index)
	if !s.live || s.gen != h.gen {
		return nil, ErrStale
	}
	return s, nil
}

// Get returns a pointer to the value of h. The pointer is valid until the value
// is removed, also when the arena grows. The error is ErrZero, ErrForeign or
// ErrStale; the pointer is nil then.
func (a *Arena[T]) Get(h Handle) (*T, error) {
	s, err := a.find(h)
	if err != nil {
		return nil, err
	}
	return &s.value, nil
}

// Remove takes the value of h out of the arena and returns it. From then on h is
// stale. The error is ErrZero, ErrForeign or ErrStale; the value is the zero T
// and the arena is unchanged then.
func (a *Arena[T]) Remove(h Handle) (T, error) {
	var zero T
	s, err := a.find(h)
	if err != nil {
		return zero, err
	}
	v := s.value
	s.value, s.live = zero, false
	a.length--
	if s.gen < a.maxGen {
		s.gen++
		s.next = a.free
		a.free = h.index + 1
	}
	return v, nil
}

// Len returns how many values the arena holds.
func (a *Arena[T]) Len() int { return a.length }

// Cap returns how many slots the arena has made: occupied, free and retired. It
// never falls.
func (a *Arena[T]) Cap() int { return a.made }

// All yields every value with its handle, in no particular order. The loop may
// insert and remove, the current value too. A value that is removed before its
// turn is not yielded; one that is inserted by the loop may or may not be. The
// loop ends even if it inserts a value in every step.
func (a *Arena[T]) All() iter.Seq2[Handle, *T] {
	return func(yield func(Handle, *T) bool) {
		for i, n := uint32(0), uint32(a.made); i < n; i++ {
			s := a.slot(i)
			if s.live && !yield(Handle{arena: a.id, index: i, gen: s.gen}, &s.value) {
				return
			}
		}
	}
}
