// Package racehunt holds six parts of a billing worker: a counter, a lazy
// value, a registry, a fan-out, a gauge and the configuration.
package racehunt

import (
	"context"
	"sync"
	"sync/atomic"
)

// Counter counts by key. The zero Counter is ready to use. It is safe for
// concurrent use.
type Counter struct {
	mu     sync.Mutex
	counts map[string]int64
}

// Inc adds 1 to the count of k and returns the new count. Every call for one
// key returns another number.
func (c *Counter) Inc(k string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = make(map[string]int64)
	}
	c.counts[k]++
	return c.counts[k]
}

// Snapshot returns the counts of all keys at one moment. The map belongs to the
// caller: the counter does not change it and does not see changes of it. It may
// be nil when nothing was counted.
func (c *Counter) Snapshot() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts
}

// Lazy is a value that is made when it is first needed. Make one with NewLazy.
// It is safe for concurrent use.
type Lazy[T any] struct {
	f func() (T, error)

	mu    sync.Mutex
	value T
	made  bool
}

// NewLazy returns a Lazy that makes its value with f.
func NewLazy[T any](f func() (T, error)) *Lazy[T] {
	return &Lazy[T]{f: f}
}

// Get returns the value. It calls f until a call succeeds, and never again
// after that. At most one call of f runs at a time. If f fails, Get returns the
// zero T and the error, and a later Get tries again. A Get that waited for a
// call that failed returns its error or calls f itself. f does not call Get.
func (l *Lazy[T]) Get() (T, error) {
	l.mu.Lock()
	value, made := l.value, l.made
	l.mu.Unlock()
	if made {
		return value, nil
	}

	value, err := l.f()
	if err != nil {
		var zero T
		return zero, err
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	l.value, l.made = value, true
	return value, nil
}

// Registry lets one caller win each name. The zero Registry is ready to use. It
// is safe for concurrent use.
type Registry struct {
	mu    sync.RWMutex
	taken map[string]bool
}

// RegisterOnce reports whether name was free, and takes it. Only the winner's h
// runs, in the caller's goroutine, before RegisterOnce returns. Nobody waits
// for h: while it runs, name is taken and other names can be registered. A nil
// h is skipped.
func (r *Registry) RegisterOnce(name string, h func()) bool {
	r.mu.RLock()
	taken := r.taken[name]
	r.mu.RUnlock()
	if taken {
		return false
	}

	if h != nil {
		h()
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken == nil {
		r.taken = make(map[string]bool)
	}
	r.taken[name] = true
	return true
}

// FanOut calls fetch for all urls at the same time, with ctx, and returns when
// the last call has returned. The map holds the results of the calls that
// succeeded, and is never nil. The error is that of the first url in urls that
// failed, unchanged. The urls are all different. FanOut leaves ctx to fetch: it
// calls fetch and waits for it also when ctx is done.
func FanOut(ctx context.Context, urls []string, fetch func(context.Context, string) (int, error)) (map[string]int, error) {
	type answer struct {
		url string
		n   int
		err error
	}
	answers := make(chan answer, len(urls))
	for _, url := range urls {
		go func() {
			n, err := fetch(ctx, url)
			answers <- answer{url, n, err}
		}()
	}

	results := make(map[string]int, len(urls))
	for range urls {
		a := <-answers
		if a.err != nil {
			return results, a.err
		}
		results[a.url] = a.n
	}
	return results, nil
}

// Gauge measures how many functions run at the same time. The zero Gauge is
// ready to use. It is safe for concurrent use.
type Gauge struct {
	running atomic.Int64
	peak    atomic.Int64
}

// Track runs f. It returns the largest number of tracked functions that ran at
// the same time, from the first Track of this Gauge until f returned. f itself
// counts.
func (g *Gauge) Track(f func()) (peak int64) {
	n := g.running.Add(1)
	peak = max(n, g.peak.Load())
	f()
	g.running.Add(-1)
	g.peak.Store(peak)
	return peak
}

// Config is the configuration of the worker. The zero Config has no keys. It is
// safe for concurrent use.
type Config struct {
	mu     sync.RWMutex
	values map[string]*atomic.Pointer[string]
}

// Reload replaces the whole configuration with kv. It keeps a copy of kv: the
// map belongs to the caller. Once a Get has returned a value of one Reload, no
// later Get returns a value of an earlier one. Of two Reloads at the same time
// one wins as a whole.
func (c *Config) Reload(kv map[string]string) {
	for k, v := range kv {
		c.value(k).Store(&v)
	}

	c.mu.RLock()
	defer c.mu.RUnlock()
	for k, value := range c.values {
		if _, ok := kv[k]; !ok {
			value.Store(nil)
		}
	}
}

// Get returns the value of k, or "" if the configuration has no such key.
func (c *Config) Get(k string) string {
	c.mu.RLock()
	value := c.values[k]
	c.mu.RUnlock()
	if value == nil {
		return ""
	}
	if v := value.Load(); v != nil {
		return *v
	}
	return ""
}

// value returns the place of k, and makes one if there is none.
func (c *Config) value(k string) *atomic.Pointer[string] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.values == nil {
		c.values = make(map[string]*atomic.Pointer[string])
	}
	if c.values[k] == nil {
		c.values[k] = new(atomic.Pointer[string])
	}
	return c.values[k]
}
