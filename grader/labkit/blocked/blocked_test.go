package blocked_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/grader/labkit/blocked"
)

func TestCallThatReturns(t *testing.T) {
	var mu sync.Mutex
	for name, f := range map[string]func(){
		"nothing":     func() {},
		"a free lock": func() { mu.Lock(); mu.Unlock() },
		"some work": func() {
			for i := range 1_000_000 {
				sink += i
			}
		},
	} {
		if !blocked.Start(f).Returns() {
			t.Errorf("%s: does not return", name)
		}
	}
}

var sink int

func TestCallThatWaits(t *testing.T) {
	var mu sync.Mutex
	var rw sync.RWMutex
	var group sync.WaitGroup
	signal := make(chan struct{})
	mu.Lock()
	rw.RLock()
	group.Add(1)
	var calls []*blocked.Call
	for name, f := range map[string]func(){
		"a mutex":      func() { mu.Lock(); mu.Unlock() },
		"a writer":     func() { rw.Lock(); rw.Unlock() },
		"a wait group": func() { group.Wait() },
		"a receive":    func() { <-signal },
		"a select": func() {
			select {
			case <-signal:
			case <-context.Background().Done():
			}
		},
	} {
		c := blocked.Start(f)
		if c.Returns() {
			t.Errorf("%s: returns", name)
		}
		calls = append(calls, c)
	}
	mu.Unlock()
	rw.RUnlock()
	group.Done()
	close(signal)
	for _, c := range calls {
		c.Wait()
	}
}

func TestLockThatIsGivenUpSoon(t *testing.T) {
	var mu sync.Mutex
	for range 200 {
		mu.Lock()
		c := blocked.Start(func() { mu.Lock(); mu.Unlock() })
		go mu.Unlock()
		if !c.Returns() {
			t.Fatal("does not return, though the lock is free")
		}
	}
}

func TestInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := blocked.Start(func() { time.Sleep(time.Hour) })
		if c.Returns() {
			t.Error("a sleep returns while no time passes")
		}
		var mu sync.Mutex
		mu.Lock()
		waits := blocked.Start(func() { mu.Lock(); mu.Unlock() })
		if waits.Returns() {
			t.Error("a wait for a mutex returns")
		}
		mu.Unlock()
		waits.Wait()
		if got := time.Since(start); got != 0 {
			t.Errorf("%v passed", got)
		}
		c.Wait()
	})
}
