package tracker

import (
	"fmt"
	"slices"
	"time"
)

// Task is a task as the service shows it.
type Task struct {
	ID          string     `json:"id"`
	OwnerID     string     `json:"owner_id"`
	ProjectID   *string    `json:"project_id"`
	AssigneeID  *string    `json:"assignee_id"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Status      string     `json:"status"`
	Priority    string     `json:"priority"`
	Labels      []string   `json:"labels"`
	DueAt       *time.Time `json:"due_at"`
	Version     int64      `json:"version"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	CompletedAt *time.Time `json:"completed_at"`
}

// Path returns the path of the task.
func (t Task) Path() string { return "/v1/tasks/" + t.ID }

// Page is a page of a list.
type Page struct {
	Items      []Task  `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// IDs returns the ids of the tasks of a page, in order.
func (p Page) IDs() []string {
	ids := make([]string, len(p.Items))
	for i, task := range p.Items {
		ids[i] = task.ID
	}
	return ids
}

// Problem is a problem document of RFC 9457.
type Problem struct {
	Status    int          `json:"status"`
	Code      string       `json:"code"`
	Detail    string       `json:"detail"`
	RequestID string       `json:"request_id"`
	Errors    []FieldError `json:"errors"`
}

// FieldError says what is wrong with one field.
type FieldError struct {
	Field string `json:"field"`
	Code  string `json:"code"`
}

// Names reports whether the problem names a field with a code. An empty code is
// any.
func (p Problem) Names(field, code string) bool {
	return slices.ContainsFunc(p.Errors, func(e FieldError) bool {
		return e.Field == field && (code == "" || e.Code == code)
	})
}

// ETag returns the entity tag of this version of the task.
func (t Task) ETag() string { return fmt.Sprintf(`"v%d"`, t.Version) }
