package grade_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// ordinary is set in a process that root has made an ordinary user's.
const ordinary = "REDTEAM_ORDINARY_USER"

// asOrdinaryUser runs the test t again in a process without root's privileges,
// if this one has them, and reports whether it did: in a user namespace root's
// files belong to an ordinary user there, who may do to them what their owner
// may and no more.
func asOrdinaryUser(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 || os.Getenv(ordinary) != "" {
		return false
	}
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=20m")
	cmd.Env = append(os.Environ(), ordinary+"=1")
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	const user = 1000
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: user, HostID: 0, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: user, HostID: 0, Size: 1}},
	}
	require.NoError(t, cmd.Run())
	return true
}
