package domain_test

// The course owns this file. Besides the tests, every name it declares begins
// with m01a, so that it does not collide with yours.

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/domain"
)

const (
	m01aID    = domain.TaskID("tsk_01kjpypefv000g40r40m30e209")
	m01aOwner = domain.UserID("usr_01arz3ndektsv4rrffq69g5fav")
)

var (
	m01aCreated = time.Date(2026, time.March, 2, 9, 40, 0, 123_456_000, time.UTC)
	m01aUpdated = m01aCreated.Add(time.Hour)
	m01aDue     = m01aCreated.AddDate(0, 0, 7)
	m01aLater   = m01aCreated.Add(2 * time.Hour)
)

// m01aStatuses are all statuses, after a value that is none.
var m01aStatuses = []struct {
	status domain.Status
	name   string
	source string // as Go code
}{
	{0, "none", "Status(0)"},
	{domain.StatusTodo, "todo", "StatusTodo"},
	{domain.StatusInProgress, "in_progress", "StatusInProgress"},
	{domain.StatusBlocked, "blocked", "StatusBlocked"},
	{domain.StatusDone, "done", "StatusDone"},
	{domain.StatusCancelled, "cancelled", "StatusCancelled"},
	{domain.StatusExpired, "expired", "StatusExpired"},
}

func TestTransitionMatrix(t *testing.T) {
	allowed := map[string][]string{
		"todo":        {"in_progress", "cancelled"},
		"in_progress": {"blocked", "done", "todo", "cancelled"},
		"blocked":     {"in_progress", "cancelled"},
		"done":        {"todo"},
		"cancelled":   {},
		"expired":     {"todo"},
	}
	for _, from := range m01aStatuses {
		for _, to := range m01aStatuses {
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				if from.status == 0 { // no task can be here, so there is nowhere to go from
					_, err := domain.Restore(m01aState(0))
					m01aRefuses(t, "_, err := Restore(TaskState{Status: 0, ...})", err, "status", domain.CodeUnknownValue)
					return
				}
				m01aCheckTransition(t, from.status, to.status, from.name, to.source, slices.Contains(allowed[from.name], to.name))
			})
		}
	}
	t.Run("done to a number that is no status", func(t *testing.T) {
		for _, to := range []domain.Status{7, 8, math.MaxUint8} {
			m01aCheckTransition(t, domain.StatusDone, to, "done", fmt.Sprintf("Status(%d)", uint8(to)), false)
		}
	})
}

func m01aCheckTransition(t *testing.T, from, to domain.Status, fromName, toSource string, allowed bool) {
	t.Helper()
	before := m01aState(from)
	task := m01aRestore(t, before)
	do := fmt.Sprintf("err := task.Transition(%s, at) // task is %s", toSource, fromName)

	err := task.Transition(to, m01aLater)

	if !allowed {
		refused, ok := errors.AsType[*domain.TransitionError](err)
		if want := (domain.TransitionError{From: from, To: to}); !ok || *refused != want {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  m01aShow(err),
				Want: rule.Textf("a *TransitionError from %s to %s", fromName, toSource),
				Why:  "An arrow nobody drew lets a cancelled task come back to life, and reports count it twice.",
			})
		}
		m01aSame(t, do, before, task.State(), "A refused transition must leave no trace, or the next save stores half of it.")
		return
	}
	if err != nil {
		rule.Broken(t, rule.Case{Do: do, Got: err, Want: nil, Why: "The status machine in the README has this arrow, so users will take it."})
	}
	after := before
	after.Status, after.UpdatedAt, after.Version, after.CompletedAt = to, m01aLater, before.Version+1, nil
	if to == domain.StatusDone {
		after.CompletedAt = &m01aLater
	}
	m01aSame(t, do, after, task.State(), "A transition changes the status, the version and UpdatedAt. CompletedAt is set while the task is done, and only then.")
}

func TestReopenExpiredNeedsNewDue(t *testing.T) {
	for _, tc := range []struct {
		name string
		due  *time.Time
		ok   bool
	}{
		{"before at", new(m01aLater.Add(-time.Microsecond)), false},
		{"exactly at", new(m01aLater), false},
		{"after at", new(m01aLater.Add(time.Microsecond)), true},
		{"never", nil, true},
	} {
		t.Run("due "+tc.name, func(t *testing.T) {
			before := m01aState(domain.StatusExpired)
			before.DueAt = tc.due
			task := m01aRestore(t, before)
			do := "err := task.Transition(StatusTodo, at) // task is expired, due " + tc.name

			err := task.Transition(domain.StatusTodo, m01aLater)

			if !tc.ok {
				m01aRefuses(t, do, err, "due_at", domain.CodeTooEarly)
				m01aSame(t, do, before, task.State(), "A refused transition must leave no trace.")
				return
			}
			if err != nil || task.State().Status != domain.StatusTodo {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("%v, task is %v", err, task.State().Status), Want: rule.Text("nil, task is todo"),
					Why: "With a due time that is not over, the next sweep leaves the task alone, so the user may have it back.",
				})
			}
		})
	}
}

func TestStateIsDeepCopy(t *testing.T) {
	want := m01aState(domain.StatusDone)
	task := m01aRestore(t, want)
	kept := task.State()

	for _, tc := range []struct {
		do     string
		change func(s domain.TaskState)
	}{
		{`task.State().Labels[0] = "spam"`, func(s domain.TaskState) { s.Labels[0] = "spam" }},
		{`_ = append(task.State().Labels[:1], "spam")`, func(s domain.TaskState) { _ = append(s.Labels[:1], "spam") }},
		{`*task.State().DueAt = time.Time{}`, func(s domain.TaskState) { *s.DueAt = time.Time{} }},
		{`*task.State().CompletedAt = time.Time{}`, func(s domain.TaskState) { *s.CompletedAt = time.Time{} }},
	} {
		given := task.State()
		m01aSame(t, "task, err := Restore(state)\ngiven := task.State()", want, given, "")
		tc.change(given)
		do := "kept := task.State()\n" + tc.do
		m01aSame(t, do+"\nfmt.Println(task.State())", want, task.State(),
			"Copying a struct copies slice headers and pointers, not what they point to: a handler that edits its copy has edited the store.")
		m01aSame(t, do+"\nfmt.Println(kept)", want, kept, "Two states given out must not share memory with each other either.")
	}

	if err := task.SetLabels([]string{"x", "y"}, m01aLater); err != nil {
		rule.Broken(t, rule.Case{Do: `task.SetLabels([]string{"x", "y"}, at)`, Got: err, Want: nil})
	}
	m01aSame(t, "kept := task.State()\ntask.SetLabels([]string{\"x\", \"y\"}, at)\nfmt.Println(kept)", want, kept,
		"A state is a snapshot: a change of the task must not reach into it.")
}

func TestRestoreCopiesInput(t *testing.T) {
	const do = "task, err := Restore(s)"
	given := func() domain.TaskState {
		s := m01aState(domain.StatusDone)
		s.Labels = append(make([]string, 0, 8), "Zoo", "api", "zoo")
		s.DueAt = new(m01aDue.Add(300).In(time.FixedZone("MSK", 3*60*60)))
		return s
	}
	in := given()
	due := *in.DueAt
	task := m01aRestore(t, in)

	m01aSame(t, do+"\nfmt.Println(s)", given(), in, "Restore sorts and cuts its own copy. The caller may be iterating over his.")
	if *in.DueAt != due {
		rule.Broken(t, rule.Case{Do: do + "\nfmt.Println(*s.DueAt)", Got: *in.DueAt, Want: due, Why: "Restore normalises its own copy, not the caller's time."})
	}

	want := task.State()
	for _, tc := range []struct {
		do     string
		change func()
	}{
		{`s.Labels[0], s.Labels[1], s.Labels[2] = "a", "b", "c"`, func() { copy(in.Labels, []string{"a", "b", "c"}) }},
		{`*s.DueAt = time.Time{}`, func() { *in.DueAt = time.Time{} }},
		{`*s.CompletedAt = time.Time{}`, func() { *in.CompletedAt = time.Time{} }},
	} {
		tc.change()
		m01aSame(t, do+"\n"+tc.do+"\nfmt.Println(task.State())", want, task.State(),
			"A store reuses its row buffer for the next row. A task that still points into it changes under the user's hands.")
	}
}

func TestRestoreRefusesBrokenRows(t *testing.T) {
	for _, status := range m01aStatuses[1:] {
		want := m01aState(status.status)
		m01aSame(t, "task, err := Restore(s) // a valid task, "+status.name, want, m01aRestore(t, want).State(),
			"A task that is saved and read back is the same task, its version too.")
	}

	for _, id := range []string{"!", "~", strings.Repeat("x", 64)} {
		want := m01aState(domain.StatusTodo)
		want.Owner, want.Project, want.Assignee = domain.UserID(id), domain.ProjectID(id), domain.UserID(id)
		task, err := domain.Restore(want)
		do := fmt.Sprintf("s.Owner, s.Project, s.Assignee = %q, %[1]q, %[1]q\ntask, err := Restore(s)", id)
		if err != nil || task == nil {
			rule.Broken(t, rule.Case{Do: do, Got: m01aShow(err), Want: rule.Text("a task"), Why: "Every visible character from ! to ~ is fine, and so are 64 of them. The service that makes these ids may use them all."})
		}
		m01aSame(t, do, want, task.State(), "What is inside such an id is not our business.")
	}

	long := strings.Repeat("x", 65)
	for _, tc := range []struct {
		do    string
		spoil func(s *domain.TaskState)
		field string
		code  domain.Code
	}{
		{`s.Owner = ""`, func(s *domain.TaskState) { s.Owner = "" }, "owner_id", domain.CodeRequired},
		{`s.Owner = "two words"`, func(s *domain.TaskState) { s.Owner = "two words" }, "owner_id", domain.CodeBadFormat},
		{`s.Owner = strings.Repeat("x", 65)`, func(s *domain.TaskState) { s.Owner = domain.UserID(long) }, "owner_id", domain.CodeBadFormat},
		{`s.Owner = "ann\x7f"`, func(s *domain.TaskState) { s.Owner = "ann\x7f" }, "owner_id", domain.CodeBadFormat},
		{`s.Project = "a\nb"`, func(s *domain.TaskState) { s.Project = "a\nb" }, "project_id", domain.CodeBadFormat},
		{`s.Assignee = "zoë"`, func(s *domain.TaskState) { s.Assignee = "zoë" }, "assignee_id", domain.CodeBadFormat},
		{`s.Title = " "`, func(s *domain.TaskState) { s.Title = " " }, "title", domain.CodeRequired},
		{`s.Description = "\x00"`, func(s *domain.TaskState) { s.Description = "\x00" }, "description", domain.CodeBadCharacters},
		{`s.Status = 7`, func(s *domain.TaskState) { s.Status = 7 }, "status", domain.CodeUnknownValue},
		{`s.Priority = 0`, func(s *domain.TaskState) { s.Priority = 0 }, "priority", domain.CodeUnknownValue},
		{`s.Priority = 5`, func(s *domain.TaskState) { s.Priority = 5 }, "priority", domain.CodeUnknownValue},
		{`s.Labels = []string{"ok", "not ok"}`, func(s *domain.TaskState) { s.Labels = []string{"ok", "not ok"} }, "labels[1]", domain.CodeBadFormat},
		{`s.Version = 0`, func(s *domain.TaskState) { s.Version = 0 }, "version", domain.CodeRequired},
		{`s.CreatedAt = time.Time{}`, func(s *domain.TaskState) { s.CreatedAt = time.Time{} }, "created_at", domain.CodeRequired},
		{`s.UpdatedAt = s.CreatedAt.Add(-time.Microsecond)`, func(s *domain.TaskState) { s.UpdatedAt = s.CreatedAt.Add(-time.Microsecond) }, "updated_at", domain.CodeTooEarly},
		{`*s.DueAt = s.CreatedAt.Add(-time.Microsecond)`, func(s *domain.TaskState) { *s.DueAt = s.CreatedAt.Add(-time.Microsecond) }, "due_at", domain.CodeTooEarly},
		{`s.CompletedAt = nil // done`, func(s *domain.TaskState) { s.CompletedAt = nil }, "completed_at", domain.CodeRequired},
		{`s.Status = StatusTodo // with CompletedAt`, func(s *domain.TaskState) { s.Status = domain.StatusTodo }, "completed_at", domain.CodeUnexpected},
		{`*s.CompletedAt = s.CreatedAt.Add(-time.Microsecond)`, func(s *domain.TaskState) { *s.CompletedAt = s.CreatedAt.Add(-time.Microsecond) }, "completed_at", domain.CodeTooEarly},
		{`*s.CompletedAt = s.UpdatedAt.Add(time.Microsecond)`, func(s *domain.TaskState) { *s.CompletedAt = s.UpdatedAt.Add(time.Microsecond) }, "completed_at", domain.CodeTooLate},
	} {
		s := m01aState(domain.StatusDone)
		tc.spoil(&s)
		do := "s := ... // a valid task, done\n" + tc.do + "\ntask, err := Restore(s)"
		task, err := domain.Restore(s)
		m01aRefuses(t, do, err, tc.field, tc.code)
		if task != nil {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Text("an error and a task"), Want: rule.Text("an error and a nil task")})
		}
	}

	s := m01aState(domain.StatusDone)
	s.ID = "42"
	if _, err := domain.Restore(s); !errors.Is(err, domain.ErrBadID) {
		rule.Broken(t, rule.Case{Do: "s.ID = \"42\"\n_, err := Restore(s)", Got: m01aShow(err), Want: rule.Text("ErrBadID"), Why: "A store that returns somebody else's row must be noticed."})
	}
}

func TestDuePointerNotShared(t *testing.T) {
	due := m01aDue // in stored form already: nothing to normalise, and still not the task's to keep
	task, twin := m01aNew(t), m01aNew(t)
	const do = "task.SetDue(&due, at)\ntwin.SetDue(&due, at)\n"
	for _, task := range []*domain.Task{task, twin} {
		if err := task.SetDue(&due, m01aLater); err != nil {
			rule.Broken(t, rule.Case{Do: do, Got: err, Want: nil})
		}
	}
	demand := func(do string) {
		t.Helper()
		for _, task := range []*domain.Task{task, twin} {
			if got := task.State().DueAt; got == nil || !got.Equal(m01aDue) {
				rule.Broken(t, rule.Case{
					Do:   do + "fmt.Println(task.State().DueAt, twin.State().DueAt)",
					Got:  got,
					Want: m01aDue,
					Why:  "A pointer in a signature is a border crossing. Keep it, and a loop that reuses one variable moves the deadline of every task it touched.",
				})
			}
		}
	}
	demand(do)
	due = m01aDue.AddDate(1, 0, 0)
	demand(do + "due = due.AddDate(1, 0, 0)\n")
	*task.State().DueAt = due
	demand(do + "due = due.AddDate(1, 0, 0)\n*task.State().DueAt = due\n")

	due = m01aDue.Add(700).In(time.FixedZone("IST", 5*60*60+30*60))
	given := due
	task = m01aNew(t)
	if err := task.SetDue(&due, m01aLater); err != nil || due != given {
		rule.Broken(t, rule.Case{
			Do:   "due := ... // with nanoseconds, in India\nerr := task.SetDue(&due, at)\nfmt.Println(err, due)",
			Got:  rule.Textf("%v %v", err, due),
			Want: rule.Textf("<nil> %v", given),
			Why:  "SetDue may read what the pointer shows, not write to it: the time belongs to the caller.",
		})
	}
}

func TestDueRules(t *testing.T) {
	task := m01aNew(t)
	for _, tc := range []struct {
		do  string
		due time.Time
	}{
		{"created", m01aCreated},
		{"created, seen from Tokyo", m01aCreated.In(time.FixedZone("JST", 9*60*60))},
		{"the last microsecond of 9999", time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)},
	} {
		do := "err := task.SetDue(&due, at) // due is " + tc.do
		if err := task.SetDue(&tc.due, m01aLater); err != nil {
			rule.Broken(t, rule.Case{Do: do, Got: err, Want: nil, Why: "The limits themselves are allowed."})
		}
		if got := task.State().DueAt; got == nil || !got.Equal(tc.due.Truncate(time.Microsecond)) {
			rule.Broken(t, rule.Case{Do: do + "\nfmt.Println(task.State().DueAt)", Got: got, Want: tc.due.Truncate(time.Microsecond), Why: "A due time is stored to the microsecond, as a database keeps it."})
		}
	}

	before := task.State()
	for _, tc := range []struct {
		do   string
		due  time.Time
		code domain.Code
	}{
		{"one microsecond before created", m01aCreated.Add(-time.Microsecond), domain.CodeTooEarly},
		{"year 10000", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), domain.CodeTooLate},
		{"year 9999 in New York, 10000 in UTC", time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("EST", -5*60*60)), domain.CodeTooLate},
	} {
		do := "err := task.SetDue(&due, at) // due is " + tc.do
		m01aRefuses(t, do, task.SetDue(&tc.due, m01aLater), "due_at", tc.code)
		m01aSame(t, do, before, task.State(), "A refused change must leave no trace.")
	}

	if err := task.SetDue(nil, m01aLater); err != nil || task.State().DueAt != nil {
		rule.Broken(t, rule.Case{Do: "err := task.SetDue(nil, at)\nfmt.Println(err, task.State().DueAt)", Got: rule.Textf("%v %v", err, task.State().DueAt), Want: rule.Text("<nil> <nil>")})
	}
}

func TestVersionBumpsOncePerChange(t *testing.T) {
	task := m01aNew(t)
	if got := task.State().Version; got != 1 {
		rule.Broken(t, rule.Case{Do: "task, err := NewTask(id, owner, title, at)\nfmt.Println(task.State().Version)", Got: got, Want: 1})
	}
	want := task.State()
	at := m01aCreated
	for _, change := range []struct {
		do    string
		apply func() error
		want  func(s *domain.TaskState)
	}{
		{`task.Rename("Ship it", at)`, func() error { return task.Rename("Ship it", at) }, func(s *domain.TaskState) { s.Title = "Ship it" }},
		{`task.SetDescription("Two\nlines", at)`, func() error { return task.SetDescription("Two\nlines", at) }, func(s *domain.TaskState) { s.Description = "Two\nlines" }},
		{`task.SetPriority(PriorityHigh, at)`, func() error { return task.SetPriority(domain.PriorityHigh, at) }, func(s *domain.TaskState) { s.Priority = domain.PriorityHigh }},
		{`task.SetLabels([]string{"b", "a", "b"}, at)`, func() error { return task.SetLabels([]string{"b", "a", "b"}, at) }, func(s *domain.TaskState) { s.Labels = []string{"a", "b"} }},
		{`task.SetLabels([]string{"b"}, at)`, func() error { return task.SetLabels([]string{"b"}, at) }, func(s *domain.TaskState) { s.Labels = []string{"b"} }},
		{`task.SetLabels(nil, at)`, func() error { return task.SetLabels(nil, at) }, func(s *domain.TaskState) { s.Labels = nil }},
		{`task.SetDue(&due, at)`, func() error { return task.SetDue(new(m01aDue), at) }, func(s *domain.TaskState) { s.DueAt = &m01aDue }},
		{`task.SetDue(nil, at)`, func() error { return task.SetDue(nil, at) }, func(s *domain.TaskState) { s.DueAt = nil }},
		{`task.SetDue(&due, at) // due when it was created`, func() error { return task.SetDue(new(m01aCreated), at) }, func(s *domain.TaskState) { s.DueAt = &m01aCreated }},
		{`task.AssignTo("usr_ann", at)`, func() error { return task.AssignTo("usr_ann", at) }, func(s *domain.TaskState) { s.Assignee = "usr_ann" }},
		{`task.AssignTo("", at)`, func() error { return task.AssignTo("", at) }, func(s *domain.TaskState) { s.Assignee = "" }},
		{`task.Transition(StatusInProgress, at)`, func() error { return task.Transition(domain.StatusInProgress, at) }, func(s *domain.TaskState) { s.Status = domain.StatusInProgress }},
		{`task.Transition(StatusDone, at)`, func() error { return task.Transition(domain.StatusDone, at) }, func(s *domain.TaskState) {
			s.Status, s.CompletedAt = domain.StatusDone, new(s.UpdatedAt)
		}},
		{`task.Transition(StatusTodo, at)`, func() error { return task.Transition(domain.StatusTodo, at) }, func(s *domain.TaskState) {
			s.Status, s.CompletedAt = domain.StatusTodo, nil
		}},
		{`task.Expire(at, 0)`, func() error {
			if !task.Expire(at, 0) {
				return errors.New("Expire returned false")
			}
			return nil
		}, func(s *domain.TaskState) { s.Status = domain.StatusExpired }},
		{`task.SetDue(nil, at) // expired`, func() error { return task.SetDue(nil, at) }, func(s *domain.TaskState) { s.DueAt = nil }},
	} {
		at = at.Add(time.Minute)
		if err := change.apply(); err != nil {
			rule.Broken(t, rule.Case{Do: change.do, Got: err, Want: nil})
		}
		want.Version++
		want.UpdatedAt = at
		change.want(&want)
		m01aSame(t, change.do, want, task.State(),
			"The version is the ETag: a change without a bump is lost in a cache, and two bumps make the client's next If-Match fail.")
	}
}

func TestNoChangeNoBump(t *testing.T) {
	s := m01aState(domain.StatusInProgress)
	task := m01aRestore(t, s)
	elsewhere := m01aDue.Add(999).In(time.FixedZone("CET", 60*60))
	tooEarly := m01aCreated.Add(-time.Hour)
	long := strings.Repeat("x", 8001)

	for _, tc := range []struct {
		do    string
		apply func() error
		fails bool
	}{
		{`task.Rename("  Write the report\n", at) // has that title`, func() error { return task.Rename("  Write the report\n", m01aLater) }, false},
		{`task.SetDescription("With numbers.", at) // has that text`, func() error { return task.SetDescription("With numbers.", m01aLater) }, false},
		{`task.SetPriority(PriorityUrgent, at) // is urgent`, func() error { return task.SetPriority(domain.PriorityUrgent, m01aLater) }, false},
		{`task.SetLabels([]string{" Ops", "BILLING", "ops"}, at) // has billing and ops`, func() error { return task.SetLabels([]string{" Ops", "BILLING", "ops"}, m01aLater) }, false},
		{`task.SetDue(&due, at) // the same instant in another zone, 999 ns later`, func() error { return task.SetDue(&elsewhere, m01aLater) }, false},
		{`task.AssignTo("usr_bob", at) // is Bob's`, func() error { return task.AssignTo("usr_bob", m01aLater) }, false},
		{`task.Expire(at, grace) // at is before the due time`, func() error { task.Expire(m01aLater, 0); return nil }, false},
		{`task.Rename("", at)`, func() error { return task.Rename("", m01aLater) }, true},
		{`task.SetDescription(strings.Repeat("x", 8001), at)`, func() error { return task.SetDescription(long, m01aLater) }, true},
		{`task.SetPriority(0, at)`, func() error { return task.SetPriority(0, m01aLater) }, true},
		{`task.SetLabels([]string{"fine", "not fine"}, at)`, func() error { return task.SetLabels([]string{"fine", "not fine"}, m01aLater) }, true},
		{`task.SetDue(&due, at) // before it was created`, func() error { return task.SetDue(&tooEarly, m01aLater) }, true},
		{`task.AssignTo("two words", at)`, func() error { return task.AssignTo("two words", m01aLater) }, true},
		{`task.Transition(StatusInProgress, at) // is in progress`, func() error { return task.Transition(domain.StatusInProgress, m01aLater) }, true},
	} {
		err := tc.apply()
		if failed := err != nil; failed != tc.fails {
			want := "nil, and no change"
			if tc.fails {
				want = "an error"
			}
			rule.Broken(t, rule.Case{Do: "err := " + tc.do, Got: m01aShow(err), Want: rule.Text(want)})
		}
		m01aSame(t, tc.do, s, task.State(),
			"Clients repeat requests. A call that changes nothing, or that fails, must not invalidate everybody's ETag or move the task to the top of the list.")
	}
}

func TestTimesAreUTCMicroseconds(t *testing.T) {
	zone := time.FixedZone("NPT", 5*60*60+45*60)
	now := time.Now()
	for _, tc := range []struct {
		name string
		at   func(want time.Time) time.Time // an impure form of the instant want
	}{
		{"in another zone", func(want time.Time) time.Time { return want.In(zone) }},
		{"with nanoseconds", func(want time.Time) time.Time { return want.Add(999) }},
		{"with a monotonic clock reading", func(want time.Time) time.Time { return now.Add(want.Sub(now)) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			const why = "A timestamptz column holds UTC microseconds. What a database cannot hold makes the saved task differ from the one in memory."
			do := "// every time given is " + tc.name + "\n"
			task, err := domain.NewTask(m01aID, m01aOwner, "Write the report", tc.at(m01aCreated))
			if err != nil {
				rule.Broken(t, rule.Case{Do: do + "NewTask(id, owner, title, at)", Got: err, Want: nil})
			}
			m01aPure(t, do+"NewTask(id, owner, title, at) // CreatedAt", task.State().CreatedAt, m01aCreated, why)
			m01aPure(t, do+"NewTask(id, owner, title, at) // UpdatedAt", task.State().UpdatedAt, m01aCreated, why)

			due := tc.at(m01aDue)
			for _, err := range []error{
				task.SetDue(&due, tc.at(m01aUpdated)),
				task.Transition(domain.StatusInProgress, tc.at(m01aUpdated)),
				task.Transition(domain.StatusDone, tc.at(m01aLater)),
			} {
				if err != nil {
					rule.Broken(t, rule.Case{Do: do + "SetDue(&due, at), Transition(StatusInProgress, at), Transition(StatusDone, at)", Got: err, Want: nil})
				}
			}
			for from, s := range map[string]domain.TaskState{"": task.State(), "Restore(s) ": m01aRestore(t, m01aImpure(task.State(), tc.at)).State()} {
				m01aPure(t, do+from+"// DueAt", *s.DueAt, m01aDue, why)
				m01aPure(t, do+from+"// CreatedAt", s.CreatedAt, m01aCreated, why)
				m01aPure(t, do+from+"// UpdatedAt", s.UpdatedAt, m01aLater, why)
				m01aPure(t, do+from+"// CompletedAt", *s.CompletedAt, m01aLater, why)
			}

			expiring := m01aRestore(t, m01aState(domain.StatusBlocked))
			if after := tc.at(m01aDue.Add(time.Hour)); !expiring.Expire(after, 0) {
				rule.Broken(t, rule.Case{Do: do + "task.Expire(now, 0) // an hour after it was due", Got: false, Want: true})
			}
			m01aPure(t, do+"task.Expire(now, 0) // UpdatedAt", expiring.State().UpdatedAt, m01aDue.Add(time.Hour), why)
		})
	}

	t.Run("a clock that goes back", func(t *testing.T) {
		task := m01aRestore(t, m01aState(domain.StatusInProgress))
		version := task.State().Version
		if err := task.Transition(domain.StatusDone, m01aCreated.Add(-time.Hour)); err != nil {
			rule.Broken(t, rule.Case{Do: "task.Transition(StatusDone, at) // at is before UpdatedAt", Got: err, Want: nil, Why: "Two machines never agree on the time. The user must not pay for it."})
		}
		s := task.State()
		if s.Version != version+1 || s.CompletedAt == nil {
			rule.Broken(t, rule.Case{Do: "task.Transition(StatusDone, at) // at is before UpdatedAt", Got: rule.Textf("version %d, completed at %v", s.Version, s.CompletedAt), Want: rule.Textf("version %d, completed at UpdatedAt", version+1)})
		}
		const why = "UpdatedAt never goes back, so that a list sorted by it does not lose a page. The version tells the order."
		m01aPure(t, "task.Transition(StatusDone, at) // at is before UpdatedAt; UpdatedAt", s.UpdatedAt, m01aUpdated, why)
		m01aPure(t, "task.Transition(StatusDone, at) // at is before UpdatedAt; CompletedAt", *s.CompletedAt, m01aUpdated, why)
	})

	t.Run("no time at all", func(t *testing.T) {
		_, err := domain.NewTask(m01aID, m01aOwner, "Write the report", time.Time{})
		m01aRefuses(t, "NewTask(id, owner, title, time.Time{})", err, "created_at", domain.CodeRequired)
	})
}

func m01aImpure(s domain.TaskState, at func(time.Time) time.Time) domain.TaskState {
	s.CreatedAt, s.UpdatedAt = at(s.CreatedAt), at(s.UpdatedAt)
	s.DueAt, s.CompletedAt = new(at(*s.DueAt)), new(at(*s.CompletedAt))
	return s
}

// m01aPure compares with ==, which sees the zone and the monotonic reading.
func m01aPure(t *testing.T, do string, got, want time.Time, why string) {
	t.Helper()
	if got != want {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Text(got.String()), Want: rule.Text(want.String()), Why: why})
	}
}

func TestLabelsNormalised(t *testing.T) {
	sixteen := make([]string, 16)
	for i := range sixteen {
		sixteen[i] = fmt.Sprintf("label-%02d", i)
	}
	for _, tc := range []struct {
		name  string
		in    []string
		want  []string
		field string // of the error, if there is one
		code  domain.Code
	}{
		{name: "nil"},
		{name: "empty", in: []string{}},
		{name: "sorted", in: []string{"ops", "billing"}, want: []string{"billing", "ops"}},
		{name: "lower case", in: []string{"Billing", "OPS"}, want: []string{"billing", "ops"}},
		{name: "trimmed", in: []string{" ops\t", "\u00a0billing\n"}, want: []string{"billing", "ops"}},
		{name: "once", in: []string{"ops", "OPS", " ops ", "billing", "ops"}, want: []string{"billing", "ops"}},
		{name: "every allowed character", in: []string{"a-z_0-9", "7", "0_-"}, want: []string{"0_-", "7", "a-z_0-9"}},
		{name: "32 characters", in: []string{strings.Repeat("x", 32)}, want: []string{strings.Repeat("x", 32)}},
		{name: "16 labels", in: sixteen, want: sixteen},
		{name: "16 labels and duplicates", in: append(slices.Clone(sixteen), "LABEL-03", "label-00"), want: sixteen},

		{name: "17 labels", in: append(slices.Clone(sixteen), "one-more"), field: "labels", code: domain.CodeTooMany},
		{name: "33 characters", in: []string{strings.Repeat("x", 33)}, field: "labels[0]", code: domain.CodeBadFormat},
		{name: "empty label", in: []string{"ops", ""}, field: "labels[1]", code: domain.CodeBadFormat},
		{name: "blank label", in: []string{"ops", "billing", "  "}, field: "labels[2]", code: domain.CodeBadFormat},
		{name: "space inside", in: []string{"two words"}, field: "labels[0]", code: domain.CodeBadFormat},
		{name: "dash first", in: []string{"-ops"}, field: "labels[0]", code: domain.CodeBadFormat},
		{name: "underscore first", in: []string{"_ops"}, field: "labels[0]", code: domain.CodeBadFormat},
		{name: "beyond ASCII", in: []string{"größe"}, field: "labels[0]", code: domain.CodeBadFormat},
		{name: "line feed inside", in: []string{"a\nb"}, field: "labels[0]", code: domain.CodeBadFormat},
		{name: "the index counts what was given", in: []string{"z", "z", "a", "b!"}, field: "labels[3]", code: domain.CodeBadFormat},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := m01aState(domain.StatusTodo)
			s.Labels = []string{"previous"}
			task := m01aRestore(t, s)
			in := append(make([]string, 0, 64), tc.in...)
			do := fmt.Sprintf("err := task.SetLabels(%#v, at)", tc.in)

			err := task.SetLabels(in, m01aLater)

			if !slices.Equal(in, tc.in) {
				rule.Broken(t, rule.Case{Do: do + "\nfmt.Println(labels) // the slice that was given", Got: in, Want: tc.in, Why: "Sorting in place reorders the caller's slice."})
			}
			if tc.field != "" {
				m01aRefuses(t, do, err, tc.field, tc.code)
				return
			}
			if got := task.State().Labels; err != nil || !slices.Equal(got, tc.want) {
				rule.Broken(t, rule.Case{
					Do: do + "\nfmt.Println(err, task.State().Labels)", Got: rule.Textf("%v %q", err, got), Want: rule.Textf("<nil> %q", tc.want),
					Why: "Two spellings of one label split a filter, and an unsorted set makes equal tasks look different.",
				})
			}
			for i := range in {
				in[i] = "spam"
			}
			if got := task.State().Labels; !slices.Equal(got, tc.want) {
				rule.Broken(t, rule.Case{Do: do + "\nlabels[0] = \"spam\" // the slice that was given", Got: got, Want: tc.want, Why: "The task keeps its own array. The caller reuses his."})
			}
		})
	}
}

func TestTitleRules(t *testing.T) {
	for _, tc := range []struct {
		name, title, want string
		code              domain.Code
	}{
		{name: "one rune", title: "x", want: "x"},
		{name: "trimmed", title: " \t\n\u00a0\u3000Write  it \r\n", want: "Write  it"},
		{name: "200 runes of one byte", title: strings.Repeat("x", 200), want: strings.Repeat("x", 200)},
		{name: "200 runes of four bytes", title: strings.Repeat("🧾", 200), want: strings.Repeat("🧾", 200)},
		{name: "200 runes and spaces around", title: strings.Repeat(" ", 9) + strings.Repeat("ж", 200) + " ", want: strings.Repeat("ж", 200)},
		{name: "100 letters with combining marks", title: strings.Repeat("e\u0301", 100), want: strings.Repeat("e\u0301", 100)},
		{name: "joined emoji", title: "👩‍👩‍👧 party", want: "👩‍👩‍👧 party"},

		{name: "empty", title: "", code: domain.CodeRequired},
		{name: "only spaces", title: " \t\r\n\u2003", code: domain.CodeRequired},
		{name: "201 runes", title: strings.Repeat("x", 201), code: domain.CodeTooLong},
		{name: "201 runes of two bytes", title: strings.Repeat("ж", 201), code: domain.CodeTooLong},
		{name: "101 letters with combining marks", title: strings.Repeat("e\u0301", 101), code: domain.CodeTooLong},
		{name: "line feed inside", title: "Write\nit", code: domain.CodeBadCharacters},
		{name: "NUL", title: "Write\x00it", code: domain.CodeBadCharacters},
		{name: "escape sequence", title: "\x1b[2JWrite it", code: domain.CodeBadCharacters},
		{name: "C1 control", title: "Write\u009bit", code: domain.CodeBadCharacters},
		{name: "invalid UTF-8", title: "Write \xff it", code: domain.CodeBadCharacters},
	} {
		t.Run(tc.name, func(t *testing.T) {
			shown := m01aQuote(tc.title)
			task := m01aNew(t)
			state := m01aState(domain.StatusTodo)
			state.Title = tc.title
			created, errNew := domain.NewTask(m01aID, m01aOwner, tc.title, m01aCreated)
			restored, errRestore := domain.Restore(state)
			for _, call := range []struct {
				do   string
				task *domain.Task
				err  error
			}{
				{"task, err := NewTask(id, owner, " + shown + ", at)", created, errNew},
				{"err := task.Rename(" + shown + ", at)", task, task.Rename(tc.title, m01aLater)},
				{"task, err := Restore(TaskState{Title: " + shown + ", ...})", restored, errRestore},
			} {
				if tc.code != "" {
					m01aRefuses(t, call.do+" // "+tc.name, call.err, "title", tc.code)
					continue
				}
				if call.err != nil || call.task == nil {
					rule.Broken(t, rule.Case{
						Do: call.do + " // " + tc.name, Got: m01aShow(call.err), Want: nil,
						Why: "The limit is 200 runes after trimming. Counted in bytes, a Russian title has half the room and a Chinese one a third.",
					})
				}
				if got := call.task.State().Title; got != tc.want {
					rule.Broken(t, rule.Case{Do: call.do + "\nfmt.Println(task.State().Title)", Got: got, Want: tc.want, Why: "Only white space at the two ends goes."})
				}
			}
		})
	}
}

func TestDescriptionRules(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		code       domain.Code
	}{
		{name: "empty"},
		{name: "kept as it is", text: "  - a\r\n\t- b  \n"},
		{name: "8000 runes of two bytes", text: strings.Repeat("ж", 8000)},
		{name: "8001 runes", text: strings.Repeat("x", 8001), code: domain.CodeTooLong},
		{name: "NUL", text: "a\x00b", code: domain.CodeBadCharacters},
		{name: "escape sequence", text: "\x1b[2J", code: domain.CodeBadCharacters},
		{name: "invalid UTF-8", text: "a\xc3", code: domain.CodeBadCharacters},
	} {
		t.Run(tc.name, func(t *testing.T) {
			task := m01aRestore(t, m01aState(domain.StatusTodo))
			do := fmt.Sprintf("err := task.SetDescription(%s, at) // %s", m01aQuote(tc.text), tc.name)
			err := task.SetDescription(tc.text, m01aLater)
			if tc.code != "" {
				m01aRefuses(t, do, err, "description", tc.code)
				return
			}
			if got := task.State().Description; err != nil || got != tc.text {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%v, description %.40q", err, got), Want: rule.Textf("<nil>, description %.40q", tc.text)})
			}
		})
	}
}

func TestStatusAndPriorityNames(t *testing.T) {
	for _, s := range m01aStatuses[1:] {
		if got := s.status.String(); got != s.name {
			rule.Broken(t, rule.Case{Do: fmt.Sprintf("Status(%d).String()", uint8(s.status)), Got: got, Want: s.name, Why: "The name is what clients and tables hold."})
		}
		if got, err := domain.ParseStatus(s.name); err != nil || got != s.status {
			rule.Broken(t, rule.Case{Do: fmt.Sprintf("ParseStatus(%q)", s.name), Got: rule.Textf("%d, %v", uint8(got), err), Want: rule.Textf("%d, <nil>", uint8(s.status))})
		}
	}
	priorities := []string{"low", "normal", "high", "urgent"}
	for i, p := range []domain.Priority{domain.PriorityLow, domain.PriorityNormal, domain.PriorityHigh, domain.PriorityUrgent} {
		if got := p.String(); got != priorities[i] {
			rule.Broken(t, rule.Case{Do: fmt.Sprintf("Priority(%d).String()", uint8(p)), Got: got, Want: priorities[i]})
		}
		if got, err := domain.ParsePriority(priorities[i]); err != nil || got != p {
			rule.Broken(t, rule.Case{Do: fmt.Sprintf("ParsePriority(%q)", priorities[i]), Got: rule.Textf("%d, %v", uint8(got), err), Want: rule.Textf("%d, <nil>", uint8(p))})
		}
	}
	for _, name := range []string{"", "Todo", " todo", "in progress", "Status(0)", "medium"} {
		status, err := domain.ParseStatus(name)
		m01aRefuses(t, fmt.Sprintf("ParseStatus(%q)", name), err, "status", domain.CodeUnknownValue)
		priority, err := domain.ParsePriority(name)
		m01aRefuses(t, fmt.Sprintf("ParsePriority(%q)", name), err, "priority", domain.CodeUnknownValue)
		if status != 0 || priority != 0 {
			rule.Broken(t, rule.Case{Do: fmt.Sprintf("ParseStatus(%q)\nParsePriority(%[1]q)", name), Got: rule.Textf("%d and %d", uint8(status), uint8(priority)), Want: rule.Text("0 and 0, with errors")})
		}
	}
	for _, n := range []uint8{0, 7, math.MaxUint8} {
		if got, want := domain.Status(n).String(), fmt.Sprintf("Status(%d)", n); got != want {
			rule.Broken(t, rule.Case{Do: want + ".String()", Got: got, Want: want, Why: "A log line about a broken value must show the value, and must not panic."})
		}
		if got, want := domain.Priority(n).String(), fmt.Sprintf("Priority(%d)", n); got != want {
			rule.Broken(t, rule.Case{Do: want + ".String()", Got: got, Want: want})
		}
	}
}

func TestIDsSortByTime(t *testing.T) {
	low, high := bytes.Repeat([]byte{0x00}, 10), bytes.Repeat([]byte{0xff}, 10)
	for _, tc := range []struct {
		at      time.Time
		entropy []byte
		want    domain.TaskID
	}{
		{time.UnixMilli(0), low, "tsk_00000000000000000000000000"},
		{time.UnixMilli(1), low, "tsk_00000000010000000000000000"},
		{time.UnixMilli(1469922850259), []byte("\xd6\x76\x4c\x61\xef\xb9\x93\x02\xbd\x5b"), "tsk_01arz3ndektsv4rrffq69g5fav"},
		{time.UnixMilli(1772444400123).Add(999_999).In(time.FixedZone("JST", 9*60*60)), []byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09"), m01aID},
		{time.UnixMilli(1<<48 - 1), high, "tsk_7zzzzzzzzzzzzzzzzzzzzzzzzz"},
	} {
		do := fmt.Sprintf("NewTaskID(%s, bytes.NewReader(%q))", m01aTime(tc.at), tc.entropy)
		got, err := domain.NewTaskID(tc.at, bytes.NewReader(tc.entropy))
		if err != nil || got != tc.want {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%q, %v", got, err), Want: rule.Textf("%q, <nil>", tc.want), Why: "48 bits of milliseconds, then 80 bits of entropy, most significant bit first: the format every ULID library reads."})
		}
		if parsed, err := domain.ParseTaskID(string(got)); err != nil || parsed != got {
			rule.Broken(t, rule.Case{Do: fmt.Sprintf("ParseTaskID(%q)", got), Got: rule.Textf("%q, %v", parsed, err), Want: rule.Textf("%q, <nil>", got)})
		}
	}

	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		early := time.UnixMilli(random.Int64N(1<<48 - 1))
		late := early.Add(time.Duration(1+random.Int64N(min(1<<40, 1<<48-1-early.UnixMilli()))) * time.Millisecond)
		first, err1 := domain.NewTaskID(early, bytes.NewReader(high))
		second, err2 := domain.NewTaskID(late, bytes.NewReader(low))
		if err1 != nil || err2 != nil || first >= second {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("// seed %d\nNewTaskID(%s, ones)\nNewTaskID(%s, zeros)", seed, m01aTime(early), m01aTime(late)),
				Got:  rule.Textf("%q, %v\n%q, %v", first, err1, second, err2),
				Want: rule.Text("the first id below the second"),
				Why:  "The id is the page key: listing by id is listing by age, without a second index.",
			})
		}
	}

	for _, at := range []time.Time{{}, time.UnixMilli(-1), time.UnixMilli(0).Add(-time.Nanosecond), time.UnixMilli(1 << 48)} {
		if id, err := domain.NewTaskID(at, bytes.NewReader(low)); !errors.Is(err, domain.ErrBadID) || id != "" {
			rule.Broken(t, rule.Case{Do: fmt.Sprintf("NewTaskID(%s, entropy)", m01aTime(at)), Got: rule.Textf("%q, %v", id, err), Want: rule.Text(`"", ErrBadID`), Why: "A time that does not fit wraps around and sorts among the others."})
		}
	}
}

func TestIDSameMillisecondUnique(t *testing.T) {
	const ids = 20_000
	entropy := rand.NewChaCha8([32]byte([]byte("the seed of this test, 32 bytes.")))
	seen := make(map[domain.TaskID]bool, ids)
	for range ids {
		id, err := domain.NewTaskID(m01aCreated, entropy)
		if err != nil || seen[id] {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("for range %d {\n\tid, err := NewTaskID(at, entropy)\n}", ids),
				Got:  rule.Textf("%q, %v after %d ids", id, err, len(seen)),
				Want: rule.Text("a new id each time"),
				Why:  "A bulk import makes thousands of tasks in one millisecond. All 80 bits of the entropy must count.",
			})
		}
		seen[id] = true
	}

	ten := []byte("0123456789")
	whole, errWhole := domain.NewTaskID(m01aCreated, bytes.NewReader(ten))
	bits, errBits := domain.NewTaskID(m01aCreated, iotest.OneByteReader(bytes.NewReader(ten)))
	if errWhole != nil || errBits != nil || whole != bits {
		rule.Broken(t, rule.Case{
			Do:   "NewTaskID(at, iotest.OneByteReader(entropy))",
			Got:  rule.Textf("%q, %v", bits, errBits),
			Want: rule.Textf("%q, <nil>", whole),
			Why:  "A Read may return fewer bytes than it was asked for. What is left at zero is the same in every id.",
		})
	}

	broken := errors.New("no entropy left")
	for _, tc := range []struct {
		name    string
		entropy io.Reader
		want    error
	}{
		{"a reader that fails", iotest.ErrReader(broken), broken},
		{"a reader that fails after 9 bytes", io.MultiReader(bytes.NewReader(ten[:9]), iotest.ErrReader(broken)), broken},
		{"an empty reader", bytes.NewReader(nil), io.EOF},
		{"a reader of 9 bytes", bytes.NewReader(ten[:9]), io.ErrUnexpectedEOF},
	} {
		id, err := domain.NewTaskID(m01aCreated, tc.entropy)
		if !errors.Is(err, tc.want) || id != "" {
			rule.Broken(t, rule.Case{
				Do: "NewTaskID(at, entropy) // " + tc.name, Got: rule.Textf("%q, %v", id, err), Want: rule.Textf(`"", an error that wraps %q`, tc.want),
				Why: "An id of zeros is worse than no id: the next one is the same.",
			})
		}
	}
}

func TestParseRejectsForeignPrefix(t *testing.T) {
	const ulid = "01kjpypefv000g40r40m30e209"
	if got, err := domain.ParseTaskID("tsk_" + ulid); err != nil || got != "tsk_"+ulid {
		rule.Broken(t, rule.Case{Do: fmt.Sprintf("ParseTaskID(%q)", "tsk_"+ulid), Got: rule.Textf("%q, %v", got, err), Want: rule.Textf("%q, <nil>", "tsk_"+ulid)})
	}
	for _, s := range []string{
		"",
		"tsk_",
		ulid,
		"usr_" + ulid,
		"prj_" + ulid,
		"TSK_" + ulid,
		"tsk-" + ulid,
		"tsk_tsk_" + ulid,
		" tsk_" + ulid,
		"tsk_" + ulid + "\n",
		"tsk_" + ulid[1:],
		"tsk_" + ulid + "0",
		"tsk_" + strings.ToUpper(ulid),
		"tsk_" + ulid[:25] + "i",
		"tsk_" + ulid[:25] + "l",
		"tsk_" + ulid[:25] + "o",
		"tsk_" + ulid[:12] + "u" + ulid[13:],
		"tsk_" + ulid[:12] + "-" + ulid[13:],
		"tsk_" + ulid[:24] + "é",
		"tsk_8" + strings.Repeat("0", 25),
		"tsk_" + strings.Repeat("z", 26),
	} {
		id, err := domain.ParseTaskID(s)
		if !errors.Is(err, domain.ErrBadID) || id != "" {
			rule.Broken(t, rule.Case{
				Do: fmt.Sprintf("ParseTaskID(%q)", s), Got: rule.Textf("%q, %v", id, err), Want: rule.Text(`"", ErrBadID`),
				Why: "The id of a user in the place of a task is a mistake to catch at the door, and an id with two spellings is two cache entries.",
			})
		}
		if task, err := domain.NewTask(domain.TaskID(s), m01aOwner, "Write the report", m01aCreated); !errors.Is(err, domain.ErrBadID) || task != nil {
			rule.Broken(t, rule.Case{Do: fmt.Sprintf("NewTask(%q, owner, title, at)", s), Got: m01aShow(err), Want: rule.Text("no task and ErrBadID")})
		}
	}
	_, err := domain.ParseTaskID(strings.Repeat("x", 1<<20))
	if !errors.Is(err, domain.ErrBadID) || len(err.Error()) > 1024 {
		rule.Broken(t, rule.Case{Do: `_, err := ParseTaskID(strings.Repeat("x", 1<<20))`, Got: rule.Textf("an error of %d bytes", len(fmt.Sprint(err))), Want: rule.Text("ErrBadID in at most 1024 bytes"), Why: "The text comes from a URL. Whoever sends a megabyte must not fill the log with it."})
	}
}

func TestExpireOnlyActive(t *testing.T) {
	const grace = 24 * time.Hour
	limit := m01aDue.Add(grace)
	for _, tc := range []struct {
		name   string
		status domain.Status
		noDue  bool
		now    time.Time
		grace  time.Duration
		want   bool
	}{
		{name: "todo", status: domain.StatusTodo, now: limit.Add(time.Microsecond), grace: grace, want: true},
		{name: "in progress", status: domain.StatusInProgress, now: limit.Add(time.Microsecond), grace: grace, want: true},
		{name: "blocked", status: domain.StatusBlocked, now: limit.Add(time.Microsecond), grace: grace, want: true},
		{name: "done", status: domain.StatusDone, now: limit.AddDate(1, 0, 0), grace: grace},
		{name: "cancelled", status: domain.StatusCancelled, now: limit.AddDate(1, 0, 0), grace: grace},
		{name: "expired", status: domain.StatusExpired, now: limit.AddDate(1, 0, 0), grace: grace},
		{name: "todo, without a due time", status: domain.StatusTodo, noDue: true, now: limit.AddDate(1, 0, 0), grace: grace},
		{name: "todo, exactly when the grace ends", status: domain.StatusTodo, now: limit, grace: grace},
		{name: "todo, 999 ns after the grace ends", status: domain.StatusTodo, now: limit.Add(999), grace: grace},
		{name: "todo, before it is due", status: domain.StatusTodo, now: m01aDue.Add(-time.Hour), grace: grace},
		{name: "todo, no grace", status: domain.StatusTodo, now: m01aDue.Add(time.Microsecond), want: true},
		{name: "todo, no grace, exactly when due", status: domain.StatusTodo, now: m01aDue},
		{name: "todo, negative grace, before it is due", status: domain.StatusTodo, now: m01aDue.Add(-time.Minute), grace: -time.Hour},
		{name: "todo, endless grace", status: domain.StatusTodo, now: limit.AddDate(100, 0, 0), grace: math.MaxInt64},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := m01aState(tc.status)
			if tc.noDue {
				before.DueAt = nil
			}
			task := m01aRestore(t, before)
			do := fmt.Sprintf("task.Expire(now, %v) // %s", tc.grace, tc.name)

			got := task.Expire(tc.now, tc.grace)

			if got != tc.want {
				rule.Broken(t, rule.Case{Do: do, Got: got, Want: tc.want, Why: "Only active tasks expire, and only when now is more than grace after the due time. The sweeper runs every minute over everybody's tasks."})
			}
			if !tc.want {
				m01aSame(t, do, before, task.State(), "A task that did not expire has not changed.")
				return
			}
			after := before
			after.Status, after.Version, after.UpdatedAt = domain.StatusExpired, before.Version+1, tc.now
			m01aSame(t, do, after, task.State(), "Expiring is one change like any other.")
			if task.Expire(tc.now.Add(time.Hour), tc.grace) {
				rule.Broken(t, rule.Case{Do: do + "\ntask.Expire(later, grace) // again", Got: true, Want: false, Why: "Each true becomes an e-mail. A task expires once."})
			}
			m01aSame(t, do+"\ntask.Expire(later, grace) // again", after, task.State(), "A task that did not expire has not changed.")
		})
	}
}

func TestNoJSONTags(t *testing.T) {
	task := m01aNew(t)
	const why = "The wire format belongs to the HTTP layer and the columns to the store. A tag here lets a renamed column break the API."
	for _, v := range []any{task, task.State(), m01aID, m01aOwner, domain.ProjectID("p"), domain.StatusTodo, domain.PriorityLow} {
		typ := reflect.TypeOf(v)
		switch v.(type) {
		case json.Marshaler, encoding.TextMarshaler:
			rule.Broken(t, rule.Case{Do: fmt.Sprintf("var _ json.Marshaler = %T(...)", v), Got: rule.Text("compiles"), Want: rule.Textf("%v does not encode itself", typ), Why: why})
		}
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			continue
		}
		for field := range typ.Fields() {
			if field.Tag != "" {
				rule.Broken(t, rule.Case{Do: fmt.Sprintf("the field %s of %v", field.Name, typ), Got: rule.Textf("has the tag `%s`", field.Tag), Want: rule.Text("no tag"), Why: why})
			}
			if typ == reflect.TypeFor[domain.Task]() && field.IsExported() {
				rule.Broken(t, rule.Case{Do: fmt.Sprintf("the field %s of Task", field.Name), Got: rule.Text("exported"), Want: rule.Text("private"), Why: "Whoever can write to a field can break every rule of this package."})
			}
		}
	}
}

func m01aNew(t *testing.T) *domain.Task {
	t.Helper()
	task, err := domain.NewTask(m01aID, m01aOwner, "Write the report", m01aCreated)
	const do = `task, err := NewTask("` + string(m01aID) + `", "` + string(m01aOwner) + `", "Write the report", at)`
	if err != nil || task == nil {
		rule.Broken(t, rule.Case{Do: do, Got: m01aShow(err), Want: rule.Text("a task and nil")})
	}
	m01aSame(t, do, domain.TaskState{
		ID:        m01aID,
		Owner:     m01aOwner,
		Title:     "Write the report",
		Status:    domain.StatusTodo,
		Priority:  domain.PriorityNormal,
		Version:   1,
		CreatedAt: m01aCreated,
		UpdatedAt: m01aCreated,
	}, task.State(), "A new task is to do, of normal priority, and at version 1.")
	return task
}

func m01aRestore(t *testing.T, s domain.TaskState) *domain.Task {
	t.Helper()
	task, err := domain.Restore(s)
	if err != nil || task == nil {
		rule.Broken(t, rule.Case{Do: fmt.Sprintf("task, err := Restore(TaskState{Status: Status(%d), ...}) // a valid task", uint8(s.Status)), Got: m01aShow(err), Want: rule.Text("a task and nil")})
	}
	return task
}

// m01aState is a task in normal form, with every field set that status allows.
func m01aState(status domain.Status) domain.TaskState {
	s := domain.TaskState{
		ID:          m01aID,
		Owner:       m01aOwner,
		Project:     "prj_course",
		Assignee:    "usr_bob",
		Title:       "Write the report",
		Description: "With numbers.",
		Status:      status,
		Priority:    domain.PriorityUrgent,
		Labels:      []string{"billing", "ops"},
		DueAt:       new(m01aDue),
		Version:     41,
		CreatedAt:   m01aCreated,
		UpdatedAt:   m01aUpdated,
	}
	if status == domain.StatusDone {
		s.CompletedAt = new(m01aUpdated)
	}
	return s
}

// m01aSame compares two states. Nil and empty labels are the same to it.
func m01aSame(t *testing.T, do string, want, got domain.TaskState, why string) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Text("another state (-want +got):\n" + diff), Want: rule.Text("no difference"), Why: why})
	}
}

// m01aRefuses demands a *FieldError.
func m01aRefuses(t *testing.T, do string, err error, field string, code domain.Code) {
	t.Helper()
	want := domain.FieldError{Field: field, Code: code}
	if got, ok := errors.AsType[*domain.FieldError](err); !ok || *got != want {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  m01aShow(err),
			Want: rule.Textf("*FieldError %+v", want),
			Why:  "The API tells the client which field is wrong and why, and it knows it from this error.",
		})
	}
}

func m01aShow(err error) rule.Text {
	if err == nil {
		return "no error"
	}
	return rule.Textf("%T %q", err, err.Error())
}

func m01aTime(at time.Time) string { return fmt.Sprintf("time.UnixMilli(%d)", at.UnixMilli()) }

// m01aQuote returns s as Go code, short if s is a repetition.
func m01aQuote(s string) string {
	runes := []rune(s)
	for size := 1; size <= 2 && len(runes) > 40; size++ {
		unit := string(runes[:size])
		if n := len(s) / len(unit); strings.Repeat(unit, n) == s {
			return fmt.Sprintf("strings.Repeat(%+q, %d)", unit, n)
		}
	}
	return fmt.Sprintf("%q", s)
}
