package grade_test

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// ordinary is set in a process that root has made an ordinary user's.
const ordinary = "REDTEAM_ORDINARY_USER"

// asOrdinaryUser runs the test t again in a process without root's privileges,
// if this one has them, and reports whether it did. Root's files belong to the
// user of that process, who may do to them what their owner may and no more.
func asOrdinaryUser(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 || os.Getenv(ordinary) != "" {
		return false
	}
	self, err := os.Executable()
	require.NoError(t, err)
	again := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=20m")
		cmd.Env = append(os.Environ(), ordinary+"=1")
		cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
		return cmd
	}
	cmd := again()
	if startInUserNamespace(cmd) != nil {
		cmd = again()
		require.NoError(t, startWithoutCapabilities(cmd))
	}
	require.NoError(t, cmd.Wait())
	return true
}

// startInUserNamespace starts cmd where root is another user.
func startInUserNamespace(cmd *exec.Cmd) error {
	const user = 1000
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: user, HostID: 0, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: user, HostID: 0, Size: 1}},
	}
	return cmd.Start()
}

// startWithoutCapabilities starts cmd as a root that is one in name only.
func startWithoutCapabilities(cmd *exec.Cmd) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with this goroutine
		for capability := range uintptr(unix.CAP_LAST_CAP + 1) {
			_ = unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0)
		}
		done <- cmd.Start()
	}()
	return <-done
}
