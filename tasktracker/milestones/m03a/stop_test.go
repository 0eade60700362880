package m03a_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/grader/labkit/blocked"
	"github.com/middle-go/course/grader/labkit/leak"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/lifecycle"
)

// patience bounds a wait that only a broken submission makes.
const patience = 3 * time.Second

// This test comes first, and is in no bubble: a goroutine that is left there
// ends all tests at once.
func TestRun_LateEndLeavesNothing(t *testing.T) {
	const do = "err := Run(ctx, []Service{api}, StopTimeout(time.Millisecond)) // api ends when Run has returned"
	release := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	returned := make(chan error, 1)
	go func() {
		returned <- lifecycle.Run(ctx, []lifecycle.Service{
			bare{"api", func(context.Context, func()) error {
				cancel()
				<-release
				return errDisk
			}},
		}, lifecycle.StopTimeout(time.Millisecond))
	}()
	select {
	case err := <-returned:
		close(release)
		if !errors.Is(err, lifecycle.ErrStopTimeout) {
			rule.Broken(t, rule.Case{Do: do + "\nerrors.Is(err, ErrStopTimeout)", Got: false, Want: true, Why: "A service that does not end in time is a failure."})
		}
	case <-time.After(patience):
		close(release)
		rule.Broken(t, rule.Case{Do: do, Got: rule.Text("Run waits for api"), Want: rule.Text("Run returns"), Why: "A program that does not stop is killed, and what it had in its hands is lost."})
	}
	if err := leak.Find(); err != nil {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("a goroutine of Run is left: %v", err),
			Want: rule.Text("no goroutine is left"),
			Why:  "Who sends its result to somebody that has gone waits for ever. A channel with room for all of them lets it leave.",
		})
	}
}

func TestRun_StopsInReverse(t *testing.T) {
	three := func() []*fake {
		return []*fake{
			{name: "store", cleanup: time.Second},
			{name: "queue", cleanup: 3 * time.Second},
			{name: "api", cleanup: 2 * time.Second},
		}
	}
	inReverse := []string{
		"10s: api is told to stop", "12s: api ends",
		"12s: queue is told to stop", "15s: queue ends",
		"15s: store is told to stop", "16s: store ends",
	}
	const why = "The last requests still need the store. If it closes at the same moment, their answers are errors."

	t.Run("ctx is cancelled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const do = runThree + " // to stop takes store 1s, queue 3s, api 2s; ctx is cancelled at 10s"
			s := play(t.Context(), three())
			time.Sleep(10 * time.Second)
			s.cancel(nil)
			s.await(t, do)
			expectDiary(t, do, why, s.endings(), inReverse...)
			s.expectErr(t, do, "")
		})
	})
	t.Run("ctx has a deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const do = "ctx, cancel := context.WithTimeout(ctx, 10*time.Second)\n" + runThree + " // to stop takes store 1s, queue 3s, api 2s"
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			s := play(ctx, three())
			s.await(t, do)
			expectDiary(t, do, why, s.endings(), inReverse...)
			s.expectErr(t, do, "")
		})
	})
	t.Run("a service in the middle has ended", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const do = runThree + " // at 10s queue returns an error; to stop takes store 1s, api 2s"
			services := three()
			services[1] = &fake{name: "queue", life: 10 * time.Second, end: returns(errDisk)}
			s := play(t.Context(), services)
			s.await(t, do)
			expectDiary(t, do, "The order is the same, whatever the reason of the stop.", s.endings(),
				"10s: queue ends",
				"10s: api is told to stop", "12s: api ends",
				"12s: store is told to stop", "13s: store ends")
			s.expectErr(t, do, "", "queue: disk full")
		})
	})
}

func TestRun_FirstFailureStopsAll(t *testing.T) {
	for _, tc := range []struct {
		name   string
		end    error
		want   string
		is     string
		target error
	}{
		{"an error", errDisk, "queue: disk full", "errDisk", errDisk},
		{"nil", nil, "queue: stopped unexpectedly", "ErrStopped", lifecycle.ErrStopped},
		{"context.Canceled", context.Canceled, "queue: context canceled", "context.Canceled", context.Canceled},
	} {
		t.Run("it returns "+tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				do := runThree + " // at 5s queue returns " + tc.name + ", and ctx is not done"
				s := play(t.Context(), []*fake{
					{name: "store"},
					{name: "queue", life: 5 * time.Second, end: returns(tc.end)},
					{name: "api"},
				})
				s.await(t, do)
				const why = "Nobody has told the service to stop. A program that goes on without it looks healthy and does not do its work."
				expectDiary(t, do, why, s.endings(),
					"5s: queue ends",
					"5s: api is told to stop", "5s: api ends",
					"5s: store is told to stop", "5s: store ends")
				s.expectErr(t, do, why, tc.want)
				s.expectIs(t, do, tc.is, tc.target)
			})
		})
	}
}

func TestRun_AllErrorsJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const do = runThree + " // at 5s api fails, at 6s store fails, at 8s queue cannot flush"
		errPort, errFlush := errors.New("port closed"), errors.New("cannot flush")
		s := play(t.Context(), []*fake{
			{name: "store", life: 6 * time.Second, end: returns(errDisk)},
			{name: "queue", cleanup: 3 * time.Second, last: func(context.Context) error { return errFlush }},
			{name: "api", life: 5 * time.Second, end: returns(errPort)},
		})
		s.await(t, do)
		s.expectErr(t, do, "The first error is often an echo. The one that explains it may come last.",
			"api: port closed", "store: disk full", "queue: cannot flush")
		s.expectIs(t, do, "errPort", errPort)
		s.expectIs(t, do, "errDisk", errDisk)
		s.expectIs(t, do, "errFlush", errFlush)
	})
}

func TestRun_CleanStopIsNil(t *testing.T) {
	for _, tc := range []struct {
		name string
		last func(ctx context.Context) error
		want []string
	}{
		{"nil", func(context.Context) error { return nil }, nil},
		{"ctx.Err()", func(ctx context.Context) error { return ctx.Err() }, nil},
		{"context.Canceled, wrapped", func(ctx context.Context) error { return fmt.Errorf("accept: %w", ctx.Err()) }, nil},
		{"context.DeadlineExceeded", func(context.Context) error { return context.DeadlineExceeded }, []string{"api: context deadline exceeded"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				do := "err := Run(ctx, []Service{api}) // at 5s ctx is cancelled, and api returns " + tc.name
				s := play(t.Context(), []*fake{{name: "api", last: tc.last}})
				time.Sleep(5 * time.Second)
				s.cancel(nil)
				s.await(t, do)
				expectDiary(t, do, "", s.endings(), "5s: api is told to stop", "5s: api ends")
				s.expectErr(t, do, "context.Canceled after the stop is its echo; a cleanup that took too long is a failure. An exit code that is always 1 tells nobody anything.", tc.want...)
			})
		})
	}
}

func TestRun_StopTimeoutNamesTheGuilty(t *testing.T) {
	const why = "After its grace period the platform kills the process. Until then the others can still end well, and the log can say who could not."
	t.Run("one hangs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const do = "err := Run(ctx, []Service{store, queue, api}, StopTimeout(5*time.Second))\n// ctx is done at 10s; to stop takes store 4s, queue 4s, api for ever"
			s := play(t.Context(), []*fake{
				{name: "store", cleanup: 4 * time.Second},
				{name: "queue", cleanup: 4 * time.Second},
				{name: "api", cleanup: never},
			}, lifecycle.StopTimeout(5*time.Second))
			time.Sleep(10 * time.Second)
			s.cancel(nil)
			s.await(t, do)
			expectDiary(t, do, why, s.endings(),
				"10s: api is told to stop",
				"15s: queue is told to stop", "19s: queue ends",
				"19s: store is told to stop", "23s: store ends",
				"23s: api ends") // released by the test
			s.expectErr(t, do, why, "api: did not stop in time")
			s.expectIs(t, do, "ErrStopTimeout", lifecycle.ErrStopTimeout)
		})
	})
	for _, tc := range []struct {
		name, opts string
		opts_      []lifecycle.Option
		cleanup    time.Duration
		want       []string
		after      time.Duration
	}{
		{"the default is 10s", "", nil, never, []string{"api: did not stop in time"}, 11 * time.Second},
		{"less than the default", "", nil, 10*time.Second - 1, nil, 11*time.Second - 1},
		{"1ns is a limit", ", StopTimeout(1)", []lifecycle.Option{lifecycle.StopTimeout(1)}, never, []string{"api: did not stop in time"}, time.Second + 1},
		{"0 is no limit", ", StopTimeout(0)", []lifecycle.Option{lifecycle.StopTimeout(0)}, 6 * time.Hour, nil, 6*time.Hour + time.Second},
		{"less than 0 is no limit", ", StopTimeout(-1)", []lifecycle.Option{lifecycle.StopTimeout(-1)}, 6 * time.Hour, nil, 6*time.Hour + time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				takes := tc.cleanup.String()
				if tc.cleanup == never {
					takes = "for ever"
				}
				do := "err := Run(ctx, []Service{api}" + tc.opts + ") // ctx is done at 1s; to stop takes api " + takes
				s := play(t.Context(), []*fake{{name: "api", cleanup: tc.cleanup}}, tc.opts_...)
				time.Sleep(time.Second)
				s.cancel(nil)
				s.await(t, do)
				s.expectErr(t, do, why, tc.want...)
				if s.after != tc.after {
					rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("Run returns at %v", s.after), Want: rule.Textf("Run returns at %v", tc.after), Why: why})
				}
			})
		})
	}
}

func TestRun_PanicIsErrorWithName(t *testing.T) {
	for _, tc := range []struct {
		name, do string
		queue    fake
		told     bool
	}{
		{"while it starts", "at 1s queue panics, and it was not ready",
			fake{startup: never, life: time.Second, end: explode}, false},
		{"while it works", "at 1s queue panics",
			fake{life: time.Second, end: explode}, false},
		{"while it stops", "at 1s ctx is cancelled, and queue panics",
			fake{last: func(context.Context) error { return explode() }}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				do := "err := Run(ctx, []Service{store, queue}) // " + tc.do
				queue := tc.queue
				queue.name = "queue"
				s := play(t.Context(), []*fake{{name: "store", cleanup: time.Second}, &queue})
				if tc.told {
					time.Sleep(time.Second)
					s.cancel(nil)
				}
				s.await(t, do)
				s.expectErr(t, do, "One bad job must not cut off the requests of all others: it stops the program in order.", "queue: panic: job 17: context canceled")
				if s.after != 2*time.Second {
					rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("Run returns at %v", s.after), Want: rule.Text("Run returns at 2s, when store has ended too")})
				}
				expectPanic(t, do, s.err)
			})
		})
	}
}

var errJob = fmt.Errorf("job 17: %w", context.Canceled)

func explode() error { panic(errJob) }

func expectPanic(t *testing.T, do string, err error) {
	t.Helper()
	caught, ok := errors.AsType[*lifecycle.PanicError](err)
	if !ok || caught.Value != errJob || !errors.Is(err, errJob) {
		rule.Broken(t, rule.Case{
			Do: do + "\nerrors.AsType[*PanicError](err)", Got: rule.Textf("%+v", caught), Want: rule.Text("Value: the value of the panic, which err wraps"),
			Why: "An error that was thrown is still an error, and those who know it ask for it.",
		})
	}
	if !strings.Contains(string(caught.Stack), "m03a_test.explode") {
		rule.Broken(t, rule.Case{
			Do:   do + "\ncaught, _ := errors.AsType[*PanicError](err)\nfmt.Printf(\"%s\", caught.Stack)",
			Got:  string(caught.Stack),
			Want: rule.Text("a stack with the function that panicked"),
			Why:  "A panic without its stack cannot be found in a program of 100,000 lines.",
		})
	}
}

func TestRun_GoexitIsAnEnd(t *testing.T) {
	const why = "runtime.Goexit ends a goroutine without a return. What must happen in any case belongs into a defer."
	for _, tc := range []struct {
		name string
		told bool
		want error
	}{
		{"by itself", false, lifecycle.ErrStopped},
		{"after the stop", true, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			do := "err := Run(ctx, []Service{api}) // api calls runtime.Goexit " + tc.name
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			api := bare{"api", func(ctx context.Context, ready func()) error {
				ready()
				if tc.told {
					cancel()
					<-ctx.Done()
				}
				runtime.Goexit()
				return nil
			}}
			var err error
			call := blocked.Start(func() { err = lifecycle.Run(ctx, []lifecycle.Service{api}) })
			if !call.Returns() {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Text("Run does not return"), Want: rule.Text("Run returns"), Why: why})
			}
			if !errors.Is(err, tc.want) {
				rule.Broken(t, rule.Case{Do: do, Got: err, Want: tc.want, Why: why})
			}
		})
	}
}

func TestRun_CauseTellsWhy(t *testing.T) {
	const why = "A service that logs why it stops saves the night of the one who reads it."
	t.Run("ctx is cancelled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const do = "err := Run(ctx, []Service{api}) // at 1s ctx is cancelled with the cause errDeploy\ncontext.Cause(ctx) // in api"
			errDeploy := errors.New("deploy")
			var cause error
			s := play(t.Context(), []*fake{{name: "api", last: func(ctx context.Context) error { cause = context.Cause(ctx); return nil }}})
			time.Sleep(time.Second)
			s.cancel(errDeploy)
			s.await(t, do)
			if cause != errDeploy {
				rule.Broken(t, rule.Case{Do: do, Got: cause, Want: errDeploy, Why: why})
			}
		})
	})
	t.Run("a service fails", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const do = "err := Run(ctx, []Service{store, api}) // at 1s store returns errDisk\ncontext.Cause(ctx) // in api"
			var cause error
			s := play(t.Context(), []*fake{
				{name: "store", life: time.Second, end: returns(errDisk)},
				{name: "api", last: func(ctx context.Context) error { cause = context.Cause(ctx); return nil }},
			})
			s.await(t, do)
			if cause == nil || cause.Error() != "store: disk full" || !errors.Is(cause, errDisk) {
				rule.Broken(t, rule.Case{Do: do, Got: cause, Want: rule.Text("store: disk full"), Why: why})
			}
		})
	})
}
