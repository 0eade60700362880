package tracker

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/middle-go/course/tasktracker/acceptance/contract"
)

// remembered is how many requests are shown when a test fails.
const remembered = 12

// history keeps the last requests to a service. It is safe for concurrent use.
type history struct {
	mu    sync.Mutex
	total int
	last  []string // at most remembered
}

func newHistory(t testing.TB) *history {
	h := &history{}
	t.Cleanup(func() {
		if t.Failed() && h.total > 1 {
			t.Logf("the last of %d requests:\n%s", h.total, h)
		}
	})
	return h
}

func (h *history) add(e contract.Exchange) {
	outcome := "no answer"
	if e.Status != 0 {
		outcome = fmt.Sprint(e.Status)
	}
	line := e.Curl() + "   # " + outcome
	h.mu.Lock()
	defer h.mu.Unlock()
	h.total++
	if h.last = append(h.last, line); len(h.last) > remembered {
		h.last = h.last[1:]
	}
}

// String returns the requests as lines for a shell.
func (h *history) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.last, "\n")
}
