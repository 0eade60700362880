// Wrong: believes that an answer is right when all of its JSON is as recorded.
// Caught by: TestSuite_PassesOnReference

package apicontract_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/middle-go/course/module1/week08/apicontract"
)

// newServer is the only place that knows the implementation.
func newServer() http.Handler { return apicontract.New() }

const (
	plainJSON  = "application/json"
	mergePatch = "application/merge-patch+json"
)

func TestCreate(t *testing.T) {
	ann, _ := users(t)
	start := time.Now()

	got := ann.post("/v1/tasks", `{"title":"  Pay rent ","labels":["Home","bills","home"],"due_at":"2027-03-01T09:00:00.5+03:00"}`)

	created := got.task(201)
	want := task{
		Owner: "ann", Title: "Pay rent", Status: "todo", Labels: []string{"bills", "home"},
		DueAt: new("2027-03-01T06:00:00.5Z"), Version: 1,
	}
	if diff := cmp.Diff(want, created, serverFields); diff != "" {
		t.Errorf("another task was created (-want +got):\n%s", diff)
	}
	if created.CreatedAt.Before(start) || created.CreatedAt.After(time.Now()) || !created.UpdatedAt.Equal(created.CreatedAt) {
		t.Errorf("created_at %v, updated_at %v; want both to be the time of the request", created.CreatedAt, created.UpdatedAt)
	}
	const recorded = `{"id":"7Q4QJXM2VJ2AWAJYK3NKPEWZ6T","owner":"ann","title":"Pay rent","status":"todo","labels":["bills","home"],` +
		`"due_at":"2027-03-01T06:00:00.5Z","version":1,` +
		`"created_at":"2026-02-11T08:14:03.519412Z","updated_at":"2026-02-11T08:14:03.519412Z"}`
	if string(got.body) != recorded {
		t.Errorf("the answer differs from the recorded one\n got %s\nwant %s", got.body, recorded)
	}
	got.hasHeader("Location", "/v1/tasks/"+created.ID)
	ann.keeps(created, got.header.Get("ETag"))
	if other := ann.create(`{"title":"Pay rent"}`); other.ID == created.ID {
		t.Errorf("two tasks have the id %q", other.ID)
	}
}

func TestCreate_Least(t *testing.T) {
	ann, _ := users(t)
	want := task{Owner: "ann", Title: "x", Status: "todo", Labels: []string{}, Version: 1}
	for _, body := range []string{`{"title":"x"}`, `{"title":"x","labels":null,"due_at":null}`, `{"title":"x","labels":[]}`} {
		if diff := cmp.Diff(want, ann.create(body), serverFields); diff != "" {
			t.Errorf("POST %s created another task (-want +got):\n%s", body, diff)
		}
	}
}

func TestPatch(t *testing.T) {
	const full = `{"title":"Pay rent","labels":["home"],"due_at":"2027-03-01T06:00:00Z"}`
	for _, tc := range []struct {
		name, patch string
		change      func(*task) // of the task full
	}{
		{"nothing", `{}`, func(*task) {}},
		{"title", `{"title":" Sell house "}`, func(want *task) { want.Title = "Sell house" }},
		{"labels", `{"labels":["Urgent","bank","URGENT"]}`, func(want *task) { want.Labels = []string{"bank", "urgent"} }},
		{"null labels", `{"labels":null}`, func(want *task) { want.Labels = []string{} }},
		{"due_at", `{"due_at":"2027-03-01T09:00:00+01:00"}`, func(want *task) { want.DueAt = new("2027-03-01T08:00:00Z") }},
		{"null due_at", `{"due_at":null}`, func(want *task) { want.DueAt = nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ann, _ := users(t)
			before := ann.create(full)
			tag := ann.etag(before)
			want := before
			want.Version = 2
			tc.change(&want)

			got := ann.patch(before.path(), tag, tc.patch)

			after := got.task(200)
			if diff := cmp.Diff(want, after, cmpopts.IgnoreFields(task{}, "UpdatedAt")); diff != "" {
				t.Errorf("PATCH %s (-want +got):\n%s", tc.patch, diff)
			}
			if after.UpdatedAt.Before(before.UpdatedAt) {
				t.Errorf("updated_at went back from %v to %v", before.UpdatedAt, after.UpdatedAt)
			}
			newTag := got.header.Get("ETag")
			if newTag == tag {
				t.Errorf("the ETag is still %s", tag)
			}
			ann.keeps(after, newTag)
			ann.patch(before.path(), tag, `{"title":"lost update"}`).problem(412, "precondition_failed")
			ann.keeps(after, newTag)
		})
	}
}

func TestTransition(t *testing.T) {
	for from, tc := range map[string]struct{ path, allowed []string }{
		"todo":        {nil, []string{"in_progress", "cancelled"}},
		"in_progress": {[]string{"in_progress"}, []string{"todo", "done", "cancelled"}},
		"done":        {[]string{"in_progress", "done"}, []string{"todo"}},
		"cancelled":   {[]string{"cancelled"}, nil},
	} {
		for _, to := range []string{"todo", "in_progress", "done", "cancelled"} {
			t.Run(from+" to "+to, func(t *testing.T) {
				ann, _ := users(t)
				before := ann.create(`{"title":"Pay rent"}`)
				for _, status := range tc.path {
					before = ann.move(before, status).task(200)
				}
				tag := ann.etag(before)

				got := ann.move(before, to)

				if !slices.Contains(tc.allowed, to) {
					got.problem(409, "invalid_transition")
					ann.keeps(before, tag)
					return
				}
				after := got.task(200)
				want := before
				want.Status = to
				want.Version++
				if diff := cmp.Diff(want, after, cmpopts.IgnoreFields(task{}, "UpdatedAt")); diff != "" {
					t.Errorf("another task (-want +got):\n%s", diff)
				}
				newTag := got.header.Get("ETag")
				if newTag == tag {
					t.Errorf("the ETag is still %s", tag)
				}
				ann.keeps(after, newTag)
			})
		}
	}
}

func TestDelete(t *testing.T) {
	ann, _ := users(t)
	first, second := ann.create(`{"title":"first"}`), ann.create(`{"title":"second"}`)

	got := ann.do("DELETE", first.path(), "")

	if got.status != 204 || len(got.body) != 0 {
		t.Errorf("DELETE answers %d %s, want 204 and no body", got.status, got.body)
	}
	ann.do("GET", first.path(), "").problem(404, "not_found")
	ann.do("DELETE", first.path(), "").problem(404, "not_found")
	ann.lists(second)
}

func TestHead(t *testing.T) {
	ann, _ := users(t)
	path := ann.create(`{"title":"Pay rent"}`).path()
	for _, path := range []string{path, path + "0", "/v1/tasks", "/v1/tasks?limit=0"} {
		get, head := ann.do("GET", path, ""), ann.do("HEAD", path, "")
		if head.status != get.status || len(head.body) != 0 {
			t.Errorf("HEAD %s answers %d and %d bytes, want %d and none", path, head.status, len(head.body), get.status)
		}
		for _, name := range []string{"ETag", "Content-Type"} {
			head.hasHeader(name, get.header.Get(name))
		}
	}
}

// To everybody else, a task does not exist.
func TestForeignTask(t *testing.T) {
	for _, tc := range []struct{ method, suffix, contentType, body string }{
		{"GET", "", "", ""},
		{"PATCH", "", mergePatch, `{"title":"mine"}`},
		{"PATCH", "", "text/plain", `{"title":"mine"}`},
		{"DELETE", "", "", ""},
		{"POST", "/transitions", plainJSON, `{"to":"cancelled"}`},
		{"POST", "/transitions", plainJSON, `{"to":"done"}`},
	} {
		t.Run(tc.method+tc.suffix, func(t *testing.T) {
			ann, bob := users(t)
			anns := ann.create(`{"title":"Pay rent"}`)
			tag := ann.etag(anns)
			gone := bob.create(`{"title":"gone"}`)
			bob.do("DELETE", gone.path(), "")
			for _, ifMatch := range []string{"", tag, `"stale"`} {
				headers := []string{"Content-Type", tc.contentType, "If-Match", ifMatch}

				foreign := bob.do(tc.method, anns.path()+tc.suffix, tc.body, headers...)

				foreign.problem(404, "not_found")
				unknown := bob.do(tc.method, gone.path()+tc.suffix, tc.body, headers...)
				if diff := cmp.Diff(string(unknown.body), string(foreign.body)); diff != "" {
					t.Errorf("the answer tells that the task exists (-unknown +foreign):\n%s", diff)
				}
				if diff := cmp.Diff(unknown.header, foreign.header); diff != "" {
					t.Errorf("the headers tell that the task exists (-unknown +foreign):\n%s", diff)
				}
			}
			ann.keeps(anns, tag)
			ann.lists(anns)
			bob.lists()
		})
	}
}

func TestUnauthenticated(t *testing.T) {
	ann, _ := users(t)
	anns := ann.create(`{"title":"Pay rent"}`)
	for _, tc := range []struct{ method, path string }{
		{"POST", "/v1/tasks"}, {"GET", "/v1/tasks"}, {"GET", anns.path()}, {"PATCH", anns.path()},
		{"DELETE", anns.path()}, {"POST", anns.path() + "/transitions"},
	} {
		for _, authorization := range []string{"", "Bearer ", "Basic ann"} {
			got := ann.do(tc.method, tc.path, "", "Authorization", authorization)
			got.problem(401, "unauthenticated")
			got.hasHeader("WWW-Authenticate", "Bearer")
		}
	}
	ann.lists(anns)
}

func TestRefused(t *testing.T) {
	long := strings.Repeat("é", 201)
	manyLabels := `"` + strings.Join(strings.Split("abcdefghijklmnopq", ""), `","`) + `"`
	for _, tc := range []struct {
		name, method, suffix, contentType, body string
		status                                  int
		code                                    string
		fields                                  []string
	}{
		{"no type", "POST", "", "", `{"title":"x"}`, 415, "unsupported_media_type", nil},
		{"text", "POST", "", "text/plain", `{"title":"x"}`, 415, "unsupported_media_type", nil},
		{"patch as JSON", "PATCH", "/{id}", plainJSON, `{"title":"x"}`, 415, "unsupported_media_type", nil},
		{"transition as a form", "POST", "/{id}/transitions", "application/x-www-form-urlencoded", `{"to":"cancelled"}`, 415, "unsupported_media_type", nil},
		{"too large", "POST", "", plainJSON, `{"title":"x"}` + strings.Repeat(" ", 64<<10), 413, "body_too_large", nil},
		{"empty", "POST", "", plainJSON, ``, 400, "malformed_json", nil},
		{"half", "POST", "", plainJSON, `{"title":"x"`, 400, "malformed_json", nil},
		{"two", "POST", "", plainJSON, `{"title":"x"}{}`, 400, "malformed_json", nil},
		{"array", "POST", "", plainJSON, `[]`, 400, "malformed_json", nil},
		{"null", "PATCH", "/{id}", mergePatch, `null`, 400, "malformed_json", nil},
		{"unknown field", "PATCH", "/{id}", mergePatch, `{"title":"x","status":"done"}`, 400, "malformed_json", nil},
		{"wrong type", "POST", "/{id}/transitions", plainJSON, `{"to":1}`, 400, "malformed_json", nil},
		{"no title", "POST", "", plainJSON, `{}`, 422, "validation_failed", []string{"title"}},
		{"blank title", "POST", "", plainJSON, `{"title":" "}`, 422, "validation_failed", []string{"title"}},
		{"null title", "PATCH", "/{id}", mergePatch, `{"labels":["new"],"title":null}`, 422, "validation_failed", []string{"title"}},
		{"long title", "PATCH", "/{id}", mergePatch, `{"title":"` + long + `"}`, 422, "validation_failed", []string{"title"}},
		{"label", "POST", "", plainJSON, `{"title":"x","labels":["a b"]}`, 422, "validation_failed", []string{"labels"}},
		{"17 labels", "PATCH", "/{id}", mergePatch, `{"title":"x","labels":[` + manyLabels + `]}`, 422, "validation_failed", []string{"labels"}},
		{"date only", "POST", "", plainJSON, `{"title":"x","due_at":"2027-03-01"}`, 422, "validation_failed", []string{"due_at"}},
		{"three fields", "PATCH", "/{id}", mergePatch, `{"title":"","labels":[""],"due_at":""}`, 422, "validation_failed", []string{"title", "labels", "due_at"}},
		{"no target", "POST", "/{id}/transitions", plainJSON, `{}`, 422, "validation_failed", []string{"to"}},
		{"unknown target", "POST", "/{id}/transitions", plainJSON, `{"to":"lost"}`, 422, "validation_failed", []string{"to"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ann, _ := users(t)
			before := ann.create(`{"title":"Pay rent","labels":["home"]}`)
			tag := ann.etag(before)

			path := "/v1/tasks" + strings.ReplaceAll(tc.suffix, "{id}", before.ID)
			got := ann.do(tc.method, path, tc.body, "Content-Type", tc.contentType, "If-Match", tag)

			p := got.problem(tc.status, tc.code)
			if diff := cmp.Diff(tc.fields, p.Fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			ann.keeps(before, tag)
			ann.lists(before)
		})
	}
}

func TestLargestAccepted(t *testing.T) {
	ann, _ := users(t)
	title := strings.Repeat("é", 200)
	body := `{"title":"` + title + `","labels":["a","b","c","d","e","f","g","h","i","j","k","l","m","n","o","p","P"]}`
	body += strings.Repeat(" ", 64<<10-len(body))
	got := ann.do("POST", "/v1/tasks", body, "Content-Type", "application/json; charset=utf-8").task(201)
	if got.Title != title || len(got.Labels) != 16 {
		t.Errorf("got %+v, want 200 characters and 16 labels", got)
	}
}

func TestPatch_NeedsTheVersion(t *testing.T) {
	ann, _ := users(t)
	before := ann.create(`{"title":"Pay rent"}`)
	tag := ann.etag(before)

	ann.do("PATCH", before.path(), `{"title":"x"}`, "Content-Type", mergePatch).problem(428, "precondition_required")
	ann.patch(before.path(), `"other"`, `{"title":"x"}`).problem(412, "precondition_failed")

	ann.keeps(before, tag)
}

func TestList_LimitAndCursor(t *testing.T) {
	ann, _ := users(t)
	for i := range 101 {
		ann.create(fmt.Sprintf(`{"title":"task %d"}`, i))
	}
	for query, want := range map[string]int{"": 20, "?limit=1": 1, "?limit=100": 100} {
		if got := ann.page(query); len(got.Items) != want || got.NextCursor == nil {
			t.Errorf("GET /v1/tasks%s has %d tasks and next_cursor %v, want %d and a cursor", query, len(got.Items), got.NextCursor, want)
		}
	}
	for _, limit := range []string{"0", "-1", "101", "x", ""} {
		ann.do("GET", "/v1/tasks?limit="+limit, "").problem(400, "invalid_query")
	}
	for _, cursor := range []string{"", "!"} {
		ann.do("GET", "/v1/tasks?cursor="+cursor, "").problem(400, "invalid_cursor")
	}
}

func TestList_Pages(t *testing.T) {
	want := [][]string{{"task 5", "task 4"}, {"task 3", "task 2"}, {"task 1", "task 0"}}
	for _, tc := range []struct {
		name    string
		between func(ann client)
	}{
		{"undisturbed", func(client) {}},
		{"created in between", func(ann client) { ann.create(`{"title":"new"}`) }},
		{"deleted in between", func(ann client) { ann.do("DELETE", ann.page("?limit=1").Items[0].path(), "") }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ann, bob := users(t)
			for i := range 6 {
				ann.create(fmt.Sprintf(`{"title":"task %d"}`, i))
				bob.create(`{"title":"not Ann's"}`)
			}

			var got [][]string
			query := "?limit=2"
			for range 4 { // a cursor without end must not hang the test
				page := ann.page(query)
				var titles []string
				for _, item := range page.Items {
					titles = append(titles, item.Title)
				}
				got = append(got, titles)
				if page.NextCursor == nil {
					break
				}
				query = "?limit=2&cursor=" + url.QueryEscape(*page.NextCursor)
				tc.between(ann)
			}

			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the pages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIdempotencyKey(t *testing.T) {
	ann, bob := users(t)
	const body = `{"title":"Pay rent"}`
	post := func(c client, key, body string) answer {
		return c.do("POST", "/v1/tasks", body, "Content-Type", plainJSON, "Idempotency-Key", key)
	}
	post(ann, "k1", `{"title":""}`).problem(422, "validation_failed") // is not kept
	first := post(ann, "k1", body)
	created := first.task(201)
	first.hasHeader("Idempotency-Replayed", "")
	moved := ann.move(created, "in_progress").task(200)

	again := post(ann, "k1", body)

	again.hasHeader("Idempotency-Replayed", "true")
	for _, name := range []string{"Location", "ETag", "Content-Type"} {
		again.hasHeader(name, first.header.Get(name))
	}
	if again.status != 201 || string(again.body) != string(first.body) {
		t.Errorf("repeated: %d %s, want %d %s", again.status, again.body, first.status, first.body)
	}
	ann.lists(moved)
	post(ann, "k1", `{"title":"Pay the rent"}`).problem(422, "idempotency_mismatch")
	ann.lists(moved)

	bobs := post(bob, "k1", body).task(201)
	bob.lists(bobs)
	second := post(ann, "k2", body).task(201)
	ann.lists(second, moved)
	ann.do("DELETE", moved.path(), "")
	if deleted := post(ann, "k1", body); string(deleted.body) != string(first.body) {
		t.Errorf("repeated after the DELETE: %s, want %s", deleted.body, first.body)
	}
	ann.lists(second)
}

func TestServersShareNothing(t *testing.T) {
	ann, _ := users(t)
	other, _ := users(t)
	ann.create(`{"title":"Pay rent"}`)
	other.lists()
}

func TestPatch_OneOfManyWins(t *testing.T) {
	ann, _ := users(t)
	before := ann.create(`{"title":"Pay rent"}`)
	tag := ann.etag(before)
	statuses := make([]int, 8)
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() { statuses[i] = ann.patch(before.path(), tag, `{"title":"mine"}`).status })
	}
	wg.Wait()
	slices.Sort(statuses)
	if want := []int{200, 412, 412, 412, 412, 412, 412, 412}; !slices.Equal(statuses, want) {
		t.Errorf("got %v, want %v", statuses, want)
	}
}

type task struct {
	ID        string    `json:"id"`
	Owner     string    `json:"owner"`
	Title     string    `json:"title"`
	Status    string    `json:"status"`
	Labels    []string  `json:"labels"`
	DueAt     *string   `json:"due_at"` // as text: its form is part of the contract
	Version   int       `json:"version"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (t task) path() string { return "/v1/tasks/" + t.ID }

// serverFields are chosen by the server: no test can know them before.
var serverFields = cmpopts.IgnoreFields(task{}, "ID", "CreatedAt", "UpdatedAt")

type page struct {
	Items      []task  `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

type problem struct {
	Status int      `json:"status"`
	Code   string   `json:"code"`
	Fields []string `json:"fields"`
}

// client is a user of a server.
type client struct {
	t      *testing.T
	server http.Handler
	user   string
}

// users returns two users of one new server.
func users(t *testing.T) (ann, bob client) {
	server := newServer()
	return client{t, server, "ann"}, client{t, server, "bob"}
}

// do sends a request. Headers are pairs of name and value; an empty value means
// that there is no such header.
func (c client) do(method, path, body string, headers ...string) answer {
	c.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+c.user)
	for pair := range slices.Chunk(headers, 2) {
		if r.Header.Set(pair[0], pair[1]); pair[1] == "" {
			r.Header.Del(pair[0])
		}
	}
	w := httptest.NewRecorder()
	c.server.ServeHTTP(w, r)
	result := w.Result()
	got, err := io.ReadAll(result.Body)
	if err != nil {
		c.t.Error(err)
	}
	return answer{c.t, method + " " + path, result.StatusCode, result.Header, got}
}

func (c client) post(path, body string) answer {
	c.t.Helper()
	return c.do("POST", path, body, "Content-Type", plainJSON)
}

func (c client) create(body string) task {
	c.t.Helper()
	return c.post("/v1/tasks", body).task(201)
}

func (c client) patch(path, tag, body string) answer {
	c.t.Helper()
	return c.do("PATCH", path, body, "Content-Type", mergePatch, "If-Match", tag)
}

func (c client) move(t task, to string) answer {
	c.t.Helper()
	return c.post(t.path()+"/transitions", `{"to":"`+to+`"}`)
}

func (c client) page(query string) page {
	c.t.Helper()
	var p page
	c.do("GET", "/v1/tasks"+query, "").decode(200, plainJSON, &p)
	return p
}

func (c client) etag(t task) string {
	c.t.Helper()
	return c.do("GET", t.path(), "").header.Get("ETag")
}

// keeps checks that the server still has exactly this version of a task.
func (c client) keeps(want task, tag string) {
	c.t.Helper()
	got := c.do("GET", want.path(), "")
	got.hasHeader("ETag", tag)
	if diff := cmp.Diff(want, got.task(200)); diff != "" {
		c.t.Errorf("the server has another task (-want +got):\n%s", diff)
	}
}

// lists checks that the user has these tasks and no other.
func (c client) lists(want ...task) {
	c.t.Helper()
	got := c.page("")
	if diff := cmp.Diff(want, got.Items, cmpopts.EquateEmpty()); diff != "" || got.Items == nil || got.NextCursor != nil {
		c.t.Errorf("the list of %s is another one (-want +got):\n%s", c.user, diff)
	}
}

type answer struct {
	t       *testing.T
	request string
	status  int
	header  http.Header
	body    []byte
}

func (a answer) task(status int) task {
	a.t.Helper()
	var t task
	a.decode(status, plainJSON, &t)
	if tag := a.header.Get("ETag"); len(tag) < 3 || tag[0] != '"' {
		a.t.Errorf("%s: ETag is %q, want a strong one", a.request, tag)
	}
	return t
}

func (a answer) problem(status int, code string) problem {
	a.t.Helper()
	var p problem
	a.decode(status, "application/problem+json", &p)
	if p.Status != status || p.Code != code {
		a.t.Errorf("%s: the problem is %d %s, want %d %s", a.request, p.Status, p.Code, status, code)
	}
	return p
}

func (a answer) decode(status int, contentType string, v any) {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d; the body is %.200s", a.request, a.status, status, a.body)
	}
	a.hasHeader("Content-Type", contentType)
	if err := json.Unmarshal(a.body, v); err != nil {
		a.t.Fatalf("%s: %v in %.200s", a.request, err, a.body)
	}
}

func (a answer) hasHeader(name, want string) {
	a.t.Helper()
	if got := a.header.Get(name); got != want {
		a.t.Errorf("%s: header %s is %q, want %q", a.request, name, got, want)
	}
}
