package domain

import (
	"slices"
	"time"
)

// TaskState is all there is to know about a task, as plain data. It is how a
// task crosses the border of the package: a store keeps it, an API shows it.
// Changing a TaskState changes no [Task].
type TaskState struct {
	ID          TaskID
	Owner       UserID
	Project     ProjectID // empty: in no project
	Assignee    UserID    // empty: nobody
	Title       string
	Description string
	Status      Status
	Priority    Priority
	Labels      []string // sorted, without duplicates
	DueAt       *time.Time
	CompletedAt *time.Time // set if, and only if, Status is StatusDone
	Version     uint64     // 1 for a new task, one more with each change
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

func (s TaskState) clone() TaskState {
	s.Labels = slices.Clone(s.Labels)
	s.DueAt = cloneTime(s.DueAt)
	s.CompletedAt = cloneTime(s.CompletedAt)
	return s
}

// normalise brings every field into its stored form, in memory that s does not
// share with the caller, or returns the first rule that s breaks.
func (s *TaskState) normalise() (err error) {
	if s.ID, err = ParseTaskID(string(s.ID)); err != nil {
		return err
	}
	if err = s.checkForeignIDs(); err != nil {
		return err
	}
	if s.Title, err = normalTitle(s.Title); err != nil {
		return err
	}
	if err = checkDescription(s.Description); err != nil {
		return err
	}
	if err = s.Status.check(); err != nil {
		return err
	}
	if err = s.Priority.check(); err != nil {
		return err
	}
	if s.Labels, err = normalLabels(s.Labels); err != nil {
		return err
	}
	if s.Version == 0 {
		return &FieldError{Field: "version", Code: CodeRequired}
	}
	return s.normaliseTimes()
}

func (s *TaskState) checkForeignIDs() error {
	if err := CheckUserID(s.Owner); err != nil {
		return err
	}
	if err := checkForeignID("project_id", string(s.Project)); err != nil {
		return err
	}
	return checkForeignID("assignee_id", string(s.Assignee))
}

func (s *TaskState) normaliseTimes() (err error) {
	if s.CreatedAt.IsZero() {
		return &FieldError{Field: "created_at", Code: CodeRequired}
	}
	s.CreatedAt = instant(s.CreatedAt)
	if s.UpdatedAt = instant(s.UpdatedAt); s.UpdatedAt.Before(s.CreatedAt) {
		return &FieldError{Field: "updated_at", Code: CodeTooEarly}
	}
	if s.DueAt, err = normalDue(s.DueAt, s.CreatedAt); err != nil {
		return err
	}
	return s.normaliseCompleted()
}

func (s *TaskState) normaliseCompleted() error {
	switch done := s.Status == StatusDone; {
	case !done && s.CompletedAt != nil:
		return &FieldError{Field: "completed_at", Code: CodeUnexpected}
	case !done:
		return nil
	case s.CompletedAt == nil:
		return &FieldError{Field: "completed_at", Code: CodeRequired}
	}
	completed := instant(*s.CompletedAt)
	if completed.Before(s.CreatedAt) {
		return &FieldError{Field: "completed_at", Code: CodeTooEarly}
	}
	if completed.After(s.UpdatedAt) {
		return &FieldError{Field: "completed_at", Code: CodeTooLate}
	}
	s.CompletedAt = &completed
	return nil
}
