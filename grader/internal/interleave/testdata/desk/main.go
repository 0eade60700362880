// Command desk lets rivals reserve one seat, again and again, and prints the
// rounds in which not exactly one of them got it: with a check and a write in
// two lock sections, and in one.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

const rounds, rivals = 300, 16

type desk struct {
	mu    sync.Mutex
	taken bool
}

func (d *desk) reserveSplit() bool {
	d.mu.Lock()
	taken := d.taken
	d.mu.Unlock()
	if taken {
		return false
	}
	d.mu.Lock()
	d.taken = true
	d.mu.Unlock()
	return true
}

func (d *desk) reserve() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.taken {
		return false
	}
	d.taken = true
	return true
}

func unfair(reserve func(*desk) bool) int {
	count := 0
	for range rounds {
		var (
			d    desk
			wins atomic.Int32
			wg   sync.WaitGroup
		)
		for range rivals {
			wg.Go(func() {
				if reserve(&d) {
					wins.Add(1)
				}
			})
		}
		wg.Wait()
		if wins.Load() != 1 {
			count++
		}
	}
	return count
}

func main() { fmt.Println(unfair((*desk).reserveSplit), unfair((*desk).reserve)) }
