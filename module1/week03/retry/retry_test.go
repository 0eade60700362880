package retry_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week03/retry"
)

// Every test runs in a synctest bubble: its clock moves only while all
// goroutines wait, so each time below is exact.

var (
	errRefused  = errors.New("connection refused")
	errShutdown = errors.New("service shuts down")
)

func TestDo_ScheduleExact(t *testing.T) {
	for _, tc := range []struct {
		name   string
		do     string
		policy retry.Policy
		opTime time.Duration
		want   []time.Duration
	}{
		{
			name:   "doubles",
			do:     "Do(ctx, Policy{Attempts: 5, Base: 100 * time.Millisecond}, op)",
			policy: retry.Policy{Attempts: 5, Base: 100 * time.Millisecond},
			want:   []time.Duration{0, ms(100), ms(300), ms(700), ms(1500)},
		},
		{
			name:   "waits after op",
			do:     "Do(ctx, Policy{Attempts: 3, Base: 100 * time.Millisecond}, op) // op takes 1 s",
			policy: retry.Policy{Attempts: 3, Base: 100 * time.Millisecond},
			opTime: time.Second,
			want:   []time.Duration{0, ms(1100), ms(2300)},
		},
		{
			name:   "no base",
			do:     "Do(ctx, Policy{Attempts: 3}, op)",
			policy: retry.Policy{Attempts: 3},
			want:   []time.Duration{0, 0, 0},
		},
		{
			name:   "no base, many attempts",
			do:     "Do(ctx, Policy{Attempts: 70}, op)",
			policy: retry.Policy{Attempts: 70},
			want:   make([]time.Duration, 70),
		},
		{
			name:   "negative base",
			do:     "Do(ctx, Policy{Attempts: 2, Base: -time.Second}, op)",
			policy: retry.Policy{Attempts: 2, Base: -time.Second},
			want:   []time.Duration{0, 0},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec := record(tc.opTime)
				err := retry.Do(t.Context(), tc.policy, rec.op)
				requireTimes(t, tc.do, rec.at, tc.want)
				requireCounts(t, tc.do, err, len(tc.want), rec.elapsed())
			})
		})
	}

	t.Run("numbers attempts from 1 and stops at a success", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var numbers []int
			err := retry.Do(t.Context(), retry.Policy{Attempts: 5, Base: time.Second}, func(_ context.Context, attempt int) error {
				numbers = append(numbers, attempt)
				if attempt == 3 {
					return nil
				}
				return errRefused
			})
			if err != nil || !slices.Equal(numbers, []int{1, 2, 3}) {
				rule.Broken(t, rule.Case{
					Do:   "err := Do(ctx, Policy{Attempts: 5, Base: time.Second}, op) // op succeeds in attempt 3",
					Got:  rule.Textf("%v, attempts %v", err, numbers),
					Want: rule.Text("nil, attempts [1 2 3]"),
					Why:  "The caller waits for the first success. What failed before it is history.",
				})
			}
		})
	})
}

func TestDo_NoSleepAfterLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		rec := record(0)
		err := retry.Do(t.Context(), retry.Policy{
			Attempts:   2,
			Base:       time.Second,
			Jitter:     func(d time.Duration) time.Duration { asked++; return d },
			RetryAfter: func(error) (time.Duration, bool) { asked++; return 0, false },
		}, rec.op)
		const do = "Do(ctx, Policy{Attempts: 2, Base: time.Second}, op) // op fails"
		if got := rec.elapsed(); got != time.Second {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("returned after %v", got),
				Want: rule.Text("returned after 1s"),
				Why:  "Nothing follows the last attempt. A wait after it only holds the caller's request open.",
			})
		}
		if asked != 2 {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("%d calls of RetryAfter and Jitter", asked),
				Want: rule.Text("one call of each, after the first attempt"),
				Why:  "There is no wait to compute after the last attempt.",
			})
		}
		requireCounts(t, do, err, 2, time.Second)
	})
}

func TestDo_AllErrorsReachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errReset := errors.New("connection reset")
		errs := []error{statusError(503), errReset, errRefused}
		err := retry.Do(t.Context(), retry.Policy{Attempts: 3, Base: time.Second}, func(_ context.Context, attempt int) error {
			return fmt.Errorf("charge: %w", errs[attempt-1])
		})
		const do = `err := Do(ctx, Policy{Attempts: 3, Base: time.Second}, op) // attempts fail with a 503, errReset, errRefused`
		requireExhausted(t, do, err, 3, s(3))
		for _, e := range errs {
			if !errors.Is(err, e) {
				rule.Broken(t, rule.Case{
					Do:   do + fmt.Sprintf("\nerrors.Is(err, %#v)", e.Error()),
					Got:  false,
					Want: true,
					Why:  "The first failure is often the cause, the last one a consequence. On-call needs all of them.",
				})
			}
		}
		status, ok := errors.AsType[statusError](err)
		if !ok || status != 503 {
			rule.Broken(t, rule.Case{
				Do:   do + "\nstatus, ok := errors.AsType[statusError](err)",
				Got:  rule.Textf("%d, %v", int(status), ok),
				Want: rule.Text("503, true"),
				Why:  "A caller maps the status of an attempt to its own answer.",
			})
		}
		exhausted, _ := errors.AsType[*retry.ExhaustedError](err)
		for i, e := range errs {
			if !errors.Is(exhausted.Errs[i], e) {
				rule.Broken(t, rule.Case{
					Do:   do + fmt.Sprintf("\nerr.(*ExhaustedError).Errs[%d]", i),
					Got:  exhausted.Errs[i],
					Want: fmt.Errorf("charge: %w", e),
					Why:  "The order of the errors tells the story of the outage.",
				})
			}
		}
	})
}

func TestDo_CapAndNoOverflow(t *testing.T) {
	t.Run("100 attempts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rec := record(0)
			_ = retry.Do(t.Context(), retry.Policy{Attempts: 100, Base: time.Second, Cap: 30 * time.Second}, rec.op)
			want := []time.Duration{0, s(1), s(3), s(7), s(15), s(31)}
			for len(want) < 100 {
				want = append(want, want[len(want)-1]+s(30))
			}
			requireTimes(t, "Do(ctx, Policy{Attempts: 100, Base: time.Second, Cap: 30 * time.Second}, op)", rec.at, want)
		})
	})
	t.Run("base above the cap", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rec := record(0)
			_ = retry.Do(t.Context(), retry.Policy{Attempts: 3, Base: time.Minute, Cap: time.Second}, rec.op)
			requireTimes(t, "Do(ctx, Policy{Attempts: 3, Base: time.Minute, Cap: time.Second}, op)", rec.at, []time.Duration{0, s(1), s(2)})
		})
	})
	t.Run("smallest cap", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rec := record(0)
			_ = retry.Do(t.Context(), retry.Policy{Attempts: 3, Base: time.Minute, Cap: 1}, rec.op)
			requireTimes(t, "Do(ctx, Policy{Attempts: 3, Base: time.Minute, Cap: 1}, op)", rec.at, []time.Duration{0, 1, 2})
		})
	})
	for _, base := range []time.Duration{s(3), 1, math.MaxInt64 / 2, math.MaxInt64} {
		t.Run(fmt.Sprintf("no cap, base %v", base), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var backoffs []time.Duration
				_ = retry.Do(t.Context(), retry.Policy{
					Attempts: 80,
					Base:     base,
					Jitter:   func(d time.Duration) time.Duration { backoffs = append(backoffs, d); return 0 },
				}, record(0).op)
				var want []time.Duration
				for n, backoff := 1, base; n < 80; n++ {
					want = append(want, backoff)
					if backoff > math.MaxInt64/2 {
						backoff = math.MaxInt64
					} else {
						backoff *= 2
					}
				}
				if i := firstDifference(backoffs, want); i >= 0 {
					rule.Broken(t, rule.Case{
						Do:   fmt.Sprintf("Do(ctx, Policy{Attempts: 80, Base: %s, Jitter: record}, op) // backoff after attempt %d", rule.Duration(base), i+1),
						Got:  nth(backoffs, i),
						Want: nth(want, i),
						Why:  "A backoff that overflows is negative, zero or random, and the client hammers a server that is down.",
					})
				}
			})
		})
	}
}

func TestDo_JitterGetsTheCappedBackoff(t *testing.T) {
	for _, tc := range []struct {
		name   string
		expr   string
		jitter func(time.Duration) time.Duration
		want   []time.Duration
	}{
		{"half", "return d / 2", func(d time.Duration) time.Duration { return d / 2 }, []time.Duration{0, ms(500), ms(1500), s(3)}},
		{"above the cap", "return d * 2", func(d time.Duration) time.Duration { return d * 2 }, []time.Duration{0, s(2), s(5), s(8)}},
		{"negative", "return -d", func(d time.Duration) time.Duration { return -d }, []time.Duration{0, 0, 0, 0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			do := "jitter := func(d time.Duration) time.Duration { " + tc.expr + " }\n" +
				"Do(ctx, Policy{Attempts: 4, Base: time.Second, Cap: 3 * time.Second, Jitter: jitter}, op)"
			synctest.Test(t, func(t *testing.T) {
				var given []time.Duration
				rec := record(0)
				_ = retry.Do(t.Context(), retry.Policy{
					Attempts: 4, Base: time.Second, Cap: 3 * time.Second,
					Jitter: func(d time.Duration) time.Duration { given = append(given, d); return tc.jitter(d) },
				}, rec.op)
				if want := []time.Duration{s(1), s(2), s(3)}; !slices.Equal(given, want) {
					rule.Broken(t, rule.Case{
						Do:   do,
						Got:  rule.Textf("jitter was called with %v", given),
						Want: rule.Textf("jitter is called with %v", want),
						Why:  "Jitter spreads the real wait. Spread before the cap, all clients meet again at the cap.",
					})
				}
				requireTimes(t, do, rec.at, tc.want)
			})
		})
	}

	t.Run("no backoff", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			rec := record(0)
			_ = retry.Do(t.Context(), retry.Policy{
				Attempts: 2,
				Jitter:   func(time.Duration) time.Duration { calls++; return time.Second },
			}, rec.op)
			const do = "Do(ctx, Policy{Attempts: 2, Jitter: rand.N[time.Duration]}, op)"
			if calls != 0 {
				rule.Broken(t, rule.Case{
					Do:   do,
					Got:  rule.Textf("%d calls of Jitter", calls),
					Want: rule.Text("0 calls"),
					Why:  "rand.N(0) panics. There is nothing to spread in a backoff of 0.",
				})
			}
			requireTimes(t, do, rec.at, []time.Duration{0, 0})
		})
	})
}

func TestDo_CancelDuringSleep(t *testing.T) {
	t.Run("in a wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			time.AfterFunc(ms(300), func() { cancel(errShutdown) })
			rec := record(0)
			err := retry.Do(ctx, retry.Policy{Attempts: 3, Base: time.Hour}, rec.op)
			const do = `ctx, cancel := context.WithCancelCause(ctx)
time.AfterFunc(300*time.Millisecond, func() { cancel(errShutdown) })
err := Do(ctx, Policy{Attempts: 3, Base: time.Hour}, op) // op fails at once`
			if got := rec.elapsed(); got != ms(300) {
				rule.Broken(t, rule.Case{
					Do:   do,
					Got:  rule.Textf("returned after %v", got),
					Want: rule.Text("returned after 300ms"),
					Why:  "A pod gets 30 seconds to shut down. A wait that nobody can interrupt gets it killed.",
				})
			}
			requireTimes(t, do, rec.at, []time.Duration{0})
			requireStopped(t, do, err, 1, ms(300), errRefused, context.Canceled, errShutdown)
		})
	})
	t.Run("without a cause", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			time.AfterFunc(ms(300), cancel)
			rec := record(0)
			err := retry.Do(ctx, retry.Policy{Attempts: 3, Base: time.Hour}, rec.op)
			const do = `ctx, cancel := context.WithCancel(ctx)
time.AfterFunc(300*time.Millisecond, cancel)
err := Do(ctx, Policy{Attempts: 3, Base: time.Hour}, op) // op fails at once`
			requireTimes(t, do, rec.at, []time.Duration{0})
			requireStopped(t, do, err, 1, ms(300), errRefused, context.Canceled)
		})
	})
	t.Run("in op", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			time.AfterFunc(ms(300), func() { cancel(errShutdown) })
			calls := 0
			err := retry.Do(ctx, retry.Policy{Attempts: 3, Base: time.Hour}, func(ctx context.Context, _ int) error {
				calls++
				<-ctx.Done()
				return ctx.Err()
			})
			const do = `ctx, cancel := context.WithCancelCause(ctx)
time.AfterFunc(300*time.Millisecond, func() { cancel(errShutdown) })
err := Do(ctx, Policy{Attempts: 3, Base: time.Hour}, func(ctx context.Context, _ int) error {
    <-ctx.Done()
    return ctx.Err()
})`
			requireStopped(t, do, err, calls, ms(300), context.Canceled, errShutdown)
		})
	})
	t.Run("before the first attempt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(errShutdown)
			rec := record(0)
			err := retry.Do(ctx, retry.Policy{Attempts: 3, Base: time.Hour}, rec.op)
			const do = "cancel(errShutdown)\nerr := Do(ctx, Policy{Attempts: 3, Base: time.Hour}, op)"
			requireTimes(t, do, rec.at, nil)
			requireStopped(t, do, err, 0, 0, context.Canceled, errShutdown)
		})
	})
	t.Run("a success counts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			err := retry.Do(ctx, retry.Policy{Attempts: 3}, func(context.Context, int) error {
				cancel()
				return nil
			})
			if err != nil {
				rule.Broken(t, rule.Case{
					Do:   "err := Do(ctx, Policy{Attempts: 3}, func(context.Context, int) error { cancel(); return nil })",
					Got:  err,
					Want: nil,
					Why:  "The payment went through. An error makes the caller pay again.",
				})
			}
		})
	})
}

func TestDo_DeadlineShorterThanDelay(t *testing.T) {
	for _, tc := range []struct {
		base time.Duration
		want []time.Duration
	}{
		{time.Minute, []time.Duration{0}},
		{s(5), []time.Duration{0}},
		{s(5) - 1, []time.Duration{0, s(5) - 1}},
		{s(2), []time.Duration{0, s(2)}},
	} {
		do := fmt.Sprintf("ctx, cancel := context.WithTimeout(ctx, 5*time.Second)\nerr := Do(ctx, Policy{Attempts: 4, Base: %s}, op) // op fails at once", rule.Duration(tc.base))
		t.Run(tc.base.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), s(5))
				defer cancel()
				rec := record(0)
				err := retry.Do(ctx, retry.Policy{Attempts: 4, Base: tc.base}, rec.op)
				requireTimes(t, do, rec.at, tc.want)
				last := tc.want[len(tc.want)-1]
				if got := rec.elapsed(); got != last {
					rule.Broken(t, rule.Case{
						Do:   do,
						Got:  rule.Textf("returned after %v", got),
						Want: rule.Textf("returned after %v", last),
						Why:  "The next attempt would start too late. The caller could use the rest of the time for a fallback.",
					})
				}
				requireStopped(t, do, err, len(tc.want), last, errRefused, context.DeadlineExceeded)
			})
		})
	}
}

func TestDo_PermanentStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errDenied := errors.New("401 unauthorized")
		calls := 0
		err := retry.Do(t.Context(), retry.Policy{
			Attempts:  5,
			Base:      time.Second,
			Retryable: func(err error) bool { return !errors.Is(err, errDenied) },
		}, func(_ context.Context, attempt int) error {
			calls++
			if attempt == 2 {
				return errDenied
			}
			return errRefused
		})
		if calls != 2 || err != errDenied {
			rule.Broken(t, rule.Case{
				Do: `retryable := func(err error) bool { return !errors.Is(err, errDenied) }
err := Do(ctx, Policy{Attempts: 5, Base: time.Second, Retryable: retryable}, op) // attempt 2 returns errDenied`,
				Got:  rule.Textf("%v after %d attempts", err, calls),
				Want: rule.Textf("errDenied itself after 2 attempts"),
				Why:  "A wrong password stays wrong, and the fifth try locks the account.",
			})
		}
	})
}

func TestDo_RetryAfterWinsAndIsCapped(t *testing.T) {
	for _, tc := range []struct {
		name  string
		limit time.Duration
		after time.Duration
		ok    bool
		want  time.Duration
	}{
		{"longer than the backoff", time.Minute, s(7), true, s(7)},
		{"shorter than the backoff", time.Minute, ms(10), true, ms(10)},
		{"zero", time.Minute, 0, true, 0},
		{"negative", time.Minute, -time.Second, true, 0},
		{"above the cap", time.Minute, time.Hour, true, time.Minute},
		{"no cap", 0, time.Hour, true, time.Hour},
		{"not asked for", time.Minute, time.Hour, false, ms(500)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				jitters := 0
				rec := record(0)
				err := retry.Do(t.Context(), retry.Policy{
					Attempts:   2,
					Base:       time.Second,
					Cap:        tc.limit,
					Jitter:     func(d time.Duration) time.Duration { jitters++; return d / 2 },
					RetryAfter: func(error) (time.Duration, bool) { return tc.after, tc.ok },
				}, rec.op)
				do := fmt.Sprintf(`p := Policy{Attempts: 2, Base: time.Second, Cap: %s, Jitter: half}
p.RetryAfter = func(error) (time.Duration, bool) { return %s, %v }
Do(ctx, p, op)`, rule.Duration(tc.limit), rule.Duration(tc.after), tc.ok)
				requireTimes(t, do, rec.at, []time.Duration{0, tc.want})
				if tc.ok && jitters != 0 {
					rule.Broken(t, rule.Case{
						Do:   do,
						Got:  rule.Textf("%d calls of Jitter", jitters),
						Want: rule.Text("0 calls"),
						Why:  "The server named a time. Half of it is too early.",
					})
				}
				requireExhausted(t, do, err, 2, tc.want)
			})
		})
	}
}

func TestDo_CanceledIsNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		canceled := fmt.Errorf("list tasks: %w", context.Canceled)
		calls, asked := 0, 0
		err := retry.Do(t.Context(), retry.Policy{
			Attempts:  5,
			Base:      time.Second,
			Retryable: func(error) bool { asked++; return true },
		}, func(context.Context, int) error { calls++; return canceled })
		if calls != 1 || err != canceled || asked != 0 {
			rule.Broken(t, rule.Case{
				Do: `canceled := fmt.Errorf("list tasks: %w", context.Canceled)
always := func(error) bool { return true }
err := Do(ctx, Policy{Attempts: 5, Base: time.Second, Retryable: always}, op) // op returns canceled`,
				Got:  rule.Textf("%v after %d attempts and %d calls of Retryable", err, calls, asked),
				Want: rule.Text("canceled itself after 1 attempt and 0 calls of Retryable"),
				Why:  "Somebody gave up on this work. Repeating it costs five calls that nobody reads.",
			})
		}
	})
}

func TestDo_TimeoutOfOneAttemptIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		err := retry.Do(t.Context(), retry.Policy{Attempts: 3, Base: time.Second}, func(ctx context.Context, attempt int) error {
			calls++
			if attempt == 2 {
				return nil
			}
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			<-ctx.Done()
			return ctx.Err()
		})
		if err != nil || calls != 2 {
			rule.Broken(t, rule.Case{
				Do: `err := Do(ctx, Policy{Attempts: 3, Base: time.Second}, func(ctx context.Context, attempt int) error {
    if attempt == 2 {
        return nil
    }
    ctx, cancel := context.WithTimeout(ctx, time.Second) // of this attempt
    defer cancel()
    <-ctx.Done()
    return ctx.Err()
})`,
				Got:  rule.Textf("%v after %d attempts", err, calls),
				Want: rule.Text("nil after 2 attempts"),
				Why:  "One slow replica is the best reason to try again. The caller's own deadline is still far away.",
			})
		}
	})
}

func TestExhaustedError_Text(t *testing.T) {
	for _, tc := range []struct {
		do   string
		err  retry.ExhaustedError
		want string
	}{
		{
			"(&ExhaustedError{Attempts: 3, Elapsed: 300 * time.Millisecond, Errs: []error{errReset, errRefused}}).Error()",
			retry.ExhaustedError{Attempts: 3, Elapsed: ms(300), Errs: []error{errors.New("connection reset"), errRefused}},
			"retry: gave up after 3 attempts in 300ms: connection refused",
		},
		{
			"new(ExhaustedError).Error()",
			retry.ExhaustedError{},
			"retry: gave up after 0 attempts in 0s",
		},
	} {
		if got := tc.err.Error(); got != tc.want {
			rule.Broken(t, rule.Case{
				Do: tc.do, Got: got, Want: tc.want,
				Why: "The log line must say how long the caller has waited, and for what.",
			})
		}
	}
}

func TestDo_ZeroPolicyIsOneAttempt(t *testing.T) {
	for _, tc := range []struct {
		do     string
		policy retry.Policy
	}{
		{"err := Do(ctx, Policy{}, op) // op fails", retry.Policy{}},
		{"err := Do(ctx, Policy{Attempts: -1, Base: time.Second}, op) // op fails", retry.Policy{Attempts: -1, Base: time.Second}},
	} {
		synctest.Test(t, func(t *testing.T) {
			rec := record(0)
			err := retry.Do(t.Context(), tc.policy, rec.op)
			requireTimes(t, tc.do, rec.at, []time.Duration{0})
			requireExhausted(t, tc.do, err, 1, 0)
		})
	}
}

func TestDo_BudgetIncludesOpTime(t *testing.T) {
	for _, tc := range []struct {
		name   string
		opTime time.Duration
		budget time.Duration
		want   []time.Duration
	}{
		{"op takes 2s", s(2), s(6), []time.Duration{0, s(3)}},
		{"the wait ends with the budget", 0, s(3), []time.Duration{0, s(1)}},
		{"the wait ends before the budget", 0, s(3) + 1, []time.Duration{0, s(1), s(3)}},
		{"smallest budget", 0, 1, []time.Duration{0}},
		{"negative budget", 0, -1, []time.Duration{0, s(1), s(3), s(7)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			do := fmt.Sprintf("err := Do(ctx, Policy{Attempts: 4, Base: time.Second, Budget: %s}, op) // op takes %v", rule.Duration(tc.budget), tc.opTime)
			synctest.Test(t, func(t *testing.T) {
				rec := record(tc.opTime)
				err := retry.Do(t.Context(), retry.Policy{Attempts: 4, Base: time.Second, Budget: tc.budget}, rec.op)
				requireTimes(t, do, rec.at, tc.want)
				requireExhausted(t, do, err, len(tc.want), tc.want[len(tc.want)-1]+tc.opTime)
			})
		})
	}

	t.Run("op is not interrupted", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			err := retry.Do(t.Context(), retry.Policy{Budget: time.Second}, func(ctx context.Context, _ int) error {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(time.Minute):
					return nil
				}
			})
			if err != nil {
				rule.Broken(t, rule.Case{
					Do:   "err := Do(ctx, Policy{Budget: time.Second}, op) // op takes a minute and succeeds",
					Got:  err,
					Want: nil,
					Why:  "The budget decides about new attempts. Limits of one attempt belong to op.",
				})
			}
		})
	})
}

func TestDo_PanicPropagates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		recovered := func() (v any) {
			defer func() { v = recover() }()
			_ = retry.Do(t.Context(), retry.Policy{Attempts: 3, Base: time.Second}, func(context.Context, int) error {
				calls++
				panic("nil map")
			})
			return nil
		}()
		if recovered != "nil map" || calls != 1 {
			rule.Broken(t, rule.Case{
				Do:   `Do(ctx, Policy{Attempts: 3, Base: time.Second}, func(context.Context, int) error { panic("nil map") })`,
				Got:  rule.Textf("recovered %v after %d attempts", recovered, calls),
				Want: rule.Text("recovered nil map after 1 attempts"),
				Why:  "A panic is a bug. Retried or swallowed, it hides until the data is broken.",
			})
		}
	})
}

// TestDo_ScheduleModel compares Do with a model that adds up the times.
func TestDo_ScheduleModel(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		attempts, opTime := rng.IntN(9), ms(rng.IntN(400))
		base, limit, budget := ms(rng.IntN(300)), ms(rng.IntN(2000)), ms(rng.IntN(6000))
		percent := time.Duration(rng.IntN(200))
		do := fmt.Sprintf(`p := Policy{Attempts: %d, Base: %s, Cap: %s, Budget: %s}
p.Jitter = func(d time.Duration) time.Duration { return d * %d / 100 }
Do(ctx, p, op) // op takes %v and fails; seed %#x`, attempts, rule.Duration(base), rule.Duration(limit), rule.Duration(budget), percent, opTime, seed)

		want := []time.Duration{0}
		now, backoff := opTime, base
		for len(want) < attempts {
			wait := backoff
			if limit > 0 {
				wait = min(wait, limit)
			}
			wait = wait * percent / 100
			if limit > 0 {
				wait = min(wait, limit)
			}
			if budget > 0 && now+wait >= budget {
				break
			}
			want = append(want, now+wait)
			now += wait + opTime
			backoff *= 2
		}

		synctest.Test(t, func(t *testing.T) {
			rec := record(opTime)
			err := retry.Do(t.Context(), retry.Policy{
				Attempts: attempts, Base: base, Cap: limit, Budget: budget,
				Jitter: func(d time.Duration) time.Duration { return d * percent / 100 },
			}, rec.op)
			requireTimes(t, do, rec.at, want)
			requireExhausted(t, do, err, len(want), now)
		})
	}
}

type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

// recorder is an operation that fails, and notes when it was called.
type recorder struct {
	start time.Time
	takes time.Duration
	at    []time.Duration
}

func record(takes time.Duration) *recorder {
	return &recorder{start: time.Now(), takes: takes}
}

func (r *recorder) op(context.Context, int) error {
	r.at = append(r.at, r.elapsed())
	if r.takes > 0 {
		<-time.After(r.takes)
	}
	return errRefused
}

func (r *recorder) elapsed() time.Duration { return time.Since(r.start) }

func requireTimes(t *testing.T, do string, got, want []time.Duration) {
	t.Helper()
	i := firstDifference(got, want)
	if i < 0 {
		return
	}
	rule.Broken(t, rule.Case{
		Do:   do,
		Got:  rule.Textf("%d attempts, start of number %d: %s", len(got), i+1, nth(got, i)),
		Want: rule.Textf("%d attempts, start of number %d: %s", len(want), i+1, nth(want, i)),
		Why:  "The schedule is what protects a server that is down from all its clients.",
	})
}

// requireExhausted fails t unless err says that attempts were used up without
// the context having a part in it.
func requireExhausted(t *testing.T, do string, err error, attempts int, elapsed time.Duration) {
	t.Helper()
	requireCounts(t, do, err, attempts, elapsed)
	if e, _ := err.(*retry.ExhaustedError); len(e.Errs) != attempts {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  describe(err),
			Want: rule.Textf("%d errors, one of each attempt", attempts),
			Why:  "The first failure is often the cause, the last one a consequence. On-call needs all of them.",
		})
	}
}

// requireCounts fails t unless err is an ExhaustedError with these numbers.
func requireCounts(t *testing.T, do string, err error, attempts int, elapsed time.Duration) {
	t.Helper()
	e, ok := err.(*retry.ExhaustedError)
	if !ok || e.Attempts != attempts || e.Elapsed != elapsed {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  describe(err),
			Want: rule.Textf("*ExhaustedError with Attempts %d, Elapsed %v", attempts, elapsed),
			Why:  "The numbers go to the log and to the alert.",
		})
	}
}

// requireStopped fails t unless err says that the context stopped Do.
func requireStopped(t *testing.T, do string, err error, attempts int, elapsed time.Duration, is ...error) {
	t.Helper()
	e, ok := err.(*retry.ExhaustedError)
	if !ok || e.Attempts != attempts || e.Elapsed != elapsed || len(e.Errs) != attempts+1 {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  describe(err),
			Want: rule.Textf("*ExhaustedError with Attempts %d, Elapsed %v and %d errors", attempts, elapsed, attempts+1),
			Why:  "The errors of all attempts and the reason of the context are one story.",
		})
	}
	for _, target := range is {
		in := err
		if target != errRefused {
			in = e.Errs[attempts]
		}
		if !errors.Is(in, target) {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("%q, which is not %q", in, target),
				Want: rule.Textf("errors.Is(err, %q)", target),
				Why:  "A caller tells a shutdown, a timeout and a broken server apart with errors.Is.",
			})
		}
	}
}

func describe(err error) rule.Text {
	if e, ok := err.(*retry.ExhaustedError); ok && e != nil {
		return rule.Textf("*ExhaustedError with Attempts %d, Elapsed %v and %d errors: %q", e.Attempts, e.Elapsed, len(e.Errs), e.Errs)
	}
	return rule.Textf("%T: %v", err, err)
}

// firstDifference returns the first index at which a and b differ, or -1.
func firstDifference(a, b []time.Duration) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	return -1
}

func nth(times []time.Duration, i int) rule.Text {
	if i >= len(times) {
		return "none"
	}
	return rule.Textf("%v", times[i])
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func s(n int) time.Duration { return time.Duration(n) * time.Second }
