package domain_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

const (
	taskID = domain.TaskID("tsk_01arz3ndektsv4rrffq69g5fav")
	owner  = domain.UserID("usr_ann")
)

var (
	created = time.Date(2026, time.March, 2, 9, 40, 0, 0, time.UTC)
	due     = created.Add(24 * time.Hour)
	later   = created.Add(time.Hour)
)

func TestNewTask_IsVersionOneToDo(t *testing.T) {
	got := newTask(t).State()
	want := domain.TaskState{
		ID: taskID, Owner: owner, Title: "Write the report",
		Status: domain.StatusTodo, Priority: domain.PriorityNormal,
		Labels: []string{}, Version: 1, CreatedAt: created, UpdatedAt: created,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTask_EveryChangeBumpsTheVersionOnce(t *testing.T) {
	task := newTask(t)
	changes := []func(at time.Time) error{
		func(at time.Time) error { return task.Rename("Ship it", at) },
		func(at time.Time) error { return task.SetDescription("With\nnumbers.", at) },
		func(at time.Time) error { return task.SetPriority(domain.PriorityHigh, at) },
		func(at time.Time) error { return task.SetLabels([]string{"Ops", "billing"}, at) },
		func(at time.Time) error { return task.SetDue(&due, at) },
		func(at time.Time) error { return task.AssignTo("usr_bob", at) },
	}
	for i, change := range changes {
		at := later.Add(time.Duration(i) * time.Minute)
		for range 2 { // the second time it is no change
			if err := change(at); err != nil {
				t.Fatalf("change %d: %v", i, err)
			}
			at = at.Add(time.Second)
		}
		s := task.State()
		if want := uint64(i + 2); s.Version != want || !s.UpdatedAt.Equal(later.Add(time.Duration(i)*time.Minute)) {
			t.Errorf("change %d: version %d at %v, want %d", i, s.Version, s.UpdatedAt, want)
		}
	}
}

func TestTask_RefusedChangeLeavesNoTrace(t *testing.T) {
	task := taskIn(t, domain.StatusInProgress)
	before := task.State()
	beforeCreation := created.Add(-time.Second)
	farFuture := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)

	for _, tc := range []struct {
		err   error
		field string
		code  domain.Code
	}{
		{task.Rename("  ", later), "title", domain.CodeRequired},
		{task.Rename(strings.Repeat("ж", 201), later), "title", domain.CodeTooLong},
		{task.Rename("two\nlines", later), "title", domain.CodeBadCharacters},
		{task.SetDescription("\x00", later), "description", domain.CodeBadCharacters},
		{task.SetPriority(9, later), "priority", domain.CodeUnknownValue},
		{task.SetLabels([]string{"fine", "not fine"}, later), "labels[1]", domain.CodeBadFormat},
		{task.SetLabels(numbered(17), later), "labels", domain.CodeTooMany},
		{task.SetDue(&beforeCreation, later), "due_at", domain.CodeTooEarly},
		{task.SetDue(&farFuture, later), "due_at", domain.CodeTooLate},
		{task.AssignTo("two words", later), "assignee_id", domain.CodeBadFormat},
	} {
		wantFieldError(t, tc.err, tc.field, tc.code)
	}
	if got := task.State(); !reflect.DeepEqual(got, before) {
		t.Errorf("got %+v, want %+v", got, before)
	}
}

func TestTask_NormalisesWhatItIsGiven(t *testing.T) {
	task := newTask(t)
	title := strings.Repeat("ж", 200)
	if err := task.Rename("\t"+title+" ", later); err != nil || task.State().Title != title {
		t.Errorf("title: got %q, %v", task.State().Title, err)
	}

	labels := append(numbered(16), " LABEL-3 ")
	slices.Reverse(labels)
	if err := task.SetLabels(labels, later); err != nil || !slices.Equal(task.State().Labels, numbered(16)) {
		t.Errorf("labels: got %q, %v", task.State().Labels, err)
	}

	local := due.Add(999).In(time.FixedZone("NPT", 5*60*60+45*60))
	if err := task.SetDue(&local, later.Add(999)); err != nil {
		t.Fatal(err)
	}
	if s := task.State(); *s.DueAt != due || s.UpdatedAt != later { // == sees the zone too
		t.Errorf("times: due %v, updated %v", s.DueAt, s.UpdatedAt)
	}
}

func TestTask_SharesNoMemory(t *testing.T) {
	given := stateIn(domain.StatusDone)
	task, err := domain.Restore(given)
	if err != nil {
		t.Fatal(err)
	}
	want := stateIn(domain.StatusDone)
	for name, s := range map[string]domain.TaskState{"given to Restore": given, "taken from State": task.State()} {
		s.Labels[0] = "spam"
		*s.DueAt, *s.CompletedAt = time.Time{}, time.Time{}
		if got := task.State(); !reflect.DeepEqual(got, want) {
			t.Errorf("after a change of what was %s: got %+v, want %+v", name, got, want)
		}
	}

	d := due.Add(time.Hour)
	if err := task.SetDue(&d, later); err != nil {
		t.Fatal(err)
	}
	d = time.Time{}
	if got := task.State().DueAt; !got.Equal(due.Add(time.Hour)) {
		t.Errorf("due: got %v", got)
	}
}

func TestTask_IsCompletedWhileDone(t *testing.T) {
	task := taskIn(t, domain.StatusInProgress)
	if err := task.Transition(domain.StatusDone, later); err != nil || *task.State().CompletedAt != later {
		t.Errorf("done: got %v, %v", task.State().CompletedAt, err)
	}
	if err := task.Transition(domain.StatusTodo, later); err != nil || task.State().CompletedAt != nil {
		t.Errorf("reopened: got %v, %v", task.State().CompletedAt, err)
	}
}

func TestTask_UpdatedAtNeverGoesBack(t *testing.T) {
	task := taskIn(t, domain.StatusTodo)
	if err := task.Rename("Ship it", created.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if s := task.State(); s.UpdatedAt != created || s.Version != 8 {
		t.Errorf("got version %d at %v", s.Version, s.UpdatedAt)
	}
}

func TestExpire_WaitsForTheGrace(t *testing.T) {
	const grace = time.Hour
	for _, tc := range []struct {
		status domain.Status
		now    time.Time
		want   bool
	}{
		{domain.StatusTodo, due.Add(grace), false},
		{domain.StatusTodo, due.Add(grace + time.Microsecond), true},
		{domain.StatusInProgress, due.Add(2 * grace), true},
		{domain.StatusBlocked, due.Add(2 * grace), true},
		{domain.StatusDone, due.Add(2 * grace), false},
		{domain.StatusCancelled, due.Add(2 * grace), false},
		{domain.StatusExpired, due.Add(2 * grace), false},
	} {
		task := taskIn(t, tc.status)
		if got := task.Expire(tc.now, grace); got != tc.want {
			t.Errorf("%v at %v: got %v", tc.status, tc.now, got)
		}
		if got := task.State().Status == domain.StatusExpired; tc.want && !got {
			t.Errorf("%v at %v: has not expired", tc.status, tc.now)
		}
	}
	if newTask(t).Expire(due.AddDate(9, 0, 0), 0) {
		t.Error("a task without a due time has expired")
	}
}

func TestTransition_ReopensExpiredOnlyWithANewDue(t *testing.T) {
	task := taskIn(t, domain.StatusExpired)
	wantFieldError(t, task.Transition(domain.StatusTodo, due), "due_at", domain.CodeTooEarly)
	if err := errors.Join(task.SetDue(nil, later), task.Transition(domain.StatusTodo, due)); err != nil {
		t.Error(err)
	}
}

func TestRestore_RefusesBrokenRows(t *testing.T) {
	for _, tc := range []struct {
		spoil func(s *domain.TaskState)
		field string
		code  domain.Code
	}{
		{func(s *domain.TaskState) { s.Owner = "" }, "owner_id", domain.CodeRequired},
		{func(s *domain.TaskState) { s.Project = "\n" }, "project_id", domain.CodeBadFormat},
		{func(s *domain.TaskState) { s.Title = "" }, "title", domain.CodeRequired},
		{func(s *domain.TaskState) { s.Description = "\xff" }, "description", domain.CodeBadCharacters},
		{func(s *domain.TaskState) { s.Status = 0 }, "status", domain.CodeUnknownValue},
		{func(s *domain.TaskState) { s.Priority = 0 }, "priority", domain.CodeUnknownValue},
		{func(s *domain.TaskState) { s.Labels = []string{""} }, "labels[0]", domain.CodeBadFormat},
		{func(s *domain.TaskState) { s.Version = 0 }, "version", domain.CodeRequired},
		{func(s *domain.TaskState) { s.CreatedAt = time.Time{} }, "created_at", domain.CodeRequired},
		{func(s *domain.TaskState) { s.UpdatedAt = created.Add(-1) }, "updated_at", domain.CodeTooEarly},
		{func(s *domain.TaskState) { *s.DueAt = created.Add(-1) }, "due_at", domain.CodeTooEarly},
		{func(s *domain.TaskState) { s.CompletedAt = nil }, "completed_at", domain.CodeRequired},
		{func(s *domain.TaskState) { s.Status = domain.StatusTodo }, "completed_at", domain.CodeUnexpected},
		{func(s *domain.TaskState) { *s.CompletedAt = created.Add(-1) }, "completed_at", domain.CodeTooEarly},
		{func(s *domain.TaskState) { *s.CompletedAt = later }, "completed_at", domain.CodeTooLate},
	} {
		s := stateIn(domain.StatusDone)
		tc.spoil(&s)
		_, err := domain.Restore(s)
		wantFieldError(t, err, tc.field, tc.code)
	}

	s := stateIn(domain.StatusDone)
	s.ID = "usr_ann"
	if _, err := domain.Restore(s); !errors.Is(err, domain.ErrBadID) {
		t.Errorf("got %v, want ErrBadID", err)
	}
}

func TestErrors_SayWhatHappened(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{newTask(t).Rename("", later), "invalid title: required"},
		{newTask(t).Transition(domain.StatusDone, later), "a task cannot go from todo to done"},
	} {
		if got := fmt.Sprint(tc.err); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}

func newTask(t *testing.T) *domain.Task {
	t.Helper()
	task, err := domain.NewTask(taskID, owner, " Write the report ", created)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func taskIn(t *testing.T, status domain.Status) *domain.Task {
	t.Helper()
	task, err := domain.Restore(stateIn(status))
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// stateIn is a task with the given status and every field set that it allows.
func stateIn(status domain.Status) domain.TaskState {
	s := domain.TaskState{
		ID: taskID, Owner: owner, Project: "prj_q2", Assignee: "usr_bob",
		Title: "Write the report", Description: "With numbers.",
		Status: status, Priority: domain.PriorityLow,
		Labels: []string{"billing", "ops"}, DueAt: new(due),
		Version: 7, CreatedAt: created, UpdatedAt: created,
	}
	if status == domain.StatusDone {
		s.CompletedAt = new(created)
	}
	return s
}

// numbered returns n different labels in order.
func numbered(n int) []string {
	labels := make([]string, n)
	for i := range labels {
		labels[i] = fmt.Sprintf("label-%d", i)
	}
	slices.Sort(labels)
	return labels
}

func wantFieldError(t *testing.T, err error, field string, code domain.Code) {
	t.Helper()
	want := domain.FieldError{Field: field, Code: code}
	if got, ok := errors.AsType[*domain.FieldError](err); !ok || *got != want {
		t.Errorf("got error %v, want %+v", err, want)
	}
}
