package m03b_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/blocked"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/infra/memory"
	"github.com/middle-go/course/tasktracker/sweep"
)

// The repository in memory is a store for the sweeper.
var _ sweep.Tasks = (*memory.TaskRepo)(nil)

const callExpired = "for task, err := range repo.Expired(ctx, before, limit)"

func TestRepo_Expired(t *testing.T) {
	before := now.Add(-keep)
	repo := memory.NewTaskRepo()
	insert := func(n int, owner domain.UserID, status domain.Status, updated time.Time) {
		state := task(n, status)
		state.Owner, state.UpdatedAt = owner, updated
		if state.CompletedAt != nil {
			state.CompletedAt = &updated
		}
		task, err := domain.Restore(state)
		if err != nil {
			t.Fatal("Restore:", err)
		}
		expectNil(t, "err := repo.Insert(ctx, task)", repo.Insert(t.Context(), task), "")
	}
	insert(5, "usr_ann", domain.StatusExpired, before.Add(-time.Hour))
	insert(1, "usr_bob", domain.StatusExpired, before.Add(-time.Microsecond))
	insert(4, "usr_bob", domain.StatusExpired, before.Add(-time.Hour))
	insert(3, "usr_ann", domain.StatusExpired, before.Add(-2*time.Hour))
	insert(6, "usr_ann", domain.StatusExpired, before)
	insert(7, "usr_ann", domain.StatusExpired, before.Add(time.Hour))
	insert(8, "usr_ann", domain.StatusDone, before.Add(-time.Hour))
	insert(9, "usr_ann", domain.StatusCancelled, before.Add(-time.Hour))
	insert(10, "usr_ann", domain.StatusTodo, before.Add(-time.Hour))

	for _, tc := range []struct {
		name  string
		limit int
		want  []domain.TaskID
	}{
		{"100", 100, taskIDs(3, 4, 5, 1)},
		{"2", 2, taskIDs(3, 4)},
		{"0", 0, nil},
		{"-1", -1, nil},
	} {
		t.Run("limit "+tc.name, func(t *testing.T) {
			var got []domain.TaskID
			for task, err := range repo.Expired(t.Context(), before, tc.limit) {
				expectNil(t, callExpired, err, "")
				got = append(got, task.State().ID)
			}
			expectIDs(t, callExpired+" // limit is "+tc.name, "tasks", got, tc.want,
				"What this list yields is deleted: only expired tasks, of all owners, changed earlier than before, the oldest change first, then by id.")
		})
	}
	t.Run("the body may write", func(t *testing.T) {
		seen := 0
		for task, err := range repo.Expired(t.Context(), before, 2) {
			expectNil(t, callExpired, err, "")
			seen++
			s := task.State()
			call := blocked.Start(func() { err = repo.Delete(t.Context(), s.Owner, s.ID, s.Version) })
			if !call.Returns() {
				rule.Broken(t, rule.Case{Do: callExpired + " {\n    repo.Delete(ctx, ...)\n}", Got: rule.Text("Delete waits for the loop, and the loop for Delete"), Want: rule.Text("Delete returns"), Why: "A lock that is held while the caller's code runs is a deadlock that waits for its caller."})
			}
			expectNil(t, callExpired+" {\n    err := repo.Delete(ctx, ...)\n}", err, "")
			break
		}
		if seen != 1 {
			rule.Broken(t, rule.Case{Do: callExpired + " { break }", Got: rule.Textf("%d tasks", seen), Want: rule.Text("1 task")})
		}
	})
	t.Run("ctx is done", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var got []error
		for task, err := range repo.Expired(ctx, before, 100) {
			if task != nil {
				err = errors.New("a task")
			}
			got = append(got, err)
		}
		if len(got) != 1 || !errors.Is(got[0], context.Canceled) {
			rule.Broken(t, rule.Case{Do: "cancel()\n" + callExpired, Got: rule.Textf("yields %v", got), Want: rule.Textf("yields %v, once", context.Canceled), Why: "A list that ends early without an error looks like the whole list."})
		}
	})
}
