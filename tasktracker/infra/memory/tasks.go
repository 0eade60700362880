// Package memory keeps everything in the memory of the process. It is for tests,
// for a first look at the service, and the model that durable stores are
// compared with. What it holds is gone when the process ends.
package memory

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

// TaskRepo stores tasks. It keeps no task that it is given, and every task that
// it returns belongs to the caller. It is safe for concurrent use.
//
// For each owner the tasks of all others do not exist. A method whose context is
// done changes nothing and returns the error of the context.
type TaskRepo struct{}

// NewTaskRepo returns an empty repository.
func NewTaskRepo() *TaskRepo {
	return &TaskRepo{}
}

// Insert stores a new task. It returns [domain.ErrDuplicate] if the id is taken,
// by anybody.
func (r *TaskRepo) Insert(ctx context.Context, t *domain.Task) error {
	return errors.ErrUnsupported
}

// Get returns a task of owner, or [domain.ErrNotFound].
func (r *TaskRepo) Get(ctx context.Context, owner domain.UserID, id domain.TaskID) (*domain.Task, error) {
	return nil, errors.ErrUnsupported
}

// Save replaces a task of the same owner whose stored version is expected, in
// one step. Otherwise it changes nothing and returns [domain.ErrConflict], or
// [domain.ErrNotFound] if the owner has no such task.
func (r *TaskRepo) Save(ctx context.Context, t *domain.Task, expected uint64) error {
	return errors.ErrUnsupported
}

// Delete removes a task whose stored version is expected, under the errors of
// Save. An expected version of 0 means any version.
func (r *TaskRepo) Delete(ctx context.Context, owner domain.UserID, id domain.TaskID, expected uint64) error {
	return errors.ErrUnsupported
}

// List returns the first tasks that match q, at most q.Limit, in the order of
// q.Sort.
func (r *TaskRepo) List(ctx context.Context, q domain.TaskQuery) ([]*domain.Task, error) {
	return nil, errors.ErrUnsupported
}

// Overdue yields the tasks of all owners that are to do, in progress or blocked
// and were due earlier than before, the longest overdue first, and at most limit
// of them. It looks at the store when the loop begins, and holds no lock while
// the body of the loop runs. When ctx is done it yields the error of ctx and
// ends.
func (r *TaskRepo) Overdue(ctx context.Context, before time.Time, limit int) iter.Seq2[*domain.Task, error] {
	return func(yield func(*domain.Task, error) bool) {
		yield(nil, errors.ErrUnsupported)
	}
}
