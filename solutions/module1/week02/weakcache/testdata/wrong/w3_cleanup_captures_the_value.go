// Wrong: believes that a cleanup may capture what leads to its value.
// Caught by: TestUnusedIsCollected

// Package weakcache is a read-through cache whose values the garbage collector
// may take, and whose references know when their value is gone.
package weakcache

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"weak"
)

// ErrDangling is the answer of a [Ref] whose value was invalidated or collected.
var ErrDangling = errors.New("weakcache: reference to an evicted value")

// Loader loads the value of key from its source. It runs on a goroutine of its
// own. ctx carries the values of the context of the call that started the load,
// but neither its cancellation nor its deadline.
type Loader[K comparable, V any] func(ctx context.Context, key K) (*V, error)

// Option configures a cache.
type Option func(*options)

type options struct{ strong int }

// WithStrong makes the cache keep the values of the n keys that were used last,
// so that the garbage collector does not take them. The default is 0, which is
// also used for a negative n.
func WithStrong(n int) Option {
	return func(o *options) { o.strong = max(n, 0) }
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
type Cache[K comparable, V any] struct {
	load   Loader[K, V]
	strong int

	mu      sync.Mutex
	entries map[K]*entry[K, V]
	flights map[K]*flight[V]
	recent  list.List // of the *entry[K, V] that are strong, last used first
	stats   Stats
}

// entry is a value in the cache.
type entry[K comparable, V any] struct {
	key    K
	target *target[V]
	strong *V            // nil unless the entry is in recent
	place  *list.Element // nil unless the entry is in recent
}

// target is one value that was loaded once, and so the identity behind a Ref:
// two loads may give the same pointer, and weak pointers to it are equal then.
type target[V any] struct {
	value   weak.Pointer[V]
	evicted atomic.Bool
}

// flight is a load that is under way.
type flight[V any] struct {
	done   chan struct{} // closed when the fields below are final
	value  *V
	target *target[V]
	err    error
}

// New returns an empty cache that loads with load, which must not be nil.
func New[K comparable, V any](load Loader[K, V], opts ...Option) *Cache[K, V] {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	return &Cache[K, V]{
		load:    load,
		strong:  o.strong,
		entries: make(map[K]*entry[K, V]),
		flights: make(map[K]*flight[V]),
	}
}

// Get returns the value of key, and loads it unless it is in the cache. Calls
// that need the same key at the same time share one load.
//
// When ctx is done before the load, Get returns ctx.Err() and the load goes on.
// An error of the Loader is returned as it is and is not cached.
func (c *Cache[K, V]) Get(ctx context.Context, key K) (*V, error) {
	value, _, err := c.lookup(ctx, key)
	return value, err
}

// Ref is like Get but returns a reference, which does not keep the value in
// memory. On error it returns the zero Ref.
func (c *Cache[K, V]) Ref(ctx context.Context, key K) (Ref[V], error) {
	_, target, err := c.lookup(ctx, key)
	return Ref[V]{target}, err
}

func (c *Cache[K, V]) lookup(ctx context.Context, key K) (*V, *target[V], error) {
	c.mu.Lock()
	if e := c.entries[key]; e != nil {
		if value := e.target.value.Value(); value != nil {
			c.stats.Hits++
			c.use(e, value)
			c.mu.Unlock()
			return value, e.target, nil
		}
	}
	c.stats.Misses++
	f := c.flights[key]
	if f == nil {
		if err := ctx.Err(); err != nil {
			c.mu.Unlock()
			return nil, nil, err
		}
		f = &flight[V]{done: make(chan struct{})}
		c.flights[key] = f
		c.stats.Loads++
		go c.fly(context.WithoutCancel(ctx), key, f)
	}
	c.mu.Unlock()

	select {
	case <-f.done:
		return f.value, f.target, f.err
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// fly runs the Loader, and lands f whatever the Loader does.
func (c *Cache[K, V]) fly(ctx context.Context, key K, f *flight[V]) {
	value, err := (*V)(nil), errors.New("weakcache: the loader called runtime.Goexit")
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("weakcache: the loader panicked: %v\n\n%s", p, debug.Stack())
		}
		c.land(key, f, value, err)
	}()
	value, err = c.load(ctx, key)
	if value == nil && err == nil {
		err = errors.New("weakcache: the loader returned neither a value nor an error")
	}
}

// land gives the result of a load to those who wait for it. It is cached unless
// the key was invalidated in the meantime.
func (c *Cache[K, V]) land(key K, f *flight[V], value *V, err error) {
	defer close(f.done)
	c.mu.Lock()
	defer c.mu.Unlock()
	current := c.flights[key] == f
	if current {
		delete(c.flights, key)
	}
	if err != nil {
		f.err = err
		return
	}
	f.value, f.target = value, &target[V]{value: weak.Make(value)}
	if !current {
		f.target.evicted.Store(true)
		return
	}
	if old := c.entries[key]; old != nil {
		c.collected(old) // its cleanup has yet to run
	}
	e := &entry[K, V]{key: key, target: f.target}
	c.entries[key] = e
	c.use(e, value)
	runtime.AddCleanup(value, func(key K) { c.forget(key, f) }, key)
}

// use makes e the entry that was used last.
func (c *Cache[K, V]) use(e *entry[K, V], value *V) {
	if c.strong == 0 {
		return
	}
	if e.place != nil {
		c.recent.MoveToFront(e.place)
		return
	}
	e.strong, e.place = value, c.recent.PushFront(e)
	if c.recent.Len() > c.strong {
		c.weaken(c.recent.Back().Value.(*entry[K, V]))
	}
}

func (c *Cache[K, V]) weaken(e *entry[K, V]) {
	if e.place != nil {
		c.recent.Remove(e.place)
		e.strong, e.place = nil, nil
	}
}

func (c *Cache[K, V]) collected(e *entry[K, V]) {
	delete(c.entries, e.key)
	c.stats.Collected++
}

func (c *Cache[K, V]) forget(key K, f *flight[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// By now the key may have a new value.
	if e := c.entries[key]; e != nil && e.target == f.target {
		c.collected(e)
	}
}

// Invalidate forgets the value of key. Every Ref to it dangles from now on. A
// load of key that is under way ends for those who wait for it, but is not
// cached; a later Get starts another one.
func (c *Cache[K, V]) Invalidate(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flights, key)
	if e := c.entries[key]; e != nil {
		e.target.evicted.Store(true)
		c.weaken(e)
		delete(c.entries, key)
	}
}

// Len returns how many values are in the cache: loaded, not invalidated, and not
// collected. A value that was collected a moment ago may still count.
func (c *Cache[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

// Stats returns the counters.
func (c *Cache[K, V]) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// Ref refers to one value that a [Cache] loaded, and does not keep it in memory.
// It may be copied and is safe for concurrent use. The zero Ref dangles.
type Ref[V any] struct{ target *target[V] }

// Value returns the value that r was made for, or ErrDangling once it was
// invalidated or collected, also when its key was loaded again. Value loads
// nothing, counts nothing and is no use of the key.
func (r Ref[V]) Value() (*V, error) {
	if r.target == nil || r.target.evicted.Load() {
		return nil, ErrDangling
	}
	value := r.target.value.Value()
	if value == nil {
		return nil, ErrDangling
	}
	return value, nil
}
