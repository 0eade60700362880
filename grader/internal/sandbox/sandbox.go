// Package sandbox runs commands that the grader does not trust, within limits:
// time, memory, file size, output, and no process left behind.
//
// On Linux the limits are set by a shim, the grader's own binary started again,
// which then becomes the command. Every program that calls [Run] must therefore
// call [Shim] first thing in main or TestMain. Elsewhere only the limits on time
// and output hold.
package sandbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// Limits bound one command. A zero value means no limit.
type Limits struct {
	Wall     time.Duration // from start to exit
	CPU      time.Duration // of the process, rounded up to seconds
	Memory   uint64        // address space in bytes
	FileSize uint64        // of every written file, in bytes
	Output   int           // stdout and stderr together, in bytes
}

// Command is what to run.
type Command struct {
	Args   []string // Args[0] is a path
	Dir    string
	Env    []string // the whole environment
	Limits Limits

	// Control, if set, is written to the command's descriptor 3, a socket from
	// which Result.Control is read. At most 4 MiB are kept.
	Control string
}

// End says how a command ended.
type End string

// The ways in which a command ends.
const (
	Exited    End = "exited"
	TimedOut  End = "timed out"        // wall or CPU limit
	TooLoud   End = "output limit"     // printed more than Limits.Output
	Signalled End = "killed by signal" // by anything else, the memory limit included
	Cancelled End = "cancelled"        // the context was cancelled
)

// Result is what a command did.
type Result struct {
	End     End
	Code    int // exit code, -1 unless Exited
	Output  []byte
	Control []byte
	Elapsed time.Duration
}

// controlLimit bounds what is kept of Result.Control.
const controlLimit = 4 << 20

// grace is how long Run waits for the pipes of a killed command.
const grace = time.Second

// Run runs c until it exits or breaks a limit, then kills what is left of its
// process group. The error is set only when c could not be started. Cancelling
// ctx kills c; its result then says Cancelled.
func Run(ctx context.Context, c Command) (Result, error) {
	var wallCtx context.Context
	var stop context.CancelFunc
	if c.Limits.Wall > 0 {
		wallCtx, stop = context.WithTimeout(ctx, c.Limits.Wall)
	} else {
		wallCtx, stop = context.WithCancel(ctx)
	}
	defer stop()

	out := &cappedBuffer{limit: c.Limits.Output, full: stop}
	cmd, err := command(wallCtx, c)
	if err != nil {
		return Result{}, err
	}
	cmd.Dir, cmd.Env = c.Dir, c.Env
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = grace

	var ctl *control
	if c.Control != "" {
		if ctl, err = newControl(cmd, c.Control); err != nil {
			return Result{}, err
		}
	}
	start := time.Now()
	if err := startInGroup(cmd); err != nil {
		if ctl != nil {
			ctl.abort()
		}
		return Result{}, err
	}
	if ctl != nil {
		ctl.started()
	}
	waitErr := cmd.Wait()
	killGroup(cmd)

	r := Result{End: Exited, Code: cmd.ProcessState.ExitCode(), Elapsed: time.Since(start), Output: out.bytes()}
	if ctl != nil {
		r.Control = ctl.read()
	}
	switch {
	case out.overflowed():
		r.End = TooLoud
	case ctx.Err() != nil:
		r.End = Cancelled
	case wallCtx.Err() != nil || cpuExceeded(cmd.ProcessState):
		r.End = TimedOut
	case r.Code < 0 || errors.Is(waitErr, exec.ErrWaitDelay):
		r.End = Signalled
	}
	if r.End != Exited {
		r.Code = -1
	}
	return r, nil
}

// control is the grader's end of the command's descriptor 3.
type control struct {
	ours, theirs *os.File
	data         chan []byte
}

func newControl(cmd *exec.Cmd, greeting string) (*control, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	if _, err := ours.WriteString(greeting); err != nil {
		ours.Close()
		theirs.Close()
		return nil, err
	}
	cmd.ExtraFiles = []*os.File{theirs}
	return &control{ours: ours, theirs: theirs, data: make(chan []byte, 1)}, nil
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
	case <-time.After(grace): // a descendant outside the group holds the descriptor
		return nil
	}
}

// cappedBuffer keeps the first limit bytes and calls full at the next one.
type cappedBuffer struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	limit int
	over  bool
	full  func()
}

func (b *cappedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limit > 0 && b.buf.Len()+len(p) > b.limit {
		b.buf.Write(p[:b.limit-b.buf.Len()])
		if !b.over {
			b.over = true
			b.full()
		}
		return len(p), nil
	}
	return b.buf.Write(p)
}

func (b *cappedBuffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.buf.Bytes())
}

func (b *cappedBuffer) overflowed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.over
}
