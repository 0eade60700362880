package sandbox_test

import (
	"os"
	"os/exec"
	"path/filepath"

	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/sandbox"
)

func TestMain(m *testing.M) {
	attack()
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
	reach := family(t)
	r := run(t, sandbox.Command{Limits: sandbox.Limits{Memory: 64 << 20}, Reach: reach}, "x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo survived")
	require.NotContains(t, string(r.Output), "survived")

	big := filepath.Join(reach.Write[0], "big")
	run(t, sandbox.Command{Limits: sandbox.Limits{FileSize: 1 << 20}, Reach: reach}, "head -c 10000000 /dev/zero > "+big)
	info, err := os.Stat(big)
	require.NoError(t, err)
	require.LessOrEqual(t, info.Size(), int64(1<<20))
}

func TestRun_ControlIsASocketOnDescriptor3(t *testing.T) {
	r := run(t, sandbox.Command{Control: "token\n"}, "read line <&3; echo \"got $line\" >&3; echo shown")
	require.Equal(t, "got token\n", string(r.Control))
	require.Equal(t, "shown\n", string(r.Output))
}

func TestRun_ReportsWhatCannotStart(t *testing.T) {
	for _, reach := range []sandbox.Reach{{}, {Children: true}} {
		_, err := sandbox.Run(t.Context(), sandbox.Command{Args: []string{"/does/not/exist"}, Reach: reach})
		require.ErrorContains(t, err, "no such file")
	}
}

func TestRun_TellsSignalsFromExitCodes(t *testing.T) {
	needsLinux(t)
	for _, children := range []bool{false, true} {
		c := sandbox.Command{Reach: sandbox.Reach{Children: children}}
		require.Equal(t, sandbox.Signalled, run(t, c, "kill -SEGV $$").End)
		r := run(t, c, "exit 139")
		require.Equal(t, sandbox.Exited, r.End)
		require.Equal(t, 139, r.Code)
		c.Limits.CPU = time.Second
		require.Equal(t, sandbox.TimedOut, run(t, c, "while :; do :; done").End)
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
		c.Env = []string{"PATH=" + os.Getenv("PATH"), quick}
	}
	return c
}

// quick makes a shim with the race detector end without waiting for more races.
const quick = "GORACE=atexit_sleep_ms=0"

func needsLinux(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("/proc/self/exe"); err != nil {
		t.Skip("only Linux limits memory and file size")
	}
}

// family is the reach of a shell that starts other programs, and writes into a
// directory of its own.
func family(t *testing.T) sandbox.Reach {
	return sandbox.Reach{Children: true, Exec: []string{"/bin", "/usr/bin"}, Write: []string{t.TempDir()}}
}
