package leakhunt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/gctest"
	"github.com/middle-go/course/grader/labkit/pipenet"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week06/leakhunt"
)

// Almost every test runs in a synctest bubble, with a network in memory. When
// synctest.Wait returns, every goroutine of the bubble is either gone or stuck:
// what is still there is a leak, and not a goroutine that needs a moment more.

const every = time.Minute

func TestCheck_NoGoroutineLeft(t *testing.T) {
	const why = "Each check leaves something behind. At one check a minute this is the restart every other week."

	for _, tc := range []struct {
		name string
		urls []string
	}{
		{"working links", []string{site + "/ok", site + "/empty"}},
		{"broken links", []string{site + "/missing", site + "/broken", site + "/moved"}},
		{"no links", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, network *pipenet.Network) {
				hc := serve(network)
				before := goroutines()
				c := leakhunt.NewChecker(hc, every)
				for range 3 {
					mustCheck(t, c, t.Context(), tc.urls)
				}
				expectNoneLeft(t, before, hc,
					fmt.Sprintf("for range 3 {\n    c.Check(ctx, %#v)\n}", tc.urls), why)
				c.Close()
			})
		})
	}

	t.Run("context of another package", func(t *testing.T) {
		inBubble(t, func(t *testing.T, network *pipenet.Network) {
			hc := serve(network)
			ctx := foreignContext{Context: context.Background(), done: make(chan struct{})}
			defer close(ctx.done)
			c := leakhunt.NewChecker(hc, every)
			before := goroutines()
			for range 3 {
				mustCheck(t, c, ctx, []string{site + "/ok"})
			}
			expectNoneLeft(t, before, hc,
				"// ctx is not from package context, so it has a goroutine for each context made from it\nfor range 3 {\n    c.Check(ctx, urls)\n}",
				"A context that is never cancelled stays with its parent for as long as the parent lives: here, as long as the service.")
			c.Close()
		})
	})
}

func TestCheck_TimeoutDoesNotLeakSender(t *testing.T) {
	for _, tc := range []struct {
		name string
		want error
		do   string
	}{
		{"deadline", context.DeadlineExceeded, "ctx, cancel := context.WithTimeout(ctx, 30*time.Second)\ndefer cancel()\nfound, err := c.Check(ctx, urls)"},
		{"cancel", context.Canceled, "time.AfterFunc(30*time.Second, cancel)\nfound, err := c.Check(ctx, urls)"},
		{"close", leakhunt.ErrClosed, "time.AfterFunc(30*time.Second, func() { c.Close() })\nfound, err := c.Check(ctx, urls)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, network *pipenet.Network) {
				hc := serve(network)
				before := goroutines()
				c := leakhunt.NewChecker(hc, every)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				switch tc.name {
				case "deadline":
					ctx, cancel = context.WithTimeout(ctx, 30*time.Second)
					defer cancel()
				case "cancel":
					time.AfterFunc(30*time.Second, cancel)
				case "close":
					time.AfterFunc(30*time.Second, func() { c.Close() })
				}
				urls := []string{site + "/hangs?1", site + "/ok", site + "/hangs?2", site + "/missing", site + "/hangs?3"}
				start := time.Now()
				found, err := c.Check(ctx, urls)
				took := time.Since(start)

				do := tc.do + " // 3 of 5 links hang"
				want := map[string]error{site + "/ok": nil, site + "/missing": leakhunt.StatusError(404)}
				if diff := cmp.Diff(want, found); diff != "" || err != tc.want || took != 30*time.Second {
					rule.Broken(t, rule.Case{
						Do:   do,
						Got:  rule.Textf("%v, error %v after %v", found, err, took),
						Want: rule.Textf("%v, error %v after 30s", want, tc.want),
						Why:  "What was answered in time is worth something, and the caller will not wait for the rest.",
					})
				}
				expectNoneLeft(t, before, hc, do,
					"The receiver has gone. A goroutine that sends to it waits for ever, and holds all that it can reach.")
				c.Close()
			})
		})
	}
}

func TestCheck_ConnectionsReused(t *testing.T) {
	for _, tc := range []struct {
		name string
		urls []string
	}{
		{"working and broken links", []string{site + "/ok", site + "/missing"}},
		{"100 KiB", []string{site + "/long"}},
		{"error of 100 KiB", []string{site + "/longerror"}},
		{"no body", []string{site + "/empty"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			const checks = 20
			inBubble(t, func(t *testing.T, network *pipenet.Network) {
				hc := serve(network)
				c := leakhunt.NewChecker(hc, every)
				defer c.Close()
				for range checks {
					mustCheck(t, c, t.Context(), tc.urls)
					synctest.Wait()
				}
				if got := network.Dialed(address); got > len(tc.urls) {
					rule.Broken(t, rule.Case{
						Do:   fmt.Sprintf("for range %d {\n    c.Check(ctx, %#v) // all on one host\n}", checks, tc.urls),
						Got:  rule.Textf("%d connections", got),
						Want: rule.Textf("at most %d: the later checks use the connections of the first one", len(tc.urls)),
						Why:  "A connection is used again if its transport is the same, keeps connections, and got it back: when the body has been read to its end and closed. Each new one costs two descriptors and a TLS handshake.",
					})
				}
			})
		})
	}
}

func TestWatch_CancelClosesChannel(t *testing.T) {
	const why = "Whoever ranges over the channel waits for its end. A goroutine that looks at its context once an hour lives an hour too long."
	for _, tc := range []struct {
		name, path, do string
	}{
		{"between two rounds", "/ok", "changes := c.Watch(ctx, urls)\ntime.Sleep(every / 2)\ncancel()"},
		{"in a round", "/hangs", "changes := c.Watch(ctx, urls) // the link hangs\ntime.Sleep(every / 2)\ncancel()"},
		{"before the first round", "/ok", "cancel()\nchanges := c.Watch(ctx, urls)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, network *pipenet.Network) {
				hc := serve(network)
				c := leakhunt.NewChecker(hc, every)
				before := goroutines()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if strings.HasPrefix(tc.do, "cancel") {
					cancel()
				}
				changes := c.Watch(ctx, []string{site + tc.path})
				if ctx.Err() == nil {
					pass(every / 2)
					cancel()
				}
				synctest.Wait()
				expectClosed(t, changes, tc.do, why)
				expectNoneLeft(t, before, hc, tc.do, why)
				c.Close()
			})
		})
	}
}

func TestWatch_AbandonedConsumer(t *testing.T) {
	urls := make([]string, 200)
	for i := range urls {
		urls[i] = fmt.Sprintf("%s/%d", site, i)
	}
	for _, end := range []string{"cancel()", "c.Close()"} {
		t.Run(end, func(t *testing.T) {
			inBubble(t, func(t *testing.T, _ *pipenet.Network) {
				start := time.Now()
				hc := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
					if time.Since(start)/every%2 == 0 {
						return answer(503), nil
					}
					return answer(200), nil
				})}
				before := goroutines()
				c := leakhunt.NewChecker(hc, every)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				changes := c.Watch(ctx, urls)
				<-changes
				pass(30 * every)
				if end == "cancel()" {
					cancel()
				} else {
					closed := make(chan struct{})
					go func() {
						defer close(closed)
						c.Close()
					}()
					synctest.Wait()
					select {
					case <-closed:
					default:
						rule.Broken(t, rule.Case{
							Do:   "changes := c.Watch(ctx, urls)\n<-changes // and never again\nc.Close()",
							Got:  rule.Text("Close does not return"),
							Want: rule.Text("Close returns"),
							Why:  "A shutdown that waits for somebody to receive ends with kill -9.",
						})
					}
				}
				expectNoneLeft(t, before, hc,
					"changes := c.Watch(ctx, urls) // 200 links that change in each round\n<-changes                     // and never again\ntime.Sleep(30 * every)\n"+end,
					"The consumer has returned with an error. However large the buffer is, the watcher fills it and then waits for nobody.")
				c.Close()
			})
		})
	}
}

func TestClose_StopsTickers(t *testing.T) {
	const why = "Stopping a ticker does not close its channel, and nothing else tells a goroutine that its owner is gone."

	t.Run("between two rounds", func(t *testing.T) {
		const do = "for range 100 {\n    watches = append(watches, c.Watch(ctx, urls))\n}\ntime.Sleep(every / 2)\nc.Close()"
		inBubble(t, func(t *testing.T, network *pipenet.Network) {
			hc := serve(network)
			before := goroutines()
			c := leakhunt.NewChecker(hc, every)
			watches := []<-chan leakhunt.Change{
				c.Watch(t.Context(), []string{site + "/ok"}),
				c.Watch(t.Context(), []string{site + "/ok", site + "/empty"}),
			}
			for len(watches) < 100 {
				watches = append(watches, c.Watch(t.Context(), nil))
			}
			pass(every / 2)
			start := time.Now()
			c.Close()
			if took := time.Since(start); took > 0 {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("Close returns after %v", took), Want: rule.Text("at once: no request is running"),
					Why: "A watch of once an hour would hold up the shutdown for an hour.",
				})
			}
			for _, changes := range watches {
				expectClosed(t, changes, do+"\nchanges := watches[i]", why)
			}
			expectNoneLeft(t, before, hc, do, why)
		})
	})

	t.Run("in a round", func(t *testing.T) {
		inBubble(t, func(t *testing.T, _ *pipenet.Network) {
			hc := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
				<-req.Context().Done()
				<-time.After(time.Second) // says goodbye to the server
				return nil, req.Context().Err()
			})}
			before := goroutines()
			const do = "changes := c.Watch(ctx, urls)\ntime.Sleep(every / 2) // the first round is still running\nc.Close()"
			for range 50 { // a watch may happen to end before Close returns
				c := leakhunt.NewChecker(hc, every)
				changes := c.Watch(t.Context(), []string{site + "/slow"})
				pass(every / 2)
				c.Close()
				expectClosed(t, changes, do, "What Close leaves running uses the database that main closes next.")
			}
			pass(time.Second)
			expectNoneLeft(t, before, hc, do, why)
		})
	})

	t.Run("watch and close at the same time", func(t *testing.T) {
		inBubble(t, func(t *testing.T, _ *pipenet.Network) {
			hc := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return answer(200), nil })}
			before := goroutines()
			const watchers = 4
			const do = "for range 4 {\n    go func() { changes <- c.Watch(ctx, urls) }()\n}\nc.Close()"
			for round := range 200 {
				c := leakhunt.NewChecker(hc, every)
				start, watches := make(chan struct{}), make(chan (<-chan leakhunt.Change), watchers)
				for range watchers {
					go func() {
						<-start
						watches <- c.Watch(t.Context(), []string{site + "/ok"})
					}()
				}
				close(start)
				for range round % 4 {
					runtime.Gosched()
				}
				c.Close()
				for range watchers {
					changes := <-watches
					synctest.Wait()
					expectClosed(t, changes, do, why)
				}
			}
			expectNoneLeft(t, before, hc, do, why)
		})
	})

	t.Run("closed before", func(t *testing.T) {
		inBubble(t, func(t *testing.T, network *pipenet.Network) {
			hc := serve(network)
			before := goroutines()
			c := leakhunt.NewChecker(hc, every)
			c.Close()
			const do = "c.Close()\nchanges := c.Watch(ctx, urls)"
			changes := c.Watch(t.Context(), []string{site + "/missing"})
			synctest.Wait()
			expectClosed(t, changes, do, why)
			expectNoneLeft(t, before, hc, do, why)
		})
	})
}

func TestCheck_ContextReleased(t *testing.T) {
	hc := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return answer(200), nil })}
	type request struct{ body [1 << 10]byte }
	withRequest := func() (context.Context, weak.Pointer[request]) {
		r := new(request)
		return context.WithValue(context.Background(), requestKey{}, r), weak.Make(r)
	}

	t.Run("check", func(t *testing.T) {
		c := leakhunt.NewChecker(hc, every)
		check := func() weak.Pointer[request] {
			ctx, r := withRequest()
			mustCheck(t, c, ctx, []string{site + "/ok"})
			return r
		}
		gctest.Collected(t, check(),
			"ctx := context.WithValue(ctx, requestKey{}, r)\nc.Check(ctx, urls)\nr, ctx = nil, nil\nruntime.GC() // c is not closed yet",
			"the value in the context of a check that has returned")
		c.Close()
	})

	t.Run("watch", func(t *testing.T) {
		const do = "ctx, cancel := context.WithCancel(context.WithValue(ctx, requestKey{}, r))\nchanges := c.Watch(ctx, urls)\ncancel()\n"
		inBubble(t, func(t *testing.T, _ *pipenet.Network) {
			c := leakhunt.NewChecker(hc, every)
			watch := func() weak.Pointer[request] {
				ctx, r := withRequest()
				ctx, cancel := context.WithCancel(ctx)
				changes := c.Watch(ctx, []string{site + "/ok"})
				synctest.Wait()
				cancel()
				synctest.Wait()
				expectClosed(t, changes, do, "")
				return r
			}
			gctest.Collected(t, watch(), do+"r, ctx, cancel = nil, nil, nil\nruntime.GC() // c is not closed yet",
				"the value in the context of a watch that has ended")
			c.Close()
		})
	})
}

// TestFDs_FlatOver100Checks uses real sockets. Where the system does not list
// descriptors, it counts the connections of the client alone.
func TestFDs_FlatOver100Checks(t *testing.T) {
	const checks, flat = 100, 20
	srv := httptest.NewServer(http.HandlerFunc(handler))
	defer srv.Close()
	defer srv.CloseClientConnections()
	var open atomic.Int64
	tr := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		open.Add(1)
		return &countedConn{Conn: conn, open: &open}, nil
	}}
	hc := &http.Client{Transport: tr}
	defer hc.CloseIdleConnections()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	c := leakhunt.NewChecker(hc, every)
	defer c.Close()
	urls := []string{srv.URL + "/ok", srv.URL + "/missing"}
	mustCheck(t, c, ctx, urls)
	conns, fds := open.Load(), descriptors()
	for range checks {
		if _, err := c.Check(ctx, urls); err != nil {
			rule.Broken(t, rule.Case{Do: "c.Check(ctx, urls)", Got: err, Want: nil})
		}
	}
	conns, fds = open.Load()-conns, descriptors()-fds
	if conns > flat || fds > flat {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("for range %d {\n    c.Check(ctx, urls) // two links of one server, one is broken\n}\nfds, _ := os.ReadDir(\"/proc/self/fd\")\nfmt.Println(len(fds))", checks),
			Got:  rule.Textf("%d open connections and %d descriptors more than before, in client and server", conns, fds),
			Want: rule.Text("about as many as before"),
			Why:  "The limit is 1024 for many services. Then accept, dial and open fail with \"too many open files\".",
		})
	}
}

// TestGoroutineProfile_Empty lets a checker work for a day and asks the profile
// that net/http/pprof serves what is left of it.
func TestGoroutineProfile_Empty(t *testing.T) {
	inBubble(t, func(t *testing.T, network *pipenet.Network) {
		before := profile(t)
		hc := serve(network)
		c := leakhunt.NewChecker(hc, time.Hour)
		urls := []string{site + "/ok", site + "/missing", site + "/flaps"}
		watched, cancelWatch := context.WithCancel(t.Context())
		defer cancelWatch()
		received := 0
		consumed := c.Watch(watched, urls)
		go func() {
			for range consumed {
				received++
			}
		}()
		abandoned := c.Watch(t.Context(), urls)
		for range 8 {
			mustCheck(t, c, t.Context(), urls)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			c.Check(ctx, append(urls, site+"/hangs?1", site+"/hangs?2"))
			cancel()
			pass(3 * time.Hour)
		}
		cancelWatch()
		synctest.Wait()
		<-abandoned
		c.Close()
		hc.CloseIdleConnections()
		synctest.Wait()

		left := profile(t)
		for stack, n := range before {
			if left[stack] -= n; left[stack] <= 0 {
				delete(left, stack)
			}
		}
		if len(left) > 0 {
			var got strings.Builder
			for _, stack := range slices.Sorted(maps.Keys(left)) {
				fmt.Fprintf(&got, "%d goroutines in\n%s", left[stack], stack)
			}
			rule.Broken(t, rule.Case{
				Do:   "// a day of checks and watches, of which all have ended\nc.Close()\npprof.Lookup(\"goroutine\").WriteTo(os.Stdout, 1)",
				Got:  rule.Text(got.String()),
				Want: rule.Text("no goroutine in package leakhunt"),
				Why:  "This is the profile to look at first when a service grows. What has ended must not be in it.",
			})
		}
		if received < 10 {
			rule.Broken(t, rule.Case{
				Do:   "for range c.Watch(ctx, urls) { received++ } // one link is broken, one changes every hour",
				Got:  rule.Textf("%d changes in a day", received),
				Want: rule.Text("a change every hour"),
				Why:  "A checker that does nothing has no leaks.",
			})
		}
	})
}

// TestBehaviour_Unchanged passes on the given code too.
func TestBehaviour_Unchanged(t *testing.T) {
	t.Run("check", func(t *testing.T) {
		errDown := errors.New("no route to host")
		hc := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
			switch req.URL.Path {
			case "/down":
				return nil, errDown
			case "/moved":
				resp := answer(302)
				resp.Header = http.Header{"Location": {"/gone"}}
				return resp, nil
			case "/gone":
				return answer(410), nil
			case "/bad":
				return answer(400), nil
			case "/notmodified":
				return answer(304), nil
			case "/failed":
				return answer(500), nil
			}
			return answer(204), nil
		})}
		c := leakhunt.NewChecker(hc, every)
		defer c.Close()
		urls := []string{site + "/", site + "/notmodified", site + "/bad", site + "/failed", site + "/moved", site + "/down", "http://[bad"}
		found, err := c.Check(t.Context(), urls)
		if err != nil || len(found) != len(urls) {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("c.Check(ctx, %#v)", urls),
				Got:  rule.Textf("%d results, error %v", len(found), err),
				Want: rule.Textf("%d results, error nil", len(urls)),
				Why:  "One link that is broken does not hide what is known of the others.",
			})
		}
		for url, want := range map[string]error{
			site + "/": nil, site + "/notmodified": nil,
			site + "/bad": leakhunt.StatusError(400), site + "/failed": leakhunt.StatusError(500), site + "/moved": leakhunt.StatusError(410),
		} {
			if got := found[url]; got != want {
				rule.Broken(t, rule.Case{Do: fmt.Sprintf("found, err := c.Check(ctx, urls)\nfmt.Println(found[%q])", url), Got: got, Want: want, Why: "A leak is mended when nothing else has changed. Callers decide by these errors."})
			}
		}
		if got := found[site+"/down"]; !errors.Is(got, errDown) {
			rule.Broken(t, rule.Case{
				Do:  "found, err := c.Check(ctx, urls)\nfmt.Println(found[\"http://links.example/down\"])",
				Got: got, Want: rule.Text("an error that wraps the error of the transport"),
				Why: "Callers tell a host that is down from a page that is gone.",
			})
		}
		if got := found["http://[bad"]; got == nil {
			rule.Broken(t, rule.Case{
				Do:  "found, err := c.Check(ctx, urls)\nfmt.Println(found[\"http://[bad\"])",
				Got: nil, Want: rule.Text("an error: no request can be made from this"),
				Why: "A link that cannot be asked for is a broken link.",
			})
		}
		if got := leakhunt.StatusError(404).Error(); got != "status 404 Not Found" {
			rule.Broken(t, rule.Case{Do: "StatusError(404).Error()", Got: got, Want: "status 404 Not Found"})
		}
	})

	t.Run("timeout of the client", func(t *testing.T) {
		inBubble(t, func(t *testing.T, _ *pipenet.Network) {
			hc := &http.Client{Timeout: 5 * time.Second, Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
				if req.URL.Path == "/hangs" {
					<-req.Context().Done()
					return nil, req.Context().Err()
				}
				return answer(200), nil
			})}
			c := leakhunt.NewChecker(hc, every)
			start := time.Now()
			found, err := c.Check(t.Context(), []string{site + "/hangs", site + "/ok"})
			took := time.Since(start)
			if hanging, ok := found[site+"/hangs"], found[site+"/ok"]; len(found) != 2 || !errors.Is(hanging, context.DeadlineExceeded) || ok != nil || err != nil || took != 5*time.Second {
				rule.Broken(t, rule.Case{
					Do:   "c := NewChecker(&http.Client{Timeout: 5 * time.Second}, every)\nfound, err := c.Check(ctx, urls) // one of two links hangs",
					Got:  rule.Textf("%v, error %v after %v", found, err, took),
					Want: rule.Text("nil for the one and a timeout for the other, error nil after 5s"),
					Why:  "The client decides how long a link may take.",
				})
			}
			c.Close()
		})
	})

	t.Run("cancel beside an error", func(t *testing.T) {
		urls := make([]string, 8)
		for i := range urls {
			urls[i] = fmt.Sprintf("%s/%d", site, i)
		}
		for range 100 {
			ctx, cancel := context.WithCancel(t.Context())
			hc := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
				cancel()
				return nil, req.Context().Err()
			})}
			c := leakhunt.NewChecker(hc, every)
			found, err := c.Check(ctx, urls)
			c.Close()
			if len(found) != 0 || err != context.Canceled {
				rule.Broken(t, rule.Case{
					Do:   "go cancel()\nfound, err := c.Check(ctx, urls) // no link is answered",
					Got:  rule.Textf("%v, error %v", found, err),
					Want: rule.Text("an empty map, error context canceled"),
					Why:  "A link that nobody waited for is not a broken link.",
				})
			}
		}
	})

	t.Run("endless body", func(t *testing.T) {
		const limit = 256 << 10
		body := new(endlessBody)
		hc := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			resp := answer(200)
			resp.Body, resp.ContentLength = body, -1
			return resp, nil
		})}
		c := leakhunt.NewChecker(hc, every)
		defer c.Close()
		found, err := c.Check(t.Context(), []string{site + "/radio"})
		if got := found[site+"/radio"]; len(found) != 1 || got != nil || err != nil || body.read > limit || !body.closed {
			rule.Broken(t, rule.Case{
				Do:   "found, err := c.Check(ctx, []string{\"http://links.example/radio\"}) // a body without an end",
				Got:  rule.Textf("%v, error %v; %d bytes read, closed: %v", found, err, body.read, body.closed),
				Want: rule.Textf("one link that works, error nil; at most %d bytes read, closed: true", limit),
				Why:  "A video or a radio station behind a link must not fill the line all day.",
			})
		}
	})

	t.Run("watch", func(t *testing.T) {
		inBubble(t, func(t *testing.T, _ *pipenet.Network) {
			// The status of each link in each round; the last one stays.
			script := map[string][]int{
				"/a": {200, 500, 200, 200, 404, 404, 200},
				"/b": {404, 404, 503, 200, 500, 500, 200},
			}
			start := time.Now()
			hc := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
				statuses := script[req.URL.Path]
				return answer(statuses[min(int(time.Since(start)/every), len(statuses)-1)]), nil
			})}
			c := leakhunt.NewChecker(hc, every)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			changes := c.Watch(ctx, []string{site + "/b", site + "/a"})
			var got []string
			for end := time.After(10*every + every/2); ; {
				select {
				case ch, ok := <-changes:
					if ok {
						got = append(got, fmt.Sprintf("%v %s: %v, now %v", time.Since(start), strings.TrimPrefix(ch.URL, site), ch.Was, ch.Is))
						continue
					}
				case <-end:
				}
				break
			}
			cancel()
			pass(every)
			want := []string{
				"0s /b: <nil>, now status 404 Not Found",
				"1m0s /a: <nil>, now status 500 Internal Server Error",
				"2m0s /a: status 500 Internal Server Error, now <nil>",
				"3m0s /b: status 503 Service Unavailable, now <nil>",
				"4m0s /b: <nil>, now status 500 Internal Server Error",
				"4m0s /a: <nil>, now status 404 Not Found",
				"6m0s /b: status 500 Internal Server Error, now <nil>",
				"6m0s /a: status 404 Not Found, now <nil>",
			}
			if !slices.Equal(got, want) {
				rule.Broken(t, rule.Case{
					Do:   "changes := c.Watch(ctx, []string{\"http://links.example/b\", \"http://links.example/a\"}) // every minute",
					Got:  rule.Text("\n" + strings.Join(got, "\n")),
					Want: rule.Text("\n" + strings.Join(want, "\n")),
					Why:  "A leak is mended when nothing else has changed. A change that is not told, or told twice, is a wrong alarm.",
				})
			}
			c.Close()
		})
	})

	t.Run("close", func(t *testing.T) {
		asked := 0
		hc := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			asked++
			return answer(200), nil
		})}
		c := leakhunt.NewChecker(hc, every)
		for range 2 {
			if err := c.Close(); err != nil {
				rule.Broken(t, rule.Case{Do: "c.Close()", Got: err, Want: nil})
			}
		}
		found, err := c.Check(t.Context(), []string{site + "/"})
		if len(found) != 0 || err != leakhunt.ErrClosed || asked != 0 {
			rule.Broken(t, rule.Case{
				Do:   "c.Close()\nfound, err := c.Check(ctx, urls)",
				Got:  rule.Textf("%v, error %v after %d requests", found, err, asked),
				Want: rule.Textf("an empty map, error %v after 0 requests", leakhunt.ErrClosed),
				Why:  "After Close nobody ends what is begun.",
			})
		}
		done, cancel := context.WithCancel(t.Context())
		cancel()
		c = leakhunt.NewChecker(hc, every)
		defer c.Close()
		found, err = c.Check(done, []string{site + "/"})
		if len(found) != 0 || err != context.Canceled || asked != 0 {
			rule.Broken(t, rule.Case{
				Do:   "cancel()\nfound, err := c.Check(ctx, urls)",
				Got:  rule.Textf("%v, error %v after %d requests", found, err, asked),
				Want: rule.Text("an empty map, error context canceled after 0 requests"),
			})
		}
	})
}

const (
	address = "links.example:80"
	site    = "http://links.example"
)

var page = strings.Repeat("<p>Lorem ipsum dolor sit amet.</p>\n", 100)

// handler is a site with links of all kinds.
func handler(w http.ResponseWriter, r *http.Request) {
	status, body := http.StatusOK, page
	switch r.URL.Path {
	case "/ok":
	case "/empty":
		status, body = http.StatusNoContent, ""
	case "/long":
		body = strings.Repeat("x", 100<<10)
	case "/longerror":
		status, body = http.StatusInternalServerError, strings.Repeat("x", 100<<10)
	case "/moved":
		http.Redirect(w, r, "/missing", http.StatusFound)
		return
	case "/broken":
		status = http.StatusInternalServerError
	case "/flaps":
		if time.Now().Hour()%2 == 0 {
			status = http.StatusServiceUnavailable
		}
	case "/hangs":
		<-r.Context().Done()
		return
	default:
		status = http.StatusNotFound
	}
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// serve starts the site in network and returns a client for it.
func serve(network *pipenet.Network) *http.Client {
	network.Serve(address, &http.Server{Handler: http.HandlerFunc(handler)})
	synctest.Wait()
	return network.Client()
}

// inBubble runs f in a bubble. A bubble panics when goroutines are left in it
// that wait for ever; here the test fails, and the other tests run.
func inBubble(t *testing.T, f func(*testing.T, *pipenet.Network)) {
	t.Helper()
	defer func() {
		t.Helper()
		p := recover()
		if p == nil {
			return
		}
		if !t.Failed() {
			rule.Broken(t, rule.Case{
				Do:   "// a checker is used and closed",
				Got:  rule.Textf("%v", p),
				Want: rule.Text("all goroutines have ended"),
				Why:  "A goroutine that waits for nobody stays until the restart.",
			})
		}
		t.FailNow()
	}()
	synctest.Test(t, func(t *testing.T) { f(t, pipenet.New(t)) })
}

// pass lets d pass in a bubble.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func mustCheck(t *testing.T, c *leakhunt.Checker, ctx context.Context, urls []string) {
	t.Helper()
	found, err := c.Check(ctx, urls)
	if err != nil || len(found) != len(urls) {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("c.Check(ctx, %#v)", urls),
			Got:  rule.Textf("%v, error %v", found, err),
			Want: rule.Text("a result for each link, error nil"),
		})
	}
}

// expectClosed fails t unless changes is closed, and empty but for what was
// sent before.
func expectClosed(t *testing.T, changes <-chan leakhunt.Change, do, why string) {
	t.Helper()
	select {
	case _, open := <-changes:
		if !open {
			return
		}
		rule.Broken(t, rule.Case{Do: strings.TrimSuffix(do, "\n") + "\nch, ok := <-changes", Got: rule.Text("a change"), Want: rule.Text("ok is false: the channel is closed"), Why: why})
	default:
		rule.Broken(t, rule.Case{Do: strings.TrimSuffix(do, "\n") + "\nch, ok := <-changes", Got: rule.Text("the receiver waits"), Want: rule.Text("ok is false: the channel is closed"), Why: why})
	}
}

// expectNoneLeft fails t if the bubble has goroutines that it did not have
// before, when the idle connections of hc are closed.
func expectNoneLeft(t *testing.T, before map[string]string, hc *http.Client, do, why string) {
	t.Helper()
	hc.CloseIdleConnections()
	synctest.Wait()
	left := goroutines()
	kinds := make(map[string]int)
	for id, kind := range left {
		if _, ok := before[id]; !ok {
			kinds[kind]++
		}
	}
	if len(kinds) == 0 {
		return
	}
	var got strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Fprintf(&got, "%d x %s\n", kinds[kind], kind)
	}
	rule.Broken(t, rule.Case{
		Do:   do + "\nhc.CloseIdleConnections()",
		Got:  rule.Text("these goroutines are left\n" + got.String()),
		Want: rule.Text("no goroutine is left"),
		Why:  why,
	})
}

var (
	bubbleID    = regexp.MustCompile(`synctest bubble \d+`)
	goroutineID = regexp.MustCompile(`^goroutine (\d+) \[([^],(]+)`)
)

// goroutines returns the goroutines of this bubble by id, without the caller
// and those of the server: what they wait for, and where.
func goroutines() map[string]string {
	buf := make([]byte, 4<<20)
	stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
	here := bubbleID.FindString(stacks[0])
	found := make(map[string]string)
	for _, stack := range stacks[1:] {
		header, frames, _ := strings.Cut(stack, "\n")
		id := goroutineID.FindStringSubmatch(header)
		if id == nil || bubbleID.FindString(header) != here || strings.Contains(frames, "net/http.(*conn)") {
			continue
		}
		lines := strings.Split(frames, "\n")
		where := lines[0]
		for _, line := range lines {
			if strings.Contains(line, "/leakhunt.") {
				where = line
				break
			}
		}
		where = where[strings.LastIndex(where, "/")+1:]
		where, _, _ = strings.Cut(where, "({")
		where, _, _ = strings.Cut(where, "(0x")
		found[id[1]] = strings.TrimSpace(id[2]) + " in " + where
	}
	return found
}

// profile returns the part of the goroutine profile that is about the
// student's package: the frames in it, and how many goroutines have them.
func profile(t *testing.T) map[string]int {
	t.Helper()
	var buf bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&buf, 1); err != nil {
		t.Fatal(err)
	}
	found := make(map[string]int)
	for record := range strings.SplitSeq(buf.String(), "\n\n") {
		var frames strings.Builder
		n := 0
		for line := range strings.SplitSeq(record, "\n") {
			if strings.Contains(line, "/week06/leakhunt.") {
				fields := strings.Fields(line)
				function, _, _ := strings.Cut(fields[2], "+0x")
				fmt.Fprintf(&frames, "    %s\n", function[strings.LastIndex(function, "/")+1:])
			} else if n == 0 {
				fmt.Sscanf(line, "%d @", &n)
			}
		}
		if frames.Len() > 0 {
			found[frames.String()] += n
		}
	}
	return found
}

// descriptors returns how many descriptors this process has, or 0 where the
// system does not say.
func descriptors() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

type countedConn struct {
	net.Conn
	open   *atomic.Int64
	closed atomic.Bool
}

func (c *countedConn) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.open.Add(-1)
	}
	return c.Conn.Close()
}

// foreignContext is a context that package context does not know.
type foreignContext struct {
	context.Context
	done chan struct{}
}

func (c foreignContext) Done() <-chan struct{} { return c.done }

func (c foreignContext) Err() error {
	select {
	case <-c.done:
		return context.Canceled
	default:
		return nil
	}
}

type requestKey struct{}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// answer returns a response without a body.
func answer(status int) *http.Response {
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: make(http.Header), Body: http.NoBody}
}

// endlessBody is endless for every reader that keeps to the limit.
type endlessBody struct {
	read   int
	closed bool
}

func (b *endlessBody) Read(p []byte) (int, error) {
	if b.read > 16<<20 {
		return 0, io.EOF
	}
	b.read += len(p)
	return len(p), nil
}

func (b *endlessBody) Close() error {
	b.closed = true
	return nil
}
