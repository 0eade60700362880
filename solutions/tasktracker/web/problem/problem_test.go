//course:since m04a

package problem_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/tasktracker/web/problem"
)

// document returns the body of an answer.
func document(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return doc
}

func TestWrite_TellsAllThatIsKnown(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("X-Request-ID", "req_1")
	problem.Write(w, problem.Problem{
		Status: http.StatusUnprocessableEntity,
		Code:   "validation_failed",
		Detail: "Two fields are wrong.",
		Errors: []problem.FieldError{{Field: "title", Code: "required", Message: "is empty"}},
	})
	want := map[string]any{
		"type":       "https://tasktracker.example/problems/validation_failed",
		"title":      "Unprocessable Entity",
		"status":     422.0,
		"detail":     "Two fields are wrong.",
		"code":       "validation_failed",
		"request_id": "req_1",
		"errors":     []any{map[string]any{"field": "title", "code": "required", "message": "is empty"}},
	}
	if diff := cmp.Diff(want, document(t, w)); w.Code != http.StatusUnprocessableEntity || diff != "" {
		t.Errorf("status %d, document (-want +got):\n%s", w.Code, diff)
	}
	if h := w.Header(); h.Get("Content-Type") != problem.ContentType || h.Get("Cache-Control") != "no-store" || h.Get("X-Request-ID") != "req_1" {
		t.Errorf("headers = %v", h)
	}
}

func TestWrite_LeavesOutWhatIsUnknown(t *testing.T) {
	w := httptest.NewRecorder()
	problem.Write(w, problem.Problem{Status: http.StatusInternalServerError, Code: "internal"})
	want := map[string]any{
		"type":   "https://tasktracker.example/problems/internal",
		"title":  "Internal Server Error",
		"status": 500.0,
		"code":   "internal",
	}
	if diff := cmp.Diff(want, document(t, w)); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if h := w.Header(); h.Get("Retry-After") != "" {
		t.Errorf("Retry-After = %q, want none", h.Get("Retry-After"))
	}
}

func TestWrite_DropsTheHeadersOfASuccess(t *testing.T) {
	w := httptest.NewRecorder()
	ofSuccess := []string{"Content-Length", "Content-Encoding", "ETag", "Last-Modified", "Location"}
	for _, name := range ofSuccess {
		w.Header().Set(name, "1")
	}
	w.Header().Set("Allow", "GET")
	problem.Write(w, problem.Problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed"})
	for _, name := range ofSuccess {
		if got := w.Header().Values(name); len(got) > 0 {
			t.Errorf("the answer keeps %s: %q", name, got)
		}
	}
	if w.Header().Get("Allow") != "GET" {
		t.Error("the answer has lost the header Allow")
	}
}

func TestWrite_RetryAfterIsNeverTooEarly(t *testing.T) {
	for after, want := range map[time.Duration]string{
		time.Nanosecond:    "1",
		time.Second:        "1",
		90*time.Second + 1: "91",
		time.Hour - 1:      "3600",
	} {
		w := httptest.NewRecorder()
		problem.Write(w, problem.Problem{Status: http.StatusTooManyRequests, Code: "login_throttled", RetryAfter: after})
		if got := w.Header().Get("Retry-After"); got != want {
			t.Errorf("Retry-After for %v = %q, want %q", after, got, want)
		}
	}
}
