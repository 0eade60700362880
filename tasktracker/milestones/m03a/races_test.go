package m03a_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
	"github.com/middle-go/course/tasktracker/infra/memory"
)

const owner = domain.UserID("usr_ann")

var (
	created = time.Date(2026, time.March, 2, 9, 40, 0, 0, time.UTC)
	now     = created.AddDate(0, 1, 0)
)

func taskID(i int) domain.TaskID {
	return domain.TaskID(fmt.Sprintf("tsk_01kjpypefv000g40r40m30e2%02d", i))
}

// newTask returns a task that is overdue now.
func newTask(t *testing.T, id domain.TaskID) *domain.Task {
	t.Helper()
	task, err := domain.NewTask(id, owner, "Write the report", created)
	if err != nil {
		t.Fatal("NewTask:", err)
	}
	if err := errors.Join(task.SetDue(new(created.AddDate(0, 0, 7)), created), task.SetLabels([]string{"ops", "billing"}, created)); err != nil {
		t.Fatal("NewTask:", err)
	}
	return task
}

// tally counts what has succeeded for one task.
type tally struct{ inserted, deleted atomic.Int64 }

// Several clients use the same few tasks as they like. What the calls have
// reported must fit together with what is stored in the end.
func TestRepo_RaceMixedOps(t *testing.T) {
	const seed, clients, tasks, steps = 5, 8, 4, 250
	repo := memory.NewTaskRepo()
	tallies := make(map[domain.TaskID]*tally)
	for i := range tasks {
		tallies[taskID(i)] = &tally{}
	}
	var broken atomic.Pointer[rule.Case] // the first one

	var running sync.WaitGroup
	for n := range clients {
		c := client{
			repo:    repo,
			rng:     rand.New(rand.NewPCG(seed, uint64(n))),
			tallies: tallies,
			report:  func(c rule.Case) { broken.CompareAndSwap(nil, &c) },
		}
		for id := range tallies {
			c.fresh = append(c.fresh, newTask(t, id))
		}
		running.Go(func() {
			for range steps {
				c.step(t.Context())
			}
		})
	}
	running.Wait()
	if c := broken.Load(); c != nil {
		rule.Broken(t, *c)
	}

	total := int64(0)
	for id, sum := range tallies {
		task, err := repo.Get(t.Context(), owner, id)
		stored := int64(0)
		if err == nil {
			stored = 1
		}
		inserted, deleted := sum.inserted.Load(), sum.deleted.Load()
		total += inserted
		if inserted-deleted != stored {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("// %d goroutines insert, change and delete the same %d tasks, then\ntask, err := repo.Get(ctx, owner, id)", clients, tasks),
				Got:  rule.Textf("%d times inserted, %d times deleted, and then: %v", inserted, deleted, describe(task, err)),
				Want: rule.Text("as many times inserted as deleted, or once more if it is there"),
				Why:  "Two lock sections, each of them right, are not one operation: both clients were told that theirs was the one.",
			})
		}
	}
	if total == 0 {
		rule.Broken(t, rule.Case{Do: "err := repo.Insert(ctx, task)", Got: rule.Text("no Insert has ever succeeded"), Want: nil})
	}
}

func describe(task *domain.Task, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("the repository has version %d", task.State().Version)
}

// client is one of those who use the repository at the same time.
type client struct {
	repo    *memory.TaskRepo
	rng     *rand.Rand
	fresh   []*domain.Task
	tallies map[domain.TaskID]*tally
	report  func(rule.Case)
}

func (c *client) step(ctx context.Context) {
	task := c.fresh[c.rng.IntN(len(c.fresh))]
	id := task.State().ID
	switch c.rng.IntN(6) {
	case 0:
		if err := c.repo.Insert(ctx, task); c.allow("Insert", err, domain.ErrDuplicate) {
			c.tallies[id].inserted.Add(1)
		}
	case 1:
		if err := c.repo.Delete(ctx, owner, id, 0); c.allow("Delete", err, domain.ErrNotFound) {
			c.tallies[id].deleted.Add(1)
		}
	case 2, 3:
		if task, err := c.repo.Get(ctx, owner, id); c.allow("Get", err, domain.ErrNotFound) {
			c.change(ctx, task)
		}
	case 4:
		page, err := c.repo.List(ctx, domain.TaskQuery{Owner: owner, Limit: 3})
		c.allow("List", err, nil)
		if !slices.IsSortedFunc(page, func(a, b *domain.Task) int { return cmp.Compare(a.State().ID, b.State().ID) }) {
			c.report(rule.Case{Do: "tasks, err := repo.List(ctx, q) // while others write", Got: rule.Text("tasks in no order"), Want: rule.Text("tasks in the order of their ids")})
		}
	case 5:
		for task, err := range c.repo.Overdue(ctx, now, 3) {
			if c.allow("Overdue", err, nil) {
				c.change(ctx, task) // it may be gone by now
			}
		}
	}
}

// change edits what the repository has given out, which belongs to the client,
// and saves it.
func (c *client) change(ctx context.Context, task *domain.Task) {
	expected := task.State().Version
	if err := task.Rename(fmt.Sprintf("Report %d", c.rng.Uint64()), now); err != nil {
		c.allow("Get", err, nil)
		return
	}
	if err := c.repo.Save(ctx, task, expected); !errors.Is(err, domain.ErrConflict) {
		c.allow("Save", err, domain.ErrNotFound)
	}
}

// allow reports whether err is nil, and complains if it is neither that nor what
// may happen.
func (c *client) allow(call string, err, mayBe error) bool {
	if err != nil && (mayBe == nil || !errors.Is(err, mayBe)) {
		c.report(rule.Case{
			Do:   "repo." + call + "(ctx, ...) // while others write",
			Got:  err,
			Want: rule.Textf("nil or %v", mayBe),
			Why:  "Other clients may win or be late. That is no reason for any other error.",
		})
	}
	return err == nil
}

// news is an app.Events that counts.
type news struct {
	mu     sync.Mutex
	events []domain.Event
}

func (n *news) Publish(_ context.Context, evs ...domain.Event) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, evs...)
	return nil
}

type clock struct{}

func (clock) Now() time.Time { return now }

type ids struct{}

func (ids) NewTaskID() (domain.TaskID, error) { return taskID(0), nil }

func TestApp_ConcurrentUpdatesOneWinner(t *testing.T) {
	const rounds, clients = 200, 8
	t.Run("Update", func(t *testing.T) {
		for range rounds {
			race(t, clients, domain.EventUpdated, "service.Update(ctx, owner, id, 1, patch)", func(service *app.Tasks, id domain.TaskID, n int) error {
				_, err := service.Update(t.Context(), owner, id, 1, app.Patch{Title: app.Some(fmt.Sprintf("Title %d", n))})
				return err
			})
		}
	})
	t.Run("Transition", func(t *testing.T) {
		for range rounds {
			race(t, clients, domain.EventTransitioned, "service.Transition(ctx, owner, id, StatusInProgress)", func(service *app.Tasks, id domain.TaskID, _ int) error {
				_, err := service.Transition(t.Context(), owner, id, domain.StatusInProgress)
				return err
			})
		}
	})
}

// race lets several clients make the same call for a new task. One of them may
// win.
func race(t *testing.T, clients int, event domain.EventType, do string, call func(service *app.Tasks, id domain.TaskID, n int) error) {
	t.Helper()
	repo, published := memory.NewTaskRepo(), &news{}
	service := app.NewTasks(repo, clock{}, ids{}, published)
	task, err := service.Create(t.Context(), owner, app.CreateTask{Title: "Write the report"})
	if err != nil {
		rule.Broken(t, rule.Case{Do: "task, err := service.Create(ctx, owner, CreateTask{Title: ...})", Got: err, Want: nil})
	}
	id := task.State().ID

	results := make([]error, clients)
	begin := make(chan struct{})
	var running sync.WaitGroup
	for n := range clients {
		running.Go(func() {
			<-begin
			results[n] = call(service, id, n)
		})
	}
	close(begin)
	running.Wait()

	winners, events := 0, 0
	do = fmt.Sprintf("// %d goroutines at the same time\n%s", clients, do)
	for _, err := range results {
		if err == nil {
			winners++
		} else if kind := errs.KindOf(err); kind != errs.Conflict {
			rule.Broken(t, rule.Case{Do: do + "\nKindOf(err) // of one that has not won", Got: kind, Want: errs.Conflict, Why: "Who was late is told so, and can look at what the other one has done."})
		}
	}
	for _, e := range published.events {
		if e.Type == event {
			events++
		}
	}
	stored, err := repo.Get(t.Context(), owner, id)
	if err != nil {
		rule.Broken(t, rule.Case{Do: "task, err := repo.Get(ctx, owner, id)", Got: err, Want: nil})
	}
	version := stored.State().Version
	if winners != 1 || events != 1 || version != 2 {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("%d have won, %d events %s, version %d", winners, events, event, version),
			Want: rule.Textf("1 has won, 1 events %s, version 2", event),
			Why:  "Each winner believes that his change is stored. All but the last one have lost it, and nobody is told.",
		})
	}
}
