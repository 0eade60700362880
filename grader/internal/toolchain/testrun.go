package toolchain

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/middle-go/course/grader/internal/sandbox"
	"github.com/middle-go/course/grader/labkit/proc"
	"github.com/middle-go/course/grader/labkit/session"
)

// RunOptions chooses how a test binary runs.
type RunOptions struct {
	Dir        string        // working directory, to read only; holds testdata and nothing else
	Scratch    string        // where the run gets a directory for its temporary files
	Run        string        // regular expression of top-level tests, or empty
	Skip       string        // regular expression of top-level tests to leave out, or empty
	Bench      string        // regular expression of benchmarks, or empty
	Shuffle    uint64        // seed of the order, 0 for source order
	Count      int           // how often, 0 for once
	Timeout    time.Duration // of the whole binary
	Leak       bool          // look for goroutines left behind
	Interleave uint64        // seed of the yields, 0 for none
	Coverage   string        // file for the coverage profile, or empty
	Env        []string      // further variables
	FailFast   bool
	Children   bool // the tests may start processes
	Loopback   bool // they may use the network of this machine

	Program  string // absolute path of the program that the tests start, or empty
	CoverDir string // where the program leaves its coverage counters, or empty
}

const envCoverDir = "GOCOVERDIR"

// Outcome is the fate of one test or subtest.
type Outcome string

// The outcomes of a test.
const (
	Passed  Outcome = "pass"
	Failed  Outcome = "fail"
	Skipped Outcome = "skip"
	Running Outcome = "running" // the process ended in the middle of it
)

// Test is one test or subtest of a run.
type Test struct {
	Name    string
	Outcome Outcome
	Output  string // what it printed and logged, for display only
}

// Bench is one measured benchmark: ratios of baseline time to candidate time.
type Bench struct {
	Name   string
	Ratios []float64
	CPU    bool
}

// Run is the result of one run of a test binary.
type Run struct {
	End     sandbox.End
	Code    int
	Done    bool // the one-time token came back after m.Run
	Tests   []Test
	Benches []Bench
	Leaks   string // goroutines left behind
	Output  string // everything printed, for display only
	Elapsed time.Duration
}

// OK reports whether the run may be believed to have passed: it exited 0, its
// token came back and no test that started failed or is unfinished. Whether all
// expected tests ran is for the caller to check.
func (r *Run) OK() bool {
	if r.End != sandbox.Exited || r.Code != 0 || !r.Done {
		return false
	}
	for _, t := range r.Tests {
		if t.Outcome != Passed && t.Outcome != Skipped {
			return false
		}
	}
	return true
}

// TimedOut reports whether a limit on time ended the run.
func (r *Run) TimedOut() bool {
	return r.End == sandbox.TimedOut || strings.Contains(r.Output, "panic: test timed out after") ||
		strings.Contains(r.Output, "SIGXCPU: cpu limit exceeded")
}

// MemoryLimit says in words how much memory a test binary may use. It counts
// address space, of which the race detector takes close to 2 GiB for a few
// goroutines already, and more with every thread.
const MemoryLimit = "4 GiB of address space"

// Limits of a running test binary.
const (
	testMemory   = 4 << 30 // as MemoryLimit says
	testFileSize = 8 << 20
	testOutput   = 1 << 20

	// A program is a service: it has more threads, and files of its own.
	programMemory   = 8 << 30
	programFileSize = 64 << 20

	timeoutGrace = 5 * time.Second // for the binary to report its own timeout
)

// RunTest runs a test binary in the sandbox. The error is set only when it
// could not be started or ctx was cancelled.
func RunTest(ctx context.Context, binary string, o RunOptions) (*Run, error) {
	args := []string{binary, "-test.v=test2json", "-test.paniconexit0", "-test.timeout=" + o.Timeout.String()}
	if o.Run != "" {
		args = append(args, "-test.run="+o.Run)
	}
	if o.Skip != "" {
		args = append(args, "-test.skip="+o.Skip)
	}
	if o.Bench != "" {
		args = append(args, "-test.run=^$", "-test.bench="+o.Bench, "-test.benchtime=1x")
	}
	if o.Shuffle != 0 {
		args = append(args, fmt.Sprintf("-test.shuffle=%d", o.Shuffle))
	}
	if o.Count != 0 {
		args = append(args, fmt.Sprintf("-test.count=%d", o.Count))
	}
	if o.FailFast {
		args = append(args, "-test.failfast")
	}
	if o.Coverage != "" {
		args = append(args, "-test.coverprofile="+o.Coverage)
	}
	scratch, err := newScratch(o.Scratch)
	if err != nil {
		return nil, err
	}
	defer removeAll(scratch)
	env := append([]string{
		"PATH=", "HOME=/nonexistent", "TMPDIR=" + scratch, "TZ=UTC",
		"GOTRACEBACK=all",
		"GORACE=halt_on_error=1 exitcode=66 atexit_sleep_ms=0",
		session.EnvActive + "=1",
	}, o.Env...)
	if o.Leak {
		env = append(env, session.EnvLeak+"=1")
	}
	if o.Interleave != 0 {
		env = append(env, fmt.Sprintf("GRADER_INTERLEAVE=%d", o.Interleave))
	}
	limits := sandbox.Limits{
		Wall: o.Timeout + timeoutGrace, CPU: 4 * (o.Timeout + timeoutGrace),
		Memory: testMemory, FileSize: testFileSize, Output: testOutput,
	}
	reach := sandbox.Reach{Read: []string{o.Dir}, Scratch: scratch, Children: o.Children, Loopback: o.Loopback}
	if o.Program != "" {
		reach.Exec = []string{o.Program}
		limits.Memory, limits.FileSize = programMemory, programFileSize
		env = append(env, proc.EnvProgram+"="+o.Program, session.EnvIsolate+"=1")
	}
	if o.Coverage != "" {
		if err := os.WriteFile(o.Coverage, nil, 0o600); err != nil {
			return nil, err
		}
		reach.Write = append(reach.Write, o.Coverage)
	}
	if o.CoverDir != "" {
		reach.Write = append(reach.Write, o.CoverDir)
		env = append(env, envCoverDir+"="+o.CoverDir)
	}
	if o.Bench != "" {
		// Under a limit on CPU time Linux updates a process's CPU clock only at
		// every tick, which is too coarse to measure with.
		limits.CPU = 0
	}
	token := rand.Text()
	res, err := sandbox.Run(ctx, sandbox.Command{Args: args, Dir: o.Dir, Env: env, Control: token + "\n", Limits: limits, Reach: reach})
	if err != nil {
		return nil, err
	}
	if res.End == sandbox.Cancelled {
		return nil, context.Cause(ctx)
	}
	r := &Run{End: res.End, Code: res.Code, Output: string(res.Output), Elapsed: res.Elapsed}
	r.readEvents(res.Control, token)
	r.attachOutput()
	return r, nil
}

// readEvents takes the verdicts from descriptor 3.
func (r *Run) readEvents(control []byte, token string) {
	index := map[string]int{}
	open := map[string]int{} // starts without an end; a bubble repeats the name of its test
	sc := bufio.NewScanner(bytes.NewReader(control))
	sc.Buffer(nil, controlLine)
	for sc.Scan() {
		var e session.Event
		if json.Unmarshal(sc.Bytes(), &e) != nil {
			continue // a line cut off when the process died
		}
		switch e.Kind {
		case session.Start:
			if _, ok := index[e.Test]; !ok {
				index[e.Test] = len(r.Tests)
				r.Tests = append(r.Tests, Test{Name: e.Test, Outcome: Passed})
			}
			open[e.Test]++
		case session.End:
			if open[e.Test] > 0 { // an end before its start proves nothing
				open[e.Test]--
				i := index[e.Test]
				r.Tests[i].Outcome = worse(r.Tests[i].Outcome, Outcome(e.Result))
			}
		case session.Bench:
			r.Benches = append(r.Benches, Bench{Name: e.Test, Ratios: e.Ratios, CPU: e.CPU})
		case session.Leak:
			r.Leaks = e.Text
		case session.Done:
			r.Done = e.Token == token && e.Code == r.Code
		}
	}
	for name, n := range open {
		if n > 0 {
			i := index[name]
			r.Tests[i].Outcome = worse(r.Tests[i].Outcome, Running)
		}
	}
}

// controlLine bounds one event; those of benchmarks and leaks are the longest.
const controlLine = 1 << 20

// worse returns the outcome that decides when a test reports twice. One that is
// unknown counts as a failure.
func worse(a, b Outcome) Outcome {
	rank := map[Outcome]int{Passed: 1, Skipped: 2, Running: 3, Failed: 4}
	switch {
	case rank[a] == 0 || rank[b] == 0:
		return Failed
	case rank[b] > rank[a]:
		return b
	}
	return a
}

// attachOutput gives every test what was printed while it ran. The frames that
// package testing marks with ^V say whose turn it is.
func (r *Run) attachOutput() {
	index := map[string]int{}
	for i, t := range r.Tests {
		index[t.Name] = i
	}
	texts := make([]strings.Builder, len(r.Tests))
	current := -1
	for line := range strings.Lines(r.Output) {
		text, _, _ := strings.Cut(line, frameMark) // a frame does not wait for the end of a line
		if current >= 0 {
			texts[current].WriteString(text)
		}
		if name, ok := frameTest(line); ok {
			current = -1
			if i, known := index[name]; known {
				current = i
			}
		}
	}
	for i := range texts {
		r.Tests[i].Output = texts[i].String()
	}
}

const frameMark = "\x16" // ^V

// frameTest returns the test that a frame such as "^V=== NAME  TestX" or
// "^V    --- FAIL: TestX/sub (0.00s)" speaks of.
func frameTest(line string) (name string, ok bool) {
	_, frame, ok := strings.Cut(line, frameMark)
	if !ok {
		return "", false
	}
	fields := strings.Fields(frame)
	if len(fields) < 3 || fields[0] != "===" && fields[0] != "---" {
		return "", true
	}
	return fields[2], true
}
