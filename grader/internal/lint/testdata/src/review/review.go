// Package review holds what a reviewer is told, and what not.
package review

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
)

func fails() error          { return errors.New("no") }
func both() (int, error)    { return 0, nil }
func value() int            { return 1 }
func twice() (error, error) { return nil, nil }

func drops(name string) {
	fails()                       // want `the error of fails is not looked at`
	both()                        // want `the error of both is not looked at`
	_ = fails()                   // want `the error of fails is assigned to _`
	n, _ := both()                // want `the error of both is assigned to _`
	_, _ = twice()                // want `the error of twice is assigned to _` `the error of twice is assigned to _`
	_, err := both()              // the number is dropped, not the error
	_ = err                       // want `the error err is assigned to _`
	os.Remove(name)               // want `the error of os.Remove is not looked at`
	go fails()                    // want `the error of fails is lost in a goroutine` `a goroutine without an owner nearby: nothing in drops or its type waits for it`
	defer fails()                 // want `the error of fails is lost in a defer`
	func() error { return nil }() // want `the error of the function is not looked at`

	value()
	_ = value()
	fmt.Println(n)
	var b strings.Builder
	b.WriteString("x")
	new(bytes.Buffer).WriteByte('x')
	m := map[string]error{}
	_, ok := m["x"]
	_ = ok
	if _, err := strconv.Atoi(name); err != nil {
		return
	}
}

func work() {}

func forgets(ctx context.Context) {
	go work() // want `nothing in forgets or its type waits for it`
	<-ctx.Done()
}

func waitsInside() {
	done := make(chan int)
	go func() { // want `nothing in waitsInside or its type waits for it`
		<-done
	}()
	close(done)
}

func waits() {
	var wg sync.WaitGroup
	wg.Go(work)
	wg.Wait()
}

func forgetsAGroup() {
	var wg sync.WaitGroup
	wg.Go(work) // want `nothing in forgetsAGroup or its type waits for it`
}

func receives() {
	done := make(chan int)
	go func() { close(done) }()
	<-done
}

func ranges() {
	results := make(chan int)
	go func() { close(results) }()
	for range results {
	}
}

func selects(ctx context.Context) {
	done := make(chan int)
	go func() { close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func handsOver() <-chan int {
	results := make(chan int)
	go func() { close(results) }()
	return results
}

// Pool has an owner of its goroutines: Close.
type Pool[T any] struct{ wg sync.WaitGroup }

func NewPool[T any]() *Pool[T] {
	p := &Pool[T]{}
	p.wg.Add(1)
	go p.run()
	return p
}

func (p *Pool[T]) run()   { p.wg.Done() }
func (p *Pool[T]) Grow()  { p.wg.Add(1); go p.run() }
func (p *Pool[T]) Close() { p.wg.Wait() }

// Leaky has none.
type Leaky struct{}

func (l Leaky) Start() {
	go work() // want `nothing in Start or its type waits for it`
}
