package domain

import "errors"

// Priority is how much a task matters; a greater value matters more. The zero
// Priority is none of them.
type Priority uint8

// The priorities of a task.
const (
	PriorityLow    Priority = iota + 1 // "low"
	PriorityNormal                     // "normal"
	PriorityHigh                       // "high"
	PriorityUrgent                     // "urgent"
)

// ParsePriority returns the priority with the given name, or a [FieldError] on
// priority. Case and spaces count.
func ParsePriority(name string) (Priority, error) {
	return 0, errors.ErrUnsupported
}

// String returns the name of p, or Priority(5) for a value that is no priority.
func (p Priority) String() string {
	return ""
}
