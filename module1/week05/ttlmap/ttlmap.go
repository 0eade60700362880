// Package ttlmap keeps session data for a limited time. A map is divided into
// shards, so that the users of one shard do not wait for those of another.
package ttlmap

import (
	"iter"
	"time"
)

// Option changes how New makes a Map. Of two options of one kind the later one
// counts.
type Option func(*options)

type options struct{}

// WithShards divides the map into n shards. Less than 1 means 1. Without this
// option a map has 32.
func WithShards(n int) Option {
	return func(o *options) {}
}

// WithJanitor gives the map one goroutine that removes what has expired, each
// time that every has passed since New. It runs until Close. 0 or less means no
// janitor, and so does leaving the option out.
func WithJanitor(every time.Duration) Option {
	return func(o *options) {}
}

// WithOnEvict makes the map call f for every entry that it removes because the
// entry has expired: once, in the goroutine that removed it, after that
// goroutine has given up its lock and before its call returns. f may use the
// map, but must not call Close. Nil means no calls.
func WithOnEvict[K comparable, V any](f func(K, V)) Option {
	return func(o *options) {}
}

// Map is a map whose entries expire. An entry has expired from the moment at
// which its time to live has passed, and no method returns it from then on. It
// leaves the memory with the next Get, Set or Update of its key, or with the
// next sweep of the janitor. All methods may be called concurrently. Use New to
// make a Map.
type Map[K comparable, V any] struct{}

// New returns an empty map. It panics if the function of WithOnEvict is for
// other types than K and V. A map with a janitor needs a Close.
func New[K comparable, V any](opts ...Option) *Map[K, V] {
	return &Map[K, V]{}
}

// Get returns the value of k, and whether there is one.
func (m *Map[K, V]) Get(k K) (V, bool) {
	var zero V
	return zero, false
}

// Set stores v for k, in place of what was there. The entry lives for ttl from
// now; with a ttl of 0 or less it has expired from the start.
func (m *Map[K, V]) Set(k K, v V, ttl time.Duration) {}

// Update calls f once with the value of k, and whether there is one. If f
// returns keep, v is stored for ttl from the return of f; otherwise k is
// removed. Nothing else happens to k in between. f must not use m. While it
// runs, users of other shards do not wait for it. A panic of f passes through
// and leaves the value of k as it was.
func (m *Map[K, V]) Update(k K, f func(old V, ok bool) (v V, ttl time.Duration, keep bool)) {}

// All returns the entries of m, in no order. The loop body may use m. It sees
// no key twice, no entry that has expired by then, and each entry that stays in
// the map and unchanged during the loop. Of other changes it may see some and
// miss some. All removes nothing.
func (m *Map[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {}
}

// ShardOf returns the number of the shard that k belongs to: from 0 up to the
// number of shards, and always the same for one map and key.
func (m *Map[K, V]) ShardOf(k K) int {
	return 0
}

// Len returns the number of entries that have not expired. It removes nothing.
func (m *Map[K, V]) Len() int {
	return 0
}

// Close stops the janitor and returns when it has ended. The map can still be
// used. Close may be called more than once.
func (m *Map[K, V]) Close() {}
