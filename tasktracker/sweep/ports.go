package sweep

import (
	"context"
	"iter"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

// Tasks is what a sweep needs of a store. The store may have one connection, so
// there is no other call while a loop over Overdue or Expired runs.
type Tasks interface {
	// Overdue yields the tasks of all owners that are to do, in progress or
	// blocked and were due earlier than before, the longest overdue first, and
	// at most limit of them. A task that cannot be read is yielded as an error,
	// and the others go on.
	Overdue(ctx context.Context, before time.Time, limit int) iter.Seq2[*domain.Task, error]

	// Expired yields the tasks of all owners that are expired and were last
	// changed earlier than before, the oldest change first, under the other
	// rules of Overdue.
	Expired(ctx context.Context, before time.Time, limit int) iter.Seq2[*domain.Task, error]

	// Save replaces a task whose stored version is expected. Otherwise it
	// changes nothing and returns [domain.ErrConflict], or [domain.ErrNotFound]
	// if there is no such task.
	Save(ctx context.Context, t *domain.Task, expected uint64) error

	// Delete removes a task, under the conditions of Save. An expected version
	// of 0 means any version.
	Delete(ctx context.Context, owner domain.UserID, id domain.TaskID, expected uint64) error
}
