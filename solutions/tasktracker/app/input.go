//course:since m02a

package app

import (
	"strings"
	"time"
	"unicode"

	"github.com/middle-go/course/tasktracker/domain"
)

// CreateTask is what a user says about a new task. The zero value of a field
// means that he says nothing.
type CreateTask struct {
	Title       string // required
	Description string
	Priority    string // empty: normal
	Labels      []string
	DueAt       *time.Time
}

// task returns the new task. The input is valid.
func (in CreateTask) task(id domain.TaskID, owner domain.UserID, now time.Time) (*domain.Task, error) {
	priority := domain.PriorityNormal
	if in.Priority != "" {
		var err error
		if priority, err = domain.ParsePriority(in.Priority); err != nil {
			return nil, err
		}
	}
	return domain.Restore(domain.TaskState{
		ID:          id,
		Owner:       owner,
		Title:       trim(in.Title),
		Description: in.Description,
		Status:      domain.StatusTodo,
		Priority:    priority,
		Labels:      in.Labels,
		DueAt:       in.DueAt,
		Version:     1,
		CreatedAt:   now,
		UpdatedAt:   now,
	})
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

// apply changes t at the given time. It stops at the first field that t refuses.
func (p Patch) apply(t *domain.Task, at time.Time) error {
	if p.Title.Set {
		if err := t.Rename(trim(p.Title.V), at); err != nil {
			return err
		}
	}
	if p.Description.Set {
		if err := t.SetDescription(p.Description.V, at); err != nil {
			return err
		}
	}
	if p.Priority.Set {
		priority, err := domain.ParsePriority(p.Priority.V)
		if err != nil {
			return err
		}
		if err := t.SetPriority(priority, at); err != nil {
			return err
		}
	}
	if p.Labels.Set {
		if err := t.SetLabels(p.Labels.V, at); err != nil {
			return err
		}
	}
	if p.DueAt.Set {
		if err := t.SetDue(p.DueAt.ptr(), at); err != nil {
			return err
		}
	}
	if p.Assignee.Set {
		return t.AssignTo(domain.UserID(p.Assignee.V), at)
	}
	return nil
}

// trim removes space at both ends, and the characters of no width that a user
// copies along without seeing them.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(zeroWidth, r)
	})
}

// Zero width space, non-joiner, joiner, word joiner, byte order mark.
const zeroWidth = "\u200b\u200c\u200d\u2060\ufeff"
