// Package proc builds a service and runs it as a process of its own, so that
// tests meet it as its users do: through its ports, signals, logs and exit code.
//
//	bin := proc.Build(t, "./cmd/tasktracker", "../")
//	p := proc.Start(t, bin, proc.Options{Env: map[string]string{"TT_DATA_DIR": dir}})
//	res, err := http.Get("http://" + p.Addrs().HTTP + "/healthz")
//	...
//	require.Equal(t, 0, p.Stop(t))
//
// A service is ready when it has written the file named by TT_ADDR_FILE, which
// it does once all its listeners accept. Nothing here sleeps in the hope that
// it is.
package proc

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/mutant"
)

// Defaults of [Options].
const (
	DefaultReadyWithin = 10 * time.Second
	DefaultStopWithin  = 20 * time.Second
)

const (
	poll      = 5 * time.Millisecond // between two looks at TT_ADDR_FILE
	logLines  = 40                   // of stderr shown for a failed test
	dumpLines = 400                  // instead, when the end is a dump of goroutines or a data race
)

const raceReport = "WARNING: DATA RACE"

// Options say how to run a service. The zero value is ready to use.
type Options struct {
	Args []string
	// Env is added to a minimal environment: PATH, HOME, TMPDIR (on Windows
	// SYSTEMROOT and TEMP), GORACE, the number of a mutant, TT_ADDR_FILE and,
	// for a binary built with -cover, GOCOVERDIR. Nothing else reaches the
	// service from the test's environment.
	Env map[string]string
	// Dir is the working directory. The default is a new directory that is
	// removed when the test ends.
	Dir string
	// CoverDir is where a binary built with -cover writes its counters. The
	// default is GOCOVERDIR of the test, or else a directory that is removed. A
	// process that is killed writes none.
	CoverDir string
	// AddrFile is the file that TT_ADDR_FILE names. The default is a new one.
	AddrFile string

	ReadyWithin time.Duration // limit of Start; 0 means DefaultReadyWithin
	StopWithin  time.Duration // limit of Stop and Wait; 0 means DefaultStopWithin
}

// Addrs is the content of TT_ADDR_FILE. The addresses are of the form ip:port,
// and empty where the service does not listen.
type Addrs struct {
	HTTP  string `json:"http"`
	Admin string `json:"admin"`
	GRPC  string `json:"grpc"`
	PID   int    `json:"pid"`
}

// Process is a running service. Methods that take a testing.TB may stop that
// test and are called from its goroutine; the others may be called from any.
type Process struct {
	opts           Options
	name           string
	cmd            *exec.Cmd
	addrFile       string
	addrs          Addrs
	stdout, stderr *capture
	exited         chan struct{} // closed when the process and its group are gone
	expected       bool          // the test knows that it ends
	dumped         bool          // stderr ends with a list of goroutines
}

// Start runs bin and returns when it is ready. It fails t with the end of the
// service's stderr when the service exits first or is not ready in time. When t
// ends, the process and its group are killed; t fails if the service had exited
// by itself, and the end of stderr is shown if t failed.
func Start(t testing.TB, bin Binary, opts Options) *Process {
	t.Helper()
	p := Launch(t, bin, opts)
	p.AwaitReady(t)
	return p
}

// Launch is Start without waiting until the service is ready, for a service
// that is expected to refuse its configuration.
func Launch(t testing.TB, bin Binary, opts Options) *Process {
	t.Helper()
	p := &Process{
		opts:     withDefaults(t, opts),
		name:     filepath.Base(bin.Path),
		cmd:      exec.Command(bin.Path, opts.Args...),
		addrFile: cmp.Or(opts.AddrFile, filepath.Join(t.TempDir(), "addrs.json")),
		exited:   make(chan struct{}),
	}
	p.cmd.Dir = p.opts.Dir
	p.cmd.Env = environment(bin, p.opts, p.addrFile)
	p.cmd.SysProcAttr = ownGroup()
	if err := p.start(); err != nil {
		t.Fatalf("proc: start %s: %v", p.name, err)
	}
	t.Cleanup(func() { p.cleanup(t) })
	return p
}

func (p *Process) cleanup(t testing.TB) {
	if !p.expected && p.hasExited() {
		t.Errorf("%s exited with code %d during the test", p.name, p.exitCode())
	}
	p.kill()
	if !t.Failed() {
		return
	}
	lines := logLines
	if p.dumped || strings.Contains(p.Stderr(), raceReport) {
		lines = dumpLines
	}
	if p.Stderr() == "" {
		t.Logf("%s wrote nothing to stderr", p.name)
		return
	}
	t.Logf("stderr of %s ends with\n%s", p.name, tail(p.Stderr(), lines))
}

func withDefaults(t testing.TB, o Options) Options {
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.CoverDir == "" {
		o.CoverDir = os.Getenv("GOCOVERDIR")
	}
	if o.CoverDir == "" {
		o.CoverDir = t.TempDir()
	}
	if o.ReadyWithin == 0 {
		o.ReadyWithin = DefaultReadyWithin
	}
	if o.StopWithin == 0 {
		o.StopWithin = DefaultStopWithin
	}
	return o
}

func environment(bin Binary, o Options, addrFile string) []string {
	var env []string
	for _, key := range []string{"PATH", "HOME", "TMPDIR", "SYSTEMROOT", "TEMP", "GORACE", mutant.Env} {
		if v, ok := os.LookupEnv(key); ok {
			env = append(env, key+"="+v)
		}
	}
	if bin.cover {
		env = append(env, "GOCOVERDIR="+o.CoverDir)
	}
	env = append(env, "TT_ADDR_FILE="+addrFile)
	for key, v := range o.Env {
		env = append(env, key+"="+v)
	}
	return env
}

// start runs the process and everything that belongs to it until it has gone.
func (p *Process) start() (err error) {
	if p.stdout, err = newCapture(); err != nil {
		return err
	}
	if p.stderr, err = newCapture(); err != nil {
		return err
	}
	p.cmd.Stdout, p.cmd.Stderr = p.stdout.w, p.stderr.w

	started := make(chan error)
	go func() {
		// The process dies with this thread, see ownGroup, so keep it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		p.stdout.started()
		p.stderr.started()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // the exit code is in ProcessState
			killGroup(p.cmd.Process.Pid)
		}
		p.stdout.finish()
		p.stderr.finish()
		close(p.exited)
	}()
	return <-started
}

// AwaitReady returns when the service is ready, or fails t as [Start] does.
func (p *Process) AwaitReady(t testing.TB) {
	t.Helper()
	deadline := time.NewTimer(p.opts.ReadyWithin)
	defer deadline.Stop()
	retry := time.NewTicker(poll)
	defer retry.Stop()
	for {
		err := p.readAddrs()
		if err == nil {
			return
		}
		select {
		case <-p.exited:
			p.expected = true
			t.Fatalf("%s exited with code %d before it was ready", p.name, p.exitCode())
		case <-deadline.C:
			p.expected = true
			p.dump()
			t.Fatalf("%s was not ready within %v: TT_ADDR_FILE: %v", p.name, p.opts.ReadyWithin, err)
		case <-retry.C:
		}
	}
}

func (p *Process) readAddrs() error {
	content, err := os.ReadFile(p.addrFile)
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("there is no such file; write it once all listeners accept")
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(content, &p.addrs)
}

// Addrs returns where the service listens. It is zero until the service is
// ready.
func (p *Process) Addrs() Addrs { return p.addrs }

// Stderr returns what the service has written to stderr so far, at least the
// last 4 MiB of it. After Stop, Kill or Wait it is complete.
func (p *Process) Stderr() string { return p.stderr.String() }

// Stdout is [Process.Stderr] for stdout.
func (p *Process) Stdout() string { return p.stdout.String() }

// Stop sends SIGTERM and returns the exit code, -1 if a signal ended the
// process. It fails t if the service had exited by itself, and if it does not
// exit in time, in which case its goroutines are dumped to its stderr. A second
// call returns the same code.
func (p *Process) Stop(t testing.TB) int {
	t.Helper()
	if !p.expected && p.hasExited() {
		t.Fatalf("%s exited with code %d before it was stopped", p.name, p.exitCode())
	}
	p.expected = true
	terminate(p.cmd.Process)
	return p.Wait(t)
}

// Wait returns the exit code of a service that exits by itself, -1 if a signal
// ended it. It fails t if the service does not exit in time.
func (p *Process) Wait(t testing.TB) int {
	t.Helper()
	p.expected = true
	select {
	case <-p.exited:
	case <-time.After(p.opts.StopWithin):
		p.dump()
		t.Fatalf("%s did not exit within %v", p.name, p.opts.StopWithin)
	}
	return p.exitCode()
}

// Kill sends SIGKILL to the process and its group, as a crash of the machine
// would, and returns when they are gone. It fails t if the service had exited
// by itself.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	if !p.expected && p.hasExited() {
		t.Fatalf("%s exited with code %d before it was killed", p.name, p.exitCode())
	}
	p.expected = true
	p.kill()
}

// Exited returns a channel that is closed when the process has gone.
func (p *Process) Exited() <-chan struct{} { return p.exited }

func (p *Process) kill() {
	if !p.hasExited() {
		killGroup(p.cmd.Process.Pid)
	}
	<-p.exited
}

// dump ends a process that hangs, with a list of its goroutines on stderr.
func (p *Process) dump() {
	p.dumped = true
	dumpGoroutines(p.cmd.Process)
	select {
	case <-p.exited:
	case <-time.After(2 * time.Second):
		p.kill()
	}
}

func (p *Process) hasExited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// exitCode returns the code of a process that has exited.
func (p *Process) exitCode() int { return p.cmd.ProcessState.ExitCode() }
