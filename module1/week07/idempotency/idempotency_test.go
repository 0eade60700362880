package idempotency_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/heaptest"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week07/idempotency"
)

const (
	ttl         = 24 * time.Hour
	inflightTTL = time.Minute
	maxBody     = 64
)

// setup is how most reports begin.
const setup = "store := NewMemoryStore(24*time.Hour, time.Minute)\nh := Middleware(store, scope, 64)(handler)\n"

var errDown = errors.New("database is down")

func TestReplay_ByteIdentical(t *testing.T) {
	t.Run("status, headers and body", func(t *testing.T) {
		a := newAPI(t, func(w http.ResponseWriter, r *http.Request, run int) {
			w.Header().Set("Location", fmt.Sprintf("/tasks/%d", run))
			w.Header().Add("Link", "</tasks>; rel=collection")
			w.Header().Add("Link", "</tasks/2>; rel=next")
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, "{\"id\":%d,", run)
			fmt.Fprint(w, "\"blob\":\"\x00\xff\"}\n")
		})
		first := a.post("k1", "{}")
		a.requireRan(t, setup+`send("POST /tasks", "k1", "{}")`, first, 1)
		if marker := first.header.Values("Idempotency-Replayed"); len(marker) != 0 {
			rule.Broken(t, rule.Case{
				Do: setup + `send("POST /tasks", "k1", "{}")`, Got: rule.Textf("Idempotency-Replayed: %q", marker), Want: rule.Text("no such header"),
				Why: "The marker tells a client that nothing was created this time. On the first answer it lies.",
			})
		}
		for range 2 {
			const do = setup + `first := send("POST /tasks", "k1", "{}")` + "\n" + `again := send("POST /tasks", "k1", "{}")`
			again := a.post("k1", "{}")
			a.requireReplay(t, do, first, again, 1)
		}
	})

	t.Run("headers of outer middleware belong to each request", func(t *testing.T) {
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.Header().Set("Cache-Control", "private") })
		guarded, request := a.handler, 0
		a.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			request++
			w.Header().Set("X-Request-Id", fmt.Sprint(request))
			w.Header().Set("Cache-Control", "no-store")
			guarded.ServeHTTP(w, r)
		})
		for n := range 3 {
			header := a.post("k1", "{}").header
			if got := header.Values("Cache-Control"); !cmp.Equal(got, []string{"private"}) {
				rule.Broken(t, rule.Case{
					Do:   "// outside of h: w.Header().Set(\"Cache-Control\", \"no-store\")\n// in the handler: w.Header().Set(\"Cache-Control\", \"private\")\nsend(\"POST /tasks\", \"k1\", \"{}\")",
					Got:  rule.Textf("Cache-Control: %q", got),
					Want: rule.Textf("Cache-Control: %q", []string{"private"}),
					Why:  "The handler knows best. Set replaces, and it must not matter what is between it and the client.",
				})
			}
			if got := header.Values("X-Request-Id"); !cmp.Equal(got, []string{fmt.Sprint(n + 1)}) {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("// outside of h: w.Header().Set(\"X-Request-Id\", \"%d\")\nsend(\"POST /tasks\", \"k1\", \"{}\")", n+1),
					Got:  rule.Textf("X-Request-Id: %q", got),
					Want: rule.Textf("X-Request-Id: %q", []string{fmt.Sprint(n + 1)}),
					Why:  "Support looks for the id that the client saw, and finds the log lines of another request.",
				})
			}
		}
	})
}

func TestReplay_StoredBeforeSent(t *testing.T) {
	store := &spy{Store: idempotency.NewMemoryStore(ttl, inflightTTL)}
	h := idempotency.Middleware(store, principal, maxBody)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, "created")
	}))
	w := &firstByte{ResponseRecorder: httptest.NewRecorder(), look: func() bool { return store.finished.Load() > 0 }}
	h.ServeHTTP(w, post("k1", "{}"))
	if !w.seen || !w.was || w.Code != http.StatusCreated || w.Body.String() != "created" {
		rule.Broken(t, rule.Case{
			Do:   setup + `send("POST /tasks", "k1", "{}")`,
			Got:  rule.Textf("status %d, body %q; stored before the first byte was sent: %v", w.Code, w.Body, w.was),
			Want: rule.Textf("status 201, body %q; stored before the first byte was sent: true", "created"),
			Why:  "The process dies after it has answered and before it has stored. The client knows of an order that runs again with the next click.",
		})
	}
}

func TestWriter_FollowsNetHTTP(t *testing.T) {
	for _, tc := range []struct {
		name, do string
		handler  func(w http.ResponseWriter)
		want     answer
	}{
		{
			"nothing written", "// empty handler", func(http.ResponseWriter) {}, answer{status: 200},
		},
		{
			"write without status", `fmt.Fprint(w, "ok")`, func(w http.ResponseWriter) { fmt.Fprint(w, "ok") }, answer{status: 200, body: "ok"},
		},
		{
			"status twice", "w.WriteHeader(201)\nw.WriteHeader(500)",
			func(w http.ResponseWriter) { w.WriteHeader(201); w.WriteHeader(500) }, answer{status: 201},
		},
		{
			"status after the body", "fmt.Fprint(w, \"ok\")\nw.WriteHeader(500)",
			func(w http.ResponseWriter) { fmt.Fprint(w, "ok"); w.WriteHeader(500) }, answer{status: 200, body: "ok"},
		},
		{
			"early hints", "w.WriteHeader(103)\nw.WriteHeader(201)",
			func(w http.ResponseWriter) { w.WriteHeader(103); w.WriteHeader(201) }, answer{status: 201},
		},
		{
			"late header", "w.Header().Set(\"X-Kind\", \"task\")\nw.WriteHeader(201)\nw.Header().Set(\"X-Kind\", \"late\")",
			func(w http.ResponseWriter) {
				w.Header().Set("X-Kind", "task")
				w.WriteHeader(201)
				w.Header().Set("X-Kind", "late")
			}, answer{status: 201, header: http.Header{"X-Kind": {"task"}}},
		},
		{
			"reused buffer", "buf := []byte(\"one\")\nw.Write(buf)\ncopy(buf, \"two\")\nw.Write(buf)",
			func(w http.ResponseWriter) {
				buf := []byte("one")
				_, _ = w.Write(buf)
				copy(buf, "two")
				_, _ = w.Write(buf)
			}, answer{status: 200, body: "onetwo"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAPI(t, func(w http.ResponseWriter, _ *http.Request, _ int) { tc.handler(w) })
			for n, which := range []string{"first answer", "replay"} {
				got := a.post("k1", "{}")
				kind := got.header.Get("X-Kind")
				if got.status != tc.want.status || got.body != tc.want.body || kind != tc.want.header.Get("X-Kind") {
					rule.Broken(t, rule.Case{
						Do:   "// the handler:\n" + tc.do,
						Got:  rule.Textf("%s: status %d, X-Kind %q, body %q", which, got.status, kind, got.body),
						Want: rule.Textf("status %d, X-Kind %q, body %q", tc.want.status, tc.want.header.Get("X-Kind"), tc.want.body),
						Why:  "A handler must not behave differently because a middleware was put around it.",
					})
				}
				a.requireMarker(t, "// the handler:\n"+tc.do, got, n > 0)
			}
		})
	}
}

// TestConcurrent_OneHandlerRun holds the first handler at a gate, so the others
// arrive while it runs.
func TestConcurrent_OneHandlerRun(t *testing.T) {
	const clients = 50
	const do = setup + `for range 50 { // the handler does not return yet
    go send("POST /tasks", "k1", "{}")
}`
	entered, gate := make(chan struct{}, clients), make(chan struct{})
	a := newAPI(t, func(w http.ResponseWriter, _ *http.Request, run int) {
		entered <- struct{}{}
		<-gate
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "task %d", run)
	})
	var wg sync.WaitGroup
	release := sync.OnceFunc(func() { close(gate); wg.Wait() })
	defer release()

	answers := make(chan answer, clients)
	for range clients {
		wg.Go(func() { answers <- a.post("k1", "{}") })
	}
	runs, refused := 0, 0
	watchdog := time.After(5 * time.Second)
	for runs+refused < clients {
		select {
		case <-entered:
			if runs++; runs > 1 {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Text("the handler runs for a second client"), Want: rule.Text("one run"),
					Why: "The user has clicked twice, and the card is charged twice.",
				})
			}
		case got := <-answers:
			requireProblem(t, do, got, http.StatusConflict, "idempotency_in_flight",
				"The answer is not known yet, and the client must not wait for it with a connection and a goroutine.")
			refused++
		case <-watchdog:
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("runs of the handler: %d, answers: %d, then nothing", runs, refused), Want: rule.Text("runs of the handler: 1, answers: 49, with status 409"),
				Why: "Clients that wait for the first one hold a connection and a goroutine each.",
			})
		}
	}
	release()
	first := <-answers
	a.requireRan(t, do+"\n// the handler returns", first, 1)
	a.requireReplay(t, do+"\n// the handler returns\nsend(\"POST /tasks\", \"k1\", \"{}\")", first, a.post("k1", "{}"), 1)
}

func TestBegin_OneOfManyIsFresh(t *testing.T) {
	const rounds, callers = 100, 4
	round := func(t *testing.T, store idempotency.Store, key, do string) {
		t.Helper()
		var states [callers]idempotency.State
		var errs [callers]error
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range callers {
			wg.Go(func() {
				<-start
				_, states[i], errs[i] = store.Begin(t.Context(), "ann", key, [32]byte{1})
			})
		}
		close(start)
		wg.Wait()
		fresh, inflight := 0, 0
		for i, state := range states {
			switch {
			case errs[i] != nil:
			case state == idempotency.Fresh:
				fresh++
			case state == idempotency.InFlight:
				inflight++
			}
		}
		if fresh != 1 || inflight != callers-1 {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("%d times Fresh, %d times InFlight, error %v", fresh, inflight, errors.Join(errs[:]...)),
				Want: rule.Textf("1 time Fresh, %d times InFlight", callers-1),
				Why:  "Each Fresh is a run of the handler. Look-up and reservation are one step, or two clients pass between them.",
			})
		}
	}
	const begin = "for range 4 {\n    go store.Begin(ctx, \"ann\", \"k1\", fp)\n}"
	t.Run("new key", func(t *testing.T) {
		store := idempotency.NewMemoryStore(ttl, inflightTTL)
		for n := range rounds {
			round(t, store, fmt.Sprint(n), "store := NewMemoryStore(24*time.Hour, time.Minute)\n"+begin)
		}
	})
	t.Run("reservation that ran out", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			store := idempotency.NewMemoryStore(ttl, inflightTTL)
			for range rounds {
				round(t, store, "k1", "store := NewMemoryStore(24*time.Hour, time.Minute)\nstore.Begin(ctx, \"ann\", \"k1\", fp)\n// a minute later:\n"+begin)
				pass(inflightTTL)
			}
		})
	})
}

func TestStore_SettlesInParallel(t *testing.T) {
	const keys = 64
	store := idempotency.NewMemoryStore(ttl, inflightTTL)
	fp := [32]byte{1}
	var leases [keys]uint64
	for n := range keys {
		s, state, err := store.Begin(t.Context(), "ann", fmt.Sprint(n), fp)
		if state != idempotency.Fresh || err != nil {
			rule.Broken(t, rule.Case{Do: `store.Begin(ctx, "ann", key, fp) // a new key`, Got: rule.Textf("%s, error %v", show(state), err), Want: rule.Text("Fresh")})
		}
		leases[n] = s.Lease
	}
	// The two methods run one after the other, so that nothing but their own
	// locks keeps a call away from the others.
	var errs [keys]error
	parallel := func(from, to int, settle func(n int) error) {
		var wg sync.WaitGroup
		for n := from; n < to; n++ {
			wg.Go(func() { errs[n] = settle(n) })
		}
		wg.Wait()
	}
	parallel(0, keys/2, func(n int) error {
		return store.Finish(t.Context(), "ann", fmt.Sprint(n), idempotency.Stored{Status: 201, Body: []byte(fmt.Sprint(n)), Fingerprint: fp, Lease: leases[n]})
	})
	parallel(keys/2, keys, func(n int) error { return store.Abort(t.Context(), "ann", fmt.Sprint(n), leases[n]) })

	for n, err := range errs {
		call, want, body := "store.Finish(ctx, \"ann\", key, s)", idempotency.Done, fmt.Sprint(n)
		if n >= keys/2 {
			call, want, body = "store.Abort(ctx, \"ann\", key, lease)", idempotency.Fresh, ""
		}
		s, state, beginErr := store.Begin(t.Context(), "ann", fmt.Sprint(n), fp)
		if err = errors.Join(err, beginErr); state != want || string(s.Body) != body || err != nil {
			rule.Broken(t, rule.Case{
				Do:   "// 32 keys are reserved\nfor _, key := range keys {\n    go " + call + "\n}\n// after all of them:\nstore.Begin(ctx, \"ann\", key, fp)",
				Got:  rule.Textf("%s, body %q, error %v", show(state), s.Body, err),
				Want: rule.Textf("%s, body %q", show(want), body),
				Why:  "Requests end when they like, many at the same time. An answer that is lost on the way is work done twice.",
			})
		}
	}
}

func TestMismatch_422(t *testing.T) {
	type request struct{ method, target, body string }
	const why = "A key that is reused for another request is a bug of the client. The answer of the first request would hide it."
	for _, tc := range []struct {
		name          string
		first, second request
	}{
		{"other body", request{"POST", "/tasks", `{"title":"a"}`}, request{"POST", "/tasks", `{"title":"b"}`}},
		{"empty body", request{"POST", "/tasks", `{}`}, request{"POST", "/tasks", ``}},
		{"other white space", request{"POST", "/tasks", `{}`}, request{"POST", "/tasks", `{ }`}},
		{"other path", request{"POST", "/tasks", `{}`}, request{"POST", "/reports", `{}`}},
		{"other query", request{"POST", "/tasks?dry=1", `{}`}, request{"POST", "/tasks", `{}`}},
		{"escaped slash", request{"POST", "/tasks/a%2Fb", `{}`}, request{"POST", "/tasks/a/b", `{}`}},
		{"other method", request{"PATCH", "/tasks/1", `{}`}, request{"POST", "/tasks/1", `{}`}},
		{"path runs into body", request{"POST", "/tasks/1", `2`}, request{"POST", "/tasks/12", ``}},
		{"query runs into body", request{"POST", "/tasks?n=1", `2`}, request{"POST", "/tasks?n=12", ``}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAPI(t, nil)
			show := func(r request) string { return fmt.Sprintf("send(\"%s %s\", \"k1\", %q)", r.method, r.target, r.body) }
			first := a.send(newRequest(tc.first.method, tc.first.target, "k1", tc.first.body))
			a.requireRan(t, setup+show(tc.first), first, 1)

			do := setup + show(tc.first) + "\n" + show(tc.second)
			requireProblem(t, do, a.send(newRequest(tc.second.method, tc.second.target, "k1", tc.second.body)), 422, "idempotency_mismatch", why)

			again := a.send(newRequest(tc.first.method, tc.first.target, "k1", tc.first.body))
			a.requireReplay(t, do+"\n"+show(tc.first), first, again, 1)
		})
	}

	t.Run("while the first request runs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			gate := make(chan struct{})
			a := newAPI(t, func(http.ResponseWriter, *http.Request, int) { <-gate })
			go a.post("k1", `{"title":"a"}`)
			synctest.Wait()
			defer close(gate)
			if n := a.runs.Load(); n != 1 {
				rule.Broken(t, rule.Case{Do: setup + `go send("POST /tasks", "k1", ...)`, Got: rule.Textf("runs of the handler: %d", n), Want: rule.Text("runs of the handler: 1")})
			}
			got := a.postNow("k1", `{"title":"b"}`)
			requireProblem(t, setup+"go send(\"POST /tasks\", \"k1\", `{\"title\":\"a\"}`) // the handler does not return yet\nsend(\"POST /tasks\", \"k1\", `{\"title\":\"b\"}`)",
				got, 422, "idempotency_mismatch", "With a 409 the client tries again and again, and never gets the answer to its question.")
		})
	})
}

func TestScope_PrincipalsDoNotCollide(t *testing.T) {
	type id struct{ user, key string }
	pairs := [][2]id{
		{{"ann", "k1"}, {"bob", "k1"}},
		{{"ann", "k1"}, {"", "k1"}},
		{{"a", "bc"}, {"ab", "c"}},
		{{"ann", "k1"}, {"ann", "K1"}},
	}
	for c := '!'; c <= '~'; c++ { // whatever joins the two strings, a user may have it in the name
		pairs = append(pairs, [2]id{{"a", fmt.Sprintf("b%cc", c)}, {fmt.Sprintf("a%cb", c), "c"}})
	}
	for _, pair := range pairs {
		a := newAPI(t, func(w http.ResponseWriter, r *http.Request, run int) {
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, "task of %q", principal(r))
		})
		do := setup
		for n, id := range pair {
			do += fmt.Sprintf("send(\"POST /tasks\", %q, \"{}\") // user %q\n", id.key, id.user)
			got := a.send(as(id.user, post(id.key, "{}")))
			if want := fmt.Sprintf("task of %q", id.user); got.status != http.StatusCreated || got.body != want || int(a.runs.Load()) != n+1 {
				rule.Broken(t, rule.Case{
					Do:   do,
					Got:  rule.Textf("status %d, body %q, runs of the handler: %d", got.status, got.body, a.runs.Load()),
					Want: rule.Textf("status 201, body %q, runs of the handler: %d", want, n+1),
					Why:  "Clients choose their keys, and two of them choose \"1\". The second one reads the private answer of the first.",
				})
			}
			a.requireMarker(t, do, got, false)
		}
	}
}

func TestHandlerPanic_Aborts(t *testing.T) {
	for _, value := range []any{"nil map", http.ErrAbortHandler} {
		t.Run(fmt.Sprint(value), func(t *testing.T) {
			a := newAPI(t, func(w http.ResponseWriter, _ *http.Request, run int) {
				w.WriteHeader(http.StatusCreated)
				fmt.Fprintf(w, "task %d", run)
				if run == 1 {
					panic(value)
				}
			})
			do := setup + `send("POST /tasks", "k1", "{}") // the handler writes its answer, then panics`
			w := httptest.NewRecorder()
			got := func() (v any) {
				defer func() { v = recover() }()
				a.handler.ServeHTTP(w, post("k1", "{}"))
				return nil
			}()
			if got != value || w.Body.Len() != 0 {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("panic: %v; the client has read %q", got, w.Body), Want: rule.Textf("panic: %v; the client has read %q", value, ""),
					Why: "The recoverer outside must see the panic, and be free to answer 500.",
				})
			}
			do += "\n" + `send("POST /tasks", "k1", "{}") // it does not panic any more`
			second := a.post("k1", "{}")
			a.requireRan(t, do, second, 2, "A panic skips the code behind the call, and the key stays reserved: every retry hears 409.")
			a.requireReplay(t, do+"\n"+`send("POST /tasks", "k1", "{}")`, second, a.post("k1", "{}"), 2)
		})
	}
}

func Test5xx_NotStored(t *testing.T) {
	for _, status := range []int{500, 502, 503, 599} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			a := newAPI(t, func(w http.ResponseWriter, _ *http.Request, run int) {
				if run == 1 {
					w.Header().Set("Retry-After", "7")
					w.WriteHeader(status)
					fmt.Fprint(w, "try later")
					return
				}
				w.WriteHeader(http.StatusCreated)
				fmt.Fprintf(w, "task %d", run)
			})
			do := setup + fmt.Sprintf(`send("POST /tasks", "k1", "{}") // the handler answers %d`, status)
			if got := a.post("k1", "{}"); got.status != status || got.body != "try later" || got.header.Get("Retry-After") != "7" {
				rule.Broken(t, rule.Case{
					Do: do, Got: got.text(), Want: rule.Textf("status %d, Retry-After: 7, body %q", status, "try later"),
					Why: "What is not stored is still the answer to this request.",
				})
			}
			do += "\n" + `send("POST /tasks", "k1", "{}") // the handler answers 201`
			second := a.post("k1", "{}")
			a.requireRan(t, do, second, 2, "A 5xx says that the work was not done. Stored, it comes back for a day after the database has recovered.")
			a.requireReplay(t, do+"\n"+`send("POST /tasks", "k1", "{}")`, second, a.post("k1", "{}"), 2)
		})
	}
	for _, status := range []int{200, 204, 303, 400, 404, 409, 422, 499} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			a := newAPI(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(status) })
			first := a.post("k1", "{}")
			do := setup + fmt.Sprintf(`first := send("POST /tasks", "k1", "{}") // the handler answers %d`, status) + "\n" + `again := send("POST /tasks", "k1", "{}")`
			if first.status != status {
				rule.Broken(t, rule.Case{Do: do, Got: first.text(), Want: rule.Textf("status %d", status)})
			}
			a.requireReplay(t, do, first, a.post("k1", "{}"), 1)
		})
	}
}

func TestClientDisconnect_StillFinishes(t *testing.T) {
	type traceKey struct{}
	t.Run("answer", func(t *testing.T) {
		ctx, leave := context.WithCancel(context.WithValue(t.Context(), traceKey{}, "trace 7"))
		defer leave()
		store := &spy{Store: idempotency.NewMemoryStore(ttl, inflightTTL)}
		a := apiOn(store, func(w http.ResponseWriter, _ *http.Request, run int) {
			leave()
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, "task %d", run)
		})
		const do = setup + `send("POST /tasks", "k1", "{}") // the client leaves while the handler runs, and cannot be written to
again := send("POST /tasks", "k1", "{}")`
		a.handler.ServeHTTP(gone{}, post("k1", "{}").WithContext(ctx))
		a.requireReplay(t, do, answer{status: http.StatusCreated, body: "task 1"}, a.post("k1", "{}"), 1,
			"The context of a request ends when its client leaves. What has to be done all the same needs one that goes on.")
		requireReleased(t, store, "Finish")
		if got := store.lastCtx.Value(traceKey{}); got != "trace 7" {
			rule.Broken(t, rule.Case{
				Do: "store.Finish(ctx, ...) // ctx of the request has the value \"trace 7\"", Got: got, Want: "trace 7",
				Why: "The query that stores the answer is missing in the trace of its request.",
			})
		}
	})
	t.Run("server error", func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		store := &spy{Store: idempotency.NewMemoryStore(ttl, inflightTTL)}
		a := apiOn(store, func(w http.ResponseWriter, r *http.Request, run int) {
			if run == 1 {
				leave()
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, "task %d", run)
		})
		const do = setup + `send("POST /tasks", "k1", "{}") // the client leaves, and the handler answers 503
send("POST /tasks", "k1", "{}")`
		a.handler.ServeHTTP(gone{}, post("k1", "{}").WithContext(ctx))
		requireReleased(t, store, "Abort")
		a.requireRan(t, do, a.post("k1", "{}"), 2)
	})
	t.Run("store hangs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			store := &spy{Store: idempotency.NewMemoryStore(ttl, inflightTTL), hang: true}
			a := apiOn(store, nil)
			start := time.Now()
			got := a.post("k1", "{}")
			const do = setup + `send("POST /tasks", "k1", "{}") // Finish waits for its context`
			if took := time.Since(start); took <= 0 || took > 5*time.Second {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("an answer after %v", took), Want: rule.Text("an answer after at most 5s, and not before Finish has given up"),
					Why: "A context that cannot be cancelled needs a limit of its own, or one slow database holds every request.",
				})
			}
			a.requireRan(t, do, got, 1)
		})
	})
	t.Run("handler sees the disconnect", func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		var seen error
		a := newAPI(t, func(_ http.ResponseWriter, r *http.Request, _ int) {
			leave()
			seen = r.Context().Err()
		})
		a.handler.ServeHTTP(gone{}, post("k1", "{}").WithContext(ctx))
		if seen != context.Canceled {
			rule.Broken(t, rule.Case{
				Do:  setup + "// the client leaves; in the handler:\nr.Context().Err()",
				Got: seen, Want: context.Canceled,
				Why: "The handler decides itself whether its work is worth finishing. It needs to know that nobody waits.",
			})
		}
	})
}

func requireReleased(t *testing.T, store *spy, call string) {
	t.Helper()
	if store.lastCtx == nil || store.lastCtx.Err() == nil {
		rule.Broken(t, rule.Case{
			Do:   "store." + call + "(ctx, ...)\n// after it has returned: ctx.Err() != nil",
			Got:  store.lastCtx != nil && store.lastCtx.Err() != nil,
			Want: true,
			Why:  "A time limit that nobody cancels keeps its timer, and whoever waits for the context, until the time is over.",
		})
	}
}

func TestTTL_Expires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request, run int) {
			pass(inflightTTL / 2)
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, "task %d", run)
		})
		do := setup + `first := send("POST /tasks", "k1", "{}") // the handler takes 30 seconds`
		first := a.post("k1", "{}")
		a.requireRan(t, do, first, 1)
		for _, step := range []struct {
			wait time.Duration
			do   string
		}{
			{inflightTTL, "// a minute later:"},
			{ttl/2 - inflightTTL, "// 12 hours after the first answer:"},
			{ttl/2 - 1, "// a nanosecond before 24 hours after the first answer:"},
		} {
			pass(step.wait)
			do += "\n" + step.do + "\n" + `send("POST /tasks", "k1", "{}")`
			a.requireReplay(t, do, first, a.post("k1", "{}"), 1)
		}
		pass(1)
		do += "\n// 24 hours after the first answer:\n" + `send("POST /tasks", "k1", "{}")`
		a.requireRan(t, do, a.post("k1", "{}"), 2)
	})
}

func TestTTL_ExpiredAreFreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const answers, size = 16, 1 << 20
		store := idempotency.NewMemoryStore(ttl, inflightTTL)
		_, held := heaptest.Held(func() int {
			for n := range answers {
				s, state, err := store.Begin(t.Context(), "ann", fmt.Sprint(n), [32]byte{})
				if err != nil || state != idempotency.Fresh {
					rule.Broken(t, rule.Case{Do: `store.Begin(ctx, "ann", "k1", fp)`, Got: rule.Textf("state %d, error %v", state, err), Want: rule.Text("Fresh")})
				}
				finish(t, store, fmt.Sprint(n), idempotency.Stored{Status: 200, Body: make([]byte, size), Lease: s.Lease})
			}
			return 0
		})
		if held < answers*size {
			rule.Broken(t, rule.Case{
				Do:  "// 16 answers of 1 MiB are stored",
				Got: rule.Textf("%d KiB of memory more than before", held>>10), Want: rule.Text("at least 16 MiB: the answers are kept for their ttl"),
			})
		}
		_, freed := heaptest.Held(func() int {
			for range 2 {
				pass(ttl)
				_, _, _ = store.Begin(t.Context(), "ann", "another key", [32]byte{})
			}
			return 0
		})
		if left := held + freed; left > size {
			rule.Broken(t, rule.Case{
				Do:  "// 16 answers of 1 MiB are stored; 24 hours later they expire, and after 24 hours more:\nstore.Begin(ctx, \"ann\", \"another key\", fp)",
				Got: rule.Textf("%d KiB are still held", left>>10), Want: rule.Text("less than 1 MiB"),
				Why: "Nobody asks for an old key again, so nobody ever looks at it. The map grows until the pod is killed.",
			})
		}
		runtime.KeepAlive(store)
	})
}

func TestInflightTTL_TakesOverAfterCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request, run int) {
			if run == 1 {
				<-never
			}
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, "task %d", run)
		})
		go a.post("k1", "{}")
		defer close(never)

		do := setup + "go send(\"POST /tasks\", \"k1\", \"{}\") // the handler hangs\n// a nanosecond before a minute has passed:\nsend(\"POST /tasks\", \"k1\", \"{}\")"
		pass(inflightTTL - 1)
		requireProblem(t, do, a.postNow("k1", "{}"), http.StatusConflict, "idempotency_in_flight",
			"The first request may still be at work.")

		pass(1)
		do += "\n// a minute has passed:\nsend(\"POST /tasks\", \"k1\", \"{}\")"
		second := a.post("k1", "{}")
		a.requireRan(t, do, second, 2)
		a.requireReplay(t, do+"\nsend(\"POST /tasks\", \"k1\", \"{}\")", second, a.post("k1", "{}"), 2)
	})
}

func TestLease_LateAnswerIsRefused(t *testing.T) {
	for _, late := range []struct {
		name, do string
		status   int
	}{
		{"answer", "answers 201", http.StatusCreated},
		{"server error", "answers 503", http.StatusServiceUnavailable},
	} {
		t.Run("late "+late.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gates := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
				a := newAPI(t, func(w http.ResponseWriter, _ *http.Request, run int) {
					if run <= len(gates) {
						<-gates[run-1]
					}
					status := http.StatusCreated
					if run == 1 {
						status = late.status
					}
					w.WriteHeader(status)
					fmt.Fprintf(w, "task %d", run)
				})
				var releases [2]func()
				var got [2]answer
				for n := range gates {
					releases[n] = sync.OnceFunc(func() { close(gates[n]) })
					defer releases[n]()
					go func() { got[n] = a.post("k1", "{}") }()
					pass(inflightTTL)
				}
				do := setup + "go send(\"POST /tasks\", \"k1\", \"{}\") // request A, its handler hangs\n// a minute later:\ngo send(\"POST /tasks\", \"k1\", \"{}\") // request B takes the key over, its handler hangs"
				if n := a.runs.Load(); n != 2 {
					rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("runs of the handler: %d", n), Want: rule.Text("runs of the handler: 2")})
				}
				do += "\n// a minute later:\nc := send(\"POST /tasks\", \"k1\", \"{}\") // request C takes the key over and is answered"
				third := a.post("k1", "{}")
				a.requireRan(t, do, third, 3)

				releases[0]()
				synctest.Wait()
				do += "\n// the handler of A " + late.do + "\nagain := send(\"POST /tasks\", \"k1\", \"{}\")"
				if got[0].status != late.status || got[0].body != "task 1" {
					rule.Broken(t, rule.Case{Do: do, Got: got[0].text(), Want: rule.Textf("client A gets the answer of its handler: status %d, body %q", late.status, "task 1")})
				}
				a.requireReplay(t, do, third, a.post("k1", "{}"), 3, "The key was taken over. An answer that comes too late must not replace the one that a client has had.")
			})
		})
	}

	t.Run("Finish and Abort", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			store := idempotency.NewMemoryStore(ttl, inflightTTL)
			do := "store := NewMemoryStore(24*time.Hour, time.Minute)"
			begin := func(want idempotency.State) idempotency.Stored {
				t.Helper()
				do += "\ns, state, err := store.Begin(ctx, \"ann\", \"k1\", fp)"
				s, state, err := store.Begin(t.Context(), "ann", "k1", [32]byte{1})
				if state != want || err != nil {
					rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%s, error %v", show(state), err), Want: rule.Textf("%s", show(want))})
				}
				return s
			}
			settle := func(call string, want error, f func() error) {
				t.Helper()
				do += "\n" + call
				if err := f(); !errors.Is(err, want) {
					rule.Broken(t, rule.Case{
						Do: do, Got: err, Want: want,
						Why: "Two requests believe that the key is theirs. The lease tells the store which of them is late.",
					})
				}
			}
			answer := func(lease uint64, body string) func() error {
				return func() error {
					return store.Finish(t.Context(), "ann", "k1", idempotency.Stored{Status: 201, Body: []byte(body), Fingerprint: [32]byte{1}, Lease: lease})
				}
			}
			abort := func(lease uint64) func() error {
				return func() error { return store.Abort(t.Context(), "ann", "k1", lease) }
			}
			later := func() { pass(inflightTTL); do += "\n// a minute later:" }

			a := begin(idempotency.Fresh).Lease
			later()
			b := begin(idempotency.Fresh).Lease
			settle("store.Finish(..., lease of A)", idempotency.ErrLeaseLost, answer(a, "A"))
			settle("store.Abort(..., lease of A)", idempotency.ErrLeaseLost, abort(a))
			begin(idempotency.InFlight)
			settle("store.Abort(..., lease of B)", nil, abort(b))
			settle("store.Finish(..., lease of A) // nobody has the key", nil, answer(a, "A"))
			settle("store.Finish(..., lease of B)", idempotency.ErrLeaseLost, answer(b, "B"))
			settle("store.Abort(..., lease of B)", idempotency.ErrLeaseLost, abort(b))
			if got := begin(idempotency.Done); string(got.Body) != "A" {
				rule.Broken(t, rule.Case{Do: do, Got: got.Body, Want: "A", Why: "The answer of a key changes only when it has expired."})
			}
			pass(ttl)
			do += "\n// 24 hours later:"
			c := begin(idempotency.Fresh).Lease
			later()
			settle("store.Finish(..., lease of C) // late, but nobody has the key", nil, answer(c, "C"))
			if got := begin(idempotency.Done); string(got.Body) != "C" || got.Status != 201 || got.Fingerprint != [32]byte{1} {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%+v", got), Want: rule.Text("the answer C: its work is done, so nobody must do it again")})
			}
			pass(ttl)
			do += "\n// 24 hours later:"
			d := begin(idempotency.Fresh).Lease
			later()
			begin(idempotency.Fresh)
			later()
			settle("store.Abort(..., lease of D) // the next reservation has expired too: nobody has the key", nil, abort(d))
			settle("store.Finish(..., lease of D)", nil, answer(d, "D"))
			pass(ttl)
			do += "\n// 24 hours later:"
			e := begin(idempotency.Fresh).Lease
			later()
			begin(idempotency.Fresh)
			later()
			settle("store.Finish(..., lease of E) // the next reservation has expired too: nobody has the key", nil, answer(e, "E"))
			if got := begin(idempotency.Done); string(got.Body) != "E" {
				rule.Broken(t, rule.Case{Do: do, Got: got.Body, Want: "E", Why: "An expired record counts as absent, whose ever it was."})
			}
		})
	})
}

func TestKey_Validation(t *testing.T) {
	for _, key := range []string{"k", "!", "~", `"8e03978e-40d5-43e8-bc93-6894a57f9324"`, strings.Repeat("k", 64)} {
		a := newAPI(t, nil)
		do := setup + fmt.Sprintf("send(\"POST /tasks\", %q, \"{}\")", key)
		first := a.post(key, "{}")
		a.requireRan(t, do, first, 1)
		a.requireReplay(t, do+" // twice", first, a.post(key, "{}"), 1)
	}
	for _, keys := range [][]string{
		{""}, {" "}, {"a b"}, {"a\tb"}, {"a\nb"}, {"a\x00"}, {"a\x7f"}, {"schlüssel"}, {"a\xff"}, {strings.Repeat("k", 65)}, {"k1", "k2"}, {"k1", "k1"}, {"k1", ""},
	} {
		store := &spy{Store: idempotency.NewMemoryStore(ttl, inflightTTL)}
		a := apiOn(store, nil)
		r := post("", "{}")
		r.Header["Idempotency-Key"] = keys
		do := setup + fmt.Sprintf("r.Header[\"Idempotency-Key\"] = %#v\nh.ServeHTTP(w, r)", keys)
		requireProblem(t, do, a.send(r), http.StatusBadRequest, "invalid_idempotency_key",
			"A client that sent a key wants protection. To go on without it is the one thing that must not happen.")
		if n := a.runs.Load() + store.begun.Load(); n != 0 {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%d calls of the handler or the store", n), Want: rule.Text("none"), Why: "A refused request leaves no trace."})
		}
	}
}

func TestBody_StillReadableByHandler(t *testing.T) {
	for _, method := range []string{"POST", "PATCH"} {
		for _, body := range []string{"", `{"title":"a"}`, strings.Repeat("x", maxBody)} {
			var got string
			a := newAPI(t, func(w http.ResponseWriter, r *http.Request, _ int) {
				b, err := io.ReadAll(r.Body)
				got = fmt.Sprintf("%s, error %v", b, errors.Join(err, r.Body.Close()))
			})
			r := newRequest(method, "/tasks", "k1", body)
			before := r.Body
			first := a.send(r)
			do := setup + fmt.Sprintf("send(\"%s /tasks\", \"k1\", %q)\n// in the handler:\nio.ReadAll(r.Body)", method, body)
			if want := body + ", error <nil>"; got != want || first.status != 200 {
				rule.Broken(t, rule.Case{
					Do: do, Got: got, Want: want,
					Why: "A body is a stream: what a middleware has read is gone, and the handler decodes an empty document.",
				})
			}
			if r.Body != before {
				rule.Broken(t, rule.Case{
					Do: setup + "before := r.Body\nh.ServeHTTP(w, r)\nfmt.Println(r.Body == before)", Got: false, Want: true,
					Why: "The request belongs to the caller, and other goroutines may read it.",
				})
			}
			a.requireReplay(t, do+" // twice", first, a.send(newRequest(method, "/tasks", "k1", body)), 1)
		}
	}
}

func TestBody_Limit(t *testing.T) {
	long := strings.Repeat("x", maxBody+1)
	for _, tc := range []struct {
		name, do string
		body     io.Reader
		status   int
		code     string
		why      string
	}{
		{
			"one byte too much", `send("POST /tasks", "k1", strings.Repeat("x", 65))`, strings.NewReader(long),
			http.StatusRequestEntityTooLarge, "body_too_large", "Two requests that differ after the limit would have one fingerprint.",
		},
		{
			"length not announced", `send("POST /tasks", "k1", ...) // 65 bytes, no Content-Length`, io.MultiReader(strings.NewReader(long)),
			http.StatusRequestEntityTooLarge, "body_too_large", "A body without a length is read until memory ends.",
		},
		{
			"broken off", `send("POST /tasks", "k1", ...) // the connection breaks inside the body`, io.MultiReader(strings.NewReader("{"), iotest.ErrReader(io.ErrUnexpectedEOF)),
			http.StatusBadRequest, "unreadable_body", "Half a body has the fingerprint of no request, and half an order must not be placed.",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			store := &spy{Store: idempotency.NewMemoryStore(ttl, inflightTTL)}
			a := apiOn(store, nil)
			r := httptest.NewRequest("POST", "/tasks", tc.body)
			r.Header.Set("Idempotency-Key", "k1")
			do := setup + tc.do
			requireProblem(t, do, a.send(r), tc.status, tc.code, tc.why)
			if n := a.runs.Load() + store.begun.Load(); n != 0 {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%d calls of the handler or the store", n), Want: rule.Text("none"), Why: "A refused request leaves no trace."})
			}
			a.requireRan(t, do+"\n"+`send("POST /tasks", "k1", "{}")`, a.post("k1", "{}"), 1)
		})
	}
}

func TestNoKey_PassThrough(t *testing.T) {
	requireUntouched(t, "no Idempotency-Key", func() *http.Request { return post("", strings.Repeat("x", 2*maxBody)) })
}

func TestGET_Ignored(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} {
		requireUntouched(t, method, func() *http.Request { return newRequest(method, "/tasks", "k1", strings.Repeat("x", 2*maxBody)) })
	}
}

func TestStore_Errors(t *testing.T) {
	t.Run("Begin", func(t *testing.T) {
		store := &spy{Store: idempotency.NewMemoryStore(ttl, inflightTTL), beginErr: errDown}
		a := apiOn(store, nil)
		const do = setup + `send("POST /tasks", "k1", "{}") // Begin returns an error`
		got := a.post("k1", "{}")
		requireProblem(t, do, got, http.StatusServiceUnavailable, "unavailable", "Without the store there is no protection. The client may try later.")
		if n := a.runs.Load(); n != 0 || strings.Contains(got.body, errDown.Error()) {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("runs of the handler: %d, body %q", n, got.body), Want: rule.Text("runs of the handler: 0, and no word about the cause in the body"),
				Why: "The order is placed although nobody can tell whether it was placed before.",
			})
		}
	})
	t.Run("Finish", func(t *testing.T) {
		store := &spy{Store: idempotency.NewMemoryStore(ttl, inflightTTL), finishErr: errDown}
		a := apiOn(store, nil)
		const do = setup + `send("POST /tasks", "k1", "{}") // Finish returns an error`
		a.requireRan(t, do, a.post("k1", "{}"), 1)
		requireProblem(t, do+"\n"+`send("POST /tasks", "k1", "{}")`, a.post("k1", "{}"), http.StatusConflict, "idempotency_in_flight",
			"The work is done. If the key is set free because its answer could not be stored, the work is done twice.")
	})
}

func TestMemoryStore_KeepsCopies(t *testing.T) {
	store := idempotency.NewMemoryStore(ttl, inflightTTL)
	const before = "store := NewMemoryStore(24*time.Hour, time.Minute)\n"
	want := idempotency.Stored{Status: 201, Header: http.Header{"Link": {"a", "b"}}, Body: []byte("task 1"), Fingerprint: [32]byte{7}}
	claim, state, err := store.Begin(t.Context(), "ann", "k1", want.Fingerprint)
	if state != idempotency.Fresh || err != nil {
		rule.Broken(t, rule.Case{Do: before + `store.Begin(ctx, "ann", "k1", fp)`, Got: rule.Textf("%s, error %v", show(state), err), Want: rule.Text("Fresh")})
	}
	want.Lease = claim.Lease
	if diff := cmp.Diff(idempotency.Stored{Lease: claim.Lease}, claim); diff != "" {
		rule.Broken(t, rule.Case{Do: before + `s, _, _ := store.Begin(ctx, "ann", "k1", fp)`, Got: rule.Textf("%+v", claim), Want: rule.Text("a Stored with nothing but its Lease")})
	}

	s := want
	s.Header, s.Body = want.Header.Clone(), []byte(string(want.Body))
	finish(t, store, "k1", s)
	scribble(s)
	do := before + "store.Finish(ctx, \"ann\", \"k1\", s)\ns.Body[0], s.Header = '#', ...\n"
	for range 2 {
		do += "got, state, err := store.Begin(ctx, \"ann\", \"k1\", fp)\n"
		got, state, err := store.Begin(t.Context(), "ann", "k1", want.Fingerprint)
		if diff := cmp.Diff(want, got); diff != "" || state != idempotency.Done || err != nil {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("%s, error %v, header %v, body %q, lease %d", show(state), err, got.Header, got.Body, got.Lease),
				Want: rule.Textf("Done, error <nil>, header %v, body %q, lease %d; status and fingerprint as given to Finish", want.Header, want.Body, want.Lease),
				Why:  "A middleware outside adds a header to the first answer, and every replay carries it.",
			})
		}
		scribble(got)
		do += "got.Body[0], got.Header = '#', ...\n"
	}
}

// api is a guarded handler that counts its runs.
type api struct {
	handler http.Handler
	runs    atomic.Int64
}

// newAPI returns an api on a memory store. A nil handler answers 201 and the
// number of the run.
func newAPI(t *testing.T, handler func(w http.ResponseWriter, r *http.Request, run int)) *api {
	t.Helper()
	return apiOn(idempotency.NewMemoryStore(ttl, inflightTTL), handler)
}

func apiOn(store idempotency.Store, handler func(w http.ResponseWriter, r *http.Request, run int)) *api {
	a := new(api)
	if handler == nil {
		handler = func(w http.ResponseWriter, _ *http.Request, run int) {
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, "task %d", run)
		}
	}
	a.handler = idempotency.Middleware(store, principal, maxBody)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler(w, r, int(a.runs.Add(1)))
	}))
	return a
}

func (a *api) send(r *http.Request) answer {
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	res := w.Result()
	return answer{res.StatusCode, res.Header, w.Body.String()}
}

func (a *api) post(key, body string) answer { return a.send(post(key, body)) }

// postNow is post for a request that must be answered at once. It does not wait
// for a handler that runs by mistake and hangs.
func (a *api) postNow(key, body string) answer {
	got := make(chan answer, 1)
	go func() { got <- a.post(key, body) }()
	synctest.Wait()
	select {
	case got := <-got:
		return got
	default:
		return answer{body: "(no answer: the handler runs)"}
	}
}

// requireRan fails t unless got is the own answer of the run number run.
func (a *api) requireRan(t *testing.T, do string, got answer, run int, why ...string) {
	t.Helper()
	if n := int(a.runs.Load()); got.status != http.StatusCreated || n != run {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("%s, runs of the handler: %d", got.text(), n), Want: rule.Textf("status 201, runs of the handler: %d", run),
			Why: strings.Join(append(why, "A request that nobody has answered yet is carried out."), " "),
		})
	}
	a.requireMarker(t, do, got, false)
}

// requireReplay fails t unless again is first once more, and no handler ran for it.
func (a *api) requireReplay(t *testing.T, do string, first, again answer, runs int, why ...string) {
	t.Helper()
	if n := int(a.runs.Load()); n != runs {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("runs of the handler: %d", n), Want: rule.Textf("runs of the handler: %d", runs),
			Why: "The user has clicked twice, and the card is charged twice.",
		})
	}
	header := again.header.Clone()
	header.Del("Idempotency-Replayed")
	if first.header == nil {
		header = nil
	}
	if diff := cmp.Diff(first.header, header); diff != "" || again.status != first.status || again.body != first.body {
		rule.Broken(t, rule.Case{
			Do: do, Got: again.text(), Want: rule.Textf("%s, and Idempotency-Replayed: true", first.text()),
			Why: strings.Join(append(why, "The client lost the first answer. It needs the same one, with the id and the version of what was created."), " "),
		})
	}
	a.requireMarker(t, do, again, true)
}

func (a *api) requireMarker(t *testing.T, do string, got answer, want bool) {
	t.Helper()
	wantValues := []string(nil)
	if want {
		wantValues = []string{"true"}
	}
	if values := got.header.Values("Idempotency-Replayed"); !cmp.Equal(values, wantValues) {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("Idempotency-Replayed: %q", values), Want: rule.Textf("Idempotency-Replayed: %q", wantValues),
			Why: "The marker tells a client whether its request or an earlier one did the work.",
		})
	}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) text() rule.Text {
	return rule.Textf("status %d, header %v, body %q", a.status, a.header, a.body)
}

func requireProblem(t *testing.T, do string, got answer, status int, code, why string) {
	t.Helper()
	var problem struct {
		Status int
		Code   string
	}
	err := json.Unmarshal([]byte(got.body), &problem)
	media, _, _ := mime.ParseMediaType(got.header.Get("Content-Type"))
	if got.status != status || media != "application/problem+json" || err != nil || problem.Status != status || problem.Code != code {
		rule.Broken(t, rule.Case{
			Do: do, Got: got.text(),
			Want: rule.Textf("status %d, Content-Type application/problem+json, body with status %d and code %q", status, status, code),
			Why:  why,
		})
	}
}

// requireUntouched fails t unless a request goes to the handler as it came.
func requireUntouched(t *testing.T, what string, request func() *http.Request) {
	t.Helper()
	store := &spy{Store: idempotency.NewMemoryStore(ttl, inflightTTL)}
	type call struct {
		w http.ResponseWriter
		r *http.Request
	}
	var got []call
	h := idempotency.Middleware(store, principal, maxBody)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, call{w, r})
	}))
	for n := range 2 {
		w, r := httptest.NewRecorder(), request()
		h.ServeHTTP(w, r)
		if len(got) != n+1 || got[n].w != w || got[n].r != r || store.begun.Load() != 0 {
			rule.Broken(t, rule.Case{
				Do:   setup + "h.ServeHTTP(w, r) // " + what,
				Got:  rule.Textf("%d calls of the handler after %d requests, %d of the store", len(got), n+1, store.begun.Load()),
				Want: rule.Textf("%d calls of handler.ServeHTTP(w, r) with the same w and r, none of the store", n+1),
				Why:  "Who needs no protection keeps streaming, uploads of any size and a store that may be down.",
			})
		}
	}
}

// spy is a store that behaves like a database: it gives up when its context
// ends.
type spy struct {
	idempotency.Store
	begun, finished     atomic.Int64
	beginErr, finishErr error
	hang                bool
	lastCtx             context.Context
}

func (s *spy) Begin(ctx context.Context, scope, key string, fp [32]byte) (idempotency.Stored, idempotency.State, error) {
	s.begun.Add(1)
	if err := errors.Join(ctx.Err(), s.beginErr); err != nil {
		return idempotency.Stored{}, idempotency.Fresh, err
	}
	return s.Store.Begin(ctx, scope, key, fp)
}

func (s *spy) Finish(ctx context.Context, scope, key string, stored idempotency.Stored) error {
	s.finished.Add(1)
	s.lastCtx = ctx
	if s.hang {
		select {
		case <-ctx.Done():
		case <-time.After(time.Hour):
		}
	}
	if err := errors.Join(ctx.Err(), s.finishErr); err != nil {
		return err
	}
	return s.Store.Finish(ctx, scope, key, stored)
}

func (s *spy) Abort(ctx context.Context, scope, key string, lease uint64) error {
	s.lastCtx = ctx
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Store.Abort(ctx, scope, key, lease)
}

// gone is the connection of a client that has left.
type gone struct{}

func (gone) Header() http.Header       { return http.Header{} }
func (gone) WriteHeader(int)           {}
func (gone) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// firstByte notes what look says when the first byte is sent.
type firstByte struct {
	*httptest.ResponseRecorder
	look      func() bool
	seen, was bool
}

func (w *firstByte) note() {
	if !w.seen {
		w.seen, w.was = true, w.look()
	}
}

func (w *firstByte) WriteHeader(status int) { w.note(); w.ResponseRecorder.WriteHeader(status) }

func (w *firstByte) Write(p []byte) (int, error) { w.note(); return w.ResponseRecorder.Write(p) }

// principal is the scope of every test: the user that signed in.
func principal(r *http.Request) string { return r.Header.Get("X-User") }

func as(user string, r *http.Request) *http.Request {
	r.Header.Set("X-User", user)
	return r
}

func post(key, body string) *http.Request { return newRequest("POST", "/tasks", key, body) }

func newRequest(method, target, key, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	return as("ann", r)
}

func finish(t *testing.T, store idempotency.Store, key string, s idempotency.Stored) {
	t.Helper()
	if err := store.Finish(t.Context(), "ann", key, s); err != nil {
		rule.Broken(t, rule.Case{Do: `store.Finish(ctx, "ann", "k1", s) // s has the lease of Begin`, Got: err, Want: nil})
	}
}

func scribble(s idempotency.Stored) {
	s.Body[0] = '#'
	s.Header["Link"][0] = "#"
	s.Header.Set("X-Late", "1")
}

func show(s idempotency.State) string {
	switch s {
	case idempotency.Fresh:
		return "Fresh"
	case idempotency.InFlight:
		return "InFlight"
	case idempotency.Done:
		return "Done"
	case idempotency.Mismatch:
		return "Mismatch"
	default:
		return fmt.Sprintf("State(%d)", s)
	}
}

// pass lets d pass on the clock of the bubble.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
