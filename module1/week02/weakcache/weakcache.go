// Package weakcache is a read-through cache whose values the garbage collector
// may take, and whose references know when their value is gone.
package weakcache

import (
	"context"
	"errors"
)

// ErrDangling is the answer of a [Ref] whose value was invalidated or collected.
var ErrDangling = errors.New("weakcache: reference to an evicted value")

// Loader loads the value of key from its source. It runs on a goroutine of its
// own. ctx carries the values of the context of the call that started the load,
// but neither its cancellation nor its deadline.
type Loader[K comparable, V any] func(ctx context.Context, key K) (*V, error)

// Option configures a cache.
type Option func(*options)

type options struct{}

// WithStrong makes the cache keep the values of the n keys that were used last,
// so that the garbage collector does not take them. The default is 0, which is
// also used for a negative n.
func WithStrong(n int) Option {
	return func(*options) {}
}

// Stats counts what a cache has done since it was made.
type Stats struct {
	Hits      int64 // calls of Get and Ref that found their value in the cache
	Misses    int64 // all other calls of Get and Ref, also those that failed
	Loads     int64 // calls of the Loader
	Collected int64 // values that were collected while they were in the cache
}

// Cache is a read-through cache. Create one with [New]. It is safe for
// concurrent use. It keeps a value in memory only while its key is among the
// last used ones, see [WithStrong].
type Cache[K comparable, V any] struct{}

// New returns an empty cache that loads with load, which must not be nil.
func New[K comparable, V any](load Loader[K, V], opts ...Option) *Cache[K, V] {
	return &Cache[K, V]{}
}

// Get returns the value of key, and loads it unless it is in the cache. Calls
// that need the same key at the same time share one load.
//
// When ctx is done before the load, Get returns ctx.Err() and the load goes on.
// An error of the Loader is returned as it is and is not cached.
func (c *Cache[K, V]) Get(ctx context.Context, key K) (*V, error) {
	return nil, errors.ErrUnsupported
}

// Ref is like Get but returns a reference, which does not keep the value in
// memory. On error it returns the zero Ref.
func (c *Cache[K, V]) Ref(ctx context.Context, key K) (Ref[V], error) {
	return Ref[V]{}, errors.ErrUnsupported
}

// Invalidate forgets the value of key. Every Ref to it dangles from now on. A
// load of key that is under way ends for those who wait for it, but is not
// cached; a later Get starts another one.
func (c *Cache[K, V]) Invalidate(key K) {}

// Len returns how many values are in the cache: loaded, not invalidated, and not
// collected. A value that was collected a moment ago may still count.
func (c *Cache[K, V]) Len() int { return 0 }

// Stats returns the counters.
func (c *Cache[K, V]) Stats() Stats { return Stats{} }

// Ref refers to one value that a [Cache] loaded, and does not keep it in memory.
// It may be copied and is safe for concurrent use. The zero Ref dangles.
type Ref[V any] struct{}

// Value returns the value that r was made for, or ErrDangling once it was
// invalidated or collected, also when its key was loaded again. Value loads
// nothing, counts nothing and is no use of the key.
func (r Ref[V]) Value() (*V, error) { return nil, errors.ErrUnsupported }
