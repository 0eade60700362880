package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxProcesses is how many processes and threads may live in one user
// namespace.
const maxProcesses = 2048

// unshare asks for namespaces in which a command with this reach is alone. The
// user and group stay what they are. The shim gets two capabilities in the new
// namespaces, for [settle], and drops them.
func unshare(attr *syscall.SysProcAttr, reach Reach) {
	attr.Cloneflags |= unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWIPC
	if reach.Children {
		attr.Cloneflags |= unix.CLONE_NEWPID
	}
	if reach.Loopback {
		attr.Cloneflags |= unix.CLONE_NEWNET
	}
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
	attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN}
}

// settle makes new namespaces fit to live in: loopback is up, /proc shows who is
// here, the directory for temporary files is a file system of its own, and
// nothing that is mounted here is seen outside.
func settle(reach Reach) error {
	if reach.Loopback {
		if err := loopbackUp(); err != nil {
			return fmt.Errorf("loopback: %w", err)
		}
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if reach.Children { // which are all the processes that there are
		if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
			return fmt.Errorf("its own /proc: %w", err)
		}
	}
	if reach.Scratch != "" {
		const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
		if err := unix.Mount("tmpfs", reach.Scratch, "tmpfs", flags, fmt.Sprintf("mode=0700,size=%d", ScratchSize)); err != nil {
			return fmt.Errorf("file system for temporary files: %w", err)
		}
	}
	var have unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &have); err != nil {
		return err
	}
	value := min(maxProcesses, have.Max)
	return unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: value, Max: value})
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// namespaces returns why this system gives a command no namespaces of its own,
// or nil if it does. Some systems make them and then allow nothing inside, so
// it is tried.
var namespaces = sync.OnceValue(func() error {
	scratch, err := os.MkdirTemp("", "middle-go-probe-*")
	if err != nil {
		return err
	}
	defer os.Remove(scratch)
	reach := Reach{Scratch: scratch, Children: true, Loopback: true}
	o := order{Stage: probe, Reach: reach, Status: 3}
	cmd, err := o.command(context.Background(), nil)
	if err != nil {
		return err
	}
	said, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer said.Close()
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	unshare(cmd.SysProcAttr, reach)
	err = cmd.Start()
	theirs.Close()
	if refused, ok := errors.AsType[*os.PathError](err); ok {
		return refused.Err
	}
	if err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil {
		if s, err := readStatus(said); err == nil && s.Problem != "" {
			return errors.New(s.Problem)
		}
		return err
	}
	return nil
})

// dropCapabilities gives up what the namespaces gave, or what root has.
func dropCapabilities() error {
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("capabilities: %w", err)
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		return fmt.Errorf("capabilities: %w", err)
	}
	return nil
}
