package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Name says in reports what contains a submission on this system.
const Name = "limits on time, memory, file size and output"

const shimArg = "sandbox-shim"

// Shim becomes the sandboxed command if this process was started as a shim.
// Otherwise it does nothing.
func Shim() {
	if len(os.Args) < 4 || os.Args[1] != shimArg {
		return
	}
	var limits Limits
	err := json.Unmarshal([]byte(os.Args[2]), &limits)
	if err == nil {
		err = becomeCommand(limits, os.Args[3:])
	}
	fmt.Fprintln(os.Stderr, "sandbox:", err)
	os.Exit(120)
}

func becomeCommand(limits Limits, argv []string) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	for _, l := range []struct {
		resource int
		value    uint64
	}{
		{unix.RLIMIT_AS, limits.Memory},
		{unix.RLIMIT_FSIZE, limits.FileSize},
		{unix.RLIMIT_CPU, uint64((limits.CPU + time.Second - 1) / time.Second)},
	} {
		if l.value == 0 {
			continue
		}
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			return err
		}
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return err
	}
	return unix.Exec(argv[0], argv, os.Environ())
}

func command(ctx context.Context, c Command) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	limits, err := json.Marshal(c.Limits)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{shimArg, string(limits)}, c.Args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd, nil
}

// startInGroup starts cmd from a thread of its own that lives as long as cmd:
// the kernel sends Pdeathsig when the thread that started a process ends.
func startInGroup(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			var info unix.Siginfo
			_ = unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil)
		}
		runtime.UnlockOSThread()
	}()
	return <-started
}

func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

func cpuExceeded(s *os.ProcessState) bool {
	ws, ok := s.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == syscall.SIGXCPU
}

func socketPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control"), nil
}
