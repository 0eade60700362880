package m02b_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
	"github.com/middle-go/course/tasktracker/infra/memory"
)

const ada = domain.UserID("usr_ada")

var now = time.Date(2026, time.March, 2, 9, 40, 0, 0, time.UTC)

// desk is the ports beside the repository, which is yours of m01b.
type desk struct {
	at     time.Time
	made   int
	events int
}

func (d *desk) Now() time.Time { return d.at }

func (d *desk) NewTaskID() (domain.TaskID, error) {
	d.made++
	return idAt(d.made), nil
}

func (d *desk) Publish(_ context.Context, evs ...domain.Event) error {
	d.events += len(evs)
	return nil
}

// idAt returns the n-th id in the order of ids.
func idAt(n int) domain.TaskID { return domain.TaskID(fmt.Sprintf("tsk_01kjpypef%017d", n)) }

// counted counts the calls of a repository.
type counted struct {
	app.TaskRepository
	calls int
}

func (c *counted) Insert(ctx context.Context, t *domain.Task) error {
	c.calls++
	return c.TaskRepository.Insert(ctx, t)
}

func (c *counted) Get(ctx context.Context, owner domain.UserID, id domain.TaskID) (*domain.Task, error) {
	c.calls++
	return c.TaskRepository.Get(ctx, owner, id)
}

func (c *counted) Save(ctx context.Context, t *domain.Task, expected uint64) error {
	c.calls++
	return c.TaskRepository.Save(ctx, t, expected)
}

// open returns the use cases on an empty store.
func open() (*app.Tasks, *counted, *desk) {
	repo, d := &counted{TaskRepository: memory.NewTaskRepo()}, &desk{at: now}
	return app.NewTasks(repo, d, d, d), repo, d
}

// create stores a task with every field.
func create(t *testing.T, tasks *app.Tasks) domain.TaskState {
	t.Helper()
	due := now.Add(24 * time.Hour)
	task, err := tasks.Create(t.Context(), ada, app.CreateTask{
		Title: "Write the report", Description: "For Monday.", Priority: "high", Labels: []string{"ops"}, DueAt: &due,
	})
	if err == nil {
		task, err = tasks.Update(t.Context(), ada, task.State().ID, 1, app.Patch{Assignee: app.Some("usr_bob")})
	}
	if err != nil {
		t.Fatalf("milestone m02a is not finished: %v", err)
	}
	return task.State()
}

// problems returns what is wrong by err, sorted, as in "labels[3] bad_format".
func problems(err error) []string {
	v, ok := errors.AsType[*errs.ValidationError](err)
	if !ok || v == nil {
		return nil
	}
	var list []string
	for _, f := range v.Fields {
		list = append(list, f.Field+" "+f.Code)
	}
	slices.Sort(list)
	return list
}

// expect compares what is wrong by err, in any order.
func expect(t *testing.T, do string, err error, why string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := problems(err); !slices.Equal(got, want) || (err == nil) != (len(want) == 0) {
		rule.Broken(t, rule.Case{Do: do, Got: list(got, err), Want: list(want, nil), Why: why})
	}
	for _, f := range errs.FieldErrors(err) {
		if f.Message == "" {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%s %s without a message", f.Field, f.Code), Want: rule.Text("a message for people"), Why: "The code is for programs. Somebody reads the form."})
		}
	}
	if err != nil && errs.KindOf(err) != errs.Invalid {
		rule.Broken(t, rule.Case{Do: do + "\nerrs.KindOf(err)", Got: errs.KindOf(err), Want: errs.Invalid, Why: why})
	}
}

// list shows problems. The error is for the case that it holds none.
func list(problems []string, err error) rule.Text {
	switch {
	case len(problems) > 20:
		return rule.Textf("%s\nand %d more", strings.Join(problems[:20], "\n"), len(problems)-20)
	case len(problems) > 0:
		return rule.Text(strings.Join(problems, "\n"))
	case err != nil && isNil(err):
		return "an error that is a nil *errs.ValidationError, so err != nil"
	case err != nil:
		return rule.Textf("an error without fields: %v", err)
	default:
		return "nil"
	}
}

func isNil(err error) bool {
	v, ok := err.(*errs.ValidationError)
	return ok && v == nil
}

// same compares a task with what it should be. Version and UpdatedAt are the
// business of m01a.
func same(t *testing.T, do, why string, want domain.TaskState, task *domain.Task, err error) {
	t.Helper()
	if err != nil || task == nil {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("no task, error: %v", err), Want: rule.Text("a task"), Why: why})
	}
	ignored := cmpopts.IgnoreFields(domain.TaskState{}, "Version", "UpdatedAt")
	if diff := cmp.Diff(want, task.State(), cmpopts.EquateEmpty(), ignored); diff != "" {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Text("another state (-want +got)\n" + diff), Want: rule.Text("the lines with -"), Why: why})
	}
}
