//course:since m04a

package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/infra/eventlog"
	"github.com/middle-go/course/tasktracker/infra/memory"
	"github.com/middle-go/course/tasktracker/infra/system"
)

// do sends a request of the user usr_ada, with headers as pairs of a name and a
// value. The body of a PATCH is a merge patch, other bodies are JSON.
func (h testAPI) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	contentType := jsonType
	if method == "PATCH" {
		contentType = mergePatchType
	}
	r := request(method, target, contentType, []byte(body))
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	return h.serve(r)
}

func wantProblem(t *testing.T, w *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	var doc struct{ Code string }
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != status || doc.Code != code {
		t.Errorf("answer %d %s, want %d %s", w.Code, w.Body, status, code)
	}
}

// fieldErrors returns the codes of a problem by field.
func fieldErrors(t *testing.T, w *httptest.ResponseRecorder) map[string]string {
	t.Helper()
	var doc struct {
		Errors []struct{ Field, Code string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	codes := map[string]string{}
	for _, e := range doc.Errors {
		codes[e.Field] = e.Code
	}
	return codes
}

func TestCreateTask_AnswersWithTheWholeTask(t *testing.T) {
	h := newTestAPI(t)
	w := h.do("POST", "/v1/tasks", `{"title":" Water the plants ","labels":["Home"],"due_at":"2099-01-01T09:00:00+01:00"}`)
	var got map[string]any
	decodeAnswer(t, w, &got)
	want := map[string]any{
		"id": got["id"], "created_at": got["created_at"], "updated_at": got["created_at"],
		"owner_id": "usr_ada", "project_id": nil, "assignee_id": nil, "title": "Water the plants", "description": "",
		"status": "todo", "priority": "normal", "labels": []any{"home"}, "due_at": "2099-01-01T08:00:00.000000Z",
		"version": 1.0, "completed_at": nil,
	}
	if diff := cmp.Diff(want, got); w.Code != http.StatusCreated || diff != "" {
		t.Errorf("status %d, task (-want +got):\n%s", w.Code, diff)
	}
	location := w.Header().Get("Location")
	again := h.do("GET", location, "")
	if again.Body.String() != w.Body.String() || again.Header().Get("ETag") != w.Header().Get("ETag") {
		t.Errorf("GET %s = %d %s %s, want the answer of the POST", location, again.Code, again.Header().Get("ETag"), again.Body)
	}
}

func TestCreateTask_ReportsAllFields(t *testing.T) {
	w := newTestAPI(t).do("POST", "/v1/tasks", `{"title":"","priority":"soon","labels":["ok","Not Ok"],"due_at":"2001-01-01T00:00:00Z"}`)
	wantProblem(t, w, http.StatusUnprocessableEntity, "validation_failed")
	want := map[string]string{"title": "required", "priority": "unknown_value", "labels[1]": "bad_format", "due_at": "too_early"}
	if diff := cmp.Diff(want, fieldErrors(t, w)); diff != "" {
		t.Errorf("field errors (-want +got):\n%s", diff)
	}
}

func TestCreateTask_ARepetitionMakesNoSecondTask(t *testing.T) {
	h := newTestAPI(t)
	first := h.do("POST", "/v1/tasks", `{"title":"a"}`, "Idempotency-Key", "k")
	again := h.do("POST", "/v1/tasks", `{"title":"a"}`, "Idempotency-Key", "k")
	if first.Code != http.StatusCreated || again.Header().Get("Location") != first.Header().Get("Location") || again.Header().Get("Idempotency-Replayed") != "true" {
		t.Errorf("first %d %v, again %d %v", first.Code, first.Header(), again.Code, again.Header())
	}
	wantProblem(t, h.do("POST", "/v1/tasks", `{"title":"b"}`, "Idempotency-Key", "k"), http.StatusUnprocessableEntity, "idempotency_mismatch")
	if w := h.do("POST", "/v1/tasks", `{"title":"b"}`, "Idempotency-Key", "k", "X-TT-User", "usr_eve"); w.Code != http.StatusCreated {
		t.Errorf("the same key of another user = %d %s", w.Code, w.Body)
	}
}

func TestTask_PreconditionsDecide(t *testing.T) {
	for name, tc := range map[string]struct {
		method, body, header, value string
		status                      int
	}{
		"newest copy":          {"GET", "", "If-None-Match", `W/"v1"`, http.StatusNotModified},
		"older copy":           {"GET", "", "If-None-Match", `"v0"`, http.StatusOK},
		"read another version": {"GET", "", "If-Match", `"v0"`, http.StatusPreconditionFailed},
		"unreadable copy":      {"GET", "", "If-None-Match", `v1`, http.StatusBadRequest},
		"patch this version":   {"PATCH", `{}`, "If-Match", `"v1"`, http.StatusOK},
		"patch another":        {"PATCH", `{}`, "If-Match", `"v0"`, http.StatusPreconditionFailed},
		"patch any":            {"PATCH", `{}`, "Accept", "*/*", http.StatusPreconditionRequired},
		"patch without reason": {"PATCH", `{}`, "If-Match", `v1`, http.StatusBadRequest},
		"delete this version":  {"DELETE", "", "If-Match", `"v1"`, http.StatusNoContent},
		"delete another":       {"DELETE", "", "If-Match", `"v0"`, http.StatusPreconditionFailed},
		"delete any":           {"DELETE", "", "Accept", "*/*", http.StatusNoContent},
	} {
		t.Run(name, func(t *testing.T) {
			h := newTestAPI(t)
			target := "/v1/tasks/" + h.create(t, `{"title":"a"}`)
			w := h.do(tc.method, target, tc.body, tc.header, tc.value)
			if w.Code != tc.status {
				t.Errorf("%s with %s: %s = %d %s, want %d", tc.method, tc.header, tc.value, w.Code, w.Body, tc.status)
			}
			if hasTag := w.Header().Get("ETag") == `"v1"`; hasTag != (w.Code == http.StatusOK || w.Code == http.StatusNotModified) {
				t.Errorf("ETag of answer %d = %q", w.Code, w.Header().Get("ETag"))
			}
		})
	}
}

func TestPatchTask_AbsentStaysNullClearsValueReplaces(t *testing.T) {
	h := newTestAPI(t)
	target := "/v1/tasks/" + h.create(t, `{"title":"a","description":"b","labels":["x"],"due_at":"2099-01-01T00:00:00Z"}`)
	w := h.do("PATCH", target, `{"title":"c","due_at":null,"labels":null,"assignee_id":"usr_eve"}`, "If-Match", `"v1"`)
	var got map[string]any
	decodeAnswer(t, w, &got)
	for member, want := range map[string]any{"title": "c", "description": "b", "labels": []any{}, "due_at": nil, "assignee_id": "usr_eve"} {
		if diff := cmp.Diff(want, got[member]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", member, diff)
		}
	}
	tag := w.Header().Get("ETag")
	if same := h.do("PATCH", target, `{"title":"c"}`, "If-Match", tag); tag == `"v1"` || same.Header().Get("ETag") != tag {
		t.Errorf("ETag %s after a change, %s after a patch that changes nothing", tag, same.Header().Get("ETag"))
	}
	wrong := h.do("PATCH", target, `{"title":null,"priority":null}`, "If-Match", tag)
	if diff := cmp.Diff(map[string]string{"title": "required", "priority": "required"}, fieldErrors(t, wrong)); wrong.Code != http.StatusUnprocessableEntity || diff != "" {
		t.Errorf("answer %d, field errors (-want +got):\n%s", wrong.Code, diff)
	}
}

// rival stores nothing that has a version already: somebody else was faster.
type rival struct{ *memory.TaskRepo }

func (rival) Save(context.Context, *domain.Task, uint64) error { return domain.ErrConflict }

func TestPatchTask_WhoLosesARaceHasAFailedPrecondition(t *testing.T) {
	h := newTestAPI(t, func(cfg *Config) {
		cfg.Tasks = app.NewTasks(rival{memory.NewTaskRepo()}, system.Clock{}, system.IDs{}, eventlog.Events{Log: cfg.Log})
	})
	target := "/v1/tasks/" + h.create(t, `{"title":"a"}`)
	wantProblem(t, h.do("PATCH", target, `{"title":"b"}`, "If-Match", `"v1"`), http.StatusPreconditionFailed, "precondition_failed")
	wantProblem(t, h.do("POST", target+"/transitions", `{"to":"in_progress"}`), http.StatusConflict, "conflict")
}

func TestMoveTask_FollowsTheArrows(t *testing.T) {
	h := newTestAPI(t)
	target := "/v1/tasks/" + h.create(t, `{"title":"a"}`) + "/transitions"
	wantProblem(t, h.do("POST", target, `{"to":"done"}`), http.StatusConflict, "invalid_transition")
	for _, to := range []string{"in_progress", "done"} {
		var got struct {
			Status      string
			CompletedAt *string `json:"completed_at"`
		}
		decodeAnswer(t, h.do("POST", target, `{"to":"`+to+`","comment":null}`), &got)
		if got.Status != to || (got.CompletedAt != nil) != (to == "done") {
			t.Errorf("after the move to %s: %+v", to, got)
		}
	}
	for body, field := range map[string]string{
		`{"to":"finished"}`: "to",
		`{"to":"todo","comment":"` + strings.Repeat("é", maxComment+1) + `"}`: "comment",
	} {
		w := h.do("POST", target, body)
		wantProblem(t, w, http.StatusUnprocessableEntity, "validation_failed")
		if codes := fieldErrors(t, w); len(codes) != 1 || codes[field] == "" {
			t.Errorf("field errors = %v, want one of %s", codes, field)
		}
	}
}

func TestTask_OfAnotherUserDoesNotExist(t *testing.T) {
	h := newTestAPI(t)
	target := "/v1/tasks/" + h.create(t, `{"title":"a"}`)
	for _, r := range []struct{ method, target, body string }{
		{"GET", target, ""},
		{"PATCH", target, `{"title":"mine"}`},
		{"DELETE", target, ""},
		{"POST", target + "/transitions", `{"to":"in_progress"}`},
	} {
		foreign := h.do(r.method, r.target, r.body, "X-TT-User", "usr_eve", "X-Request-ID", "r", "If-Match", "*")
		wantProblem(t, foreign, http.StatusNotFound, "not_found")
		for _, id := range []string{"tsk_01m855x4nmv0m9pwz6db6tch03", "tsk_1", "%2F", "%ff"} {
			path := strings.Replace(r.target, target, "/v1/tasks/"+id, 1)
			if none := h.do(r.method, path, r.body, "X-Request-ID", "r", "If-Match", "*"); none.Body.String() != foreign.Body.String() {
				t.Errorf("%s %s = %s, of another user %s; they must not differ", r.method, path, none.Body, foreign.Body)
			}
		}
	}
}

// page is an answer of the list of tasks.
type page struct {
	Items      []struct{ ID, Title string }
	NextCursor *string `json:"next_cursor"`
}

func (h testAPI) list(t *testing.T, query string) (titles string, p page) {
	t.Helper()
	decodeAnswer(t, h.do("GET", "/v1/tasks?"+query, ""), &p)
	for _, item := range p.Items {
		titles += item.Title
	}
	return titles, p
}

func TestListTasks_FiltersAndSorts(t *testing.T) {
	h := newTestAPI(t)
	h.create(t, `{"title":"a","priority":"low","labels":["home"],"due_at":"2099-01-02T00:00:00Z"}`)
	h.create(t, `{"title":"b","priority":"urgent","description":"ÉTÉ 100%"}`)
	h.create(t, `{"title":"c","labels":["home","work"],"due_at":"2099-01-01T00:00:00Z"}`)
	h.do("POST", "/v1/tasks", `{"title":"d"}`, "X-TT-User", "usr_eve")
	for query, want := range map[string]string{
		"":                                "abc",
		"sort=-created_at":                "cba",
		"sort=due_at":                     "cab",
		"sort=-due_at":                    "acb",
		"sort=-priority":                  "bca",
		"label=Home":                      "ac",
		"priority=low,urgent":             "ab",
		"status=done":                     "",
		"q=%C3%A9t%C3%A9":                 "b",
		"q=100%25":                        "b",
		"due_before=2099-01-02T00:00:00Z": "c",
		"label=home&priority=normal&q=":   "c",
		"assignee=usr_eve":                "",
	} {
		// A list of no tasks is [] and not null: Items of null would be nil.
		if got, p := h.list(t, query); got != want || p.Items == nil || p.NextCursor != nil {
			t.Errorf("?%s lists %q (items %v, next %v), want %q", query, got, p.Items, p.NextCursor, want)
		}
	}
}

func TestListTasks_PagesNeitherRepeatNorLoseATask(t *testing.T) {
	for _, sort := range []string{"created_at", "-due_at", "due_at", "priority", "-priority"} {
		h := newTestAPI(t)
		for _, task := range []string{
			`{"title":"a","due_at":"2099-01-01T00:00:00Z"}`, `{"title":"b","priority":"low"}`, `{"title":"c","due_at":"2099-01-01T00:00:00Z"}`,
			`{"title":"d"}`, `{"title":"e","priority":"low"}`, `{"title":"f","due_at":"2099-01-02T00:00:00Z"}`,
		} {
			h.create(t, task)
		}
		want, _ := h.list(t, "sort="+sort)
		var got string
		for cursor := ""; ; {
			titles, p := h.list(t, "limit=2&sort="+sort+"&cursor="+url.QueryEscape(cursor))
			got += titles
			last := p.Items[len(p.Items)-1].ID
			h.do("DELETE", "/v1/tasks/"+last, "") // the next page begins after a task that is gone
			if p.NextCursor == nil {
				break
			}
			cursor = *p.NextCursor
		}
		if got != want {
			t.Errorf("sort=%s: pages %q, want %q", sort, got, want)
		}
	}
}

func TestListTasks_ACursorIsGoodForItsQueryOnly(t *testing.T) {
	h := newTestAPI(t)
	h.create(t, `{"title":"a"}`)
	h.create(t, `{"title":"b"}`)
	_, p := h.list(t, "limit=1&status=todo")
	cursor := "&cursor=" + *p.NextCursor
	if got, _ := h.list(t, "limit=100&status=todo"+cursor); got != "b" {
		t.Errorf("the next page with another limit = %q, want b", got)
	}
	for _, query := range []string{"", "status=todo,done", "status=todo&sort=due_at", "status=todo&label=x"} {
		wantProblem(t, h.do("GET", "/v1/tasks?"+query+cursor, ""), http.StatusBadRequest, "invalid_cursor")
	}
	wantProblem(t, h.do("GET", "/v1/tasks?status=todo"+cursor, "", "X-TT-User", "usr_eve"), http.StatusBadRequest, "invalid_cursor")
}

func TestListTasks_ReportsAllThatIsWrongWithTheQuery(t *testing.T) {
	h := newTestAPI(t)
	query := "status=open&priority=&label=a&label=b&q=" + strings.Repeat("q", maxText+1) + "&assignee=%ff&due_before=tomorrow&limit=101&sort=title&owner=usr_eve"
	w := h.do("GET", "/v1/tasks?"+query, "")
	wantProblem(t, w, http.StatusBadRequest, "invalid_query")
	want := map[string]string{
		"status": "unknown_value", "label": "duplicate_key", "q": "too_long", "assignee": "bad_characters",
		"due_before": "bad_format", "limit": "out_of_range", "sort": "unknown_value", "owner": "unknown_field",
	}
	if diff := cmp.Diff(want, fieldErrors(t, w)); diff != "" {
		t.Errorf("field errors (-want +got):\n%s", diff)
	}
	for _, query := range []string{"limit=0", "limit=-1", "limit=ten", "q=%zz", "status=todo,"} {
		wantProblem(t, h.do("GET", "/v1/tasks?"+query, ""), http.StatusBadRequest, "invalid_query")
	}
}
