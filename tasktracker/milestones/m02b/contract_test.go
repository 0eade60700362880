package m02b_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/infra/memory"
)

func TestRepoContract_Memory(t *testing.T) {
	testRepository(t, func(*testing.T) app.TaskRepository { return memory.NewTaskRepo() })
}

// testRepository holds a store to the contract of [app.TaskRepository]. The
// function returns an empty one.
func testRepository(t *testing.T, open func(t *testing.T) app.TaskRepository) {
	for _, tc := range []struct {
		name string
		test func(t *testing.T, r app.TaskRepository)
	}{
		{"a task comes back as it went in", contractRoundTrip},
		{"a store keeps no memory of the caller", contractCopies},
		{"an id is taken for everybody", contractDuplicate},
		{"a task of somebody else does not exist", contractForeign},
		{"one version, one winner", contractVersions},
		{"delete", contractDelete},
		{"list", contractList},
		{"overdue", contractOverdue},
		{"a context that is done", contractContext},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.test(t, open(t)) })
	}
}

// stateAt returns the state of the n-th task, of ada.
func stateAt(n int, change func(s *domain.TaskState)) domain.TaskState {
	s := domain.TaskState{
		ID: idAt(n), Owner: ada, Title: fmt.Sprintf("Task %d", n), Status: domain.StatusTodo, Priority: domain.PriorityNormal,
		Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if change != nil {
		change(&s)
	}
	return s
}

func restore(t *testing.T, s domain.TaskState) *domain.Task {
	t.Helper()
	task, err := domain.Restore(s)
	if err != nil {
		t.Fatalf("milestone m01a is not finished: Restore of a valid task: %v", err)
	}
	return task
}

func insert(t *testing.T, r app.TaskRepository, states ...domain.TaskState) {
	t.Helper()
	for _, s := range states {
		if err := r.Insert(t.Context(), restore(t, s)); err != nil {
			rule.Broken(t, rule.Case{Do: "err := repo.Insert(ctx, task)", Got: err, Want: nil})
		}
	}
}

// isError compares the error of a call with the sentinel of that name.
func isError(t *testing.T, do string, err, want error, why string) {
	t.Helper()
	if !errors.Is(err, want) {
		rule.Broken(t, rule.Case{Do: do, Got: err, Want: rule.Textf("an error that is %q", want), Why: why})
	}
}

// holds compares the task of ada that is stored. A nil want means none.
func holds(t *testing.T, r app.TaskRepository, after, why string, id domain.TaskID, want *domain.TaskState) {
	t.Helper()
	do := after + "\ntask, err := repo.Get(ctx, \"usr_ada\", id)"
	task, err := r.Get(t.Context(), ada, id)
	if want == nil {
		isError(t, do, err, domain.ErrNotFound, why)
		return
	}
	if err != nil {
		rule.Broken(t, rule.Case{Do: do, Got: err, Want: rule.Text("the task"), Why: why})
	}
	if diff := cmp.Diff(*want, task.State(), cmpopts.EquateEmpty()); diff != "" {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Text("another task (-want +got)\n" + diff), Want: rule.Text("the lines with -"), Why: why})
	}
}

func contractRoundTrip(t *testing.T, r app.TaskRepository) {
	due, done := now.Add(time.Hour), now.Add(time.Minute)
	full := stateAt(1, func(s *domain.TaskState) {
		s.Project, s.Assignee, s.Description, s.Status, s.Priority = "prj_1", "usr_bob", "é\n\t世界", domain.StatusDone, domain.PriorityUrgent
		s.Labels, s.DueAt, s.CompletedAt, s.Version, s.UpdatedAt = []string{"api", "ops"}, &due, &done, 1<<40, now.Add(2*time.Minute)
	})
	bare := stateAt(2, nil)
	insert(t, r, full, bare)
	const why = "A field that the store forgets is lost at the next restart."
	holds(t, r, "err := repo.Insert(ctx, task) // with every field", why, full.ID, &full)
	holds(t, r, "err := repo.Insert(ctx, task) // with the required fields", why, bare.ID, &bare)
	full.Assignee, full.Labels, full.DueAt, full.Version = "", nil, nil, full.Version+1
	if err := r.Save(t.Context(), restore(t, full), full.Version-1); err != nil {
		rule.Broken(t, rule.Case{Do: "err := repo.Save(ctx, task, task's version before the change)", Got: err, Want: nil})
	}
	holds(t, r, "err := repo.Save(ctx, task, expected) // without assignee, labels and due time", why, full.ID, &full)
}

func contractCopies(t *testing.T, r app.TaskRepository) {
	s := stateAt(1, nil)
	task := restore(t, s)
	if err := r.Insert(t.Context(), task); err != nil {
		rule.Broken(t, rule.Case{Do: "err := repo.Insert(ctx, task)", Got: err, Want: nil})
	}
	const why = "A change that was not saved must not be seen, and certainly not by another goroutine."
	_ = task.Rename("Changed", now)
	holds(t, r, "repo.Insert(ctx, task)\ntask.Rename(\"Changed\", now)", why, s.ID, &s)
	if got, err := r.Get(t.Context(), ada, s.ID); err == nil {
		_ = got.Rename("Changed", now)
	}
	holds(t, r, "got, _ := repo.Get(ctx, \"usr_ada\", id)\ngot.Rename(\"Changed\", now)", why, s.ID, &s)
}

func contractDuplicate(t *testing.T, r app.TaskRepository) {
	s := stateAt(1, nil)
	insert(t, r, s)
	const why = "An id is the address of one task. The second one must not replace the first."
	for _, owner := range []domain.UserID{ada, "usr_bob"} {
		other := stateAt(1, func(s *domain.TaskState) { s.Owner, s.Title = owner, "Another" })
		do := fmt.Sprintf("err := repo.Insert(ctx, task) // of %s, with an id that is taken", owner)
		isError(t, do, r.Insert(t.Context(), restore(t, other)), domain.ErrDuplicate, why)
		holds(t, r, do, why, s.ID, &s)
	}
}

func contractForeign(t *testing.T, r app.TaskRepository) {
	s := stateAt(1, nil)
	insert(t, r, s)
	const why = "A store that tells \"not yours\" from \"not there\" tells strangers which ids exist."
	foreign := stateAt(1, func(s *domain.TaskState) { s.Owner, s.Title, s.Version = "usr_bob", "Mine now", 2 })
	_, err := r.Get(t.Context(), "usr_bob", s.ID)
	isError(t, `_, err := repo.Get(ctx, "usr_bob", id) // of usr_ada`, err, domain.ErrNotFound, why)
	isError(t, "err := repo.Save(ctx, task, 1) // of usr_bob, with the id of a task of usr_ada", r.Save(t.Context(), restore(t, foreign), 1), domain.ErrNotFound, why)
	isError(t, `err := repo.Delete(ctx, "usr_bob", id, 1) // of usr_ada`, r.Delete(t.Context(), "usr_bob", s.ID, 1), domain.ErrNotFound, why)
	isError(t, `err := repo.Delete(ctx, "usr_bob", id, 0) // of usr_ada`, r.Delete(t.Context(), "usr_bob", s.ID, 0), domain.ErrNotFound, why)
	isError(t, "err := repo.Save(ctx, task, 1) // with an id that nobody has", r.Save(t.Context(), restore(t, stateAt(2, nil)), 1), domain.ErrNotFound, why)
	holds(t, r, "everything that usr_bob has tried", why, s.ID, &s)
}

func contractVersions(t *testing.T, r app.TaskRepository) {
	s := stateAt(1, func(s *domain.TaskState) { s.Version = 3 })
	insert(t, r, s)
	const why = "The version is what keeps the second of two writers from erasing the first."
	for _, expected := range []uint64{0, 2, 4} {
		change := stateAt(1, func(s *domain.TaskState) { s.Title, s.Version = "Changed", 4 })
		do := fmt.Sprintf("err := repo.Save(ctx, task, %d) // version 3 is stored", expected)
		isError(t, do, r.Save(t.Context(), restore(t, change), expected), domain.ErrConflict, why)
		holds(t, r, do, why, s.ID, &s)
	}
	change := stateAt(1, func(s *domain.TaskState) { s.Title, s.Version = "Changed", 7 })
	if err := r.Save(t.Context(), restore(t, change), 3); err != nil {
		rule.Broken(t, rule.Case{Do: "err := repo.Save(ctx, task, 3) // version 3 is stored, the task has version 7", Got: err, Want: nil, Why: "One save may bring several changes."})
	}
	holds(t, r, "repo.Save(ctx, task, 3)", why, s.ID, &change)
}

func contractDelete(t *testing.T, r app.TaskRepository) {
	for n, tc := range []struct {
		expected uint64
		gone     bool
	}{{3, true}, {0, true}, {2, false}, {4, false}} {
		s := stateAt(n, func(s *domain.TaskState) { s.Version = 3 })
		insert(t, r, s)
		do := fmt.Sprintf("err := repo.Delete(ctx, \"usr_ada\", id, %d) // version 3 is stored", tc.expected)
		err := r.Delete(t.Context(), ada, s.ID, tc.expected)
		if !tc.gone {
			isError(t, do, err, domain.ErrConflict, "")
			holds(t, r, do, "What was refused must still be there.", s.ID, &s)
			continue
		}
		if err != nil {
			rule.Broken(t, rule.Case{Do: do, Got: err, Want: nil, Why: "0 means any version."})
		}
		holds(t, r, do, "What was deleted is gone.", s.ID, nil)
		isError(t, do+" // once more", r.Delete(t.Context(), ada, s.ID, 0), domain.ErrNotFound, "")
		insert(t, r, s) // the id is free again
	}
}

// contractList compares pages with a list in a slice.
func contractList(t *testing.T, r app.TaskRepository) {
	const seed = 4
	random := rand.New(rand.NewPCG(seed, 0))
	var all []domain.TaskState
	for n := range 60 {
		s := stateAt(n, func(s *domain.TaskState) {
			s.Status = domain.Status(1 + random.IntN(3))
			s.Priority = domain.Priority(1 + random.IntN(4))
			s.Labels = [][]string{nil, {"api"}, {"api", "ops"}}[random.IntN(3)]
			if random.IntN(3) > 0 {
				due := now.Add(time.Duration(random.IntN(10)) * time.Hour)
				s.DueAt = &due
			}
			if random.IntN(5) == 0 {
				s.Owner = "usr_bob"
			}
		})
		all = append(all, s)
	}
	for _, n := range random.Perm(len(all)) {
		insert(t, r, all[n])
	}
	before := now.Add(5 * time.Hour)
	for range 200 {
		q := domain.TaskQuery{Owner: ada, Sort: domain.Sort{Field: domain.SortField(random.IntN(3)), Desc: random.IntN(2) == 0}, Limit: 1 + random.IntN(20)}
		switch random.IntN(5) {
		case 0:
			q.Statuses = []domain.Status{domain.StatusTodo, domain.StatusBlocked}
		case 1:
			q.Priorities = []domain.Priority{domain.PriorityUrgent}
		case 2:
			q.Label = "ops"
		case 3:
			q.DueBefore = &before
		}
		q.Text = []string{"", "", "task 1"}[random.IntN(3)]
		listPages(t, r, all, q)
	}
	for _, limit := range []int{0, -1} {
		if page, err := r.List(t.Context(), domain.TaskQuery{Owner: ada, Limit: limit}); len(page) > 0 || err != nil {
			rule.Broken(t, rule.Case{Do: fmt.Sprintf("repo.List(ctx, TaskQuery{Owner: \"usr_ada\", Limit: %d})", limit), Got: rule.Textf("%d tasks, error: %v", len(page), err), Want: rule.Text("no tasks, no error")})
		}
	}
}

// listPages follows the pages of q to the end.
func listPages(t *testing.T, r app.TaskRepository, all []domain.TaskState, q domain.TaskQuery) {
	t.Helper()
	do := fmt.Sprintf("repo.List(ctx, q) // q is %+v, and After is the position of the last task", q)
	for {
		want := slices.DeleteFunc(slices.Clone(all), func(s domain.TaskState) bool { return !q.Matches(s) })
		slices.SortFunc(want, func(a, b domain.TaskState) int {
			return q.Sort.Compare(domain.PositionOf(a), domain.PositionOf(b))
		})
		want = want[:min(q.Limit, len(want))]
		page, err := r.List(t.Context(), q)
		if err != nil {
			rule.Broken(t, rule.Case{Do: do, Got: err, Want: rule.Text("a page")})
		}
		if got := idsOf(page); !slices.Equal(got, idsIn(want)) {
			rule.Broken(t, rule.Case{
				Do: do, Got: got, Want: idsIn(want),
				Why: "Every task that matches is on one page, in the order of q.Sort. Otherwise a user who turns the page misses one or sees it twice.",
			})
		}
		if len(want) == 0 {
			return
		}
		q.After = domain.PositionOf(want[len(want)-1])
	}
}

func idsOf(tasks []*domain.Task) []domain.TaskID {
	var ids []domain.TaskID
	for _, task := range tasks {
		ids = append(ids, task.State().ID)
	}
	return ids
}

func idsIn(states []domain.TaskState) []domain.TaskID {
	var ids []domain.TaskID
	for _, s := range states {
		ids = append(ids, s.ID)
	}
	return ids
}

func contractOverdue(t *testing.T, r app.TaskRepository) {
	at := func(n int, hours int, status domain.Status, owner domain.UserID) domain.TaskState {
		due := now.Add(time.Duration(hours) * time.Hour)
		return stateAt(n, func(s *domain.TaskState) { s.DueAt, s.Status, s.Owner = &due, status, owner })
	}
	never := stateAt(8, nil)
	insert(t, r,
		at(1, 3, domain.StatusTodo, ada), at(2, 1, domain.StatusInProgress, "usr_bob"), at(3, 2, domain.StatusBlocked, ada), at(4, 1, domain.StatusTodo, ada),
		at(5, 1, domain.StatusCancelled, ada), at(6, 4, domain.StatusTodo, ada), at(7, 1, domain.StatusExpired, ada), never)
	for limit, want := range [][]domain.TaskID{nil, {idAt(2)}, {idAt(2), idAt(4)}, {idAt(2), idAt(4), idAt(3)}, {idAt(2), idAt(4), idAt(3), idAt(1)}, {idAt(2), idAt(4), idAt(3), idAt(1)}} {
		var got []domain.TaskID
		for task, err := range r.Overdue(t.Context(), now.Add(4*time.Hour), limit) {
			if err != nil {
				rule.Broken(t, rule.Case{Do: "for task, err := range repo.Overdue(ctx, before, limit)", Got: err, Want: nil})
			}
			got = append(got, task.State().ID)
		}
		if !slices.Equal(got, want) {
			rule.Broken(t, rule.Case{
				Do: fmt.Sprintf("repo.Overdue(ctx, before, %d)", limit), Got: got, Want: want,
				Why: "Tasks to do, in progress or blocked, of all owners, due earlier than before, the longest overdue first.",
			})
		}
	}
	for task := range r.Overdue(t.Context(), now.Add(4*time.Hour), 10) {
		s := task.State()
		if err := r.Delete(t.Context(), s.Owner, s.ID, s.Version); err != nil {
			rule.Broken(t, rule.Case{Do: "for task := range repo.Overdue(ctx, before, 10) {\n\terr := repo.Delete(ctx, owner, id, version)\n}", Got: err, Want: nil, Why: "The sweeper changes each task as it comes."})
		}
		break // the others stay, and no lock is left behind
	}
	holds(t, r, "for task := range repo.Overdue(ctx, before, 10) {\n\trepo.Delete(ctx, owner, id, version)\n\tbreak\n}", "A loop that ends early must leave no lock behind.", never.ID, &never)
}

func contractContext(t *testing.T, r app.TaskRepository) {
	s := stateAt(1, func(s *domain.TaskState) { s.DueAt = &now })
	insert(t, r, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	const why = "The client has gone. Work for nobody is the first thing that an overloaded service can leave."
	change := stateAt(1, func(s *domain.TaskState) { s.Title, s.Version = "Changed", 2 })
	_, getErr := r.Get(ctx, ada, s.ID)
	_, listErr := r.List(ctx, domain.TaskQuery{Owner: ada, Limit: 10})
	var overdueErr error
	for _, err := range r.Overdue(ctx, now.Add(time.Hour), 10) {
		overdueErr = err
	}
	for _, tc := range []struct {
		do  string
		err error
	}{
		{"repo.Get(ctx, \"usr_ada\", id)", getErr},
		{"repo.List(ctx, q)", listErr},
		{"repo.Overdue(ctx, before, 10)", overdueErr},
		{"repo.Insert(ctx, task)", r.Insert(ctx, restore(t, stateAt(2, nil)))},
		{"repo.Save(ctx, task, 1)", r.Save(ctx, restore(t, change), 1)},
		{"repo.Delete(ctx, \"usr_ada\", id, 1)", r.Delete(ctx, ada, s.ID, 1)},
	} {
		isError(t, "cancel()\n"+tc.do, tc.err, context.Canceled, why)
	}
	holds(t, r, "everything after cancel()", why, s.ID, &s)
	holds(t, r, "cancel()\nrepo.Insert(ctx, task)", why, idAt(2), nil)
}
