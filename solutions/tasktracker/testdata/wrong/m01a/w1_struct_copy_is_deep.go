// Wrong: believes that copying a struct copies what its fields point to.
// Caught by: TestStateIsDeepCopy
// Replaces: domain/task.go

// Package domain holds the task and its rules. It does no input or output, and
// it knows neither JSON nor a database. It asks no clock: the caller says what
// time it is.
package domain

import (
	"slices"
	"time"
)

// Task is one task. Its state is private, and every value that crosses the
// border of the package is copied, so nobody can change a task except through
// its methods. Make one with [NewTask] or [Restore]; the zero Task is of no use.
//
// A method either does all of its work or returns an error and changes nothing.
// A change adds one to the version and moves UpdatedAt to the given time, or
// leaves UpdatedAt alone if that time is earlier. A call that would change
// nothing succeeds and leaves both alone. All times are stored in UTC, cut to
// the microsecond.
//
// A Task is not safe for concurrent use.
type Task struct{ state TaskState }

// NewTask returns version 1 of a task to do, of normal priority. The title is
// trimmed. It returns [ErrBadID] for an id that [ParseTaskID] refuses, or a
// [FieldError] on owner_id, title, or created_at, which is required.
func NewTask(id TaskID, owner UserID, title string, at time.Time) (*Task, error) {
	return Restore(TaskState{
		ID:        id,
		Owner:     owner,
		Title:     title,
		Status:    StatusTodo,
		Priority:  PriorityNormal,
		Version:   1,
		CreatedAt: at,
		UpdatedAt: at,
	})
}

// Restore returns the task with the given state, for stores that read one back.
// It normalises as the methods of [Task] do, and it applies their rules: a row
// that somebody broke by hand gives [ErrBadID] or a [FieldError], and no task.
// It does not keep or change what s points to.
func Restore(s TaskState) (*Task, error) {
	if err := s.normalise(); err != nil {
		return nil, err
	}
	return &Task{state: s}, nil
}

// State returns a deep copy of the state.
func (t *Task) State() TaskState {
	return t.state
}

// Rename changes the title, trimmed. It returns a [FieldError] on title unless
// that leaves 1 to 200 runes of valid UTF-8 without control characters.
func (t *Task) Rename(title string, at time.Time) error {
	title, err := normalTitle(title)
	if err != nil || title == t.state.Title {
		return err
	}
	t.state.Title = title
	t.touch(at)
	return nil
}

// SetDescription changes the description, which is kept as it is. It returns a
// [FieldError] on description if that has more than 8000 runes, is not valid
// UTF-8, or has control characters other than tab, line feed and carriage
// return.
func (t *Task) SetDescription(text string, at time.Time) error {
	if err := checkDescription(text); err != nil || text == t.state.Description {
		return err
	}
	t.state.Description = text
	t.touch(at)
	return nil
}

// SetPriority changes the priority. It returns a [FieldError] on priority if p
// is none.
func (t *Task) SetPriority(p Priority, at time.Time) error {
	if err := p.check(); err != nil || p == t.state.Priority {
		return err
	}
	t.state.Priority = p
	t.touch(at)
	return nil
}

// SetLabels replaces the labels by the given ones: trimmed, in lower case,
// sorted, each of them once. It does not keep or change the slice. It returns a
// [FieldError] on labels[i] if the i-th one is no label, or on labels if there
// are more than 16 different ones.
func (t *Task) SetLabels(labels []string, at time.Time) error {
	labels, err := normalLabels(labels)
	if err != nil || slices.Equal(labels, t.state.Labels) {
		return err
	}
	t.state.Labels = labels
	t.touch(at)
	return nil
}

// SetDue changes when the task is due; nil means at no time. It does not keep
// or change what due points to. It returns a [FieldError] on due_at for a time
// before the task was created or after the year 9999.
func (t *Task) SetDue(due *time.Time, at time.Time) error {
	due, err := normalDue(due, t.state.CreatedAt)
	if err != nil || sameTime(due, t.state.DueAt) {
		return err
	}
	t.state.DueAt = due
	t.touch(at)
	return nil
}

// AssignTo makes u responsible for the task; the empty UserID means nobody. It
// returns a [FieldError] on assignee_id if u is not well formed.
func (t *Task) AssignTo(u UserID, at time.Time) error {
	if err := checkForeignID("assignee_id", string(u)); err != nil || u == t.state.Assignee {
		return err
	}
	t.state.Assignee = u
	t.touch(at)
	return nil
}

// Transition moves the task to another status, as a user may. It returns a
// [TransitionError] if the status machine has no such arrow. An expired task
// can be reopened only when its due time is after at or cleared: otherwise
// Transition returns a [FieldError] on due_at.
func (t *Task) Transition(to Status, at time.Time) error {
	from, due := t.state.Status, t.state.DueAt
	if !from.canBecome(to) {
		return &TransitionError{From: from, To: to}
	}
	if from == StatusExpired && due != nil && !due.After(instant(at)) {
		return &FieldError{Field: "due_at", Code: CodeTooEarly}
	}
	t.move(to, at)
	return nil
}

// Expire moves the task to [StatusExpired] if it is active, which is to do, in
// progress or blocked, and now is more than grace after it was due. It reports
// whether it did. A negative grace counts as 0.
func (t *Task) Expire(now time.Time, grace time.Duration) bool {
	due := t.state.DueAt
	if !t.state.Status.Active() || due == nil || !instant(now).After(due.Add(max(grace, 0))) {
		return false
	}
	t.move(StatusExpired, now)
	return true
}

func (t *Task) move(to Status, at time.Time) {
	t.touch(at)
	t.state.Status = to
	t.state.CompletedAt = nil
	if to == StatusDone {
		t.state.CompletedAt = new(t.state.UpdatedAt)
	}
}

// touch records that the task has changed. Clocks of two machines differ, so a
// later change may come with an earlier time: the version tells the order.
func (t *Task) touch(at time.Time) {
	t.state.Version++
	if at = instant(at); at.After(t.state.UpdatedAt) {
		t.state.UpdatedAt = at
	}
}
