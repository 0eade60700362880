//course:since m04a

package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestRoutes_MethodsOfAPath(t *testing.T) {
	h := newTestAPI(t)
	for _, tc := range []struct {
		method, target string
		status         int
		allow          string
	}{
		{"PUT", "/v1/tasks", http.StatusMethodNotAllowed, "GET, HEAD, OPTIONS, POST"},
		{"BREW", "/v1/tasks/tsk_1", http.StatusMethodNotAllowed, "DELETE, GET, HEAD, OPTIONS, PATCH"},
		{"OPTIONS", "/v1/tasks/tsk_1/transitions", http.StatusNoContent, "OPTIONS, POST"},
		{"GET", "/v1/nothing", http.StatusNotFound, ""},
		{"BREW", "/v1/nothing", http.StatusNotFound, ""},
		{"GET", "/v1/tasks/", http.StatusNotFound, ""},
	} {
		if w := h.do(tc.method, tc.target, ""); w.Code != tc.status || w.Header().Get("Allow") != tc.allow {
			t.Errorf("%s %s = %d, Allow: %s; want %d, %s", tc.method, tc.target, w.Code, w.Header().Get("Allow"), tc.status, tc.allow)
		}
	}
}

func TestRoutes_EveryAnswerHasTheHeadersOfTheAPI(t *testing.T) {
	h := newTestAPI(t, func(cfg *Config) { cfg.Ready = func(context.Context) error { panic("bug") } })
	for _, target := range []string{"/healthz", "/v1/tasks", "/v1/nothing", "/readyz"} {
		w := h.do("GET", target, "", "X-Request-ID", "req_1")
		for name, want := range map[string]string{
			"X-Request-ID": "req_1", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'", "Referrer-Policy": "no-referrer",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("GET %s = %d with %s: %s, want %s", target, w.Code, name, got, want)
			}
		}
	}
}

func TestRoutes_SpeakJSONOnly(t *testing.T) {
	h := newTestAPI(t)
	target := "/v1/tasks/" + h.create(t, `{"title":"a"}`)
	wantProblem(t, h.do("GET", target, "", "Accept", "text/html"), http.StatusNotAcceptable, "not_acceptable")
	wantProblem(t, h.do("POST", "/v1/tasks", `{"title":"a"}`, "Content-Type", "text/plain"), http.StatusUnsupportedMediaType, "unsupported_media_type")
	patch := h.do("PATCH", target, `{"title":"b"}`, "Content-Type", jsonType, "If-Match", "*")
	wantProblem(t, patch, http.StatusUnsupportedMediaType, "unsupported_media_type")
	if got := patch.Header().Get("Accept-Patch"); got != mergePatchType {
		t.Errorf("Accept-Patch = %q, want %s", got, mergePatchType)
	}
	if w := h.do("POST", "/v1/tasks", `{"title":"a"}`, "Content-Type", "Application/JSON; charset=utf-8"); w.Code != http.StatusCreated {
		t.Errorf("POST of JSON with a charset = %d %s", w.Code, w.Body)
	}
}

func TestRoutes_BodiesHaveALimit(t *testing.T) {
	h := newTestAPI(t, func(cfg *Config) { cfg.MaxBody = 64 })
	long := `{"title":"` + strings.Repeat("a", 64) + `"}`
	wantProblem(t, h.do("POST", "/v1/tasks", long), http.StatusRequestEntityTooLarge, "body_too_large")
	r := request("POST", "/v1/tasks", jsonType, []byte(long))
	r.ContentLength = -1 // in chunks
	wantProblem(t, h.serve(r), http.StatusRequestEntityTooLarge, "body_too_large")
}

func TestReadyz_SaysWhenNotToSendRequests(t *testing.T) {
	var reason error
	h := newTestAPI(t, func(cfg *Config) { cfg.Ready = func(context.Context) error { return reason } })
	if w := h.do("GET", "/readyz", ""); w.Code != http.StatusOK {
		t.Errorf("GET /readyz = %d %s", w.Code, w.Body)
	}
	reason = errors.New("db-7 is down")
	w := h.do("GET", "/readyz", "")
	wantProblem(t, w, http.StatusServiceUnavailable, "unavailable")
	if w.Header().Get("Retry-After") != "1" || strings.Contains(w.Body.String(), "db-7") || !strings.Contains(h.logs.String(), "db-7") {
		t.Errorf("Retry-After %q, answer %s, log %s; want the reason in the log only", w.Header().Get("Retry-After"), w.Body, h.logs)
	}
	if w := h.do("GET", "/healthz", ""); w.Code != http.StatusOK {
		t.Errorf("GET /healthz = %d: the process lives", w.Code)
	}
}

func TestDeveloper_NamesHimself(t *testing.T) {
	h := newTestAPI(t)
	for _, user := range []string{"", "ada", "Usr_ada", "usr_" + strings.Repeat("a", 200), "usr_a b"} {
		w := h.do("GET", "/v1/tasks", "", "X-TT-User", user)
		wantProblem(t, w, http.StatusUnauthorized, "unauthenticated")
		if w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("the answer to X-TT-User: %q has no WWW-Authenticate", user)
		}
	}
}
