package router_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/go-chi/chi/v5" // for the solution; go.mod keeps what somebody imports
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week07/router"
)

const taskID = "tsk_01jab3c4d5e6f7g8h9jkmnpqrs"

func TestRouter_ConcurrentRequests(t *testing.T) {
	handler := router.NewRouter(&fakeTasks{get: func(w http.ResponseWriter, _ *http.Request, id string) error {
		_, err := io.WriteString(w, id)
		return err
	}})
	const clients, requests = 8, 25
	got := make([]string, clients)
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			id := fmt.Sprintf("tsk_%026d", i)
			for range requests {
				for _, r := range []*http.Request{
					httptest.NewRequest("GET", "/v1/tasks/nope", nil),
					httptest.NewRequest("PUT", "/v1/tasks", nil),
					httptest.NewRequest("GET", "/v1/tasks/"+id, nil),
				} {
					rec := httptest.NewRecorder()
					handler.ServeHTTP(rec, r)
					if body := rec.Body.String(); strings.HasSuffix(r.URL.Path, id) && body != id {
						got[i] = fmt.Sprintf("%d, body %q", rec.Code, body)
					}
				}
			}
		})
	}
	wg.Wait()
	for i, other := range got {
		if other != "" {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("8 clients, each asks for its own task; client %d for tsk_%026d", i, i),
				Got:  rule.Text(other),
				Want: rule.Textf("200, body %q", fmt.Sprintf("tsk_%026d", i)),
				Why:  "What belongs to a request must not be kept where another request finds it.",
			})
		}
	}
}

// A recorder keeps what a handler writes after a HEAD. Only a server shows what
// the client gets.
func TestRouter_HeadLikeGetNoBody(t *testing.T) {
	captureLog(t)
	server := httptest.NewServer(router.NewRouter(&fakeTasks{
		list: func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("ETag", `"v7"`)
			_, err := io.WriteString(w, `{"items":[]}`)
			return err
		},
		get: func(http.ResponseWriter, *http.Request, string) error { return errors.New("connection refused") },
	}))
	defer server.Close()

	for _, tc := range []struct {
		target string
		status int
	}{
		{"/v1/tasks", 200}, {"/v1/tasks/" + taskID, 500}, {"/v1/tasks/nope", 404}, {"/nope", 404},
	} {
		get, body := roundTrip(t, server, "GET", tc.target)
		head, after := roundTrip(t, server, "HEAD", tc.target)
		if get.StatusCode != tc.status || body == "" {
			rule.Broken(t, rule.Case{
				Do: do("GET", tc.target), Got: rule.Textf("%d %s", get.StatusCode, body), Want: rule.Textf("%d and a body", tc.status),
			})
		}
		diff := cmp.Diff(get.Header, head.Header, cmpopts.IgnoreMapEntries(func(k string, _ []string) bool { return k == "Date" }))
		if head.StatusCode != get.StatusCode || diff != "" || after != "" {
			rule.Broken(t, rule.Case{
				Do:   do("HEAD", tc.target),
				Got:  rule.Textf("%d, body %q, headers (-GET +HEAD):\n%s", head.StatusCode, after, diff),
				Want: rule.Textf("%d, no body, the headers of GET", get.StatusCode),
				Why:  "HEAD is the question what GET would say. Health checks and link checkers ask it.",
			})
		}
	}
}

func TestRouter_MiddlewaresSeeEveryRequest(t *testing.T) {
	mark := func(name string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Add("X-Trace", name)
				next.ServeHTTP(w, r)
			})
		}
	}
	handler := router.NewRouter(new(fakeTasks), mark("first"), mark("second"))
	for _, tc := range []struct{ method, target string }{
		{"GET", "/v1/tasks"}, {"GET", "/v1/tasks/" + taskID}, {"GET", "/nope"}, {"PUT", "/v1/tasks"}, {"BREW", "/nope"}, {"OPTIONS", "/v1/tasks"},
	} {
		if got := serve(t, handler, tc.method, tc.target).Header()["X-Trace"]; !slices.Equal(got, []string{"first", "second"}) {
			rule.Broken(t, rule.Case{
				Do:   strings.Replace(do(tc.method, tc.target), "(tasks)", "(tasks, first, second)", 1),
				Got:  rule.Textf("middlewares run: %q", got),
				Want: rule.Textf("middlewares run: %q", []string{"first", "second"}),
				Why:  "Scanners and broken clients live on 404 and 405. Without middleware they are in no log and under no limit.",
			})
		}
	}
}

func TestProblem_HeadersBeforeStatus(t *testing.T) {
	captureLog(t)
	rec, _ := run(func(w http.ResponseWriter, _ *http.Request) error {
		h := w.Header()
		h.Set("X-Request-ID", "req-1")
		h.Set("Vary", "Authorization")
		h.Set("Content-Type", "text/csv")
		h.Set("Content-Length", "8")
		h.Set("Content-Encoding", "gzip")
		h.Set("ETag", `"v7"`)
		h.Set("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
		h.Set("Cache-Control", "public, max-age=3600")
		return &router.Error{Kind: router.NotFound}
	})
	const text = `w.Header().Set("X-Request-ID", "req-1") // a middleware does that
// the handler sets Content-Type, Content-Length, Content-Encoding, ETag, Last-Modified, Cache-Control and Vary for its answer, then
return &Error{Kind: NotFound}`
	header := rec.Result().Header // as it was when the status was written
	for name, want := range map[string]string{
		"Content-Type": "application/problem+json", "Cache-Control": "no-store", "X-Request-Id": "req-1",
		"Content-Length": "", "Content-Encoding": "", "Etag": "", "Last-Modified": "",
	} {
		if got := header.Get(name); got != want {
			rule.Broken(t, rule.Case{
				Do:   text,
				Got:  rule.Textf("%s: %q", name, got),
				Want: rule.Textf("%s: %q", name, want),
				Why:  "Headers are sent with the status; what is set later is lost. What was set for the success lies about the error.",
			})
		}
	}
	if vary := strings.Join(header["Vary"], ", "); !strings.Contains(vary, "Authorization") {
		rule.Broken(t, rule.Case{
			Do: text, Got: rule.Textf("Vary: %q", vary), Want: rule.Text("Vary with Authorization, which was there before"),
			Why: "A header that is not about the body belongs to whoever set it.",
		})
	}
	requireProblem(t, rec, text, problem{Status: 404, Code: "not_found", RequestID: "req-1"},
		"With the request id in the document, support finds the line in the log.")
}

func TestRouter_405AllowSorted(t *testing.T) {
	const list, one = "GET, HEAD, OPTIONS, POST", "GET, HEAD, OPTIONS"
	for _, tc := range []struct{ method, target, allow string }{
		{"PUT", "/v1/tasks", list},
		{"PATCH", "/v1/tasks", list},
		{"DELETE", "/v1/tasks", list},
		{"TRACE", "/v1/tasks", list},
		{"BREW", "/v1/tasks", list},
		{"get", "/v1/tasks", list},
		{"POST", "/v1/tasks/" + taskID, one},
		{"DELETE", "/v1/tasks/nope", one},
		{"BREW", "/v1/tasks/" + taskID, one},
	} {
		tasks := new(fakeTasks)
		rec := serve(t, router.NewRouter(tasks), tc.method, tc.target)
		requireProblem(t, rec, do(tc.method, tc.target), problem{Status: 405, Code: "method_not_allowed", Detail: anyDetail},
			"A client that hears 404 believes that the resource is gone.")
		if got := rec.Header()["Allow"]; !slices.Equal(got, []string{tc.allow}) {
			rule.Broken(t, rule.Case{
				Do:   do(tc.method, tc.target),
				Got:  rule.Textf("Allow: %q", got),
				Want: rule.Textf("Allow: %q", []string{tc.allow}),
				Why:  "A 405 without Allow is not valid HTTP, and a list in random order makes every test and cache of it flaky.",
			})
		}
		requireNoCalls(t, tasks, tc.method, tc.target)
	}
}

func TestRouter_404IsProblem(t *testing.T) {
	for _, tc := range []struct{ method, target string }{
		{"GET", "/"}, {"GET", "/v1"}, {"GET", "/v2/tasks"}, {"GET", "/V1/tasks"}, {"GET", "/v1//tasks"},
		{"GET", "/v1/tasks/" + taskID + "/history"}, {"DELETE", "/v1/nope"}, {"BREW", "/v1/nope"},
	} {
		tasks := new(fakeTasks)
		requireProblem(t, serve(t, router.NewRouter(tasks), tc.method, tc.target), do(tc.method, tc.target), notFound,
			"A client parses every error with the same code. One page of plain text makes it fail at the wrong place.")
		requireNoCalls(t, tasks, tc.method, tc.target)
	}
}

func TestRouter_OptionsListsMethods(t *testing.T) {
	for _, tc := range []struct{ target, allow string }{
		{"/v1/tasks", "GET, HEAD, OPTIONS, POST"},
		{"/v1/tasks/" + taskID, "GET, HEAD, OPTIONS"},
	} {
		tasks := new(fakeTasks)
		rec := serve(t, router.NewRouter(tasks), "OPTIONS", tc.target)
		if got := rec.Header()["Allow"]; rec.Code != 204 || !slices.Equal(got, []string{tc.allow}) || rec.Body.Len() > 0 {
			rule.Broken(t, rule.Case{
				Do:   do("OPTIONS", tc.target),
				Got:  rule.Textf("%d, Allow: %q, body %q", rec.Code, got, rec.Body),
				Want: rule.Textf("204, Allow: %q, no body", []string{tc.allow}),
				Why:  "OPTIONS answers which methods a resource has, and does nothing else.",
			})
		}
		requireNoCalls(t, tasks, "OPTIONS", tc.target)
	}
	requireProblem(t, serve(t, router.NewRouter(new(fakeTasks)), "OPTIONS", "/v1/nope"), do("OPTIONS", "/v1/nope"), notFound,
		"A resource that does not exist has no methods either.")
}

func TestRouter_TrailingSlash(t *testing.T) {
	for _, tc := range []struct{ method, target string }{
		{"GET", "/v1/tasks/"}, {"HEAD", "/v1/tasks/"}, {"POST", "/v1/tasks/"}, {"OPTIONS", "/v1/tasks/"}, {"PUT", "/v1/tasks/"},
		{"GET", "/v1/tasks/" + taskID + "/"}, {"GET", "/v1/tasks//"},
	} {
		tasks := new(fakeTasks)
		requireProblem(t, serve(t, router.NewRouter(tasks), tc.method, tc.target), do(tc.method, tc.target), notFound,
			"One resource has one address. Two of them are two entries in caches, metrics and access rules.")
		requireNoCalls(t, tasks, tc.method, tc.target)
	}
}

func TestRouter_404NotPanicForBadID(t *testing.T) {
	for _, id := range []string{
		"t", "tsk", "tsk_", "nope", taskID[:len(taskID)-1], taskID + "0", taskID[4:], "usr_" + taskID[4:],
		"TSK_" + taskID[4:], strings.ToUpper(taskID), "tsk_" + strings.Repeat("i", 26), "tsk_" + strings.Repeat("l", 26),
		"tsk_" + strings.Repeat("o", 26), "tsk_" + strings.Repeat("u", 26), "tsk_" + strings.Repeat("-", 26),
		"tsk_" + strings.Repeat("%C3%A9", 13), "tsk_" + strings.Repeat("%00", 26), taskID + "%0A", "%0A" + taskID,
		"%20" + taskID, "..", ".", "%25", "%FF", strings.Repeat("a", 10_000),
	} {
		target := "/v1/tasks/" + id
		tasks := new(fakeTasks)
		rec := serve(t, router.NewRouter(tasks), "GET", target)
		requireProblem(t, rec, do("GET", target), notFound, "What cannot be the name of a task names no task. The database need not be asked.")
		requireNoCalls(t, tasks, "GET", target)
	}
}

func TestRouter_EncodedSlashInID(t *testing.T) {
	const why = "In a path, %2F is a character of a segment, / is the end of one, and %25 is unescaped once. Whoever unescapes twice, or not at all, checks one name and uses another."
	for _, target := range []string{"/v1/tasks/tsk_%2F", "/v1/tasks/" + taskID + "%2Fhistory", "/v1/tasks/..%2Ftasks", "/v1/tasks/%2574" + taskID[1:]} {
		tasks := new(fakeTasks)
		requireProblem(t, serve(t, router.NewRouter(tasks), "GET", target), do("GET", target), notFound, why)
		requireNoCalls(t, tasks, "GET", target)
	}

	target := "/v1/tasks/%74" + taskID[1:] // %74 is t
	tasks := new(fakeTasks)
	if rec := serve(t, router.NewRouter(tasks), "GET", target); rec.Code != 200 || !slices.Equal(tasks.calls, []string{"Get " + taskID}) {
		rule.Broken(t, rule.Case{
			Do:   do("GET", target),
			Got:  rule.Textf("%d, handlers called: %q", rec.Code, tasks.calls),
			Want: rule.Textf("200, handlers called: %q", []string{"Get " + taskID}),
			Why:  why,
		})
	}

	target = "/v1/tasks/a%2Fb"
	rec := serve(t, router.NewRouter(new(fakeTasks)), "DELETE", target)
	if got := rec.Header().Get("Allow"); rec.Code != 405 || got != "GET, HEAD, OPTIONS" {
		rule.Broken(t, rule.Case{
			Do:   do("DELETE", target),
			Got:  rule.Textf("%d, Allow: %q", rec.Code, got),
			Want: rule.Textf("405, Allow: %q", "GET, HEAD, OPTIONS"),
			Why:  why,
		})
	}
}

func TestProblem_KindMapping(t *testing.T) {
	fields := []router.FieldError{{Field: "title", Code: "required", Message: "must not be empty"}, {Field: "due_at", Code: "past", Message: "must not be in the past"}}
	cause := errors.New("sql: no rows in result set")
	type header = map[string]string
	for _, tc := range []struct {
		do   string
		err  error
		want problem
		with header
	}{
		{do: `&Error{Kind: Malformed}`, err: &router.Error{Kind: router.Malformed}, want: problem{Status: 400, Code: "malformed_json"}},
		{do: `&Error{Kind: Unauthenticated}`, err: &router.Error{Kind: router.Unauthenticated}, want: problem{Status: 401, Code: "unauthenticated"}, with: header{"Www-Authenticate": "Bearer"}},
		{do: `&Error{Kind: Unauthenticated, Code: "token_expired"}`, err: &router.Error{Kind: router.Unauthenticated, Code: "token_expired"}, want: problem{Status: 401, Code: "token_expired"}, with: header{"Www-Authenticate": "Bearer"}},
		{do: `&Error{Kind: Forbidden}`, err: &router.Error{Kind: router.Forbidden}, want: problem{Status: 403, Code: "forbidden"}},
		{do: `&Error{Kind: NotFound}`, err: &router.Error{Kind: router.NotFound}, want: notFoundPlain},
		{do: `&Error{Kind: MethodNotAllowed}`, err: &router.Error{Kind: router.MethodNotAllowed}, want: problem{Status: 405, Code: "method_not_allowed"}},
		{do: `&Error{Kind: Conflict}`, err: &router.Error{Kind: router.Conflict, RetryAfter: time.Second}, want: problem{Status: 409, Code: "conflict"}},
		{do: `&Error{Kind: Conflict, Code: "email_taken", Detail: "this address has an account"}`, err: &router.Error{Kind: router.Conflict, Code: "email_taken", Detail: "this address has an account"}, want: problem{Status: 409, Code: "email_taken", Detail: "this address has an account"}},
		{do: `&Error{Kind: PreconditionFailed}`, err: &router.Error{Kind: router.PreconditionFailed}, want: problem{Status: 412, Code: "precondition_failed"}},
		{do: `&Error{Kind: TooLarge}`, err: &router.Error{Kind: router.TooLarge}, want: problem{Status: 413, Code: "body_too_large"}},
		{do: `&Error{Kind: UnsupportedMedia}`, err: &router.Error{Kind: router.UnsupportedMedia}, want: problem{Status: 415, Code: "unsupported_media_type"}},
		{do: `&Error{Kind: Invalid, Fields: twoFields}`, err: &router.Error{Kind: router.Invalid, Fields: fields}, want: problem{Status: 422, Code: "validation_failed", Errors: fields}},
		{do: `&Error{Kind: PreconditionRequired}`, err: &router.Error{Kind: router.PreconditionRequired}, want: problem{Status: 428, Code: "precondition_required"}},
		{do: `&Error{Kind: RateLimited, RetryAfter: 1500*time.Millisecond}`, err: &router.Error{Kind: router.RateLimited, RetryAfter: 1500 * time.Millisecond}, want: problem{Status: 429, Code: "rate_limited"}, with: header{"Retry-After": "2"}},
		{do: `&Error{Kind: RateLimited}`, err: &router.Error{Kind: router.RateLimited}, want: problem{Status: 429, Code: "rate_limited"}},
		{do: `&Error{}`, err: &router.Error{}, want: internal},
		{do: `&Error{Kind: Unavailable, Code: "overloaded", RetryAfter: 2*time.Second}`, err: &router.Error{Kind: router.Unavailable, Code: "overloaded", RetryAfter: 2 * time.Second}, want: problem{Status: 503, Code: "overloaded"}, with: header{"Retry-After": "2"}},
		{do: `&Error{Kind: Unavailable, RetryAfter: time.Nanosecond}`, err: &router.Error{Kind: router.Unavailable, RetryAfter: 1}, want: problem{Status: 503, Code: "unavailable"}, with: header{"Retry-After": "1"}},
		{do: `&Error{Kind: Timeout}`, err: &router.Error{Kind: router.Timeout}, want: problem{Status: 504, Code: "timeout"}},
		{do: `&Error{Kind: 200}`, err: &router.Error{Kind: 200}, want: internal},

		{do: `fmt.Errorf("get task: %w", &Error{Kind: NotFound, Err: cause})`, err: fmt.Errorf("get task: %w", &router.Error{Kind: router.NotFound, Err: cause}), want: notFoundPlain},
		{do: `errors.Join(cause, &Error{Kind: NotFound})`, err: errors.Join(cause, &router.Error{Kind: router.NotFound}), want: notFoundPlain},
		{do: `&Error{Kind: NotFound, Err: &Error{Kind: Forbidden}}`, err: &router.Error{Kind: router.NotFound, Err: &router.Error{Kind: router.Forbidden}}, want: notFoundPlain},
		{do: `&Error{Kind: Conflict, Err: context.DeadlineExceeded}`, err: &router.Error{Kind: router.Conflict, Err: context.DeadlineExceeded}, want: problem{Status: 409, Code: "conflict"}},
		{do: `&Error{Kind: Internal, Err: &http.MaxBytesError{Limit: 8}}`, err: &router.Error{Err: &http.MaxBytesError{Limit: 8}}, want: internal},
		{do: `fmt.Errorf("decode: %w", &http.MaxBytesError{Limit: 8})`, err: fmt.Errorf("decode: %w", &http.MaxBytesError{Limit: 8}), want: problem{Status: 413, Code: "body_too_large"}},
		{do: `fmt.Errorf("select: %w", context.DeadlineExceeded)`, err: fmt.Errorf("select: %w", context.DeadlineExceeded), want: problem{Status: 504, Code: "timeout"}},
		{do: `errors.New("sql: no rows in result set")`, err: cause, want: internal},
	} {
		captureLog(t)
		rec := httptest.NewRecorder()
		router.WriteProblem(rec, httptest.NewRequest("GET", "/", nil), tc.err)
		text := "WriteProblem(w, r, " + tc.do + ")"
		requireProblem(t, rec, text, tc.want, "Clients decide by status and code whether to log in, to correct the input, to wait or to give up.")
		for _, name := range []string{"Www-Authenticate", "Retry-After"} {
			if got := rec.Header().Get(name); got != tc.with[name] {
				rule.Broken(t, rule.Case{
					Do:   text,
					Got:  rule.Textf("%s: %q", name, got),
					Want: rule.Textf("%s: %q", name, tc.with[name]),
					Why:  "These headers are instructions: how to log in, and how long to stay away.",
				})
			}
		}
	}
}

func TestProblem_5xxHidesCause(t *testing.T) {
	const secret = "dial tcp 10.0.3.7:5432: password of tt_app rejected"
	const why = "A cause names hosts, tables and users. It is for the log, the client gets what was written for it."
	for _, tc := range []struct {
		do   string
		err  error
		want problem
	}{
		{`errors.New(secret)`, errors.New(secret), internal},
		{`&Error{Err: errors.New(secret)}`, &router.Error{Err: errors.New(secret)}, internal},
		{
			`&Error{Detail: secret, Fields: []FieldError{{Message: secret}}}`,
			&router.Error{Detail: secret, Fields: []router.FieldError{{Message: secret}}},
			internal,
		},
		{
			`&Error{Kind: Unavailable, Detail: secret, Fields: []FieldError{{Message: secret}}}`,
			&router.Error{Kind: router.Unavailable, Detail: secret, Fields: []router.FieldError{{Message: secret}}},
			problem{Status: 503, Code: "unavailable"},
		},
		{`fmt.Errorf("%s: %w", secret, context.DeadlineExceeded)`, fmt.Errorf("%s: %w", secret, context.DeadlineExceeded), problem{Status: 504, Code: "timeout"}},
		{`&Error{Kind: NotFound, Err: errors.New(secret)}`, &router.Error{Kind: router.NotFound, Err: errors.New(secret)}, notFoundPlain},
		{
			`fmt.Errorf("%s: %w", secret, &Error{Kind: Conflict, Detail: "try another address"})`,
			fmt.Errorf("%s: %w", secret, &router.Error{Kind: router.Conflict, Detail: "try another address"}),
			problem{Status: 409, Code: "conflict", Detail: "try another address"},
		},
	} {
		captureLog(t)
		rec := httptest.NewRecorder()
		router.WriteProblem(rec, httptest.NewRequest("GET", "/", nil), tc.err)
		requireProblem(t, rec, fmt.Sprintf("secret := %q\nWriteProblem(w, r, %s)", secret, tc.do), tc.want, why)
	}
}

func TestProblem_LogsTheCauseOnce(t *testing.T) {
	const cause = "pq: deadlock detected"
	partial := func(w http.ResponseWriter, _ *http.Request) error {
		fmt.Fprint(w, `{"items":[`)
		return &router.Error{Kind: router.NotFound, Err: errors.New(cause)}
	}
	for _, tc := range []struct {
		do      string
		handler router.HandlerFunc
		want    int
	}{
		{`return errors.New(cause)`, func(http.ResponseWriter, *http.Request) error { return errors.New(cause) }, 1},
		{`return &Error{Kind: Unavailable, Err: errors.New(cause)}`, func(http.ResponseWriter, *http.Request) error {
			return &router.Error{Kind: router.Unavailable, Err: errors.New(cause)}
		}, 1},
		{`return &Error{Kind: NotFound, Err: errors.New(cause)}`, func(http.ResponseWriter, *http.Request) error {
			return &router.Error{Kind: router.NotFound, Err: errors.New(cause)}
		}, 0},
		{`fmt.Fprint(w, "{\"items\":["); return &Error{Kind: NotFound, Err: errors.New(cause)}`, partial, 1},
	} {
		logged := captureLog(t)
		rec, _ := run(tc.handler)
		lines, named := strings.Count(logged.String(), `"level":"ERROR"`), strings.Contains(logged.String(), cause)
		if lines != tc.want || named != (tc.want > 0) || strings.Count(logged.String(), "\n") != tc.want {
			rule.Broken(t, rule.Case{
				Do:   "// in a handler under Handle; cause is \"" + cause + "\"\n" + tc.do,
				Got:  rule.Textf("%d lines at level ERROR; the log:\n%s", lines, logged),
				Want: rule.Text([]string{"nothing in the log", "one line at level ERROR, with the cause"}[tc.want]),
				Why:  "A cause that neither the client nor the log gets is lost, and one that is logged for each 404 hides the others.",
			})
		}
		if tc.want == 0 {
			requireProblem(t, rec, tc.do, notFoundPlain, "")
		}
	}
}

func TestProblem_AfterPartialWriteDoesNotAppend(t *testing.T) {
	captureLog(t)
	for _, tc := range []struct {
		do      string
		handler router.HandlerFunc
	}{
		{`fmt.Fprint(w, "{\"items\":[")
return errors.New("connection reset")`, func(w http.ResponseWriter, _ *http.Request) error {
			fmt.Fprint(w, `{"items":[`)
			return errors.New("connection reset")
		}},
		{`fmt.Fprint(w, "{\"items\":[")
WriteProblem(w, r, errors.New("connection reset"))
return nil`, func(w http.ResponseWriter, r *http.Request) error {
			fmt.Fprint(w, `{"items":[`)
			router.WriteProblem(w, r, errors.New("connection reset"))
			return nil
		}},
	} {
		rec, _ := run(tc.handler)
		if got := rec.Body.String(); got != `{"items":[` || rec.Code != 200 {
			rule.Broken(t, rule.Case{
				Do:   tc.do,
				Got:  rule.Textf("%d %s", rec.Code, got),
				Want: rule.Text(`200 {"items":[`),
				Why:  "The status is out. A problem document after half an answer is garbage with status 200.",
			})
		}
	}
	rec, _ := run(func(http.ResponseWriter, *http.Request) error { return &router.Error{Kind: router.NotFound} })
	requireProblem(t, rec, "return &Error{Kind: NotFound} // nothing was written before", notFoundPlain, "An answer that has not begun can still be an error.")
}

func TestHandle_AbortsAfterPartialWrite(t *testing.T) {
	captureLog(t)
	for _, flush := range []bool{true, false} {
		server := httptest.NewServer(router.Handle(func(w http.ResponseWriter, _ *http.Request) error {
			fmt.Fprint(w, `{"items":[`)
			if flush {
				if err := http.NewResponseController(w).Flush(); err != nil {
					return err
				}
			}
			return errors.New("connection reset")
		}))
		body, err := fetch(server)
		server.Close()
		if err == nil || flush && body != `{"items":[` {
			text := "fmt.Fprint(w, \"{\\\"items\\\":[\")\n"
			if flush {
				text += "http.NewResponseController(w).Flush()\n"
			}
			rule.Broken(t, rule.Case{
				Do:   text + `return errors.New("connection reset")`,
				Got:  rule.Textf("the client reads %q, error %v", body, err),
				Want: rule.Text("the client reads at most what the handler wrote, and gets an error"),
				Why:  "A handler that returns ends its answer in good order, and the client takes half a list for the whole.",
			})
		}
	}
}

func TestHandle_PassesSuccessThrough(t *testing.T) {
	logged := captureLog(t)
	rec, panicked := run(func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Location", "/v1/tasks/1")
		w.WriteHeader(http.StatusCreated)
		_, err := io.WriteString(w, `{"id":1}`)
		return err
	})
	if rec.Code != 201 || rec.Body.String() != `{"id":1}` || rec.Header().Get("Location") != "/v1/tasks/1" || panicked != nil || logged.Len() > 0 {
		rule.Broken(t, rule.Case{
			Do:   "w.Header().Set(\"Location\", \"/v1/tasks/1\")\nw.WriteHeader(201)\nfmt.Fprint(w, \"{\\\"id\\\":1}\")\nreturn nil",
			Got:  rule.Textf("%d %s, Location %q, panic %v, log %q", rec.Code, rec.Body, rec.Header().Get("Location"), panicked, logged),
			Want: rule.Text(`201 {"id":1}, Location "/v1/tasks/1"`),
			Why:  "The adapter is on the way of every request. It must not be seen when all is well.",
		})
	}
}

func TestHandle_WhatBeginsAnAnswer(t *testing.T) {
	captureLog(t)
	for _, tc := range []struct {
		do     string
		before func(w http.ResponseWriter)
		begun  bool
	}{
		{"w.WriteHeader(http.StatusEarlyHints)", func(w http.ResponseWriter) { w.WriteHeader(http.StatusEarlyHints) }, false},
		{`w.Header().Set("ETag", "\"v7\"")`, func(w http.ResponseWriter) { w.Header().Set("ETag", `"v7"`) }, false},
		{"w.WriteHeader(http.StatusOK)", func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) }, true},
		{"w.WriteHeader(http.StatusCreated)", func(w http.ResponseWriter) { w.WriteHeader(http.StatusCreated) }, true},
		{"w.WriteHeader(http.StatusSwitchingProtocols)", func(w http.ResponseWriter) { w.WriteHeader(http.StatusSwitchingProtocols) }, true},
		{"w.Write(nil)", func(w http.ResponseWriter) { _, _ = w.Write(nil) }, true},
		{"http.NewResponseController(w).Flush()", func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }, true},
	} {
		handler := router.Handle(func(w http.ResponseWriter, _ *http.Request) error {
			tc.before(w)
			return &router.Error{Kind: router.NotFound}
		})
		panics := make(chan any, 1)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				value := recover()
				panics <- value
				if value != nil {
					panic(value)
				}
			}()
			handler.ServeHTTP(w, r)
		}))
		body, _ := fetch(server)
		panicked := <-panics
		server.Close()

		got, want := rule.Text("a problem document"), rule.Text("a problem document")
		if tc.begun {
			want = "no document, and a panic of http.ErrAbortHandler"
		}
		if !strings.Contains(body, "not_found") || panicked != nil {
			got = rule.Textf("body %q, panic %v", body, panicked)
			if body == "" && panicked == http.ErrAbortHandler {
				got = "no document, and a panic of http.ErrAbortHandler"
			}
		}
		if got != want {
			rule.Broken(t, rule.Case{
				Do:   tc.do + "\nreturn &Error{Kind: NotFound}",
				Got:  got,
				Want: want,
				Why:  "An answer has begun once its final status is out, by whatever way. A 103 is not final.",
			})
		}
	}
}

func TestHandle_FlushThatFails(t *testing.T) {
	captureLog(t)
	flush := func(before string) (rec *httptest.ResponseRecorder, flushed error, panicked any) {
		rec = httptest.NewRecorder()
		defer func() { panicked = recover() }()
		router.Handle(func(w http.ResponseWriter, _ *http.Request) error {
			if before != "" {
				_, _ = io.WriteString(w, before)
			}
			flushed = http.NewResponseController(w).Flush()
			return &router.Error{Kind: router.NotFound}
		}).ServeHTTP(struct{ http.ResponseWriter }{rec}, httptest.NewRequest("GET", "/", nil))
		return rec, flushed, nil
	}

	const text = `w = struct{ http.ResponseWriter }{w} // a middleware whose writer cannot flush
// in the handler
`
	rec, flushed, panicked := flush("")
	if !errors.Is(flushed, http.ErrNotSupported) {
		rule.Broken(t, rule.Case{
			Do: text + "http.NewResponseController(w).Flush()", Got: flushed, Want: http.ErrNotSupported,
			Why: "Who streams events has to hear that nothing reaches the client before the end.",
		})
	}
	if panicked != nil {
		rule.Broken(t, rule.Case{
			Do:   text + "http.NewResponseController(w).Flush()\nreturn &Error{Kind: NotFound}",
			Got:  rule.Textf("panic: %v", panicked),
			Want: rule.Text("a problem document"),
			Why:  "A flush that failed has sent nothing, and an answer that has not begun can still be an error.",
		})
	}
	requireProblem(t, rec, text+"http.NewResponseController(w).Flush()\nreturn &Error{Kind: NotFound}", notFoundPlain,
		"A flush that failed has sent nothing, and an answer that has not begun can still be an error.")

	rec, _, panicked = flush(`{"items":[`)
	if body := rec.Body.String(); body != `{"items":[` || panicked != http.ErrAbortHandler {
		rule.Broken(t, rule.Case{
			Do:   text + "fmt.Fprint(w, \"{\\\"items\\\":[\")\nhttp.NewResponseController(w).Flush()\nreturn &Error{Kind: NotFound}",
			Got:  rule.Textf("body %q, panic %v", body, panicked),
			Want: rule.Textf("body %q, panic %v", `{"items":[`, http.ErrAbortHandler),
			Why:  "What was written before stays written, whatever becomes of the flush.",
		})
	}
}

func TestPattern_NeverThePath(t *testing.T) {
	const one, list, none = "/v1/tasks/{id}", "/v1/tasks", "unmatched"
	for _, tc := range []struct {
		method, target string
		want           []string
	}{
		{"GET", "/v1/tasks/" + taskID, []string{one}},
		{"HEAD", "/v1/tasks/tsk_" + strings.Repeat("0", 26), []string{one}},
		{"GET", "/v1/tasks/nope", []string{one}},
		{"GET", "/v1/tasks/a%2Fb", []string{one}},
		{"GET", "/v1/tasks?q=1", []string{list}},
		{"POST", "/v1/tasks", []string{list}},
		{"GET", "/", []string{none}},
		{"GET", "/wp-login.php", []string{none}},
		{"GET", "/v1/tasks/", []string{none}},
		{"BREW", "/v1/nope", []string{none}},
		{"PUT", "/v1/tasks", []string{list, none}},
		{"OPTIONS", "/v1/tasks/" + taskID, []string{one, none}},
	} {
		var before, after, inside string
		tasks := &fakeTasks{get: func(_ http.ResponseWriter, r *http.Request, _ string) error {
			inside = router.Pattern(r)
			return nil
		}}
		metrics := func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				before = router.Pattern(r)
				next.ServeHTTP(w, r)
				after = router.Pattern(r)
			})
		}
		serve(t, router.NewRouter(tasks, metrics, tracing), tc.method, tc.target)

		text := fmt.Sprintf("// in the outermost middleware of two; the inner one calls next.ServeHTTP(w, r.WithContext(ctx)); %s %s\n", tc.method, tc.target)
		if !slices.Contains(tc.want, after) {
			rule.Broken(t, rule.Case{
				Do:   text + "next.ServeHTTP(w, r)\nPattern(r)",
				Got:  after,
				Want: rule.Text(strings.Join(quote(tc.want), " or ")),
				Why:  "Every value of a metric's label is a time series in memory. A path with an id in it makes one for each task, and a scanner makes the rest.",
			})
		}
		if before != none {
			rule.Broken(t, rule.Case{Do: text + "Pattern(r)\nnext.ServeHTTP(w, r)", Got: before, Want: none, Why: "Before routing there is no route."})
		}
		if inside != "" && inside != one {
			rule.Broken(t, rule.Case{Do: "// in the handler of " + tc.target + "\nPattern(r)", Got: inside, Want: one})
		}
	}
	if got := router.Pattern(httptest.NewRequest("GET", "/v1/tasks", nil)); got != none {
		rule.Broken(t, rule.Case{
			Do: `Pattern(httptest.NewRequest("GET", "/v1/tasks", nil)) // no router saw it`, Got: got, Want: none,
			Why: "A server has handlers beside this router, and they have metrics too.",
		})
	}
}

// tracing is a middleware that hands a copy of the request to the next handler.
func tracing(next http.Handler) http.Handler {
	type key struct{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, "span")))
	})
}

func TestProblem_AcceptNegotiation(t *testing.T) {
	const problemJSON, plainJSON = "application/problem+json", "application/json"
	for _, tc := range []struct {
		accept []string
		want   string
	}{
		{nil, problemJSON},
		{[]string{"*/*"}, problemJSON},
		{[]string{"application/*"}, problemJSON},
		{[]string{"application/problem+json"}, problemJSON},
		{[]string{"application/json"}, plainJSON},
		{[]string{"Application/JSON; charset=utf-8"}, plainJSON},
		{[]string{"text/html", "application/json;q=0.1"}, plainJSON},
		{[]string{"application/json, application/problem+json;q=0.1"}, problemJSON},
		{[]string{"application/json, application/problem+json;q=0"}, plainJSON},
		{[]string{"application/json, */*;q=0.1"}, problemJSON},
		{[]string{"application/json, application/*;q=0, */*"}, plainJSON},
		{[]string{"application/problem+json;q=0, */*"}, plainJSON},
		{[]string{"text/html"}, problemJSON},
		{[]string{"text/html, application/json;q=0.000"}, problemJSON},
		{[]string{"application/jsonp, application/json-patch+json"}, problemJSON},
		{[]string{";;, application/json"}, plainJSON},
		{[]string{"application/json;q"}, problemJSON},
		{[]string{"application/problem+json;q=x, */*"}, problemJSON},
		{[]string{""}, problemJSON},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		text := `r := httptest.NewRequest("GET", "/", nil)` + "\n"
		for _, line := range tc.accept {
			r.Header.Add("Accept", line)
			text += fmt.Sprintf("r.Header.Add(\"Accept\", %q)\n", line)
		}
		rec := httptest.NewRecorder()
		rec.Header().Set("Vary", "Authorization")
		router.WriteProblem(rec, r, &router.Error{Kind: router.NotFound})
		header := rec.Result().Header
		if got := header.Get("Content-Type"); got != tc.want || rec.Code != 404 || !strings.Contains(rec.Body.String(), "not_found") {
			rule.Broken(t, rule.Case{
				Do:   text + "WriteProblem(w, r, &Error{Kind: NotFound})",
				Got:  rule.Textf("%d, Content-Type: %q", rec.Code, got),
				Want: rule.Textf("404, Content-Type: %q", tc.want),
				Why:  "Some clients parse only what they asked for. None is helped by a 406 in place of its error.",
			})
		}
		var vary []string
		for _, line := range header["Vary"] {
			for name := range strings.SplitSeq(line, ",") {
				vary = append(vary, textproto.TrimString(name))
			}
		}
		if slices.Sort(vary); !slices.Equal(vary, []string{"Accept", "Authorization"}) {
			rule.Broken(t, rule.Case{
				Do:   `w.Header().Set("Vary", "Authorization")` + "\n" + text + "WriteProblem(w, r, &Error{Kind: NotFound})",
				Got:  rule.Textf("Vary: %q", vary),
				Want: rule.Textf("Vary: %q", []string{"Accept", "Authorization"}),
				Why:  "A cache must know that another Accept may get another answer.",
			})
		}
	}
}

func TestRouter_Table(t *testing.T) {
	for _, tc := range []struct {
		method, target string
		status         int
		call           string
	}{
		{"GET", "/v1/tasks", 200, "List"},
		{"GET", "/v1/tasks?label=a%2Fb", 200, "List"},
		{"HEAD", "/v1/tasks", 200, "List"},
		{"POST", "/v1/tasks", 201, "Create"},
		{"GET", "/v1/tasks/" + taskID, 200, "Get " + taskID},
		{"GET", "/v1/tasks/tsk_0123456789abcdefghjkmnpqrs", 200, "Get tsk_0123456789abcdefghjkmnpqrs"},
		{"GET", "/v1/tasks/tsk_ttttttttttvvvvvvvvvvwxyz00", 200, "Get tsk_ttttttttttvvvvvvvvvvwxyz00"},
		{"HEAD", "/v1/tasks/" + taskID, 200, "Get " + taskID},
	} {
		tasks := new(fakeTasks)
		rec := serve(t, router.NewRouter(tasks), tc.method, tc.target)
		if rec.Code != tc.status || !slices.Equal(tasks.calls, []string{tc.call}) {
			rule.Broken(t, rule.Case{
				Do:   do(tc.method, tc.target),
				Got:  rule.Textf("%d, handlers called: %q", rec.Code, tasks.calls),
				Want: rule.Textf("%d, handlers called: %q", tc.status, []string{tc.call}),
				Why:  "This is the table in the README, and the API that clients are written against.",
			})
		}
	}
}

// problem is the document as clients read it.
type problem struct {
	Type      string              `json:"type"`
	Title     string              `json:"title"`
	Status    int                 `json:"status"`
	Detail    string              `json:"detail"`
	Code      string              `json:"code"`
	RequestID string              `json:"request_id"`
	Errors    []router.FieldError `json:"errors"`
}

// anyDetail in a wanted problem stands for any detail, or none.
const anyDetail = "*"

var (
	notFound      = problem{Status: 404, Code: "not_found", Detail: anyDetail}
	notFoundPlain = problem{Status: 404, Code: "not_found"}
	internal      = problem{Status: 500, Code: "internal"}
)

// requireProblem checks the whole answer. Type and title follow from want.
func requireProblem(t *testing.T, rec *httptest.ResponseRecorder, do string, want problem, why string) {
	t.Helper()
	want.Type = "https://tasktracker.example/problems/" + want.Code
	want.Title = http.StatusText(want.Status)
	header := rec.Result().Header

	if contentType := header.Get("Content-Type"); rec.Code != want.Status || contentType != "application/problem+json" {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("%d, Content-Type: %q, body %q", rec.Code, contentType, rec.Body),
			Want: rule.Textf("%d, Content-Type: %q", want.Status, "application/problem+json"),
			Why:  why,
		})
	}
	var got problem
	members := map[string]any{}
	err := errors.Join(json.Unmarshal(rec.Body.Bytes(), &got), json.Unmarshal(rec.Body.Bytes(), &members))
	if err != nil {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("body %q: %v", rec.Body, err), Want: rule.Text("one JSON document"), Why: why})
	}
	if want.Detail == anyDetail {
		want.Detail = got.Detail
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		if want.Detail == "" && got.Detail != "" {
			why = "The text of an error is written for the log. A client gets the detail that was written for it, or none."
		}
		rule.Broken(t, rule.Case{Do: do, Got: rule.Text(rec.Body.String()), Want: rule.Text(marshal(want)), Why: why})
	}
	var optional []string
	for name, empty := range map[string]bool{"detail": want.Detail == "", "request_id": want.RequestID == "", "errors": len(want.Errors) == 0} {
		if !empty {
			optional = append(optional, name)
		}
	}
	names := slices.Sorted(slices.Values(append(optional, "code", "status", "title", "type")))
	if got := slices.Sorted(maps.Keys(members)); !slices.Equal(got, names) {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("members %q", got), Want: rule.Textf("members %q", names),
			Why: "A member that is empty says nothing, and one that is not in the contract is a leak or a promise.",
		})
	}
}

func marshal(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// fakeTasks writes down who was called. A nil function answers with success.
type fakeTasks struct {
	list  router.HandlerFunc
	get   func(w http.ResponseWriter, r *http.Request, id string) error
	mu    sync.Mutex
	calls []string
}

func (f *fakeTasks) called(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, name)
}

func (f *fakeTasks) List(w http.ResponseWriter, r *http.Request) error {
	f.called("List")
	if f.list != nil {
		return f.list(w, r)
	}
	return nil
}

func (f *fakeTasks) Get(w http.ResponseWriter, r *http.Request, id string) error {
	f.called("Get " + id)
	if f.get != nil {
		return f.get(w, r, id)
	}
	return nil
}

func (f *fakeTasks) Create(w http.ResponseWriter, _ *http.Request) error {
	f.called("Create")
	w.WriteHeader(http.StatusCreated)
	return nil
}

func requireNoCalls(t *testing.T, tasks *fakeTasks, method, target string) {
	t.Helper()
	if len(tasks.calls) > 0 {
		rule.Broken(t, rule.Case{
			Do: do(method, target), Got: rule.Textf("handlers called: %q", tasks.calls), Want: rule.Text("no handler called"),
			Why: "This request has no handler.",
		})
	}
}

func do(method, target string) string {
	if len(target) > 200 {
		return fmt.Sprintf("target := \"/v1/tasks/\" + strings.Repeat(\"a\", %d)\nNewRouter(tasks).ServeHTTP(w, httptest.NewRequest(%q, target, nil))", len(target)-len("/v1/tasks/"), method)
	}
	return fmt.Sprintf("NewRouter(tasks).ServeHTTP(w, httptest.NewRequest(%q, %q, nil))", method, target)
}

// serve lets h answer one request. A panic of h fails the test.
func serve(t *testing.T, h http.Handler, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	rec := httptest.NewRecorder()
	panicked := func() (value any) {
		defer func() { value = recover() }()
		h.ServeHTTP(rec, httptest.NewRequest(method, target, nil))
		return nil
	}()
	if panicked != nil {
		rule.Broken(t, rule.Case{
			Do:   do(method, target),
			Got:  rule.Textf("panic: %v", panicked),
			Want: rule.Text("an answer"),
			Why:  "A request is written by strangers. One that panics costs a connection and a stack in the log, every time they like.",
		})
	}
	return rec
}

// run serves one request with h and returns what h panicked with, if it did.
func run(h router.HandlerFunc) (rec *httptest.ResponseRecorder, panicked any) {
	rec = httptest.NewRecorder()
	defer func() { panicked = recover() }()
	router.Handle(h).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	return rec, nil
}

// fetch gets the root of server and reads the answer to its end.
func fetch(server *httptest.Server) (body string, err error) {
	res, err := server.Client().Get(server.URL)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

// roundTrip sends one request on a connection of its own. rest is all that the
// server sends after the header.
func roundTrip(t *testing.T, server *httptest.Server, method, target string) (res *http.Response, rest string) {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n", method, target)
	reader := bufio.NewReader(conn)
	res, err = http.ReadResponse(reader, httptest.NewRequest("HEAD", target, nil)) // leaves the body in the reader
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

// captureLog makes a buffer the destination of slog until the test ends.
func captureLog(t *testing.T) *bytes.Buffer {
	t.Helper()
	logger, out, flags := slog.Default(), log.Writer(), log.Flags()
	t.Cleanup(func() {
		slog.SetDefault(logger)
		log.SetOutput(out)
		log.SetFlags(flags)
	})
	buf := new(bytes.Buffer)
	slog.SetDefault(slog.New(slog.NewJSONHandler(buf, nil)))
	return buf
}

func quote(list []string) []string {
	var quoted []string
	for _, s := range list {
		quoted = append(quoted, fmt.Sprintf("%q", s))
	}
	return quoted
}
