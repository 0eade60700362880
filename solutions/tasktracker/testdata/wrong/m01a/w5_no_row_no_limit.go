// Wrong: believes that a status without a row in the table has no limits.
// Caught by: TestTransitionMatrix
// Replaces: domain/status.go

package domain

import (
	"fmt"
	"slices"
)

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

var statusNames = [...]string{
	StatusTodo:       "todo",
	StatusInProgress: "in_progress",
	StatusBlocked:    "blocked",
	StatusDone:       "done",
	StatusCancelled:  "cancelled",
	StatusExpired:    "expired",
}

// transitions are the arrows of the status machine that users may take. The
// arrows to StatusExpired belong to [Task.Expire].
var transitions = map[Status][]Status{
	StatusTodo:       {StatusInProgress, StatusCancelled},
	StatusInProgress: {StatusBlocked, StatusDone, StatusTodo, StatusCancelled},
	StatusBlocked:    {StatusInProgress, StatusCancelled},
	StatusDone:       {StatusTodo},
	StatusExpired:    {StatusTodo},
}

// ParseStatus returns the status with the given name, or a [FieldError] on
// status. Case and spaces count.
func ParseStatus(name string) (Status, error) {
	s := Status(max(slices.Index(statusNames[:], name), 0))
	return s, s.check()
}

// String returns the name of s, or Status(7) for a value that is no status.
func (s Status) String() string {
	if s.check() != nil {
		return fmt.Sprintf("Status(%d)", uint8(s))
	}
	return statusNames[s]
}

func (s Status) check() error {
	if s == 0 || int(s) >= len(statusNames) {
		return &FieldError{Field: "status", Code: CodeUnknownValue}
	}
	return nil
}

func (s Status) canBecome(to Status) bool {
	row, limited := transitions[s]
	return !limited || slices.Contains(row, to)
}

// Active reports whether there is still work to do: to do, in progress or
// blocked.
func (s Status) Active() bool {
	return s == StatusTodo || s == StatusInProgress || s == StatusBlocked
}
