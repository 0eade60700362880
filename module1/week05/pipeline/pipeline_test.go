package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/leak"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week05/pipeline"
)

// Nearly every test runs in a synctest bubble: its clock moves only while all
// goroutines wait, so each time below is exact.

var errLookup = errors.New("lookup failed")

// patience bounds a wait outside a bubble that only a broken submission makes.
const patience = 3 * time.Second

func TestMap_OrderKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 6
		lookups := &lookups{cost: func(item int) time.Duration { return hours(n - item) }}
		got := collect(pipeline.Map(t.Context(), n, lookups.items(n), lookups.fn))
		const do = "Map(ctx, 6, items 0 to 5, fn) // fn takes 6, 5, 4, 3, 2, 1 hours"
		expectPairs(t, do, got, results(n), "An audit trail that is out of order shows the deletion before the login.")
		lookups.expectElapsed(t, do, hours(n), "The lookups run at the same time, or the enrichment is as slow as all of them together.")
	})
}

func TestMap_ConcurrencyExactlyN(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lookups := &lookups{cost: always(time.Hour)}
		got := collect(pipeline.Map(t.Context(), 4, lookups.items(12), lookups.fn))
		const do = "Map(ctx, 4, items 0 to 11, fn) // fn takes an hour"
		if peak := lookups.peak.Load(); peak != 4 {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("%d calls of fn at the same time", peak), Want: rule.Text("4"),
				Why: "The directory server allows 4 connections. With one more it refuses them all.",
			})
		}
		expectPairs(t, do, got, results(12), "Every item has a result.")
		lookups.expectElapsed(t, do, hours(3), "Twelve hours of work on 4 workers are 3 hours.")
	})
}

func TestMap_BackPressure(t *testing.T) {
	const workers, most = 3, 5
	t.Run("slow consumer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			lookups := &lookups{cost: always(0)}
			taken := 0
			for range pipeline.Map(t.Context(), workers, lookups.items(100), lookups.fn) {
				synctest.Wait() // the consumer is slow: everybody else has done what is possible
				taken++
				if got := int(lookups.pulled.Load()) - taken; got > most {
					rule.Broken(t, rule.Case{
						Do:  fmt.Sprintf("for range Map(ctx, 3, items 0 to 99, fn) {\n    writeSlowly() // result number %d\n}", taken),
						Got: rule.Textf("%d items were taken from in and not yielded", got), Want: rule.Textf("at most %d", most),
						Why: "The disk is slower than the lookups. What waits in between is memory, until there is none.",
					})
				}
			}
			expectCount(t, "for range Map(ctx, 3, items 0 to 99, fn) {}", "pairs", taken, 100, "A record that is left out is missing in the export.")
		})
	})
	t.Run("slow lookup", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			lookups := &lookups{cost: func(item int) time.Duration {
				if item == 0 {
					return time.Hour
				}
				return 0
			}}
			const do = "Map(ctx, 3, items 0 to 99, fn) // fn takes an hour for item 0, no time for the others"
			var halfway atomic.Int64
			time.AfterFunc(30*time.Minute, func() { halfway.Store(lookups.pulled.Load()) })
			got := collect(pipeline.Map(t.Context(), workers, lookups.items(100), lookups.fn))
			if early := halfway.Load(); early < workers || early > most {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("%d items were taken from in before the first result", early), Want: rule.Textf("from %d to %d", workers, most),
					Why: "One lookup hangs, and the results of all later records wait for it in memory.",
				})
			}
			expectPairs(t, do, got, results(100), "Every item has a result.")
		})
	})
}

func TestMap_SlowInputHoldsNoResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := func(yield func(int) bool) {
			if yield(0) {
				<-time.After(time.Hour)
				yield(1)
			}
		}
		lookups := &lookups{cost: always(time.Minute)}
		start := time.Now()
		var at []time.Duration
		for _, err := range pipeline.Map(t.Context(), 4, in, lookups.fn) {
			if err == nil {
				at = append(at, time.Since(start))
			}
		}
		if want := []time.Duration{time.Minute, time.Hour + time.Minute}; !slices.Equal(at, want) {
			rule.Broken(t, rule.Case{
				Do:   "Map(ctx, 4, in, fn) // in yields 0, waits an hour, yields 1; fn takes a minute",
				Got:  rule.Textf("results after %v", at),
				Want: rule.Textf("results after %v", want),
				Why:  "At night there is one record an hour. The alarm must not wait for the next record.",
			})
		}
	})
}

func TestMap_EarlyBreakStopsWorkers(t *testing.T) {
	ok := t.Run("no goroutine stays", func(t *testing.T) {
		leak.Check(t)
		const workers = 4
		var started, waiting atomic.Int64
		all := make(chan struct{})
		fn := func(ctx context.Context, item int) (int, error) {
			if started.Add(1) == workers {
				close(all)
			}
			<-all
			if item > 0 {
				waiting.Add(1)
				<-ctx.Done()
			}
			return item, nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		pairs := make(chan int, 1)
		go func() {
			n := 0
			for range pipeline.Map(ctx, workers, count(workers), fn) {
				n++
				break
			}
			pairs <- n
		}()
		const do = "for range Map(ctx, 4, items 0 to 3, fn) { // fn waits for ctx.Done, but not for item 0\n    break\n}"
		select {
		case n := <-pairs:
			expectCount(t, do, "pairs", n, 1, "The consumer has left, and asked for no more.")
			expectCount(t, do, "calls of fn that waited", int(waiting.Load()), workers-1, "All workers are busy when the consumer leaves: each of them has to be ended.")
		case <-time.After(patience):
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Text("the loop does not end"), Want: rule.Text("the calls are cancelled, and the loop ends"),
				Why: "The client has gone. Nobody needs the lookups that still run for it.",
			})
		}
	})
	if !ok {
		return // a bubble would end in a deadlock
	}

	for _, tc := range []struct {
		name, leave string
		body        func()
	}{
		{"break", "break", func() {}},
		{"panic", `panic("disk full")`, func() { panic("disk full") }},
	} {
		t.Run("nothing runs after "+tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var running, cancelled atomic.Int64
				release := make(chan struct{})
				fn := func(ctx context.Context, item int) (int, error) {
					running.Add(1)
					defer running.Add(-1)
					if item > 0 {
						<-ctx.Done()
						cancelled.Add(1)
						<-release // closing the connection takes a while
					}
					return item, nil
				}
				var inEnded, ended atomic.Bool
				in := func(yield func(int) bool) {
					defer inEnded.Store(true)
					count(100)(yield)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				go func() {
					defer func() { _ = recover(); ended.Store(true) }()
					for range pipeline.Map(ctx, 3, in, fn) {
						synctest.Wait()
						tc.body()
						break
					}
				}()
				<-time.After(time.Minute) // it fires when all goroutines wait
				do := "for range Map(ctx, 3, items 0 to 99, fn) { // fn waits for ctx.Done, but not for item 0\n    " + tc.leave + "\n}"
				early, stopped := ended.Load(), cancelled.Load()
				close(release)
				synctest.Wait()
				if stopped < 2 {
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Textf("%d calls of fn were cancelled", stopped), Want: rule.Text("all that run, at least 2"),
						Why: "The client has gone. Nobody needs the lookups that still run for it.",
					})
				}
				if early {
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Text("the loop ended while calls of fn were running"), Want: rule.Text("the calls have returned when the loop ends"),
						Why: "The caller closes the connection pool after the loop, and a lookup is still using it.",
					})
				}
				if !ended.Load() || !inEnded.Load() || running.Load() != 0 {
					rule.Broken(t, rule.Case{
						Do:   do,
						Got:  rule.Textf("loop ended: %v, in ended: %v, calls of fn that run: %d", ended.Load(), inEnded.Load(), running.Load()),
						Want: rule.Text("loop ended: true, in ended: true, calls of fn that run: 0"),
						Why:  "in reads from a database cursor, and only its end closes the cursor.",
					})
				}
			})
		})
	}
}

func TestMap_ErrorAfterOrderedPrefix(t *testing.T) {
	for _, tc := range []struct {
		name, costs string
		cost        []time.Duration
		fails       []int
		want        []string
	}{
		{
			name: "one error", costs: "fn takes 1, 2, 3 hours for items 0, 1, 2; fails at once for item 3",
			cost: []time.Duration{hours(1), hours(2), hours(3), 0, hours(5)}, fails: []int{3},
			want: append(results(3), "0, lookup failed for 3"),
		},
		{
			name: "the later item fails first", costs: "fn fails after 2 hours for item 1, after 1 hour for item 3",
			cost: []time.Duration{0, hours(2), 0, hours(1), hours(5)}, fails: []int{1, 3},
			want: append(results(1), "0, lookup failed for 1"),
		},
		{
			name: "the first item", costs: "fn fails for item 0",
			cost: make([]time.Duration, 5), fails: []int{0},
			want: []string{"0, lookup failed for 0"},
		},
		{
			name: "the last item", costs: "fn fails for item 4",
			cost: make([]time.Duration, 5), fails: []int{4},
			want: append(results(4), "0, lookup failed for 4"),
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lookups := &lookups{cost: func(item int) time.Duration { return tc.cost[item] }, fails: tc.fails}
				got := collect(pipeline.Map(t.Context(), 4, lookups.items(5), lookups.fn))
				expectPairs(t, "Map(ctx, 4, items 0 to 4, fn) // "+tc.costs, got, tc.want,
					"The export resumes after the last record that was written. That must not depend on which lookup was slow today.")
			})
		})
	}
}

func TestMap_ErrorCancelsOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lookups := &lookups{cost: func(item int) time.Duration {
			if item == 0 {
				return time.Second
			}
			return time.Hour
		}, fails: []int{0}}
		const do = "Map(ctx, 4, items 0 to 99, fn) // fn fails after 1s for item 0, takes an hour for the others"
		var cancelled, pairs int
		for _, err := range pipeline.Map(t.Context(), 4, lookups.items(100), lookups.fn) {
			synctest.Wait()
			pairs++
			if !isLookup(err, 0) {
				rule.Broken(t, rule.Case{Do: do, Got: err, Want: rule.Text("lookup failed for 0"), Why: "The caller decides by the error what to do next."})
			}
			cancelled = int(lookups.cancelled.Load())
		}
		expectCount(t, do, "pairs", pairs, 1, "An error ends the sequence.")
		if cancelled < 3 || lookups.running.Load() > 0 {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("%d calls were cancelled before the error was yielded, %d run after the loop", cancelled, lookups.running.Load()),
				Want: rule.Text("3 calls were cancelled before the error was yielded, 0 run after the loop"),
				Why:  "Their results will never be yielded. They only keep connections away from others.",
			})
		}
		lookups.expectElapsed(t, do, time.Second, "The caller learns of the error when it happens, not an hour later.")
	})
}

func TestMap_InputNotPulledAfterError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers = 8
		lookups := &lookups{cost: func(item int) time.Duration {
			if item == workers-1 {
				return time.Second
			}
			return time.Duration(item+2) * time.Second
		}, fails: []int{workers - 1}}
		got := collect(pipeline.Map(t.Context(), workers, lookups.items(100), lookups.fn))
		const do = "Map(ctx, 8, items 0 to 99, fn) // fn takes 2 to 8 seconds for items 0 to 6, fails after 1s for item 7"
		expectPairs(t, do, got, append(results(workers-1), "0, lookup failed for 7"), "The items before the error are not to blame for it.")
		late := 0
		for _, at := range lookups.pulledAt {
			if at > time.Second {
				late++
			}
		}
		if late > 0 {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("%d items were taken from in after the call for item 7 had failed", late), Want: rule.Text("0"),
				Why: "in takes jobs from a queue. A job that is taken and never done is lost.",
			})
		}
	})
}

func TestMap_ParentCancel(t *testing.T) {
	t.Run("before the range", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			lookups := &lookups{cost: always(0)}
			got := collect(pipeline.Map(ctx, 2, lookups.items(9), lookups.fn))
			const do = "cancel()\nMap(ctx, 2, items 0 to 8, fn)"
			expectPairs(t, do, got, []string{"0, context canceled"}, "An export that ends without an error looks complete.")
			expectCount(t, do, "items taken from in", int(lookups.pulled.Load()), 0, "What is taken from in and not handed on is lost.")
			expectCount(t, do, "calls of fn", int(lookups.calls.Load()), 0, "Nobody waits for the results, and the directory server does the work all the same.")
		})
	})
	for _, tc := range []struct {
		name, do  string
		n         int
		obeys     bool
		after     time.Duration
		want      []string
		maxPulled int
		elapsed   time.Duration
	}{
		{
			name: "fn obeys", do: "Map(ctx, 2, items 0 to 8, fn) // fn takes an hour; cancel() after 90 minutes",
			n: 9, obeys: true, after: 90 * time.Minute, want: append(results(2), "0, context canceled"), maxPulled: 6, elapsed: 90 * time.Minute,
		},
		{
			name: "fn goes on", do: "Map(ctx, 2, items 0 to 8, fn) // fn takes an hour and ignores ctx; cancel() after 30 minutes",
			n: 9, after: 30 * time.Minute, want: append(results(2), "0, context canceled"), maxPulled: 4, elapsed: time.Hour,
		},
		{
			name: "in has ended", do: "Map(ctx, 4, items 0 and 1, fn) // fn takes an hour and ignores ctx; cancel() after 30 minutes",
			n: 2, after: 30 * time.Minute, want: results(2), maxPulled: 2, elapsed: time.Hour,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(tc.after, cancel)
				lookups := &lookups{cost: always(time.Hour), stubborn: !tc.obeys}
				workers := 2
				if tc.n == 2 {
					workers = 4
				}
				got := collect(pipeline.Map(ctx, workers, lookups.items(tc.n), lookups.fn))
				expectPairs(t, tc.do, got, tc.want, "An export that ends without an error looks complete. One that drops finished results pays for them twice.")
				if pulled := int(lookups.pulled.Load()); pulled > tc.maxPulled {
					rule.Broken(t, rule.Case{
						Do: tc.do, Got: rule.Textf("%d items taken from in", pulled), Want: rule.Textf("at most %d", tc.maxPulled),
						Why: "A service that shuts down must not take more work from the queue.",
					})
				}
				lookups.expectElapsed(t, tc.do, tc.elapsed, "The range ends when the last call has returned, and not later.")
			})
		})
	}
}

func TestMap_PanicSurfacesInConsumer(t *testing.T) {
	t.Run("fn", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			lookups := &lookups{cost: func(item int) time.Duration { return []time.Duration{hours(1), hours(2), 0, hours(9)}[item] }}
			fn := func(ctx context.Context, item int) (int, error) {
				if item == 2 {
					panic("record 2 has no owner")
				}
				return lookups.fn(ctx, item)
			}
			got, panicked := collectAndRecover(pipeline.Map(t.Context(), 4, lookups.items(4), fn))
			const do = "Map(ctx, 4, items 0 to 3, fn) // fn takes 1, 2 hours, panics at once for item 2, takes 9 hours"
			expectPairs(t, do, got, results(2), "A panic keeps its place in the order, like an error.")
			if panicked != "record 2 has no owner" {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("the range panics with %v", panicked), Want: rule.Text("the range panics with record 2 has no owner"),
					Why: "A panic in a goroutine of its own ends the process. Where the caller ranges, the recover of its request handler catches it.",
				})
			}
			lookups.expectElapsed(t, do, hours(2), "The others are cancelled, as after an error.")
			expectCount(t, do, "calls of fn that run after the range", int(lookups.running.Load()), 0, "The caller closes the connection pool after the loop, and a lookup is still using it.")
		})
	})
	t.Run("in", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			lookups := &lookups{cost: always(time.Hour)}
			in := func(yield func(int) bool) {
				if yield(0) && yield(1) {
					panic("cursor is broken")
				}
			}
			got, panicked := collectAndRecover(pipeline.Map(t.Context(), 4, in, lookups.fn))
			const do = "Map(ctx, 4, in, fn) // in yields 0 and 1, then panics; fn takes an hour"
			expectPairs(t, do, got, results(2), "A panic keeps its place in the order, like an error.")
			if panicked != "cursor is broken" {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("the range panics with %v", panicked), Want: rule.Text("the range panics with cursor is broken"),
					Why: "A panic in a goroutine of its own ends the process with every request in it.",
				})
			}
		})
	})
}

func TestMap_EmptyAndOneWorker(t *testing.T) {
	for _, workers := range []int{4, 1, 0, -1} {
		for _, n := range []int{0, 1, 3} {
			t.Run(fmt.Sprintf("%d workers, %d items", workers, n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					lookups := &lookups{cost: always(time.Hour)}
					got := collect(pipeline.Map(t.Context(), workers, lookups.items(n), lookups.fn))
					do := fmt.Sprintf("Map(ctx, %d, %d items, fn) // fn takes an hour", workers, n)
					expectPairs(t, do, got, results(n), "A day without audit records is a day too.")
					elapsed := hours(n)
					if workers > 1 {
						elapsed = min(elapsed, time.Hour)
					}
					lookups.expectElapsed(t, do, elapsed, "One worker does one thing at a time. A configuration of 0 must not stop the export.")
				})
			})
		}
	}
}

func TestMap_ReusableSeq(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lookups := &lookups{cost: always(time.Minute)}
		seq := pipeline.Map(t.Context(), 2, lookups.items(5), lookups.fn)
		synctest.Wait()
		do := "seq := Map(ctx, 2, items 0 to 4, fn)"
		expectCount(t, do, "items taken from in", int(lookups.pulled.Load()), 0, "What is taken from in and not handed on is lost.")
		for i := range 2 {
			do += "\nfor range seq {}"
			expectPairs(t, do, collect(seq), results(5), "A retry ranges again over the same sequence.")
			expectCount(t, do, "calls of fn", int(lookups.calls.Load()), 5*(i+1), "Each range does the work of one range.")
		}
		for range seq {
			break
		}
		expectPairs(t, do+"\nfor range seq { break }\nfor range seq {}", collect(seq), results(5), "A retry ranges again over the same sequence.")
	})
}

// TestMap_Model compares random runs with what their input determines.
func TestMap_Model(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 60 {
		workers, n := 1+rng.IntN(5), rng.IntN(20)
		cost := make([]time.Duration, n)
		var fails []int
		want := results(n)
		for i := range n {
			cost[i] = time.Duration(rng.IntN(20)) * time.Second
			if rng.IntN(15) == 0 {
				fails = append(fails, i)
			}
		}
		if len(fails) > 0 {
			want = append(results(fails[0]), fmt.Sprintf("0, lookup failed for %d", fails[0]))
		}
		synctest.Test(t, func(t *testing.T) {
			lookups := &lookups{cost: func(item int) time.Duration { return cost[item] }, fails: fails}
			got := collect(pipeline.Map(t.Context(), workers, lookups.items(n), lookups.fn))
			do := fmt.Sprintf("Map(ctx, %d, %d items, fn) // fn takes %v, fails for items %v; seed %#x", workers, n, cost, fails, seed)
			expectPairs(t, do, got, want, "The result of an export depends on its input, and not on the speed of the day.")
			if peak := lookups.peak.Load(); peak > int64(workers) {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("%d calls of fn at the same time", peak), Want: rule.Textf("at most %d", workers),
					Why: "The directory server allows so many connections, and not one more.",
				})
			}
			expectCount(t, do, "calls of fn that run after the range", int(lookups.running.Load()), 0, "The caller closes the connection pool after the loop, and a lookup is still using it.")
		})
	}
}

// lookups is a source of items and a fn that takes time. The result for an item
// is 10 times the item.
type lookups struct {
	cost     func(item int) time.Duration
	fails    []int // these items, at the end of their time
	stubborn bool  // fn ignores its context

	start    time.Time       // of the first range
	pulledAt []time.Duration // written by one range at a time

	pulled, calls, running, peak, cancelled atomic.Int64
}

// items yields the numbers from 0 to n-1.
func (l *lookups) items(n int) iter.Seq[int] {
	l.start = time.Now()
	return func(yield func(int) bool) {
		for i := range n {
			l.pulled.Add(1)
			l.pulledAt = append(l.pulledAt, time.Since(l.start))
			if !yield(i) {
				return
			}
		}
	}
}

func (l *lookups) fn(ctx context.Context, item int) (int, error) {
	l.calls.Add(1)
	running := l.running.Add(1)
	defer l.running.Add(-1)
	for peak := l.peak.Load(); running > peak && !l.peak.CompareAndSwap(peak, running); peak = l.peak.Load() {
	}
	if l.stubborn {
		ctx = context.WithoutCancel(ctx)
	}
	if err := ctx.Err(); err != nil {
		l.cancelled.Add(1)
		return item, err
	}
	timer := time.NewTimer(l.cost(item))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		l.cancelled.Add(1)
		return item, ctx.Err()
	}
	if slices.Contains(l.fails, item) {
		return 1000 + item, &lookupError{item}
	}
	return 10 * item, nil
}

func (l *lookups) expectElapsed(t *testing.T, do string, want time.Duration, why string) {
	t.Helper()
	if got := time.Since(l.start); got != want {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("the range ended after %v", got), Want: rule.Textf("the range ended after %v", want), Why: why})
	}
}

type lookupError struct{ item int }

func (e *lookupError) Error() string { return fmt.Sprintf("%v for %d", errLookup, e.item) }

func isLookup(err error, item int) bool {
	e, ok := err.(*lookupError) // unwrapped: Map passes errors on as they are
	return ok && e.item == item
}

func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func collect(seq iter.Seq2[int, error]) []string {
	pairs, panicked := collectAndRecover(seq)
	if panicked != nil {
		panic(panicked)
	}
	return pairs
}

// collectAndRecover returns the pairs of seq as text.
func collectAndRecover(seq iter.Seq2[int, error]) (pairs []string, panicked any) {
	defer func() { panicked = recover() }()
	for out, err := range seq {
		pairs = append(pairs, pair(out, err))
	}
	return pairs, nil
}

func pair(out int, err error) string {
	if err == nil {
		return fmt.Sprintf("%d, nil", out)
	}
	return fmt.Sprintf("%d, %v", out, err)
}

// results returns the pairs for the items from 0 to n-1.
func results(n int) []string {
	pairs := make([]string, n)
	for i := range pairs {
		pairs[i] = pair(10*i, nil)
	}
	return pairs
}

func expectPairs(t *testing.T, do string, got, want []string, why string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	show := rule.Textf("%q", got)
	if len(want) > 12 || len(got) > 12 {
		show = rule.Textf("%d pairs (-want +got):\n%s", len(got), cmp.Diff(want, got))
		rule.Broken(t, rule.Case{Do: do, Got: show, Want: rule.Textf("%d pairs", len(want)), Why: why})
	}
	rule.Broken(t, rule.Case{Do: do, Got: show, Want: rule.Textf("%q", want), Why: why})
}

func expectCount(t *testing.T, do, what string, got, want int, why string) {
	t.Helper()
	if got != want {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%s: %d", what, got), Want: rule.Textf("%s: %d", what, want), Why: why})
	}
}

func always(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

func hours(n int) time.Duration { return time.Duration(n) * time.Hour }
