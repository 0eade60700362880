package m02a_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
)

func TestApp_NilPortsPanicAtConstruction(t *testing.T) {
	w := newWorld()
	for _, tc := range []struct {
		name string
		call func() *app.Tasks
	}{
		{"NewTasks(nil, clock, ids, events)", func() *app.Tasks { return app.NewTasks(nil, w, w, w) }},
		{"NewTasks(repo, nil, ids, events)", func() *app.Tasks { return app.NewTasks(w, nil, w, w) }},
		{"NewTasks(repo, clock, nil, events)", func() *app.Tasks { return app.NewTasks(w, w, nil, w) }},
		{"NewTasks(repo, clock, ids, nil)", func() *app.Tasks { return app.NewTasks(w, w, w, nil) }},
	} {
		if !panics(tc.call) {
			rule.Broken(t, rule.Case{
				Do: tc.name, Got: rule.Text("a service"), Want: rule.Text("a panic"),
				Why: "A port that was forgotten must stop the deploy, and not the first user who needs it.",
			})
		}
	}
	if panics(w.service) {
		rule.Broken(t, rule.Case{Do: "NewTasks(repo, clock, ids, events)", Got: rule.Text("a panic"), Want: rule.Text("a service")})
	}
}

func panics(f func() *app.Tasks) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	f()
	return false
}

func TestApp_Create(t *testing.T) {
	due := now.Add(24 * time.Hour)
	for _, tc := range []struct {
		name, do string
		in       app.CreateTask
		want     domain.TaskState
	}{
		{
			"a title only", `CreateTask{Title: "  Write the report "}`,
			app.CreateTask{Title: "  Write the report "},
			domain.TaskState{Title: "Write the report", Priority: domain.PriorityNormal},
		},
		{
			"everything", `CreateTask{Title: "Ship it", Description: "Today.", Priority: "urgent", Labels: []string{"Ops", "api", "ops"}, DueAt: &tomorrow}`,
			app.CreateTask{Title: "Ship it", Description: "Today.", Priority: "urgent", Labels: []string{"Ops", "api", "ops"}, DueAt: &due},
			domain.TaskState{Title: "Ship it", Description: "Today.", Priority: domain.PriorityUrgent, Labels: []string{"api", "ops"}, DueAt: &due},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld()
			do := `task, err := tasks.Create(ctx, "usr_ada", ` + tc.do + `)`
			want := tc.want
			want.ID, want.Owner, want.Status, want.Version = idAt(1), ada, domain.StatusTodo, 1
			want.CreatedAt, want.UpdatedAt = now, now

			task, err := w.service().Create(t.Context(), ada, tc.in)

			same(t, do, want, task, err)
			same(t, do+"\nstored, err := repo.Get(ctx, \"usr_ada\", id)", want, w.stored(want.ID), nil)
		})
	}
}

func TestApp_Get(t *testing.T) {
	w := newWorld()
	s := w.put(t, nil)
	task, err := w.service().Get(t.Context(), ada, s.ID)
	same(t, `task, err := tasks.Get(ctx, "usr_ada", id)`, s, task, err)

	task, err = w.service().Get(t.Context(), bob, s.ID)
	fails(t, `task, err := tasks.Get(ctx, "usr_bob", id) // the task is of usr_ada`, task, err, errs.NotFound,
		"Whether somebody else's task exists is nobody's business.")
}

func TestApp_Update(t *testing.T) {
	due := now.Add(24 * time.Hour)
	for _, tc := range []struct {
		name, do string
		patch    app.Patch
		change   func(s *domain.TaskState)
	}{
		{"title", `Patch{Title: Some(" Ship it ")}`, app.Patch{Title: app.Some(" Ship it ")},
			func(s *domain.TaskState) { s.Title = "Ship it" }},
		{"description", `Patch{Description: Some("Today.")}`, app.Patch{Description: app.Some("Today.")},
			func(s *domain.TaskState) { s.Description = "Today." }},
		{"priority", `Patch{Priority: Some("high")}`, app.Patch{Priority: app.Some("high")},
			func(s *domain.TaskState) { s.Priority = domain.PriorityHigh }},
		{"assignee", `Patch{Assignee: Some("usr_bob")}`, app.Patch{Assignee: app.Some("usr_bob")},
			func(s *domain.TaskState) { s.Assignee = bob }},
		{"labels", `Patch{Labels: Some([]string{"ops", "api"})}`, app.Patch{Labels: app.Some([]string{"ops", "api"})},
			func(s *domain.TaskState) { s.Labels = []string{"api", "ops"} }},
		{"due time", `Patch{DueAt: Some(tomorrow)}`, app.Patch{DueAt: app.Some(due)},
			func(s *domain.TaskState) { s.DueAt = &due }},
		{"everything", `Patch{Title: Some("Ship it"), Description: Some("Today."), Priority: Some("low"), Assignee: Some("usr_bob"), Labels: Some([]string{"ops"}), DueAt: Some(tomorrow)}`,
			app.Patch{
				Title: app.Some("Ship it"), Description: app.Some("Today."), Priority: app.Some("low"),
				Assignee: app.Some("usr_bob"), Labels: app.Some([]string{"ops"}), DueAt: app.Some(due),
			},
			func(s *domain.TaskState) {
				s.Title, s.Description, s.Priority = "Ship it", "Today.", domain.PriorityLow
				s.Assignee, s.Labels, s.DueAt = bob, []string{"ops"}, &due
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld()
			before := w.put(t, nil)
			want := before
			tc.change(&want)
			want.UpdatedAt = now
			do := `task, err := tasks.Update(ctx, "usr_ada", id, 3, ` + tc.do + `) // the task has version 3`

			task, err := w.service().Update(t.Context(), ada, before.ID, 3, tc.patch)

			if err == nil && task != nil {
				want.Version = task.State().Version // one more for each call of a method of the task
			}
			same(t, do, want, task, err)
			same(t, do+"\nstored, err := repo.Get(ctx, \"usr_ada\", id)", want, w.stored(before.ID), nil)
			if want.Version <= 3 {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("version %d", want.Version), Want: rule.Text("a greater version than 3"),
					Why: "A change without a new version is invisible to the next writer, who overwrites it.",
				})
			}
		})
	}
}

func TestApp_NoChangeNoSave(t *testing.T) {
	w := newWorld()
	before := w.put(t, nil)
	for _, tc := range []struct {
		do    string
		patch app.Patch
	}{
		{`Patch{}`, app.Patch{}},
		{`Patch{Title: Some(" Write the report"), Priority: Some("normal")}`, app.Patch{Title: app.Some(" Write the report"), Priority: app.Some("normal")}},
	} {
		do := `task, err := tasks.Update(ctx, "usr_ada", id, 3, ` + tc.do + `) // "Write the report", normal, version 3`
		w.calls = nil
		task, err := w.service().Update(t.Context(), ada, before.ID, 3, tc.patch)
		same(t, do, before, task, err)
		if w.count("Save")+w.count("Publish") > 0 {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Text(list(w.calls)), Want: rule.Text("Get"),
				Why: "A client that sends the same form twice would wake everybody who listens, for nothing.",
			})
		}
	}
}

func TestApp_Transition(t *testing.T) {
	w := newWorld()
	before := w.put(t, nil)
	want := before
	want.Status, want.Version, want.UpdatedAt = domain.StatusInProgress, 4, now
	const do = `task, err := tasks.Transition(ctx, "usr_ada", id, StatusInProgress)`

	task, err := w.service().Transition(t.Context(), ada, before.ID, domain.StatusInProgress)

	same(t, do, want, task, err)
	same(t, do+"\nstored, err := repo.Get(ctx, \"usr_ada\", id)", want, w.stored(before.ID), nil)
}

func TestApp_Delete(t *testing.T) {
	for _, tc := range []struct {
		expected uint64
		gone     bool
	}{{3, true}, {0, true}, {2, false}} {
		t.Run(fmt.Sprintf("expected %d", tc.expected), func(t *testing.T) {
			w := newWorld()
			s := w.put(t, nil)
			do := fmt.Sprintf(`err := tasks.Delete(ctx, "usr_ada", id, %d) // the task has version 3`, tc.expected)
			err := w.service().Delete(t.Context(), ada, s.ID, tc.expected)
			if _, there := w.tasks[s.ID]; there == tc.gone || (err == nil) != tc.gone {
				rule.Broken(t, rule.Case{
					Do:   do,
					Got:  rule.Textf("%v, the task is there: %v", err, there),
					Want: rule.Textf("success: %v, the task is there: %v", tc.gone, !tc.gone),
					Why:  "Who deletes a version that he has not seen deletes somebody else's work; 0 says that he does not care.",
				})
			}
			if !tc.gone {
				fails(t, do, nil, err, errs.Conflict, "The client must learn that the task is another one by now.")
			}
		})
	}
}

func TestApp_ListPages(t *testing.T) {
	for _, tc := range []struct {
		tasks, limit int
		want         []int // sizes of the pages
	}{
		{0, 0, []int{0}},
		{1, 0, []int{1}},
		{20, 0, []int{20}},
		{45, 0, []int{20, 20, 5}},
		{4, 2, []int{2, 2}},
		{3, 1, []int{1, 1, 1}},
		{101, 100, []int{100, 1}},
	} {
		t.Run(fmt.Sprintf("%d tasks by %d", tc.tasks, tc.limit), func(t *testing.T) {
			w := newWorld()
			var want []domain.TaskID
			for range tc.tasks {
				want = append(want, w.put(t, nil).ID)
			}
			do := fmt.Sprintf("q := TaskQuery{Limit: %d} // usr_ada has %d tasks\npage, err := tasks.List(ctx, \"usr_ada\", q)\nq.After = page.Next // and so on, until it is zero", tc.limit, tc.tasks)
			var sizes []int
			var got []domain.TaskID
			for q := (domain.TaskQuery{Limit: tc.limit}); ; {
				page, err := w.service().List(t.Context(), ada, q)
				if err != nil || len(sizes) > len(tc.want) {
					rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("pages of %v, then %v", sizes, orMore(err)), Want: rule.Textf("pages of %v", tc.want)})
				}
				sizes = append(sizes, len(page.Tasks))
				for _, task := range page.Tasks {
					got = append(got, task.State().ID)
				}
				if q.After = page.Next; q.After.IsZero() {
					break
				}
			}
			if !cmp.Equal(sizes, tc.want) || !cmp.Equal(got, want) {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("pages of %v", sizes), Want: rule.Textf("pages of %v, every task once", tc.want),
					Why: "A reader follows the pages to the end. A last page that is empty costs a query, and one that is missing hides tasks.",
				})
			}
		})
	}
}

func orMore(err error) any {
	if err == nil {
		return "another one"
	}
	return err
}

func TestApp_ListIsTheActors(t *testing.T) {
	w := newWorld()
	mine := w.put(t, func(s *domain.TaskState) { s.Status = domain.StatusBlocked })
	w.put(t, nil)
	w.put(t, func(s *domain.TaskState) { s.Owner, s.Status = bob, domain.StatusBlocked })
	q := domain.TaskQuery{Owner: bob, Statuses: []domain.Status{domain.StatusBlocked}, Sort: domain.Sort{Field: domain.SortDue, Desc: true}}
	const do = `page, err := tasks.List(ctx, "usr_ada", TaskQuery{Owner: "usr_bob", Statuses: []Status{StatusBlocked}, Sort: Sort{SortDue, true}})`

	page, err := w.service().List(t.Context(), ada, q)

	if err != nil || len(page.Tasks) != 1 {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("%d tasks, error: %v", len(page.Tasks), err), Want: rule.Text("the blocked task of usr_ada"),
			Why: "The owner in a query is what somebody wrote into a URL. Who asks is known for sure.",
		})
	}
	same(t, do, mine, page.Tasks[0], nil)
	asked := w.asked[len(w.asked)-1]
	if asked.Sort != q.Sort {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("the store is asked for the order %+v", asked.Sort), Want: rule.Textf("%+v", q.Sort)})
	}
}

func TestApp_ListLimit(t *testing.T) {
	for _, limit := range []int{-1, 101, 1 << 40} {
		w := newWorld()
		w.put(t, nil)
		page, err := w.service().List(t.Context(), ada, domain.TaskQuery{Limit: limit})
		do := fmt.Sprintf(`page, err := tasks.List(ctx, "usr_ada", TaskQuery{Limit: %d})`, limit)
		fails(t, do, nil, err, errs.Invalid, "One request must not read the whole table.", "limit out_of_range")
		if len(page.Tasks) > 0 || len(w.calls) > 0 {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("%d tasks, calls of ports: %s", len(page.Tasks), list(w.calls)), Want: rule.Text("no tasks, no calls"),
			})
		}
	}
}

func (w *world) stored(id domain.TaskID) *domain.Task {
	task, err := domain.Restore(w.tasks[id])
	if err != nil {
		return nil
	}
	return task
}

// same compares a task that a use case has returned or stored.
func same(t *testing.T, do string, want domain.TaskState, task *domain.Task, err error) {
	t.Helper()
	if err != nil || task == nil {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("no task, error: %v", err), Want: rule.Text("a task")})
	}
	if diff := cmp.Diff(want, task.State(), cmpopts.EquateEmpty()); diff != "" {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Text("another state (-want +got)\n" + diff), Want: rule.Text("the lines with -"),
			Why: "The task that is returned, the one that is stored and the one that was asked for are one.",
		})
	}
}

// fails compares the error of a use case. The fields are as in "title required".
func fails(t *testing.T, do string, task *domain.Task, err error, kind errs.Kind, why string, fields ...string) {
	t.Helper()
	if err == nil {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Text("no error"), Want: rule.Textf("an error of the kind %q", kind), Why: why})
	}
	if got := errs.KindOf(err); got != kind {
		rule.Broken(t, rule.Case{
			Do:   do + "\nerrs.KindOf(err)",
			Got:  rule.Textf("%q, for the error %q", got, err),
			Want: rule.Textf("%q", kind),
			Why:  why,
		})
	}
	step, ok := errors.AsType[*errs.Error](err)
	if !ok || step.Op == "" {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("%T without an operation: %v", err, err), Want: rule.Text("an *errs.Error with the name of the use case as Op"),
			Why: "A line in the log that says only \"not found\" could be about anything.",
		})
	}
	if task != nil {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Text("a task beside the error"), Want: rule.Text("nil"), Why: "Who forgets to look at the error would go on with a task that is stored nowhere."})
	}
	var got []string
	for _, f := range errs.FieldErrors(err) {
		got = append(got, f.Field+" "+f.Code)
		if f.Message == "" {
			rule.Broken(t, rule.Case{Do: do + "\nerrs.FieldErrors(err)", Got: rule.Textf("%s %s without a message", f.Field, f.Code), Want: rule.Text("a message for people"), Why: "The code is for programs. Somebody reads the form."})
		}
	}
	if !cmp.Equal(got, fields, cmpopts.EquateEmpty()) {
		rule.Broken(t, rule.Case{
			Do: do + "\nerrs.FieldErrors(err)", Got: rule.Text(list(got)), Want: rule.Text(list(fields)),
			Why: "The form shows an error beside the field that it is about.",
		})
	}
}

var _ app.TaskRepository = (*world)(nil)

// must keeps what a test needs and is not about.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type key struct{}

func withValue(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, "tenant-7") }
