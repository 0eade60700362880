package m01b_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/blocked"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/infra/memory"
)

var before = created.AddDate(0, 1, 0)

// overdueTasks returns tasks of both owners. Those called overdue are, in the
// order of their number.
func overdueTasks(t *testing.T) []domain.TaskState {
	t.Helper()
	task := func(owner domain.UserID, id int, title string, status domain.Status, due *time.Time) domain.TaskState {
		s := state(t, owner, id)
		s.Title, s.Status, s.DueAt = title, status, due
		if status == domain.StatusDone {
			s.CompletedAt = new(s.UpdatedAt)
		}
		return s
	}
	ago := func(hours int) *time.Time { return new(before.Add(-time.Duration(hours) * time.Hour)) }
	return []domain.TaskState{
		task(ann, 1, "overdue 4", domain.StatusTodo, new(before.Add(-time.Microsecond))),
		task(bob, 2, "overdue 1", domain.StatusInProgress, ago(9)),
		task(ann, 4, "overdue 3", domain.StatusTodo, ago(5)),
		task(ann, 5, "due exactly then", domain.StatusTodo, new(before)),
		task(bob, 6, "done", domain.StatusDone, ago(9)),
		task(ann, 7, "cancelled", domain.StatusCancelled, ago(9)),
		task(ann, 8, "expired", domain.StatusExpired, ago(9)),
		task(ann, 9, "never due", domain.StatusBlocked, nil),
		task(bob, 3, "overdue 2", domain.StatusBlocked, ago(5)),
	}
}

// overdue returns what the iterator yields.
func overdue(t *testing.T, repo *memory.TaskRepo, do string, limit int) []domain.TaskState {
	t.Helper()
	var all []domain.TaskState
	for task, err := range repo.Overdue(t.Context(), before, limit) {
		works(t, do, err, "Every stored task can be read.")
		all = append(all, task.State())
	}
	return all
}

func TestRepo_OverdueOrder(t *testing.T) {
	repo := repoWith(t, overdueTasks(t)...)
	want := []string{"overdue 1", "overdue 2", "overdue 3", "overdue 4"}
	for _, limit := range []int{math.MinInt, -1, 0, 1, 3, 4, 5, math.MaxInt} {
		do := fmt.Sprintf("for task, err := range repo.Overdue(ctx, before, %d)", limit)
		sameTitles(t, do, want[:min(max(limit, 0), 4)], overdue(t, repo, do, limit),
			"The sweeper serves all owners, the longest overdue first. Of equal due times the lower id comes first. Done, cancelled and expired tasks have nothing left to expire.")
	}
}

func TestRepo_OverdueLooksWhenTheLoopBegins(t *testing.T) {
	repo := memory.NewTaskRepo()
	do := "seq := repo.Overdue(ctx, before, 9)\nrepo.Insert(ctx, task)\nfor task, err := range seq"
	seq := repo.Overdue(t.Context(), before, 9)
	s := overdueTasks(t)[0]
	works(t, "err := repo.Insert(ctx, task)", repo.Insert(t.Context(), restore(t, s)), "The id is not taken.")
	for range 2 {
		var got []domain.TaskState
		for task, err := range seq {
			works(t, do, err, "Every stored task can be read.")
			got = append(got, task.State())
		}
		sameTitles(t, do, []string{"overdue 4"}, got, "A sequence is a promise to look, not a result. A loop over it may come later, and twice.")
	}
}

func TestRepo_OverdueBreaksEarly(t *testing.T) {
	const held = "The sweeper changes what it finds. A loop that runs under the lock waits for itself, and all requests wait with it."
	ctx := t.Context()

	t.Run("the body may use the repository", func(t *testing.T) {
		repo := repoWith(t, overdueTasks(t)...)
		n := 0
		for task, err := range repo.Overdue(ctx, before, 2) {
			works(t, "for task, err := range repo.Overdue(ctx, before, 2)", err, "Every stored task can be read.")
			n++
			s := task.State()
			var failed error
			call := blocked.Start(func() { failed = repo.Delete(ctx, s.Owner, s.ID, s.Version) })
			do := "for task, err := range repo.Overdue(ctx, before, 2) {\n\trepo.Delete(ctx, owner, id, version)\n}"
			if !call.Returns() {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Text("Delete waits for ever"), Want: rule.Text("Delete returns"), Why: held})
			}
			works(t, do, failed, "The task is there in this version.")
		}
		if n != 2 {
			rule.Broken(t, rule.Case{Do: "for task, err := range repo.Overdue(ctx, before, 2) { repo.Delete(...) }", Got: rule.Textf("%d turns", n), Want: rule.Text("2 turns"), Why: held})
		}
	})

	t.Run("after a break nothing is held", func(t *testing.T) {
		repo := repoWith(t, overdueTasks(t)...)
		for range repo.Overdue(ctx, before, 4) {
			break
		}
		call := blocked.Start(func() { _ = repo.Delete(ctx, ann, taskID(t, 1), 0) })
		if !call.Returns() {
			rule.Broken(t, rule.Case{
				Do:  "for range repo.Overdue(ctx, before, 4) {\n\tbreak\n}\nrepo.Delete(ctx, owner, id, 0)",
				Got: rule.Text("Delete waits for ever"), Want: rule.Text("Delete returns"), Why: held,
			})
		}
	})

	t.Run("a loop that is left is over", func(t *testing.T) {
		repo := repoWith(t, overdueTasks(t)...)
		turns := 0
		repo.Overdue(ctx, before, 4)(func(*domain.Task, error) bool {
			turns++
			return turns < 2
		})
		if turns != 2 {
			rule.Broken(t, rule.Case{
				Do:  "for range repo.Overdue(ctx, before, 4) {\n\tif turns++; turns == 2 {\n\t\tbreak\n\t}\n}",
				Got: rule.Textf("%d turns", turns), Want: rule.Text("2 turns"),
				Why: "When yield returns false the loop is over. One more call panics in the middle of the sweeper.",
			})
		}
	})

	t.Run("a context that ends in the loop", func(t *testing.T) {
		repo := repoWith(t, overdueTasks(t)...)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var seen []string
		for task, err := range repo.Overdue(ctx, before, 4) {
			if err != nil {
				seen = append(seen, kind(err))
				continue
			}
			seen = append(seen, task.State().Title)
			cancel()
		}
		want := []string{"overdue 1", "context.Canceled"}
		if fmt.Sprint(seen) != fmt.Sprint(want) {
			rule.Broken(t, rule.Case{
				Do:  "for task, err := range repo.Overdue(ctx, before, 4) {\n\tcancel() // in the first turn\n}",
				Got: rule.Textf("%q", seen), Want: rule.Textf("%q", want),
				Why: "A sweep that goes on after the service was told to stop is killed in the middle of a change.",
			})
		}
	})
}
