//go:build unix && !linux

package sandbox

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Walls says in a few words what the box is made of on this system.
func Walls() string { return "limits on time and output" }

// Lacks lists what this system cannot enforce for a command with the given
// reach. A verdict on a command that lacks something is for practice.
func Lacks(Reach) []string {
	return []string{"limits on memory and file size", "walls around files, the network and other processes, which the grader has on Linux only"}
}

// process is a command, the leader of a group of its own.
type process struct{ cmd *exec.Cmd }

func newProcess(ctx context.Context, c Command) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Cancel = p.killGroup
	return p, nil
}

func (*process) abandon() error { return nil }

func (p *process) start() error { return p.cmd.Start() }

func (p *process) killGroup() error { return syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }

func (p *process) wait() (exit, error) {
	err := p.cmd.Wait()
	_ = p.killGroup()
	e := exit{code: p.cmd.ProcessState.ExitCode()}
	if errors.Is(err, exec.ErrWaitDelay) {
		e.code = -1
	}
	return e, nil
}

func socketPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, err
	}
	unix.CloseOnExec(fds[0])
	unix.CloseOnExec(fds[1])
	return os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control"), nil
}
