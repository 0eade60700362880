package proc

import (
	"bytes"
	"os"
	"sync"
	"time"
)

// captureLimit is how much of an output is kept, from its end.
const captureLimit = 4 << 20

// capture keeps the end of what a process writes. It is safe for concurrent use.
type capture struct {
	mu   sync.Mutex
	kept []byte

	r, w   *os.File
	pumped chan struct{}
}

func newCapture() (*capture, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c := &capture{r: r, w: w, pumped: make(chan struct{})}
	go c.pump()
	return c, nil
}

func (c *capture) pump() {
	defer close(c.pumped)
	buf := make([]byte, 32<<10)
	for {
		n, err := c.r.Read(buf)
		c.keep(buf[:n])
		if err != nil {
			return
		}
	}
}

func (c *capture) keep(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = append(c.kept, p...)
	if len(c.kept) > 2*captureLimit {
		c.kept = append(c.kept[:0], c.kept[len(c.kept)-captureLimit:]...)
	}
}

// started closes this process's writing end, which belongs to the child now.
func (c *capture) started() { _ = c.w.Close() }

// finish returns when everything is read. A process that left the group may
// hold the pipe open; it is not waited for.
func (c *capture) finish() {
	_ = c.r.SetReadDeadline(time.Now().Add(time.Second))
	<-c.pumped
	_ = c.r.Close()
}

func (c *capture) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.kept)
}

// tail returns the last n lines of s.
func tail(s string, n int) string {
	b := bytes.TrimRight([]byte(s), "\n")
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] != '\n' {
			continue
		}
		if n--; n == 0 {
			return "...\n" + string(b[i+1:])
		}
	}
	return string(b)
}
