package m01b_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/infra/memory"
)

func TestRepo_CallerCannotMutateStored(t *testing.T) {
	const why = "A handler that goes on with its task after the call would write to the store, without a version and without a lock."
	want := state(t, ann, 1)
	repo := memory.NewTaskRepo()
	task := restore(t, want)
	const insert = "err := repo.Insert(ctx, task)"
	works(t, insert, repo.Insert(t.Context(), task), "The id is not taken.")

	const change = "\ntask.Rename(\"Changed\", at)\ntask.SetLabels([]string{\"x\"}, at)"
	scribble(t, task)
	same(t, insert+change+"\nrepo.Get(ctx, owner, id)", want, stored(t, repo, insert, ann, want.ID), why)

	saved := task.State()
	const save = "err := repo.Save(ctx, task, 1)"
	works(t, save, repo.Save(t.Context(), task, 1), "1 is the version that is stored.")
	same(t, save+"\nrepo.Get(ctx, owner, id)", saved, stored(t, repo, save, ann, want.ID), "Save replaces all of the task.")
	scribble(t, task)
	same(t, save+change+"\nrepo.Get(ctx, owner, id)", saved, stored(t, repo, save, ann, want.ID), why)
}

// scribble changes a task in each way that could reach into a copy.
func scribble(t *testing.T, task *domain.Task) {
	t.Helper()
	n := task.State().Version
	for _, err := range []error{
		task.Rename(fmt.Sprintf("Changed %d", n), later),
		task.SetLabels([]string{fmt.Sprintf("x%d", n)}, later),
		task.SetDue(new(later.Add(time.Duration(n)*time.Hour)), later),
	} {
		if err != nil {
			t.Fatalf("changing a task failed: %v. This milestone needs a working m01a.", err)
		}
	}
}

func TestRepo_StoredCannotMutateCaller(t *testing.T) {
	const why = "Two requests that get the same pointer share one task: each sees half of what the other does, and the store sees both."
	want := state(t, ann, 1)
	ctx := t.Context()
	for _, tc := range []struct {
		do  string
		get func(repo *memory.TaskRepo) (*domain.Task, error)
	}{
		{"task, _ := repo.Get(ctx, owner, id)", func(repo *memory.TaskRepo) (*domain.Task, error) {
			return repo.Get(ctx, ann, want.ID)
		}},
		{"tasks, _ := repo.List(ctx, domain.TaskQuery{Owner: owner, Limit: 1})\ntask := tasks[0]", func(repo *memory.TaskRepo) (*domain.Task, error) {
			tasks, err := repo.List(ctx, domain.TaskQuery{Owner: ann, Limit: 1})
			if len(tasks) == 0 {
				return nil, err
			}
			return tasks[0], err
		}},
		{"for task := range repo.Overdue(ctx, before, 1)", func(repo *memory.TaskRepo) (*domain.Task, error) {
			for task, err := range repo.Overdue(ctx, want.DueAt.Add(1), 1) {
				return task, err
			}
			return nil, nil
		}},
	} {
		repo := repoWith(t, want)
		task, err := tc.get(repo)
		if err != nil || task == nil {
			rule.Broken(t, rule.Case{Do: tc.do, Got: rule.Textf("%v, %v", task, err), Want: rule.Text("the task, nil"), Why: "What was stored must be there for its owner."})
		}
		same(t, tc.do, want, task.State(), "A task comes back as it was stored.")

		scribble(t, task)
		do := tc.do + "\ntask.Rename(\"Changed\", at)\nrepo.Get(ctx, owner, id)"
		same(t, do, want, stored(t, repo, tc.do, ann, want.ID), why)
		again, err := tc.get(repo)
		if err != nil || again == nil {
			rule.Broken(t, rule.Case{Do: tc.do + " // twice", Got: rule.Textf("%v, %v", again, err), Want: rule.Text("the task, nil")})
		}
		same(t, tc.do+" // twice", want, again.State(), why)
	}
}

func TestRepo_VersionConflict(t *testing.T) {
	const (
		lost    = "Between reading and saving somebody else has changed the task. Overwriting it would lose his change without a word."
		missing = "The task was deleted meanwhile. A save that brings it back undoes the delete."
	)
	ctx := t.Context()
	want := state(t, ann, 1)
	want.Version = 3
	next := want
	next.Title, next.Version, next.UpdatedAt = "Next", 5, later

	for _, expected := range []uint64{0, 1, 2, 4, 5} {
		repo := repoWith(t, want)
		do := fmt.Sprintf("err := repo.Save(ctx, task, %d) // stored: version 3", expected)
		fails(t, do, repo.Save(ctx, restore(t, next), expected), "domain.ErrConflict", lost)
		same(t, do, want, stored(t, repo, do, ann, want.ID), "What is refused must change nothing.")
		if expected == 0 {
			continue
		}
		do = fmt.Sprintf("err := repo.Delete(ctx, owner, id, %d) // stored: version 3", expected)
		fails(t, do, repo.Delete(ctx, ann, want.ID, expected), "domain.ErrConflict", "A user deletes what he has seen, not what it has become.")
		same(t, do, want, stored(t, repo, do, ann, want.ID), "What is refused must change nothing.")
	}

	repo := repoWith(t, want)
	do := "err := repo.Save(ctx, task, 3) // stored: version 3, task has version 5"
	works(t, do, repo.Save(ctx, restore(t, next), 3), "A use case may change a task more than once before it saves.")
	same(t, do, next, stored(t, repo, do, ann, want.ID), "The version is that of the task. A store does not count.")

	fails(t, "err := repo.Insert(ctx, task) // again", repo.Insert(ctx, restore(t, want)), "domain.ErrDuplicate", "Insert never replaces a task: it has no version to check.")
	same(t, "repo.Insert(ctx, task) // again", next, stored(t, repo, do, ann, want.ID), "What is refused must change nothing.")

	for _, expected := range []uint64{5, 0} {
		repo := repoWith(t, next)
		do := fmt.Sprintf("err := repo.Delete(ctx, owner, id, %d) // stored: version 5", expected)
		works(t, do, repo.Delete(ctx, ann, want.ID, expected), "The version is right, or 0 for any.")
		_, err := repo.Get(ctx, ann, want.ID)
		fails(t, do+"\n_, err = repo.Get(ctx, owner, id)", err, "domain.ErrNotFound", "What is deleted is gone.")
		fails(t, do+"\nerr = repo.Save(ctx, task, 5)", repo.Save(ctx, restore(t, next), 5), "domain.ErrNotFound", missing)
		fails(t, do+"\nerr = repo.Delete(ctx, owner, id, 0)", repo.Delete(ctx, ann, want.ID, 0), "domain.ErrNotFound", "The second delete has found nothing.")
		if left := list(t, repo, "repo.List(ctx, q)", domain.TaskQuery{Owner: ann, Limit: 10}); len(left) > 0 {
			sameTitles(t, do+"\ntasks, err := repo.List(ctx, q)", nil, left, "What is deleted is gone from every list.")
		}
		works(t, do+"\nerr = repo.Insert(ctx, task)", repo.Insert(ctx, restore(t, want)), "After a delete the id is free.")
	}
}

func TestRepo_LostUpdate64Goroutines(t *testing.T) {
	const (
		clients = 64
		rounds  = 100
		do      = "// 64 goroutines, each with a task that it got in version v:\nerr := repo.Save(ctx, task, v)"
	)
	ctx := t.Context()
	first := state(t, ann, 1)
	repo := repoWith(t, first)
	for version := uint64(1); version <= rounds; version++ {
		var (
			start = make(chan struct{})
			wg    sync.WaitGroup
			errs  [clients]error
			names [clients]string
		)
		for i := range clients {
			task, err := repo.Get(ctx, ann, first.ID)
			works(t, "task, err := repo.Get(ctx, owner, id)", err, "The task is there.")
			names[i] = fmt.Sprintf("version %d by client %d", version+1, i)
			if err := task.Rename(names[i], later); err != nil || task.State().Version != version+1 {
				t.Fatalf("Rename gave version %d, %v. This milestone needs a working m01a.", task.State().Version, err)
			}
			wg.Go(func() {
				<-start
				errs[i] = repo.Save(ctx, task, version)
			})
		}
		close(start)
		wg.Wait()

		var winners []string
		for i, err := range errs {
			if err == nil {
				winners = append(winners, names[i])
				continue
			}
			fails(t, do, err, "domain.ErrConflict", "A loser has to know that he must read again.")
		}
		if len(winners) != 1 {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("%d saves of version %d succeeded", len(winners), version), Want: rule.Text("1"),
				Why: "Between a check and a write under two locks there is room for another writer: both are told that it worked, and one change is gone.",
			})
		}
		got := stored(t, repo, do, ann, first.ID)
		if got.Title != winners[0] || got.Version != version+1 {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("stored: version %d, %q", got.Version, got.Title), Want: rule.Textf("version %d, %q", version+1, winners[0]),
				Why: "The one who was told that it worked must be the one who is stored.",
			})
		}
	}
}

func TestRepo_ConcurrentCalls(t *testing.T) {
	const clients = 8
	ctx := t.Context()
	repo := memory.NewTaskRepo()
	var wg sync.WaitGroup
	var wrong [clients]string
	for i := range clients {
		task := restore(t, state(t, ann, i))
		id := task.State().ID
		wg.Go(func() {
			for range 20 {
				failed := errors.Join(repo.Insert(ctx, task), repo.Save(ctx, task, 1))
				_, err := repo.Get(ctx, ann, id)
				failed = errors.Join(failed, err)
				_, err = repo.List(ctx, domain.TaskQuery{Owner: ann, Limit: clients})
				failed = errors.Join(failed, err)
				for _, err := range repo.Overdue(ctx, before, clients) {
					failed = errors.Join(failed, err)
				}
				if failed = errors.Join(failed, repo.Delete(ctx, ann, id, 1)); failed != nil {
					wrong[i] = failed.Error()
					return
				}
			}
		})
	}
	wg.Wait()
	for _, failed := range wrong {
		if failed != "" {
			rule.Broken(t, rule.Case{
				Do:  "// 8 goroutines, each with a task of its own: Insert, Save, Get, List, Overdue, Delete",
				Got: rule.Text(failed), Want: rule.Text("no error"), Why: "Every request runs in a goroutine of its own, and all of them share the store.",
			})
		}
	}
}

func TestRepo_OwnerIsolation(t *testing.T) {
	const (
		why    = "Any other answer tells a stranger that there is something to find."
		nobody = "An owner that somebody forgot to set is nobody, not everybody."
	)
	ctx := t.Context()
	want := state(t, ann, 1)
	repo := repoWith(t, want, state(t, bob, 2))
	stolen := want
	stolen.Owner, stolen.Version = bob, 2

	_, err := repo.Get(ctx, bob, want.ID)
	fails(t, "_, err := repo.Get(ctx, bob, idOfAnn)", err, "domain.ErrNotFound", why)
	for _, expected := range []uint64{0, 1, 2} {
		do := fmt.Sprintf("err := repo.Save(ctx, task, %d) // Ann's id and version 1, Bob is the owner", expected)
		fails(t, do, repo.Save(ctx, restore(t, stolen), expected), "domain.ErrNotFound", why)
		do = fmt.Sprintf("err := repo.Delete(ctx, bob, idOfAnn, %d) // version 1", expected)
		fails(t, do, repo.Delete(ctx, bob, want.ID, expected), "domain.ErrNotFound", why)
	}
	fails(t, "err := repo.Insert(ctx, task) // Ann's id, Bob is the owner", repo.Insert(ctx, restore(t, stolen)), "domain.ErrDuplicate", "An id belongs to one task in all of the service.")
	same(t, "repo.Get(ctx, ann, id) // after all that", want, stored(t, repo, "// Bob tries to change a task of Ann", ann, want.ID), "What is refused must change nothing.")

	for _, id := range []domain.TaskID{want.ID, taskID(t, 3)} {
		_, err := repo.Get(ctx, "", id)
		fails(t, "_, err := repo.Get(ctx, \"\", id)", err, "domain.ErrNotFound", nobody)
		fails(t, "err := repo.Delete(ctx, \"\", id, 0)", repo.Delete(ctx, "", id, 0), "domain.ErrNotFound", nobody)
	}

	do := "tasks, err := repo.List(ctx, domain.TaskQuery{Owner: bob, Limit: 10})"
	sameTitles(t, do, []string{"Task 2"}, list(t, repo, do, domain.TaskQuery{Owner: bob, Limit: 10}), "A list shows the tasks of one owner.")
	do = "tasks, err := repo.List(ctx, domain.TaskQuery{Limit: 10})"
	sameTitles(t, do, nil, list(t, repo, do, domain.TaskQuery{Limit: 10}), nobody)
}

func TestRepo_CancelledContext(t *testing.T) {
	const why = "The client has gone. Work for nobody fills a queue, and a change that nobody hears of is made twice."
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancelLate := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancelLate()

	want := state(t, ann, 1)
	next := want
	next.Title, next.Version = "Next", 2
	for _, tc := range []struct {
		ctx  context.Context
		want string
	}{{cancelled, "context.Canceled"}, {late, "context.DeadlineExceeded"}} {
		repo := repoWith(t, want)
		ctx := tc.ctx
		fails(t, "err := repo.Insert(ctx, task) // ctx is done", repo.Insert(ctx, restore(t, state(t, ann, 2))), tc.want, why)
		task, err := repo.Get(ctx, ann, want.ID)
		fails(t, "_, err := repo.Get(ctx, owner, id) // ctx is done", err, tc.want, why)
		if task != nil {
			rule.Broken(t, rule.Case{Do: "task, err := repo.Get(ctx, owner, id) // ctx is done", Got: rule.Text("a task and an error"), Want: rule.Text("nil and an error"), Why: "Beside an error there is no result."})
		}
		fails(t, "err := repo.Save(ctx, task, 1) // ctx is done", repo.Save(ctx, restore(t, next), 1), tc.want, why)
		fails(t, "err := repo.Delete(ctx, owner, id, 1) // ctx is done", repo.Delete(ctx, ann, want.ID, 1), tc.want, why)
		_, err = repo.List(ctx, domain.TaskQuery{Owner: ann, Limit: 10})
		fails(t, "_, err := repo.List(ctx, q) // ctx is done", err, tc.want, why)
		do := "for task, err := range repo.Overdue(ctx, before, 10) // ctx is done"
		var seen []string
		for task, err := range repo.Overdue(ctx, want.DueAt.Add(1), 10) {
			seen = append(seen, fmt.Sprintf("task: %t, err: %s", task != nil, kind(err)))
		}
		if len(seen) != 1 || seen[0] != "task: false, err: "+tc.want {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%q", seen), Want: rule.Textf("one turn: no task, %s", tc.want), Why: why})
		}
		all := list(t, repo, "tasks, err := repo.List(ctx, q)", domain.TaskQuery{Owner: ann, Limit: 10})
		same(t, "repo.List(ctx, q) // after all that, with a good ctx", []domain.TaskState{want}, all, "A call that returns an error has changed nothing.")
	}
}
