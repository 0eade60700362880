package m04a_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

func TestM04a_UnknownFieldAndTrailing(t *testing.T) {
	ann := start(t).Developer("usr_ann")
	task := ann.Want(t, tracker.Create(`{"title":"a"}`), 201, "").Task(t)
	unchanged := func() {
		t.Helper()
		page := ann.Want(t, tracker.Get("/v1/tasks"), 200, "")
		items := page.Page(t).Items
		page.Check(t, len(items) == 1 && items[0].Version == task.Version, "the one task, as it was", "A refused request changes nothing.")
	}
	for _, tc := range []struct {
		r     tracker.Request
		field string
	}{
		{tracker.Create(`{"title":"a","owner_id":"usr_ben"}`), "owner_id"},
		{tracker.Create(`{"title":"a","Due_At":null}`), "Due_At"},
		{tracker.Create(`{"title":"a","":1}`), ""},
		{tracker.Patch(task.Path(), task.ETag(), `{"status":"done"}`), "status"},
		{tracker.Patch(task.Path(), task.ETag(), `{"Title":"b"}`), "Title"},
		{tracker.Post(task.Path()+"/transitions", `{"to":"in_progress","from":"todo"}`), "from"},
	} {
		answer := ann.Refuse(t, tc.r.Bad(), 422, "validation_failed", "A misspelt member that is ignored is a change that the user believes in and nobody made.")
		answer.Check(t, answer.Problem(t).Names(tc.field, "unknown_field"),
			fmt.Sprintf("errors with the field %q and the code unknown_field", tc.field), "")
		unchanged()
	}
	for _, r := range []tracker.Request{
		tracker.Create(`{"title":"a"} {"title":"b"}`),
		tracker.Create(`{"title":"a"}]`),
		tracker.Create(`{"title":"a","title":"b"}`),
		tracker.Patch(task.Path(), task.ETag(), `{"title":"b"}{}`),
		tracker.Patch(task.Path(), task.ETag(), `{"title":"b","title":"c"}`),
		tracker.Post(task.Path()+"/transitions", `{"to":"in_progress"} null`),
	} {
		ann.Refuse(t, r.Bad(), 400, "malformed_json", "Two readers of such a body can read two different things.")
		unchanged()
	}
}

func TestM04a_ValidationAllFields(t *testing.T) {
	ann := start(t).Developer("usr_ann")
	const why = "A form shows all mistakes at once, each beside its field."

	body := fmt.Sprintf(`{"title":" \t","description":%q,"priority":"asap","labels":["ok","not ok","-x"],"due_at":"2001-01-01T00:00:00Z"}`, strings.Repeat("é", 8001))
	answer := ann.Refuse(t, tracker.Create(body).Bad(), 422, "validation_failed", why)
	for _, want := range []tracker.FieldError{
		{Field: "title", Code: "required"}, {Field: "description", Code: "too_long"}, {Field: "priority", Code: "unknown_value"},
		{Field: "labels[1]", Code: "bad_format"}, {Field: "labels[2]", Code: "bad_format"}, {Field: "due_at", Code: "too_early"},
	} {
		answer.Check(t, answer.Problem(t).Names(want.Field, want.Code), fmt.Sprintf("errors with %s %s beside the others", want.Field, want.Code), why)
	}
	answer.Check(t, len(answer.Problem(t).Errors) == 6, "six errors", "labels[0] is fine.")

	for _, tc := range []struct{ body, field, code string }{
		{`{}`, "title", "required"},
		{`{"title":""}`, "title", "required"},
		{fmt.Sprintf(`{"title":%q}`, strings.Repeat("é", 201)), "title", "too_long"},
		{`{"title":"a\u0000b"}`, "title", "bad_characters"},
		{`{"title":"a\nb"}`, "title", "bad_characters"},
		{`{"title":"a","description":"\u001b[2J"}`, "description", "bad_characters"},
		{`{"title":"a","labels":["` + strings.Repeat("x", 33) + `"]}`, "labels[0]", "bad_format"},
		{`{"title":"a","labels":["ümlaut"]}`, "labels[0]", "bad_format"},
		{`{"title":"a","labels":[""]}`, "labels[0]", "bad_format"},
		{`{"title":"a","labels":` + labels(17) + `}`, "labels", "too_many"},
		{`{"title":"a","priority":"High"}`, "priority", "unknown_value"},
		{`{"title":null}`, "title", ""},
		{`{"title":5}`, "title", ""},
		{`{"title":"a","labels":"home"}`, "labels", ""},
		{`{"title":"a","labels":[7]}`, "labels[0]", ""},
		{`{"title":"a","due_at":"tomorrow"}`, "due_at", ""},
		{`{"title":"a","due_at":"2099-02-30T00:00:00Z"}`, "due_at", ""},
		{`{"title":"a","due_at":"2099-01-01T00:00:00"}`, "due_at", ""},
		{`{"title":"a","due_at":4070908800}`, "due_at", ""},
	} {
		answer := ann.Refuse(t, tracker.Create(tc.body).Bad(), 422, "validation_failed", "The client has to learn which field it is.")
		answer.Check(t, answer.Problem(t).Names(tc.field, tc.code), strings.TrimSpace("errors with "+tc.field+" "+tc.code), "")
	}
	page := ann.Want(t, tracker.Get("/v1/tasks"), 200, "")
	page.Check(t, len(page.Page(t).Items) == 0, "no items", "A refused request creates nothing.")

	for _, body := range []string{
		fmt.Sprintf(`{"title":"  %s  "}`, strings.Repeat("é", 200)),
		fmt.Sprintf(`{"title":"a","description":%q}`, strings.Repeat("é", 7999)+"\n"),
		`{"title":"a","labels":` + labels(16) + `}`,
		`{"title":"a","labels":["` + strings.Repeat("x", 32) + `"," A ","a","A"]}`,
	} {
		ann.Want(t, tracker.Create(body), 201, "The limits are in characters, and they are inclusive.")
	}
}

// labels returns a JSON list of n different labels, each of them twice.
func labels(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("l%d", i), fmt.Sprintf("L%d", i))
	}
	text, _ := json.Marshal(all)
	return string(text)
}

func TestM04a_MergePatchNullClears(t *testing.T) {
	ann := start(t).Developer("usr_ann")
	task := ann.Want(t, tracker.Create(
		`{"title":"a","description":"long","priority":"high","labels":["x","y"],"due_at":"2099-01-01T00:00:00Z"}`), 201, "").Task(t)

	assigned := ann.Want(t, tracker.Patch(task.Path(), task.ETag(), `{"assignee_id":"usr_ben"}`), 200, "")
	now := assigned.Task(t)
	assigned.Check(t, now.AssigneeID != nil && *now.AssigneeID == "usr_ben" && now.Description == "long" && now.DueAt != nil && len(now.Labels) == 2 && now.Priority == "high",
		"the assignee, and everything else as it was", "A member that is absent stays; a client sends only what its user has changed.")
	assigned.Check(t, now.Version > task.Version && assigned.ETag() == now.ETag() && !now.UpdatedAt.Before(task.UpdatedAt) && now.CreatedAt.Equal(task.CreatedAt),
		"a greater version, the ETag of it, a later updated_at, the same created_at", "")

	for _, member := range []string{"description", "labels", "due_at", "assignee_id"} {
		cleared := ann.Want(t, tracker.Patch(now.Path(), now.ETag(), `{"`+member+`":null}`), 200, "")
		now = cleared.Task(t)
		empty := map[string]bool{
			"description": now.Description == "", "labels": len(now.Labels) == 0, "due_at": now.DueAt == nil, "assignee_id": now.AssigneeID == nil,
		}
		cleared.Check(t, empty[member], member+" without a value", "null clears. Otherwise a deadline once set can never be taken back.")
	}
	got := ann.Want(t, tracker.Get(now.Path()), 200, "")
	got.Check(t, got.Task(t).DueAt == nil && got.Task(t).AssigneeID == nil, "the cleared task", "It was said to be so.")

	replaced := ann.Want(t, tracker.Patch(now.Path(), now.ETag(), `{"labels":["z"]}`), 200, "")
	replaced = ann.Want(t, tracker.Patch(now.Path(), replaced.ETag(), `{"labels":["B","a","b"],"title":" new "}`), 200, "")
	now = replaced.Task(t)
	replaced.Check(t, fmt.Sprint(now.Labels) == "[a b]" && now.Title == "new", "labels [a b] and the title new",
		"A list replaces the list (RFC 7396), and the rules for a field do not depend on who sets it.")

	for _, patch := range []string{`{}`, `{"title":"new"}`, `{"labels":["b","a"]}`, `{"due_at":null}`} {
		same := ann.Want(t, tracker.Patch(now.Path(), now.ETag(), patch), 200, "")
		same.Check(t, same.ETag() == now.ETag() && same.Task(t).UpdatedAt.Equal(now.UpdatedAt), "the same ETag and updated_at",
			"A patch that changes nothing must not push all other writers into 412.")
	}
	for _, tc := range []struct{ patch, field, code string }{
		{`{"title":null}`, "title", ""},
		{`{"title":" "}`, "title", "required"},
		{`{"priority":null}`, "priority", ""},
		{`{"priority":"no","title":"other"}`, "priority", "unknown_value"},
		{`{"assignee_id":"a b"}`, "assignee_id", "bad_format"},
		{`{"due_at":"1999-01-01T00:00:00Z","description":"other"}`, "due_at", "too_early"},
		{`{"labels":["ok","?"]}`, "labels[1]", "bad_format"},
	} {
		answer := ann.Refuse(t, tracker.Patch(now.Path(), now.ETag(), tc.patch).Bad(), 422, "validation_failed", "")
		answer.Check(t, answer.Problem(t).Names(tc.field, tc.code), strings.TrimSpace("errors with "+tc.field+" "+tc.code), "")
	}
	got = ann.Want(t, tracker.Get(now.Path()), 200, "")
	got.Check(t, got.ETag() == now.ETag() && string(got.Body) == string(replaced.Body), "the task as it was", "A refused patch changes nothing, not even its good half.")
}

func TestM04a_IfMatch(t *testing.T) {
	ann := start(t).Developer("usr_ann")
	task := ann.Want(t, tracker.Create(`{"title":"a"}`), 201, "").Task(t)
	first := task.ETag()
	const lost = "Without this check the second of two editors overwrites the first one, and nobody notices."

	ann.Refuse(t, tracker.Patch(task.Path(), "", `{"title":"b"}`), 428, "precondition_required", lost)
	for _, etag := range []string{`"v0"`, `"v99"`, `"99"`, `"v18446744073709551616"`, `"V1"`, `"v01"`, `""`, `W/` + first} {
		ann.Refuse(t, tracker.Patch(task.Path(), etag, `{"title":"b"}`), 412, "precondition_failed", lost)
	}
	for _, etag := range []string{"v1", `"v1`, "1", `w/"v1"`, `"v1" "v2"`, `*, "v1"`} {
		ann.Refuse(t, tracker.Patch(task.Path(), etag, `{"title":"b"}`), 400, "invalid_header", "What cannot be read must not be taken for a yes.")
	}
	second := ann.Want(t, tracker.Patch(task.Path(), first, `{"title":"b"}`), 200, "This is the ETag of the current version.")
	second.Check(t, second.ETag() != first, "a new ETag", lost)
	ann.Refuse(t, tracker.Patch(task.Path(), first, `{"title":"c"}`), 412, "precondition_failed", lost)
	moved := ann.Want(t, move(task, "in_progress"), 200, "")
	moved.Check(t, moved.ETag() != second.ETag() && moved.ETag() == moved.Task(t).ETag(), "a new ETag", "A transition is a change like others.")
	ann.Refuse(t, tracker.Patch(task.Path(), second.ETag(), `{"title":"c"}`), 412, "precondition_failed", lost)

	third := ann.Want(t, tracker.Patch(task.Path(), `"a,b" , "v99",`+moved.ETag(), `{"title":"c"}`), 200, "The list has the current ETag.")
	lines := tracker.Patch(task.Path(), `"v99"`, `{"title":"d"}`).With("If-Match", third.ETag())
	fourth := ann.Want(t, lines, 200, "Several lines of a header are one list.")
	fifth := ann.Want(t, tracker.Patch(task.Path(), "*", `{"title":"e"}`), 200, "* means any version.")
	got := ann.Want(t, tracker.Get(task.Path()), 200, "")
	got.Check(t, got.Task(t).Title == "e" && got.ETag() == fifth.ETag() && got.ETag() != fourth.ETag(), "the last title, under its own ETag", "")
}

func TestM04a_IfNoneMatch304(t *testing.T) {
	ann := start(t).Developer("usr_ann")
	task := ann.Want(t, tracker.Create(`{"title":"a"}`), 201, "").Task(t)
	path, etag := task.Path(), task.ETag()

	for _, header := range []string{etag, "W/" + etag, "*", `"x", ` + etag, `"x,y",` + etag} {
		for _, r := range []tracker.Request{tracker.Get(path), tracker.Head(path)} {
			answer := ann.Want(t, r.With("If-None-Match", header), 304, "An app that polls would load every task again and again.")
			answer.Check(t, answer.ETag() == etag, "ETag: "+etag, "")
		}
	}
	for _, header := range []string{`"v99"`, `W/"x"`, `"x", "y"`} {
		ann.Want(t, tracker.Get(path).With("If-None-Match", header), 200, "The client has another version.")
	}
	changed := ann.Want(t, tracker.Patch(path, etag, `{"title":"b"}`), 200, "")
	answer := ann.Want(t, tracker.Get(path).With("If-None-Match", etag), 200, "The task has changed since.")
	answer.Check(t, answer.Task(t).Title == "b" && answer.ETag() == changed.ETag(), "the new version", "")
}

// arrows are the transitions that users may make.
var arrows = map[string][]string{
	"todo":        {"in_progress", "cancelled"},
	"in_progress": {"blocked", "done", "todo", "cancelled"},
	"blocked":     {"in_progress", "cancelled"},
	"done":        {"todo"},
	"cancelled":   {},
	"expired":     {"todo"},
}

// ways lead from todo to a status.
var ways = map[string][]string{
	"todo":        {},
	"in_progress": {"in_progress"},
	"blocked":     {"in_progress", "blocked"},
	"done":        {"in_progress", "done"},
	"cancelled":   {"cancelled"},
}

var statuses = []string{"todo", "in_progress", "blocked", "done", "cancelled", "expired"}

func TestM04a_TransitionsMatrix(t *testing.T) {
	tt := start(t)
	ann := tt.Developer("usr_ann")
	for _, from := range statuses {
		way, ok := ways[from]
		if !ok {
			continue
		}
		t.Run(from, func(t *testing.T) {
			for _, to := range statuses {
				task := ann.Want(t, tracker.Create(`{"title":"`+from+` to `+to+`"}`), 201, "").Task(t)
				for _, step := range way {
					task = ann.Want(t, move(task, step), 200, "").Task(t)
				}
				tryMove(t, ann, task, to)
			}
		})
	}
	t.Run("expired", func(t *testing.T) { expired(t) })
	t.Run("no status", func(t *testing.T) {
		task := ann.Want(t, tracker.Create(`{"title":"a"}`), 201, "").Task(t)
		for _, to := range []string{`""`, `"Done"`, `"in-progress"`, `null`, `1`, `["done"]`} {
			answer := ann.Refuse(t, tracker.Post(task.Path()+"/transitions", `{"to":`+to+`}`).Bad(), 422, "validation_failed", "")
			answer.Check(t, answer.Problem(t).Names("to", ""), "errors with the field to", "")
		}
		ann.Refuse(t, tracker.Post(task.Path()+"/transitions", `{}`).Bad(), 422, "validation_failed", "")
		ann.Want(t, tracker.Post(task.Path()+"/transitions", `{"to":"in_progress","comment":"at last"}`), 200, "")
		long := fmt.Sprintf(`{"to":"done","comment":%q}`, strings.Repeat("é", 1001))
		ann.Refuse(t, tracker.Post(task.Path()+"/transitions", long).Bad(), 422, "validation_failed", "A comment has at most 1000 characters.")
	})
}

// tryMove moves a task and checks whether the status machine has the arrow.
func tryMove(t *testing.T, ann *tracker.Client, task tracker.Task, to string) {
	t.Helper()
	if !slices.Contains(arrows[task.Status], to) {
		ann.Refuse(t, move(task, to), 409, "invalid_transition", "A report counts on the order of a task's life: from "+task.Status+" no arrow leads to "+to+".")
		got := ann.Want(t, tracker.Get(task.Path()), 200, "")
		got.Check(t, got.ETag() == task.ETag() && got.Task(t).Status == task.Status, "the task as it was", "A refused transition changes nothing.")
		return
	}
	answer := ann.Want(t, move(task, to), 200, "From "+task.Status+" an arrow leads to "+to+".")
	moved := answer.Task(t)
	answer.Check(t, moved.Status == to && moved.Version > task.Version, "status "+to+" and a greater version", "")
	answer.Check(t, (moved.CompletedAt != nil) == (to == "done"), "completed_at exactly while the task is done",
		"Who reopens a task has not completed it, and the statistics of the week count completed_at.")
	if to == "done" {
		answer.Check(t, moved.CompletedAt.Equal(moved.UpdatedAt), "completed_at equal to updated_at", "")
	}
}
