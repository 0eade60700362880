package m02a_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
)

const (
	ada = domain.UserID("usr_ada")
	bob = domain.UserID("usr_bob")
)

var now = time.Date(2026, time.March, 2, 9, 40, 0, 0, time.UTC)

// world is what the use cases see of the outside. It implements all four ports,
// and writes down who calls it.
type world struct {
	tasks  map[domain.TaskID]domain.TaskState
	events []domain.Event
	made   int // ids

	calls []string                                    // of the ports except the clock, as in "Save"
	fail  map[string]error                            // by method: it does nothing and returns this
	enter func(ctx context.Context, method string)    // runs first in every method that has a context
	saved []uint64                                    // the expected version of every Save
	asked []domain.TaskQuery                          // of every List
	used  map[domain.TaskID]bool                      // ids that Insert has seen
	write func(id domain.TaskID, s *domain.TaskState) // another writer, who comes between a Get and the Save after it
}

func newWorld() *world {
	return &world{
		tasks: make(map[domain.TaskID]domain.TaskState),
		used:  make(map[domain.TaskID]bool),
		fail:  make(map[string]error),
	}
}

func (w *world) service() *app.Tasks { return app.NewTasks(w, w, w, w) }

func (w *world) call(ctx context.Context, method string) error {
	w.calls = append(w.calls, method)
	if w.enter != nil {
		w.enter(ctx, method)
	}
	return w.fail[method]
}

func (w *world) Now() time.Time { return now }

func (w *world) NewTaskID() (domain.TaskID, error) {
	w.calls = append(w.calls, "NewTaskID")
	if err := w.fail["NewTaskID"]; err != nil {
		return "", err
	}
	w.made++
	return idAt(w.made), nil
}

// idAt returns the n-th id in the order of ids.
func idAt(n int) domain.TaskID { return domain.TaskID(fmt.Sprintf("tsk_01kjpypef%017d", n)) }

func (w *world) Insert(ctx context.Context, t *domain.Task) error {
	if err := w.call(ctx, "Insert"); err != nil {
		return err
	}
	s := t.State()
	if w.used[s.ID] {
		return domain.ErrDuplicate
	}
	w.used[s.ID] = true
	w.tasks[s.ID] = s
	return nil
}

func (w *world) find(owner domain.UserID, id domain.TaskID) (domain.TaskState, error) {
	s, ok := w.tasks[id]
	if !ok || s.Owner != owner {
		return s, fmt.Errorf("task %s: %w", id, domain.ErrNotFound)
	}
	return s, nil
}

func (w *world) Get(ctx context.Context, owner domain.UserID, id domain.TaskID) (*domain.Task, error) {
	if err := w.call(ctx, "Get"); err != nil {
		return nil, err
	}
	s, err := w.find(owner, id)
	if err != nil {
		return nil, err
	}
	return domain.Restore(s)
}

func (w *world) Save(ctx context.Context, t *domain.Task, expected uint64) error {
	w.saved = append(w.saved, expected)
	s := t.State()
	if other := w.write; other != nil {
		if stored, ok := w.tasks[s.ID]; ok {
			other(s.ID, &stored)
			stored.Version++
			w.tasks[s.ID] = stored
		}
	}
	if err := w.call(ctx, "Save"); err != nil {
		return err
	}
	stored, err := w.find(s.Owner, s.ID)
	if err != nil {
		return err
	}
	if stored.Version != expected {
		return fmt.Errorf("task %s: %w", s.ID, domain.ErrConflict)
	}
	w.tasks[s.ID] = s
	return nil
}

func (w *world) Delete(ctx context.Context, owner domain.UserID, id domain.TaskID, expected uint64) error {
	if err := w.call(ctx, "Delete"); err != nil {
		return err
	}
	stored, err := w.find(owner, id)
	if err != nil {
		return err
	}
	if expected != 0 && stored.Version != expected {
		return fmt.Errorf("task %s: %w", id, domain.ErrConflict)
	}
	delete(w.tasks, id)
	return nil
}

func (w *world) List(ctx context.Context, q domain.TaskQuery) ([]*domain.Task, error) {
	w.asked = append(w.asked, q)
	if err := w.call(ctx, "List"); err != nil {
		return nil, err
	}
	var found []domain.TaskState
	for _, s := range w.tasks {
		if q.Matches(s) {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b domain.TaskState) int {
		return q.Sort.Compare(domain.PositionOf(a), domain.PositionOf(b))
	})
	var page []*domain.Task
	for _, s := range found[:min(max(q.Limit, 0), len(found))] {
		t, err := domain.Restore(s)
		if err != nil {
			return nil, err
		}
		page = append(page, t)
	}
	return page, nil
}

// Overdue is for the sweeper of week 6. The use cases have no need of it.
func (w *world) Overdue(ctx context.Context, _ time.Time, _ int) iter.Seq2[*domain.Task, error] {
	return func(func(*domain.Task, error) bool) { w.call(ctx, "Overdue") }
}

func (w *world) Publish(ctx context.Context, evs ...domain.Event) error {
	if err := w.call(ctx, "Publish"); err != nil {
		return err
	}
	w.events = append(w.events, evs...)
	return nil
}

func (w *world) count(method string) (n int) {
	for _, m := range w.calls {
		if m == method {
			n++
		}
	}
	return n
}

// put stores a task of ada, as fresh from Create an hour ago, with changes.
func (w *world) put(t *testing.T, change func(s *domain.TaskState)) domain.TaskState {
	t.Helper()
	w.made++
	s := domain.TaskState{
		ID:        idAt(w.made),
		Owner:     ada,
		Title:     "Write the report",
		Status:    domain.StatusTodo,
		Priority:  domain.PriorityNormal,
		Version:   3,
		CreatedAt: now.Add(-time.Hour),
		UpdatedAt: now.Add(-time.Hour),
	}
	if change != nil {
		change(&s)
	}
	task, err := domain.Restore(s)
	if err != nil {
		t.Fatalf("milestone m01a is not finished: Restore of a valid task: %v", err)
	}
	s = task.State()
	w.tasks[s.ID], w.used[s.ID] = s, true
	return s
}

// operation is one use case, called in a way that changes something.
type operation struct {
	name string
	do   string   // as Go code
	path []string // the ports that it has to call, in this order
	run  func(ctx context.Context, s *app.Tasks, id domain.TaskID) (*domain.Task, error)
}

// writes are the use cases that change a task of version 3.
var writes = []operation{
	{
		"create", `task, err := tasks.Create(ctx, "usr_ada", CreateTask{Title: "Write the report"})`, []string{"NewTaskID", "Insert", "Publish"},
		func(ctx context.Context, s *app.Tasks, _ domain.TaskID) (*domain.Task, error) {
			return s.Create(ctx, ada, app.CreateTask{Title: "Write the report"})
		},
	},
	{
		"update", `task, err := tasks.Update(ctx, "usr_ada", id, 3, Patch{Title: Some("Ship it")})`, []string{"Get", "Save", "Publish"},
		func(ctx context.Context, s *app.Tasks, id domain.TaskID) (*domain.Task, error) {
			return s.Update(ctx, ada, id, 3, app.Patch{Title: app.Some("Ship it")})
		},
	},
	{
		"transition", `task, err := tasks.Transition(ctx, "usr_ada", id, StatusInProgress)`, []string{"Get", "Save", "Publish"},
		func(ctx context.Context, s *app.Tasks, id domain.TaskID) (*domain.Task, error) {
			return s.Transition(ctx, ada, id, domain.StatusInProgress)
		},
	},
	{
		"delete", `err := tasks.Delete(ctx, "usr_ada", id, 3)`, []string{"Get", "Delete", "Publish"},
		func(ctx context.Context, s *app.Tasks, id domain.TaskID) (*domain.Task, error) {
			return nil, s.Delete(ctx, ada, id, 3)
		},
	},
}

// reads are the other use cases.
var reads = []operation{
	{
		"get", `task, err := tasks.Get(ctx, "usr_ada", id)`, []string{"Get"},
		func(ctx context.Context, s *app.Tasks, id domain.TaskID) (*domain.Task, error) {
			return s.Get(ctx, ada, id)
		},
	},
	{
		"list", `page, err := tasks.List(ctx, "usr_ada", TaskQuery{})`, []string{"List"},
		func(ctx context.Context, s *app.Tasks, _ domain.TaskID) (*domain.Task, error) {
			page, err := s.List(ctx, ada, domain.TaskQuery{})
			if len(page.Tasks) > 0 {
				return page.Tasks[0], err
			}
			return nil, err
		},
	},
}

func list(words []string) string {
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}
