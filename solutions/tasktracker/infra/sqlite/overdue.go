//course:since m05a

package sqlite

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

// The conditions are those of the partial indexes, word for word: SQLite uses
// such an index only where it sees that.
const (
	overdueQuery = "SELECT " + readColumns + " FROM tasks" +
		" WHERE status IN ('todo', 'in_progress', 'blocked') AND due_at < ? ORDER BY due_at, id LIMIT ?"
	expiredQuery = "SELECT " + readColumns + " FROM tasks" +
		" WHERE status = 'expired' AND updated_at < ? ORDER BY updated_at, id LIMIT ?"
)

// Overdue yields the tasks of all owners that are to do, in progress or blocked
// and were due earlier than before, the longest overdue first, and at most limit
// of them. It reads when the loop begins, and holds no connection while the body
// of the loop runs.
//
// A task that cannot be read is yielded as an error, and so is a shard; the
// others go on.
func (r *Tasks) Overdue(ctx context.Context, before time.Time, limit int) iter.Seq2[*domain.Task, error] {
	return r.merge(ctx, overdueQuery, before, limit, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.dueAt.V, b.dueAt.V), cmp.Compare(a.ID, b.ID))
	})
}

// Expired yields the expired tasks of all owners that were last changed earlier
// than before, the oldest change first, and at most limit of them, as Overdue
// does.
func (r *Tasks) Expired(ctx context.Context, before time.Time, limit int) iter.Seq2[*domain.Task, error] {
	return r.merge(ctx, expiredQuery, before, limit, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.updatedAt, b.updatedAt), cmp.Compare(a.ID, b.ID))
	})
}

// merge yields the first tasks that a query finds in all shards together.
func (r *Tasks) merge(ctx context.Context, query string, before time.Time, limit int, order func(a, b row) int) iter.Seq2[*domain.Task, error] {
	limit = max(limit, 0)
	return func(yield func(*domain.Task, error) bool) {
		var found []row
		for i, shard := range r.shards {
			rows, err := shard.rows(ctx, query, microsUp(before), limit)
			if err != nil && (!yield(nil, failed(ctx, err, "read shard %d", i)) || ctx.Err() != nil) {
				return
			}
			found = append(found, rows...)
		}
		slices.SortFunc(found, order)
		for _, next := range found[:min(limit, len(found))] {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if !yield(next.task()) {
				return
			}
		}
	}
}
