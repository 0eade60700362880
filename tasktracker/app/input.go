package app

import "time"

// CreateTask is what a user says about a new task. The zero value of a field
// means that he says nothing.
type CreateTask struct {
	Title       string // required
	Description string
	Priority    string // empty: normal
	Labels      []string
	DueAt       *time.Time
}

// Patch is what a user changes about a task. Null clears the description, the
// assignee, the labels and the due time; a title and a priority cannot be
// cleared.
type Patch struct {
	Title       Opt[string]
	Description Opt[string]
	Priority    Opt[string]
	Assignee    Opt[string]
	Labels      Opt[[]string]
	DueAt       Opt[time.Time]
}
