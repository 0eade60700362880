//course:since m02a

package app_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
)

const ann = domain.UserID("usr_ann")

var monday = time.Date(2026, time.March, 2, 9, 40, 0, 0, time.UTC)

// ports is a store of one task and a recorder of what is called.
type ports struct {
	app.TaskRepository // nil: a method that is missing here must not be called

	task   domain.TaskState
	calls  []string
	events []domain.Event
	fail   map[string]error // by method
	rivals int              // how many writers come before a Save
}

func newPorts() *ports {
	return &ports{fail: map[string]error{}, task: domain.TaskState{
		ID: "tsk_01arz3ndektsv4rrffq69g5fav", Owner: ann, Title: "Write the report",
		Status: domain.StatusTodo, Priority: domain.PriorityNormal, Version: 1,
		CreatedAt: monday, UpdatedAt: monday,
	}}
}

func (p *ports) call(method string) error {
	p.calls = append(p.calls, method)
	return p.fail[method]
}

func (p *ports) Now() time.Time { return monday.Add(time.Hour) }

func (p *ports) NewTaskID() (domain.TaskID, error) { return p.task.ID, p.call("NewTaskID") }

func (p *ports) Insert(_ context.Context, t *domain.Task) error {
	p.task = t.State()
	return p.call("Insert")
}

func (p *ports) Get(context.Context, domain.UserID, domain.TaskID) (*domain.Task, error) {
	if err := p.call("Get"); err != nil {
		return nil, err
	}
	return domain.Restore(p.task)
}

func (p *ports) Save(_ context.Context, t *domain.Task, expected uint64) error {
	if p.rivals > 0 {
		p.rivals--
		p.task.Version++
	}
	if err := p.call("Save"); err != nil {
		return err
	}
	if p.task.Version != expected {
		return fmt.Errorf("save: %w", domain.ErrConflict)
	}
	p.task = t.State()
	return nil
}

func (p *ports) Delete(context.Context, domain.UserID, domain.TaskID, uint64) error {
	return p.call("Delete")
}

func (p *ports) List(_ context.Context, q domain.TaskQuery) ([]*domain.Task, error) {
	if err := p.call(fmt.Sprintf("List %s %d", q.Owner, q.Limit)); err != nil {
		return nil, err
	}
	task, err := domain.Restore(p.task)
	return slices.Repeat([]*domain.Task{task}, q.Limit), err
}

func (p *ports) Publish(_ context.Context, evs ...domain.Event) error {
	p.events = append(p.events, evs...)
	return p.call("Publish")
}

func (p *ports) tasks() *app.Tasks { return app.NewTasks(p, p, p, p) }

func (p *ports) expectCalls(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(p.calls, want) {
		t.Errorf("calls %q, want %q", p.calls, want)
	}
}

func expectKind(t *testing.T, err error, want errs.Kind) {
	t.Helper()
	if err == nil || errs.KindOf(err) != want {
		t.Errorf("error %v of the kind %q, want %q", err, errs.KindOf(err), want)
	}
}

func TestNewTasks_NeedsAllPorts(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	p := newPorts()
	app.NewTasks(p, p, p, nil)
}

func TestTasks_CreateStoresThenPublishes(t *testing.T) {
	p := newPorts()
	due := monday.Add(48 * time.Hour)
	task, err := p.tasks().Create(t.Context(), ann, app.CreateTask{
		Title: "\u200b Ship it ", Priority: "high", Labels: []string{"ops"}, DueAt: &due,
	})
	if err != nil {
		t.Fatal(err)
	}
	at := p.Now()
	want := domain.TaskState{
		ID: p.task.ID, Owner: ann, Title: "Ship it", Status: domain.StatusTodo, Priority: domain.PriorityHigh,
		Labels: []string{"ops"}, DueAt: &due, Version: 1, CreatedAt: at, UpdatedAt: at,
	}
	if got := task.State(); !reflect.DeepEqual(got, want) || !reflect.DeepEqual(p.task, want) {
		t.Errorf("returned %+v, stored %+v, want %+v", got, p.task, want)
	}
	p.expectCalls(t, "NewTaskID", "Insert", "Publish")
	created := domain.Event{Type: domain.EventCreated, At: at, Actor: ann, Owner: ann, Task: want.ID, Version: 1}
	if !slices.Equal(p.events, []domain.Event{created}) {
		t.Errorf("events %+v, want %+v", p.events, created)
	}
}

func TestTasks_GetFindsTheTask(t *testing.T) {
	p := newPorts()
	task, err := p.tasks().Get(t.Context(), ann, p.task.ID)
	if err != nil || task.State().ID != p.task.ID {
		t.Errorf("%v, %v", task, err)
	}
}

func TestTasks_UpdateAppliesEveryField(t *testing.T) {
	p := newPorts()
	due := monday.Add(48 * time.Hour)
	task, err := p.tasks().Update(t.Context(), ann, p.task.ID, 1, app.Patch{
		Title: app.Some("Ship it"), Description: app.Some("Today."), Priority: app.Some("low"),
		Assignee: app.Some("usr_bob"), Labels: app.Some([]string{"ops"}), DueAt: app.Some(due),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := p.task
	want.Title, want.Description, want.Priority = "Ship it", "Today.", domain.PriorityLow
	want.Assignee, want.Labels, want.DueAt = "usr_bob", []string{"ops"}, &due
	if got := task.State(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	p.expectCalls(t, "Get", "Save", "Publish")
	if types := []domain.EventType{p.events[0].Type, p.events[1].Type}; !slices.Equal(types, []domain.EventType{domain.EventUpdated, domain.EventAssigned}) {
		t.Errorf("events %q", types)
	}
}

func TestTasks_UpdateWithoutChangeTouchesNothing(t *testing.T) {
	p := newPorts()
	task, err := p.tasks().Update(t.Context(), ann, p.task.ID, 1, app.Patch{Title: app.Some(p.task.Title)})
	if err != nil || task.State().Version != 1 {
		t.Errorf("%v, %v", task, err)
	}
	p.expectCalls(t, "Get")
}

func TestTasks_UpdateTakesTheVersionOfTheClientOnly(t *testing.T) {
	p := newPorts()
	_, err := p.tasks().Update(t.Context(), ann, p.task.ID, 2, app.Patch{})
	expectKind(t, err, errs.Conflict)
	p.expectCalls(t, "Get")

	p = newPorts()
	p.rivals = 1
	_, err = p.tasks().Update(t.Context(), ann, p.task.ID, 1, app.Patch{Title: app.Some("Ship it")})
	expectKind(t, err, errs.Conflict)
	p.expectCalls(t, "Get", "Save")
}

func TestTasks_TransitionTriesTwice(t *testing.T) {
	for rivals, want := range [][]string{
		{"Get", "Save", "Publish"},
		{"Get", "Save", "Get", "Save", "Publish"},
		{"Get", "Save", "Get", "Save"},
	} {
		p := newPorts()
		p.rivals = rivals
		task, err := p.tasks().Transition(t.Context(), ann, p.task.ID, domain.StatusInProgress)
		if rivals == 2 {
			expectKind(t, err, errs.Conflict)
		} else if err != nil || task.State().Status != domain.StatusInProgress {
			t.Errorf("%d rivals: %v", rivals, err)
		}
		p.expectCalls(t, want...)
	}
}

func TestTasks_TransitionThatTheDomainRefuses(t *testing.T) {
	p := newPorts()
	_, err := p.tasks().Transition(t.Context(), ann, p.task.ID, domain.StatusDone)
	expectKind(t, err, errs.Conflict)
	p.expectCalls(t, "Get")

	p.task.Status, p.task.DueAt = domain.StatusExpired, &monday
	_, err = p.tasks().Transition(t.Context(), ann, p.task.ID, domain.StatusTodo)
	expectKind(t, err, errs.Invalid)
}

func TestTasks_DeletePublishesTheLastVersion(t *testing.T) {
	p := newPorts()
	if err := p.tasks().Delete(t.Context(), ann, p.task.ID, 0); err != nil {
		t.Fatal(err)
	}
	p.expectCalls(t, "Get", "Delete", "Publish")
	if e := p.events[0]; e.Type != domain.EventDeleted || e.Version != 1 {
		t.Errorf("event %+v", e)
	}
}

func TestTasks_ListAsksForOneMore(t *testing.T) {
	p := newPorts()
	page, err := p.tasks().List(t.Context(), ann, domain.TaskQuery{Owner: "usr_bob"})
	if err != nil || len(page.Tasks) != app.DefaultLimit || page.Next.ID != p.task.ID {
		t.Errorf("%d tasks, next %v, error %v", len(page.Tasks), page.Next, err)
	}
	p.expectCalls(t, "List usr_ann 21")

	_, err = p.tasks().List(t.Context(), ann, domain.TaskQuery{Limit: app.MaxLimit + 1})
	expectKind(t, err, errs.Invalid)
}

func TestTasks_FailuresOfPorts(t *testing.T) {
	failed := errors.New("dial tcp 10.0.3.7: refused")
	brokenRow := &domain.FieldError{Field: "title", Code: domain.CodeTooLong}
	causes := map[error]errs.Kind{
		failed:                   errs.Internal,
		brokenRow:                errs.Internal,
		domain.ErrNotFound:       errs.NotFound,
		domain.ErrConflict:       errs.Conflict,
		domain.ErrDuplicate:      errs.Conflict,
		context.Canceled:         errs.Canceled,
		context.DeadlineExceeded: errs.Timeout,
	}
	for _, tc := range []struct {
		methods []string
		call    func(s *app.Tasks, id domain.TaskID) error
	}{
		{[]string{"NewTaskID", "Insert"}, func(s *app.Tasks, _ domain.TaskID) error {
			_, err := s.Create(t.Context(), ann, app.CreateTask{Title: "Ship it"})
			return err
		}},
		{[]string{"Get", "Save"}, func(s *app.Tasks, id domain.TaskID) error {
			_, err := s.Update(t.Context(), ann, id, 1, app.Patch{Title: app.Some("Ship it")})
			return err
		}},
		{[]string{"Get", "Delete"}, func(s *app.Tasks, id domain.TaskID) error {
			return s.Delete(t.Context(), ann, id, 1)
		}},
		{[]string{"List usr_ann 3"}, func(s *app.Tasks, _ domain.TaskID) error {
			_, err := s.List(t.Context(), ann, domain.TaskQuery{Limit: 2})
			return err
		}},
	} {
		for _, method := range tc.methods {
			for cause, want := range causes {
				p := newPorts()
				p.fail[method] = cause
				err := tc.call(p.tasks(), p.task.ID)
				expectKind(t, err, want)
				if !errors.Is(err, cause) || strings.Contains(errs.PublicMessage(err), "10.0") || len(errs.FieldErrors(err)) > 0 {
					t.Errorf("%s returns %v: got %v", method, cause, err)
				}
			}
		}
	}
}

func TestTasks_AnEventThatIsLostIsReported(t *testing.T) {
	p := newPorts()
	p.fail["Publish"] = context.Canceled
	_, err := p.tasks().Create(t.Context(), ann, app.CreateTask{Title: "Ship it"})
	expectKind(t, err, errs.Unavailable)
	p.expectCalls(t, "NewTaskID", "Insert", "Publish")
}
