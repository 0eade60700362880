// Package sandbox runs commands that the grader does not trust, in a box: within
// limits of time, memory, file size and output, with nothing in reach but what
// the caller names, and with no process left behind.
//
// On Linux the box is built by a shim, the calling program started again with
// other arguments, which then becomes the command. What a system cannot enforce is
// left out, and [Lacks] says so; on other systems than Linux that is everything
// but the limits of time and output.
package sandbox

import (
	"context"
	"errors"
	"slices"

	"time"
)

// Limits bound one command. A zero value means no limit.
type Limits struct {
	Wall     time.Duration // from start to exit
	CPU      time.Duration // of each process, rounded up to seconds; SIGXCPU at the limit
	Memory   uint64        // address space of each process, in bytes
	FileSize uint64        // of every written file, in bytes
	Output   int           // stdout and stderr together, in bytes
}

// Command is what to run.
type Command struct {
	Args   []string // Args[0] is an absolute path
	Dir    string   // absolute; within Reach, or the command cannot read it
	Env    []string // the whole environment
	Limits Limits
	Reach  Reach

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

// grace is how long Run waits for the pipes of a killed command.
const grace = time.Second

// Run runs c until it exits or breaks a limit, then kills what is left of it.
// The error is set only when c or its box could not be started. Cancelling ctx
// kills c; its result then says Cancelled.
func Run(ctx context.Context, c Command) (Result, error) {
	var wallCtx context.Context
	var stop context.CancelFunc
	if c.Limits.Wall > 0 {
		wallCtx, stop = context.WithTimeout(ctx, c.Limits.Wall)
	} else {
		wallCtx, stop = context.WithCancel(ctx)
	}
	defer stop()

	p, err := newProcess(wallCtx, c)
	if err != nil {
		return Result{}, err
	}
	out := &cappedBuffer{limit: c.Limits.Output, full: stop}
	p.cmd.Dir, p.cmd.Env = c.Dir, c.Env
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.WaitDelay = grace

	var ctl *control
	if c.Control != "" {
		if ctl, err = newControl(c.Control); err != nil {
			return Result{}, errors.Join(err, p.abandon())
		}
		p.cmd.ExtraFiles = slices.Insert(p.cmd.ExtraFiles, 0, ctl.theirs)
	}
	start := time.Now()
	if err := p.start(); err != nil {
		if ctl != nil {
			ctl.abort()
		}
		return Result{}, err
	}
	if ctl != nil {
		ctl.started()
	}
	e, err := p.wait()

	r := Result{End: Exited, Code: e.code, Elapsed: time.Since(start), Output: out.bytes()}
	if ctl != nil {
		r.Control = ctl.read()
	}
	switch {
	case out.overflowed():
		r.End = TooLoud
	case ctx.Err() != nil:
		r.End = Cancelled
	case wallCtx.Err() != nil || e.cpuLimit:
		r.End = TimedOut
	case err != nil:
		return Result{}, err
	case e.code < 0:
		r.End = Signalled
	}
	if r.End != Exited {
		r.Code = -1
	}
	return r, nil
}

// exit is how a process ended.
type exit struct {
	code     int  // -1 if a signal ended it
	cpuLimit bool // SIGXCPU ended it
}
