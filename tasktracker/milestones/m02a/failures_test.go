package m02a_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
)

var (
	errDriver = errors.New(`dial tcp 10.0.3.7:5432: password "hunter2" refused for table tasks_07`)
	errBroker = errors.New("broker-3.internal: connection reset")
)

func TestApp_ErrorKinds(t *testing.T) {
	brokenRow := fmt.Errorf("task %s: %w", idAt(1), &domain.FieldError{Field: "title", Code: domain.CodeTooLong})
	ports := []struct {
		name string
		err  error
		kind errs.Kind
		why  string
	}{
		{"ErrNotFound", fmt.Errorf("tasks: %w", domain.ErrNotFound), errs.NotFound, "A client that hears of an internal error opens a ticket for a task that he has deleted himself."},
		{"ErrConflict", fmt.Errorf("tasks: %w", domain.ErrConflict), errs.Conflict, "The client can read the task again and decide. He must be told so."},
		{"ErrDuplicate", fmt.Errorf("tasks: %w", domain.ErrDuplicate), errs.Conflict, "What is taken is not a failure of the service."},
		{"Canceled", fmt.Errorf("query: %w", context.Canceled), errs.Canceled, "The client has gone. That wakes nobody at night."},
		{"DeadlineExceeded", fmt.Errorf("query: %w", context.DeadlineExceeded), errs.Timeout, "Another attempt may succeed."},
		{"Unavailable", errs.E("pool", errs.Unavailable, errDriver), errs.Unavailable, "The store knew what kind of failure it was. Nobody may forget that on the way."},
		{"driver", fmt.Errorf("query: %w", errDriver), errs.Internal, "What nobody can explain is a bug of the service until somebody has looked."},
		{"broken row", brokenRow, errs.Internal, "A row that breaks a rule of the domain was not sent by this client. He can repair nothing, and the operator would never hear of it."},
	}
	for _, op := range slices.Concat(reads, writes) {
		for _, method := range op.path {
			if method == "Publish" {
				continue // TestApp_EventFailureDoesNotLoseTask
			}
			for _, p := range ports {
				t.Run(op.name+" "+method+" "+p.name, func(t *testing.T) {
					w := newWorld()
					id := w.put(t, nil).ID
					w.fail[method] = p.err
					do := fmt.Sprintf("%s // %s returns %q", op.do, method, p.err)
					task, err := op.run(t.Context(), w.service(), id)
					fails(t, do, task, err, p.kind, p.why)
					if !errors.Is(err, p.err) {
						rule.Broken(t, rule.Case{
							Do: do, Got: rule.Textf("%v, which does not wrap the cause", err), Want: rule.Text("an error that wraps what the port returned"),
							Why: "The operator needs the cause in the log.",
						})
					}
				})
			}
		}
	}
	for _, tc := range []struct {
		name, do string
		call     func(ctx context.Context, s *app.Tasks, id domain.TaskID) (*domain.Task, error)
		kind     errs.Kind
		fields   []string
	}{
		{
			"a title of spaces", `task, err := tasks.Create(ctx, "usr_ada", CreateTask{Title: "  "})`,
			func(ctx context.Context, s *app.Tasks, _ domain.TaskID) (*domain.Task, error) {
				return s.Create(ctx, ada, app.CreateTask{Title: "  "})
			}, errs.Invalid, []string{"title required"},
		},
		{
			"a label with a space", `task, err := tasks.Create(ctx, "usr_ada", CreateTask{Title: "Ship it", Labels: []string{"ops", "on call"}})`,
			func(ctx context.Context, s *app.Tasks, _ domain.TaskID) (*domain.Task, error) {
				return s.Create(ctx, ada, app.CreateTask{Title: "Ship it", Labels: []string{"ops", "on call"}})
			}, errs.Invalid, []string{"labels[1] bad_format"},
		},
		{
			"a priority that is none", `task, err := tasks.Update(ctx, "usr_ada", id, 3, Patch{Priority: Some("asap")})`,
			func(ctx context.Context, s *app.Tasks, id domain.TaskID) (*domain.Task, error) {
				return s.Update(ctx, ada, id, 3, app.Patch{Priority: app.Some("asap")})
			}, errs.Invalid, []string{"priority unknown_value"},
		},
		{
			"created with a priority that is none", `task, err := tasks.Create(ctx, "usr_ada", CreateTask{Title: "Ship it", Priority: "asap"})`,
			func(ctx context.Context, s *app.Tasks, _ domain.TaskID) (*domain.Task, error) {
				return s.Create(ctx, ada, app.CreateTask{Title: "Ship it", Priority: "asap"})
			}, errs.Invalid, []string{"priority unknown_value"},
		},
		{
			"renamed to spaces", `task, err := tasks.Update(ctx, "usr_ada", id, 3, Patch{Title: Some("  ")})`,
			func(ctx context.Context, s *app.Tasks, id domain.TaskID) (*domain.Task, error) {
				return s.Update(ctx, ada, id, 3, app.Patch{Title: app.Some("  ")})
			}, errs.Invalid, []string{"title required"},
		},
		{
			"a description with a zero byte", `task, err := tasks.Update(ctx, "usr_ada", id, 3, Patch{Description: Some("\x00")})`,
			func(ctx context.Context, s *app.Tasks, id domain.TaskID) (*domain.Task, error) {
				return s.Update(ctx, ada, id, 3, app.Patch{Description: app.Some("\x00")})
			}, errs.Invalid, []string{"description bad_characters"},
		},
		{
			"a new label with a space", `task, err := tasks.Update(ctx, "usr_ada", id, 3, Patch{Labels: Some([]string{"ops", "on call"})})`,
			func(ctx context.Context, s *app.Tasks, id domain.TaskID) (*domain.Task, error) {
				return s.Update(ctx, ada, id, 3, app.Patch{Labels: app.Some([]string{"ops", "on call"})})
			}, errs.Invalid, []string{"labels[1] bad_format"},
		},
		{
			"an assignee with a space", `task, err := tasks.Update(ctx, "usr_ada", id, 3, Patch{Assignee: Some("usr bob")})`,
			func(ctx context.Context, s *app.Tasks, id domain.TaskID) (*domain.Task, error) {
				return s.Update(ctx, ada, id, 3, app.Patch{Assignee: app.Some("usr bob")})
			}, errs.Invalid, []string{"assignee_id bad_format"},
		},
		{
			"due before it was created", `task, err := tasks.Update(ctx, "usr_ada", id, 3, Patch{DueAt: Some(yesterday)}) // created an hour ago`,
			func(ctx context.Context, s *app.Tasks, id domain.TaskID) (*domain.Task, error) {
				return s.Update(ctx, ada, id, 3, app.Patch{DueAt: app.Some(now.Add(-24 * time.Hour))})
			}, errs.Invalid, []string{"due_at too_early"},
		},
		{
			"no such arrow", `task, err := tasks.Transition(ctx, "usr_ada", id, StatusDone) // from todo`,
			func(ctx context.Context, s *app.Tasks, id domain.TaskID) (*domain.Task, error) {
				return s.Transition(ctx, ada, id, domain.StatusDone)
			}, errs.Conflict, nil,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld()
			before := w.put(t, nil)
			task, err := tc.call(t.Context(), w.service(), before.ID)
			fails(t, tc.do, task, err, tc.kind, "The domain has said exactly what is wrong. The client has to hear it.", tc.fields...)
			if len(w.tasks) != 1 || !cmp.Equal(w.tasks[before.ID], before) {
				rule.Broken(t, rule.Case{Do: tc.do, Got: rule.Text("the store has changed"), Want: rule.Text("nothing is stored")})
			}
		})
	}
	t.Run("reopen an overdue task", func(t *testing.T) {
		w := newWorld()
		due := now.Add(-time.Minute)
		s := w.put(t, func(s *domain.TaskState) { s.Status, s.DueAt = domain.StatusExpired, &due })
		task, err := w.service().Transition(t.Context(), ada, s.ID, domain.StatusTodo)
		fails(t, `task, err := tasks.Transition(ctx, "usr_ada", id, StatusTodo) // expired, was due a minute ago`, task, err, errs.Invalid,
			"The client can repair this: with another due time.", "due_at too_early")
	})
}

func TestApp_InfraErrorNotInPublicMessage(t *testing.T) {
	for _, op := range slices.Concat(reads, writes) {
		for _, method := range op.path {
			t.Run(op.name+" "+method, func(t *testing.T) {
				w := newWorld()
				id := w.put(t, nil).ID
				w.fail[method] = errDriver
				do := fmt.Sprintf("%s // %s returns %q", op.do, method, errDriver)
				_, err := op.run(t.Context(), w.service(), id)
				if !errors.Is(err, errDriver) {
					rule.Broken(t, rule.Case{Do: do, Got: err, Want: rule.Text("an error that wraps what the port returned")})
				}
				public := errs.PublicMessage(err)
				for _, f := range errs.FieldErrors(err) {
					public += f.Message
				}
				if public == "" || leaks(public) {
					rule.Broken(t, rule.Case{
						Do: do + "\nerrs.PublicMessage(err)", Got: public, Want: rule.Text("a message without a word of the driver"),
						Why: "Addresses, names of tables and passwords in a response are the first page of an attacker's notes.",
					})
				}
			})
		}
	}
}

func leaks(message string) bool {
	return slices.ContainsFunc([]string{"10.0.3.7", "5432", "hunter2", "tasks_07", "dial"}, func(secret string) bool {
		return strings.Contains(message, secret)
	})
}

func TestApp_EventsAfterSuccessOnly(t *testing.T) {
	event := func(typ domain.EventType, id domain.TaskID, version uint64) domain.Event {
		return domain.Event{Type: typ, At: now, Actor: ada, Owner: ada, Task: id, Version: version}
	}
	const order = "An event about a change that is not stored yet is a lie if the store then refuses, and early if it does not."
	for _, tc := range []struct {
		operation
		event   domain.EventType
		version uint64
	}{
		{writes[0], domain.EventCreated, 1},
		{writes[1], domain.EventUpdated, 4},
		{writes[2], domain.EventTransitioned, 4},
		{writes[3], domain.EventDeleted, 3},
	} {
		write := tc.path[len(tc.path)-2]
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld()
			id := w.put(t, nil).ID
			if tc.name == "create" {
				id = idAt(2)
			}
			_, err := tc.run(t.Context(), w.service(), id)
			must(t, err)
			if !slices.Equal(w.calls, tc.path) {
				rule.Broken(t, rule.Case{Do: tc.do, Got: rule.Text("calls " + list(w.calls)), Want: rule.Text("calls " + list(tc.path)), Why: order})
			}
			if diff := cmp.Diff([]domain.Event{event(tc.event, id, tc.version)}, w.events); diff != "" {
				rule.Broken(t, rule.Case{
					Do: tc.do, Got: rule.Text("other events (-want +got)\n" + diff), Want: rule.Text("the lines with -"),
					Why: "Mails, statistics and other services see nothing of the task but this.",
				})
			}
		})
		t.Run(tc.name+" is not stored", func(t *testing.T) {
			w := newWorld()
			id := w.put(t, nil).ID
			w.fail[write] = errDriver
			_, err := tc.run(t.Context(), w.service(), id)
			if err == nil || len(w.events) > 0 {
				rule.Broken(t, rule.Case{
					Do: fmt.Sprintf("%s // %s fails", tc.do, write), Got: rule.Textf("events: %d, error: %v", len(w.events), err), Want: rule.Text("no event, an error"),
					Why: order,
				})
			}
		})
	}
	t.Run("assign", func(t *testing.T) {
		w := newWorld()
		s := w.put(t, nil)
		patch := app.Patch{Title: app.Some("Ship it"), Assignee: app.Some("usr_bob")}
		task, err := w.service().Update(t.Context(), ada, s.ID, 3, patch)
		must(t, err)
		version := task.State().Version
		want := []domain.Event{event(domain.EventUpdated, s.ID, version), event(domain.EventAssigned, s.ID, version)}
		if diff := cmp.Diff(want, w.events); diff != "" || w.count("Publish") != 1 {
			rule.Broken(t, rule.Case{
				Do:   `tasks.Update(ctx, "usr_ada", id, 3, Patch{Title: Some("Ship it"), Assignee: Some("usr_bob")})`,
				Got:  rule.Textf("%d calls of Publish; other events (-want +got)\n%s", w.count("Publish"), diff),
				Want: rule.Text("one call of Publish with task.updated, task.assigned"),
				Why:  "Between two calls the process can die: then the task has a new assignee who never gets his mail.",
			})
		}
	})
	t.Run("assign to the same", func(t *testing.T) {
		w := newWorld()
		s := w.put(t, func(s *domain.TaskState) { s.Assignee = bob })
		_, err := w.service().Update(t.Context(), ada, s.ID, 3, app.Patch{Title: app.Some("Ship it"), Assignee: app.Some("usr_bob")})
		must(t, err)
		if diff := cmp.Diff([]domain.Event{event(domain.EventUpdated, s.ID, 4)}, w.events); diff != "" {
			rule.Broken(t, rule.Case{
				Do:  `tasks.Update(ctx, "usr_ada", id, 3, Patch{Title: Some("Ship it"), Assignee: Some("usr_bob")}) // it is usr_bob already`,
				Got: rule.Text("other events (-want +got)\n" + diff), Want: rule.Text("the lines with -"),
				Why: "Who saves a form does not assign the task again.",
			})
		}
	})
}

func TestApp_EventFailureDoesNotLoseTask(t *testing.T) {
	for _, op := range writes {
		for name, cause := range map[string]error{
			"broker": errBroker, "deadline": context.DeadlineExceeded, "conflict": fmt.Errorf("broker: %w", domain.ErrConflict),
		} {
			t.Run(op.name+" "+name, func(t *testing.T) {
				w := newWorld()
				before := w.put(t, nil)
				w.fail["Publish"] = cause
				do := fmt.Sprintf("%s // Publish returns %q", op.do, cause)
				task, err := op.run(t.Context(), w.service(), before.ID)
				fails(t, do, task, err, errs.Unavailable, "The change is stored, and some have not heard of it. That is for the operator, and the client may ask again.")
				if !errors.Is(err, cause) {
					rule.Broken(t, rule.Case{Do: do, Got: err, Want: rule.Text("an error that wraps what the port returned")})
				}
				if !slices.Equal(w.calls, op.path) {
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Text("calls " + list(w.calls)), Want: rule.Text("calls " + list(op.path)),
						Why: "To take a change back is a change of its own: it can fail too, and others may have seen the first one already.",
					})
				}
			})
		}
	}
}

func TestApp_TransitionRetriesOnceOnConflict(t *testing.T) {
	const do = `task, err := tasks.Transition(ctx, "usr_ada", id, StatusInProgress) // `
	rename := func(n int) func(domain.TaskID, *domain.TaskState) {
		return func(_ domain.TaskID, s *domain.TaskState) { s.Title = fmt.Sprintf("Renamed %d", n) }
	}
	for _, tc := range []struct {
		name   string
		others []func(domain.TaskID, *domain.TaskState) // who comes before the 1st, 2nd, ... Save
		calls  []string
		kind   errs.Kind // Internal: success
		fields []string
	}{
		{"once", []func(domain.TaskID, *domain.TaskState){rename(1)}, []string{"Get", "Save", "Get", "Save", "Publish"}, errs.Internal, nil},
		{"twice", []func(domain.TaskID, *domain.TaskState){rename(1), rename(2)}, []string{"Get", "Save", "Get", "Save"}, errs.Conflict, nil},
		{"cancelled meanwhile", []func(domain.TaskID, *domain.TaskState){
			func(_ domain.TaskID, s *domain.TaskState) { s.Status = domain.StatusCancelled },
		}, []string{"Get", "Save", "Get"}, errs.Conflict, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld()
			s := w.put(t, nil)
			others := tc.others
			w.write = func(id domain.TaskID, s *domain.TaskState) {
				others[0](id, s)
				if others = others[1:]; len(others) == 0 {
					w.write = nil
				}
			}
			do := fmt.Sprintf("%sanother writer is faster: %s", do, tc.name)
			task, err := w.service().Transition(t.Context(), ada, s.ID, domain.StatusInProgress)
			if !slices.Equal(w.calls, tc.calls) {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Text("calls " + list(w.calls)), Want: rule.Text("calls " + list(tc.calls)),
					Why: "A second attempt with the old task can only fail, or undo what the other has done. More attempts than one make a hot task hotter.",
				})
			}
			if tc.kind != errs.Internal {
				fails(t, do, task, err, tc.kind, "Twice is not a coincidence. The client decides.", tc.fields...)
				return
			}
			want := s
			want.Title, want.Status, want.Version, want.UpdatedAt = "Renamed 1", domain.StatusInProgress, 5, now
			same(t, do, want, task, err)
			same(t, do, want, w.stored(s.ID), nil)
		})
	}
	t.Run("another error", func(t *testing.T) {
		w := newWorld()
		s := w.put(t, nil)
		w.fail["Save"] = errDriver
		do := do + "Save fails, and it is no conflict"
		task, err := w.service().Transition(t.Context(), ada, s.ID, domain.StatusInProgress)
		fails(t, do, task, err, errs.Internal, "")
		if w.count("Save") != 1 {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Text("calls " + list(w.calls)), Want: rule.Text("calls Get, Save"), Why: "A store that is down gets twice the load."})
		}
	})
}

func TestApp_UpdateDoesNotRetryClientVersion(t *testing.T) {
	const why = "The client has decided on what he saw. On another state his change may be nonsense, and only he can know."
	patch := app.Patch{Title: app.Some("Ship it")}
	for _, version := range []uint64{0, 2, 4} {
		w := newWorld()
		s := w.put(t, nil)
		do := fmt.Sprintf(`task, err := tasks.Update(ctx, "usr_ada", id, %d, Patch{Title: Some("Ship it")}) // the task has version 3`, version)
		task, err := w.service().Update(t.Context(), ada, s.ID, version, patch)
		fails(t, do, task, err, errs.Conflict, why)
		if !cmp.Equal(w.tasks[s.ID], s) || w.count("Publish") > 0 {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Text("the task has changed, or an event was published"), Want: rule.Text("neither"), Why: why})
		}
	}
	t.Run("another writer is faster", func(t *testing.T) {
		w := newWorld()
		s := w.put(t, nil)
		w.write = func(_ domain.TaskID, s *domain.TaskState) {
			s.Title = "Renamed"
			w.write = nil
		}
		const do = `task, err := tasks.Update(ctx, "usr_ada", id, 3, Patch{Title: Some("Ship it")}) // another writer comes between Get and Save`
		task, err := w.service().Update(t.Context(), ada, s.ID, 3, patch)
		fails(t, do, task, err, errs.Conflict, why)
		if got := w.tasks[s.ID].Title; got != "Renamed" || !slices.Equal(w.saved, []uint64{3}) {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("calls of Save with the versions %v, the title is %q", w.saved, got), Want: rule.Text(`one call with version 3, the title is "Renamed"`),
				Why: why,
			})
		}
	})
}

func TestApp_ContextReachesPorts(t *testing.T) {
	for _, op := range slices.Concat(reads, writes) {
		for _, method := range op.path {
			if method == "NewTaskID" {
				continue // has no context
			}
			t.Run(op.name+" "+method, func(t *testing.T) {
				w := newWorld()
				id := w.put(t, nil).ID
				ctx, cancel := context.WithCancel(withValue(t.Context()))
				defer cancel()
				var value any
				called, canceled := false, false
				w.enter = func(ctx context.Context, m string) {
					if m == method {
						cancel() // the client goes away at this moment
						called, value, canceled = true, ctx.Value(key{}), ctx.Err() != nil
					}
				}
				_, _ = op.run(ctx, w.service(), id)
				if !called || value != "tenant-7" {
					rule.Broken(t, rule.Case{
						Do:  op.do + " // ctx has the value tenant-7",
						Got: rule.Textf("%s was called: %v; the value there: %v", method, called, value), Want: rule.Text("tenant-7"),
						Why: "Traces and request ids travel in the values. A port without them writes log lines that belong to nobody.",
					})
				}
				if !canceled && method != "Publish" {
					rule.Broken(t, rule.Case{
						Do: op.do + " // ctx is cancelled during " + method, Got: rule.Text("the port does not learn of it"), Want: rule.Text("its context is done too"),
						Why: "The client is gone, and the query goes on. Under load that is most of the work.",
					})
				}
			})
		}
	}
}
