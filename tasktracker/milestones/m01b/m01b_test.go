package m01b_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/infra/memory"
)

const (
	ann = domain.UserID("usr_ann")
	bob = domain.UserID("usr_bob")
)

var (
	created = time.Date(2026, time.March, 2, 9, 40, 0, 123_456_000, time.UTC)
	later   = created.Add(time.Hour)
)

// taskID returns the n-th id in the order of time.
func taskID(t testing.TB, n int) domain.TaskID {
	t.Helper()
	id, err := domain.NewTaskID(created.Add(time.Duration(n)*time.Millisecond), strings.NewReader("0123456789"))
	if err != nil {
		t.Fatalf("NewTaskID failed: %v. This milestone needs a working m01a.", err)
	}
	return id
}

// state returns the state of the n-th task of owner, to do and in version 1.
func state(t testing.TB, owner domain.UserID, n int) domain.TaskState {
	t.Helper()
	return domain.TaskState{
		ID:        taskID(t, n),
		Owner:     owner,
		Title:     fmt.Sprintf("Task %d", n),
		Status:    domain.StatusTodo,
		Priority:  domain.PriorityNormal,
		Labels:    []string{"api", "ops"},
		DueAt:     new(created.AddDate(0, 0, 7)),
		Version:   1,
		CreatedAt: created,
		UpdatedAt: created,
	}
}

func restore(t testing.TB, s domain.TaskState) *domain.Task {
	t.Helper()
	task, err := domain.Restore(s)
	if err != nil {
		t.Fatalf("Restore(%+v) failed: %v. This milestone needs a working m01a.", s, err)
	}
	return task
}

// repoWith returns a repository that holds the given states.
func repoWith(t testing.TB, states ...domain.TaskState) *memory.TaskRepo {
	t.Helper()
	repo := memory.NewTaskRepo()
	for _, s := range states {
		if err := repo.Insert(t.Context(), restore(t, s)); err != nil {
			rule.Broken(t, rule.Case{
				Do: "repo := NewTaskRepo()\nerr := repo.Insert(ctx, task) // the id is not taken", Got: err, Want: nil,
				Why: "A store that refuses a new task is of no use.",
			})
		}
	}
	return repo
}

// stored returns what the repository says about a task.
func stored(t testing.TB, repo *memory.TaskRepo, do string, owner domain.UserID, id domain.TaskID) domain.TaskState {
	t.Helper()
	task, err := repo.Get(t.Context(), owner, id)
	if err != nil || task == nil {
		rule.Broken(t, rule.Case{
			Do: do + "\ntask, err := repo.Get(ctx, owner, id)", Got: rule.Textf("%v, %v", task, err), Want: rule.Text("the task, nil"),
			Why: "What was stored must be there for its owner.",
		})
	}
	return task.State()
}

// same reports a difference between two states or lists of states.
func same(t testing.TB, do string, want, got any, why string) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Text("a difference, - is wanted, + is yours\n" + diff), Want: rule.Text("no difference"), Why: why})
	}
}

var kinds = []struct {
	err  error
	name string
}{
	{domain.ErrNotFound, "domain.ErrNotFound"},
	{domain.ErrConflict, "domain.ErrConflict"},
	{domain.ErrDuplicate, "domain.ErrDuplicate"},
	{context.Canceled, "context.Canceled"},
	{context.DeadlineExceeded, "context.DeadlineExceeded"},
}

// kind returns the name of every error of the contract that err is.
func kind(err error) string {
	if err == nil {
		return "nil"
	}
	var is []string
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			is = append(is, k.name)
		}
	}
	if len(is) == 0 {
		return fmt.Sprintf("another error, %q", err)
	}
	return strings.Join(is, " and ")
}

// fails demands an error of one kind, such as domain.ErrConflict.
func fails(t testing.TB, do string, err error, want, why string) {
	t.Helper()
	if got := kind(err); got != want {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Text(got), Want: rule.Text(want), Why: why})
	}
}

// works demands that there was no error.
func works(t testing.TB, do string, err error, why string) {
	t.Helper()
	fails(t, do, err, "nil", why)
}

// list returns the states that List gives.
func list(t testing.TB, repo *memory.TaskRepo, do string, q domain.TaskQuery) []domain.TaskState {
	t.Helper()
	tasks, err := repo.List(t.Context(), q)
	works(t, do, err, "A query that finds nothing is no error either.")
	return states(tasks)
}

func states(tasks []*domain.Task) []domain.TaskState {
	var all []domain.TaskState
	for _, task := range tasks {
		all = append(all, task.State())
	}
	return all
}

// titles names tasks for failures.
func titles(all []domain.TaskState) []string {
	var names []string
	for _, s := range all {
		names = append(names, s.Title)
	}
	return names
}

func sameTitles(t testing.TB, do string, want []string, got []domain.TaskState, why string) {
	t.Helper()
	if !slices.Equal(titles(got), want) {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%q", titles(got)), Want: rule.Textf("%q", want), Why: why})
	}
}
