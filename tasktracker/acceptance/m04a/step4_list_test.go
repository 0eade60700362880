package m04a_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/middle-go/course/tasktracker/acceptance/model"
	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

func TestM04a_ListFilterSortCursor(t *testing.T) {
	tt := start(t)
	ann := tt.Developer("usr_ann")
	empty := ann.Want(t, tracker.Get("/v1/tasks"), 200, "")
	empty.Check(t, strings.Contains(string(empty.Body), `[]`), `"items":[] for a user without tasks, not null`, "An app that loops over null breaks on the first day of every user.")

	tasks := seed(t, ann)
	tt.Developer("usr_ben").Want(t, tracker.Create(`{"title":"task of Ben","labels":["home"]}`), 201, "")

	t.Run("filters", func(t *testing.T) { filters(t, ann, tasks) })
	t.Run("sorts", func(t *testing.T) {
		for _, sort := range []string{"", "created_at", "-created_at", "due_at", "-due_at", "priority", "-priority"} {
			query := url.Values{"limit": {"5"}}
			if sort != "" {
				query.Set("sort", sort)
			}
			got, last := follow(t, ann, query, nil)
			last.Check(t, len(got) == len(tasks), fmt.Sprintf("%d tasks on all pages, not %d", len(tasks), len(got)), "A task that is on no page is lost to its user.")
			last.Check(t, model.Sorted(got, sort), "all pages together sorted by "+sort+", equal ones by id, tasks without a due time last", "")
		}
	})
	t.Run("cursors", func(t *testing.T) { cursors(t, ann) })
	t.Run("while others write", func(t *testing.T) { stable(t, ann, tasks) })
}

// seed creates 24 tasks with many equal values.
func seed(t *testing.T, ann *tracker.Client) []tracker.Task {
	t.Helper()
	var tasks []tracker.Task
	for i := range 24 {
		body := fmt.Sprintf(`{"title":"Task %d","priority":%q`, i, []string{"low", "normal", "high", "urgent"}[i%4])
		if i%2 == 0 {
			body += `,"labels":["home"]`
		}
		if i%3 == 0 {
			body += fmt.Sprintf(`,"due_at":"2099-01-0%dT00:00:00Z"`, 1+i%2)
		}
		if i%8 == 0 {
			body += `,"description":"Pay the WATER bill"`
		}
		task := ann.Want(t, tracker.Create(body+"}"), 201, "").Task(t)
		if i%6 == 1 {
			task = ann.Want(t, move(task, "in_progress"), 200, "").Task(t)
		}
		if i%12 == 2 {
			task = ann.Want(t, tracker.Patch(task.Path(), "*", `{"assignee_id":"usr_ben"}`), 200, "").Task(t)
		}
		tasks = append(tasks, task)
	}
	return tasks
}

func filters(t *testing.T, ann *tracker.Client, tasks []tracker.Task) {
	for _, tc := range []struct {
		query string
		keep  func(i int) bool
	}{
		{"", func(int) bool { return true }},
		{"status=in_progress", func(i int) bool { return i%6 == 1 }},
		{"status=todo,in_progress", func(int) bool { return true }},
		{"status=done", func(int) bool { return false }},
		{"priority=high", func(i int) bool { return i%4 == 2 }},
		{"priority=low,urgent", func(i int) bool { return i%4 == 0 || i%4 == 3 }},
		{"label=home", func(i int) bool { return i%2 == 0 }},
		{"label=hom", func(int) bool { return false }},
		{"q=task+1", func(i int) bool { return i == 1 || i >= 10 && i <= 19 }},
		{"q=water", func(i int) bool { return i%8 == 0 }},
		{"q=%25", func(int) bool { return false }},
		{"due_before=2099-01-02T00:00:00Z", func(i int) bool { return i%6 == 0 }},
		{"due_before=2099-01-02T01:00:00%2B01:00", func(i int) bool { return i%6 == 0 }},
		{"due_before=2099-01-02T00:00:00.000001Z", func(i int) bool { return i%3 == 0 }},
		{"assignee=usr_ben", func(i int) bool { return i%12 == 2 }},
		{"project=none", func(int) bool { return false }},
		{"label=home&priority=low&status=todo", func(i int) bool { return i%4 == 0 }},
	} {
		var want []string
		for i, task := range tasks {
			if tc.keep(i) {
				want = append(want, task.ID)
			}
		}
		answer := ann.Want(t, tracker.Get("/v1/tasks?limit=100&"+tc.query), 200, "")
		got := answer.Page(t).IDs()
		answer.Check(t, slices.Equal(sorted(got), sorted(want)), fmt.Sprintf("%d tasks: those with %s", len(want), tc.query), "")
		answer.Check(t, answer.Page(t).NextCursor == nil, "next_cursor null on the last page", "")
	}
	first := ann.Want(t, tracker.Get("/v1/tasks"), 200, "")
	first.Check(t, len(first.Page(t).Items) == 20, "20 items: the default of limit", "")
}

func sorted(ids []string) []string { return slices.Sorted(slices.Values(ids)) }

// follow reads all pages. Between two pages it calls between, if there is one.
func follow(t *testing.T, ann *tracker.Client, query url.Values, between func(page []tracker.Task)) (all []tracker.Task, last tracker.Answer) {
	t.Helper()
	for range 100 {
		last = ann.Want(t, tracker.Get("/v1/tasks?"+query.Encode()), 200, "")
		page := last.Page(t)
		all = append(all, page.Items...)
		if page.NextCursor == nil {
			return all, last
		}
		if between != nil {
			between(page.Items)
		}
		query.Set("cursor", *page.NextCursor)
	}
	last.Check(t, false, "a next_cursor that is null at some time", "Who follows the cursors would never come to an end.")
	return nil, last
}

// stable reads pages while tasks come and go before and behind the place where
// the reader is.
func stable(t *testing.T, ann *tracker.Client, tasks []tracker.Task) {
	var added []string
	deleted := map[string]bool{}
	for _, sort := range []string{"created_at", "-created_at", "-priority", "due_at"} {
		got, last := follow(t, ann, url.Values{"limit": {"4"}, "sort": {sort}}, func(page []tracker.Task) {
			for _, priority := range []string{"low", "urgent"} {
				body := fmt.Sprintf(`{"title":"in between","priority":%q,"due_at":"2098-01-01T00:00:00Z"}`, priority)
				added = append(added, ann.Want(t, tracker.Create(body), 201, "").Task(t).ID)
			}
			victim := page[len(page)-1] // which the cursor names
			if slices.ContainsFunc(tasks, func(t tracker.Task) bool { return t.ID == victim.ID }) && len(deleted) < 8 {
				ann.Want(t, tracker.Delete(victim.Path()), 204, "")
				deleted[victim.ID] = true
			}
		})
		times := map[string]int{}
		for _, task := range got {
			times[task.ID]++
		}
		const why = "An offset counts tasks that come and go in front of it; the place of the last task seen does not move."
		for id, n := range times {
			last.Check(t, n == 1, fmt.Sprintf("%s on one page, not on %d (sort=%s, the last page is shown)", id, n, sort), why)
		}
		for _, task := range tasks {
			last.Check(t, times[task.ID] == 1 || deleted[task.ID], fmt.Sprintf("%s (%s) on one of the pages (sort=%s, the last page is shown)", task.ID, task.Title, sort), why)
		}
	}
	for _, id := range added {
		ann.Want(t, tracker.Delete("/v1/tasks/"+id), 204, "")
	}
}

// cursors tries a cursor where it does not belong.
func cursors(t *testing.T, ann *tracker.Client) {
	page := ann.Want(t, tracker.Get("/v1/tasks?sort=priority&label=home&limit=3"), 200, "").Page(t)
	if page.NextCursor == nil {
		t.Fatal("want a second page of 12 tasks")
	}
	cursor := *page.NextCursor
	const why = "A cursor is a place in one list. In another one it means nothing, and what it skips is lost."
	for _, query := range []string{"sort=-priority&label=home", "sort=due_at&label=home", "label=home", "sort=priority", "sort=priority&label=other", "sort=priority&label=home&q=task"} {
		ann.Refuse(t, tracker.Get("/v1/tasks?limit=3&"+query+"&cursor="+cursor), 400, "invalid_cursor", why)
	}
	next := ann.Want(t, tracker.Get("/v1/tasks?label=home&limit=4&sort=priority&cursor="+cursor), 200, "The order of the parameters does not matter, and the limit may change.")
	for _, id := range page.IDs() {
		next.Check(t, !slices.Contains(next.Page(t).IDs(), id), "the tasks behind the first page", "")
	}
	for i := range cursor {
		forged := cursor[:i] + string(other(cursor[i])) + cursor[i+1:]
		ann.Refuse(t, tracker.Get("/v1/tasks?sort=priority&label=home&cursor="+forged), 400, "invalid_cursor",
			"Who can make cursors can ask for places that the service never showed him.")
	}
	ann.Refuse(t, tracker.Get("/v1/tasks?sort=priority&label=home&cursor="+cursor[:len(cursor)-1]), 400, "invalid_cursor", "")
}

// other returns a character that is not c and may stand in a cursor.
func other(c byte) byte {
	if c == 'A' {
		return 'B'
	}
	return 'A'
}
