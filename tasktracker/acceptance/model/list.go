package model

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

// query is a query of a list. Empty fields are not sent.
type query struct {
	statuses, priorities        []string
	label, text, assignee, sort string
	dueBefore                   string
	limit                       int
}

var sorts = []string{"created_at", "-created_at", "due_at", "-due_at", "priority", "-priority"}

func (m *model) query() query {
	q := query{}
	if m.rnd.IntN(3) == 0 {
		q.statuses = []string{pick(m, statuses), pick(m, statuses)}
	}
	if m.rnd.IntN(3) == 0 {
		q.priorities = []string{pick(m, priorities), pick(m, priorities)}
	}
	if m.rnd.IntN(4) == 0 {
		q.label = pick(m, []string{"home", "bill", "Bill", "x-1", "none"})
	}
	if m.rnd.IntN(4) == 0 {
		q.text = pick(m, []string{"water", "ÉTUDE", "%", "_", "bill\nand", "本"})
	}
	if m.rnd.IntN(5) == 0 {
		q.assignee = pick(m, assignees)
	}
	if m.rnd.IntN(5) == 0 {
		q.dueBefore = pick(m, dues)
	}
	if m.rnd.IntN(4) > 0 {
		q.sort = pick(m, sorts)
	}
	if m.rnd.IntN(3) > 0 {
		q.limit = 1 + m.rnd.IntN(10)
	}
	return q
}

func (q query) values() url.Values {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("status", strings.Join(q.statuses, ","))
	set("priority", strings.Join(q.priorities, ","))
	set("label", q.label)
	set("q", q.text)
	set("assignee", q.assignee)
	set("due_before", q.dueBefore)
	set("sort", q.sort)
	if q.limit > 0 {
		set("limit", strconv.Itoa(q.limit))
	}
	return v
}

func (q query) matches(t tracker.Task) bool {
	before, _ := time.Parse(time.RFC3339Nano, q.dueBefore)
	contains := func(text string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(q.text)) }
	return (q.statuses == nil || slices.Contains(q.statuses, t.Status)) &&
		(q.priorities == nil || slices.Contains(q.priorities, t.Priority)) &&
		(q.label == "" || slices.Contains(t.Labels, strings.ToLower(q.label))) &&
		(q.text == "" || contains(t.Title) || contains(t.Description)) &&
		(q.assignee == "" || t.AssigneeID != nil && *t.AssigneeID == q.assignee) &&
		(q.dueBefore == "" || t.DueAt != nil && t.DueAt.Before(before))
}

// list reads all pages of a query.
func (m *model) list(u *user, q query) {
	values := q.values()
	want := map[string]tracker.Task{}
	for id, task := range u.tasks {
		if q.matches(task) {
			want[id] = task
		}
	}
	limit := cmp.Or(q.limit, 20)
	var all []tracker.Task
	for {
		answer := u.Want(m.t, tracker.Get("/v1/tasks?"+values.Encode()), 200, "")
		page := answer.Page(m.t)
		all = append(all, page.Items...)
		for _, task := range page.Items {
			expected, ok := want[task.ID]
			answer.Check(m.t, ok, "a page without "+task.ID, "It does not match the query, was on a page before, or is not the user's.")
			m.same(answer, task, expected)
			delete(want, task.ID)
		}
		answer.Check(m.t, Sorted(all, q.sort), "tasks in the order "+cmp.Or(q.sort, "created_at")+", counting the pages before", "")
		full := len(page.Items) == limit
		answer.Check(m.t, full || len(want) == 0, words("%d tasks on a page that is not the last one; %d are missing", limit, len(want)), "A task that is on no page is lost to its user.")
		answer.Check(m.t, (page.NextCursor != nil) == (len(want) > 0), "a next_cursor exactly if there are more tasks", "A page without tasks at the end is a request for nothing.")
		if page.NextCursor == nil {
			return
		}
		values.Set("cursor", *page.NextCursor)
	}
}

// Sorted reports whether tasks are in the order of the query parameter sort.
// The order of creation is that of created_at, or that of the ids, which begin
// with the millisecond of creation.
func Sorted(tasks []tracker.Task, sort string) bool {
	field, desc := strings.CutPrefix(sort, "-")
	direction := 1
	if desc {
		direction = -1
	}
	byID := func(a, b tracker.Task) int { return direction * cmp.Compare(a.ID, b.ID) }
	switch field {
	case "priority":
		return slices.IsSortedFunc(tasks, func(a, b tracker.Task) int {
			rank := func(t tracker.Task) int { return slices.Index(priorities, t.Priority) }
			return cmp.Or(direction*cmp.Compare(rank(a), rank(b)), byID(a, b))
		})
	case "due_at":
		return slices.IsSortedFunc(tasks, func(a, b tracker.Task) int {
			switch {
			case a.DueAt == nil && b.DueAt == nil:
				return byID(a, b)
			case a.DueAt == nil:
				return 1
			case b.DueAt == nil:
				return -1
			}
			return cmp.Or(direction*a.DueAt.Compare(*b.DueAt), byID(a, b))
		})
	}
	return slices.IsSortedFunc(tasks, byID) || slices.IsSortedFunc(tasks, func(a, b tracker.Task) int {
		return cmp.Or(direction*a.CreatedAt.Compare(b.CreatedAt), byID(a, b))
	})
}
