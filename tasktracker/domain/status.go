package domain

import "errors"

// Status is where a task stands. The zero Status is none of them, so that a
// forgotten field is an error and not a task to do.
type Status uint8

// The statuses of a task.
const (
	StatusTodo       Status = iota + 1 // "todo"
	StatusInProgress                   // "in_progress"
	StatusBlocked                      // "blocked"
	StatusDone                         // "done"
	StatusCancelled                    // "cancelled"
	StatusExpired                      // "expired"
)

// ParseStatus returns the status with the given name, or a [FieldError] on
// status. Case and spaces count.
func ParseStatus(name string) (Status, error) {
	return 0, errors.ErrUnsupported
}

// String returns the name of s, or Status(7) for a value that is no status.
func (s Status) String() string {
	return ""
}
