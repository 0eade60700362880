package politeness_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
	"weak"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/blocked"
	"github.com/middle-go/course/grader/labkit/gctest"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week06/politeness"
)

// Nearly all tests run in synctest bubbles, where each moment is exact. The one
// about a lock that is held for too long does not: a bubble stands still while
// one of its goroutines waits for a mutex.

// TestWait_FIFO makes the delays and the arrivals meet: the clock of a bubble
// wakes those who wait for one moment in any order.
func TestWait_FIFO(t *testing.T) {
	const why = "A worker that is overtaken again and again never fetches its page."
	t.Run("in the order of the calls", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, politeness.Policy{Delay: time.Second})
			var want []time.Duration
			for i := range 50 {
				b.wait("a")
				want = append(want, s(i))
			}
			b.until(time.Hour)
			b.expectTurns("l := New(Policy{Delay: time.Second})\n// 50 goroutines call l.Wait(ctx, \"a\") one after the other", want, why)
		})
	})
	t.Run("a newcomer when a turn comes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			for round := range 40 {
				// The last use is IdleAfter ago at 10 s, but somebody waits.
				b := newBubble(t, politeness.Policy{Delay: 10 * time.Second, IdleAfter: 10 * time.Second})
				b.wait("a")
				var newcomer *call
				arrive := func() { newcomer = b.begin(t.Context(), "a", s(10)) }
				if round%2 == 0 {
					arrive()
				}
				first := b.wait("a")
				if round%2 == 1 {
					arrive()
				}
				b.until(s(30))
				got := []time.Duration{first.at, newcomer.at}
				if want := []time.Duration{s(10), s(20)}; !cmp.Equal(want, got) {
					rule.Broken(t, rule.Case{
						Do:  "l := New(Policy{Delay: 10*time.Second, IdleAfter: 10*time.Second})\nl.Wait(ctx, \"a\")\ngo l.Wait(ctx, \"a\") // first\n// at 10 s, when its turn comes\ngo l.Wait(ctx, \"a\") // newcomer",
						Got: rule.Textf("first at %v, newcomer at %v", got[0], got[1]), Want: rule.Textf("first at %v, newcomer at %v", want[0], want[1]), Why: why,
					})
				}
			}
		})
	})
}

func TestWait_ExactSpacing(t *testing.T) {
	for _, tc := range []struct {
		name   string
		code   string
		policy politeness.Policy
		want   []time.Duration
	}{
		{"1 s", "Policy{Delay: time.Second}", politeness.Policy{Delay: time.Second}, []time.Duration{0, s(1), s(2), s(3), s(4)}},
		{"1 s and 1 ns", "Policy{Delay: time.Second + 1}", politeness.Policy{Delay: time.Second + 1}, []time.Duration{0, s(1) + 1, s(2) + 2}},
		{"no delay", "Policy{}", politeness.Policy{}, []time.Duration{0, 0, 0, 0}},
		{"negative", "Policy{Delay: -1, Burst: -1, IdleAfter: -1}", politeness.Policy{Delay: -1, Burst: -1, IdleAfter: -1}, []time.Duration{0, 0, 0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, tc.policy)
				for range tc.want {
					b.wait("a")
				}
				b.until(time.Hour)
				b.expectTurns(fmt.Sprintf("l := New(%s)\nfor range %d {\n    go l.Wait(ctx, \"a\")\n}", tc.code, len(tc.want)), tc.want,
					"Two requests that come too close are what the robots.txt asked us not to do. Two that are too far apart are lost time.")
			})
		})
	}

	t.Run("one caller that is slow", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, politeness.Policy{Delay: 10 * time.Second})
			for _, at := range []time.Duration{0, s(4), s(25), s(26)} {
				b.until(at)
				b.wait("a")
			}
			b.until(time.Hour)
			b.expectTurns("l := New(Policy{Delay: 10*time.Second})\n// l.Wait(ctx, \"a\") at 0, 4, 25 and 26 s", []time.Duration{0, s(10), s(25), s(35)},
				"A pause counts as waiting, and no pause is paid back later.")
		})
	})
	t.Run("a caller that is a nanosecond early", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, politeness.Policy{Delay: 10 * time.Second})
			b.wait("a")
			b.until(s(10) - 1)
			b.wait("a")
			b.until(time.Hour)
			b.expectTurns("l := New(Policy{Delay: 10*time.Second})\nl.Wait(ctx, \"a\")\ntime.Sleep(10*time.Second - 1)\nl.Wait(ctx, \"a\")", []time.Duration{0, s(10)},
				"A wait that is too short to matter is still a wait, and it ends.")
		})
	})
}

func TestWait_BurstThenSpacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, politeness.Policy{Delay: 10 * time.Second, Burst: 3})
		const do = "l := New(Policy{Delay: 10*time.Second, Burst: 3})\n"
		for range 5 {
			b.wait("a")
		}
		b.until(s(45))
		want := []time.Duration{0, 0, 0, s(10), s(20)}
		b.expectTurns(do+"// 5 calls of l.Wait(ctx, \"a\") at 0 s", want,
			"A page and its style sheet may come at once. The whole site may not.")
		for range 4 {
			b.wait("a")
		}
		b.until(time.Hour - 1)
		want = append(want, s(45), s(45), s(50), s(60))
		b.expectTurns(do+"// 5 calls of l.Wait(ctx, \"a\") at 0 s, 4 at 45 s", want,
			"A pause of two delays is worth two turns, and not the whole burst.")
		for range 5 {
			b.wait("a")
		}
		b.until(2 * time.Hour)
		want = append(want, time.Hour-1, time.Hour-1, time.Hour-1, time.Hour-1+s(10), time.Hour-1+s(20))
		b.expectTurns(do+"// 9 calls of l.Wait(ctx, \"a\") before, 5 after an hour", want,
			"A long pause is worth a burst and not more: a night of silence must not end in a thousand requests.")
	})
}

func TestWait_ContextDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const times = 64
		l := politeness.New(politeness.Policy{Delay: time.Minute, Burst: times})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range times {
			if err := l.Wait(ctx, "a"); err != context.Canceled {
				rule.Broken(t, rule.Case{
					Do: "l := New(Policy{Delay: time.Minute, Burst: 64})\ncancel()\nl.Wait(ctx, \"a\") // 64 times", Got: err, Want: context.Canceled,
					Why: "A worker that was told to stop sends one more request.",
				})
			}
		}
		if got := l.Hosts(); got != 0 {
			rule.Broken(t, rule.Case{
				Do: "cancel()\nl.Wait(ctx, \"a\")\nl.Hosts()", Got: got, Want: 0,
				Why: "Nothing was asked of this host, so there is nothing to remember.",
			})
		}
		start := time.Now()
		for range times {
			if err := l.Wait(t.Context(), "a"); err != nil || time.Since(start) != 0 {
				rule.Broken(t, rule.Case{
					Do: "l := New(Policy{Delay: time.Minute, Burst: 64})\n// l.Wait 64 times with a context that is done, then 64 times with another", Got: rule.Textf("%v after %v", err, time.Since(start)), Want: rule.Text("all 64 turns at once"),
					Why: "A call that fails takes no turn.",
				})
			}
		}
	})
}

func TestPenalize_DelaysWaiters(t *testing.T) {
	const why = "The server has said \"not before\", and from then on the delay counts again. A worker that comes earlier gets the address of the crawler blocked."
	for _, tc := range []struct {
		name   string
		policy politeness.Policy
		code   string
		want   []time.Duration
	}{
		{"one turn", politeness.Policy{Delay: 10 * time.Second}, "Policy{Delay: 10*time.Second}", []time.Duration{0, s(32), s(42), s(52)}},
		{"a burst", politeness.Policy{Delay: 10 * time.Second, Burst: 2}, "Policy{Delay: 10*time.Second, Burst: 2}", []time.Duration{0, 0, s(32), s(32), s(42)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, tc.policy)
				for range tc.want {
					b.wait("a")
				}
				b.until(s(5))
				b.l.Penalize("a", b.start.Add(32*time.Second))
				b.until(time.Hour)
				b.expectTurns(fmt.Sprintf("l := New(%s)\n// %d calls of l.Wait(ctx, \"a\")\n// at 5 s l.Penalize(\"a\", start.Add(32*time.Second))", tc.code, len(tc.want)), tc.want, why)
			})
		})
	}

	t.Run("no delay", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, politeness.Policy{})
			b.l.Penalize("a", b.start.Add(32*time.Second))
			for range 3 {
				b.wait("a")
			}
			b.until(time.Hour)
			b.expectTurns("l := New(Policy{})\nl.Penalize(\"a\", start.Add(32*time.Second))\n// 3 calls of l.Wait(ctx, \"a\")", []time.Duration{s(32), s(32), s(32)}, why)
		})
	})
	t.Run("twice", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, politeness.Policy{Delay: 10 * time.Second})
			b.l.Penalize("a", b.start.Add(20*time.Second).Round(0)) // a host that is new, a time from a header
			b.wait("a")
			b.wait("a")
			b.until(s(15))
			b.l.Penalize("a", b.start.Add(40*time.Second))
			b.until(time.Hour)
			b.expectTurns("l := New(Policy{Delay: 10*time.Second})\n// at 0 s l.Penalize(\"a\", start.Add(20*time.Second)) and 2 calls of l.Wait(ctx, \"a\")\n// at 15 s l.Penalize(\"a\", start.Add(40*time.Second))",
				[]time.Duration{s(40), s(50)}, why)
		})
	})
}

func TestWait_CancelledWaiterGivesSlotBack(t *testing.T) {
	for _, tc := range []struct {
		name   string
		cancel []int // calls, counted from 0
		want   []time.Duration
	}{
		{"the first that waits", []int{1}, []time.Duration{0, cancelled, s(10), s(20), s(30)}},
		{"one in the middle", []int{2}, []time.Duration{0, s(10), cancelled, s(20), s(30)}},
		{"the last", []int{4}, []time.Duration{0, s(10), s(20), s(30), cancelled}},
		{"two neighbours", []int{1, 2}, []time.Duration{0, cancelled, cancelled, s(10), s(20)}},
		{"all", []int{4, 3, 2, 1}, []time.Duration{0, cancelled, cancelled, cancelled, cancelled}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, politeness.Policy{Delay: 10 * time.Second})
				for range tc.want {
					b.wait("a")
				}
				b.until(s(5))
				for _, i := range tc.cancel {
					b.calls[i].cancel()
				}
				synctest.Wait()
				do := fmt.Sprintf("l := New(Policy{Delay: 10*time.Second})\n// 5 calls of l.Wait at 0 s; at 5 s the contexts of number %v are cancelled", tc.cancel)
				for _, i := range tc.cancel {
					if c := b.calls[i]; !c.returned || c.err != context.Canceled || c.at != s(5) {
						rule.Broken(t, rule.Case{
							Do: do, Got: rule.Textf("number %d: %v", i, c), Want: rule.Textf("number %d: %v at 5s", i, context.Canceled),
							Why: "The crawl is over, and its workers stay for as long as the delays add up.",
						})
					}
				}
				b.until(time.Hour)
				b.expectTurns(do, tc.want, "Nobody uses the turn of a worker that has gone. Those behind it must not wait for it.")
			})
		})
	}

	t.Run("after all have gone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, politeness.Policy{Delay: 10 * time.Second})
			for range 4 {
				b.wait("a")
			}
			b.until(s(5))
			for _, c := range b.calls[1:] {
				c.cancel()
			}
			b.until(s(6))
			b.wait("a")
			b.until(time.Hour)
			b.expectTurns("// Delay: 10*time.Second; of 4 calls of l.Wait at 0 s, 3 are cancelled at 5 s; one more call at 6 s", []time.Duration{0, cancelled, cancelled, cancelled, s(10)},
				"A turn that nobody took is still there.")
		})
	})
}

func TestWait_HostsIndependent(t *testing.T) {
	l := politeness.New(politeness.Policy{Delay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const do = "l := New(Policy{Delay: time.Hour})\nl.Wait(ctx, \"a\")\n"
	if err := l.Wait(ctx, "a"); err != nil {
		rule.Broken(t, rule.Case{Do: do, Got: err, Want: nil, Why: "A host that was left alone gives a turn at once."})
	}
	waiting := blocked.Start(func() { _ = l.Wait(ctx, "a") })
	if waiting.Returns() {
		rule.Broken(t, rule.Case{Do: do + "l.Wait(ctx, \"a\")", Got: rule.Text("returns at once"), Want: rule.Text("waits for an hour"), Why: "The delay is there to be kept."})
	}
	for _, op := range []struct {
		name string
		call func()
	}{
		{`l.Wait(ctx, "b")`, func() { _ = l.Wait(ctx, "b") }},
		{`l.Penalize("b", until)`, func() { l.Penalize("b", time.Now().Add(time.Hour)) }},
		{`l.SetDelay("b", time.Second)`, func() { l.SetDelay("b", time.Second) }},
		{`l.Penalize("a", until)`, func() { l.Penalize("a", time.Now().Add(2*time.Hour)) }},
		{`l.Hosts()`, func() { l.Hosts() }},
	} {
		if !blocked.Start(op.call).Returns() {
			rule.Broken(t, rule.Case{
				Do: do + "go l.Wait(ctx, \"a\") // waits for an hour\n" + op.name, Got: rule.Text("waits for that hour"), Want: rule.Text("returns at once"),
				Why: "One slow host stops the whole crawl.",
			})
		}
	}
	cancel()
	waiting.Wait()

	t.Run("exact times", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, politeness.Policy{Delay: 10 * time.Second})
			for _, host := range []string{"a", "a", "b", "a", "b"} {
				b.wait(host)
			}
			b.until(s(3))
			b.l.Penalize("b", b.start.Add(60*time.Second))
			b.l.SetDelay("c", time.Minute)
			b.wait("c")
			b.wait("A")
			b.until(time.Hour)
			b.expectTurns("l := New(Policy{Delay: 10*time.Second})\n// at 0 s l.Wait for a, a, b, a, b\n// at 3 s l.Penalize(\"b\", start.Add(60*time.Second)), l.SetDelay(\"c\", time.Minute), then l.Wait for c and A",
				[]time.Duration{0, s(10), 0, s(20), s(60), s(3), s(3)}, "Being polite to one host is no reason to wait for another.")
		})
	})
}

func TestPenalize_NeverShortens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, politeness.Policy{Delay: 10 * time.Second})
		b.l.Penalize("a", b.start.Add(time.Minute))
		b.l.Penalize("a", b.start.Add(time.Second))
		b.wait("a")
		b.until(s(5))
		b.l.Penalize("a", b.start.Add(30*time.Second))
		b.l.Penalize("a", b.start)
		b.l.Penalize("a", time.Time{})
		b.until(time.Hour)
		b.expectTurns("l.Penalize(\"a\", start.Add(time.Minute))\ngo l.Wait(ctx, \"a\")\nl.Penalize(\"a\", start.Add(30*time.Second))\nl.Penalize(\"a\", time.Time{})",
			[]time.Duration{s(60)}, "Of two answers, 503 with a minute and 429 with a second, the longer one protects the server.")

		b.wait("a")
		b.wait("a")
		b.until(time.Hour + s(1))
		b.l.Penalize("a", b.start.Add(time.Hour+s(2)))
		b.until(2 * time.Hour)
		b.expectTurns("// after an hour: 2 calls of l.Wait(ctx, \"a\"), Delay is 10*time.Second\n// a second later: l.Penalize(\"a\", time.Now().Add(time.Second))",
			[]time.Duration{s(60), time.Hour, time.Hour + s(10)}, "The end of a penalty is not a permission: the delay still counts.")
	})
}

func TestSetDelay_TakesEffectForQueued(t *testing.T) {
	for _, tc := range []struct {
		delay time.Duration
		want  []time.Duration
	}{
		{s(7), []time.Duration{0, s(7), s(14), s(21)}},
		{s(4), []time.Duration{0, s(5), s(9), s(13)}},
		{s(30), []time.Duration{0, s(30), s(60), s(90)}},
		{0, []time.Duration{0, s(5), s(5), s(5)}},
		{-1, []time.Duration{0, s(5), s(5), s(5)}},
	} {
		t.Run(tc.delay.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, politeness.Policy{Delay: 10 * time.Second})
				for range tc.want {
					b.wait("a")
				}
				b.until(s(5))
				b.l.SetDelay("a", tc.delay)
				b.until(10 * time.Minute)
				b.expectTurns(fmt.Sprintf("l := New(Policy{Delay: 10*time.Second})\n// 4 calls of l.Wait(ctx, \"a\") at 0 s\n// at 5 s l.SetDelay(\"a\", %s)", rule.Duration(tc.delay)), tc.want,
					"The robots.txt arrives while a hundred links of this host wait. All of them must keep to it.")
			})
		})
	}
	t.Run("before the first call", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, politeness.Policy{Delay: 10 * time.Second, Burst: 2})
			b.l.SetDelay("a", 3*time.Second)
			for range 4 {
				b.wait("a")
			}
			b.until(10 * time.Minute)
			b.expectTurns("l := New(Policy{Delay: 10*time.Second, Burst: 2})\nl.SetDelay(\"a\", 3*time.Second)\n// 4 calls of l.Wait(ctx, \"a\")", []time.Duration{0, 0, s(3), s(6)},
				"A Crawl-delay is known before the first page.")
		})
	})
	t.Run("after no delay", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, politeness.Policy{Burst: 2})
			for range 5 {
				b.wait("a")
			}
			b.until(s(7))
			b.l.SetDelay("a", 3*time.Second)
			for range 4 {
				b.wait("a")
			}
			b.until(10 * time.Minute)
			b.expectTurns("l := New(Policy{Burst: 2})\n// 5 calls of l.Wait(ctx, \"a\") at 0 s\n// at 7 s l.SetDelay(\"a\", 3*time.Second), then 4 calls of l.Wait(ctx, \"a\")",
				[]time.Duration{0, 0, 0, 0, 0, s(7), s(7), s(10), s(13)}, "Without a delay every turn was back at once, so a full set is there.")
		})
	})
}

func TestIdleHostsEvicted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 100
		b := newBubble(t, politeness.Policy{Delay: time.Second, IdleAfter: time.Minute})
		const do = "l := New(Policy{Delay: time.Second, IdleAfter: time.Minute})\nfor i := range 100 {\n    l.Wait(ctx, strconv.Itoa(i))\n}\n"
		const why = "A crawler sees a million hosts. What it remembers of each for ever adds up to its memory limit."
		before := runtime.NumGoroutine()
		for i := range n {
			if err := b.l.Wait(t.Context(), fmt.Sprint(i)); err != nil {
				rule.Broken(t, rule.Case{Do: do, Got: err, Want: nil})
			}
		}
		synctest.Wait()
		if got := runtime.NumGoroutine() - before; got > 0 {
			rule.Broken(t, rule.Case{
				Do: do + "runtime.NumGoroutine()", Got: rule.Textf("%d more", got), Want: rule.Text("no more than before"), Why: "A goroutine for a million hosts is a million stacks.",
			})
		}
		expectHosts := func(do string, want int, why string) {
			t.Helper()
			if got := b.l.Hosts(); got != want {
				rule.Broken(t, rule.Case{Do: do + "l.Hosts()", Got: got, Want: want, Why: why})
			}
		}
		b.until(s(60) - 1)
		expectHosts(do+"time.Sleep(time.Minute - 1)\n", n, "A host that is forgotten too early loses its Crawl-delay.")
		b.until(s(60))
		expectHosts(do+"time.Sleep(time.Minute)\n", 0, why)

		for _, at := range []time.Duration{s(100), s(130)} {
			b.until(at)
			b.wait("a")
		}
		b.until(s(160))
		b.l.Penalize("a", b.start) // in the past: no use
		b.until(s(190) - 1)
		const use = "// IdleAfter: time.Minute; l.Wait(ctx, \"a\") at 0 s and at 30 s\n"
		expectHosts(use+"// just before 90 s\n", 1, "The minute begins with the last use.")
		b.until(s(190))
		expectHosts(use+"// at 90 s\n", 0, why)

		b.until(s(200))
		b.l.SetDelay("a", 10*time.Second)
		b.l.Penalize("b", b.start.Add(s(201)))
		const learned = "// IdleAfter: time.Minute\nl.SetDelay(\"a\", 10*time.Second)\nl.Penalize(\"b\", time.Now().Add(time.Second))\n"
		expectHosts(learned, 2, "What was learned about a host is there before its first page.")
		b.until(s(230))
		expectHosts(learned+"time.Sleep(30 * time.Second)\n", 2, "The minute begins with the last use.")
		b.until(s(260))
		b.calls = nil
		b.wait("a")
		b.wait("a")
		b.until(s(300))
		b.expectTurns("// Delay: time.Second, IdleAfter: time.Minute\nl.SetDelay(\"a\", 10*time.Second)\ntime.Sleep(time.Minute)\n// 2 calls of l.Wait(ctx, \"a\")", []time.Duration{s(260), s(261)},
			"A host that was forgotten is a new one. If it sometimes is and sometimes is not, nobody can rely on either.")
	})
}

func TestIdle_Moment(t *testing.T) {
	wait := func(l *politeness.Limiter) { _ = l.Wait(context.Background(), "a") }
	for _, tc := range []struct {
		name, code string
		policy     politeness.Policy
		use        func(l *politeness.Limiter)
		idle       time.Duration
	}{
		{"no delay", "l := New(Policy{IdleAfter: time.Minute})\nl.Wait(ctx, \"a\")", politeness.Policy{IdleAfter: time.Minute}, wait, time.Minute},
		{"a negative delay", "l := New(Policy{Delay: -1, IdleAfter: time.Minute})\nl.Wait(ctx, \"a\")", politeness.Policy{Delay: -1, IdleAfter: time.Minute}, wait, time.Minute},
		{"the shortest memory", "l := New(Policy{IdleAfter: 1})\nl.Wait(ctx, \"a\")", politeness.Policy{IdleAfter: 1}, wait, 1},
		{"an hour", "l := New(Policy{})\nl.Wait(ctx, \"a\")", politeness.Policy{}, wait, time.Hour},
		{"an hour for less than 0", "l := New(Policy{IdleAfter: -1})\nl.Wait(ctx, \"a\")", politeness.Policy{IdleAfter: -1}, wait, time.Hour},
		{
			"a penalty is a use", "l := New(Policy{IdleAfter: time.Minute})\nl.Wait(ctx, \"a\")\ntime.Sleep(30 * time.Second)\nl.Penalize(\"a\", time.Now().Add(time.Second))",
			politeness.Policy{IdleAfter: time.Minute}, func(l *politeness.Limiter) {
				wait(l)
				<-time.After(30 * time.Second)
				l.Penalize("a", time.Now().Add(time.Second))
			}, time.Minute,
		},
		{
			"a call that gives up is a use", "l := New(Policy{Delay: time.Second, IdleAfter: time.Minute})\nl.Wait(ctx, \"a\")\nl.Penalize(\"a\", time.Now().Add(50*time.Second))\ntime.AfterFunc(40*time.Second, cancel)\nl.Wait(ctx, \"a\")",
			politeness.Policy{Delay: time.Second, IdleAfter: time.Minute}, func(l *politeness.Limiter) {
				wait(l)
				l.Penalize("a", time.Now().Add(50*time.Second))
				ctx, cancel := context.WithCancel(context.Background())
				time.AfterFunc(40*time.Second, cancel)
				_ = l.Wait(ctx, "a")
			}, time.Minute,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := politeness.New(tc.policy)
				tc.use(l)
				<-time.After(tc.idle - 1)
				before := l.Hosts()
				<-time.After(1)
				if after := l.Hosts(); before != 1 || after != 0 {
					rule.Broken(t, rule.Case{
						Do:   fmt.Sprintf("%s\ntime.Sleep(%s - 1)\nbefore := l.Hosts()\ntime.Sleep(1)\nafter := l.Hosts()", tc.code, rule.Duration(tc.idle)),
						Got:  rule.Textf("before: %d, after: %d", before, after),
						Want: rule.Text("before: 1, after: 0"),
						Why:  "Forgotten too early, a host loses its Crawl-delay. Never forgotten, it is one of a million that fill the memory.",
					})
				}
			})
		})
	}
}

func TestIdle_KeepsWhatItOwes(t *testing.T) {
	const why = "A host that is forgotten too early gets its next request too early."
	t.Run("a delay", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, politeness.Policy{Delay: time.Hour, Burst: 2, IdleAfter: time.Minute})
			for range 2 {
				b.wait("a")
			}
			b.until(30 * time.Minute)
			b.wait("b") // gives the limiter an opportunity to forget
			b.until(50 * time.Minute)
			b.wait("a")
			b.until(3 * time.Hour)
			const do = "l := New(Policy{Delay: time.Hour, Burst: 2, IdleAfter: time.Minute})\n// l.Wait for a twice at 0, for b after 30 minutes, for a after 50"
			b.expectTurns(do, []time.Duration{0, 0, 30 * time.Minute, time.Hour}, why)
			for _, tc := range []struct {
				at   time.Duration
				want int
			}{{3*time.Hour - 1, 1}, {3 * time.Hour, 0}} {
				l := politeness.New(politeness.Policy{Delay: time.Hour, Burst: 3, IdleAfter: time.Minute})
				for range 3 {
					_ = l.Wait(t.Context(), "a")
				}
				<-time.After(tc.at)
				if got := l.Hosts(); got != tc.want {
					rule.Broken(t, rule.Case{
						Do:  fmt.Sprintf("l := New(Policy{Delay: time.Hour, Burst: 3, IdleAfter: time.Minute})\nfor range 3 {\n    l.Wait(ctx, \"a\")\n}\ntime.Sleep(%s)\nl.Hosts()", rule.Duration(tc.at)),
						Got: got, Want: tc.want, Why: "Until all turns are back, a new host would give more than this one.",
					})
				}
			}
		})
	})
	t.Run("a penalty", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, politeness.Policy{Delay: time.Second, IdleAfter: time.Minute})
			b.wait("a")
			b.l.Penalize("a", b.start.Add(time.Hour))
			b.until(30 * time.Minute)
			b.wait("b")
			b.until(50 * time.Minute)
			b.wait("a")
			b.until(2 * time.Hour)
			b.expectTurns("l := New(Policy{Delay: time.Second, IdleAfter: time.Minute})\n// l.Wait(ctx, \"a\"), then l.Penalize(\"a\", start.Add(time.Hour))\n// l.Wait for b after 30 minutes, for a after 50",
				[]time.Duration{0, 30 * time.Minute, time.Hour}, why)
		})
	})
	t.Run("those who wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, politeness.Policy{Delay: 5 * time.Minute, IdleAfter: time.Minute})
			for range 4 {
				b.wait("a")
			}
			for i := range 12 {
				b.until(time.Duration(i)*time.Minute + s(30))
				b.wait(fmt.Sprint("other ", i))
				b.l.Hosts()
			}
			b.until(13 * time.Minute)
			late := b.wait("a")
			b.until(time.Hour)
			got := []time.Duration{b.calls[1].at, b.calls[2].at, b.calls[3].at, late.at}
			if want := []time.Duration{5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute}; !cmp.Equal(want, got) {
				rule.Broken(t, rule.Case{
					Do:  "l := New(Policy{Delay: 5*time.Minute, IdleAfter: time.Minute})\n// 4 calls of l.Wait(ctx, \"a\") at 0, one more after 13 minutes; other hosts in between",
					Got: rule.Textf("turns at 0 and %v", got), Want: rule.Textf("turns at 0 and %v", want), Why: "Two queues for one host are twice the requests.",
				})
			}
		})
	})
}

// TestIdle_FreesMemory looks at the name of a host, which is garbage when
// nothing remembers the host any more.
func TestIdle_FreesMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := politeness.New(politeness.Policy{Delay: time.Second, IdleAfter: time.Minute})
		name := useOnce(t, l)
		for range 2 {
			<-time.After(time.Minute)
			_ = l.Wait(t.Context(), "b")
		}
		gctest.Collected(t, name, `l := New(Policy{Delay: time.Second, IdleAfter: time.Minute})
l.Wait(ctx, name)
for range 2 {
    time.Sleep(time.Minute)
    l.Wait(ctx, "b")
}
runtime.GC()`, "the name of the first host")
		if got := l.Hosts(); got != 1 {
			rule.Broken(t, rule.Case{Do: "// one more l.Wait(ctx, \"b\")\nl.Hosts()", Got: got, Want: 1})
		}
	})
}

//go:noinline
func useOnce(t *testing.T, l *politeness.Limiter) weak.Pointer[[1024]byte] {
	name := strings.Repeat("a", 1024)
	if err := l.Wait(t.Context(), name); err != nil {
		rule.Broken(t, rule.Case{Do: "l.Wait(ctx, name)", Got: err, Want: nil})
	}
	return weak.Make((*[1024]byte)(unsafe.Pointer(unsafe.StringData(name))))
}

func TestWait_DeadlineTooSoonFailsFast(t *testing.T) {
	for _, tc := range []struct {
		name    string
		queue   int           // calls that wait before
		penalty time.Duration // from 0 s on
		policy  politeness.Policy
		timeout time.Duration // at 3 s
		want    time.Duration // turn of the call
	}{
		{name: "the turn comes before", timeout: s(7) + 1, want: s(10)},
		{name: "the turn comes at the deadline", timeout: s(7), want: failsFast},
		{name: "the turn comes after", timeout: s(1), want: failsFast},
		{name: "one in front, enough time", queue: 1, timeout: s(18), want: s(20)},
		{name: "two in front, enough time", queue: 2, timeout: s(28), want: s(30)},
		{name: "two in front", queue: 2, timeout: s(27), want: failsFast},
		{name: "a penalty, enough time", penalty: s(60), timeout: s(58), want: s(60)},
		{name: "a penalty", penalty: s(60), timeout: s(57), want: failsFast},
		{name: "one in front and a penalty", queue: 1, penalty: s(60), timeout: s(66), want: failsFast},
		{name: "one in front, a penalty, enough time", queue: 1, penalty: s(60), timeout: s(68), want: s(70)},
		{name: "a burst and a penalty", queue: 1, penalty: s(60), policy: politeness.Policy{Delay: 10 * time.Second, Burst: 2}, timeout: s(58), want: s(60)},
		{name: "a very long delay", queue: 3, policy: politeness.Policy{Delay: math.MaxInt64}, timeout: time.Hour, want: failsFast},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				code := "Policy{Delay: 10*time.Second}"
				if tc.policy.Delay == 0 {
					tc.policy.Delay = 10 * time.Second
				} else {
					code = fmt.Sprintf("Policy{Delay: %s, Burst: %d}", rule.Duration(tc.policy.Delay), tc.policy.Burst)
				}
				b := newBubble(t, tc.policy)
				b.wait("a")
				if tc.penalty > 0 {
					b.l.Penalize("a", b.start.Add(tc.penalty))
				}
				for range tc.queue {
					b.wait("a")
				}
				b.until(s(3))
				ctx, cancel := context.WithTimeout(t.Context(), tc.timeout)
				defer cancel()
				c := b.begin(ctx, "a", 0)
				synctest.Wait()
				do := fmt.Sprintf("l := New(%s)\n// %d calls of l.Wait(ctx, \"a\") at 0 s\n", code, 1+tc.queue)
				if tc.penalty > 0 {
					do += fmt.Sprintf("// l.Penalize(\"a\", start.Add(%s))\n", rule.Duration(tc.penalty))
				}
				do += fmt.Sprintf("// at 3 s with a timeout of %s\nl.Wait(ctx, \"a\")", rule.Duration(tc.timeout))
				if tc.want == failsFast {
					if !c.returned || c.err != context.DeadlineExceeded || c.at != s(3) {
						rule.Broken(t, rule.Case{
							Do: do, Got: c, Want: rule.Textf("%v at 3s", context.DeadlineExceeded),
							Why: "The answer is known now. A worker that waits for it could fetch from another host.",
						})
					}
					return
				}
				b.until(time.Hour)
				if !c.returned || c.err != nil || c.at != tc.want {
					rule.Broken(t, rule.Case{
						Do: do, Got: c, Want: rule.Textf("a turn at %v", tc.want), Why: "The turn comes in time, so the page can be fetched.",
					})
				}
			})
		})
	}

	t.Run("takes no turn", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, politeness.Policy{Delay: 10 * time.Second})
			b.wait("a")
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			for range 5 {
				b.begin(ctx, "a", 0)
			}
			synctest.Wait()
			b.calls = b.calls[:1]
			b.wait("a")
			b.until(time.Hour)
			b.expectTurns("// Delay: 10*time.Second; one turn, then 5 calls of l.Wait that fail, then\nl.Wait(ctx, \"a\")", []time.Duration{0, s(10)}, "Nobody uses the turn of a call that failed.")
		})
	})
	t.Run("a penalty that comes later", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, politeness.Policy{Delay: 10 * time.Second})
			b.wait("a")
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			c := b.begin(ctx, "a", 0)
			b.until(s(5))
			b.l.Penalize("a", b.start.Add(time.Minute))
			b.until(s(20))
			if !c.returned || c.err != context.DeadlineExceeded {
				rule.Broken(t, rule.Case{
					Do: "// Delay: 10*time.Second; at 0 s a turn, then a call with a timeout of 20 s\n// at 5 s l.Penalize(\"a\", start.Add(time.Minute))", Got: c, Want: rule.Textf("%v at 20s at the latest", context.DeadlineExceeded),
					Why: "A timeout is a promise to somebody else.",
				})
			}
			b.calls = b.calls[:1]
			b.wait("a")
			b.until(time.Hour)
			b.expectTurns("// the same, and one more call of l.Wait(ctx, \"a\") at 20 s", []time.Duration{0, s(60)}, "Nobody uses the turn of a call that failed.")
		})
	})
}

// TestWait_Model compares a limiter with a simulation that goes from event to
// event. No two events of a round meet: event i has i milliseconds.
func TestWait_Model(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 60 {
		synctest.Test(t, func(t *testing.T) {
			p := politeness.Policy{Delay: s(1 + rng.IntN(5)), Burst: 1 + rng.IntN(3)}
			b := newBubble(t, p)
			sim := &simulation{delay: p.Delay, burst: p.Burst, free: p.Burst, turns: make(map[int]time.Duration)}
			history := fmt.Sprintf("l := New(Policy{Delay: %s, Burst: %d}) // seed %#x", rule.Duration(p.Delay), p.Burst, seed)
			note := func(format string, a ...any) {
				history += fmt.Sprintf("\n// at %v: ", sim.now) + fmt.Sprintf(format, a...)
			}
			at := time.Duration(0)
			for i := range 30 {
				at = at.Truncate(time.Second) + s(rng.IntN(4)) + time.Duration(i)*time.Millisecond
				sim.advance(at)
				b.until(at)
				switch op := rng.IntN(10); {
				case op == 0:
					d := s(1 + rng.IntN(5))
					note("l.SetDelay(\"a\", %s)", rule.Duration(d))
					sim.delay = d
					b.l.SetDelay("a", d)
				case op == 1:
					d := s(1 + rng.IntN(8))
					note("l.Penalize(\"a\", time.Now().Add(%s))", rule.Duration(d))
					sim.penalty = max(sim.penalty, at+d)
					b.l.Penalize("a", b.start.Add(at+d))
				case op < 4 && len(sim.queue) > 0:
					n := rng.IntN(len(sim.queue))
					id := sim.queue[n]
					note("call %d is cancelled", id)
					sim.queue = append(sim.queue[:n:n], sim.queue[n+1:]...)
					b.calls[id].cancel()
					synctest.Wait()
				default:
					note("call %d of l.Wait(ctx, \"a\")", len(b.calls))
					sim.queue = append(sim.queue, len(b.calls))
					b.wait("a")
				}
			}
			sim.advance(at + time.Hour)
			b.until(at + time.Hour)
			got := make(map[int]time.Duration)
			for id, c := range b.calls {
				if c.returned && c.err == nil {
					got[id] = c.at
				}
			}
			if diff := cmp.Diff(sim.turns, got); diff != "" {
				rule.Broken(t, rule.Case{
					Do: history, Got: rule.Textf("other turns, by call (-want +got):\n%s", diff), Want: rule.Text("the turns that follow from the table"),
					Why: "Real crawls mix all of it.",
				})
			}
		})
	}
}

// simulation is one host.
type simulation struct {
	now, delay, since, penalty time.Duration
	burst, free                int
	queue                      []int // calls that wait
	turns                      map[int]time.Duration
}

func (m *simulation) advance(to time.Duration) {
	for {
		for m.free < m.burst && m.since+m.delay <= m.now {
			m.free++
			m.since += m.delay
		}
		for len(m.queue) > 0 && m.free > 0 && m.now >= m.penalty {
			if m.free == m.burst {
				m.since = m.now
			}
			m.free--
			m.turns[m.queue[0]] = m.now
			m.queue = m.queue[1:]
		}
		next := to + 1
		if m.free < m.burst {
			next = min(next, m.since+m.delay)
		}
		if m.penalty > m.now {
			next = min(next, m.penalty)
		}
		if next > to {
			m.now = to
			return
		}
		m.now = next
	}
}

// TestAll_Race mixes all methods, for the race detector.
func TestAll_Race(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers, rounds = 8, 40
		l := politeness.New(politeness.Policy{Delay: time.Second, Burst: 2, IdleAfter: 3 * time.Second})
		var wg sync.WaitGroup
		var mu sync.Mutex
		turns := make(map[string]int)
		start := time.Now()
		for w := range workers {
			wg.Go(func() {
				for i := range rounds {
					host := fmt.Sprint("host ", (w+i)%3)
					ctx, cancel := context.WithTimeout(t.Context(), s(1+i%9))
					switch i % 8 {
					case 3:
						go cancel()
					case 5:
						l.Penalize(host, time.Now().Add(time.Second))
					case 6:
						l.SetDelay(host, time.Second)
					case 7:
						l.Hosts()
					}
					if l.Wait(ctx, host) == nil {
						mu.Lock()
						turns[host]++
						mu.Unlock()
					}
					cancel()
				}
			})
		}
		wg.Wait()
		seconds := int(time.Since(start) / time.Second)
		for i := range 3 {
			host := fmt.Sprint("host ", i)
			if got := turns[host]; got == 0 || got > seconds+2 {
				rule.Broken(t, rule.Case{
					Do: "// Delay: time.Second, Burst: 2; 8 goroutines call all methods for 3 hosts", Got: rule.Textf("%d turns of one host in %d s", got, seconds), Want: rule.Textf("some, but at most %d", seconds+2),
					Why: "Whatever goes on, the host gets what it has agreed to.",
				})
			}
		}
	})
}

// bubble is a limiter and the calls of its Wait.
type bubble struct {
	t     *testing.T
	l     *politeness.Limiter
	start time.Time
	calls []*call
}

func newBubble(t *testing.T, p politeness.Policy) *bubble {
	t.Helper()
	return &bubble{t: t, l: politeness.New(p), start: time.Now()}
}

// wait calls l.Wait in a goroutine, and returns when the call has ended or
// waits.
func (b *bubble) wait(host string) *call {
	c := b.begin(b.t.Context(), host, 0)
	synctest.Wait()
	return c
}

// begin calls l.Wait in a goroutine, after a time.
func (b *bubble) begin(ctx context.Context, host string, after time.Duration) *call {
	ctx, cancel := context.WithCancel(ctx)
	c := &call{cancel: cancel}
	b.calls = append(b.calls, c)
	go func() {
		defer cancel()
		if after > 0 {
			<-time.After(after)
		}
		c.err = b.l.Wait(ctx, host)
		c.at = time.Since(b.start)
		c.returned = true
	}()
	return c
}

// until lets time pass until d after the start.
func (b *bubble) until(d time.Duration) {
	<-time.After(time.Until(b.start.Add(d)))
	synctest.Wait()
}

const (
	cancelled time.Duration = -1 - iota
	failsFast
)

// expectTurns compares the results of all calls so far. After those that were
// cancelled it does not ask.
func (b *bubble) expectTurns(do string, want []time.Duration, why string) {
	b.t.Helper()
	for i, at := range want {
		c := b.calls[i]
		if at == cancelled {
			continue
		}
		if !c.returned || c.err != nil || c.at != at {
			rule.Broken(b.t, rule.Case{
				Do: do, Got: rule.Textf("call %d: %v", i+1, c), Want: rule.Textf("call %d: a turn at %v", i+1, at), Why: why,
			})
		}
	}
}

// call is a call of Wait. Its fields may be read after synctest.Wait.
type call struct {
	cancel   context.CancelFunc
	returned bool
	at       time.Duration
	err      error
}

func (c *call) String() string {
	switch {
	case !c.returned:
		return "still waits"
	case c.err != nil:
		return fmt.Sprintf("%v at %v", c.err, c.at)
	default:
		return fmt.Sprintf("a turn at %v", c.at)
	}
}

func s(n int) time.Duration { return time.Duration(n) * time.Second }
