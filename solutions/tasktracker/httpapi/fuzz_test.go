//course:since m04a

package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/web/cursor"
)

// What a client sends either gets an answer below 500, or is a bug: FuzzTaskJSON
// sends any bytes as a new task and as a patch.
func FuzzTaskJSON(f *testing.F) {
	for _, seed := range []string{
		`{"title":"Water the plants"}`,
		`{"title":"a","description":"b","priority":"urgent","labels":["x","X"],"due_at":"2030-01-01T00:00:00Z"}`,
		`{"title":null,"labels":null,"due_at":null,"assignee_id":null}`,
		`{"title":1,"labels":{},"due_at":"tomorrow","priority":"x"}`,
		`{"title":"` + "\xff" + `"}`, `{"title":"\ud800"}`, `{"title":"a","title":"b"}`,
		`[[[[[[[[[[]]]]]]]]]]`, `{"labels":[null]}`, `1e999`, ``, `null`, `{"title":"a"} {}`,
	} {
		f.Add([]byte(seed))
	}
	h := newTestAPI(f)
	id := h.create(f, `{"title":"patched"}`)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, r := range []*http.Request{
			request("POST", "/v1/tasks", "application/json", body),
			request("PATCH", "/v1/tasks/"+id, "application/merge-patch+json", body),
		} {
			r.Header.Set("If-Match", "*")
			w := h.serve(r)
			if w.Code >= 500 {
				t.Errorf("%s %s with %q = %d %s", r.Method, r.URL, body, w.Code, w.Body)
			}
			if location := w.Header().Get("Location"); location != "" {
				h.serve(request("DELETE", location, "", nil)) // or memory fills up
			}
			if w.Code < 300 && !json.Valid(body) {
				t.Errorf("%s %s accepts %q, which is not JSON", r.Method, r.URL, body)
			}
			checkAnswer(t, w)
		}
	})
}

// FuzzListQuery sends any query to the list of tasks.
func FuzzListQuery(f *testing.F) {
	for _, seed := range []string{
		"", "status=todo,done&priority=high", "sort=-due_at&limit=1", "label=x&q=%20", "due_before=2030-01-01T00:00:00Z",
		"cursor=v2.x", "limit=0", "limit=101", "sort=title", "status=", "a=%zz", "q=%ff", "status=todo&status=done", ";",
	} {
		f.Add(seed)
	}
	h := newTestAPI(f)
	for range 3 {
		h.create(f, `{"title":"listed","labels":["x"]}`)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := request("GET", "/v1/tasks", "", nil)
		r.URL.RawQuery = query
		w := h.serve(r)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Errorf("GET /v1/tasks?%s = %d %s", query, w.Code, w.Body)
		}
		checkAnswer(t, w)
	})
}

// FuzzCursor sends any text as a cursor: what this service has not made is
// refused, and what it has made brings the next page.
func FuzzCursor(f *testing.F) {
	h := newTestAPI(f)
	for range 3 {
		h.create(f, `{"title":"listed","due_at":"2030-01-01T00:00:00Z"}`)
	}
	var first struct {
		NextCursor string `json:"next_cursor"`
	}
	decodeAnswer(f, h.serve(request("GET", "/v1/tasks?limit=1&sort=due_at", "", nil)), &first)
	real := first.NextCursor
	f.Add(real)
	f.Add(real[:len(real)-1])
	f.Add("v2." + real)
	f.Add("")
	f.Add("v2.AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		w := h.serve(request("GET", "/v1/tasks?sort=due_at&cursor="+url.QueryEscape(text), "", nil))
		if genuine := text == real || text == ""; genuine != (w.Code == http.StatusOK) || w.Code >= 500 {
			t.Errorf("cursor %q (made by the service: %v) = %d %s", text, genuine, w.Code, w.Body)
		}
		checkAnswer(t, w)
	})
}

// A cursor holds a position, and nothing of it may be lost on the way.
func TestCursor_HoldsThePosition(t *testing.T) {
	id, err := domain.NewTaskID(time.UnixMilli(1), bytes.NewReader(make([]byte, 10)))
	if err != nil {
		t.Fatal(err)
	}
	codec, err := cursor.NewCodec(make([]byte, cursor.MinKeyLen))
	if err != nil {
		t.Fatal(err)
	}
	due := time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	for name, tc := range map[string]struct {
		sort domain.Sort
		want domain.Position
	}{
		"created":     {domain.Sort{}, domain.Position{ID: id}},
		"due":         {domain.Sort{Field: domain.SortDue, Desc: true}, domain.Position{ID: id, DueAt: &due}},
		"never due":   {domain.Sort{Field: domain.SortDue}, domain.Position{ID: id}},
		"by priority": {domain.Sort{Field: domain.SortPriority}, domain.Position{ID: id, Priority: domain.PriorityUrgent}},
	} {
		t.Run(name, func(t *testing.T) {
			q := listQuery{TaskQuery: domain.TaskQuery{Sort: tc.sort}, sort: cursor.Sort{Field: sortNames[tc.sort.Field], Desc: tc.sort.Desc}}
			cur, err := codec.Decode(codec.Encode(q.cursor(tc.want)), q.sort, "")
			if err != nil {
				t.Fatal(err)
			}
			got, err := position(cur.Last, tc.sort.Field)
			if err != nil || tc.sort.Compare(got, tc.want) != 0 || got.ID != tc.want.ID {
				t.Errorf("position of the cursor of %+v = %+v, %v", tc.want, got, err)
			}
		})
	}
}

func checkAnswer(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if body := w.Body.Bytes(); len(body) > 0 && !json.Valid(body) {
		t.Errorf("the answer is not JSON: %q", body)
	}
	if w.Header().Get("X-Request-ID") == "" {
		t.Error("the answer has no X-Request-ID")
	}
}
