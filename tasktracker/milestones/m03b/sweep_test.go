package m03b_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/infra/memory"
	"github.com/middle-go/course/tasktracker/sweep"
)

const callSweep = "stats, err := sweeper.Sweep(ctx)"

func TestSweep_ExpiresOnlyPastGrace(t *testing.T) {
	dueAt := func(n int, status domain.Status, due *time.Time) domain.TaskState {
		s := task(n, status)
		s.DueAt = due
		return s
	}
	for _, tc := range []struct {
		name     string
		grace    time.Duration
		generous bool
	}{
		{"grace is a day", grace, false},
		{"grace is 0", 0, false},
		{"grace is less than 0", -time.Hour, false},
		{"the store yields more than it was asked for", grace, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			limit := now.Add(-max(tc.grace, 0))
			s := newStore(
				dueAt(0, domain.StatusTodo, new(limit.Add(-time.Microsecond))),
				dueAt(1, domain.StatusInProgress, new(limit.Add(-time.Microsecond))),
				dueAt(2, domain.StatusBlocked, new(limit.Add(-time.Microsecond))),
				dueAt(3, domain.StatusTodo, new(limit)),
				dueAt(4, domain.StatusTodo, new(limit.Add(time.Microsecond))),
				dueAt(5, domain.StatusTodo, new(now.Add(time.Hour))),
				dueAt(6, domain.StatusTodo, nil),
			)
			s.generous = tc.generous
			stats, err := sweeper(s, &news{}, sweep.Config{Grace: tc.grace}).Sweep(t.Context())
			do := "// " + tc.name + "; due: 0, 1, 2 a microsecond before now - grace, 3 then, 4 a microsecond later\n" + callSweep
			const why = "At the moment when its grace ends a task is still in time, and the user sees a clock with seconds."
			expectNil(t, do, err, "")
			expectStats(t, do, stats, err, sweep.Stats{Expired: 3}, why)
			expectIDs(t, do, "expired", s.in(domain.StatusExpired), taskIDs(0, 1, 2), why)
			expectLists(t, do, s, limit, 100+7, "Only what was left makes a page longer.")

			got, _ := s.get(taskID(1))
			want := dueAt(1, domain.StatusExpired, new(limit.Add(-time.Microsecond)))
			want.Version, want.UpdatedAt, want.Labels = 4, now, got.Labels
			if diff := cmp.Diff(want, got); diff != "" {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Text("task 1 (-want +got):\n" + diff), Want: rule.Text("the task as Task.Expire leaves it"), Why: "The rules of a task are in the task."})
			}
		})
	}
}

func TestSweep_SkipsDoneAndCancelled(t *testing.T) {
	s := newStore(task(0, domain.StatusDone), task(1, domain.StatusCancelled), task(2, domain.StatusTodo))
	n := &news{}
	stats, err := sweeper(s, n, sweep.Config{Grace: grace, PurgeAfter: keep}).Sweep(t.Context())
	const do = "// three tasks, a year overdue: 0 is done, 1 cancelled, 2 to do\n" + callSweep
	const why = "What is done is history, and people look it up. Only what expired goes."
	expectNil(t, do, err, "")
	expectStats(t, do, stats, err, sweep.Stats{Expired: 1}, why)
	for id, want := range map[int]domain.Status{0: domain.StatusDone, 1: domain.StatusCancelled, 2: domain.StatusExpired} {
		if got, ok := s.get(taskID(id)); !ok || got.Status != want {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("task %d is %v, stored: %v", id, got.Status, ok), Want: rule.Textf("task %d is %v", id, want), Why: why})
		}
	}
}

func TestSweep_PurgeRetention(t *testing.T) {
	changedAt := func(n int, at time.Time) domain.TaskState {
		s := task(n, domain.StatusExpired)
		s.UpdatedAt = at
		return s
	}
	for _, tc := range []struct {
		name       string
		purgeAfter time.Duration
		purged     int
	}{
		{"30 days", keep, 1},
		{"0", 0, 0},
		{"-1", -1, 0},
	} {
		t.Run("PurgeAfter is "+tc.name, func(t *testing.T) {
			s := newStore(
				changedAt(0, now.Add(-keep-time.Microsecond)),
				changedAt(1, now.Add(-keep)),
				changedAt(2, now.Add(-time.Microsecond)),
				task(3, domain.StatusTodo), // expires now
			)
			stats, err := sweeper(s, &news{}, sweep.Config{Grace: grace, PurgeAfter: tc.purgeAfter}).Sweep(t.Context())
			do := "// 0, 1, 2 are expired, last changed: 0 a microsecond more than 30 days ago, 1 30 days ago; 3 expires now\n" +
				"sweeper := New(tasks, events, clock, Config{PurgeAfter: " + tc.name + "})\n" + callSweep
			const why = "What is purged cannot be brought back. A setting that was forgotten must not delete anything."
			expectNil(t, do, err, "")
			expectStats(t, do, stats, err, sweep.Stats{Expired: 1, Purged: tc.purged}, why)
			expectIDs(t, do, "expired", s.in(domain.StatusExpired), taskIDs(0, 1, 2, 3)[tc.purged:], why)
		})
	}
}

func TestSweep_ConflictMeansUserWins(t *testing.T) {
	const why = "The user was faster. What he did is stored, he was told so, and a cleaner must not undo it."
	reopen := func(s *domain.TaskState) {
		s.Status, s.DueAt, s.UpdatedAt = domain.StatusTodo, new(now.AddDate(0, 1, 0)), now
	}
	for _, tc := range []struct {
		name, do string
		tasks    []domain.TaskState
		meddle   func(s *store, id domain.TaskID)
		want     sweep.Stats
		there    bool
	}{
		{"a new due time", "before task 1 is saved, its user gives it a new due time", overdue(3),
			func(s *store, id domain.TaskID) { s.edit(id, reopen) }, sweep.Stats{Expired: 2}, true},
		{"deleted before it expires", "before task 1 is saved, its user deletes it", overdue(3),
			func(s *store, id domain.TaskID) { s.mu.Lock(); delete(s.tasks, id); s.mu.Unlock() }, sweep.Stats{Expired: 2}, false},
		{"reopened", "before task 1 is purged, its user reopens it", expired(3),
			func(s *store, id domain.TaskID) { s.edit(id, reopen) }, sweep.Stats{Purged: 2}, true},
		{"deleted before it is purged", "before task 1 is purged, its user deletes it", expired(3),
			func(s *store, id domain.TaskID) { s.mu.Lock(); delete(s.tasks, id); s.mu.Unlock() }, sweep.Stats{Purged: 2}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, n := newStore(tc.tasks...), &news{}
			var once sync.Once
			s.changing = func(id domain.TaskID) {
				if id == taskID(1) {
					once.Do(func() { tc.meddle(s, id) })
				}
			}
			stats, err := sweeper(s, n, sweep.Config{Grace: grace, PurgeAfter: keep}).Sweep(t.Context())
			do := "// " + tc.do + "\n" + callSweep
			expectNil(t, do, err, "A conflict is no failure: nothing is wrong with this task.")
			expectStats(t, do, stats, err, tc.want, why)
			got, ok := s.get(taskID(1))
			if ok != tc.there || ok && (got.Status != domain.StatusTodo || got.Version != 4 || !got.DueAt.After(now)) {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("task 1 is stored: %v, %+v", ok, got), Want: rule.Textf("task 1 is stored: %v, as its user has left it", tc.there), Why: why})
			}
			for _, e := range n.events {
				if e.Task == taskID(1) {
					rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%+v", e), Want: rule.Text("no event about task 1"), Why: "An event says that something has happened. This has not."})
				}
			}
		})
	}
}

func TestSweep_OneBadRowDoesNotStop(t *testing.T) {
	const why = "The oldest rows come first, every time. If a bad one is in the way, nothing is ever cleaned up again."
	for _, tc := range []struct {
		name, do string
		tasks    []domain.TaskState
		hurt     func(s *store)
		want     sweep.Stats
	}{
		{"cannot be saved", "the 3 oldest of 8 overdue tasks cannot be saved", overdue(8),
			func(s *store) {
				s.broken[taskID(0)], s.broken[taskID(1)], s.broken[taskID(2)] = errDisk, errDisk, errDisk
			},
			sweep.Stats{Expired: 5, Failed: 3}},
		{"cannot be read", "the 3 oldest of 8 overdue tasks cannot be read", overdue(8),
			func(s *store) {
				s.unreadable[taskID(0)], s.unreadable[taskID(1)], s.unreadable[taskID(2)] = errDisk, errDisk, errDisk
			},
			sweep.Stats{Expired: 5, Failed: 3}},
		{"of both kinds", "of 8 overdue tasks 0 and 3 cannot be read, 1 and 4 cannot be saved", overdue(8),
			func(s *store) {
				s.unreadable[taskID(0)], s.unreadable[taskID(3)] = errDisk, errDisk
				s.broken[taskID(1)], s.broken[taskID(4)] = errDisk, errDisk
			},
			sweep.Stats{Expired: 4, Failed: 4}},
		{"cannot be deleted", "the 3 oldest of 8 expired tasks cannot be deleted", expired(8),
			func(s *store) {
				s.broken[taskID(0)], s.broken[taskID(1)], s.broken[taskID(2)] = errDisk, errDisk, errDisk
			},
			sweep.Stats{Purged: 5, Failed: 3}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, n := newStore(tc.tasks...), &news{}
			tc.hurt(s)
			stats, err := sweeper(s, n, sweep.Config{Grace: grace, PurgeAfter: keep, Batch: 2}).Sweep(t.Context())
			do := "// " + tc.do + "; Batch is 2\n" + callSweep
			expectStats(t, do, stats, err, tc.want, why)
			expectFailure(t, do, err)
			expectLists(t, do, s, now.Add(-grace), 2+stats.Failed, "Only what was left makes a page longer.")
			for id, tried := range s.tried {
				if tried > 1 {
					rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%d attempts to change %s", tried, id), Want: rule.Text("1 attempt in a sweep"), Why: "The next sweep tries again. This one has other work."})
				}
			}
		})
	}
	t.Run("between good ones, on pages that do not hold them all", func(t *testing.T) {
		s := newStore(overdue(40)...)
		for i := range 20 {
			s.broken[taskID(2*i)] = errDisk
		}
		stats, err := sweeper(s, &news{}, sweep.Config{Grace: grace, Batch: 1}).Sweep(t.Context())
		do := "// every second one of 40 overdue tasks cannot be saved; Batch is 1\n" + callSweep
		expectStats(t, do, stats, err, sweep.Stats{Expired: 20, Failed: 20}, why)
	})
	t.Run("the store is down", func(t *testing.T) {
		s := newStore(overdue(3)...)
		s.down = errDisk
		stats, err := sweeper(s, &news{}, sweep.Config{Grace: grace, PurgeAfter: keep}).Sweep(t.Context())
		do := "// Overdue and Expired yield an error and nothing else\n" + callSweep
		expectStats(t, do, stats, err, sweep.Stats{Failed: 2}, "A store that is down answers every page with the same error. Each list reports it once, and the sweep ends.")
		expectFailure(t, do, err)
	})
}

func expectFailure(t *testing.T, do string, err error) {
	t.Helper()
	if !errors.Is(err, errDisk) {
		rule.Broken(t, rule.Case{Do: do + "\nerrors.Is(err, errDisk)", Got: rule.Textf("false, err is %v", err), Want: true, Why: "A number of failures without a reason starts a long night."})
	}
}

func TestSweep_PagesUntilEmpty(t *testing.T) {
	for _, tc := range []struct {
		name  string
		batch int
		limit int
		tasks int
	}{
		{"the last page is short", 4, 4, 25},
		{"the last page is full", 4, 4, 24},
		{"pages of one", 1, 1, 5},
		{"the default is 100", 0, 100, 250},
		{"less than 0 is the default", -1, 100, 150},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStore(overdue(tc.tasks)...)
			for _, e := range expired(tc.tasks) {
				e.ID = taskID(1000 + len(s.tasks))
				s.tasks[e.ID] = e
			}
			stats, err := sweeper(s, &news{}, sweep.Config{Grace: grace, PurgeAfter: keep, Batch: tc.batch}).Sweep(t.Context())
			do := rule.Textf("// %d overdue tasks, and as many to purge; Batch is %d\n%s", tc.tasks, tc.batch, callSweep)
			if s.misuse != "" {
				rule.Broken(t, rule.Case{Do: string(do), Got: rule.Text(s.misuse), Want: rule.Text("a page is read to its end before anything is changed"), Why: "A store with one connection waits for itself, and a cursor over rows that change skips some."})
			}
			expectNil(t, string(do), err, "")
			expectStats(t, string(do), stats, err, sweep.Stats{Expired: tc.tasks, Purged: tc.tasks}, "What is left over after every sweep piles up.")
			expectLists(t, string(do), s, now.Add(-grace), tc.limit, "After a holiday a million tasks are overdue. They do not fit into memory at once.")
		})
	}
}

func TestSweep_EventPerTaskOnce(t *testing.T) {
	gone := expired(2)
	for i := range gone {
		gone[i].ID = taskID(1000 + i)
	}
	s, n := newStore(append(overdue(3), gone...)...), &news{}
	n.published = func(_ context.Context, e domain.Event) {
		stored, ok := s.get(e.Task)
		if e.Type == domain.EventExpired && stored.Status != domain.StatusExpired || e.Type == domain.EventPurged && ok {
			s.misuse = string(e.Type) + " is published, and the store does not know of it yet"
		}
	}
	sw := sweeper(s, n, sweep.Config{Grace: grace, PurgeAfter: keep, Batch: 2})
	stats, err := sw.Sweep(t.Context())
	const do = "// 3 tasks to expire, 2 to purge\n" + callSweep
	expectNil(t, do, err, "")
	expectStats(t, do, stats, err, sweep.Stats{Expired: 3, Purged: 2}, "")
	want := []domain.Event{
		event(domain.EventExpired, taskID(0), 4), event(domain.EventExpired, taskID(1), 4), event(domain.EventExpired, taskID(2), 4),
		event(domain.EventPurged, taskID(1000), 3), event(domain.EventPurged, taskID(1001), 3),
	}
	if diff := cmp.Diff(want, n.events); diff != "" {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Text("events (-want +got):\n" + diff), Want: rule.Text("one event for each task, in the order of the lists, without an actor"), Why: "Each event becomes an e-mail to somebody."})
	}
	if s.misuse != "" {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Text(s.misuse), Want: rule.Text("first the change, then the event"), Why: "Who reads the task because of the event sees the old one, and if the change fails it has never happened."})
	}
	stats, err = sw.Sweep(t.Context())
	if stats != (sweep.Stats{}) || err != nil || len(n.events) != len(want) {
		rule.Broken(t, rule.Case{Do: "sweeper.Sweep(ctx)\n" + callSweep, Got: rule.Textf("%+v, error: %v, %d events", stats, err, len(n.events)), Want: rule.Textf("%+v, error: <nil>, %d events", sweep.Stats{}, len(want)), Why: "The second sweep has nothing to do and nothing to tell."})
	}
}

func TestSweep_EventFailureDoesNotUndo(t *testing.T) {
	gone := expired(1)
	gone[0].ID = taskID(1000)
	s, n := newStore(append(overdue(2), gone...)...), &news{err: errDisk}
	stats, err := sweeper(s, n, sweep.Config{Grace: grace, PurgeAfter: keep}).Sweep(t.Context())
	const do = "// Publish always fails\n" + callSweep
	const why = "The change is stored, and a store cannot take it back for others who have seen it. So the loss of the event is counted."
	expectStats(t, do, stats, err, sweep.Stats{Expired: 2, Purged: 1, Failed: 3}, why)
	expectFailure(t, do, err)
	expectIDs(t, do, "expired", s.in(domain.StatusExpired), taskIDs(0, 1), why)
}

type key struct{}

func TestSweep_StopDoesNotLoseTheEvent(t *testing.T) {
	ctx, stop := context.WithCancel(context.WithValue(t.Context(), key{}, "trace-7"))
	defer stop()
	s, n := newStore(overdue(3)...), &news{}
	s.changed = func(domain.TaskID) { stop() }
	var value any
	n.published = func(ctx context.Context, _ domain.Event) { value = ctx.Value(key{}) }
	stats, err := sweeper(s, n, sweep.Config{Grace: grace}).Sweep(ctx)
	const do = "// 3 tasks are overdue; ctx is cancelled while the first one is saved\n" + callSweep
	const why = "The task is expired now. No sweep finds it again, so nobody would ever publish this event."
	expectStats(t, do, stats, err, sweep.Stats{Expired: 1}, why)
	expectCanceled(t, do, err)
	if want := []domain.Event{event(domain.EventExpired, taskID(0), 4)}; !slices.Equal(n.events, want) {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("events: %+v", n.events), Want: rule.Textf("events: %+v", want), Why: why})
	}
	if value != "trace-7" {
		rule.Broken(t, rule.Case{Do: do + "\nctx.Value(key{}) // in Publish", Got: value, Want: "trace-7", Why: "Traces travel in the values of the context. Only the cancellation is dropped."})
	}

	lists := len(s.lists)
	stats, err = sweeper(s, n, sweep.Config{Grace: grace}).Sweep(ctx)
	if stats != (sweep.Stats{}) || !errors.Is(err, context.Canceled) || len(s.lists) != lists {
		rule.Broken(t, rule.Case{Do: "stop()\n" + callSweep, Got: rule.Textf("%+v, error: %v, %d lists", stats, err, len(s.lists)-lists), Want: rule.Textf("%+v, error: %v, 0 lists", sweep.Stats{}, context.Canceled), Why: "Nothing begins after the stop."})
	}
}

func TestSweep_StopIsNoFailure(t *testing.T) {
	const why = "Nothing is wrong with this task. Otherwise every deploy raises the alert on failures."
	t.Run("during a change", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		s := newStore(overdue(4)...)
		s.broken[taskID(1)] = errDisk
		s.broken[taskID(2)] = context.Canceled // the store gives up when its ctx is done
		s.changing = func(id domain.TaskID) {
			if id == taskID(2) {
				stop()
			}
		}
		stats, err := sweeper(s, &news{}, sweep.Config{Grace: grace}).Sweep(ctx)
		const do = "// 4 tasks are overdue: 1 cannot be saved, and while 2 is saved ctx is cancelled and Save returns ctx.Err()\n" + callSweep
		expectStats(t, do, stats, err, sweep.Stats{Expired: 1, Failed: 1}, why)
		expectCanceled(t, do, err)
	})
	t.Run("during a list", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		s := newStore(overdue(3)...)
		s.listing = stop
		stats, err := sweeper(s, &news{}, sweep.Config{Grace: grace}).Sweep(ctx)
		const do = "// 3 tasks are overdue; ctx is cancelled while they are listed, and Overdue yields ctx.Err()\n" + callSweep
		expectStats(t, do, stats, err, sweep.Stats{}, why)
		expectCanceled(t, do, err)
	})
}

func expectCanceled(t *testing.T, do string, err error) {
	t.Helper()
	if !errors.Is(err, context.Canceled) {
		rule.Broken(t, rule.Case{Do: do, Got: err, Want: context.Canceled, Why: "A sweep that was cut short must not look like one that has seen all."})
	}
}

func TestSweep_TwoAtOnce(t *testing.T) {
	const tasks, sweepers = 60, 4
	repo, n := memory.NewTaskRepo(), &news{}
	for _, state := range overdue(tasks) {
		task, err := domain.Restore(state)
		if err != nil {
			t.Fatal("Restore:", err)
		}
		expectNil(t, "err := repo.Insert(ctx, task)", repo.Insert(t.Context(), task), "")
	}
	sw := sweep.New(repo, n, clock{}, sweep.Config{Grace: grace, Batch: 7})
	var all [sweepers]sweep.Stats
	var errs [sweepers]error
	var running sync.WaitGroup
	for i := range sweepers {
		running.Go(func() { all[i], errs[i] = sw.Sweep(t.Context()) })
	}
	running.Wait()
	var sum sweep.Stats
	for _, s := range all {
		sum.Expired += s.Expired
		sum.Failed += s.Failed
	}
	const do = "// 4 goroutines sweep 60 overdue tasks of one repository at the same time\n" + callSweep
	const why = "Three replicas are three sweepers. The version of a task decides who has expired it, and only he tells."
	expectNil(t, do, errors.Join(errs[:]...), why)
	expectStats(t, do+" // the sum", sum, nil, sweep.Stats{Expired: tasks}, why)
	if len(n.events) != tasks {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%d events", len(n.events)), Want: rule.Textf("%d events", tasks), Why: why})
	}
}

func TestNew_NilPortsPanic(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func()
	}{
		{"New(nil, events, clock, Config{})", func() { sweep.New(nil, &news{}, clock{}, sweep.Config{}) }},
		{"New(tasks, nil, clock, Config{})", func() { sweep.New(newStore(), nil, clock{}, sweep.Config{}) }},
		{"New(tasks, events, nil, Config{})", func() { sweep.New(newStore(), &news{}, nil, sweep.Config{}) }},
	} {
		panicked := func() (panicked bool) {
			defer func() { panicked = recover() != nil }()
			tc.make()
			return false
		}()
		if !panicked {
			rule.Broken(t, rule.Case{Do: tc.name, Got: rule.Text("no panic"), Want: rule.Text("a panic"), Why: "A service that is wired wrongly must fail at the start and not in the first night."})
		}
	}
}
