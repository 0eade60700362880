//course:since m05a

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/middle-go/course/tasktracker/domain"
)

// Tasks stores tasks. It is safe for concurrent use.
type Tasks struct{ shards []*shard }

func (r *Tasks) shard(owner domain.UserID) *shard {
	return r.shards[shardOf(owner, len(r.shards))]
}

// Insert stores a new task. It returns [domain.ErrDuplicate] if the id is taken
// in the shard of the owner. That no task of another shard has the same id rests
// on the 80 random bits of an id.
func (r *Tasks) Insert(ctx context.Context, t *domain.Task) error {
	s := t.State()
	_, err := r.shard(s.Owner).insert.ExecContext(ctx, saved(s)...)
	if taken(err) {
		return fmt.Errorf("task %s: %w", s.ID, domain.ErrDuplicate)
	}
	return failed(ctx, err, "insert task %s", s.ID)
}

// Get returns a task of owner, or [domain.ErrNotFound].
func (r *Tasks) Get(ctx context.Context, owner domain.UserID, id domain.TaskID) (*domain.Task, error) {
	var found row
	err := r.shard(owner).get.QueryRowContext(ctx, owner, id).Scan(found.fields()...)
	if err != nil {
		return nil, missing(ctx, err, owner, id)
	}
	return found.task()
}

// Save replaces a task whose stored version is expected. Otherwise it returns
// [domain.ErrConflict], or [domain.ErrNotFound] if the owner has no such task.
func (r *Tasks) Save(ctx context.Context, t *domain.Task, expected uint64) error {
	s := t.State()
	shard := r.shard(s.Owner)
	result, err := shard.save.ExecContext(ctx, append(saved(s), s.Owner, s.ID, int64(expected))...)
	if err != nil {
		return failed(ctx, err, "save task %s", s.ID)
	}
	return shard.changed(ctx, result, s.Owner, s.ID, expected)
}

// Delete removes a task whose stored version is expected, under the errors of
// Save. An expected version of 0 means any version.
func (r *Tasks) Delete(ctx context.Context, owner domain.UserID, id domain.TaskID, expected uint64) error {
	shard := r.shard(owner)
	result, err := shard.remove.ExecContext(ctx, owner, id, int64(expected), int64(expected))
	if err != nil {
		return failed(ctx, err, "delete task %s", id)
	}
	return shard.changed(ctx, result, owner, id, expected)
}

// changed returns nil if a statement has changed its task, or why it has not.
func (s *shard) changed(ctx context.Context, result sql.Result, owner domain.UserID, id domain.TaskID, expected uint64) error {
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	var version int64
	if err := s.version.QueryRowContext(ctx, owner, id).Scan(&version); err != nil {
		return missing(ctx, err, owner, id)
	}
	return fmt.Errorf("task %s has version %d, not %d: %w", id, version, expected, domain.ErrConflict)
}

// missing says what it means that a task could not be read.
func missing(ctx context.Context, err error, owner domain.UserID, id domain.TaskID) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("task %s of %s: %w", id, owner, domain.ErrNotFound)
	}
	return failed(ctx, err, "read task %s", id)
}
