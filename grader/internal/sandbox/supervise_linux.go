package sandbox

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// supervise starts the command in a shim that confines it, waits for it, ends
// what it leaves behind, and reports. Whatever the command started becomes a
// child of this process when its parent ends.
func (o *order) supervise(argv []string) error {
	if o.Own {
		if err := settle(o.Reach); err != nil {
			return err
		}
	}
	// The command must not look into the process that judges how it ended.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGTERM)

	runtime.LockOSThread() // Pdeathsig is about the thread
	pid, problem, err := o.startConfined(argv)
	if err != nil {
		return err
	}
	go func() {
		<-stop
		_ = unix.Kill(pid, unix.SIGKILL)
	}()
	ended := await(pid)
	endDescendants()
	if text, _ := io.ReadAll(problem); len(text) > 0 {
		_, err := unix.Write(o.Status, text)
		return errors.Join(err, errTold)
	}
	o.report(status{Code: ended.ExitStatus(), CPULimit: ended.Signaled() && ended.Signal() == unix.SIGXCPU})
	return nil
}

// errTold is the error of a shim that has already reported it.
var errTold = errors.New("reported")

// startConfined starts the next stage. What it has to say can be read from
// problem once it has become the command, or failed to.
func (o *order) startConfined(argv []string) (pid int, problem *os.File, err error) {
	problem, theirs, err := os.Pipe()
	if err != nil {
		return 0, nil, err
	}
	defer theirs.Close()
	next := *o
	next.Stage, next.Own = confine, false
	cmd, err := next.command(context.Background(), argv)
	if err != nil {
		return 0, nil, err
	}
	cmd.Env = os.Environ()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	for fd := 3; fd < o.Status; fd++ {
		inherited := os.NewFile(uintptr(fd), "inherited")
		defer inherited.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, inherited)
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, theirs)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return 0, nil, err
	}
	return cmd.Process.Pid, problem, nil
}

// await reaps children until pid has ended.
func await(pid int) unix.WaitStatus {
	for {
		var ws unix.WaitStatus
		got, err := unix.Wait4(-1, &ws, 0, nil)
		if got == pid || err != nil && !errors.Is(err, unix.EINTR) {
			return ws
		}
	}
}

// endDescendants kills every process that the command has left. The first
// process of a namespace has no need to: the kernel does it when it exits.
func endDescendants() {
	if os.Getpid() == 1 {
		return
	}
	for {
		left := children()
		for _, pid := range left {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		for range left {
			_, _ = unix.Wait4(-1, nil, 0, nil)
		}
		if len(left) == 0 {
			return
		}
	}
}

// children lists the children of this process.
func children() []int {
	var list []int
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		text, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		for word := range strings.FieldsSeq(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil {
				list = append(list, pid)
			}
		}
	}
	return list
}
