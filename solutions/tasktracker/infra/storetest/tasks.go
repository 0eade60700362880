//course:since m05a

package storetest

import (
	"context"
	"errors"
	"iter"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
)

// TaskStore is what the service needs of a store of tasks.
type TaskStore interface {
	app.TaskRepository
	Expired(ctx context.Context, before time.Time, limit int) iter.Seq2[*domain.Task, error]
}

// Tasks tests a store of tasks.
func Tasks(t *testing.T, open func(t *testing.T) TaskStore) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, TaskStore)
	}{
		{"GetReturnsWhatInsertGot", getReturnsWhatInsertGot},
		{"InsertRefusesATakenID", insertRefusesATakenID},
		{"GetFindsOnlyTheOwnersTasks", getFindsOnlyTheOwnersTasks},
		{"SaveReplacesEverything", saveReplacesEverything},
		{"SaveNeedsTheVersion", saveNeedsTheVersion},
		{"DeleteNeedsTheVersion", deleteNeedsTheVersion},
		{"StrangersChangeNothing", strangersChangeNothing},
		{"TasksAreNotShared", tasksAreNotShared},
		{"NothingHappensAfterCancel", nothingHappensAfterCancel},
		{"OneWriterWinsEachVersion", oneWriterWinsEachVersion},
		{"ListEqualsTheModel", listEqualsTheModel},
		{"ListPagesMissNothing", listPagesMissNothing},
		{"OverdueYieldsTheLongestFirst", overdueYieldsTheLongestFirst},
		{"ExpiredYieldsTheOldestFirst", expiredYieldsTheOldestFirst},
		{"OverdueEqualsTheModel", overdueEqualsTheModel},
		{"TheLoopOverOverdueMayChange", theLoopOverOverdueMayChange},
		{"TheLoopOverOverdueMayEndEarly", theLoopOverOverdueMayEndEarly},
		{"ReadersAndWritersDoNotCollide", readersAndWritersDoNotCollide},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// IDsAreUnique tests that an id which one owner has used is taken for all. A
// store that keeps owners apart may leave this to the random bits of an id.
func IDsAreUnique(t *testing.T, open func(t *testing.T) TaskStore) {
	store, id := open(t), ids()()
	must(t, store.Insert(t.Context(), task(t, id, nil)))
	for _, owner := range []domain.UserID{bob, cid} {
		err := store.Insert(t.Context(), task(t, id, func(s *domain.TaskState) { s.Owner = owner }))
		wantIs(t, "insert with the id of somebody else's task", err, domain.ErrDuplicate)
		_, err = store.Get(t.Context(), owner, id)
		wantIs(t, "get the refused task", err, domain.ErrNotFound)
	}
}

// full is a task in which every field is set and as long as it may be.
func full(s *domain.TaskState) {
	s.Project, s.Assignee = "prj_q2", bob
	s.Title = strings.Repeat("Ж", 200)
	s.Description = strings.Repeat("\U0001F600", 7997) + "\t\r\n"
	s.Status, s.Priority = domain.StatusDone, domain.PriorityUrgent
	s.Labels = make([]string, 16)
	for i := range s.Labels {
		s.Labels[i] = strings.Repeat("a", 31) + string(rune('a'+i))
	}
	s.DueAt, s.CompletedAt = new(time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)), new(t0.Add(time.Microsecond))
	s.Version, s.UpdatedAt = math.MaxInt64, t0.Add(2*time.Microsecond)
}

// early is the other end: nothing is set, long before 1970.
func early(s *domain.TaskState) {
	s.CreatedAt = time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)
	s.UpdatedAt = s.CreatedAt
	s.DueAt = new(s.CreatedAt)
}

func getReturnsWhatInsertGot(t *testing.T, store TaskStore) {
	newID := ids()
	for _, change := range []func(*domain.TaskState){nil, full, early} {
		given := task(t, newID(), change)
		must(t, store.Insert(t.Context(), given))
		wantStored(t, store, given.State())
	}
}

func insertRefusesATakenID(t *testing.T, store TaskStore) {
	first := task(t, ids()(), nil)
	must(t, store.Insert(t.Context(), first))
	again := task(t, first.State().ID, full)
	wantIs(t, "insert again", store.Insert(t.Context(), again), domain.ErrDuplicate)
	wantStored(t, store, first.State())
}

func getFindsOnlyTheOwnersTasks(t *testing.T, store TaskStore) {
	newID := ids()
	stored := task(t, newID(), nil)
	must(t, store.Insert(t.Context(), stored))
	id := stored.State().ID
	for _, ask := range []struct {
		owner domain.UserID
		id    domain.TaskID
	}{{bob, id}, {cid, id}, {"", id}, {ann, newID()}, {ann, ""}, {ann, "tsk_%"}} {
		found, err := store.Get(t.Context(), ask.owner, ask.id)
		wantIs(t, "get "+string(ask.id)+" of "+string(ask.owner), err, domain.ErrNotFound)
		if found != nil {
			t.Errorf("get %q of %q: an error and the task %+v", ask.id, ask.owner, found.State())
		}
	}
}

func saveReplacesEverything(t *testing.T, store TaskStore) {
	id := ids()()
	must(t, store.Insert(t.Context(), task(t, id, nil)))
	expected := uint64(1)
	for _, change := range []func(*domain.TaskState){full, early, nil} {
		next := task(t, id, change)
		must(t, store.Save(t.Context(), next, expected))
		wantStored(t, store, next.State())
		expected = next.State().Version
	}
}

func saveNeedsTheVersion(t *testing.T, store TaskStore) {
	newID := ids()
	stored := task(t, newID(), func(s *domain.TaskState) { s.Version = 7 })
	must(t, store.Insert(t.Context(), stored))
	next := task(t, stored.State().ID, full)
	for _, expected := range []uint64{0, 6, 8, math.MaxInt64, math.MaxUint64} {
		wantIs(t, "save with another version", store.Save(t.Context(), next, expected), domain.ErrConflict)
	}
	wantStored(t, store, stored.State())

	unknown := task(t, newID(), nil)
	wantIs(t, "save what was never inserted", store.Save(t.Context(), unknown, 1), domain.ErrNotFound)
	_, err := store.Get(t.Context(), ann, unknown.State().ID)
	wantIs(t, "get what was never inserted", err, domain.ErrNotFound)
}

func deleteNeedsTheVersion(t *testing.T, store TaskStore) {
	newID := ids()
	for _, expected := range []uint64{0, 7} {
		stored := task(t, newID(), func(s *domain.TaskState) { s.Version = 7 })
		id := stored.State().ID
		must(t, store.Insert(t.Context(), stored))
		for _, wrong := range []uint64{1, 6, 8, math.MaxUint64} {
			wantIs(t, "delete another version", store.Delete(t.Context(), ann, id, wrong), domain.ErrConflict)
		}
		wantStored(t, store, stored.State())

		must(t, store.Delete(t.Context(), ann, id, expected))
		_, err := store.Get(t.Context(), ann, id)
		wantIs(t, "get after delete", err, domain.ErrNotFound)
		wantIs(t, "delete again", store.Delete(t.Context(), ann, id, expected), domain.ErrNotFound)
		must(t, store.Insert(t.Context(), stored))
	}
}

func strangersChangeNothing(t *testing.T, store TaskStore) {
	stored := task(t, ids()(), nil)
	must(t, store.Insert(t.Context(), stored))
	id := stored.State().ID
	for _, owner := range []domain.UserID{bob, cid} {
		theirs := task(t, id, func(s *domain.TaskState) { full(s); s.Owner = owner })
		wantIs(t, "save", store.Save(t.Context(), theirs, 1), domain.ErrNotFound)
		wantIs(t, "delete", store.Delete(t.Context(), owner, id, 1), domain.ErrNotFound)
		wantIs(t, "delete any version", store.Delete(t.Context(), owner, id, 0), domain.ErrNotFound)
	}
	wantStored(t, store, stored.State())
}

func tasksAreNotShared(t *testing.T, store TaskStore) {
	given := task(t, ids()(), nil)
	want := given.State()
	must(t, store.Insert(t.Context(), given))
	must(t, given.Rename("Changed by the one who inserted it", t0))
	got, err := store.Get(t.Context(), ann, want.ID)
	must(t, err)
	must(t, got.Rename("Changed by the one who got it", t0))
	page, err := store.List(t.Context(), domain.TaskQuery{Owner: ann, Limit: 1})
	must(t, err)
	must(t, page[0].Rename("Changed by the one who listed it", t0))
	wantStored(t, store, want)
}

func nothingHappensAfterCancel(t *testing.T, store TaskStore) {
	newID := ids()
	stored := task(t, newID(), func(s *domain.TaskState) { s.DueAt = new(t0) })
	must(t, store.Insert(t.Context(), stored))
	id, next, ctx := stored.State().ID, task(t, stored.State().ID, full), canceled()

	_, getErr := store.Get(ctx, ann, id)
	_, listErr := store.List(ctx, domain.TaskQuery{Owner: ann, Limit: 1})
	for what, err := range map[string]error{
		"insert": store.Insert(ctx, task(t, newID(), nil)),
		"get":    getErr,
		"save":   store.Save(ctx, next, 1),
		"delete": store.Delete(ctx, ann, id, 1),
		"list":   listErr,
	} {
		wantIs(t, what, err, context.Canceled)
	}
	for found, err := range store.Overdue(ctx, t0.Add(time.Hour), 10) {
		wantIs(t, "overdue", err, context.Canceled)
		if found != nil {
			t.Errorf("overdue yields %+v", found.State())
		}
	}
	wantStored(t, store, stored.State())
	if all := list(t, store, domain.TaskQuery{Owner: ann, Limit: 10}); len(all) != 1 {
		t.Errorf("%d tasks are stored, want 1", len(all))
	}
}

func oneWriterWinsEachVersion(t *testing.T, store TaskStore) {
	const writers, versions = 64, 10
	id := ids()()
	must(t, store.Insert(t.Context(), task(t, id, nil)))
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := map[uint64]int{}
	for range writers {
		wg.Go(func() {
			for version := range uint64(versions) {
				next := task(t, id, func(s *domain.TaskState) { s.Version = version + 2 })
				switch err := store.Save(t.Context(), next, version+1); {
				case err == nil:
					mu.Lock()
					won[version+1]++
					mu.Unlock()
				case !errors.Is(err, domain.ErrConflict):
					t.Errorf("save: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	for version := range uint64(versions) {
		if n := won[version+1]; n != 1 {
			t.Errorf("%d writers replaced version %d, want 1", n, version+1)
		}
	}
	wantStored(t, store, task(t, id, func(s *domain.TaskState) { s.Version = versions + 1 }).State())
}

func readersAndWritersDoNotCollide(t *testing.T, store TaskStore) {
	const clients, rounds = 16, 8
	newID := ids()
	var wg sync.WaitGroup
	for i := range clients {
		owner := []domain.UserID{ann, bob, cid}[i%3]
		mine := make([]*domain.Task, rounds)
		for i := range mine {
			mine[i] = task(t, newID(), func(s *domain.TaskState) { s.Owner, s.DueAt = owner, new(t0) })
		}
		wg.Go(func() {
			for _, task := range mine {
				id := task.State().ID
				errs := []error{store.Insert(t.Context(), task)}
				_, err := store.Get(t.Context(), owner, id)
				errs = append(errs, err, task.Rename("Renamed", t0), store.Save(t.Context(), task, 1))
				_, err = store.List(t.Context(), domain.TaskQuery{Owner: owner, Text: "name", Limit: 5})
				errs = append(errs, err)
				for _, err := range store.Overdue(t.Context(), t0.Add(time.Hour), 3) {
					errs = append(errs, err)
				}
				if err := errors.Join(append(errs, store.Delete(t.Context(), owner, id, 2))...); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, owner := range []domain.UserID{ann, bob, cid} {
		if left := list(t, store, domain.TaskQuery{Owner: owner, Limit: 1}); len(left) > 0 {
			t.Errorf("%s has %+v", owner, left)
		}
	}
}

func list(t *testing.T, store TaskStore, q domain.TaskQuery) []domain.TaskState {
	t.Helper()
	tasks, err := store.List(t.Context(), q)
	if err != nil {
		t.Fatalf("list %+v: %v", q, err)
	}
	return states(tasks)
}

func states(tasks []*domain.Task) []domain.TaskState {
	states := make([]domain.TaskState, len(tasks))
	for i, task := range tasks {
		states[i] = task.State()
	}
	return states
}

func wantStored(t *testing.T, store TaskStore, want domain.TaskState) {
	t.Helper()
	got, err := store.Get(t.Context(), want.Owner, want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.State(), want) {
		t.Errorf("stored is %+v, want %+v", got.State(), want)
	}
	page := list(t, store, domain.TaskQuery{Owner: want.Owner, Limit: math.MaxInt32})
	if !slices.ContainsFunc(page, func(s domain.TaskState) bool { return reflect.DeepEqual(s, want) }) {
		t.Errorf("the list of %s has no %+v", want.Owner, want)
	}
}
