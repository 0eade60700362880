package m04b_test

import (
	"strings"
	"testing"

	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

// outcome is an answer that the contract allows for a bad request.
type outcome struct {
	status int
	code   string
}

var (
	malformed = []outcome{{400, "malformed_json"}}
	invalid   = []outcome{{422, "validation_failed"}}
	unread    = []outcome{{400, "malformed_json"}, {422, "validation_failed"}} // wrong in both ways
	badQuery  = []outcome{{400, "invalid_query"}}
	badCursor = []outcome{{400, "invalid_cursor"}}
	badHeader = []outcome{{400, "invalid_header"}}
	noTask    = []outcome{{404, "not_found"}}
	noType    = []outcome{{415, "unsupported_media_type"}}
	noVersion = []outcome{{412, "precondition_failed"}}
)

func TestM04b_BadInput(t *testing.T) {
	tt := tracker.Start(t, nil)
	ada := signUp(t, tt, "ada")
	task := ada.Want(t, tracker.Create(`{"title":"a"}`), 201, "").Task(t)
	path, etag := task.Path(), task.ETag()
	withBody := map[string]tracker.Request{
		"POST /v1/users": tracker.Post("/v1/users", ""), "POST /v1/sessions": tracker.Post("/v1/sessions", ""),
		"POST /v1/tasks": tracker.Create(""), "PATCH": tracker.Patch(path, etag, ""), "transitions": tracker.Post(path+"/transitions", ""),
	}
	bodies := []struct {
		name, body string
		want       []outcome
	}{
		{"empty", "", malformed},
		{"space", " \n\t ", malformed},
		{"not JSON", "title=a", malformed},
		{"cut off", `{"title":"a`, malformed},
		{"trailing", `{"title":"a"}{`, malformed},
		{"NUL", "{\"title\":\"a\x00\"}", malformed},
		{"not UTF-8", "{\"title\":\"\xff\xfe\",\"to\":\"\xff\",\"email\":\"\xff\"}", unread},
		{"not UTF-8 in a name", "{\"\xc3\x28\":1}", unread},
		{"BOM", "\ufeff{\"title\":\"a\"}", malformed},
		{"a list", `[]`, unread},
		{"a text", `"title"`, unread},
		{"null", `null`, unread},
		{"a number", `1e400`, unread},
		{"deep", strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), unread},
		{"deep in a member", `{"title":` + strings.Repeat(`{"a":`, 9_000) + "1" + strings.Repeat("}", 9_000) + "}", unread},
		{"deep and not closed", strings.Repeat("[", 60_000), malformed},
		{"unknown member", `{"nosuch":1}`, invalid},
		{"proto", `{"__proto__":{"admin":true}}`, invalid},
		{"a huge number", `{"title":` + strings.Repeat("9", 30_000) + `,"email":1e999999,"to":1}`, invalid},
		{"many members", `{` + strings.Repeat(`"x":1,`, 5_000) + `"x":1}`, unread},
	}
	for name, r := range withBody {
		for _, tc := range bodies {
			r.Body = tc.body
			try(t, ada.Client, name+" "+tc.name, r, tc.want)
		}
		r.Body = `{"title":"b"}`
		try(t, ada.Client, name+" text/xml", r.Without("Content-Type").With("Content-Type", "text/xml"), noType)
	}
	for _, tc := range []struct {
		name string
		r    tracker.Request
		want []outcome
	}{
		{"a title that is not UTF-8", tracker.Create("{\"title\":\"caf\xe9\"}"), malformed},
		{"a patch that is not UTF-8", tracker.Patch(path, etag, "{\"description\":\"\xed\xa0\x80\"}"), malformed},
		{"a status that is not UTF-8", tracker.Post(path+"/transitions", "{\"to\":\"done\xff\"}"), malformed},
		{"a password that is not UTF-8", tracker.Post("/v1/users", "{\"email\":\"a@example.org\",\"name\":\"a\",\"password\":\"12345678\xff\"}"), malformed},
		{"types of a task", tracker.Create(`{"title":["a"],"labels":{"a":1},"due_at":true}`), invalid},
		{"labels in labels", tracker.Create(`{"title":"a","labels":[["a"]]}`), invalid},
		{"many labels", tracker.Create(`{"title":"a","labels":[` + strings.Repeat(`"!",`, 15_000) + `"!"]}`), invalid},
		{"a year with five digits", tracker.Create(`{"title":"a","due_at":"10000-01-01T00:00:00Z"}`), invalid},
		{"an escape in a title", tracker.Create(`{"title":"\u001b]0;owned\u0007"}`), invalid},
		{"types of a patch", tracker.Patch(path, etag, `{"title":{},"priority":3}`), invalid},
		{"immutable members", tracker.Patch(path, etag, `{"id":"tsk_1","version":9,"created_at":null}`), invalid},
		{"to a status that is none", tracker.Post(path+"/transitions", `{"to":"deleted"}`), invalid},
		{"no If-Match", tracker.Patch(path, "", `{"title":"b"}`), []outcome{{428, "precondition_required"}}},
		{"a huge version", tracker.Patch(path, `"v`+strings.Repeat("9", 3000)+`"`, `{"title":"b"}`), noVersion},
		{"1000 tags", tracker.Patch(path, strings.Repeat(`"x",`, 1000)+`"y"`, `{"title":"b"}`), noVersion},
		{"a broken tag", tracker.Patch(path, `"v1`, `{"title":"b"}`), badHeader},
		{"a long key", tracker.Create(`{"title":"b"}`).With("Idempotency-Key", strings.Repeat("k", 5000)), badHeader},
		{"limit", tracker.Get("/v1/tasks?limit=" + strings.Repeat("9", 400)), badQuery},
		{"negative limit", tracker.Get("/v1/tasks?limit=-1"), badQuery},
		{"SQL", tracker.Get("/v1/tasks?sort=title;drop+table+tasks"), badQuery},
		{"not UTF-8 in the query", tracker.Get("/v1/tasks?q=%ff%fe"), badQuery},
		{"half an escape", tracker.Get("/v1/tasks?q=%4"), badQuery},
		{"a cursor of nobody", tracker.Get("/v1/tasks?cursor=eyJvZmZzZXQiOjIwfQ"), badCursor},
		{"a cursor with odd bytes", tracker.Get("/v1/tasks?cursor=%00%ff%0a"), badCursor},
		{"a long cursor", tracker.Get("/v1/tasks?cursor=" + strings.Repeat("A", 6000)), badCursor},
		{"up the tree", tracker.Get("/v1/tasks/..%2f..%2fetc%2fpasswd"), noTask},
		{"NUL in an id", tracker.Get("/v1/tasks/%00"), noTask},
		{"a path without an end", tracker.Get("/v1/tasks" + strings.Repeat("/a", 3000)), noTask},
		{"an odd method", tracker.Request{Method: "BREW", Path: "/v1/tasks"}, []outcome{{405, "method_not_allowed"}}},
		{"nothing to accept", tracker.Get("/v1/tasks").With("Accept", "image/png"), []outcome{{406, "not_acceptable"}}},
		{"an e-mail with a newline", registration("a@example.org\nx", password, "a"), invalid},
		{"a password of 60000 bytes", registration("a@example.org", strings.Repeat("x", 60_000), "a"), invalid},
		{"to log in with 60000 bytes", credentials("a@example.org", strings.Repeat("x", 60_000)), []outcome{{401, "bad_credentials"}, {422, "validation_failed"}}},
		{"to log in with nothing", credentials("", ""), []outcome{{401, "bad_credentials"}, {422, "validation_failed"}}},
	} {
		try(t, ada.Client, tc.name, tc.r, tc.want)
	}
	page := ada.Want(t, tracker.Get("/v1/tasks"), 200, "")
	items := page.Page(t).Items
	page.Check(t, len(items) == 1 && items[0].ETag() == etag, "the one task, as it was", "A refused request changes nothing.")
	tt.Anonymous().Want(t, tracker.Get("/readyz"), 200, "The service goes on.")
}

// try sends a bad request. The answer has to be one of want.
func try(t *testing.T, c *tracker.Client, name string, r tracker.Request, want []outcome) {
	t.Run(name, func(t *testing.T) {
		answer, err := c.Try(t.Context(), r.Bad())
		if err == nil {
			code := answer.Problem(t).Code
			for _, o := range want {
				if answer.Status == o.status && code == o.code && answer.Internals() == "" {
					return
				}
			}
		}
		last := want[len(want)-1]
		c.Refuse(t, r.Bad(), last.status, last.code, "A client can only react to the mistake that it is told.")
	})
}
