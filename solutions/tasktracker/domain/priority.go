package domain

import (
	"fmt"
	"slices"
)

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

var priorityNames = [...]string{
	PriorityLow:    "low",
	PriorityNormal: "normal",
	PriorityHigh:   "high",
	PriorityUrgent: "urgent",
}

// ParsePriority returns the priority with the given name, or a [FieldError] on
// priority. Case and spaces count.
func ParsePriority(name string) (Priority, error) {
	p := Priority(max(slices.Index(priorityNames[:], name), 0))
	return p, p.check()
}

// String returns the name of p, or Priority(5) for a value that is no priority.
func (p Priority) String() string {
	if p.check() != nil {
		return fmt.Sprintf("Priority(%d)", uint8(p))
	}
	return priorityNames[p]
}

func (p Priority) check() error {
	if p == 0 || int(p) >= len(priorityNames) {
		return &FieldError{Field: "priority", Code: CodeUnknownValue}
	}
	return nil
}
