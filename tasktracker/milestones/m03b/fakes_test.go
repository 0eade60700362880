package m03b_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/sweep"
)

const (
	owner = domain.UserID("usr_ann")
	grace = 24 * time.Hour
	keep  = 30 * 24 * time.Hour
)

var (
	created = time.Date(2026, time.March, 2, 9, 40, 0, 0, time.UTC)
	now     = created.AddDate(1, 0, 0)

	errDisk = errors.New("disk full")
)

func taskID(n int) domain.TaskID {
	return domain.TaskID(fmt.Sprintf("tsk_01kjpypefv000g40r40m30%04d", n))
}

// overdue returns n tasks to do, the first one due a year ago and each of the
// others an hour later.
func overdue(n int) []domain.TaskState {
	tasks := make([]domain.TaskState, n)
	for i := range tasks {
		tasks[i] = task(i, domain.StatusTodo)
		tasks[i].DueAt = new(created.Add(time.Duration(i) * time.Hour))
	}
	return tasks
}

// expired returns n tasks that expired long ago.
func expired(n int) []domain.TaskState {
	tasks := overdue(n)
	for i := range tasks {
		tasks[i].Status = domain.StatusExpired
		tasks[i].UpdatedAt = created.Add(time.Duration(i) * time.Hour)
	}
	return tasks
}

// task returns version 3 of a task that is long overdue.
func task(n int, status domain.Status) domain.TaskState {
	s := domain.TaskState{
		ID: taskID(n), Owner: owner, Title: fmt.Sprintf("Task %d", n),
		Status: status, Priority: domain.PriorityNormal, Version: 3,
		DueAt: new(created), CreatedAt: created, UpdatedAt: created,
	}
	if status == domain.StatusDone {
		s.CompletedAt = new(created)
	}
	return s
}

// store is a sweep.Tasks that can be told to fail.
type store struct {
	mu    sync.Mutex
	tasks map[domain.TaskID]domain.TaskState

	down       error                   // what a list yields, and nothing else
	generous   bool                    // Overdue yields tasks that are not due yet
	unreadable map[domain.TaskID]error // what a list yields instead of the task
	broken     map[domain.TaskID]error // what Save and Delete return

	// All are called without the lock.
	listing  func()                 // when a list begins
	changing func(id domain.TaskID) // before a change
	changed  func(id domain.TaskID) // after a change that was made

	lists  []list
	tried  map[domain.TaskID]int // changes
	open   int                   // lists that are being read
	misuse string
}

// endless is more pages than any test needs.
const endless = 5000

// list is a call of Overdue or Expired.
type list struct {
	name   string
	at     time.Time
	before time.Time
	limit  int
}

func newStore(tasks ...domain.TaskState) *store {
	s := &store{
		tasks: make(map[domain.TaskID]domain.TaskState), tried: make(map[domain.TaskID]int),
		unreadable: make(map[domain.TaskID]error), broken: make(map[domain.TaskID]error),
	}
	for _, t := range tasks {
		s.tasks[t.ID] = t
	}
	return s
}

func (s *store) Overdue(ctx context.Context, before time.Time, limit int) iter.Seq2[*domain.Task, error] {
	return s.list(ctx, list{name: "Overdue", before: before, limit: limit}, func(t domain.TaskState) bool {
		active := t.Status == domain.StatusTodo || t.Status == domain.StatusInProgress || t.Status == domain.StatusBlocked
		return active && t.DueAt != nil && (s.generous || t.DueAt.Before(before))
	}, func(a, b domain.TaskState) int {
		return cmp.Or(a.DueAt.Compare(*b.DueAt), cmp.Compare(a.ID, b.ID))
	})
}

func (s *store) Expired(ctx context.Context, before time.Time, limit int) iter.Seq2[*domain.Task, error] {
	return s.list(ctx, list{name: "Expired", before: before, limit: limit}, func(t domain.TaskState) bool {
		return t.Status == domain.StatusExpired && t.UpdatedAt.Before(before)
	}, func(a, b domain.TaskState) int {
		return cmp.Or(a.UpdatedAt.Compare(b.UpdatedAt), cmp.Compare(a.ID, b.ID))
	})
}

func (s *store) list(ctx context.Context, l list, wanted func(domain.TaskState) bool, order func(a, b domain.TaskState) int) iter.Seq2[*domain.Task, error] {
	return func(yield func(*domain.Task, error) bool) {
		s.mu.Lock()
		l.at = time.Now()
		s.lists = append(s.lists, l)
		s.mu.Unlock()
		if s.listing != nil {
			s.listing()
		}
		s.mu.Lock()
		s.open++
		down, pages := s.down, len(s.lists)
		found := slices.SortedFunc(maps.Values(s.tasks), func(a, b domain.TaskState) int { return cmp.Compare(a.ID, b.ID) })
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			s.open--
			s.mu.Unlock()
		}()

		if pages > endless {
			return // or a sweep that does not end would hang instead of fail
		}
		if down != nil {
			yield(nil, down)
			return
		}
		found = slices.DeleteFunc(found, func(t domain.TaskState) bool { return !wanted(t) })
		slices.SortFunc(found, order)
		for _, t := range found[:min(max(l.limit, 0), len(found))] {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if err := s.unreadable[t.ID]; err != nil {
				if !yield(nil, err) {
					return
				}
				continue
			}
			if !yield(domain.Restore(t)) {
				return
			}
		}
	}
}

func (s *store) Save(ctx context.Context, t *domain.Task, expected uint64) error {
	state := t.State()
	return s.change(ctx, "Save", state.Owner, state.ID, func(version uint64) bool { return version == expected }, func() { s.tasks[state.ID] = state })
}

func (s *store) Delete(ctx context.Context, owner domain.UserID, id domain.TaskID, expected uint64) error {
	return s.change(ctx, "Delete", owner, id, func(version uint64) bool { return expected == 0 || version == expected }, func() { delete(s.tasks, id) })
}

func (s *store) change(ctx context.Context, call string, owner domain.UserID, id domain.TaskID, allowed func(version uint64) bool, do func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.changing != nil {
		s.changing(id)
	}
	err := func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tried[id]++
		stored, ok := s.tasks[id]
		switch {
		case s.open > 0:
			s.misuse = call + " while a loop over Overdue or Expired runs"
			return errors.New("database is locked")
		case s.broken[id] != nil:
			return s.broken[id]
		case !ok || stored.Owner != owner:
			return fmt.Errorf("task %s: %w", id, domain.ErrNotFound)
		case !allowed(stored.Version):
			return fmt.Errorf("task %s: %w", id, domain.ErrConflict)
		}
		do()
		return nil
	}()
	if err == nil && s.changed != nil {
		s.changed(id)
	}
	return err
}

// edit is what a user does to a task meanwhile.
func (s *store) edit(id domain.TaskID, change func(t *domain.TaskState)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tasks[id]
	change(&t)
	t.Version++
	s.tasks[id] = t
}

func (s *store) get(id domain.TaskID) (domain.TaskState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tasks[id]
	return t, ok
}

// in returns the ids of the tasks with a status, in order.
func (s *store) in(status domain.Status) []domain.TaskID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []domain.TaskID
	for id, t := range s.tasks {
		if t.Status == status {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// news is an app.Events that keeps what is published.
type news struct {
	mu        sync.Mutex
	events    []domain.Event
	err       error // what Publish returns
	published func(ctx context.Context, e domain.Event)
}

func (n *news) Publish(ctx context.Context, evs ...domain.Event) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if n.err != nil {
		return n.err
	}
	n.events = append(n.events, evs...)
	for _, e := range evs {
		if n.published != nil {
			n.published(ctx, e)
		}
	}
	return nil
}

// clock is an app.Clock that stands still.
type clock struct{}

func (clock) Now() time.Time { return now }

func sweeper(s *store, n *news, cfg sweep.Config) *sweep.Sweeper {
	return sweep.New(s, n, clock{}, cfg)
}

func event(what domain.EventType, id domain.TaskID, version uint64) domain.Event {
	return domain.Event{Type: what, At: now, Owner: owner, Task: id, Version: version}
}

func expectStats(t *testing.T, do string, got sweep.Stats, err error, want sweep.Stats, why string) {
	t.Helper()
	if got != want {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%+v, error: %v", got, err), Want: rule.Textf("%+v", want), Why: why})
	}
}

// expectLists checks what the store was asked for.
func expectLists(t *testing.T, do string, s *store, overdueBefore time.Time, limit int, why string) {
	t.Helper()
	if len(s.lists) > endless {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("more than %d pages", endless), Want: rule.Text("the sweep ends"), Why: "What is left in the store comes again on every page. A list that is never empty must not be an endless sweep."})
	}
	for _, l := range s.lists {
		if l.limit > limit {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%s with limit %d", l.name, l.limit), Want: rule.Textf("at most %d: Batch, and what is left in the store", limit), Why: why})
		}
		if l.name == "Overdue" && !l.before.Equal(overdueBefore) {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("Overdue(ctx, now.Add(%v), ...)", l.before.Sub(now)), Want: rule.Textf("Overdue(ctx, now.Add(%v), ...)", overdueBefore.Sub(now)), Why: "Tasks that are still in time fill the pages, and there are many more of them."})
		}
	}
}

func expectNil(t *testing.T, do string, err error, why string) {
	t.Helper()
	if err != nil {
		rule.Broken(t, rule.Case{Do: do, Got: err, Want: nil, Why: why})
	}
}

func expectIDs(t *testing.T, do, what string, got []domain.TaskID, want []domain.TaskID, why string) {
	t.Helper()
	if !slices.Equal(got, want) {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%s: %v", what, numbers(got)), Want: rule.Textf("%s: %v", what, numbers(want)), Why: why})
	}
}

// numbers makes ids readable.
func numbers(ids []domain.TaskID) []string {
	short := make([]string, len(ids))
	for i, id := range ids {
		short[i] = "..." + string(id[max(0, len(id)-4):])
	}
	return short
}

func taskIDs(numbers ...int) []domain.TaskID {
	ids := make([]domain.TaskID, len(numbers))
	for i, n := range numbers {
		ids[i] = taskID(n)
	}
	return ids
}
