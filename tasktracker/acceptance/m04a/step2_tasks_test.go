package m04a_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

var taskID = regexp.MustCompile(`^tsk_[0-7][0-9a-hjkmnp-tv-z]{25}$`)

func TestM04a_CreateGet(t *testing.T) {
	ann := start(t).Developer("usr_ann")
	before := time.Now().Add(-time.Millisecond)
	created := ann.Want(t, tracker.Create(
		`{"title":"  Water the plants ","description":"all of them","priority":"high","labels":["Home","balcony","home"],"due_at":"2099-01-01T10:00:00.123456789+02:00"}`),
		201, "")
	after := time.Now().Add(time.Millisecond)
	task := created.Task(t)
	check := func(ok bool, want, why string) { t.Helper(); created.Check(t, ok, want, why) }

	check(taskID.MatchString(task.ID), "an id tsk_ and 26 digits of Crockford's base32 in lower case", "")
	check(created.Header.Get("Location") == task.Path(), "Location: "+task.Path(),
		"A client follows Location instead of building paths of its own.")
	check(created.ETag() == fmt.Sprintf(`"v%d"`, task.Version), `an ETag "v" and the version, without W/`,
		"The ETag is what the next PATCH has to show.")
	check(task.OwnerID == "usr_ann", "owner_id usr_ann", "The task belongs to the one who created it.")
	check(task.Title == "Water the plants", "the title without the space at its ends", "")
	check(fmt.Sprint(task.Labels) == "[balcony home]", "labels [balcony home]", "Labels are compared byte by byte, so they have one spelling.")
	check(task.Status == "todo" && task.Priority == "high" && task.Description == "all of them", "todo, high and the description as sent", "")
	check(task.DueAt != nil && strings.Contains(string(created.Body), `"2099-01-01T08:00:00.123456Z"`),
		"due_at 2099-01-01T08:00:00.123456Z: the instant that was sent, in UTC, cut to six digits",
		"A deadline two hours off is missed.")
	check(task.AssigneeID == nil && task.ProjectID == nil && task.CompletedAt == nil, "null for assignee_id, project_id and completed_at", "")
	check(task.CreatedAt.After(before) && task.CreatedAt.Before(after) && task.UpdatedAt.Equal(task.CreatedAt),
		"created_at now, and updated_at equal to it", "")

	got := ann.Want(t, tracker.Get(created.Header.Get("Location")), 200, "Location leads to the task.")
	got.Check(t, string(got.Body) == string(created.Body) && got.ETag() == created.ETag(),
		"the same body and ETag as in the answer to the POST", "What a client was told at the creation has to be true.")
	head := ann.Want(t, tracker.Head(task.Path()), 200, "HEAD is GET without the body.")
	head.Check(t, head.ETag() == created.ETag(), "the ETag of GET", "")

	small := ann.Want(t, tracker.Create(`{"title":"a","labels":null,"due_at":null,"priority":null}`), 201, "null is as good as nothing.")
	little := small.Task(t)
	small.Check(t, little.Priority == "normal" && little.DueAt == nil && little.ID != task.ID,
		"a new task of normal priority that is never due", "")
}

func TestM04a_DevUser(t *testing.T) {
	tt := start(t)
	for _, user := range []string{"", "ann", "usr_ä", "usr_ann bob", "usr_" + strings.Repeat("a", 61)} {
		t.Run(user, func(t *testing.T) {
			const why = "Without a user there is nobody whose tasks these could be."
			client := tt.Developer(user)
			if user == "" {
				client = tt.Anonymous()
			}
			client.Refuse(t, tracker.Get("/v1/tasks"), 401, "unauthenticated", why)
			client.Refuse(t, tracker.Create(`{"title":"a"}`), 401, "unauthenticated", why)
		})
	}
	mine := tt.Developer("usr_ann").Want(t, tracker.Create(`{"title":"mine"}`), 201, "").Task(t)
	ben := tt.Developer("usr_ben")
	ben.Refuse(t, tracker.Get(mine.Path()), 404, "not_found", "The task of somebody else does not exist.")
	page := ben.Want(t, tracker.Get("/v1/tasks"), 200, "")
	page.Check(t, len(page.Page(t).Items) == 0, "no items: Ben has no task", "Everybody would see the tasks of everybody.")
}

func TestM04a_RequestID(t *testing.T) {
	tt := start(t)
	ann := tt.Developer("usr_ann")
	for _, id := range []string{"a", "Req-1_2.3", strings.Repeat("x", 64)} {
		answer := ann.Refuse(t, tracker.Get("/v1/tasks/none").With("X-Request-ID", id), 404, "not_found", "")
		answer.Check(t, answer.Header.Get("X-Request-ID") == id, "X-Request-ID: "+id,
			"The caller has this id in his log. It is the only thread between his log and yours.")
	}
	seen := map[string]bool{}
	for _, id := range []string{"", "a b", `a"b`, strings.Repeat("x", 65), "ü"} {
		answer := ann.Refuse(t, tracker.Get("/v1/tasks/none").With("X-Request-ID", id), 404, "not_found", "")
		got := answer.Header.Get("X-Request-ID")
		answer.Check(t, got != id && !seen[got], "an X-Request-ID of the service's own, a new one each time",
			"What a stranger may write into your log unchecked is his log.")
		seen[got] = true
	}
}

func TestM04a_DeleteThen404(t *testing.T) {
	ann := start(t).Developer("usr_ann")
	task := ann.Want(t, tracker.Create(`{"title":"a"}`), 201, "").Task(t)
	other := ann.Want(t, tracker.Create(`{"title":"b"}`), 201, "").Task(t)

	ann.Refuse(t, tracker.Delete(task.Path()).With("If-Match", `"v99"`), 412, "precondition_failed",
		"Who wants to delete the version that he has seen must not delete a newer one.")
	ann.Want(t, tracker.Get(task.Path()), 200, "A refused DELETE deletes nothing.")
	ann.Want(t, tracker.Delete(task.Path()), 204, "")
	const gone = "The task is gone, for every method."
	ann.Refuse(t, tracker.Delete(task.Path()), 404, "not_found", gone)
	ann.Refuse(t, tracker.Get(task.Path()), 404, "not_found", gone)
	ann.Refuse(t, tracker.Head(task.Path()), 404, "not_found", gone)
	ann.Refuse(t, tracker.Patch(task.Path(), "*", `{"title":"b"}`), 404, "not_found", gone)
	ann.Refuse(t, move(task, "in_progress"), 404, "not_found", gone)

	ann.Want(t, tracker.Delete(other.Path()).With("If-Match", `"v1"`), 204, "The version is the current one.")
	page := ann.Want(t, tracker.Get("/v1/tasks"), 200, "")
	page.Check(t, len(page.Page(t).Items) == 0, "no items", gone)
	for _, id := range []string{"tsk_00000000000000000000000000", "1", "tsk_", "TSK_00000000000000000000000000", "%2e%2e", "a%2Fb", strings.Repeat("9", 5000)} {
		ann.Refuse(t, tracker.Get("/v1/tasks/"+id), 404, "not_found", "What cannot be an id is the id of no task.")
	}
}

func move(task tracker.Task, to string) tracker.Request {
	return tracker.Post(task.Path()+"/transitions", fmt.Sprintf(`{"to":%q}`, to))
}

func TestM04a_405_415_413_400(t *testing.T) {
	tt := startWith(t, tracker.Env{"TT_MAX_BODY": "1KiB"})
	ann := tt.Developer("usr_ann")
	task := ann.Want(t, tracker.Create(`{"title":"a"}`), 201, "").Task(t)

	t.Run("404", func(t *testing.T) {
		for _, path := range []string{"/", "/v1", "/v2/tasks", "/v1/tasks/" + task.ID + "/history/1"} {
			ann.Refuse(t, tracker.Get(path).Bad(), 404, "not_found", "A client reads code whatever it did wrong.")
		}
	})
	t.Run("405", func(t *testing.T) {
		for _, tc := range []struct {
			method, path string
			allow        []string
		}{
			{"PUT", "/v1/tasks", []string{"GET", "POST"}},
			{"DELETE", "/v1/tasks", []string{"GET", "POST"}},
			{"POST", task.Path(), []string{"GET", "PATCH", "DELETE"}},
			{"GET", task.Path() + "/transitions", []string{"POST"}},
			{"POST", "/healthz", []string{"GET"}},
		} {
			answer := ann.Refuse(t, tracker.Request{Method: tc.method, Path: tc.path}.Bad(), 405, "method_not_allowed", "")
			allow := strings.Split(strings.ReplaceAll(strings.Join(answer.Header.Values("Allow"), ","), " ", ""), ",")
			for _, method := range tc.allow {
				answer.Check(t, contains(allow, method), "an Allow with "+strings.Join(tc.allow, ", "),
					"RFC 9110 demands it: the client learns what it may do instead.")
			}
			answer.Check(t, !contains(allow, tc.method), "an Allow without "+tc.method, "")
		}
	})
	t.Run("406", func(t *testing.T) {
		for accept, ok := range map[string]bool{
			"text/html": false, "application/xml, application/json;q=0": false,
			"*/*": true, "application/*": true, "text/html, application/json;q=0.1": true,
		} {
			r := tracker.Get("/v1/tasks").With("Accept", accept)
			if ok {
				ann.Want(t, r, 200, "The client takes JSON.")
				continue
			}
			ann.Refuse(t, r, 406, "not_acceptable", "The client said that it cannot read JSON.")
		}
	})
	t.Run("415", func(t *testing.T) {
		const why = "A browser sends these types without asking, from every page that somebody visits."
		for _, contentType := range []string{"text/plain", "application/x-www-form-urlencoded", "application/merge-patch+json", "json", ""} {
			r := tracker.Create(`{"title":"x"}`).Without("Content-Type").Bad()
			if contentType != "" {
				r = r.With("Content-Type", contentType)
			}
			ann.Refuse(t, r, 415, "unsupported_media_type", why)
		}
		patch := tracker.Patch(task.Path(), "*", `{"title":"x"}`).Without("Content-Type").With("Content-Type", "application/json")
		ann.Refuse(t, patch.Bad(), 415, "unsupported_media_type", "null means something else in a merge patch than in a plain object.")
		charset := tracker.Create(`{"title":"x"}`).Without("Content-Type").With("Content-Type", "Application/JSON; charset=utf-8")
		ann.Want(t, charset, 201, "The media type is the same, whatever its case and parameters.")
	})
	t.Run("413", func(t *testing.T) {
		full := padded(`{"title":"x"}`, 1024)
		ann.Want(t, tracker.Create(full), 201, "A body of exactly TT_MAX_BODY is not too large.")
		ann.Refuse(t, tracker.Create(full+" "), 413, "body_too_large", "Whoever sends a gigabyte must not fill the memory.")
		ann.Refuse(t, tracker.Patch(task.Path(), "*", full+" "), 413, "body_too_large", "The limit is for every body.")
		ann.Refuse(t, tracker.Create(full+" ").With("Idempotency-Key", "k"), 413, "body_too_large", "The limit is for every body.")
	})
	t.Run("400", func(t *testing.T) {
		for _, body := range []string{"", "{", `{"title":"x"`, "title", `{"title":"x",}`, "{'title':'x'}", `{"title":"x"}}`} {
			ann.Refuse(t, tracker.Create(body).Bad(), 400, "malformed_json", "This is not JSON.")
		}
		for _, query := range []string{
			"limit=0", "limit=101", "limit=x", "limit=1.5", "limit=99999999999999999999", "sort=title", "sort=--due_at",
			"status=open", "status=todo,open", "priority=1", "due_before=tomorrow", "page=2", "limit=5&limit=5", "q=" + strings.Repeat("x", 201), "q=%zz",
		} {
			ann.Refuse(t, tracker.Get("/v1/tasks?"+query), 400, "invalid_query",
				"A parameter that is ignored gives the wrong tasks, and nobody notices.")
		}
		for _, cursor := range []string{"x", "!", strings.Repeat("a", 3000), "AAAA", "v2."} {
			ann.Refuse(t, tracker.Get("/v1/tasks?cursor="+cursor), 400, "invalid_cursor", "The service has never given out this cursor.")
		}
		for _, key := range []string{"", strings.Repeat("k", 65), "a b", "ü"} {
			ann.Refuse(t, tracker.Create(`{"title":"x"}`).With("Idempotency-Key", key), 400, "invalid_header", "A key has 1 to 64 visible ASCII characters.")
		}
	})
}

// padded returns JSON of n bytes: space may stand in front of it.
func padded(json string, n int) string { return strings.Repeat(" ", n-len(json)) + json }

func contains(list []string, s string) bool {
	for _, element := range list {
		if element == s {
			return true
		}
	}
	return false
}
