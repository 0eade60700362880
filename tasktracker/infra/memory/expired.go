package memory

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

// Expired yields the tasks that are expired and were last changed earlier than
// before, the oldest change first, and at most limit of them, under the other
// rules of Overdue.
func (r *TaskRepo) Expired(ctx context.Context, before time.Time, limit int) iter.Seq2[*domain.Task, error] {
	return func(yield func(*domain.Task, error) bool) { yield(nil, errors.ErrUnsupported) }
}
