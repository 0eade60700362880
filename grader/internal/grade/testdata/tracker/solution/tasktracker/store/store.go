// Package store counts.
package store

import "sync"

// Counter counts. It is safe for concurrent use.
type Counter struct {
	mu sync.Mutex
	n  int
}

// Add adds one and returns the new count.
func (c *Counter) Add() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n
}
