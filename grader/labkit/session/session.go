// Package session is the test binary's side of a grading run.
//
// The grader adds a TestMain that calls [Main] and a call of [Track] at the
// start of every test and subtest of the course. Results travel as JSON lines
// on descriptor 3, a socket to the grader. What a test prints is for display
// only: a verdict is believed when the process exits 0, the one-time token came
// back after m.Run, and every test of the recorded inventory reported a pass.
//
// Without a grader, under plain go test, the package does nothing.
package session

import (
	"bufio"
	"encoding/json"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/middle-go/course/grader/labkit/abbench"
	"github.com/middle-go/course/grader/labkit/leak"
)

// Environment variables that the grader sets for the test binary.
const (
	EnvActive = "GRADER_SESSION" // any value: descriptor 3 is the grader
	EnvLeak   = "GRADER_LEAK"    // any value: look for goroutines left at the end
	// EnvIsolate, with any value: the tests start a program that is not trusted.
	EnvIsolate = "GRADER_ISOLATE"
)

// Event is one line on descriptor 3.
type Event struct {
	Kind   string    `json:"kind"`             // start, end, bench, leak or done
	Test   string    `json:"test,omitempty"`   // full name, with subtests
	Result string    `json:"result,omitempty"` // of end: pass, fail or skip
	Text   string    `json:"text,omitempty"`   // of leak: the goroutines that stayed
	Ratios []float64 `json:"ratios,omitempty"` // of bench: baseline time / candidate time, one a round
	CPU    bool      `json:"cpu,omitempty"`    // of bench: measured in process CPU time
	Code   int       `json:"code,omitempty"`   // of done: the result of m.Run
	Token  string    `json:"token,omitempty"`  // of done: the token that the grader sent
}

// Kinds of events and results of tests.
const (
	Start = "start"
	End   = "end"
	Bench = "bench"
	Leak  = "leak"
	Done  = "done"

	Pass = "pass"
	Fail = "fail"
	Skip = "skip"
)

// maxStack is the largest stack of a goroutine, in bytes. Under the limit on
// memory, endless recursion then ends in a stack overflow, which says so, and not
// in a failed allocation of the race detector.
const maxStack = 64 << 20

// ExitLeak is the exit code when all tests passed but goroutines stayed.
const ExitLeak = 65

// Main runs the tests and exits. It is called from TestMain and nowhere else.
func Main(m *testing.M) {
	if os.Getenv(EnvActive) == "" || fuzzWorker() {
		os.Exit(m.Run())
	}
	grader := os.NewFile(3, "grader")
	keep(3)
	if os.Getenv(EnvIsolate) != "" {
		isolate()
	}
	token, err := bufio.NewReader(grader).ReadString('\n')
	if err != nil {
		os.Exit(3)
	}
	sink.open(grader)
	debug.SetMaxStack(maxStack)
	abbench.OnSample(func(s abbench.Sample) {
		sink.send(Event{Kind: Bench, Test: s.Name, Ratios: s.Ratios, CPU: s.CPUTime})
	})
	code := m.Run()
	if code == 0 && os.Getenv(EnvLeak) != "" {
		if err := leak.Find(); err != nil {
			sink.send(Event{Kind: Leak, Text: err.Error()})
			code = ExitLeak
		}
	}
	sink.send(Event{Kind: Done, Code: code, Token: strings.TrimSpace(token)})
	os.Exit(code)
}

// fuzzWorker reports whether the process is a worker of go test -fuzz, which
// uses descriptor 3 for the fuzzing engine.
func fuzzWorker() bool {
	for _, arg := range os.Args {
		if strings.HasPrefix(arg, "-test.fuzzworker") {
			return true
		}
	}
	return false
}

// Track reports the start of t now, and its result when t and its cleanups are
// over. A test that panics has no result: the process dies in the middle of it.
func Track(t testing.TB) {
	if !sink.active() {
		return
	}
	name := t.Name()
	sink.send(Event{Kind: Start, Test: name})
	t.Cleanup(func() {
		result := Pass
		switch {
		case t.Failed():
			result = Fail
		case t.Skipped():
			result = Skip
		case unwinding():
			return
		}
		sink.send(Event{Kind: End, Test: name, Result: result})
	})
}

// unwinding reports whether the caller is deferred on a goroutine that panics or
// exits. Package testing runs cleanups then, before it marks the test as failed.
func unwinding() bool {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	for {
		frame, more := frames.Next()
		if frame.Function == "runtime.gopanic" || frame.Function == "runtime.Goexit" {
			return true
		}
		if !more {
			return false
		}
	}
}

var sink eventSink

type eventSink struct {
	mu  sync.Mutex
	enc *json.Encoder
}

func (s *eventSink) open(f *os.File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enc = json.NewEncoder(f)
}

func (s *eventSink) active() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enc != nil
}

// send writes e. When the grader is gone nobody is left to tell, and without
// the closing token the run is not believed.
func (s *eventSink) send(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.enc.Encode(e)
}
