package hardening_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/grader/labkit/pipenet"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week08/hardening"
)

// Every test runs in a synctest bubble, with a network in memory: its clock
// moves only while all goroutines wait, so each time below is exact.

// cfg has no two equal times, so that none can stand in for another.
var cfg = hardening.Config{
	ReadHeader: 2 * time.Second,
	Read:       7 * time.Second,
	Write:      10 * time.Second,
	Idle:       30 * time.Second,
	Notice:     4 * time.Second,
	Drain:      20 * time.Second,
	MaxHeader:  8 << 10,
	MaxBody:    1 << 10,
}

const (
	stall   = 3 * time.Second // of the streams
	address = "tasks.example:80"
	url     = "http://tasks.example/"
	request = "GET / HTTP/1.1\r\nHost: tasks.example\r\n\r\n"

	// patience bounds, in the time of the bubble, waits that only a broken
	// submission makes.
	patience = time.Hour

	setup = "s := New(h, Config{\n    ReadHeader: 2*time.Second, Read: 7*time.Second, Write: 10*time.Second, Idle: 30*time.Second,\n" +
		"    Notice: 4*time.Second, Drain: 20*time.Second, MaxHeader: 8<<10, MaxBody: 1<<10,\n})\n" +
		"go s.Run(ctx, ln, nil)\n"
)

func TestIdleKeepAlive_Closed(t *testing.T) {
	inBubble(t, hello, func(t *testing.T, s *site) {
		conn := s.dial(t)
		exchange(t, conn)
		time.Sleep(cfg.Idle - 1)
		exchange(t, conn)
		answer, after := untilClosed(conn, time.Now())
		if answer != "" || after != cfg.Idle {
			rule.Broken(t, rule.Case{
				Do:   setup + "// a client sends a request, reads the answer, sends another one " + (cfg.Idle - 1).String() + " later,\n// reads its answer, and does nothing any more",
				Got:  closed(answer, after),
				Want: rule.Textf("connection closed after %v, Idle", cfg.Idle),
				Why:  "Without Idle, each client that ever called keeps a connection; with a shorter one, clients write into closed connections.",
			})
		}
	})
}

func TestSlowHeaders_Closed(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   string
		use  func(t *testing.T, conn net.Conn)
	}{
		{"nothing", "// a client connects and sends nothing", func(*testing.T, net.Conn) {}},
		{"byte by byte", "// a client sends one byte of a header each half second", func(_ *testing.T, conn net.Conn) {
			go drip(conn, "GET / HTTP/1.1\r\nHost: tasks.example\r\nX-Slow: ")
		}},
		{"second request", "// after a first request, a client sends the next one byte by byte", func(t *testing.T, conn net.Conn) {
			exchange(t, conn)
			time.Sleep(cfg.Idle - time.Second)
			go drip(conn, "GET / HTTP/1.1\r\nHost: tasks.example\r\nX-Slow: ")
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, hello, func(t *testing.T, s *site) {
				conn := s.dial(t)
				tc.use(t, conn)
				from := time.Now()
				answer, after := untilClosed(conn, from)
				if answer != "" || after != cfg.ReadHeader {
					rule.Broken(t, rule.Case{
						Do:   setup + tc.do,
						Got:  closed(answer, after),
						Want: rule.Textf("connection closed without an answer after %v, ReadHeader", cfg.ReadHeader),
						Why:  "Slowloris: a laptop that opens 10000 such connections takes every file descriptor of the service.",
					})
				}
			})
		})
	}
}

func TestHugeHeader_431(t *testing.T) {
	t.Run("endless", func(t *testing.T) {
		inBubble(t, hello, func(t *testing.T, s *site) {
			conn := s.dial(t)
			var taken atomic.Int64
			go func() {
				line := []byte("GET / HTTP/1.1\r\nHost: tasks.example\r\n")
				for {
					n, err := conn.Write(line)
					taken.Add(int64(n))
					if err != nil {
						return
					}
					line = []byte("X-More: " + strings.Repeat("m", 1000) + "\r\n")
				}
			}()
			answer, _ := untilClosed(conn, time.Now())
			synctest.Wait()
			const most = 8<<10 + 4<<10 + 4<<10
			if status, _, _ := strings.Cut(answer, "\r\n"); !strings.HasPrefix(status, "HTTP/1.1 431 ") || taken.Load() > most {
				rule.Broken(t, rule.Case{
					Do:   setup + "// a client sends headers without end",
					Got:  rule.Textf("%q after %d bytes", status, taken.Load()),
					Want: rule.Textf("status 431 after at most %d bytes: MaxHeader, 4096 that net/http grants, and its read buffer of 4096", most),
					Why:  "The default is 1 MiB a connection. A thousand clients with endless headers take 1 GiB before one handler runs.",
				})
			}
		})
	})
	t.Run("within MaxHeader", func(t *testing.T) {
		inBubble(t, hello, func(t *testing.T, s *site) {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			req.Header.Set("X-More", strings.Repeat("m", cfg.MaxHeader-300))
			if got := do(s.client, req); got != "200 hello" {
				rule.Broken(t, rule.Case{
					Do:   setup + "// a client sends headers of nearly MaxHeader bytes",
					Got:  rule.Text(got),
					Want: rule.Text("200 hello"),
				})
			}
		})
	})
}

func TestSlowBody_Closed(t *testing.T) {
	var body reading
	inBubble(t, body.handler, func(t *testing.T, s *site) {
		conn := s.dial(t)
		go drip(conn, "POST / HTTP/1.1\r\nHost: tasks.example\r\nContent-Length: 16\r\n\r\n")
		_, after := untilClosed(conn, time.Now())
		synctest.Wait()
		read, _ := body.get()
		if read.after != cfg.Read || !errors.Is(read.err, os.ErrDeadlineExceeded) || after != cfg.Read {
			rule.Broken(t, rule.Case{
				Do:   setup + "// a client sends the headers at once, then one byte of its body each half second, 16 in all\n// h calls io.ReadAll(r.Body)",
				Got:  rule.Textf("ReadAll returned %v after %v, connection closed after %v", read.err, read.after, after),
				Want: rule.Textf("a timeout after %v, Read, and the connection closed", cfg.Read),
				Why:  "A handler that waits for a body holds its goroutine, its buffers and perhaps a transaction.",
			})
		}
	})
}

func TestBody_Limit(t *testing.T) {
	limit := int(cfg.MaxBody)
	for _, tc := range []struct {
		name    string
		body    io.Reader
		what    string
		status  int
		handled bool
		read    int
	}{
		{"all of it", strings.NewReader(strings.Repeat("b", limit)), "of MaxBody bytes", 200, true, limit},
		{"chunked, all of it", unsized(limit), "of MaxBody bytes, without a Content-Length", 200, true, limit},
		{"too large", strings.NewReader(strings.Repeat("b", limit+1)), "of MaxBody+1 bytes", 413, false, 0},
		{"chunked, too large", unsized(limit + 1), "of MaxBody+1 bytes, without a Content-Length", 200, true, limit},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var body reading
			inBubble(t, body.handler, func(t *testing.T, s *site) {
				req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url, tc.body)
				resp, err := s.client.Do(req)
				status := 0
				if err == nil {
					resp.Body.Close()
					status = resp.StatusCode
				}
				read, called := body.get()
				var tooLarge *http.MaxBytesError
				wantError := "no error"
				ok := read.err == nil
				if tc.name == "chunked, too large" {
					wantError = "*http.MaxBytesError with Limit 1024"
					ok = errors.As(read.err, &tooLarge) && tooLarge.Limit == cfg.MaxBody
				}
				if !ok || status != tc.status || called != tc.handled || read.n != tc.read {
					rule.Broken(t, rule.Case{
						Do:   setup + "// a client sends a body " + tc.what + "\n// h calls io.ReadAll(r.Body) and answers 200",
						Got:  rule.Textf("status %d, h was called: %t, ReadAll: %d bytes, error %v", status, called, read.n, read.err),
						Want: rule.Textf("status %d, h was called: %t, ReadAll: %d bytes, %s", tc.status, tc.handled, tc.read, wantError),
						Why:  "Whoever sends chunks declares no length. A check of Content-Length lets them send 10 GB into ReadAll.",
					})
				}
			})
		})
	}
}

func TestClientNeverReads_Released(t *testing.T) {
	var writeErr atomic.Pointer[error]
	handler := func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, 256<<10))
		writeErr.Store(&err)
	}
	inBubble(t, handler, func(t *testing.T, s *site) {
		s.send(t, request)
		s.expectReleased(t, cfg.Write, "// a client sends a request and never reads the answer of 256 KiB",
			"Write", "A phone in a tunnel keeps the handler, its answer and its database rows until TCP gives up, after many minutes.")
		synctest.Wait()
		if err := writeErr.Load(); err == nil || !errors.Is(*err, os.ErrDeadlineExceeded) {
			rule.Broken(t, rule.Case{
				Do:   setup + "// a client sends a request and never reads the answer of 256 KiB\n_, err := w.Write(answer) // in h",
				Got:  gave(err),
				Want: rule.Text("a timeout"),
				Why:  "A handler that is told that all was written logs a delivery that never happened.",
			})
		}
	})
}

func TestStreamingRouteExempt(t *testing.T) {
	feed := func(w http.ResponseWriter, _ *http.Request) {
		_, isFlusher := w.(http.Flusher)
		rc := http.NewResponseController(w)
		fmt.Fprintf(w, "flusher %t, SetReadDeadline: %v\n", isFlusher, rc.SetReadDeadline(time.Time{}))
		for i := range 10 {
			fmt.Fprintf(w, "tick %d\n", i)
			if f, ok := w.(http.Flusher); ok && i%2 == 0 {
				f.Flush()
			} else if err := rc.Flush(); err != nil {
				fmt.Fprintln(w, "Flush:", err)
			}
			time.Sleep(2 * time.Second)
		}
		time.Sleep(cfg.Write + stall)
		io.WriteString(w, "end\n")
		time.Sleep(stall + 1)
	}
	var want []string
	want = append(want, "flusher true, SetReadDeadline: <nil> at 0s")
	for i := range 10 {
		want = append(want, fmt.Sprintf("tick %d at %v", i, 2*time.Duration(i)*time.Second))
	}
	want = append(want, "end at "+(20*time.Second+cfg.Write+2*stall+1).String())

	mux := http.NewServeMux()
	mux.Handle("/feed", hardening.Stream(http.HandlerFunc(feed), stall))
	mux.HandleFunc("/plain", feed)
	inBubble(t, mux.ServeHTTP, func(t *testing.T, s *site) {
		const setup = setup + "// h serves Stream(feed, 3*time.Second). feed writes a line and flushes each 2 s, ten times,\n" +
			"// pauses for 13 s, writes \"end\" without a flush, and returns 3.000000001 s later\n"
		got, err := lines(s.client, url+"feed")
		if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
			rule.Broken(t, rule.Case{
				Do:   setup + "// the client reads the stream; lines with their times, and first what w can do:",
				Got:  rule.Textf("%s; error of the client: %v", strings.Join(got, ", "), err),
				Want: rule.Textf("%s; error of the client: <nil>", strings.Join(want, ", ")),
				Why:  "A time limit for whole answers cuts each event stream, and each big export, in the middle.",
			})
		}
		// The same connection serves a plain route next, within its limits.
		if got, err := lines(s.client, url+"plain"); err == nil {
			rule.Broken(t, rule.Case{
				Do:   setup + "// the next request goes to feed without Stream",
				Got:  rule.Textf("the whole answer, %d lines", len(got)),
				Want: rule.Textf("the answer is cut after %v, Write", cfg.Write),
				Why:  "An exemption for one route must not open all others.",
			})
		}
	})
}

func TestStream_StalledReaderReleased(t *testing.T) {
	for _, tc := range []struct {
		name  string
		do    string
		feed  func(w http.ResponseWriter, rc *http.ResponseController)
		reads int
		after time.Duration
	}{
		{
			"flush", "// feed writes and flushes a line each second; the client reads three of them, and no more", func(w http.ResponseWriter, rc *http.ResponseController) {
				for {
					io.WriteString(w, "tick\n")
					if rc.Flush() != nil {
						return
					}
					time.Sleep(time.Second)
				}
			}, 3, 3*time.Second + stall,
		}, {
			"large write", "// after 15 s, feed writes 256 KiB; the client reads nothing", func(w http.ResponseWriter, _ *http.ResponseController) {
				time.Sleep(15 * time.Second)
				w.Write(make([]byte, 256<<10))
			}, 0, 15*time.Second + stall,
		}, {
			"rest", "// after 15 s, feed writes \"end\" and returns; the client reads nothing", func(w http.ResponseWriter, _ *http.ResponseController) {
				time.Sleep(15 * time.Second)
				io.WriteString(w, "end\n")
			}, 0, 15*time.Second + stall,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			feed := func(w http.ResponseWriter, _ *http.Request) { tc.feed(w, http.NewResponseController(w)) }
			inBubble(t, hardening.Stream(http.HandlerFunc(feed), stall).ServeHTTP, func(t *testing.T, s *site) {
				conn := s.send(t, request)
				buf := make([]byte, 4096)
				for range tc.reads {
					conn.Read(buf)
				}
				s.expectReleased(t, tc.after, "// h is Stream(feed, 3*time.Second)\n"+tc.do, "stall",
					"A stream without any limit is held for ever by one client that sleeps.")
			})
		})
	}
}

func TestStream_DeadlineNeverPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &strictWriter{header: make(http.Header), deadline: time.Now().Add(cfg.Write)}
		var failed error
		step := func(err error) {
			if failed == nil {
				failed = err
			}
			time.Sleep(time.Minute)
		}
		feed := func(w http.ResponseWriter, _ *http.Request) {
			step(nil)
			_, err := io.WriteString(w, "tick\n")
			step(err)
			step(http.NewResponseController(w).Flush())
			step(http.NewResponseController(w).Flush())
		}
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		hardening.Stream(http.HandlerFunc(feed), stall).ServeHTTP(w, req)
		end := time.Until(w.deadline)
		if failed != nil || w.passed || w.flushes < 2 || end != stall {
			rule.Broken(t, rule.Case{
				Do: "Stream(feed, 3*time.Second).ServeHTTP(w, r) // w has a write deadline of 10s from now\n" +
					"// feed writes, flushes and flushes, with pauses of 1m before, between and after",
				Got:  rule.Textf("error %v; a deadline of w has passed: %t; %d flushes; deadline at the end in %v", failed, w.passed, w.flushes, end),
				Want: rule.Textf("error nil; a deadline of w has passed: false; at least 2 flushes; deadline at the end in %v, stall", stall),
				Why:  "\"Setting the write deadline after it has been exceeded will not extend it\", says ResponseController: HTTP/2 resets the stream then.",
			})
		}
	})
}

// strictWriter is a ResponseWriter whose deadline cannot be moved once it has
// passed.
type strictWriter struct {
	header   http.Header
	deadline time.Time
	passed   bool
	flushes  int
}

func (w *strictWriter) check() error {
	if !w.deadline.IsZero() && !time.Now().Before(w.deadline) {
		w.passed = true
	}
	if w.passed {
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (w *strictWriter) Header() http.Header { return w.header }
func (w *strictWriter) WriteHeader(int)     {}

func (w *strictWriter) Write(p []byte) (int, error) { return len(p), w.check() }

func (w *strictWriter) FlushError() error {
	w.flushes++
	return w.check()
}

func (w *strictWriter) Flush() { w.FlushError() }

func (w *strictWriter) SetWriteDeadline(deadline time.Time) error {
	err := w.check()
	w.deadline = deadline
	return err
}

type key struct{}

func TestShutdown_FinishesInFlight(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "begun, ")
		time.Sleep(9 * time.Second)
		fmt.Fprintf(w, "context: %v, trace %v", r.Context().Err(), r.Context().Value(key{}))
	}
	inBubble(t, handler, func(t *testing.T, s *site) {
		answered := s.get()
		time.Sleep(time.Second)
		s.stop()
		const do = setup + "// a request runs for 9 s; after 1 s:\nstop() // of ctx"
		if got, want := (<-answered).text, "200 begun, context: <nil>, trace 42"; got != want {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Text(got), Want: rule.Text(want),
				Why: "Each deploy cuts the requests of that second: a card is charged, and the customer sees an error.",
			})
		}
		at, err := s.ran()
		if err != nil || at < 9*time.Second || at > 10*time.Second {
			rule.Broken(t, rule.Case{
				Do:   do + "\nerr := s.Run(ctx, ln, nil)",
				Got:  rule.Textf("%v, after %v", err, at),
				Want: rule.Text("nil, after the request has ended at 9s and within a second"),
				Why:  "main returns when Run does. What still runs then dies with the process.",
			})
		}
	})
}

func TestShutdown_RefusesNewFirst(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/long" {
			time.Sleep(9 * time.Second)
		}
		io.WriteString(w, "hello")
	}
	inBubble(t, handler, func(t *testing.T, s *site) {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"long", nil)
		long := s.start(req)
		time.Sleep(time.Second)
		if !s.srv.Ready() {
			rule.Broken(t, rule.Case{Do: setup + "// while it serves:\ns.Ready()", Got: false, Want: true, Why: "A server that never says that it is ready gets no requests."})
		}
		s.stop()
		synctest.Wait()
		do := setup + "// after 1 s:\nstop() // of ctx\n"
		if s.srv.Ready() {
			rule.Broken(t, rule.Case{
				Do:   do + "s.Ready()",
				Got:  true,
				Want: false,
				Why:  "The load balancer learns of the deploy from refused connections, which customers see.",
			})
		}
		time.Sleep(cfg.Notice - time.Millisecond)
		if got := <-s.get(); got.text != "200 hello" {
			rule.Broken(t, rule.Case{
				Do:   do + "// a new connection, 1ms before Notice is over",
				Got:  rule.Text(got.text),
				Want: rule.Text("200 hello"),
				Why:  "The load balancer asks every few seconds. Until it knows, it sends requests here.",
			})
		}
		time.Sleep(2 * time.Millisecond)
		if at, want := s.ln.closedAt(), time.Second+cfg.Notice; at != want {
			rule.Broken(t, rule.Case{
				Do:   do + "// when is ln closed?",
				Got:  rule.Textf("after %v", at),
				Want: rule.Textf("after %v: 1s and Notice", want),
				Why:  "A listener that stays open takes requests that the drain has to wait for, and the drain never ends.",
			})
		}
		if got := <-s.get(); !errors.Is(got.err, syscall.ECONNREFUSED) {
			rule.Broken(t, rule.Case{
				Do:   do + "// a new connection after Notice",
				Got:  rule.Text(got.text),
				Want: rule.Text("connection refused"),
				Why:  "A request that is taken after Notice lengthens the drain, and is cut at its end.",
			})
		}
		if got := <-long; got.text != "200 hello" {
			rule.Broken(t, rule.Case{
				Do:   do + "// the answer of a request that runs until 9s",
				Got:  rule.Text(got.text),
				Want: rule.Text("200 hello"),
				Why:  "Not to take new work is no reason to drop old work.",
			})
		}
	})
}

func TestShutdown_DeadlineForcesClose(t *testing.T) {
	var release chan struct{}
	var ended atomic.Bool
	handler := func(_ http.ResponseWriter, r *http.Request) {
		done := r.Context().Done()
		if r.URL.Path == "/deaf" {
			done = nil
		}
		select {
		case <-done:
			ended.Store(true)
		case <-release:
		}
	}
	synctest.Test(t, func(t *testing.T) {
		release = make(chan struct{})
		s := newSite(t, handler)
		s.run(t, nil)
		t.Cleanup(func() { close(release) })
		waiting := s.send(t, "POST / HTTP/1.1\r\nHost: tasks.example\r\nContent-Length: 10\r\n\r\n")
		s.send(t, strings.Replace(request, "/", "/deaf", 1))
		time.Sleep(time.Second)
		s.stop()

		const do = setup + "// one request waits for r.Context(), one ignores it; after 1 s:\nstop() // of ctx\n"
		at, err := s.ran()
		want := time.Second + cfg.Notice + cfg.Drain
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, http.ErrServerClosed) || at != want {
			rule.Broken(t, rule.Case{
				Do:   do + "err := s.Run(ctx, ln, nil)",
				Got:  rule.Textf("%v, after %v", err, at),
				Want: rule.Textf("an error that wraps context.DeadlineExceeded, after %v: 1s, Notice and Drain", want),
				Why:  "A drain without an end waits for SIGKILL, and the code after Run, which flushes logs and queues, never runs.",
			})
		}
		synctest.Wait()
		if n := len(s.ln.open()); n != 0 || !ended.Load() {
			rule.Broken(t, rule.Case{
				Do:   do + "err := s.Run(ctx, ln, nil) // an error after Drain",
				Got:  rule.Textf("%d connections are open, the context of the waiting request is done: %t", n, ended.Load()),
				Want: rule.Text("0 connections, and the context is done"),
				Why:  "Clients wait for an answer that cannot come, and handlers work for nobody, while main closes the database under them.",
			})
		}
		waiting.Close()
	})
}

var errBroken = errors.New("accept: too many open files")

func TestRun_ListenerErrorReturned(t *testing.T) {
	for _, tc := range []struct {
		name string
		at   time.Duration // when Accept fails
		runs time.Duration // how long a request runs
		want time.Duration // when Run returns, at the earliest
	}{
		{"at once", 0, 0, 0},
		{"with a request in flight", 3 * time.Second, 6 * time.Second, 6 * time.Second},
		{"with an endless request", 3 * time.Second, time.Minute, 3*time.Second + cfg.Drain},
	} {
		t.Run(tc.name, func(t *testing.T) {
			slow := func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(tc.runs)
				io.WriteString(w, "hello")
			}
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, slow)
				answered := s.get() // waits in the backlog
				synctest.Wait()
				if tc.at == 0 {
					s.ln.breakDown()
				} else {
					time.AfterFunc(tc.at, s.ln.breakDown)
				}
				s.run(t, nil)
				do := setup + "// a request runs from 0s to " + tc.runs.String() + "; ctx is not done; after " + tc.at.String() + ", ln.Accept fails: \"" + errBroken.Error() + "\"\n"
				at, err := s.ran()
				forced := tc.runs > cfg.Drain
				why := "The process lives, its health check is green, and it takes no connection: nobody restarts it."
				if tc.at > 0 {
					why = "A listener that cannot accept says nothing about the connections it has accepted: their requests have until Drain."
				}
				if !errors.Is(err, errBroken) || errors.Is(err, context.DeadlineExceeded) != forced || at < tc.want || at > tc.want+time.Second || s.srv.Ready() {
					rule.Broken(t, rule.Case{
						Do:   do + "err := s.Run(ctx, ln, nil)",
						Got:  rule.Textf("err: %v; after %v; Ready %t", err, at, s.srv.Ready()),
						Want: rule.Textf("err wraps the one of Accept (and context.DeadlineExceeded: %t); after %v and within a second; Ready false", forced, tc.want),
						Why:  why,
					})
				}
				if got := <-answered; tc.at > 0 && !forced && got.text != "200 hello" {
					rule.Broken(t, rule.Case{
						Do:   do + "// what is its answer?",
						Got:  rule.Text(got.text),
						Want: rule.Text("200 hello"),
						Why:  "A listener that cannot accept says nothing about the connections it has accepted.",
					})
				}
			})
		})
	}
}

func TestRun_ReadyAfterAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, hello)
		if s.srv.Ready() {
			rule.Broken(t, rule.Case{Do: "s := New(h, cfg)\ns.Ready() // before Run", Got: true, Want: false})
		}
		s.client.Timeout = time.Second
		var answer result
		var isReady bool
		called := make(chan struct{}, 10)
		s.run(t, func() {
			isReady = s.srv.Ready()
			answer = <-s.get()
			called <- struct{}{}
		})
		time.Sleep(time.Minute)
		const do = setup + "s.Run(ctx, ln, func() { // as ready, register at the load balancer, which asks back:\n\tok := s.Ready()\n\tresp, err := http.Get(\"http://tasks.example/\")\n})"
		if n := len(called); n != 1 {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("ready was called %d times in a minute", n), Want: rule.Text("once, before any client has come"),
				Why: "Without the call nobody sends traffic; with a second one, what it registers is registered twice.",
			})
		}
		if !isReady || answer.text != "200 hello" {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("ok is %t, answer %s", isReady, answer.text),
				Want: rule.Text("ok is true, answer 200 hello"),
				Why:  "A service that reports ready before it serves gets its first requests too early, on each start.",
			})
		}
	})
}

// drip sends head, and then one byte each half second until that fails.
func drip(conn net.Conn, head string) {
	if _, err := io.WriteString(conn, head); err != nil {
		return
	}
	for {
		time.Sleep(500 * time.Millisecond)
		if _, err := io.WriteString(conn, "a"); err != nil {
			return
		}
	}
}

// exchange sends a request on conn and reads the answer.
func exchange(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetDeadline(time.Now().Add(patience))
	_, err := io.WriteString(conn, request)
	if err == nil {
		var resp *http.Response
		if resp, err = http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
		}
	}
	if err != nil {
		rule.Broken(t, rule.Case{
			Do:   setup + "// a client sends a request, within every limit",
			Got:  err,
			Want: rule.Text("200 hello"),
		})
	}
}

// untilClosed reads until the server closes conn, and returns what came and how
// long after from that was. It gives up after patience.
func untilClosed(conn net.Conn, from time.Time) (string, time.Duration) {
	conn.SetReadDeadline(from.Add(patience))
	data, _ := io.ReadAll(conn)
	return string(data), time.Since(from)
}

// gave is an error in a report, or that there is none yet.
func gave(err *error) any {
	if err == nil {
		return rule.Text("it has not returned")
	}
	return *err
}

func closed(answer string, after time.Duration) rule.Text {
	if after >= patience {
		return rule.Text("an open connection after an hour")
	}
	status, _, _ := strings.Cut(answer, "\r\n")
	return rule.Textf("connection closed after %v, answer %q", after, status)
}

// lines returns the lines of an answer, each with the time it came at.
func lines(client *http.Client, url string) ([]string, error) {
	from := time.Now()
	resp, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var got []string
	sc := bufio.NewScanner(resp.Body)
	for sc.Scan() {
		got = append(got, fmt.Sprintf("%s at %v", sc.Text(), time.Since(from)))
	}
	return got, sc.Err()
}

// unsized is a body of n bytes whose length net/http does not know.
func unsized(n int) io.Reader {
	return struct{ io.Reader }{bytes.NewReader(bytes.Repeat([]byte("b"), n))}
}

func hello(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }

// reading is a handler that reads the body, and what it saw.
type reading struct{ saw atomic.Pointer[readout] }

type readout struct {
	n     int
	err   error
	after time.Duration
}

func (rd *reading) handler(_ http.ResponseWriter, r *http.Request) {
	from := time.Now()
	rd.saw.Store(&readout{err: errors.New("has not returned")})
	body, err := io.ReadAll(r.Body)
	rd.saw.Store(&readout{len(body), err, time.Since(from)})
}

// get returns what the handler saw, and whether it was called.
func (rd *reading) get() (readout, bool) {
	if saw := rd.saw.Load(); saw != nil {
		return *saw, true
	}
	return readout{}, false
}

// site is a network with one server, and what a test wants to know of it.
type site struct {
	network *pipenet.Network
	ln      *listener
	srv     *hardening.Server
	client  *http.Client
	ctx     context.Context
	stop    context.CancelFunc
	began   time.Time

	done chan struct{} // closed when Run has returned
	err  error
	at   time.Duration
}

// inBubble runs f in a bubble, beside a server that serves h.
func inBubble(t *testing.T, h http.HandlerFunc, f func(*testing.T, *site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		s := newSite(t, h)
		s.run(t, nil)
		f(t, s)
	})
}

func newSite(t *testing.T, h http.HandlerFunc) *site {
	t.Helper()
	// Who sleeps wakes up before the bubble ends.
	t.Cleanup(func() { time.Sleep(patience) })
	network := pipenet.New(t)
	ln, err := network.Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithValue(context.Background(), key{}, 42))
	now := time.Now()
	return &site{
		network: network,
		ln:      &listener{Listener: ln, began: now, released: make(chan time.Duration, 100), conns: make(map[*conn]bool)},
		srv:     hardening.New(h, cfg),
		client:  &http.Client{Transport: network.Transport(), Timeout: patience},
		ctx:     ctx,
		stop:    stop,
		began:   now,
		done:    make(chan struct{}),
	}
}

// run starts Run, which ends with the test.
func (s *site) run(t *testing.T, ready func()) {
	go func() {
		defer close(s.done)
		s.err = s.srv.Run(s.ctx, s.ln, ready)
		s.at = time.Since(s.began)
	}()
	t.Cleanup(func() {
		s.stop()
		s.ln.Close()
		for _, c := range s.ln.open() {
			c.Close()
		}
		select {
		case <-s.done:
		case <-time.After(patience):
			t.Error("Run has not returned an hour after its context was done and its connections were closed")
		}
	})
	synctest.Wait()
}

var errRuns = errors.New("it has not returned")

// ran waits for Run, and returns when it returned and its error.
func (s *site) ran() (time.Duration, error) {
	select {
	case <-s.done:
		return s.at, s.err
	case <-time.After(patience):
		return time.Since(s.began), errRuns
	}
}

func (s *site) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := s.network.DialContext(t.Context(), "tcp", address)
	if err != nil {
		rule.Broken(t, rule.Case{Do: setup + "// a client connects", Got: err, Want: rule.Text("a connection")})
	}
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// send connects and sends a request, or a part of one.
func (s *site) send(t *testing.T, text string) net.Conn {
	t.Helper()
	conn := s.dial(t)
	if _, err := io.WriteString(conn, text); err != nil {
		rule.Broken(t, rule.Case{Do: setup + "// a client sends a request", Got: err, Want: rule.Text("the server reads it")})
	}
	return conn
}

// expectReleased expects that the server closes its only connection at the
// given time.
func (s *site) expectReleased(t *testing.T, want time.Duration, do, limit, why string) {
	t.Helper()
	got := rule.Text("the connection is open after an hour")
	select {
	case at := <-s.ln.released:
		if at == want {
			return
		}
		got = rule.Textf("the connection is closed after %v", at)
	case <-time.After(patience):
	}
	rule.Broken(t, rule.Case{
		Do: setup + do, Got: got, Want: rule.Textf("closed after %v, because of %s", want, limit), Why: why,
	})
}

// result is an answer such as "200 hello", or the error in words.
type result struct {
	text string
	err  error
}

// get sends a request on a connection of its own.
func (s *site) get() <-chan result {
	req, _ := http.NewRequest(http.MethodGet, url, nil)
	return s.start(req)
}

func (s *site) start(req *http.Request) <-chan result {
	req.Close = true
	answered := make(chan result, 1)
	go func() {
		resp, err := s.client.Do(req)
		answered <- resultOf(resp, err)
	}()
	return answered
}

func do(client *http.Client, req *http.Request) string {
	return resultOf(client.Do(req)).text
}

func resultOf(resp *http.Response, err error) result {
	if err != nil {
		return result{err.Error(), err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return result{fmt.Sprintf("%d %s, then %v", resp.StatusCode, body, err), err}
	}
	return result{fmt.Sprintf("%d %s", resp.StatusCode, body), nil}
}

// listener records when the server closes it and its connections.
type listener struct {
	net.Listener
	began    time.Time
	released chan time.Duration // when connections were closed

	mu     sync.Mutex
	conns  map[*conn]bool // those that are open
	closed time.Duration  // when the listener was closed
	broken bool
}

type conn struct {
	net.Conn
	ln *listener
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		if l.broken {
			err = errBroken
		}
		return nil, err
	}
	wrapped := &conn{Conn: c, ln: l}
	l.conns[wrapped] = true
	return wrapped, nil
}

func (l *listener) Close() error {
	l.mu.Lock()
	if l.closed == 0 {
		l.closed = time.Since(l.began)
	}
	l.mu.Unlock()
	return l.Listener.Close()
}

// breakDown makes Accept fail from now on.
func (l *listener) breakDown() {
	l.mu.Lock()
	l.broken = true
	l.mu.Unlock()
	l.Listener.Close()
}

func (l *listener) closedAt() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// open returns the connections that the server has not closed.
func (l *listener) open() []*conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.conns))
}

func (c *conn) Close() error {
	c.ln.mu.Lock()
	if c.ln.conns[c] {
		delete(c.ln.conns, c)
		c.ln.released <- time.Since(c.ln.began)
	}
	c.ln.mu.Unlock()
	return c.Conn.Close()
}
