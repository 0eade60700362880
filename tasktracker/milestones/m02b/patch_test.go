package m02b_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
)

func TestPatch_AbsentNullValue(t *testing.T) {
	due := now.Add(time.Hour)
	for _, tc := range []struct {
		do     string
		p      app.Patch
		change func(s *domain.TaskState)
	}{
		{"Patch{}", app.Patch{}, func(*domain.TaskState) {}},
		{"Patch{Description: Null[string]()}", app.Patch{Description: app.Null[string]()}, func(s *domain.TaskState) { s.Description = "" }},
		{`Patch{Description: Some("")}`, app.Patch{Description: app.Some("")}, func(s *domain.TaskState) { s.Description = "" }},
		{`Patch{Description: Some("Today.")}`, app.Patch{Description: app.Some("Today.")}, func(s *domain.TaskState) { s.Description = "Today." }},
		{"Patch{Assignee: Null[string]()}", app.Patch{Assignee: app.Null[string]()}, func(s *domain.TaskState) { s.Assignee = "" }},
		{`Patch{Assignee: Some("")}`, app.Patch{Assignee: app.Some("")}, func(s *domain.TaskState) { s.Assignee = "" }},
		{`Patch{Assignee: Some("usr_eve")}`, app.Patch{Assignee: app.Some("usr_eve")}, func(s *domain.TaskState) { s.Assignee = "usr_eve" }},
		{"Patch{Labels: Null[[]string]()}", app.Patch{Labels: app.Null[[]string]()}, func(s *domain.TaskState) { s.Labels = nil }},
		{"Patch{Labels: Some([]string{})}", app.Patch{Labels: app.Some([]string{})}, func(s *domain.TaskState) { s.Labels = nil }},
		{`Patch{Labels: Some([]string{"Api"})}`, app.Patch{Labels: app.Some([]string{"Api"})}, func(s *domain.TaskState) { s.Labels = []string{"api"} }},
		{"Patch{DueAt: Null[time.Time]()}", app.Patch{DueAt: app.Null[time.Time]()}, func(s *domain.TaskState) { s.DueAt = nil }},
		{"Patch{DueAt: Some(inAnHour)}", app.Patch{DueAt: app.Some(due)}, func(s *domain.TaskState) { s.DueAt = &due }},
		{
			`Patch{Title: Some("Ship it"), Labels: Null[[]string]()}`, app.Patch{Title: app.Some("Ship it"), Labels: app.Null[[]string]()},
			func(s *domain.TaskState) { s.Title, s.Labels = "Ship it", nil },
		},
	} {
		tasks, _, _ := open()
		s := create(t, tasks)
		want := s
		tc.change(&want)
		do := `task, err := tasks.Update(ctx, "usr_ada", id, version, ` + tc.do + ")"
		const why = "Absent is hands off, null is take it away. Who mixes them up keeps a due date for ever, or loses one that nobody has touched."
		task, err := tasks.Update(t.Context(), ada, s.ID, s.Version, tc.p)
		same(t, do, why, want, task, err)
		task, err = tasks.Get(t.Context(), ada, s.ID)
		same(t, do+"\ntask, err = tasks.Get(ctx, \"usr_ada\", id)", why, want, task, err)
	}
}

func TestPatch_NullTitleRejected(t *testing.T) {
	for _, tc := range []struct {
		do, want string
		p        app.Patch
	}{
		{"Patch{Title: Null[string]()}", "title required", app.Patch{Title: app.Null[string]()}},
		{"Patch{Priority: Null[string]()}", "priority required", app.Patch{Priority: app.Null[string]()}},
	} {
		const why = "Every task has a title and a priority. There is no value that null could mean."
		expect(t, "err := "+tc.do+".Validate(now)", tc.p.Validate(now), why, tc.want)
		tasks, _, _ := open()
		s := create(t, tasks)
		_, err := tasks.Update(t.Context(), ada, s.ID, s.Version, tc.p)
		expect(t, `_, err := tasks.Update(ctx, "usr_ada", id, version, `+tc.do+")", err, why, tc.want)
		task, err := tasks.Get(t.Context(), ada, s.ID)
		if err != nil || !cmp.Equal(task.State(), s) {
			rule.Broken(t, rule.Case{Do: "tasks.Update(ctx, \"usr_ada\", id, version, " + tc.do + ")", Got: rule.Text("the task has changed"), Want: rule.Text("a refused patch changes nothing")})
		}
	}
}

func TestErrors_EndToEnd(t *testing.T) {
	past := now.Add(-time.Hour)
	in := app.CreateTask{Title: "\u200b", Priority: "asap", Labels: []string{"a", "!"}, DueAt: &past}
	patch := app.Patch{Title: app.Null[string](), Assignee: app.Some("usr bob")}
	for _, tc := range []struct {
		do   string
		call func(*app.Tasks) error
		want []string
	}{
		{
			`_, err := tasks.Create(ctx, "usr_ada", CreateTask{Title: "\u200b", Priority: "asap", Labels: []string{"a", "!"}, DueAt: &anHourAgo})`,
			func(tasks *app.Tasks) error { _, err := tasks.Create(t.Context(), ada, in); return err },
			[]string{"due_at too_early", "labels[1] bad_format", "priority unknown_value", "title required"},
		},
		{
			`_, err := tasks.Update(ctx, "usr_ada", noSuchID, 1, Patch{Title: Null[string](), Assignee: Some("usr bob")})`,
			func(tasks *app.Tasks) error { _, err := tasks.Update(t.Context(), ada, idAt(99), 1, patch); return err },
			[]string{"assignee_id bad_format", "title required"},
		},
	} {
		tasks, repo, d := open()
		err := tc.call(tasks)
		expect(t, tc.do, err, "What Validate has found is the answer to the client: all of it.", tc.want...)
		if repo.calls > 0 || d.made > 0 || d.events > 0 {
			rule.Broken(t, rule.Case{
				Do: tc.do, Got: rule.Textf("%d calls of the repository, %d ids, %d events", repo.calls, d.made, d.events), Want: rule.Text("none"),
				Why: "What is wrong in itself is refused without a query.",
			})
		}
		outer := fmt.Errorf("POST /v1/tasks: %w", err)
		if kind, fields := errs.KindOf(outer), errs.FieldErrors(outer); kind != errs.Invalid || len(fields) != len(tc.want) || errs.Retryable(outer) {
			rule.Broken(t, rule.Case{
				Do:   tc.do + "\nerr = fmt.Errorf(\"POST /v1/tasks: %w\", err)",
				Got:  rule.Textf("kind %q, %d fields, retryable %v", kind, len(fields), errs.Retryable(outer)),
				Want: rule.Textf("kind %q, %d fields, retryable false", errs.Invalid, len(tc.want)),
				Why:  "The handler in week 8 makes its response of kind and fields. A step in between must not swallow them.",
			})
		}
	}
}
