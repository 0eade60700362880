// Package blocked tells whether a call waits for something, without a clock.
//
//	m.Update("a", func(old int, ok bool) (int, time.Duration, bool) {
//		if !blocked.Start(func() { m.Get("b") }).Returns() {
//			rule.Broken(t, ...)
//		}
//		...
//	})
//
// It looks at the goroutine of the call: one that waits for a lock or a channel
// is parked, and stays parked. So it works where a timeout would be a guess, and
// in synctest bubbles, where a wait for a mutex stops the clock.
package blocked

import (
	"runtime"
	"strings"
)

// Call is a call in a goroutine of its own.
type Call struct {
	header string // how a stack dump begins to describe the goroutine
	done   chan struct{}
}

// Start calls f in a new goroutine. It does not wait for f.
func Start(f func()) *Call {
	c := &Call{done: make(chan struct{})}
	header := make(chan string)
	go func() {
		defer close(c.done)
		text := make([]byte, 64)
		text = text[:runtime.Stack(text, false)]
		name, _, _ := strings.Cut(string(text), "[") // "goroutine 7 [running]:"
		header <- name + "["
		f()
	}()
	c.header = <-header
	return c
}

// A call that is seen parked so many times in a row waits for somebody who does
// not come. Between two looks all goroutines run that can, so one that waits for
// a lock which is about to be given up is not seen so often.
const (
	parkedLooks = 100
	maxLooks    = 20_000
)

// Returns reports whether f returns without any help: without the caller doing
// anything more, and in a bubble without time passing.
func (c *Call) Returns() bool {
	for parked, looks := 0, 0; parked < parkedLooks && looks < maxLooks; looks++ {
		select {
		case <-c.done:
			return true
		default:
		}
		if c.parked() {
			parked++
		} else {
			parked = 0
		}
		runtime.Gosched()
	}
	return false
}

// Wait waits until f has returned.
func (c *Call) Wait() { <-c.done }

func (c *Call) parked() bool {
	text := make([]byte, 1<<16)
	_, state, found := strings.Cut(string(text[:runtime.Stack(text, true)]), c.header)
	if !found {
		return false
	}
	for _, wait := range []string{"sync.", "semacquire", "chan ", "select", "sleep"} {
		if strings.HasPrefix(state, wait) {
			return true
		}
	}
	return false
}
