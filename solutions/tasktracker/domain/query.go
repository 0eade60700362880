//course:since m01b

package domain

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"
)

// What a store says about a task. Stores wrap these errors, so ask with
// [errors.Is]. Any other error of a store means that it could not do its work.
var (
	ErrNotFound  = errors.New("not found")       // or somebody else's: a store does not tell
	ErrConflict  = errors.New("version changed") // another writer was faster
	ErrDuplicate = errors.New("already exists")
)

// TaskQuery asks a store for one page of the tasks of one owner. Only tasks that
// meet every condition are on it.
type TaskQuery struct {
	Owner      UserID
	Statuses   []Status   // one of these; empty: any status
	Priorities []Priority // one of these; empty: any priority
	Label      string     // carries this label; empty: any labels
	Text       string     // title or description contains it, whatever the case; empty: any text
	DueBefore  *time.Time // due earlier than this; nil: due at any time or never
	Assignee   UserID     // empty: anybody or nobody
	Project    ProjectID  // empty: any project or none
	Sort       Sort
	After      Position // the page begins after this place; zero: at the first task
	Limit      int      // the most tasks to return; below 1: none
}

// Matches reports whether a task meets all conditions of q and comes after its
// position. Limit is left to the store.
func (q TaskQuery) Matches(s TaskState) bool {
	return s.Owner == q.Owner &&
		(len(q.Statuses) == 0 || slices.Contains(q.Statuses, s.Status)) &&
		(len(q.Priorities) == 0 || slices.Contains(q.Priorities, s.Priority)) &&
		(q.Label == "" || slices.Contains(s.Labels, q.Label)) &&
		(q.Text == "" || q.textIn(s.Title) || q.textIn(s.Description)) &&
		(q.DueBefore == nil || s.DueAt != nil && s.DueAt.Before(*q.DueBefore)) &&
		(q.Assignee == "" || s.Assignee == q.Assignee) &&
		(q.Project == "" || s.Project == q.Project) &&
		(q.After.IsZero() || q.Sort.Compare(PositionOf(s), q.After) > 0)
}

func (q TaskQuery) textIn(s string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(q.Text))
}

// Position is a place in a list of tasks: that of the last task which a reader
// has seen. The task itself may have changed since, or be gone.
type Position struct {
	ID       TaskID
	DueAt    *time.Time
	Priority Priority
}

// PositionOf returns the place of a task.
func PositionOf(s TaskState) Position {
	p := Position{ID: s.ID, Priority: s.Priority}
	if s.DueAt != nil {
		p.DueAt = new(*s.DueAt)
	}
	return p
}

// IsZero reports whether p is no place at all.
func (p Position) IsZero() bool { return p.ID == "" }

// SortField is what a list of tasks is sorted by.
type SortField uint8

// The orders of a list. Ids begin with the time of creation in milliseconds, so
// that the order of ids is the order of creation.
const (
	SortCreated  SortField = iota // by id
	SortDue                       // by due time, tasks without one last in both directions
	SortPriority                  // from low to urgent
)

// Sort is the order of a list. Tasks that are equal in Field are sorted by id,
// in the same direction.
type Sort struct {
	Field SortField
	Desc  bool
}

// Compare returns a negative number if a task at a comes before one at b in a
// list, and a positive one if it comes after it.
func (o Sort) Compare(a, b Position) int {
	order := cmp.Compare(a.ID, b.ID)
	switch {
	case o.Field == SortPriority:
		order = cmp.Or(cmp.Compare(a.Priority, b.Priority), order)
	case o.Field != SortDue || a.DueAt == nil && b.DueAt == nil:
	case a.DueAt == nil:
		return 1
	case b.DueAt == nil:
		return -1
	default:
		order = cmp.Or(a.DueAt.Compare(*b.DueAt), order)
	}
	if o.Desc {
		return -order
	}
	return order
}
