//course:since m04a

package httpapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
	"github.com/middle-go/course/tasktracker/infra/eventlog"
	"github.com/middle-go/course/tasktracker/infra/memory"
	"github.com/middle-go/course/tasktracker/infra/system"
	"github.com/middle-go/course/tasktracker/web/cursor"
	"github.com/middle-go/course/tasktracker/web/idempotency"
	"github.com/middle-go/course/tasktracker/web/strictjson"
)

// testAPI is the API on stores in memory. It trusts the header X-TT-User.
type testAPI struct {
	http.Handler
	logs *bytes.Buffer
}

// idsInOrder makes ids in the order of the calls. The real ones know no order within
// a millisecond.
type idsInOrder struct{ last atomic.Int64 }

func (ids *idsInOrder) NewTaskID() (domain.TaskID, error) {
	return domain.NewTaskID(time.UnixMilli(ids.last.Add(1)), rand.Reader)
}

func newTestAPI(tb testing.TB, options ...func(*Config)) testAPI {
	tb.Helper()
	key := make([]byte, cursor.MinKeyLen)
	_, _ = rand.Read(key)
	codec, err := cursor.NewCodec(key)
	if err != nil {
		tb.Fatal(err)
	}
	logs := new(bytes.Buffer)
	log := slog.New(slog.NewJSONHandler(logs, nil))
	cfg := Config{
		Tasks:          app.NewTasks(memory.NewTaskRepo(), system.Clock{}, new(idsInOrder), eventlog.Events{Log: log}),
		Idempotency:    idempotency.NewMemoryStore(time.Hour, time.Hour),
		Cursors:        codec,
		Log:            log,
		Now:            time.Now,
		Ready:          func(context.Context) error { return nil },
		MaxBody:        64 << 10,
		RequestTimeout: time.Minute,
	}
	//course:since m04b
	cfg.TrustDev = true
	//course:end
	for _, option := range options {
		option(&cfg)
	}
	return testAPI{Handler: New(cfg), logs: logs}
}

func request(method, target, contentType string, body []byte) *http.Request {
	r := httptest.NewRequest(method, target, bytes.NewReader(body))
	r.Header.Set("X-TT-User", "usr_ada")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

func (h testAPI) serve(r *http.Request) *httptest.ResponseRecorder {
	h.logs.Reset()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// create returns the id of a new task.
func (h testAPI) create(tb testing.TB, body string) string {
	tb.Helper()
	w := h.serve(request("POST", "/v1/tasks", jsonType, []byte(body)))
	var task struct{ ID string }
	decodeAnswer(tb, w, &task)
	return task.ID
}

func decodeAnswer(tb testing.TB, w *httptest.ResponseRecorder, v any) {
	tb.Helper()
	if w.Code >= 300 {
		tb.Fatalf("answer %d: %s", w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		tb.Fatal(err)
	}
}

func TestProblemOf_EveryErrorHasItsAnswer(t *testing.T) {
	_, badJSON := parse[newTask]([]byte(`{"title":`))
	_, unknown := parse[newTask]([]byte(`{"titel":"a"}`))
	for _, tc := range []struct {
		err    error
		status int
		code   string
	}{
		{errs.E("op", errs.NotFound, domain.ErrNotFound), 404, "not_found"},
		{errs.E("op", errs.Conflict, domain.ErrConflict), 409, "conflict"},
		{errs.E("op", errs.Conflict, &domain.TransitionError{From: domain.StatusDone, To: domain.StatusBlocked}), 409, "invalid_transition"},
		{errs.E("op", errs.Invalid, &errs.ValidationError{}), 422, "validation_failed"},
		{errs.E("op", errs.Forbidden, errors.New("x")), 403, "forbidden"},
		{errs.E("op", errs.Unavailable, errors.New("disk")), 503, "unavailable"},
		{fmt.Errorf("query: %w", context.DeadlineExceeded), 504, "timeout"},
		{fmt.Errorf("query: %w", context.Canceled), 503, "unavailable"},
		{errors.New("nobody knows"), 500, "internal"},
		{badJSON, 400, "malformed_json"},
		{unknown, 422, "validation_failed"},
		{strictjson.ErrTooLarge, 413, "body_too_large"},
		{&http.MaxBytesError{Limit: 1}, 413, "body_too_large"},
		{strictjson.ErrEmpty, 400, "malformed_json"},
		{fmt.Errorf("page: %w", cursor.ErrInvalidCursor), 400, "invalid_cursor"},
		{errNoRoute, 404, "not_found"},
	} {
		if p := problemOf(tc.err); p.Status != tc.status || p.Code != tc.code {
			t.Errorf("problemOf(%v) = %d %s, want %d %s", tc.err, p.Status, p.Code, tc.status, tc.code)
		}
	}
}

func TestFail_TellsTheCauseToTheLogOnly(t *testing.T) {
	logs := new(bytes.Buffer)
	a := &api{Config{Log: slog.New(slog.NewJSONHandler(logs, nil))}}
	w := httptest.NewRecorder()
	const secret = "dial db-7.internal: refused"
	a.handle(func(http.ResponseWriter, *http.Request) error { return errors.New(secret) })(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 500 || bytes.Contains(w.Body.Bytes(), []byte("db-7")) {
		t.Errorf("answer = %d %s, want 500 without the cause", w.Code, w.Body)
	}
	if !bytes.Contains(logs.Bytes(), []byte(secret)) {
		t.Errorf("the log lacks the cause: %s", logs)
	}
}

func TestAccepts_MostSpecificRangeDecides(t *testing.T) {
	for accept, want := range map[string]bool{
		"*/*":                              true,
		"application/*":                    true,
		"application/json":                 true,
		"text/html":                        false,
		"text/html, */*;q=0.1":             true,
		"*/*, application/json;q=0":        false,
		"application/json;q=0.000":         false,
		"application/json;q=x":             false,
		"text/html,application/json;q=0.5": true,
		";;;":                              false,
	} {
		if got := accepts(accept, jsonType); got != want {
			t.Errorf("accepts(%q) = %v, want %v", accept, got, want)
		}
	}
}
