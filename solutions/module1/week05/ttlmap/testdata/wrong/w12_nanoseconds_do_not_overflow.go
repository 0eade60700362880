// Wrong: believes that the sum of two int64 is large enough for every time.
// Caught by: TestSet_TTLEdges/math.MaxInt64

// Package ttlmap keeps session data for a limited time. A map is divided into
// shards, so that the users of one shard do not wait for those of another.
package ttlmap

import (
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"sync"
	"time"
)

// Option changes how New makes a Map. Of two options of one kind the later one
// counts.
type Option func(*options)

type options struct {
	shards  int
	every   time.Duration
	onEvict any // func(K, V)
}

// WithShards divides the map into n shards. Less than 1 means 1. Without this
// option a map has 32.
func WithShards(n int) Option {
	return func(o *options) { o.shards = max(n, 1) }
}

// WithJanitor gives the map one goroutine that removes what has expired, each
// time that every has passed since New. It runs until Close. 0 or less means no
// janitor, and so does leaving the option out.
func WithJanitor(every time.Duration) Option {
	return func(o *options) { o.every = every }
}

// WithOnEvict makes the map call f for every entry that it removes because the
// entry has expired: once, in the goroutine that removed it, after that
// goroutine has given up its lock and before its call returns. f may use the
// map, but must not call Close. Nil means no calls.
func WithOnEvict[K comparable, V any](f func(K, V)) Option {
	return func(o *options) { o.onEvict = f }
}

// Map is a map whose entries expire. An entry has expired from the moment at
// which its time to live has passed, and no method returns it from then on. It
// leaves the memory with the next Get, Set or Update of its key, or with the
// next sweep of the janitor. All methods may be called concurrently. Use New to
// make a Map.
type Map[K comparable, V any] struct {
	seed    maphash.Seed
	shards  []shard[K, V]
	onEvict func(K, V)

	stop    context.CancelFunc
	janitor sync.WaitGroup
}

type shard[K comparable, V any] struct {
	mu      sync.Mutex
	entries map[K]entry[V]
}

type entry[V any] struct {
	value   V
	expires int64 // Unix time in nanoseconds
}

func (e entry[V]) expired(now time.Time) bool { return now.UnixNano() >= e.expires }

// New returns an empty map. It panics if the function of WithOnEvict is for
// other types than K and V. A map with a janitor needs a Close.
func New[K comparable, V any](opts ...Option) *Map[K, V] {
	o := options{shards: 32}
	for _, opt := range opts {
		opt(&o)
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &Map[K, V]{
		seed:   maphash.MakeSeed(),
		shards: make([]shard[K, V], o.shards),
		stop:   stop,
	}
	for i := range m.shards {
		m.shards[i].entries = make(map[K]entry[V])
	}
	if o.onEvict != nil {
		f, ok := o.onEvict.(func(K, V))
		if !ok {
			panic(fmt.Sprintf("ttlmap: the function of WithOnEvict is a %T, this map needs a %T", o.onEvict, f))
		}
		m.onEvict = f
	}
	if o.every > 0 {
		m.janitor.Go(func() { m.sweepEvery(ctx, o.every) })
	}
	return m
}

// Get returns the value of k, and whether there is one.
func (m *Map[K, V]) Get(k K) (V, bool) {
	s := m.shard(k)
	s.mu.Lock()
	gone, expired := s.expire(k)
	e, ok := s.entries[k]
	s.mu.Unlock()
	if expired {
		m.evict(k, gone)
	}
	return e.value, ok
}

// Set stores v for k, in place of what was there. The entry lives for ttl from
// now; with a ttl of 0 or less it has expired from the start.
func (m *Map[K, V]) Set(k K, v V, ttl time.Duration) {
	s := m.shard(k)
	s.mu.Lock()
	gone, expired := s.expire(k)
	s.entries[k] = entry[V]{v, time.Now().UnixNano() + int64(ttl)}
	s.mu.Unlock()
	if expired {
		m.evict(k, gone)
	}
}

// Update calls f once with the value of k, and whether there is one. If f
// returns keep, v is stored for ttl from the return of f; otherwise k is
// removed. Nothing else happens to k in between. f must not use m. While it
// runs, users of other shards do not wait for it. A panic of f passes through
// and leaves the value of k as it was.
func (m *Map[K, V]) Update(k K, f func(old V, ok bool) (v V, ttl time.Duration, keep bool)) {
	s := m.shard(k)
	s.mu.Lock()
	gone, expired := s.expire(k)
	defer func() {
		s.mu.Unlock()
		if expired {
			m.evict(k, gone)
		}
	}()
	old, ok := s.entries[k]
	v, ttl, keep := f(old.value, ok)
	if keep {
		s.entries[k] = entry[V]{v, time.Now().UnixNano() + int64(ttl)}
	} else {
		delete(s.entries, k)
	}
}

// All returns the entries of m, in no order. The loop body may use m. It sees
// no key twice, no entry that has expired by then, and each entry that stays in
// the map and unchanged during the loop. Of other changes it may see some and
// miss some. All removes nothing.
func (m *Map[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for i := range m.shards {
			for k, e := range m.shards[i].snapshot() {
				if !e.expired(time.Now()) && !yield(k, e.value) {
					return
				}
			}
		}
	}
}

// ShardOf returns the number of the shard that k belongs to: from 0 up to the
// number of shards, and always the same for one map and key.
func (m *Map[K, V]) ShardOf(k K) int {
	return int(maphash.Comparable(m.seed, k) % uint64(len(m.shards)))
}

// Len returns the number of entries that have not expired. It removes nothing.
func (m *Map[K, V]) Len() int {
	n := 0
	for i := range m.shards {
		n += m.shards[i].live()
	}
	return n
}

// Close stops the janitor and returns when it has ended. The map can still be
// used. Close may be called more than once.
func (m *Map[K, V]) Close() {
	m.stop()
	m.janitor.Wait()
}

func (m *Map[K, V]) shard(k K) *shard[K, V] { return &m.shards[m.ShardOf(k)] }

// evict reports an entry that has left the map. The caller holds no lock.
func (m *Map[K, V]) evict(k K, v V) {
	if m.onEvict != nil {
		m.onEvict(k, v)
	}
}

func (m *Map[K, V]) sweepEvery(ctx context.Context, every time.Duration) {
	tick := time.Tick(every)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			m.sweep()
		}
	}
}

func (m *Map[K, V]) sweep() {
	for i := range m.shards {
		for k, e := range m.shards[i].expireAll() {
			m.evict(k, e.value)
		}
	}
}

// expire removes the entry of k if it has expired, and returns its value. The
// caller holds s.mu.
func (s *shard[K, V]) expire(k K) (gone V, ok bool) {
	e, found := s.entries[k]
	if !found || !e.expired(time.Now()) {
		return gone, false
	}
	delete(s.entries, k)
	return e.value, true
}

func (s *shard[K, V]) expireAll() map[K]entry[V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := make(map[K]entry[V])
	now := time.Now()
	for k, e := range s.entries {
		if e.expired(now) {
			gone[k] = e
			delete(s.entries, k)
		}
	}
	return gone
}

func (s *shard[K, V]) snapshot() map[K]entry[V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Collect(maps.All(s.entries)) // which the race detector sees, unlike maps.Clone
}

func (s *shard[K, V]) live() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, now := 0, time.Now()
	for _, e := range s.entries {
		if !e.expired(now) {
			n++
		}
	}
	return n
}
