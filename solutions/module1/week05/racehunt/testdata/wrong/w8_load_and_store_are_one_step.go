// Wrong: believes that an atomic load and an atomic store are one atomic step.
// Caught by: TestGauge_PeakIsExact

// Package racehunt holds six parts of a billing worker: a counter, a lazy
// value, a registry, a fan-out, a gauge and the configuration.
package racehunt

import (
	"context"
	"maps"
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
	return maps.Clone(c.counts)
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
	defer l.mu.Unlock() // after f: those who come meanwhile wait for its value
	if l.made {
		return l.value, nil
	}
	value, err := l.f()
	if err != nil {
		var zero T
		return zero, err
	}
	l.value, l.made = value, true
	return value, nil
}

// Registry lets one caller win each name. The zero Registry is ready to use. It
// is safe for concurrent use.
type Registry struct {
	mu    sync.Mutex
	taken map[string]bool
}

// RegisterOnce reports whether name was free, and takes it. Only the winner's h
// runs, in the caller's goroutine, before RegisterOnce returns. Nobody waits
// for h: while it runs, name is taken and other names can be registered. A nil
// h is skipped.
func (r *Registry) RegisterOnce(name string, h func()) bool {
	if !r.take(name) {
		return false
	}
	if h != nil {
		h()
	}
	return true
}

// take takes name and reports whether it was free.
func (r *Registry) take(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken[name] {
		return false
	}
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
	counts := make([]int, len(urls))
	errs := make([]error, len(urls))
	var wg sync.WaitGroup
	for i, url := range urls {
		wg.Go(func() { counts[i], errs[i] = fetch(ctx, url) })
	}
	wg.Wait()

	results := make(map[string]int, len(urls))
	var first error
	for i, url := range urls {
		if errs[i] == nil {
			results[url] = counts[i]
		} else if first == nil {
			first = errs[i]
		}
	}
	return results, first
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
	current atomic.Pointer[map[string]string] // never changed once stored
}

// Reload replaces the whole configuration with kv. It keeps a copy of kv: the
// map belongs to the caller. Once a Get has returned a value of one Reload, no
// later Get returns a value of an earlier one. Of two Reloads at the same time
// one wins as a whole.
func (c *Config) Reload(kv map[string]string) {
	kv = maps.Clone(kv)
	c.current.Store(&kv)
}

// Get returns the value of k, or "" if the configuration has no such key.
func (c *Config) Get(k string) string {
	if kv := c.current.Load(); kv != nil {
		return (*kv)[k]
	}
	return ""
}
