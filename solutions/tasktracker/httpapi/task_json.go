//course:since m04a

package httpapi

import (
	"encoding/json"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
)

// taskJSON is a task as clients see it. Every member is always there: null says
// that there is no value.
type taskJSON struct {
	ID          string   `json:"id"`
	OwnerID     string   `json:"owner_id"`
	ProjectID   *string  `json:"project_id"`
	AssigneeID  *string  `json:"assignee_id"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Status      string   `json:"status"`
	Priority    string   `json:"priority"`
	Labels      []string `json:"labels"`
	DueAt       *instant `json:"due_at"`
	Version     uint64   `json:"version"`
	CreatedAt   instant  `json:"created_at"`
	UpdatedAt   instant  `json:"updated_at"`
	CompletedAt *instant `json:"completed_at"`
}

func newTaskJSON(t *domain.Task) taskJSON {
	s := t.State()
	labels := s.Labels
	if labels == nil {
		labels = []string{}
	}
	return taskJSON{
		ID:          string(s.ID),
		OwnerID:     string(s.Owner),
		ProjectID:   orNull(s.Project),
		AssigneeID:  orNull(s.Assignee),
		Title:       s.Title,
		Description: s.Description,
		Status:      s.Status.String(),
		Priority:    s.Priority.String(),
		Labels:      labels,
		DueAt:       (*instant)(s.DueAt),
		Version:     s.Version,
		CreatedAt:   instant(s.CreatedAt),
		UpdatedAt:   instant(s.UpdatedAt),
		CompletedAt: (*instant)(s.CompletedAt),
	}
}

func orNull[S ~string](s S) *string {
	if s == "" {
		return nil
	}
	return new(string(s))
}

// instant is a time as the API writes it: RFC 3339, in UTC, with exactly six
// digits of the second, so that texts sort like times.
type instant time.Time

// MarshalJSON implements [json.Marshaler].
func (t instant) MarshalJSON() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000000Z"`), nil
}

// newTask is the body of a request to create a task.
type newTask struct {
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Priority    *string    `json:"priority"`
	Labels      []string   `json:"labels"`
	DueAt       *time.Time `json:"due_at"`
}

func (b newTask) input() app.CreateTask {
	in := app.CreateTask{
		Title:       b.Title,
		Description: b.Description,
		Labels:      b.Labels,
		DueAt:       b.DueAt,
	}
	if b.Priority != nil {
		in.Priority = *b.Priority
	}
	return in
}

// taskPatch is the body of a request to change a task, a JSON Merge Patch of
// RFC 7396.
type taskPatch struct {
	Title       *string    `json:"title"`
	Description *string    `json:"description"`
	Priority    *string    `json:"priority"`
	AssigneeID  *string    `json:"assignee_id"`
	Labels      []string   `json:"labels"`
	DueAt       *time.Time `json:"due_at"`
}

// parsePatch reads a patch. A pointer alone cannot tell null from absent, so the
// names of the members are read as well.
func parsePatch(body []byte) (app.Patch, error) {
	p, err := parse[taskPatch](body)
	if err != nil {
		return app.Patch{}, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return app.Patch{}, err
	}
	return app.Patch{
		Title:       opt(members, "title", p.Title),
		Description: opt(members, "description", p.Description),
		Priority:    opt(members, "priority", p.Priority),
		Assignee:    opt(members, "assignee_id", p.AssigneeID),
		Labels:      opt(members, "labels", orNil(p.Labels)),
		DueAt:       opt(members, "due_at", p.DueAt),
	}, nil
}

func opt[T any](members map[string]json.RawMessage, name string, value *T) app.Opt[T] {
	switch _, set := members[name]; {
	case !set:
		return app.Opt[T]{}
	case value == nil:
		return app.Null[T]()
	default:
		return app.Some(*value)
	}
}

func orNil(list []string) *[]string {
	if list == nil {
		return nil
	}
	return &list
}

// move is the body of a request to change the status of a task.
type move struct {
	To      string  `json:"to"`
	Comment *string `json:"comment"`
}

type taskPage struct {
	Items      []taskJSON `json:"items"`
	NextCursor *string    `json:"next_cursor"`
}
