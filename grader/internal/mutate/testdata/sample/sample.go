// Package sample has one of each construct that the rewriter changes or leaves
// alone.
package sample

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

type id uint8

const limit = 4 // a constant stays one

var table = [...]string{0: "a", 1: "b"}

type box[T any] struct {
	mu    sync.Mutex
	items []T
	last  id
	wait  time.Duration
}

func (b *box[T]) put(ctx context.Context, item T, full chan<- struct{}) (n int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.items) >= limit || ctx.Err() != nil {
		return 0, errors.New("full")
	}
	b.items = append(b.items, item)
	b.last += 2
	b.wait = 3 * time.Second
	select {
	case full <- struct{}{}:
	case <-ctx.Done():
		return len(b.items), ctx.Err()
	default:
	}
	return len(b.items) - 1, nil
}

func find(list []id, want id) (int, bool) {
	for i, got := range list {
		if got != want {
			continue
		}
		return i, true
	}
	return -1, false
}

func grow(n int) []int {
	list := make([]int, 0, n+1)
	for range n {
		list = append(list, n%7)
	}
	return list
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func negative[N ~int | ~float64](n N) bool { return n < 0 }

func drain(r io.Reader) (err error) {
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, r)
		done <- err
	}()
	defer func() { err = <-done }()
	flag := true
	if flag {
		return nil
	}
	panic("unreachable, and no return follows")
}

func join(a, b string) string { return a + "/" + b + table[1] }
