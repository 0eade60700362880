package sandbox

import (
	"io"
	"os"
	"time"
)

// controlLimit bounds what is kept of Result.Control.
const controlLimit = 4 << 20

// control is the grader's end of the command's descriptor 3.
type control struct {
	ours, theirs *os.File
	data         chan []byte
}

func newControl(greeting string) (*control, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	c := &control{ours: ours, theirs: theirs, data: make(chan []byte, 1)}
	if _, err := ours.WriteString(greeting); err != nil {
		c.abort()
		return nil, err
	}
	return c, nil
}

func (c *control) abort() {
	c.ours.Close()
	c.theirs.Close()
}

func (c *control) started() {
	c.theirs.Close()
	go func() {
		data, _ := io.ReadAll(io.LimitReader(c.ours, controlLimit))
		c.data <- data
	}()
}

func (c *control) read() []byte {
	defer c.ours.Close()
	select {
	case data := <-c.data:
		return data
	case <-time.After(grace): // a descendant that got away holds the descriptor
		return nil
	}
}
