//course:since m02a

package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
)

// Sizes of a page of [Tasks.List].
const (
	DefaultLimit = 20
	MaxLimit     = 100
)

// Tasks is what users do with their tasks. The actor of a method is the user
// who asks; a task of somebody else is to him as one that does not exist.
//
// Errors are of the kinds of package errs: Invalid with field errors, NotFound,
// Conflict, Canceled, Timeout, Unavailable, and Internal for everything that
// the service cannot explain. What they wrap is for the log.
//
// Tasks is safe for concurrent use.
type Tasks struct {
	repo   TaskRepository
	clock  Clock
	ids    IDs
	events Events
}

// NewTasks returns the use cases on these ports. It panics if one is nil: a
// service that is wired wrongly must not start.
func NewTasks(repo TaskRepository, clock Clock, ids IDs, events Events) *Tasks {
	if repo == nil || clock == nil || ids == nil || events == nil {
		panic("app: NewTasks needs a repository, a clock, ids and events")
	}
	return &Tasks{repo: repo, clock: clock, ids: ids, events: events}
}

// Create stores a new task of the actor. If the task is stored and its event
// cannot be published, the error is Unavailable and the task stays.
func (s *Tasks) Create(ctx context.Context, actor domain.UserID, in CreateTask) (*domain.Task, error) {
	const op = "create task"
	now := s.clock.Now()
	if err := in.Validate(now); err != nil {
		return nil, refuse(op, err)
	}
	id, err := s.ids.NewTaskID()
	if err != nil {
		return nil, wrap(op, err)
	}
	task, err := in.task(id, actor, now)
	if err != nil {
		return nil, refuse(op, err)
	}
	if err := s.repo.Insert(ctx, task); err != nil {
		return nil, wrap(op, err)
	}
	if err := s.publish(ctx, op, actor, task.State(), domain.EventCreated); err != nil {
		return nil, err
	}
	return task, nil
}

// Get returns a task of the actor.
func (s *Tasks) Get(ctx context.Context, actor domain.UserID, id domain.TaskID) (*domain.Task, error) {
	task, err := s.repo.Get(ctx, actor, id)
	return task, wrap("get task", err)
}

// Update applies p to the task if its version is expected, and returns it as it
// is afterwards. Another version is a Conflict, and so is a change by somebody
// else meanwhile: only the client can say whether his change still makes sense.
// A patch that changes nothing succeeds and leaves the version alone.
func (s *Tasks) Update(ctx context.Context, actor domain.UserID, id domain.TaskID, expected uint64, p Patch) (*domain.Task, error) {
	const op = "update task"
	now := s.clock.Now()
	if err := p.Validate(now); err != nil {
		return nil, refuse(op, err)
	}
	task, err := s.repo.Get(ctx, actor, id)
	if err != nil {
		return nil, wrap(op, err)
	}
	before := task.State()
	if before.Version != expected {
		return nil, wrap(op, fmt.Errorf("%w: it is %d, not %d", domain.ErrConflict, before.Version, expected))
	}
	if err := p.apply(task, now); err != nil {
		return nil, refuse(op, err)
	}
	after := task.State()
	if after.Version == before.Version {
		return task, nil
	}
	if err := s.repo.Save(ctx, task, expected); err != nil {
		return nil, wrap(op, err)
	}
	happened := []domain.EventType{domain.EventUpdated}
	if after.Assignee != before.Assignee {
		happened = append(happened, domain.EventAssigned)
	}
	if err := s.publish(ctx, op, actor, after, happened...); err != nil {
		return nil, err
	}
	return task, nil
}

// Transition moves the task to another status. If somebody else changes the
// task at the same moment, it looks at the new state and tries once more; the
// second time it is a Conflict.
func (s *Tasks) Transition(ctx context.Context, actor domain.UserID, id domain.TaskID, to domain.Status) (*domain.Task, error) {
	const op = "move task"
	task, err := s.transition(ctx, op, actor, id, to)
	if errors.Is(err, domain.ErrConflict) {
		task, err = s.transition(ctx, op, actor, id, to)
	}
	if err != nil {
		return nil, err
	}
	if err := s.publish(ctx, op, actor, task.State(), domain.EventTransitioned); err != nil {
		return nil, err
	}
	return task, nil
}

func (s *Tasks) transition(ctx context.Context, op string, actor domain.UserID, id domain.TaskID, to domain.Status) (*domain.Task, error) {
	task, err := s.repo.Get(ctx, actor, id)
	if err != nil {
		return nil, wrap(op, err)
	}
	expected := task.State().Version
	if err := task.Transition(to, s.clock.Now()); err != nil {
		return nil, refuse(op, err)
	}
	return task, wrap(op, s.repo.Save(ctx, task, expected))
}

// Delete removes the task for good if its version is expected; 0 means any
// version.
func (s *Tasks) Delete(ctx context.Context, actor domain.UserID, id domain.TaskID, expected uint64) error {
	const op = "delete task"
	task, err := s.repo.Get(ctx, actor, id)
	if err != nil {
		return wrap(op, err)
	}
	if err := s.repo.Delete(ctx, actor, id, expected); err != nil {
		return wrap(op, err)
	}
	return s.publish(ctx, op, actor, task.State(), domain.EventDeleted)
}

// Page is a part of a list of tasks.
type Page struct {
	Tasks []*domain.Task
	Next  domain.Position // where the next page begins; zero: this is the last one
}

// List returns a page of the tasks of the actor, whatever the owner in q is. A
// limit of 0 means [DefaultLimit]; below it or above [MaxLimit] it is Invalid.
func (s *Tasks) List(ctx context.Context, actor domain.UserID, q domain.TaskQuery) (Page, error) {
	const op = "list tasks"
	limit := q.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	if limit < 1 || limit > MaxLimit {
		return Page{}, refuse(op, &domain.FieldError{Field: "limit", Code: domain.CodeOutOfRange})
	}
	q.Owner, q.Limit = actor, limit+1 // one more tells whether there is another page
	tasks, err := s.repo.List(ctx, q)
	if err != nil {
		return Page{}, wrap(op, err)
	}
	if len(tasks) <= limit {
		return Page{Tasks: tasks}, nil
	}
	tasks = tasks[:limit]
	return Page{Tasks: tasks, Next: domain.PositionOf(tasks[limit-1].State())}, nil
}

// publish tells what has happened to a task that is stored already.
func (s *Tasks) publish(ctx context.Context, op string, actor domain.UserID, task domain.TaskState, types ...domain.EventType) error {
	events := make([]domain.Event, len(types))
	for i, t := range types {
		events[i] = domain.Event{
			Type:    t,
			At:      s.clock.Now(),
			Actor:   actor,
			Owner:   task.Owner,
			Task:    task.ID,
			Version: task.Version,
		}
	}
	return errs.E(op, errs.Unavailable, s.events.Publish(ctx, events...))
}
