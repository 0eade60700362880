//go:build linux || darwin

package proc_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/labkit/internal/tbspy"
	"github.com/middle-go/course/grader/labkit/leak"
	"github.com/middle-go/course/grader/labkit/proc"
)

func service(t *testing.T, flags ...string) proc.Binary {
	t.Helper()
	return proc.Build(t, "./testdata/service", "", flags...)
}

func TestStart_ReturnsWhenTheServiceAccepts(t *testing.T) {
	p := proc.Start(t, service(t), proc.Options{Env: map[string]string{"GRPC": "127.0.0.1:9"}})
	require.True(t, accepts(p.Addrs().HTTP))
	require.Equal(t, "127.0.0.1:9", p.Addrs().GRPC)
	require.NotZero(t, p.Addrs().PID)
	require.Empty(t, p.Addrs().Admin)
	require.Contains(t, p.Stderr(), `"msg":"listening"`)
}

func TestStart_GivesTheServiceNoneOfTheTestsEnvironment(t *testing.T) {
	t.Setenv("TT_SECRET", "from the test")
	p := proc.Start(t, service(t), proc.Options{})
	require.NotContains(t, p.Stderr(), "TT_SECRET")
	require.Contains(t, p.Stderr(), "PATH=")
}

func TestStart_FailsWithTheLogOfAServiceThatExitsEarly(t *testing.T) {
	spy := run(t, func(tb testing.TB) {
		proc.Start(tb, service(t), proc.Options{Args: []string{"-early", "3"}})
	})
	require.True(t, spy.Failed)
	require.Contains(t, spy.Log, "service exited with code 3 before it was ready")
	require.Contains(t, spy.Log, "no such store")
}

func TestStart_FailsWithTheGoroutinesOfAServiceThatIsNeverReady(t *testing.T) {
	spy := run(t, func(tb testing.TB) {
		proc.Start(tb, service(t), proc.Options{Args: []string{"-mute"}, ReadyWithin: time.Second})
	})
	require.True(t, spy.Failed)
	require.Contains(t, spy.Log, "service was not ready within 1s: TT_ADDR_FILE: there is no such file")
	require.Contains(t, spy.Log, "main.main()")
}

func TestLaunch_LetsATestExpectThatTheServiceRefuses(t *testing.T) {
	p := proc.Launch(t, service(t), proc.Options{Args: []string{"-early", "2"}})
	require.Equal(t, 2, p.Wait(t))
	require.Contains(t, p.Stderr(), "no such store")
}

func TestStop_SendsSIGTERMAndReturnsTheExitCode(t *testing.T) {
	p := proc.Start(t, service(t), proc.Options{Args: []string{"-code", "7"}})
	require.Equal(t, 7, p.Stop(t))
	require.Contains(t, p.Stderr(), `"msg":"stopped"`)
	require.Equal(t, 7, p.Stop(t), "a second call")
}

func TestStop_FailsWithTheGoroutinesOfAServiceThatStays(t *testing.T) {
	spy := run(t, func(tb testing.TB) {
		p := proc.Start(tb, service(t), proc.Options{Args: []string{"-deaf"}, StopWithin: 100 * time.Millisecond})
		p.Stop(tb)
	})
	require.True(t, spy.Failed)
	require.Contains(t, spy.Log, "service did not exit within 100ms")
	require.Contains(t, spy.Log, "main.main()")
}

func TestKill_LeavesTheServiceNoTimeToStop(t *testing.T) {
	p := proc.Start(t, service(t), proc.Options{})
	p.Kill(t)
	require.Equal(t, -1, p.Wait(t))
	require.NotContains(t, p.Stderr(), `"msg":"stopped"`)
	require.False(t, accepts(p.Addrs().HTTP))
}

func TestCleanup_FailsTheTestWhoseServiceDied(t *testing.T) {
	spy := run(t, func(tb testing.TB) {
		p := proc.Launch(tb, service(t), proc.Options{Args: []string{"-early", "4"}})
		<-p.Exited()
	})
	require.True(t, spy.Failed)
	require.Contains(t, spy.Log, "service exited with code 4 during the test")
}

func TestCleanup_LeavesNoProcessBehind(t *testing.T) {
	for name, end := range map[string]func(testing.TB, *proc.Process){
		"end of the test": func(testing.TB, *proc.Process) {},
		"Stop":            func(tb testing.TB, p *proc.Process) { p.Stop(tb) },
		"Kill":            func(tb testing.TB, p *proc.Process) { p.Kill(tb) },
	} {
		t.Run(name, func(t *testing.T) {
			var addrs proc.Addrs
			spy := run(t, func(tb testing.TB) {
				p := proc.Start(tb, service(t), proc.Options{Args: []string{"-child"}})
				addrs = p.Addrs()
				require.True(tb, accepts(addrs.Admin))
				end(tb, p)
			})
			require.False(t, spy.Failed, spy.Log)
			require.Eventually(t, func() bool { return !accepts(addrs.HTTP) && !accepts(addrs.Admin) },
				10*time.Second, 10*time.Millisecond, "the service or its child still listens")
		})
	}
}

func TestCleanup_LeavesNoGoroutineBehind(t *testing.T) {
	bin := service(t)
	leak.Check(t)
	proc.Start(t, bin, proc.Options{})
}

func TestBuild_BuildsEachCombinationOnce(t *testing.T) {
	require.Equal(t, service(t), service(t))
	require.NotEqual(t, service(t), service(t, "-race"))
}

func TestBuild_FailsWithTheCompilersOutput(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module broken\n\ngo 1.26\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() { undefined() }\n"), 0o600))
	t.Setenv("GOWORK", "off")
	spy := run(t, func(tb testing.TB) { proc.Build(tb, ".", dir) })
	require.True(t, spy.Failed)
	require.Contains(t, spy.Log, "main.go:3:15: undefined: undefined")
}

func TestCover_WritesCountersWhenTheServiceStops(t *testing.T) {
	dir := t.TempDir()
	p := proc.Start(t, service(t, "-cover"), proc.Options{CoverDir: dir})
	require.Zero(t, p.Stop(t))
	counters, err := filepath.Glob(filepath.Join(dir, "covcounters.*"))
	require.NoError(t, err)
	require.Len(t, counters, 1)
	require.NotContains(t, p.Stderr(), "warning")
}

// run calls f with a recording TB that has temporary directories.
func run(t *testing.T, f func(testing.TB)) tbspy.Outcome {
	t.Helper()
	return tbspy.Run(func(tb testing.TB) { f(withDirs{tb, t}) })
}

type withDirs struct {
	testing.TB
	t *testing.T
}

func (w withDirs) TempDir() string { return w.t.TempDir() }

func (w withDirs) FailNow() { w.Fatal("FailNow") }

func accepts(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	return conn.Close() == nil && strings.Contains(addr, ":")
}
