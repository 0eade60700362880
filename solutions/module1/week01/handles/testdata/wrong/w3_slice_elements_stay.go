// Wrong: believes that the address of a slice element is stable.
// Caught by: TestPointerStableAcrossGrowth

// Package handles keeps values in an arena and refers to them by small handles.
// The use of a handle whose value was removed is detected.
package handles

import (
	"cmp"
	"errors"
	"iter"
	"math"
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
	arena      uint64 // 0 in the zero handle only
	index      uint32
	generation uint32
}

// IsZero reports whether h is the zero Handle, which names nothing.
func (h Handle) IsZero() bool { return h == Handle{} }

// Option configures an arena.
type Option func(*config)

type config struct{ generationBits uint8 }

// WithGenerationBits limits the generation of a slot to n bits: a slot serves at
// most 2^n values, one after another, and then retires. The default is 32, which
// is also used for n of 0 and for n above 32.
func WithGenerationBits(n uint8) Option {
	return func(c *config) { c.generationBits = n }
}

// Arena owns values of type T. Create one with [NewArena]. An Arena is not safe
// for concurrent use; different arenas are independent of each other.
type Arena[T any] struct {
	id    uint64
	last  uint32 // the last generation of a slot
	slots []slot[T]
	fresh uint32   // the first slot that was never used
	free  []uint32 // slots that were used and may be used again
	live  int
}

type slot[T any] struct {
	value      T
	generation uint32
	live       bool
}

var lastID atomic.Uint64

// NewArena returns an empty arena. It may be called from several goroutines at
// once.
func NewArena[T any](opts ...Option) *Arena[T] {
	var c config
	for _, opt := range opts {
		opt(&c)
	}
	// 0 bits give 0, which becomes the default. A shift by 32 or more gives 0
	// too, and then 0-1 is the maximum.
	last := uint32(1)<<c.generationBits - 1
	return &Arena[T]{id: lastID.Add(1), last: cmp.Or(last, math.MaxUint32)}
}

// Insert stores v and returns its handle, which is never the zero Handle.
func (a *Arena[T]) Insert(v T) Handle {
	i := a.takeSlot()
	s := a.slot(i)
	s.value, s.live = v, true
	a.live++
	return Handle{arena: a.id, index: i, generation: s.generation}
}

func (a *Arena[T]) takeSlot() uint32 {
	if n := len(a.free); n > 0 {
		i := a.free[n-1]
		a.free = a.free[:n-1]
		return i
	}
	a.slots = append(a.slots, slot[T]{})
	a.fresh++
	return a.fresh - 1
}

func (a *Arena[T]) slot(i uint32) *slot[T] { return &a.slots[i] }

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
	a.live--
	if s.generation < a.last {
		s.generation++
		a.free = append(a.free, h.index)
	}
	return v, nil
}

func (a *Arena[T]) find(h Handle) (*slot[T], error) {
	if h.IsZero() {
		return nil, ErrZero
	}
	if h.arena != a.id {
		return nil, ErrForeign
	}
	s := a.slot(h.index)
	if !s.live || s.generation != h.generation {
		return nil, ErrStale
	}
	return s, nil
}

// Len returns how many values the arena holds.
func (a *Arena[T]) Len() int { return a.live }

// Cap returns how many slots the arena has made: occupied, free and retired. It
// never falls.
func (a *Arena[T]) Cap() int { return len(a.slots) }

// All yields every value with its handle, in no particular order. The loop may
// insert and remove, the current value too. A value that is removed before its
// turn is not yielded; one that is inserted by the loop may or may not be. The
// loop ends even if it inserts a value in every step.
func (a *Arena[T]) All() iter.Seq2[Handle, *T] {
	return func(yield func(Handle, *T) bool) {
		for i := range a.fresh {
			s := a.slot(i)
			if s.live && !yield(Handle{arena: a.id, index: i, generation: s.generation}, &s.value) {
				return
			}
		}
	}
}
