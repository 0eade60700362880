package model

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

var (
	titles       = []string{"Water the plants", "étude No. 3", "WATER bill", "a", "100 % done?", "日本", "x_y"}
	descriptions = []string{"", "before noon", "Pay the WATER bill\nand the rent", "Étude"}
	priorities   = []string{"low", "normal", "high", "urgent"}
	labelLists   = [][]string{{}, {"home"}, {"Home", "bill"}, {"bill", "a", "bill"}, {"x-1", "x_1"}}
	assignees    = []string{"usr_ann", "usr_cid"}
	statuses     = []string{"todo", "in_progress", "blocked", "done", "cancelled", "expired"}

	// Few due times, so that some are equal; in several zones.
	dues = []string{
		"2098-12-31T23:00:00Z", "2099-01-01T00:00:00.5+01:00", "2099-01-01T00:00:00.500001+01:00", "2099-06-01T12:00:00Z",
	}
)

var arrows = map[string][]string{
	"todo":        {"in_progress", "cancelled"},
	"in_progress": {"blocked", "done", "todo", "cancelled"},
	"blocked":     {"in_progress", "cancelled"},
	"done":        {"todo"},
}

func (m *model) create(u *user) {
	body := map[string]any{"title": pick(m, titles)}
	if text, ok := maybe(m, descriptions); ok {
		body["description"] = text
	}
	if p, ok := maybe(m, priorities); ok {
		body["priority"] = p
	}
	if list, ok := maybe(m, labelLists); ok {
		body["labels"] = list
	}
	if due, ok := maybe(m, dues); ok {
		body["due_at"] = due
	}
	want := tracker.Task{Status: "todo", Priority: "normal"}
	apply(&want, body)

	answer := u.Want(m.t, tracker.Create(encode(body)), 201, "")
	got := answer.Task(m.t)
	want.ID, want.OwnerID, want.CreatedAt, want.UpdatedAt, want.Version = got.ID, got.OwnerID, got.CreatedAt, got.UpdatedAt, got.Version
	m.same(answer, got, want)
	_, known := u.tasks[got.ID]
	answer.Check(m.t, !known && !slices.Contains(u.gone, got.ID), "an id that no other task has", "")
	u.ids = append(u.ids, got.ID)
	u.tasks[got.ID] = got
}

func (m *model) patch(u *user, task tracker.Task) {
	patch := map[string]any{}
	if text, ok := maybe(m, titles); ok {
		patch["title"] = text
	}
	clear := func(member string) {
		if m.rnd.IntN(8) == 0 {
			patch[member] = nil
		}
	}
	if text, ok := maybe(m, descriptions); ok {
		patch["description"] = text
	}
	clear("description")
	if p, ok := maybe(m, priorities); ok {
		patch["priority"] = p
	}
	if list, ok := maybe(m, labelLists); ok {
		patch["labels"] = list
	}
	clear("labels")
	if due, ok := maybe(m, dues); ok {
		patch["due_at"] = due
	}
	clear("due_at")
	if a, ok := maybe(m, assignees); ok {
		patch["assignee_id"] = a
	}
	clear("assignee_id")

	switch m.rnd.IntN(10) {
	case 0:
		u.Refuse(m.t, tracker.Patch(task.Path(), `"v0"`, encode(patch)), 412, "precondition_failed", "")
		m.get(u, task)
	case 1:
		u.Refuse(m.t, tracker.Patch(task.Path(), "", encode(patch)), 428, "precondition_required", "")
		m.get(u, task)
	default:
		want := clone(task)
		apply(&want, patch)
		answer := u.Want(m.t, tracker.Patch(task.Path(), task.ETag(), encode(patch)), 200, "")
		m.changed(u, answer, task, want)
	}
}

func (m *model) move(u *user, task tracker.Task) {
	to := pick(m, statuses)
	r := tracker.Post(task.Path()+"/transitions", words(`{"to":%q}`, to))
	if !slices.Contains(arrows[task.Status], to) {
		u.Refuse(m.t, r, 409, "invalid_transition", words("From %s no arrow leads to %s.", task.Status, to))
		return
	}
	want := clone(task)
	want.Status, want.CompletedAt = to, nil
	answer := u.Want(m.t, r, 200, "")
	if to == "done" {
		want.CompletedAt = new(answer.Task(m.t).UpdatedAt)
	}
	m.changed(u, answer, task, want)
}

func (m *model) get(u *user, task tracker.Task) {
	answer := u.Want(m.t, tracker.Get(task.Path()), 200, "")
	m.same(answer, answer.Task(m.t), task)
}

func (m *model) delete(u *user, task tracker.Task) {
	r := tracker.Delete(task.Path())
	if m.rnd.IntN(2) == 0 {
		u.Refuse(m.t, r.With("If-Match", `"v0"`), 412, "precondition_failed", "")
		r = r.With("If-Match", task.ETag())
	}
	u.Want(m.t, r, 204, "")
	delete(u.tasks, task.ID)
	u.ids = slices.DeleteFunc(u.ids, func(id string) bool { return id == task.ID })
	u.gone = append(u.gone, task.ID)
}

// changed checks the answer to a change, and stores it.
func (m *model) changed(u *user, answer tracker.Answer, before, want tracker.Task) {
	got := answer.Task(m.t)
	answer.Check(m.t, answer.ETag() == got.ETag(), "ETag: "+got.ETag(), "")
	want.Version, want.UpdatedAt = got.Version, got.UpdatedAt
	m.same(answer, got, want)
	if equal(before, want) {
		answer.Check(m.t, got.Version == before.Version && got.UpdatedAt.Equal(before.UpdatedAt), "the same version and updated_at", "A patch that changes nothing is no change.")
	} else {
		answer.Check(m.t, got.Version > before.Version && !got.UpdatedAt.Before(before.UpdatedAt), "a greater version", "Nobody would see that the task has changed.")
	}
	u.tasks[got.ID] = got
}

func (m *model) same(answer tracker.Answer, got, want tracker.Task) {
	m.t.Helper()
	ok := equal(got, want) && got.Version == want.Version && got.UpdatedAt.Equal(want.UpdatedAt)
	if !ok {
		answer.Check(m.t, false, "the task "+encode(want), "The requests before have left it like this.")
	}
}

// equal compares tasks without version and updated_at.
func equal(a, b tracker.Task) bool { return reflect.DeepEqual(bare(a), bare(b)) }

func bare(t tracker.Task) tracker.Task {
	t = clone(t)
	t.Version, t.UpdatedAt, t.CreatedAt = 0, time.Time{}, t.CreatedAt.UTC()
	for _, at := range []**time.Time{&t.DueAt, &t.CompletedAt} {
		if *at != nil {
			*at = new((**at).UTC())
		}
	}
	return t
}

func clone(t tracker.Task) tracker.Task {
	t.Labels = append([]string{}, t.Labels...)
	return t
}

// apply puts members into a task, as the service has to store them.
func apply(t *tracker.Task, members map[string]any) {
	for name, value := range members {
		text, _ := value.(string)
		switch name {
		case "title":
			t.Title = text
		case "description":
			t.Description = text
		case "priority":
			t.Priority = text
		case "labels":
			list, _ := value.([]string)
			t.Labels = normal(list)
		case "due_at":
			if t.DueAt = nil; value != nil {
				at, _ := time.Parse(time.RFC3339Nano, text)
				t.DueAt = new(at.UTC())
			}
		case "assignee_id":
			if t.AssigneeID = nil; value != nil {
				t.AssigneeID = new(text)
			}
		}
	}
}

func normal(labels []string) []string {
	list := make([]string, len(labels))
	for i, label := range labels {
		list[i] = strings.ToLower(label)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts, lists and times
	}
	return string(text)
}
