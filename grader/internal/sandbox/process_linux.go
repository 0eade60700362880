package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/middle-go/course/grader/internal/self"
)

// process is a command in its box. With Reach.Children it is the supervisor of
// the command.
type process struct {
	cmd        *exec.Cmd
	ours       *os.File // from which the status is read
	theirs     *os.File
	supervised bool
}

// order is what the shim is asked to do.
type order struct {
	Stage  stage
	Limits Limits
	Reach  Reach
	Own    bool // it is in namespaces of its own
	Status int  // the descriptor for its status
}

// command is the grader, started again to carry out o on the command argv.
func (o *order) command(ctx context.Context, argv []string) (*exec.Cmd, error) {
	shim, err := self.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, shim, append([]string{shimArg, string(text)}, argv...)...), nil
}

// status is what the shim says of itself and the command.
type status struct {
	Problem  string // why the command could not be started, or empty
	Code     int    // -1 if a signal ended it
	CPULimit bool
}

func newProcess(ctx context.Context, c Command) (*process, error) {
	o := order{Stage: confine, Limits: c.Limits, Reach: c.Reach, Own: namespaces() == nil, Status: 3}
	if c.Reach.Children {
		o.Stage = supervise
	}
	if c.Control != "" {
		o.Status++
	}
	cmd, err := o.command(ctx, c.Args)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, supervised: c.Reach.Children}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if o.Own {
		unshare(p.cmd.SysProcAttr, c.Reach)
	}
	p.cmd.Cancel = p.cancel
	if p.ours, p.theirs, err = os.Pipe(); err != nil {
		return nil, err
	}
	p.cmd.ExtraFiles = []*os.File{p.theirs}
	return p, nil
}

// abandon gives up a process that was never started.
func (p *process) abandon() error { return errors.Join(p.ours.Close(), p.theirs.Close()) }

// cancel ends the command. A supervisor is asked to, because it knows what has
// left the group; when it does not answer, [exec.Cmd] kills it after WaitDelay.
func (p *process) cancel() error {
	if p.supervised {
		return p.cmd.Process.Signal(unix.SIGTERM)
	}
	return p.killGroup()
}

func (p *process) killGroup() error { return syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }

// start starts the command from a thread of its own that lives as long as the
// command: the kernel sends Pdeathsig when the thread that started a process
// ends.
func (p *process) start() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		p.theirs.Close()
		started <- err
		if err == nil {
			var info unix.Siginfo
			_ = unix.Waitid(unix.P_PID, p.cmd.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil)
		}
	}()
	err := <-started
	if err != nil {
		p.ours.Close()
	}
	return err
}

// wait returns when the command and all that it started have ended.
func (p *process) wait() (exit, error) {
	defer p.ours.Close()
	waitErr := p.cmd.Wait()
	_ = p.killGroup()
	s, err := readStatus(p.ours)
	switch {
	case errors.Is(err, io.EOF): // the shim has become the command, or was killed
		return p.exit(waitErr), nil
	case err != nil:
		return exit{}, fmt.Errorf("the sandbox ended in the middle of a word: %w", err)
	case s.Problem != "":
		return exit{}, fmt.Errorf("the sandbox could not be set up: %s", s.Problem)
	}
	return exit{code: s.Code, cpuLimit: s.CPULimit}, nil
}

// readStatus reads what a shim that has ended has said. The error is io.EOF if
// that was nothing.
func readStatus(from *os.File) (s status, err error) {
	err = json.NewDecoder(io.LimitReader(from, 1<<16)).Decode(&s)
	return s, err
}

func (p *process) exit(waitErr error) exit {
	e := exit{code: p.cmd.ProcessState.ExitCode()}
	if ws, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok {
		e.cpuLimit = ws.Signaled() && ws.Signal() == syscall.SIGXCPU
	}
	if errors.Is(waitErr, exec.ErrWaitDelay) {
		e.code = -1
	}
	return e
}

func socketPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control"), nil
}
