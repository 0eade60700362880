package m04a_test

import (
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

// expired tries every transition of tasks that the service has expired.
func expired(t *testing.T) {
	tt := startWith(t, tracker.Env{"TT_SWEEP_INTERVAL": "10ms", "TT_EXPIRE_GRACE": "0s"})
	ann := tt.Developer("usr_ann")
	for _, to := range statuses {
		task := ann.Want(t, tracker.Create(`{"title":"expired to `+to+`","due_at":"2099-01-01T00:00:00Z"}`), 201, "").Task(t)
		due := task.CreatedAt.Format(time.RFC3339Nano)
		ann.Want(t, tracker.Patch(task.Path(), "*", `{"due_at":"`+due+`"}`), 200, "A deadline that was missed may be written down; it is not before the task was created.")
		task = awaitExpired(t, ann, task)
		if to == "todo" {
			answer := ann.Refuse(t, move(task, to), 422, "validation_failed", "With a due time that is past the task would expire again at once.")
			answer.Check(t, answer.Problem(t).Names("due_at", "too_early"), "errors with due_at too_early", "")
			task = ann.Want(t, tracker.Patch(task.Path(), task.ETag(), `{"due_at":null}`), 200, "").Task(t)
		}
		tryMove(t, ann, task, to)
	}
}

// awaitExpired polls until the sweeper has found the task.
func awaitExpired(t *testing.T, ann *tracker.Client, task tracker.Task) tracker.Task {
	t.Helper()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for giveUp := time.Now().Add(20 * time.Second); ; <-poll.C {
		answer := ann.Want(t, tracker.Get(task.Path()), 200, "")
		if got := answer.Task(t); got.Status == "expired" {
			answer.Check(t, got.Version > task.Version && got.CompletedAt == nil, "a greater version, and no completed_at", "Others have seen the version before it expired.")
			return got
		}
		answer.Check(t, time.Now().Before(giveUp), "status expired: the service runs with TT_SWEEP_INTERVAL=10ms TT_EXPIRE_GRACE=0s",
			"The sweeper of m03b is a service beside the HTTP server. Does anybody start it?")
	}
}
