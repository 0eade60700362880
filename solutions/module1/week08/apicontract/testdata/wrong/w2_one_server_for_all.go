// Wrong: believes that tests may share a server and its tasks, because they run from top to bottom.
// Caught by: TestSuite_PassesOnReference

package apicontract_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/module1/week08/apicontract"
)

var (
	server    = apicontract.New()
	path, tag string // of the task that TestCreate creates
)

type task struct {
	Title   string   `json:"title"`
	Status  string   `json:"status"`
	Labels  []string `json:"labels"`
	Version int      `json:"version"`
}

func TestCreate(t *testing.T) {
	got := do("POST", "/v1/tasks", `{"title":"Pay rent"}`, "application/json")
	want(t, got, 201, task{"Pay rent", "todo", []string{}, 1})
	path, tag = got.Header().Get("Location"), got.Header().Get("ETag")
}

func TestGet(t *testing.T) {
	want(t, do("GET", path, "", ""), 200, task{"Pay rent", "todo", []string{}, 1})
}

func TestPatch(t *testing.T) {
	got := do("PATCH", path, `{"labels":["Home","bills","home"]}`, "application/merge-patch+json")
	want(t, got, 200, task{"Pay rent", "todo", []string{"bills", "home"}, 2})
	if got.Header().Get("ETag") == tag {
		t.Errorf("the ETag is still %s", tag)
	}
}

func TestPatch_Stale(t *testing.T) {
	want(t, do("PATCH", path, `{}`, "application/merge-patch+json"), 412, task{})
}

func TestTransition(t *testing.T) {
	got := do("POST", path+"/transitions", `{"to":"in_progress"}`, "application/json")
	want(t, got, 200, task{"Pay rent", "in_progress", []string{"bills", "home"}, 3})
}

func TestDelete(t *testing.T) {
	want(t, do("DELETE", path, "", ""), 204, task{})
}

func TestDelete_Again(t *testing.T) {
	want(t, do("DELETE", path, "", ""), 404, task{})
}

func do(method, target, body, contentType string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://api.test"+target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer ann")
	r.Header.Set("Content-Type", contentType)
	if method == "PATCH" {
		r.Header.Set("If-Match", tag)
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return w
}

func want(t *testing.T, got *httptest.ResponseRecorder, status int, want task) {
	t.Helper()
	if got.Code != status {
		t.Fatalf("status %d, want %d: %s", got.Code, status, got.Body)
	}
	if status >= 300 || got.Body.Len() == 0 {
		return
	}
	var have task
	if err := json.Unmarshal(got.Body.Bytes(), &have); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("another task (-want +got):\n%s", diff)
	}
}
