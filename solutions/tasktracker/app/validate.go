//course:since m02a

package app

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
)

//course:until m02b
// // Validate returns an [errs.ValidationError] with everything that is wrong with
// // in, or nil. A new task is not due before now.
// func (in CreateTask) Validate(now time.Time) error {
// 	return nil // milestone m02b
// }
//
// // Validate returns an [errs.ValidationError] with everything that is wrong with
// // p by itself, or nil. What is wrong only for a certain task, such as a due time
// // before its creation, shows when p is applied. That a due time is past is not
// // wrong: a deadline that was missed may be written down. The time now is that of
// // the change.
// func (p Patch) Validate(now time.Time) error {
// 	return nil // milestone m02b
// }
//course:end

//course:since m02b

// Validate returns an [errs.ValidationError] with everything that is wrong with
// in, or nil. A new task is not due before now.
func (in CreateTask) Validate(now time.Time) error {
	c := newChecker(now)
	c.title(in.Title)
	c.description(in.Description)
	if in.Priority != "" {
		c.priority(in.Priority)
	}
	c.labels(in.Labels)
	c.due(in.DueAt)
	return c.err()
}

// Validate returns an [errs.ValidationError] with everything that is wrong with
// p by itself, or nil. What is wrong only for a certain task, such as a due time
// before its creation, shows when p is applied. That a due time is past is not
// wrong: a deadline that was missed may be written down. The time now is that of
// the change.
func (p Patch) Validate(now time.Time) error {
	c := newChecker(epoch)
	check(p.Title, c.title, c.required("title"))
	check(p.Description, c.description, nil)
	check(p.Priority, c.priority, c.required("priority"))
	check(p.Assignee, c.assignee, nil)
	check(p.Labels, c.labels, nil)
	check(p.DueAt, func(due time.Time) { c.due(&due) }, nil)
	return c.err()
}

// check calls value or null for a field that is set. A nil null means that the
// field may be cleared.
func check[T any](field Opt[T], value func(T), null func()) {
	switch {
	case !field.Set:
	case !field.Null:
		value(field.V)
	case null != nil:
		null()
	}
}

// checker collects what is wrong with an input. The rules are those of the
// domain: it tries every field on a draft that is thrown away.
type checker struct {
	draft *domain.Task
	found []errs.FieldError
}

// epoch is before the creation of every task.
var epoch = time.UnixMilli(0)

// newChecker returns a checker for a task that was created at the given time, or
// at the epoch if that is later.
func newChecker(created time.Time) *checker {
	if created.Before(epoch) {
		created = epoch
	}
	const anyID = "tsk_00000000000000000000000000"
	draft, err := domain.NewTask(anyID, "nobody", "draft", created)
	if err != nil {
		panic(err) // this task is always valid
	}
	return &checker{draft: draft}
}

func (c *checker) title(s string)       { c.add(c.draft.Rename(trim(s), time.Time{})) }
func (c *checker) description(s string) { c.add(c.draft.SetDescription(s, time.Time{})) }
func (c *checker) assignee(s string)    { c.add(c.draft.AssignTo(domain.UserID(s), time.Time{})) }
func (c *checker) due(at *time.Time)    { c.add(c.draft.SetDue(at, time.Time{})) }

func (c *checker) priority(s string) {
	_, err := domain.ParsePriority(s)
	c.add(err)
}

// labels reports every label that is wrong, where SetLabels stops at the first.
func (c *checker) labels(labels []string) {
	before := len(c.found)
	for i, label := range labels {
		if len(c.found)-before == maxLabelProblems {
			return
		}
		if len(strings.TrimSpace(label)) > maxLabelBytes || c.draft.SetLabels([]string{label}, time.Time{}) != nil {
			c.add(&domain.FieldError{Field: fmt.Sprintf("labels[%d]", i), Code: domain.CodeBadFormat})
		}
	}
	if len(c.found) == before {
		c.add(c.draft.SetLabels(labels, time.Time{}))
	}
}

const (
	// maxLabelProblems keeps the answer to a list of a million bad labels short.
	maxLabelProblems = 16

	// No label has more: it would have more than 32 characters in lower case too,
	// and to find that out costs a copy of it.
	maxLabelBytes = 32 * utf8.UTFMax
)

func (c *checker) required(field string) func() {
	return func() { c.add(&domain.FieldError{Field: field, Code: domain.CodeRequired}) }
}

func (c *checker) err() error {
	if len(c.found) == 0 {
		return nil
	}
	return &errs.ValidationError{Fields: c.found}
}

func (c *checker) add(err error) {
	if field, ok := errors.AsType[*domain.FieldError](err); ok {
		c.found = append(c.found, describe(field))
	}
}

//course:end
