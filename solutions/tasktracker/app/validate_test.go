//course:since m02b

package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
)

// expectProblems compares field and code of what is wrong.
func expectProblems(t *testing.T, err error, want ...string) {
	t.Helper()
	var got []string
	for _, f := range errs.FieldErrors(err) {
		got = append(got, f.Field+" "+f.Code)
		if f.Message == "" {
			t.Errorf("%s %s has no message", f.Field, f.Code)
		}
	}
	if !slices.Equal(got, want) || (err == nil) != (len(want) == 0) {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}

func TestCreateTask_ValidateReportsEverything(t *testing.T) {
	yesterday := monday.Add(-24 * time.Hour)
	in := app.CreateTask{
		Title: "\u200b", Description: "\x00", Priority: "asap", Labels: []string{"b", "!", "a", strings.Repeat("A", 129)}, DueAt: &yesterday,
	}
	expectProblems(t, in.Validate(monday),
		"title required", "description bad_characters", "priority unknown_value", "labels[1] bad_format", "labels[3] bad_format", "due_at too_early")
}

func TestCreateTask_ValidateAcceptsTheLimits(t *testing.T) {
	in := app.CreateTask{
		Title:       "\ufeff" + strings.Repeat("é", 200) + " ",
		Description: strings.Repeat("é", 8000),
		Labels:      slices.Repeat([]string{strings.Repeat("a", 32)}, 17),
		DueAt:       &monday,
	}
	expectProblems(t, in.Validate(monday))
	expectProblems(t, in.Validate(time.Time{}))
}

func TestCreateTask_ValidateLimitsItsAnswer(t *testing.T) {
	in := app.CreateTask{Title: "Ship it", Labels: slices.Repeat([]string{"on call"}, 1000)}
	if n := len(errs.FieldErrors(in.Validate(monday))); n != 16 {
		t.Errorf("%d problems, want 16", n)
	}
}

func TestPatch_ValidateNull(t *testing.T) {
	p := app.Patch{
		Title: app.Null[string](), Description: app.Null[string](), Priority: app.Null[string](),
		Assignee: app.Null[string](), Labels: app.Null[[]string](), DueAt: app.Null[time.Time](),
	}
	expectProblems(t, p.Validate(monday), "title required", "priority required")
}

func TestPatch_ValidateValues(t *testing.T) {
	labels := strings.Split("abcdefghijklmnopq", "")
	p := app.Patch{
		Title: app.Some(strings.Repeat("é", 201)), Description: app.Some(""), Priority: app.Some(""),
		Assignee: app.Some("usr bob"), Labels: app.Some(labels), DueAt: app.Some(monday.AddDate(8000, 0, 0)),
	}
	expectProblems(t, p.Validate(monday), "title too_long", "priority unknown_value", "assignee_id bad_format", "labels too_many", "due_at too_late")
}

func TestTasks_InvalidInputReachesNoPort(t *testing.T) {
	p := newPorts()
	_, err := p.tasks().Create(t.Context(), ann, app.CreateTask{Priority: "asap"})
	expectProblems(t, err, "title required", "priority unknown_value")
	_, err = p.tasks().Update(t.Context(), ann, p.task.ID, 1, app.Patch{Title: app.Null[string]()})
	expectProblems(t, err, "title required")
	p.expectCalls(t)
}

func TestTasks_UpdateByNull(t *testing.T) {
	p := newPorts()
	p.task.DueAt, p.task.Labels, p.task.Assignee = &monday, []string{"ops"}, "usr_bob"
	task, err := p.tasks().Update(t.Context(), ann, p.task.ID, 1, app.Patch{
		Assignee: app.Null[string](), Labels: app.Null[[]string](), DueAt: app.Null[time.Time](),
	})
	if err != nil {
		t.Fatal(err)
	}
	if s := task.State(); s.DueAt != nil || len(s.Labels) > 0 || s.Assignee != "" {
		t.Errorf("got %+v", s)
	}
}

func TestTasks_UpdateThatOnlyTheTaskRefuses(t *testing.T) {
	p := newPorts()
	early := app.Patch{DueAt: app.Some(monday.Add(-time.Hour))}
	expectProblems(t, early.Validate(monday))
	_, err := p.tasks().Update(t.Context(), ann, p.task.ID, 1, early)
	expectProblems(t, err, "due_at "+string(domain.CodeTooEarly))
	p.expectCalls(t, "Get")
}
