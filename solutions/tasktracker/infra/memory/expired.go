//course:since m03b

package memory

import (
	"cmp"
	"context"
	"iter"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

// Expired yields the tasks that are expired and were last changed earlier than
// before, the oldest change first, and at most limit of them, under the other
// rules of Overdue.
func (r *TaskRepo) Expired(ctx context.Context, before time.Time, limit int) iter.Seq2[*domain.Task, error] {
	expired := func(s domain.TaskState) bool {
		return s.Status == domain.StatusExpired && s.UpdatedAt.Before(before)
	}
	return r.yield(ctx, limit, expired, func(a, b domain.TaskState) int {
		return cmp.Or(a.UpdatedAt.Compare(b.UpdatedAt), cmp.Compare(a.ID, b.ID))
	})
}
