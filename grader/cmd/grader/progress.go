package main

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/term"
)

// progress is one line on a terminal that says how far the work is. Elsewhere
// it prints nothing.
type progress struct {
	mu       sync.Mutex
	out      *os.File
	terminal bool
	finished int
	total    int
}

func newProgress(out *os.File, total int) *progress {
	p := &progress{out: out, terminal: term.IsTerminal(int(out.Fd())), total: total}
	p.show("grading")
	return p
}

// done counts one finished piece of work and names it.
func (p *progress) done(what string) {
	p.mu.Lock()
	p.finished++
	p.mu.Unlock()
	p.show(what)
}

func (p *progress) show(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal {
		fmt.Fprintf(p.out, "\r\x1b[K%d of %d  %s", p.finished, p.total, what)
	}
}

// clear removes the line.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
