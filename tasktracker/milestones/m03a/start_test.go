package m03a_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/lifecycle"
)

// Most tests about time run in synctest bubbles: "at 5s" is exactly 5 s after
// the call of Run, and no test waits.

const runThree = "err := Run(ctx, []Service{store, queue, api})"

var errDisk = errors.New("disk full")

func TestRun_StartsInOrderAfterReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const do = runThree + " // store needs 2s until it is ready, queue 1s; ctx is done at 10s"
		s := play(t.Context(), []*fake{
			{name: "store", startup: 2 * time.Second},
			{name: "queue", startup: time.Second},
			{name: "api"},
		})
		time.Sleep(10 * time.Second)
		started := s.entries()
		s.cancel(nil)
		s.await(t, do)
		expectDiary(t, do, "An API that starts beside its store answers the first requests after every deploy with errors.", started,
			"0s: store starts", "2s: store is ready",
			"2s: queue starts", "3s: queue is ready",
			"3s: api starts", "3s: api is ready")
		s.expectErr(t, do, "A stop that was asked for is no error.")
	})
}

func TestRun_StartFailureDoesNotStartRest(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  error
		want string
	}{
		{"an error", errDisk, "queue: disk full"},
		{"nil", nil, "queue: stopped unexpectedly"},
	} {
		t.Run("the second one returns "+tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				do := runThree + " // at 1s queue returns " + tc.name + ", and it was not ready"
				s := play(t.Context(), []*fake{
					{name: "store"},
					{name: "queue", startup: never, life: time.Second, end: returns(tc.end)},
					{name: "api"},
				})
				s.await(t, do)
				expectDiary(t, do, "What needs the service that failed must not begin, and what has begun is ended well.", s.entries(),
					"0s: store starts", "0s: store is ready",
					"0s: queue starts", "1s: queue ends",
					"1s: store is told to stop", "1s: store ends")
				s.expectErr(t, do, "A service that does not come up is why the deploy failed.", tc.want)
			})
		})
	}
	t.Run("the last one returns an error", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const do = "err := Run(ctx, []Service{store, api}) // at 1s api returns an error, and it was not ready"
			s := play(t.Context(), []*fake{
				{name: "store"},
				{name: "api", startup: never, life: time.Second, end: returns(errDisk)},
			})
			s.await(t, do)
			expectDiary(t, do, "A port that is taken must end the program and not leave it half alive.", s.entries(),
				"0s: store starts", "0s: store is ready",
				"0s: api starts", "1s: api ends",
				"1s: store is told to stop", "1s: store ends")
			s.expectErr(t, do, "", "api: disk full")
		})
	})
	t.Run("the first one fails while the second one starts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const do = runThree + " // at 1s store returns an error, and queue would be ready at 2s"
			s := play(t.Context(), []*fake{
				{name: "store", life: time.Second, end: returns(errDisk)},
				{name: "queue", startup: 2 * time.Second, cleanup: 5 * time.Second},
				{name: "api"},
			})
			s.await(t, do)
			expectDiary(t, do, "The failure of any service stops the start: waiting for the others first only hides it.", s.entries(),
				"0s: store starts", "0s: store is ready",
				"0s: queue starts", "1s: store ends",
				"1s: queue is told to stop", "6s: queue ends")
			s.expectErr(t, do, "", "store: disk full")
		})
	})
}

func TestRun_NoStartAfterStop(t *testing.T) {
	t.Run("while a service starts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const do = "err := Run(ctx, []Service{queue, api}) // queue needs 5s until it is ready; ctx is done at 2s"
			s := play(t.Context(), []*fake{
				{name: "queue", startup: 5 * time.Second, cleanup: time.Second},
				{name: "api"},
			})
			time.Sleep(2 * time.Second)
			s.cancel(nil)
			s.await(t, do)
			expectDiary(t, do, "A deploy that is taken back during the start must not wait for the start.", s.entries(),
				"0s: queue starts", "2s: queue is told to stop", "3s: queue ends")
			s.expectErr(t, do, "A stop that was asked for is no error, also during the start.")
		})
	})
	t.Run("before the first one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const do = "ctx, cancel := context.WithCancel(ctx)\ncancel()\n" + runThree
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			s := play(ctx, []*fake{{name: "store"}, {name: "queue"}, {name: "api"}})
			s.await(t, do)
			expectDiary(t, do, "A program that was told to stop must not open its database first.", s.entries())
			s.expectErr(t, do, "")
		})
	})
	t.Run("at the same moment", func(t *testing.T) {
		for range 100 {
			ctx, cancel := context.WithCancel(t.Context())
			started := false
			err := lifecycle.Run(ctx, []lifecycle.Service{
				bare{"store", func(ctx context.Context, ready func()) error {
					cancel()
					ready()
					<-ctx.Done()
					return nil
				}},
				bare{"api", func(ctx context.Context, ready func()) error {
					started = true
					ready()
					<-ctx.Done()
					return nil
				}},
			})
			cancel()
			if err != nil || started {
				rule.Broken(t, rule.Case{
					Do:   "Run(ctx, []Service{store, api}) // store cancels ctx and then calls ready",
					Got:  rule.Textf("api started: %v, error: %v", started, err),
					Want: rule.Text("api started: false, error: <nil>"),
					Why:  "Of two cases that are ready, select takes any. The stop came first, so it wins.",
				})
			}
		}
	})
}

// bare is a service that is not watched.
type bare struct {
	name string
	run  func(ctx context.Context, ready func()) error
}

func (b bare) Name() string                                { return b.name }
func (b bare) Run(ctx context.Context, ready func()) error { return b.run(ctx, ready) }

func TestRun_ReadyTwice(t *testing.T) {
	var late func()
	const why = "A server that listens on two addresses is ready twice. Another call must not take the program down."
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	api := 0
	err := lifecycle.Run(ctx, []lifecycle.Service{
		bare{"store", func(ctx context.Context, ready func()) error {
			late = ready
			ready()
			ready()
			var callers sync.WaitGroup
			for range 8 {
				callers.Go(ready)
			}
			callers.Wait()
			<-ctx.Done()
			return nil
		}},
		bare{"api", func(ctx context.Context, ready func()) error {
			api++
			cancel()
			<-ctx.Done()
			return nil
		}},
	})
	if err != nil || api != 1 {
		rule.Broken(t, rule.Case{
			Do:   "err := Run(ctx, []Service{store, api}) // store calls ready ten times, then ctx is done",
			Got:  rule.Textf("api started %d times, error: %v", api, err),
			Want: rule.Text("api started 1 times, error: <nil>"),
			Why:  why,
		})
	}
	defer func() {
		if v := recover(); v != nil {
			rule.Broken(t, rule.Case{Do: "ready() // when Run has returned", Got: rule.Textf("panic: %v", v), Want: rule.Text("nothing happens"), Why: why})
		}
	}()
	late()
}

type key struct{}

func TestRun_ContextCarriesValues(t *testing.T) {
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "tenant-7"))
	defer cancel()
	var got any
	err := lifecycle.Run(ctx, []lifecycle.Service{
		bare{"api", func(ctx context.Context, ready func()) error {
			got = ctx.Value(key{})
			cancel()
			<-ctx.Done()
			return nil
		}},
	})
	if got != "tenant-7" || err != nil {
		rule.Broken(t, rule.Case{
			Do:   `ctx = context.WithValue(ctx, key{}, "tenant-7")` + "\nRun(ctx, []Service{api}) // api asks ctx.Value(key{})",
			Got:  rule.Textf("%v, error: %v", got, err),
			Want: rule.Text("tenant-7, error: <nil>"),
			Why:  "Traces and loggers travel in the values of the context. Only the cancellation is yours to delay.",
		})
	}
}

func TestRun_NilService(t *testing.T) {
	started := false
	store := bare{"store", func(context.Context, func()) error {
		started = true
		return nil
	}}
	var missing *bare // its Name panics
	for _, tc := range []struct {
		name  string
		wrong lifecycle.Service
	}{
		{"nil", nil},
		{"(*api)(nil)", missing},
	} {
		t.Run(strings.Trim(tc.name, "()*"), func(t *testing.T) {
			got := "no panic"
			err := func() (err error) {
				defer func() {
					if v := recover(); v != nil {
						got = fmt.Sprint("panic: ", v)
					}
				}()
				return lifecycle.Run(t.Context(), []lifecycle.Service{store, tc.wrong})
			}()
			if started || err == nil || !strings.Contains(err.Error(), "services[1]") {
				rule.Broken(t, rule.Case{
					Do:   "err := Run(ctx, []Service{store, " + tc.name + "})",
					Got:  rule.Textf("%s, store started: %v, error: %v", got, started, err),
					Want: rule.Text("no panic, store started: false, error: ... services[1] ..."),
					Why:  "The wiring is wrong. That must show before the first service has opened anything.",
				})
			}
		})
	}
}

func TestRun_NoServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const do = "err := Run(ctx, nil)"
		s := play(t.Context(), nil)
		s.await(t, do)
		s.expectErr(t, do, "")
	})
}
