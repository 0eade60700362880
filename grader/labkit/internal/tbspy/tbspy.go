// Package tbspy runs an assertion against a recording testing.TB, so that the
// tests of labkit can check how its assertions fail.
package tbspy

import (
	"fmt"
	"runtime"
	"testing"
)

// Outcome is what an assertion did to its testing.TB.
type Outcome struct {
	Failed  bool
	Skipped bool
	Log     string
}

// Run calls f on its own goroutine with a recording TB and returns what f did.
// Cleanups that f registers run before Run returns, last one first.
func Run(f func(tb testing.TB)) Outcome {
	s := &spy{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer s.runCleanups()
		f(s)
	}()
	<-done
	return s.out
}

type spy struct {
	testing.TB
	out      Outcome
	cleanups []func()
}

func (s *spy) runCleanups() {
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		s.cleanups[i]()
	}
}

func (s *spy) Helper()          {}
func (s *spy) Name() string     { return "spy" }
func (s *spy) Failed() bool     { return s.out.Failed }
func (s *spy) Skipped() bool    { return s.out.Skipped }
func (s *spy) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func (s *spy) Logf(format string, a ...any) { s.out.Log += fmt.Sprintf(format, a...) + "\n" }
func (s *spy) Log(a ...any)                 { s.Logf("%s", fmt.Sprint(a...)) }

func (s *spy) Errorf(format string, a ...any) {
	s.out.Failed = true
	s.Logf(format, a...)
}

func (s *spy) Error(a ...any) { s.Errorf("%s", fmt.Sprint(a...)) }

func (s *spy) Fatalf(format string, a ...any) {
	s.Errorf(format, a...)
	runtime.Goexit()
}

func (s *spy) Fatal(a ...any) { s.Fatalf("%s", fmt.Sprint(a...)) }

func (s *spy) Skip(a ...any) {
	s.out.Skipped = true
	s.Log(a...)
	runtime.Goexit()
}

func (s *spy) Skipf(format string, a ...any) { s.Skip(fmt.Sprintf(format, a...)) }
