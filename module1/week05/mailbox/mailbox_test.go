package mailbox_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week05/mailbox"
)

// Every test runs in a synctest bubble. After synctest.Wait each call has
// returned or waits for something that only the test can give it.

func TestSend_BlocksWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := patient(t)
		m := mailbox.New[int](2)
		const full = "m := New[int](2)\nm.Send(ctx, 1)\nm.Send(ctx, 2)\n"
		expectSend(t, "m := New[int](2)\nm.Send(ctx, 1)", m.Send(ctx, 1), nil)
		expectSend(t, full, m.Send(ctx, 2), nil)

		if m.TrySend(9) {
			rule.Broken(t, rule.Case{
				Do: full + "m.TrySend(9)", Got: true, Want: false,
				Why: "A mailbox without a bound turns a slow mail server into a process that is out of memory.",
			})
		}
		third := send(ctx, m, 3)
		synctest.Wait()
		third.expectWaiting(t, full+"m.Send(ctx, 3)", "A producer that is told \"accepted\" too early does not slow down.")
		expectLen(t, full+"go m.Send(ctx, 3) // waits", m, 2)

		expectRecv(t, full+"go m.Send(ctx, 3) // waits\nm.Recv(ctx)", m, 1)
		synctest.Wait()
		third.expectReturned(t, full+"go m.Send(ctx, 3) // waits\nm.Recv(ctx)", 0, nil)
		expectLen(t, full+"go m.Send(ctx, 3) // waits\nm.Recv(ctx)", m, 2)
		expectRecv(t, full+"go m.Send(ctx, 3)\nm.Recv(ctx)\nm.Recv(ctx)", m, 2)
		expectRecv(t, full+"go m.Send(ctx, 3)\nm.Recv(ctx)\nm.Recv(ctx)\nm.Recv(ctx)", m, 3)

		receiver := recv(ctx, m)
		synctest.Wait()
		receiver.expectWaiting(t, "m := New[int](2)\nm.Recv(ctx)", "A worker with an empty mailbox has nothing to do, and no reason to stop.")
		expectSend(t, "go m.Recv(ctx) // waits\nm.Send(ctx, 4)", m.Send(ctx, 4), nil)
		synctest.Wait()
		receiver.expectReturned(t, "go m.Recv(ctx) // waits\nm.Send(ctx, 4)", 4, nil)
	})
}

func TestSend_CancelWhileBlocked(t *testing.T) {
	t.Run("cancel", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx := patient(t)
			m := mailbox.New[int](1)
			defer m.Close()
			const do = `m := New[int](1)
m.Send(ctx, 1)
go m.Send(cancelled, 2) // waits
go m.Send(ctx, 3)       // waits
cancel()`
			expectSend(t, "m := New[int](1)\nm.Send(ctx, 1)", m.Send(ctx, 1), nil)
			cancelled, cancel := context.WithCancel(ctx)
			defer cancel()
			second := send(cancelled, m, 2)
			synctest.Wait()
			third := send(ctx, m, 3)
			synctest.Wait()
			cancel()
			synctest.Wait()
			second.expectReturned(t, do, 0, context.Canceled)
			third.expectWaiting(t, do+"\n// what does m.Send(ctx, 3) do?", "Only the call whose context is done gives up.")

			expectRecv(t, do+"\nm.Recv(ctx)", m, 1)
			expectRecv(t, do+"\nm.Recv(ctx)\nm.Recv(ctx)", m, 3)
			synctest.Wait()
			third.expectReturned(t, do+"\nm.Recv(ctx)\nm.Recv(ctx)", 0, nil)
			if got, err := m.Recv(ctx); err == nil {
				rule.Broken(t, rule.Case{
					Do:   do + "\nm.Recv(ctx)\nm.Recv(ctx)\nm.Recv(ctx)",
					Got:  rule.Textf("%d, although its Send returned %v", got, context.Canceled),
					Want: rule.Text("waits: message 2 was never accepted"),
					Why:  "The caller saw an error and sent the job to another mailbox. The customer gets the mail twice.",
				})
			}
		})
	})

	t.Run("deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := mailbox.New[int](0)
			defer m.Close()
			ctx, cancel := context.WithTimeout(patient(t), time.Second)
			defer cancel()
			const do = "ctx, cancel := context.WithTimeout(ctx, time.Second)\nNew[int](0).Send(ctx, 1)"
			start := time.Now()
			expectSend(t, do, m.Send(ctx, 1), context.DeadlineExceeded)
			if got := time.Since(start); got != time.Second {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("returned after %v", got), Want: rule.Text("returned after 1s"),
					Why: "The request that wants to send has a deadline of its own.",
				})
			}
		})
	})
}

func TestRecv_CancelWhileBlocked(t *testing.T) {
	for _, capacity := range []int{0, 1} {
		t.Run(fmt.Sprintf("capacity %d", capacity), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := patient(t)
				m := mailbox.New[int](capacity)
				defer m.Close()
				do := fmt.Sprintf("m := New[int](%d)\ngo m.Recv(cancelled) // waits\ncancel()", capacity)
				cancelled, cancel := context.WithCancel(ctx)
				defer cancel()
				first := recv(cancelled, m)
				synctest.Wait()
				first.expectWaiting(t, fmt.Sprintf("New[int](%d).Recv(ctx)", capacity), "A worker with an empty mailbox has no reason to stop.")
				cancel()
				synctest.Wait()
				first.expectReturned(t, do, 0, context.Canceled)

				sender := send(ctx, m, 7)
				second := recv(ctx, m)
				synctest.Wait()
				sender.expectReturned(t, do+"\ngo m.Recv(ctx)\nm.Send(ctx, 7)", 0, nil)
				second.expectReturned(t, do+"\ngo m.Send(ctx, 7)\nm.Recv(ctx)", 7, nil)
			})
		})
	}
}

// TestContext_DoneBeforeTheCall repeats each call: a select between two ready
// cases is right half of the time.
func TestContext_DoneBeforeTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const times = 64
		ctx := patient(t)
		done, cancel := context.WithCancel(ctx)
		cancel()
		m := mailbox.New[int](times)
		for range times {
			expectSend(t, "m := New[int](64)\ncancel()\nm.Send(ctx, 1) // 64 times", m.Send(done, 1), context.Canceled)
		}
		expectLen(t, "m := New[int](64)\ncancel()\nm.Send(ctx, 1) // fails", m, 0)

		for range times {
			expectSend(t, "m.Send(ctx, 1)", m.Send(ctx, 1), nil)
		}
		for range times {
			if got, err := m.Recv(done); got != 0 || err != context.Canceled {
				rule.Broken(t, rule.Case{
					Do:   "m.Send(ctx, 1)\ncancel()\nm.Recv(ctx) // 64 times",
					Got:  rule.Textf("%d, %v", got, err),
					Want: rule.Textf("0, %v", context.Canceled),
					Why:  "A worker that is told to stop must not start one more job.",
				})
			}
		}
		expectLen(t, "m.Send(ctx, 1) // 64 times\ncancel()\nm.Recv(ctx) // fails", m, times)

		m.Close()
		expectSend(t, "m.Close()\ncancel()\nm.Send(ctx, 1)", m.Send(done, 1), context.Canceled)
	})
}

func TestClose_ConcurrentProducersNeverPanic(t *testing.T) {
	const producers = 64
	t.Run("while they wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx := patient(t)
			m := mailbox.New[int](2)
			const do = "m := New[int](2)\nm.Send(ctx, 1)\nm.Send(ctx, 2)\nfor range 64 {\n    go m.Send(ctx, 3) // waits\n}\nm.Close()"
			expectSend(t, do, m.Send(ctx, 1), nil)
			expectSend(t, do, m.Send(ctx, 2), nil)
			var waiting []*call
			for range producers {
				waiting = append(waiting, send(ctx, m, 3))
			}
			synctest.Wait()
			m.Close()
			synctest.Wait()
			for _, c := range waiting {
				c.expectReturned(t, do, 0, mailbox.ErrClosed)
			}
		})
	})

	t.Run("while they send", func(t *testing.T) {
		for round := range 3 {
			s := storm{capacity: round % 3, producers: producers, each: 3, consumers: 2, closeAfter: 1 + 20*round}
			synctest.Test(t, func(t *testing.T) {
				if panics := s.run(t).panics; len(panics) > 0 {
					rule.Broken(t, rule.Case{
						Do: s.String(), Got: rule.Text(panics[0]), Want: rule.Text("no panic"), Why: panicWhy,
					})
				}
			})
		}
	})
}

func TestClose_AcceptedAreDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := patient(t)
		m := mailbox.New[int](8)
		do := "m := New[int](8)\nfor i := range 5 {\n    m.Send(ctx, i+1)\n}\nm.Close()"
		for i := range 5 {
			expectSend(t, do, m.Send(ctx, i+1), nil)
		}
		closing := start(func() (int, error) { m.Close(); return 0, nil })
		synctest.Wait()
		closing.expectReturned(t, do, 0, nil)
		for i := range 5 {
			expectLen(t, do, m, 5-i)
			do += "\nm.Recv(ctx)"
			expectRecv(t, do, m, i+1)
		}
		expectLen(t, do, m, 0)
	})
}

func TestClose_Twice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := patient(t)
		m := mailbox.New[int](1)
		expectSend(t, "m := New[int](1)\nm.Send(ctx, 1)", m.Send(ctx, 1), nil)
		const do = "m := New[int](1)\nm.Send(ctx, 1)\nfor range 8 {\n    go m.Close()\n}\nm.Close()"
		var closing []*call
		for range 8 {
			closing = append(closing, start(func() (int, error) { m.Close(); return 0, nil }))
		}
		synctest.Wait()
		closing = append(closing, start(func() (int, error) { m.Close(); return 0, nil }))
		synctest.Wait()
		for _, c := range closing {
			c.expectReturned(t, do, 0, nil)
		}
		expectRecv(t, do+"\nm.Recv(ctx)", m, 1)
	})
}

func TestRecv_AfterDrainReturnsErrClosed(t *testing.T) {
	for _, capacity := range []int{0, 1} {
		t.Run(fmt.Sprintf("capacity %d", capacity), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := patient(t)
				m := mailbox.New[int](capacity)
				sender := send(ctx, m, 1)
				do := fmt.Sprintf("m := New[int](%d)\ngo m.Send(ctx, 1)\nm.Recv(ctx)", capacity)
				expectRecv(t, do, m, 1)
				synctest.Wait()
				sender.expectReturned(t, do, 0, nil)
				m.Close()
				do += "\nm.Close()"
				for range 3 {
					do += "\nm.Recv(ctx)"
					if got, err := m.Recv(ctx); got != 0 || err != mailbox.ErrClosed {
						rule.Broken(t, rule.Case{
							Do: do, Got: rule.Textf("%d, %v", got, err), Want: rule.Textf("0, %v", mailbox.ErrClosed),
							Why: "ErrClosed ends the worker's loop. Without it the worker sends empty mails for ever.",
						})
					}
				}
				expectLen(t, do, m, 0)
			})
		})
	}
}

func TestClose_UnblocksSendersAndReceivers(t *testing.T) {
	const waiters = 8
	for _, capacity := range []int{0, 2} {
		t.Run(fmt.Sprintf("senders, capacity %d", capacity), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := patient(t)
				m := mailbox.New[int](capacity)
				for i := range capacity {
					expectSend(t, fmt.Sprintf("New[int](%d).Send(ctx, 1)", capacity), m.Send(ctx, i+1), nil)
				}
				do := fmt.Sprintf("m := New[int](%d) // full\nfor range 8 {\n    go m.Send(ctx, 3) // waits\n}\n", capacity)
				var waiting []*call
				for range waiters {
					waiting = append(waiting, send(ctx, m, 3))
				}
				synctest.Wait()
				for _, c := range waiting {
					c.expectWaiting(t, do, "A full mailbox makes producers wait.")
				}
				m.Close()
				synctest.Wait()
				for _, c := range waiting {
					c.expectReturned(t, do+"m.Close()", 0, mailbox.ErrClosed)
				}
			})
		})
		t.Run(fmt.Sprintf("receivers, capacity %d", capacity), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := patient(t)
				m := mailbox.New[int](capacity)
				do := fmt.Sprintf("m := New[int](%d)\nfor range 8 {\n    go m.Recv(ctx) // waits\n}\n", capacity)
				var waiting []*call
				for range waiters {
					waiting = append(waiting, recv(ctx, m))
				}
				synctest.Wait()
				for _, c := range waiting {
					c.expectWaiting(t, do, "An empty mailbox makes workers wait.")
				}
				m.Close()
				synctest.Wait()
				for _, c := range waiting {
					c.expectReturned(t, do+"m.Close()", 0, mailbox.ErrClosed)
				}
			})
		})
	}
}

// TestSend_PreferClosedOverSpace repeats each call: a select between two ready
// cases is right half of the time.
func TestSend_PreferClosedOverSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const times = 64
		ctx := patient(t)
		m := mailbox.New[int](times)
		expectSend(t, "m := New[int](64)\nm.Send(ctx, 1)", m.Send(ctx, 1), nil)
		m.Close()
		for range times {
			expectSend(t, "m := New[int](64)\nm.Send(ctx, 1)\nm.Close()\nm.Send(ctx, 2) // 64 times", m.Send(ctx, 2), mailbox.ErrClosed)
			if m.TrySend(3) {
				rule.Broken(t, rule.Case{
					Do: "m := New[int](64)\nm.Send(ctx, 1)\nm.Close()\nm.TrySend(3) // 64 times", Got: true, Want: false,
					Why: "The owner has closed and the workers leave. What comes in now stays in for ever.",
				})
			}
		}
		expectLen(t, "m := New[int](64)\nm.Send(ctx, 1)\nm.Close()\nm.Send(ctx, 2) // fails", m, 1)
		expectRecv(t, "m := New[int](64)\nm.Send(ctx, 1)\nm.Close()\nm.Recv(ctx)", m, 1)
		expectSend(t, "m := New[int](64)\nm.Send(ctx, 1)\nm.Close()\nm.Recv(ctx)\nm.Send(ctx, 2)", m.Send(ctx, 2), mailbox.ErrClosed)
	})
}

func TestExactlyOnce_Accounting(t *testing.T) {
	for _, capacity := range []int{0, 1, 8} {
		for _, closeAfter := range []int{1, 20, 1000} {
			t.Run(fmt.Sprintf("capacity %d, Close after %d", capacity, closeAfter), func(t *testing.T) {
				s := storm{capacity: capacity, producers: 6, each: 12, consumers: 3, closeAfter: closeAfter, cancel: true}
				synctest.Test(t, func(t *testing.T) { s.run(t).expectAccounted(t, s.String()) })
			})
		}
	}

	// The context lets Close and Recv run in the middle of a Send, at one of the
	// moments at which Send looks at it.
	t.Run("Close in the middle of Send", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const do = `m := New[int](1)
go m.Close()
go m.Recv(ctx)
m.Send(ctx, 1)`
			ctx := patient(t)
			for round := range 60 {
				m := mailbox.New[int](1)
				var (
					received *call
					ended    atomic.Bool
				)
				shutDown := sync.OnceFunc(func() {
					received = start(func() (int, error) {
						defer ended.Store(true)
						return m.Recv(ctx)
					})
					go m.Close()
					for range 300 {
						if ended.Load() {
							break
						}
						runtime.Gosched()
					}
				})
				err := m.Send(&intrusive{Context: ctx, at: int64(round%3 + 1), do: shutDown}, 1)
				shutDown()
				synctest.Wait()
				switch {
				case err == nil && !received.is(1, nil):
					rule.Broken(t, rule.Case{
						Do:   do,
						Got:  rule.Textf("Send: nil; Recv: %v", received),
						Want: rule.Text("Send: nil; Recv: 1, nil"),
						Why:  "The sender had decided, then Close came, and the last worker saw an empty mailbox and left. Nobody sends this mail.",
					})
				case err == mailbox.ErrClosed && !received.is(0, mailbox.ErrClosed), err != nil && err != mailbox.ErrClosed:
					rule.Broken(t, rule.Case{
						Do:   do,
						Got:  rule.Textf("Send: %v; Recv: %v", err, received),
						Want: rule.Textf("nil from Send and 1 from Recv, or %v from both", mailbox.ErrClosed),
						Why:  "The error of Send tells the caller whether somebody has the job.",
					})
				}
			}
		})
	})
}

func TestFIFO_PerProducer(t *testing.T) {
	for _, capacity := range []int{0, 1, 5} {
		t.Run(fmt.Sprintf("capacity %d", capacity), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const producers, each = 4, 50
				type message struct{ producer, number int }
				ctx := patient(t)
				m := mailbox.New[message](capacity)
				for p := range producers {
					go func() {
						for i := range each {
							if m.Send(ctx, message{p, i}) != nil {
								return
							}
						}
					}()
				}
				var next [producers]int
				for range producers * each {
					got, err := m.Recv(ctx)
					if want := (message{got.producer, next[got.producer]}); err != nil || got != want {
						rule.Broken(t, rule.Case{
							Do:   fmt.Sprintf("m := New[message](%d)\nfor p := range 4 {\n    go func() {\n        for i := range 50 {\n            m.Send(ctx, message{p, i})\n        }\n    }()\n}\nm.Recv(ctx) // 200 times", capacity),
							Got:  rule.Textf("%+v, %v", got, err),
							Want: rule.Textf("%+v, nil", want),
							Why:  "\"Your order is on its way\" must not arrive before \"thank you for your order\".",
						})
					}
					next[got.producer]++
				}
				m.Close()
			})
		})
	}
}

func TestZeroCapacityRendezvous(t *testing.T) {
	for _, capacity := range []int{0, -1} {
		t.Run(fmt.Sprintf("capacity %d", capacity), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := patient(t)
				m := mailbox.New[int](capacity)
				defer m.Close()
				mk := fmt.Sprintf("m := New[int](%d)\n", capacity)
				const early = "Without a buffer, \"accepted\" means that a worker has the job. Nobody has this one."
				expectTry := func(do string, v int, want bool, why string) {
					t.Helper()
					if got := m.TrySend(v); got != want {
						rule.Broken(t, rule.Case{Do: do, Got: got, Want: want, Why: why})
					}
				}
				expectTry(mk+"m.TrySend(1)", 1, false, early)

				sender := send(ctx, m, 2)
				synctest.Wait()
				sender.expectWaiting(t, mk+"m.Send(ctx, 2)", early)
				expectLen(t, mk+"go m.Send(ctx, 2) // waits", m, 0)
				expectRecv(t, mk+"go m.Send(ctx, 2) // waits\nm.Recv(ctx)", m, 2)
				synctest.Wait()
				sender.expectReturned(t, mk+"go m.Send(ctx, 2) // waits\nm.Recv(ctx)", 0, nil)

				receiver := recv(ctx, m)
				synctest.Wait()
				expectTry(mk+"go m.Recv(ctx) // waits\nm.TrySend(3)", 3, true, "A worker is waiting for exactly this.")
				synctest.Wait()
				receiver.expectReturned(t, mk+"go m.Recv(ctx) // waits\nm.TrySend(3)", 3, nil)
				expectTry(mk+"go m.Recv(ctx) // waits\nm.TrySend(3)\nm.TrySend(4)", 4, false, early)

				cancelled, cancel := context.WithCancel(ctx)
				defer cancel()
				receiver = recv(cancelled, m)
				synctest.Wait()
				cancel()
				synctest.Wait()
				receiver.expectReturned(t, mk+"go m.Recv(ctx) // waits\ncancel()", 0, context.Canceled)
				expectTry(mk+"go m.Recv(cancelled) // waits\ncancel()\nm.TrySend(5)", 5, false, early)
			})
		})
	}
}

// TestMailbox_Model compares a mailbox with a slice, in calls that need not
// wait. Waiting shows as a deadline that is exceeded.
func TestMailbox_Model(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	synctest.Test(t, func(t *testing.T) {
		ctx := patient(t)
		for range 100 {
			capacity := 1 + rng.IntN(4)
			m := mailbox.New[int](capacity)
			var model []int
			closed := false
			history := fmt.Sprintf("m := New[int](%d) // seed %#x", capacity, seed)
			for i := range 40 {
				var got, want string
				switch op := rng.IntN(20); {
				case op == 0 && !closed:
					history += "\nm.Close()"
					m.Close()
					closed = true
				case op < 6:
					history += fmt.Sprintf("\nm.TrySend(%d)", i)
					accept := !closed && len(model) < capacity
					got, want = fmt.Sprint(m.TrySend(i)), fmt.Sprint(accept)
					if accept {
						model = append(model, i)
					}
				case op < 12 && (closed || len(model) < capacity):
					history += fmt.Sprintf("\nm.Send(ctx, %d)", i)
					got, want = fmt.Sprint(m.Send(ctx, i)), fmt.Sprint(error(nil))
					if closed {
						want = fmt.Sprint(mailbox.ErrClosed)
					} else {
						model = append(model, i)
					}
				case len(model) > 0:
					history += "\nm.Recv(ctx)"
					v, err := m.Recv(ctx)
					got, want = fmt.Sprint(v, err), fmt.Sprint(model[0], nil)
					model = model[1:]
				case closed:
					history += "\nm.Recv(ctx)"
					v, err := m.Recv(ctx)
					got, want = fmt.Sprint(v, err), fmt.Sprint(0, mailbox.ErrClosed)
				}
				if got != want {
					rule.Broken(t, rule.Case{
						Do: history, Got: rule.Text(got), Want: rule.Text(want),
						Why: "A mailbox is a queue: first in, first out, with a bound and an end.",
					})
				}
				expectLen(t, history, m, len(model))
			}
		}
	})
}

// storm is many producers, some consumers, and a Close in the middle.
type storm struct {
	capacity, producers, each, consumers int

	closeAfter int  // so many messages were received
	cancel     bool // some of the calls are cancelled
}

func (s storm) String() string {
	return fmt.Sprintf(`m := New[int](%d)
// %d producers call Send and TrySend, %d consumers call Recv until ErrClosed
m.Close() // after %d messages`, s.capacity, s.producers, s.consumers, s.closeAfter)
}

// run runs the storm in a bubble until everybody has left.
func (s storm) run(t *testing.T) *aftermath {
	t.Helper()
	var (
		ctx       = patient(t)
		m         = mailbox.New[int](s.capacity)
		accepted  = make([][]int, s.producers)
		received  = make([][]int, s.consumers)
		end       aftermath
		mu        sync.Mutex // guards end
		count     atomic.Int64
		enough    = make(chan struct{})
		signal    = sync.OnceFunc(func() { close(enough) })
		producing sync.WaitGroup
		consuming sync.WaitGroup
	)
	guard := func(what string) {
		if p := recover(); p != nil {
			mu.Lock()
			defer mu.Unlock()
			end.panics = append(end.panics, fmt.Sprintf("%s panics: %v", what, p))
		}
	}
	surprise := func(format string, a ...any) {
		mu.Lock()
		defer mu.Unlock()
		end.surprises = append(end.surprises, fmt.Sprintf(format, a...))
	}
	call := func(i int) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		if s.cancel && i%4 == 1 {
			go cancel()
		}
		return ctx, cancel
	}
	for p := range s.producers {
		producing.Go(func() {
			defer guard("a producer")
			for i := range s.each {
				id := p*s.each + i + 1
				if i%3 == 2 {
					if m.TrySend(id) {
						accepted[p] = append(accepted[p], id)
					}
					continue
				}
				ctx, cancel := call(i)
				err := m.Send(ctx, id)
				cancel()
				if err == nil {
					accepted[p] = append(accepted[p], id)
				} else if err != mailbox.ErrClosed && err != context.Canceled {
					surprise("Send returns %v", err)
					return
				}
			}
		})
	}
	for c := range s.consumers {
		consuming.Go(func() {
			defer guard("a consumer")
			for i := 0; ; i++ {
				ctx, cancel := call(i)
				id, err := m.Recv(ctx)
				cancel()
				switch {
				case err == nil && id != 0:
					received[c] = append(received[c], id)
					if count.Add(1) == int64(s.closeAfter) {
						signal()
					}
				case err == mailbox.ErrClosed:
					return
				case err != context.Canceled:
					surprise("Recv returns %d, %v", id, err)
					return
				}
			}
		})
	}
	go func() { producing.Wait(); signal() }()
	<-enough
	func() {
		defer guard("Close")
		m.Close()
	}()
	producing.Wait()
	consuming.Wait()
	end.accepted = slices.Sorted(slices.Values(slices.Concat(accepted...)))
	end.received = slices.Sorted(slices.Values(slices.Concat(received...)))
	return &end
}

// aftermath is what is known after a storm.
type aftermath struct {
	accepted, received []int // ids of messages, sorted
	panics, surprises  []string
}

func (end *aftermath) expectAccounted(t *testing.T, do string) {
	t.Helper()
	if problems := slices.Concat(end.panics, end.surprises); len(problems) > 0 {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Text(problems[0]), Want: rule.Text("no panic, no unexpected error, nobody who waits for ever"),
			Why: "The accounts of a producer or a worker that dies are not balanced by anybody.",
		})
	}
	if !slices.Equal(end.accepted, end.received) {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("%d accepted, %d received\naccepted and not received: %v\nreceived and not accepted, or twice: %v", len(end.accepted), len(end.received), without(end.accepted, end.received), without(end.received, end.accepted)),
			Want: rule.Text("every accepted message is received once, and nothing else"),
			Why:  "A lost job is a customer who waits for a mail. A job that is done twice is a second mail.",
		})
	}
}

// without returns what is more often in a than in b.
func without(a, b []int) []int {
	left := map[int]int{}
	for _, v := range b {
		left[v]++
	}
	var more []int
	for _, v := range a {
		if left[v]--; left[v] < 0 {
			more = append(more, v)
		}
	}
	return more
}

// intrusive is a context that runs do when somebody looks at it for the at-th
// time.
type intrusive struct {
	context.Context
	looks atomic.Int64
	at    int64
	do    func()
}

func (c *intrusive) Done() <-chan struct{} { c.look(); return c.Context.Done() }
func (c *intrusive) Err() error            { c.look(); return c.Context.Err() }

func (c *intrusive) look() {
	if c.looks.Add(1) == c.at {
		c.do()
	}
}

// call is a call in a goroutine of its own. Its fields may be read after
// synctest.Wait.
type call struct {
	returned bool
	value    int
	err      error
	panicked any
}

func start(f func() (int, error)) *call {
	c := new(call)
	go func() {
		defer func() {
			c.panicked = recover()
			c.returned = true
		}()
		c.value, c.err = f()
	}()
	return c
}

func send(ctx context.Context, m *mailbox.Mailbox[int], v int) *call {
	return start(func() (int, error) { return 0, m.Send(ctx, v) })
}

func recv(ctx context.Context, m *mailbox.Mailbox[int]) *call {
	return start(func() (int, error) { return m.Recv(ctx) })
}

func (c *call) is(value int, err error) bool {
	return c.returned && c.panicked == nil && c.value == value && c.err == err
}

func (c *call) String() string {
	switch {
	case !c.returned:
		return "still waits"
	case c.panicked != nil:
		return fmt.Sprintf("panic: %v", c.panicked)
	default:
		return fmt.Sprintf("%d, %v", c.value, c.err)
	}
}

func (c *call) expectWaiting(t *testing.T, do, why string) {
	t.Helper()
	if c.returned {
		rule.Broken(t, rule.Case{Do: do, Got: c, Want: rule.Text("waits"), Why: why})
	}
}

// expectReturned compares the results. A call without a value has the value 0.
func (c *call) expectReturned(t *testing.T, do string, value int, err error) {
	t.Helper()
	if c.is(value, err) {
		return
	}
	show := func(value int, err error) string { return fmt.Sprintf("%d, %v", value, err) }
	if value == 0 && c.value == 0 {
		show = func(_ int, err error) string { return fmt.Sprint(err) }
	}
	got, why := show(c.value, c.err), "A call that stays behind holds a request or a worker, and the deploy waits for both."
	switch {
	case !c.returned:
		got = c.String()
	case c.panicked != nil:
		got, why = c.String(), panicWhy
	}
	rule.Broken(t, rule.Case{Do: do, Got: rule.Text(got), Want: rule.Textf("every call has returned: %s", show(value, err)), Why: why})
}

const panicWhy = "The owner closes at every deploy, and the producers do not know when. One panic takes the process with it."

func expectSend(t *testing.T, do string, got, want error) {
	t.Helper()
	if got != want {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Text(fmt.Sprint(got)), Want: rule.Text(fmt.Sprint(want)),
			Why: "The error of Send tells the caller whether somebody has the job.",
		})
	}
}

func expectRecv(t *testing.T, do string, m *mailbox.Mailbox[int], want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if got, err := m.Recv(ctx); got != want || err != nil {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("%d, %v", got, err), Want: rule.Textf("%d, nil", want),
			Why: "What comes out is what was accepted: no job is lost, and none comes back after its Send has failed.",
		})
	}
}

func expectLen[T any](t *testing.T, do string, m *mailbox.Mailbox[T], want int) {
	t.Helper()
	if got := m.Len(); got != want {
		rule.Broken(t, rule.Case{
			Do: do + "\nm.Len()", Got: got, Want: want,
			Why: "The autoscaler reads Len, and so does the operator who asks whether the last mail has gone.",
		})
	}
}

// patient returns a context that ends a wait which should not happen. In a
// bubble its hour passes at once.
func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	t.Cleanup(cancel)
	return ctx
}
