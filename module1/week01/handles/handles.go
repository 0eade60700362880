// Package handles keeps values in an arena and refers to them by small handles.
// The use of a handle whose value was removed is detected.
package handles

import (
	"errors"
	"iter"
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
type Handle struct{}

// IsZero reports whether h is the zero Handle, which names nothing.
func (h Handle) IsZero() bool { return false }

// Option configures an arena.
type Option func(*config)

type config struct{}

// WithGenerationBits limits the generation of a slot to n bits: a slot serves at
// most 2^n values, one after another, and then retires. The default is 32, which
// is also used for n of 0 and for n above 32.
func WithGenerationBits(n uint8) Option {
	return func(*config) {}
}

// Arena owns values of type T. Create one with [NewArena]. An Arena is not safe
// for concurrent use; different arenas are independent of each other.
type Arena[T any] struct{}

// NewArena returns an empty arena. It may be called from several goroutines at
// once.
func NewArena[T any](opts ...Option) *Arena[T] {
	return &Arena[T]{}
}

// Insert stores v and returns its handle, which is never the zero Handle.
func (a *Arena[T]) Insert(v T) Handle {
	return Handle{}
}

// Get returns a pointer to the value of h. The pointer is valid until the value
// is removed, also when the arena grows. The error is ErrZero, ErrForeign or
// ErrStale; the pointer is nil then.
func (a *Arena[T]) Get(h Handle) (*T, error) {
	return nil, errors.ErrUnsupported
}

// Remove takes the value of h out of the arena and returns it. From then on h is
// stale. The error is ErrZero, ErrForeign or ErrStale; the value is the zero T
// and the arena is unchanged then.
func (a *Arena[T]) Remove(h Handle) (T, error) {
	var zero T
	return zero, errors.ErrUnsupported
}

// Len returns how many values the arena holds.
func (a *Arena[T]) Len() int { return 0 }

// Cap returns how many slots the arena has made: occupied, free and retired. It
// never falls.
func (a *Arena[T]) Cap() int { return 0 }

// All yields every value with its handle, in no particular order. The loop may
// insert and remove, the current value too. A value that is removed before its
// turn is not yielded; one that is inserted by the loop may or may not be. The
// loop ends even if it inserts a value in every step.
func (a *Arena[T]) All() iter.Seq2[Handle, *T] {
	return func(yield func(Handle, *T) bool) {}
}
