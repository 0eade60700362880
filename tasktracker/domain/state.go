package domain

import "time"

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
