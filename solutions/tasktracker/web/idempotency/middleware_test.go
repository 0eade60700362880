//course:since m04a

package idempotency_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/tasktracker/web/idempotency"
	"github.com/middle-go/course/tasktracker/web/problem"
)

// guarded is a handler behind the middleware. The user of a request is its header
// User.
type guarded struct {
	http.Handler
	runs int // of the handler
}

func guard(store idempotency.Store, handler http.HandlerFunc) *guarded {
	g := &guarded{}
	user := func(r *http.Request) string { return r.Header.Get("User") }
	g.Handler = idempotency.Middleware(store, user, 16)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.runs++
		handler(w, r)
	}))
	return g
}

func newStore() idempotency.Store { return idempotency.NewMemoryStore(time.Hour, time.Minute) }

func (g *guarded) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

func (g *guarded) post(key, body string) *httptest.ResponseRecorder {
	return g.send(request(key, body))
}

func request(key, body string) *http.Request {
	r := httptest.NewRequest("POST", "/v1/tasks", strings.NewReader(body))
	r.Header.Set("Idempotency-Key", key)
	return r
}

func wantProblem(t *testing.T, w *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	var doc struct{ Code string }
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != status || doc.Code != code {
		t.Errorf("answer %d %s, want %d %s", w.Code, w.Body, status, code)
	}
}

// create answers as a create does, with what it has read.
func create(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.WriteHeader(http.StatusEarlyHints) // is not the answer yet
	w.Header().Set("Location", "/v1/tasks/1")
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, "created from %s", body)
}

func TestMiddleware_ARepetitionGetsTheSameAnswer(t *testing.T) {
	for _, method := range []string{"POST", "PATCH"} {
		g := guard(newStore(), create)
		send := func() *httptest.ResponseRecorder {
			r := request("k", "{}")
			r.Method = method
			return g.send(r)
		}
		first, again := send(), send()
		if g.runs != 1 || first.Code != http.StatusCreated || first.Body.String() != "created from {}" {
			t.Errorf("%s: the handler ran %d times, first answer %d %q", method, g.runs, first.Code, first.Body)
		}
		want := first.Header().Clone()
		want.Set("Idempotency-Replayed", "true")
		if diff := cmp.Diff(want, again.Header()); diff != "" || again.Code != first.Code || again.Body.String() != first.Body.String() {
			t.Errorf("%s: second answer %d %q, headers (-want +got):\n%s", method, again.Code, again.Body, diff)
		}
	}
}

func TestMiddleware_AKeyBelongsToOneRequestOfOneUser(t *testing.T) {
	g := guard(newStore(), create)
	g.post("k", "{}")
	wantProblem(t, g.post("k", "[]"), http.StatusUnprocessableEntity, "idempotency_mismatch")
	elsewhere := request("k", "{}")
	elsewhere.URL.RawQuery = "dry=1"
	wantProblem(t, g.send(elsewhere), http.StatusUnprocessableEntity, "idempotency_mismatch")
	eve := request("k", "[]")
	eve.Header.Set("User", "eve")
	if w := g.send(eve); w.Code != http.StatusCreated || g.runs != 2 {
		t.Errorf("the key of another user = %d %q", w.Code, w.Body)
	}
}

func TestMiddleware_WhileTheFirstRunsNobodyElseDoes(t *testing.T) {
	var g *guarded
	g = guard(newStore(), func(w http.ResponseWriter, r *http.Request) {
		wantProblem(t, g.post("k", "{}"), http.StatusConflict, "idempotency_in_flight")
		w.WriteHeader(http.StatusNoContent)
	})
	if w := g.post("k", "{}"); w.Code != http.StatusNoContent || g.runs != 1 {
		t.Errorf("answer %d after %d runs of the handler, want 204 after 1", w.Code, g.runs)
	}
}

func TestMiddleware_AFailureOfOursMayBeRepeated(t *testing.T) {
	var fail func(w http.ResponseWriter)
	g := guard(newStore(), func(w http.ResponseWriter, r *http.Request) { fail(w) })

	fail = func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }
	if w := g.post("k", "{}"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("first answer %d, want 503", w.Code)
	}
	fail = func(http.ResponseWriter) { panic("bug") }
	func() {
		defer func() {
			if v := recover(); v != "bug" {
				t.Errorf("the panic of the handler became %v", v)
			}
		}()
		g.post("k", "{}")
	}()
	fail = func(w http.ResponseWriter) { w.WriteHeader(http.StatusConflict) } // the client's, and kept
	for range 2 {
		if w := g.post("k", "{}"); w.Code != http.StatusConflict || g.runs != 3 {
			t.Errorf("answer %d after %d runs of the handler, want 409 after 3", w.Code, g.runs)
		}
	}
}

// patient is a store that needs a context which is not done, as databases do.
type patient struct{ idempotency.Store }

func (p patient) Finish(ctx context.Context, scope, key string, s idempotency.Stored) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.Store.Finish(ctx, scope, key, s)
}

func TestMiddleware_TheAnswerIsKeptForAClientThatHasLeft(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	g := guard(patient{newStore()}, func(w http.ResponseWriter, r *http.Request) {
		leave()
	})
	g.send(request("k", "{}").WithContext(ctx))
	if w := g.post("k", "{}"); w.Code != http.StatusOK || w.Header().Get("Idempotency-Replayed") == "" || g.runs != 1 {
		t.Errorf("second answer %d after %d runs of the handler, want a replay of 200 after 1", w.Code, g.runs)
	}
}

func TestMiddleware_EveryAnswerHasTheIDOfItsRequest(t *testing.T) {
	g := guard(newStore(), func(w http.ResponseWriter, r *http.Request) {
		problem.Write(w, problem.Problem{Status: http.StatusUnprocessableEntity, Code: "validation_failed"})
	})
	for _, id := range []string{"req_1", "req_2"} {
		w := httptest.NewRecorder()
		w.Header().Set("X-Request-ID", id)
		g.ServeHTTP(w, request("k", "{}"))
		var doc struct {
			RequestID string `json:"request_id"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || doc.RequestID != "req_1" {
			t.Errorf("request_id in %s, want req_1, the request that was carried out", w.Body)
		}
		if got := w.Header().Values("X-Request-ID"); !cmp.Equal(got, []string{id}) {
			t.Errorf("X-Request-ID = %q, want %s", got, id)
		}
	}
}

func TestMiddleware_RefusesWhatItCannotKeep(t *testing.T) {
	g := guard(newStore(), create)
	for _, key := range []string{"", "a b", "ключ", "\x7f", strings.Repeat("k", 65)} {
		wantProblem(t, g.post(key, "{}"), http.StatusBadRequest, "invalid_header")
	}
	twice := request("k", "{}")
	twice.Header.Add("Idempotency-Key", "k")
	wantProblem(t, g.send(twice), http.StatusBadRequest, "invalid_header")
	wantProblem(t, g.post("k", strings.Repeat("x", 17)), http.StatusRequestEntityTooLarge, "body_too_large")
	if g.runs != 0 {
		t.Errorf("the handler ran %d times", g.runs)
	}
	if w := g.post(strings.Repeat("~", 64), strings.Repeat("x", 16)); w.Code != http.StatusCreated {
		t.Errorf("the longest key and body = %d %s", w.Code, w.Body)
	}
}

func TestMiddleware_OtherRequestsPass(t *testing.T) {
	g := guard(nil, http.NotFound) // a call of the store would panic
	get := request("k", "")
	get.Method = "GET"
	noKey := request("k", strings.Repeat("x", 100))
	noKey.Header.Del("Idempotency-Key")
	for _, r := range []*http.Request{get, noKey} {
		if w := g.send(r); w.Code != http.StatusNotFound {
			t.Errorf("%s = %d %s, want the answer of the handler", r.Method, w.Code, w.Body)
		}
	}
}

// broken is a store whose Begin or Finish fails.
type broken struct {
	idempotency.Store
	begin, finish error
}

func (b broken) Begin(ctx context.Context, scope, key string, fp [32]byte) (idempotency.Stored, idempotency.State, error) {
	if b.begin != nil {
		return idempotency.Stored{}, 0, b.begin
	}
	return b.Store.Begin(ctx, scope, key, fp)
}

func (b broken) Finish(context.Context, string, string, idempotency.Stored) error { return b.finish }

func TestMiddleware_WithoutAStoreNothingBegins(t *testing.T) {
	g := guard(broken{begin: errors.New("db-7 refused")}, create)
	w := g.post("k", "{}")
	wantProblem(t, w, http.StatusServiceUnavailable, "unavailable")
	if g.runs != 0 || strings.Contains(w.Body.String(), "db-7") {
		t.Errorf("the handler ran %d times, answer %s", g.runs, w.Body)
	}
}

func TestMiddleware_WorkThatIsDoneIsAnswered(t *testing.T) {
	g := guard(broken{Store: newStore(), finish: errors.New("db-7 refused")}, create)
	if w := g.post("k", "{}"); w.Code != http.StatusCreated {
		t.Errorf("first answer %d %s, want the one of the handler", w.Code, w.Body)
	}
	wantProblem(t, g.post("k", "{}"), http.StatusConflict, "idempotency_in_flight") // and not a second run
}
