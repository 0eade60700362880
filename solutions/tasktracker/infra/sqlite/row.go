//course:since m05a

package sqlite

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

// The columns that make a task, in the order of [row.fields], and those that are
// written, in the order of [saved].
const (
	readColumns = "id, owner, project, assignee, title, description, status, priority, labels, " +
		"due_at, completed_at, version, created_at, updated_at"
	savedColumns = readColumns + ", title_lower, description_lower"
	savedCount   = 16
)

// marks returns n question marks.
func marks(n int) string {
	return strings.TrimSuffix(strings.Repeat("?, ", n), ", ")
}

// row is a task as it is stored. What is wrong with it shows in [row.task].
type row struct {
	domain.TaskState
	status, labels       string
	priority, version    int64
	dueAt, completedAt   sql.Null[int64]
	createdAt, updatedAt int64
}

func (r *row) fields() []any {
	return []any{
		&r.ID, &r.Owner, &r.Project, &r.Assignee, &r.Title, &r.Description, &r.status, &r.priority, &r.labels,
		&r.dueAt, &r.completedAt, &r.version, &r.createdAt, &r.updatedAt,
	}
}

// task returns the task, or an error that names it. That error does not wrap the
// one of the domain: a row that somebody broke is no mistake of the client.
func (r *row) task() (*domain.Task, error) {
	task, err := r.restore()
	if err != nil {
		return nil, fmt.Errorf("sqlite: task %.40q of %.70q is damaged: %v", r.ID, r.Owner, err)
	}
	return task, nil
}

func (r *row) restore() (*domain.Task, error) {
	s := r.TaskState
	var err error
	if s.Status, err = domain.ParseStatus(r.status); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(r.labels), &s.Labels); err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	if s.Priority = domain.Priority(r.priority); int64(s.Priority) != r.priority {
		return nil, fmt.Errorf("priority %d", r.priority)
	}
	s.Version = uint64(r.version)
	s.DueAt, s.CompletedAt = instantOrNil(r.dueAt), instantOrNil(r.completedAt)
	s.CreatedAt, s.UpdatedAt = instant(r.createdAt), instant(r.updatedAt)
	return domain.Restore(s)
}

// saved returns the values of savedColumns.
func saved(s domain.TaskState) []any {
	return []any{
		s.ID, s.Owner, s.Project, s.Assignee, s.Title, s.Description, s.Status.String(), int64(s.Priority), jsonOf(s.Labels),
		microsOrNull(s.DueAt), microsOrNull(s.CompletedAt), int64(s.Version), s.CreatedAt.UnixMicro(), s.UpdatedAt.UnixMicro(),
		strings.ToLower(s.Title), strings.ToLower(s.Description),
	}
}

// jsonOf encodes strings, which cannot fail.
func jsonOf(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

func instant(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

func instantOrNil(micros sql.Null[int64]) *time.Time {
	if !micros.Valid {
		return nil
	}
	return new(instant(micros.V))
}

func microsOrNull(t *time.Time) sql.Null[int64] {
	if t == nil {
		return sql.Null[int64]{}
	}
	return sql.Null[int64]{V: t.UnixMicro(), Valid: true}
}

// microsUp returns the first stored time that is not before t: what is earlier
// than that is earlier than t, and the other way round.
func microsUp(t time.Time) int64 {
	micros := t.UnixMicro()
	if t.Nanosecond()%1000 != 0 {
		micros++
	}
	return micros
}
