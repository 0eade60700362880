package app

import (
	"context"
	"errors"

	"github.com/middle-go/course/tasktracker/domain"
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
type Tasks struct{}

// NewTasks returns the use cases on these ports. It panics if one is nil: a
// service that is wired wrongly must not start.
func NewTasks(repo TaskRepository, clock Clock, ids IDs, events Events) *Tasks {
	return &Tasks{}
}

// Create stores a new task of the actor. If the task is stored and its event
// cannot be published, the error is Unavailable and the task stays.
func (s *Tasks) Create(ctx context.Context, actor domain.UserID, in CreateTask) (*domain.Task, error) {
	return nil, errors.ErrUnsupported
}

// Get returns a task of the actor.
func (s *Tasks) Get(ctx context.Context, actor domain.UserID, id domain.TaskID) (*domain.Task, error) {
	return nil, errors.ErrUnsupported
}

// Update applies p to the task if its version is expected, and returns it as it
// is afterwards. Another version is a Conflict, and so is a change by somebody
// else meanwhile: only the client can say whether his change still makes sense.
// A patch that changes nothing succeeds and leaves the version alone.
func (s *Tasks) Update(ctx context.Context, actor domain.UserID, id domain.TaskID, expected uint64, p Patch) (*domain.Task, error) {
	return nil, errors.ErrUnsupported
}

// Transition moves the task to another status. If somebody else changes the
// task at the same moment, it looks at the new state and tries once more; the
// second time it is a Conflict.
func (s *Tasks) Transition(ctx context.Context, actor domain.UserID, id domain.TaskID, to domain.Status) (*domain.Task, error) {
	return nil, errors.ErrUnsupported
}

// Delete removes the task for good if its version is expected; 0 means any
// version.
func (s *Tasks) Delete(ctx context.Context, actor domain.UserID, id domain.TaskID, expected uint64) error {
	return errors.ErrUnsupported
}

// Page is a part of a list of tasks.
type Page struct {
	Tasks []*domain.Task
	Next  domain.Position // where the next page begins; zero: this is the last one
}

// List returns a page of the tasks of the actor, whatever the owner in q is. A
// limit of 0 means [DefaultLimit]; below it or above [MaxLimit] it is Invalid.
func (s *Tasks) List(ctx context.Context, actor domain.UserID, q domain.TaskQuery) (Page, error) {
	return Page{}, errors.ErrUnsupported
}
