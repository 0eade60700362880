//course:since m02a

// Package app holds the use cases of the service. It knows the rules of the
// domain and nothing of HTTP or databases: what it needs from outside, it asks
// for by the interfaces of this file, and others implement them.
package app

import (
	"context"
	"iter"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

// TaskRepository stores tasks. It is safe for concurrent use, keeps no task
// that it is given, and returns tasks that belong to the caller. Its methods
// end early with the error of ctx when ctx is done.
type TaskRepository interface {
	// Insert stores a new task, or returns [domain.ErrDuplicate] if the id is
	// taken, by anybody.
	Insert(ctx context.Context, t *domain.Task) error

	// Get returns a task of owner, or [domain.ErrNotFound].
	Get(ctx context.Context, owner domain.UserID, id domain.TaskID) (*domain.Task, error)

	// Save replaces a task of the same owner whose stored version is expected,
	// in one step. Otherwise it changes nothing and returns
	// [domain.ErrConflict], or [domain.ErrNotFound] if there is no such task.
	Save(ctx context.Context, t *domain.Task, expected uint64) error

	// Delete removes a task, under the conditions of Save. An expected version
	// of 0 means any version.
	Delete(ctx context.Context, owner domain.UserID, id domain.TaskID, expected uint64) error

	// List returns the first tasks that match q, at most q.Limit, in the order
	// of q.Sort.
	List(ctx context.Context, q domain.TaskQuery) ([]*domain.Task, error)

	// Overdue yields the tasks of all owners that are to do, in progress or
	// blocked and were due earlier than before, the longest overdue first, and
	// at most limit of them. A task that cannot be read is yielded as an error,
	// and the others go on. The caller may change tasks meanwhile.
	Overdue(ctx context.Context, before time.Time, limit int) iter.Seq2[*domain.Task, error]
}

// Clock tells the time.
type Clock interface{ Now() time.Time }

// IDs makes ids of tasks. No two are equal. It is safe for concurrent use.
type IDs interface {
	NewTaskID() (domain.TaskID, error)
}

// Events carries the news about tasks to those who listen. It is safe for
// concurrent use.
type Events interface {
	// Publish hands over all of evs or returns an error.
	Publish(ctx context.Context, evs ...domain.Event) error
}
