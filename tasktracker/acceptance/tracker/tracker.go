// Package tracker starts the service as a process of its own and talks to it as
// its clients do. Everything that passes between them is checked against the
// contract.
//
//	tt := tracker.Start(t, tracker.Env{"TT_AUTH": "dev"})
//	ann := tt.Developer("usr_ann")
//	created := ann.Want(t, tracker.Post("/v1/tasks", `{"title":"Water the plants"}`), 201, "")
//	task := created.Task(t)
//
// The program is the one that the variable TRACKER_PROGRAM names. Without it,
// cmd/tasktracker of this tree is built with the race detector.
package tracker

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/proc"
	"github.com/middle-go/course/tasktracker/acceptance/contract"
)

// Limits of everything that waits. No verdict depends on them unless the service
// hangs.
const (
	readyWithin   = 30 * time.Second
	stopWithin    = 30 * time.Second
	answerWithin  = 20 * time.Second
	connectWithin = 5 * time.Second

	coverageWithin = 5 * time.Second
)

// Env are variables of the service. They replace the defaults: port 0 of
// 127.0.0.1, the store in memory, and a log without a line for each request.
type Env map[string]string

// Tracker is a running service. Its process is killed when the test ends, and
// the test fails if it had ended by itself before.
type Tracker struct {
	*proc.Process
	t        testing.TB
	contract *contract.Contract
	history  *history
}

// Start runs the service and returns when it is ready. The arguments are those
// of the command line.
func Start(t testing.TB, env Env, args ...string) *Tracker {
	t.Helper()
	tt := Launch(t, env, args...)
	tt.AwaitReady(t)
	return tt
}

// Launch is [Start] without waiting, for a service that is expected to refuse
// its configuration.
func Launch(t testing.TB, env Env, args ...string) *Tracker {
	t.Helper()
	document, err := contract.Default()
	if err != nil {
		t.Fatal(err)
	}
	all := Env{
		"TT_HTTP_ADDR": "127.0.0.1:0",
		"TT_STORE":     "memory",
		"TT_LOG_LEVEL": "warn",
	}
	if os.Getenv("GORACE") == "" { // the grader has its own
		all["GORACE"] = "halt_on_error=1 exitcode=66 atexit_sleep_ms=0"
	}
	maps.Copy(all, env)
	tt := &Tracker{t: t, contract: document, history: newHistory(t)}
	tt.Process = proc.Launch(t, program(t), proc.Options{
		Args:        args,
		Env:         all,
		AddrFile:    env["TT_ADDR_FILE"],
		ReadyWithin: readyWithin,
		StopWithin:  stopWithin,
	})
	tt.stopWhenCovered(t)
	return tt
}

// URL returns where the service listens, as in http://127.0.0.1:40123.
func (tt *Tracker) URL() string { return "http://" + tt.Addrs().HTTP }

// program returns the binary under test.
func program(t testing.TB) proc.Binary {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	module := filepath.Join(filepath.Dir(file), "..", "..")
	return proc.Program(t, "./cmd/tasktracker", module, "-race")
}
