// Package pool goes wrong in every way that a submission does. The files beside
// it are what its tests print: go test ./internal/checks -run Record -update
package pool

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// Pool is a pool of things.
type Pool[T any] struct {
	mu    sync.Mutex
	items []T
	byKey map[string]T
	hits  int64
	queue chan T
	next  *Pool[T]
}

// New returns an empty pool.
func New[T any]() *Pool[T] { return &Pool[T]{byKey: map[string]T{}, queue: make(chan T)} }

// Get is out of range.
func (p *Pool[T]) Get(i int) T { return p.items[i] }

// Next follows a pointer that is nil.
func (p *Pool[T]) Next() []T {
	return p.next.items
}

// Close panics with an error.
func Close(name string) {
	panic(fmt.Errorf("close %s: %w", name, errors.ErrUnsupported))
}

// Start panics in a goroutine of its own.
func (p *Pool[T]) Start() *sync.WaitGroup {
	var wg sync.WaitGroup
	wg.Go(func() {
		p.byKey = nil
		var zero T
		p.byKey["a"] = zero
	})
	return &wg
}

// Again panics while it handles a panic.
func Again() {
	defer func() {
		panic(fmt.Sprint("second after ", recover()))
	}()
	panic("first")
}

// Depth calls itself.
func Depth(n int) int { return Depth(n+1) + 1 }

// Count races with itself.
func (p *Pool[T]) Count() {
	p.hits++
}

// Put races in a map.
func (p *Pool[T]) Put(key string, v T) { p.byKey[key] = v }

// Load races with an atomic operation.
func (p *Pool[T]) Load() int64 { return p.hits }

// Add is atomic where others are not.
func (p *Pool[T]) Add() { atomic.AddInt64(&p.hits, 1) }

// Take waits for what nobody sends.
func (p *Pool[T]) Take() T { return <-p.queue }

// Locked takes the lock twice.
func (p *Pool[T]) Locked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.len()
}

func (p *Pool[T]) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.items)
}

// Watch leaves goroutines behind.
func (p *Pool[T]) Watch(n int) {
	for range n {
		go p.watch()
	}
}

func (p *Pool[T]) watch() {
	for range p.queue {
	}
}

// Wait starts a goroutine that stands outside the package.
func (p *Pool[T]) Wait(wg *sync.WaitGroup) { go wg.Wait() }

// Grow never stops.
func Grow() (all [][]byte) {
	for {
		all = append(all, make([]byte, 64<<20))
	}
}
