package sandbox_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Shim()
	os.Exit(m.Run())
}

func TestRun_ReturnsCodeAndOutput(t *testing.T) {
	r := run(t, sandbox.Command{}, "echo out; echo err >&2; exit 7")
	require.Equal(t, sandbox.Exited, r.End)
	require.Equal(t, 7, r.Code)
	require.Equal(t, "out\nerr\n", string(r.Output))
}

func TestRun_GivesOnlyTheStatedEnvironment(t *testing.T) {
	t.Setenv("SECRET", "hunter2")
	r := run(t, sandbox.Command{Env: []string{"A=1"}}, "echo $A$SECRET")
	require.Equal(t, "1\n", string(r.Output))
}

func TestRun_KillsAtTheWallLimit(t *testing.T) {
	r := run(t, sandbox.Command{Limits: sandbox.Limits{Wall: 50 * time.Millisecond}}, "while :; do :; done")
	require.Equal(t, sandbox.TimedOut, r.End)
}

func TestRun_KillsWhatPrintsTooMuch(t *testing.T) {
	r := run(t, sandbox.Command{Limits: sandbox.Limits{Output: 1000}}, "while :; do echo 0123456789; done")
	require.Equal(t, sandbox.TooLoud, r.End)
	require.Len(t, r.Output, 1000)
}

func TestRun_LimitsMemoryAndFileSize(t *testing.T) {
	needsLinux(t)
	r := run(t, sandbox.Command{Limits: sandbox.Limits{Memory: 64 << 20}}, "x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo survived")
	require.NotContains(t, string(r.Output), "survived")

	big := filepath.Join(t.TempDir(), "big")
	run(t, sandbox.Command{Limits: sandbox.Limits{FileSize: 1 << 20}}, "head -c 10000000 /dev/zero > "+big)
	info, err := os.Stat(big)
	require.NoError(t, err)
	require.LessOrEqual(t, info.Size(), int64(1<<20))
}

func TestRun_LeavesNoProcess(t *testing.T) {
	r := run(t, sandbox.Command{}, "sleep 300 >/dev/null 2>&1 & echo $!")
	pid, err := strconv.Atoi(strings.TrimSpace(string(r.Output)))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return gone(pid) }, 10*time.Second, time.Millisecond)
}

func TestRun_CancelKillsTheWholeGroup(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	pidFile := filepath.Join(t.TempDir(), "pid")
	done := make(chan sandbox.Result)
	go func() {
		r, _ := sandbox.Run(ctx, shell(sandbox.Command{}, fmt.Sprintf("sleep 300 & echo $! > %s.tmp; mv %s.tmp %s; wait", pidFile, pidFile, pidFile)))
		done <- r
	}()
	var pid int
	require.Eventually(t, func() bool {
		data, err := os.ReadFile(pidFile)
		pid, _ = strconv.Atoi(strings.TrimSpace(string(data)))
		return err == nil && pid > 0
	}, 10*time.Second, time.Millisecond)
	cancel()
	require.Equal(t, sandbox.Cancelled, (<-done).End)
	require.Eventually(t, func() bool { return gone(pid) }, 10*time.Second, time.Millisecond)
}

func TestRun_ControlIsASocketOnDescriptor3(t *testing.T) {
	r := run(t, sandbox.Command{Control: "token\n"}, "read line <&3; echo \"got $line\" >&3; echo shown")
	require.Equal(t, "got token\n", string(r.Control))
	require.Equal(t, "shown\n", string(r.Output))
}

func TestRun_ReportsWhatCannotStart(t *testing.T) {
	r, err := sandbox.Run(t.Context(), sandbox.Command{Args: []string{"/does/not/exist"}})
	if err == nil {
		require.NotEqual(t, 0, r.Code)
		require.Contains(t, string(r.Output), "no such file")
	}
}

func run(t *testing.T, c sandbox.Command, script string) sandbox.Result {
	t.Helper()
	r, err := sandbox.Run(t.Context(), shell(c, script))
	require.NoError(t, err)
	return r
}

func shell(c sandbox.Command, script string) sandbox.Command {
	c.Args = []string{"/bin/sh", "-c", script}
	if c.Env == nil {
		c.Env = []string{"PATH=" + os.Getenv("PATH")}
	}
	return c
}

func needsLinux(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("/proc/self/exe"); err != nil {
		t.Skip("only Linux limits memory and file size")
	}
}

// gone reports whether pid has ended; a zombie that nobody reaped has.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}
