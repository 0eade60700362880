//course:since m01b

package memory_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/infra/memory"
)

const (
	ann = domain.UserID("usr_ann")
	bob = domain.UserID("usr_bob")
)

var noon = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

// newTask returns a task that was made so many seconds after noon.
func newTask(t *testing.T, owner domain.UserID, second int) *domain.Task {
	t.Helper()
	at := noon.Add(time.Duration(second) * time.Second)
	id, err := domain.NewTaskID(at, strings.NewReader("0123456789"))
	if err != nil {
		t.Fatal(err)
	}
	task, err := domain.NewTask(id, owner, "task", at)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// due returns a task that is due so many minutes after noon.
func due(t *testing.T, owner domain.UserID, second, minute int) *domain.Task {
	t.Helper()
	task := newTask(t, owner, second)
	if err := task.SetDue(new(noon.Add(time.Duration(minute)*time.Minute)), noon); err != nil {
		t.Fatal(err)
	}
	return task
}

func repoWith(t *testing.T, tasks ...*domain.Task) *memory.TaskRepo {
	t.Helper()
	repo := memory.NewTaskRepo()
	for _, task := range tasks {
		if err := repo.Insert(t.Context(), task); err != nil {
			t.Fatal(err)
		}
	}
	return repo
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestTaskRepo_SharesNoMemory(t *testing.T) {
	task := newTask(t, ann, 1)
	id := task.State().ID
	repo := repoWith(t, task)
	title := func() string {
		stored, err := repo.Get(t.Context(), ann, id)
		if err != nil {
			t.Fatal(err)
		}
		if err := stored.Rename("changed outside", noon); err != nil {
			t.Fatal(err)
		}
		again, _ := repo.Get(t.Context(), ann, id)
		return again.State().Title
	}
	if err := task.Rename("changed before", noon); err != nil {
		t.Fatal(err)
	}
	if got := title(); got != "task" {
		t.Errorf("the stored title is %q", got)
	}
}

func TestTaskRepo_OneSaveOfAVersionWins(t *testing.T) {
	task := newTask(t, ann, 1)
	id := task.State().ID
	repo := repoWith(t, task)
	var (
		wg   sync.WaitGroup
		errs [8]error
	)
	for i := range errs {
		mine, err := repo.Get(t.Context(), ann, id)
		if err != nil || mine.Rename("mine", noon) != nil {
			t.Fatal(err)
		}
		wg.Go(func() { errs[i] = repo.Save(t.Context(), mine, 1) })
	}
	wg.Wait()
	lost := 0
	for _, err := range errs {
		if errors.Is(err, domain.ErrConflict) {
			lost++
		}
	}
	if lost != len(errs)-1 {
		t.Errorf("errors are %v, want one nil and a conflict for all others", errs)
	}
}

func TestTaskRepo_Errors(t *testing.T) {
	ctx := t.Context()
	task := newTask(t, ann, 1)
	id := task.State().ID
	repo := repoWith(t, task)

	wantError(t, "the same id again", repo.Insert(ctx, newTask(t, bob, 1)), domain.ErrDuplicate)
	_, err := repo.Get(ctx, bob, id)
	wantError(t, "a foreign task", err, domain.ErrNotFound)
	wantError(t, "a save of a foreign task", repo.Save(ctx, newTask(t, bob, 1), 9), domain.ErrNotFound)
	wantError(t, "a save of another version", repo.Save(ctx, task, 2), domain.ErrConflict)
	wantError(t, "a delete of another version", repo.Delete(ctx, ann, id, 2), domain.ErrConflict)
	wantError(t, "a delete of any version", repo.Delete(ctx, ann, id, 0), nil)
	wantError(t, "a second delete", repo.Delete(ctx, ann, id, 0), domain.ErrNotFound)
}

func TestTaskRepo_EveryMethodAsksTheContext(t *testing.T) {
	task := due(t, ann, 1, 1)
	repo := repoWith(t, task)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, getErr := repo.Get(ctx, ann, task.State().ID)
	_, listErr := repo.List(ctx, domain.TaskQuery{Owner: ann, Limit: 1})
	var overdueErr error
	for _, overdueErr = range repo.Overdue(ctx, noon.Add(time.Hour), 1) {
	}
	for what, err := range map[string]error{
		"Insert":  repo.Insert(ctx, newTask(t, ann, 2)),
		"Get":     getErr,
		"Save":    repo.Save(ctx, task, 2),
		"Delete":  repo.Delete(ctx, ann, task.State().ID, 0),
		"List":    listErr,
		"Overdue": overdueErr,
	} {
		wantError(t, what, err, context.Canceled)
	}
}

func TestTaskRepo_ListPages(t *testing.T) {
	repo := repoWith(t, due(t, ann, 3, 9), due(t, ann, 1, 30), newTask(t, ann, 2), due(t, bob, 4, 1))
	for _, tc := range []struct {
		sort domain.Sort
		want []int // seconds
	}{
		{domain.Sort{}, []int{1, 2, 3}},
		{domain.Sort{Desc: true}, []int{3, 2, 1}},
		{domain.Sort{Field: domain.SortDue}, []int{3, 1, 2}},
	} {
		var got []int
		q := domain.TaskQuery{Owner: ann, Sort: tc.sort, Limit: 2}
		for {
			page, err := repo.List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, task := range page {
				got = append(got, int(task.State().CreatedAt.Sub(noon)/time.Second))
			}
			q.After = domain.PositionOf(page[len(page)-1].State())
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%+v: got %v, want %v", tc.sort, got, tc.want)
		}
	}
}

func TestTaskRepo_OverdueMayChangeTheStore(t *testing.T) {
	repo := repoWith(t, due(t, ann, 1, 20), due(t, bob, 2, 10), due(t, ann, 3, 60), newTask(t, ann, 4))
	var owners []domain.UserID
	for task, err := range repo.Overdue(t.Context(), noon.Add(time.Hour), 9) {
		if err != nil {
			t.Fatal(err)
		}
		s := task.State()
		owners = append(owners, s.Owner)
		if err := repo.Delete(t.Context(), s.Owner, s.ID, s.Version); err != nil {
			t.Error(err)
		}
	}
	if want := []domain.UserID{bob, ann}; !slices.Equal(owners, want) {
		t.Errorf("the owners of overdue tasks are %v, want %v", owners, want)
	}
}
