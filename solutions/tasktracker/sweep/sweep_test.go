//course:since m03b

package sweep_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/infra/memory"
	"github.com/middle-go/course/tasktracker/sweep"
)

const (
	day   = 24 * time.Hour
	owner = domain.UserID("usr_ann")
)

var (
	created = time.Date(2026, time.March, 2, 9, 40, 0, 0, time.UTC)
	now     = created.Add(100 * day)
	errDisk = errors.New("disk full")
)

type clock struct{}

func (clock) Now() time.Time { return now }

type news struct {
	events []domain.Event
	err    error
	heard  func()
}

func (n *news) Publish(ctx context.Context, evs ...domain.Event) error {
	if err := cmp.Or(ctx.Err(), n.err); err != nil {
		return err
	}
	n.events = append(n.events, evs...)
	if n.heard != nil {
		n.heard()
	}
	return nil
}

// faulty is a repository that fails when it is told to.
type faulty struct {
	*memory.TaskRepo
	unreadable int // so many rows at the head of Overdue cannot be read
	onSave     func(id domain.TaskID) (fail error)
}

func (f *faulty) Overdue(ctx context.Context, before time.Time, limit int) iter.Seq2[*domain.Task, error] {
	return func(yield func(*domain.Task, error) bool) {
		for range min(f.unreadable, limit) {
			if !yield(nil, errDisk) {
				return
			}
		}
		f.TaskRepo.Overdue(ctx, before, limit-f.unreadable)(yield)
	}
}

func (f *faulty) Save(ctx context.Context, t *domain.Task, expected uint64) error {
	if f.onSave != nil {
		if err := f.onSave(t.State().ID); err != nil {
			return err
		}
	}
	return f.TaskRepo.Save(ctx, t, expected)
}

func id(n int) domain.TaskID {
	return domain.TaskID(fmt.Sprintf("tsk_000000000000000000000000%02d", n))
}

// repo has tasks to do that were due n days after their creation.
func repo(t *testing.T, days ...int) *faulty {
	t.Helper()
	f := &faulty{TaskRepo: memory.NewTaskRepo()}
	for n, d := range days {
		task, err := domain.NewTask(id(n), owner, "Report", created)
		if err != nil {
			t.Fatal(err)
		}
		if err := cmp.Or(task.SetDue(new(created.Add(time.Duration(d)*day)), created), f.Insert(t.Context(), task)); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f *faulty) statuses(t *testing.T) (list []string) {
	t.Helper()
	tasks, err := f.List(t.Context(), domain.TaskQuery{Owner: owner, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		list = append(list, task.State().Status.String())
	}
	return list
}

func TestSweep_ExpiresAndPurges(t *testing.T) {
	f, n := repo(t, 1, 2, 98, 99, 200), &news{}
	cfg := sweep.Config{Grace: 2 * day, PurgeAfter: 30 * day, Batch: 2}
	stats, err := sweep.New(f, n, clock{}, cfg).Sweep(t.Context())
	if want := (sweep.Stats{Expired: 2}); stats != want || err != nil {
		t.Errorf("got %+v, %v, want %+v", stats, err, want)
	}
	if got, want := f.statuses(t), []string{"expired", "expired", "todo", "todo", "todo"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}

	later := laterClock(31 * day)
	stats, err = sweep.New(f, n, later, cfg).Sweep(t.Context())
	if want := (sweep.Stats{Expired: 2, Purged: 2}); stats != want || err != nil {
		t.Errorf("a month later: got %+v, %v, want %+v", stats, err, want)
	}
	want := domain.Event{Type: domain.EventPurged, At: later.Now(), Owner: owner, Task: id(1), Version: 3}
	if len(n.events) != 6 || n.events[5] != want {
		t.Errorf("got %+v, want %+v in the end", n.events, want)
	}
}

type laterClock time.Duration

func (c laterClock) Now() time.Time { return now.Add(time.Duration(c)) }

func TestSweep_FailuresAreNotInTheWay(t *testing.T) {
	f, n := repo(t, 1, 2, 3, 4, 5, 6), &news{}
	f.unreadable = 3
	f.onSave = func(task domain.TaskID) error {
		switch task {
		case id(0):
			return errDisk
		case id(1):
			return domain.ErrConflict
		default:
			return nil
		}
	}
	stats, err := sweep.New(f, n, clock{}, sweep.Config{Batch: 1}).Sweep(t.Context())
	if want := (sweep.Stats{Expired: 4, Failed: 4}); stats != want || !errors.Is(err, errDisk) || len(n.events) != 4 {
		t.Errorf("got %+v, %v, %d events, want %+v", stats, err, len(n.events), want)
	}
}

func TestSweep_LostEventIsAFailure(t *testing.T) {
	stats, err := sweep.New(repo(t, 1), &news{err: errDisk}, clock{}, sweep.Config{}).Sweep(t.Context())
	if want := (sweep.Stats{Expired: 1, Failed: 1}); stats != want || !errors.Is(err, errDisk) {
		t.Errorf("got %+v, %v, want %+v", stats, err, want)
	}
}

func TestSweep_StopsBetweenTwoTasks(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	f, n := repo(t, 1, 2, 3), &news{heard: stop}
	s := sweep.New(f, n, clock{}, sweep.Config{})
	stats, err := s.Sweep(ctx)
	if want := (sweep.Stats{Expired: 1}); stats != want || !errors.Is(err, context.Canceled) || len(n.events) != 1 {
		t.Errorf("got %+v, %v, %d events, want %+v", stats, err, len(n.events), want)
	}
	if stats, err := s.Sweep(ctx); stats != (sweep.Stats{}) || !errors.Is(err, context.Canceled) {
		t.Errorf("after the stop: got %+v, %v", stats, err)
	}
}

func TestRun_KeepsThePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		f, n := repo(t, 1), &news{}
		f.onSave = func(domain.TaskID) error {
			time.Sleep(25 * time.Second)
			return errDisk
		}
		var ends []time.Duration
		cfg := sweep.Config{Every: 10 * time.Second, Report: func(stats sweep.Stats, err error) {
			if stats.Failed != 1 || !errors.Is(err, errDisk) {
				t.Errorf("report: got %+v, %v", stats, err)
			}
			ends = append(ends, time.Since(begin))
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 99*time.Second)
		defer cancel()
		ready := 0
		s := sweep.New(f, n, clock{}, cfg)
		if err := s.Run(ctx, func() { ready++ }); err != nil || ready != 1 || s.Name() != "sweeper" {
			t.Errorf("got %v, ready %d times, name %q", err, ready, s.Name())
		}
		if want := []time.Duration{35 * time.Second, 65 * time.Second, 95 * time.Second}; !slices.Equal(ends, want) {
			t.Errorf("rounds end at %v, want %v", ends, want)
		}
	})
}

func TestRun_JitterOfNothingIsEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		cfg := sweep.Config{
			Jitter: func(time.Duration) time.Duration { return 0 },
			Report: func(sweep.Stats, error) { cancel() },
		}
		if err := sweep.New(repo(t), &news{}, clock{}, cfg).Run(ctx, func() {}); err != nil || time.Since(begin) != time.Minute {
			t.Errorf("got %v after %v", err, time.Since(begin))
		}
	})
}

func TestNew_RefusesNil(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	sweep.New(nil, &news{}, clock{}, sweep.Config{})
}
