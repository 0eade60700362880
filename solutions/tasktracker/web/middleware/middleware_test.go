//course:since m04a

package middleware_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/tasktracker/web/middleware"
)

// serve sends r through mw to the handler. It returns the answer, and what the
// handler or mw has panicked with.
func serve(mw middleware.Middleware, r *http.Request, handler http.HandlerFunc) (w *httptest.ResponseRecorder, panicked any) {
	w = httptest.NewRecorder()
	defer func() { panicked = recover() }()
	mw(handler).ServeHTTP(w, r)
	return w, nil
}

func get(path string) *http.Request { return httptest.NewRequest("GET", path, nil) }

func code(w *httptest.ResponseRecorder) string {
	var doc struct{ Code string }
	_ = json.Unmarshal(w.Body.Bytes(), &doc)
	return doc.Code
}

func TestRequestID_BelievesOnlyAnIDThatIsWellFormed(t *testing.T) {
	for name, tc := range map[string]struct {
		sent []string
		kept bool
	}{
		"well formed": {[]string{"Az09._-"}, true},
		"longest":     {[]string{strings.Repeat("a", 64)}, true},
		"too long":    {[]string{strings.Repeat("a", 65)}, false},
		"none":        {nil, false},
		"empty":       {[]string{""}, false},
		"two":         {[]string{"a", "a"}, false},
		"quote":       {[]string{`a"b`}, false},
		"new line":    {[]string{"a\nb"}, false},
	} {
		r := get("/")
		r.Header["X-Request-Id"] = tc.sent
		var id string
		w, _ := serve(middleware.RequestID, r, func(_ http.ResponseWriter, r *http.Request) {
			id = middleware.RequestIDFrom(r.Context())
		})
		kept := len(tc.sent) > 0 && id == tc.sent[0]
		if id == "" || kept != tc.kept || w.Header().Get("X-Request-ID") != id {
			t.Errorf("%s: id %q, answer %q; want the client's: %v", name, id, w.Header().Get("X-Request-ID"), tc.kept)
		}
	}
	if id := middleware.RequestIDFrom(t.Context()); id != "" {
		t.Errorf("id without a request = %q", id)
	}
}

func TestSecurityHeaders_AHandlerMayReplaceThem(t *testing.T) {
	w, _ := serve(middleware.SecurityHeaders, get("/docs"), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "style-src 'self'")
	})
	h := w.Header()
	if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Content-Security-Policy") != "style-src 'self'" {
		t.Errorf("headers = %v", h)
	}
}

func TestBodyLimit_LongBodiesAreRefusedOrCutOff(t *testing.T) {
	limit := middleware.BodyLimit(4)
	for body, want := range map[string]bool{"1234": true, "12345": false} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		called := false
		w, _ := serve(limit, r, func(http.ResponseWriter, *http.Request) { called = true })
		if called != want || !want && (w.Code != http.StatusRequestEntityTooLarge || code(w) != "body_too_large") {
			t.Errorf("a request that announces %d bytes: handler called %v, answer %d %s", len(body), called, w.Code, w.Body)
		}

		r.ContentLength = -1 // as with chunks
		serve(limit, r, func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			if _, cut := errors.AsType[*http.MaxBytesError](err); cut == want || want != (err == nil) {
				t.Errorf("a body of %d bytes is read with %v", len(body), err)
			}
		})
	}
}

func TestDeadline_EndsTheContextOfARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inside context.Context
		start := time.Now()
		serve(middleware.Deadline(15*time.Second), get("/"), func(_ http.ResponseWriter, r *http.Request) {
			inside = r.Context()
			<-inside.Done()
		})
		if took := time.Since(start); took != 15*time.Second || !errors.Is(inside.Err(), context.DeadlineExceeded) {
			t.Errorf("context ended after %v with %v, want DeadlineExceeded after 15s", took, inside.Err())
		}
	})
}

func TestRecover_APanicIsAn500WithoutTheCause(t *testing.T) {
	logs := new(bytes.Buffer)
	mw := middleware.Recover(slog.New(slog.NewJSONHandler(logs, nil)))
	w, panicked := serve(mw, get("/v1/tasks"), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		io.Copy(w, io.LimitReader(strings.NewReader("x"), 0)) // nothing has been sent yet
		panic("password of db-7")
	})
	if panicked != nil || w.Code != http.StatusInternalServerError || code(w) != "internal" || w.Header().Get("ETag") != "" {
		t.Errorf("panic %v, answer %d %v %s", panicked, w.Code, w.Header(), w.Body)
	}
	if strings.Contains(w.Body.String(), "db-7") || !strings.Contains(logs.String(), "db-7") || !strings.Contains(logs.String(), "middleware_test.go") {
		t.Errorf("the cause and the stack are for the log only; answer %s, log %s", w.Body, logs)
	}
}

func TestRecover_HalfAnAnswerBreaksTheConnection(t *testing.T) {
	for name, begin := range map[string]func(w http.ResponseWriter){
		"body":    func(w http.ResponseWriter) { io.WriteString(w, "{") },
		"status":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) },
		"flushed": func(w http.ResponseWriter) { http.NewResponseController(w).Flush() },
		"copied":  func(w http.ResponseWriter) { io.Copy(w, io.LimitReader(strings.NewReader("{}"), 1)) },
	} {
		w, panicked := serve(middleware.Recover(slog.New(slog.DiscardHandler)), get("/"), func(w http.ResponseWriter, _ *http.Request) {
			begin(w)
			panic("bug")
		})
		if panicked != http.ErrAbortHandler || strings.Contains(w.Body.String(), "internal") {
			t.Errorf("%s: panic %v, body %q; want ErrAbortHandler and nothing more in the body", name, panicked, w.Body)
		}
	}
}

func TestRecover_AbortHandlerIsNoBug(t *testing.T) {
	logs := new(bytes.Buffer)
	_, panicked := serve(middleware.Recover(slog.New(slog.NewTextHandler(logs, nil))), get("/"), func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	})
	if panicked != http.ErrAbortHandler || logs.Len() > 0 {
		t.Errorf("panic %v, log %q; want ErrAbortHandler and no log", panicked, logs)
	}
}

// A chain that hides the connection breaks streams and websockets.
func TestChain_HandlersReachTheConnection(t *testing.T) {
	discard := slog.New(slog.DiscardHandler)
	chain := middleware.AccessLog(io.Discard, discard, time.Now)(middleware.Recover(discard)(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			control := http.NewResponseController(w)
			io.WriteString(w, "flushed")
			if err := errors.Join(control.Flush(), control.SetWriteDeadline(time.Now().Add(time.Minute))); err != nil {
				t.Errorf("Flush and SetWriteDeadline: %v", err)
			}
			conn, _, err := control.Hijack()
			if err != nil {
				t.Errorf("Hijack: %v", err)
				return
			}
			conn.Close() // in the middle of the answer
		})))
	server := httptest.NewServer(chain)
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "flushed" || err == nil {
		t.Errorf("body %q, %v; want what was flushed, and a connection that broke", body, err)
	}
}
