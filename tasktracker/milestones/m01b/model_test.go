package m01b_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/infra/memory"
)

// TestRepo_MatchesModel does what FuzzRepoVsModel does, on many inputs of a
// fixed seed.
func TestRepo_MatchesModel(t *testing.T) {
	random := rand.NewChaCha8([32]byte([]byte("one of many sequences of changes")))
	data := make([]byte, 400)
	for range 200 {
		random.Read(data)
		compareWithModel(t, data)
	}
}

// FuzzRepoVsModel makes the same changes to a repository and to a plain map.
func FuzzRepoVsModel(f *testing.F) {
	f.Add([]byte("insert, get, save, delete, list"))
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"))
	f.Add([]byte(strings.Repeat("\x00\x00\x00\x00\x03\x00\x05", 20)))
	f.Fuzz(func(t *testing.T, data []byte) {
		compareWithModel(t, data[:min(len(data), 2000)])
	})
}

// model is a repository that is too slow to be wrong.
type model map[domain.TaskID]domain.TaskState

func (m model) find(owner domain.UserID, id domain.TaskID, expected uint64, anyVersion bool) error {
	switch s, ok := m[id]; {
	case !ok || s.Owner != owner:
		return domain.ErrNotFound
	case !anyVersion && s.Version != expected:
		return domain.ErrConflict
	}
	return nil
}

func (m model) insert(s domain.TaskState) error {
	if _, taken := m[s.ID]; taken {
		return domain.ErrDuplicate
	}
	m[s.ID] = s
	return nil
}

func (m model) save(s domain.TaskState, expected uint64) error {
	err := m.find(s.Owner, s.ID, expected, false)
	if err == nil {
		m[s.ID] = s
	}
	return err
}

func (m model) delete(owner domain.UserID, id domain.TaskID, expected uint64) error {
	err := m.find(owner, id, expected, expected == 0)
	if err == nil {
		delete(m, id)
	}
	return err
}

func (m model) list(q domain.TaskQuery) []domain.TaskState {
	var found []domain.TaskState
	for _, s := range m {
		if q.Matches(s) {
			found = append(found, s)
		}
	}
	found = sorted(found, q.Sort)
	return found[:min(max(q.Limit, 0), len(found))]
}

func (m model) overdue(before time.Time, limit int) []domain.TaskState {
	var found []domain.TaskState
	for _, s := range m {
		active := s.Status == domain.StatusTodo || s.Status == domain.StatusInProgress || s.Status == domain.StatusBlocked
		if active && s.DueAt != nil && s.DueAt.Before(before) {
			found = append(found, s)
		}
	}
	found = sorted(found, domain.Sort{Field: domain.SortDue})
	return found[:min(max(limit, 0), len(found))]
}

// script reads choices from bytes. At its end every choice is 0.
type script struct{ data []byte }

func (s *script) choose(n int) int {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return int(b) % n
}

// oneOf chooses from a list.
func oneOf[T any](s *script, list ...T) T { return list[s.choose(len(list))] }

const scriptIDs = 8

// task chooses a state.
func (s *script) task(t testing.TB) domain.TaskState {
	t.Helper()
	st := state(t, oneOf(s, ann, ann, ann, bob), s.choose(scriptIDs))
	st.Title = oneOf(s, "Call Bob", "Renew", "call back")
	st.Description = oneOf(s, "", "about the CALL")
	st.Status = domain.StatusTodo + domain.Status(s.choose(6))
	if st.Status == domain.StatusDone {
		st.CompletedAt = new(created)
	}
	st.Priority = domain.PriorityLow + domain.Priority(s.choose(4))
	st.Labels = oneOf(s, nil, []string{"api"}, []string{"api", "ops"})
	st.DueAt = s.due()
	st.Assignee = oneOf(s, "", ann, bob)
	st.Project = oneOf(s, domain.ProjectID(""), "prj_1")
	return st
}

func (s *script) due() *time.Time {
	n := s.choose(6)
	if n == 5 {
		return nil
	}
	return new(created.Add(time.Duration(n) * time.Microsecond))
}

func (s *script) query(t testing.TB) domain.TaskQuery {
	t.Helper()
	q := domain.TaskQuery{Owner: oneOf(s, ann, ann, ann, bob), Limit: oneOf(s, 9, 3, 2, 1, 0), Sort: orders[s.choose(len(orders))].sort}
	switch s.choose(8) {
	case 0:
		q.Statuses = []domain.Status{domain.StatusTodo, domain.StatusBlocked}
	case 1:
		q.Priorities = []domain.Priority{domain.PriorityUrgent, domain.PriorityLow}
	case 2:
		q.Label = "ops"
	case 3:
		q.Text = "call"
	case 4:
		q.DueBefore = s.due()
	}
	if s.choose(2) == 1 {
		q.After = domain.Position{ID: taskID(t, s.choose(scriptIDs)), DueAt: s.due(), Priority: domain.PriorityLow + domain.Priority(s.choose(4))}
	}
	return q
}

// compareWithModel makes the calls that data describes, and the same ones to a model.
func compareWithModel(t testing.TB, data []byte) {
	t.Helper()
	ctx := t.Context()
	repo, m := memory.NewTaskRepo(), model{}
	s := &script{data}
	var calls transcript
	for len(s.data) > 0 {
		switch s.choose(8) {
		case 0, 1, 2:
			st := s.task(t)
			calls.add("repo.Insert(ctx, task) // %s", show(st))
			calls.sameKind(t, m.insert(st), repo.Insert(ctx, restore(t, st)))
		case 3:
			owner, id := oneOf(s, ann, bob), taskID(t, s.choose(scriptIDs))
			calls.add("repo.Get(ctx, %q, %q)", owner, id)
			task, err := repo.Get(ctx, owner, id)
			calls.sameKind(t, m.find(owner, id, 0, true), err)
			if err == nil {
				calls.same(t, []domain.TaskState{m[id]}, []*domain.Task{task})
			}
		case 4:
			st := s.task(t)
			expected := m[st.ID].Version + uint64(oneOf(s, 0, 0, 0, 1, 2))
			st.Version = expected + 1
			calls.add("repo.Save(ctx, task, %d) // %s", expected, show(st))
			calls.sameKind(t, m.save(st, expected), repo.Save(ctx, restore(t, st), expected))
		case 5:
			owner, id := oneOf(s, ann, bob), taskID(t, s.choose(scriptIDs))
			expected := oneOf(s, 0, m[id].Version, m[id].Version+1)
			calls.add("repo.Delete(ctx, %q, %q, %d)", owner, id, expected)
			calls.sameKind(t, m.delete(owner, id, expected), repo.Delete(ctx, owner, id, expected))
		case 6:
			q := s.query(t)
			calls.add("repo.List(ctx, %+v)", q)
			got, err := repo.List(ctx, q)
			calls.sameKind(t, nil, err)
			calls.same(t, m.list(q), got)
		case 7:
			limit := oneOf(s, 9, 2, 1, 0)
			until := created.Add(3 * time.Microsecond)
			calls.add("for task, err := range repo.Overdue(ctx, %v, %d)", until, limit)
			var got []*domain.Task
			for task, err := range repo.Overdue(ctx, until, limit) {
				calls.sameKind(t, nil, err)
				got = append(got, task)
			}
			calls.same(t, m.overdue(until, limit), got)
		}
	}
	for _, owner := range []domain.UserID{ann, bob} {
		q := domain.TaskQuery{Owner: owner, Limit: scriptIDs}
		calls.add("repo.List(ctx, %+v)", q)
		got, err := repo.List(ctx, q)
		calls.sameKind(t, nil, err)
		calls.same(t, m.list(q), got)
	}
}

// transcript holds the calls that were made, to be shown when the last one gave
// something else than the model.
type transcript []func() string

func (c *transcript) add(format string, a ...any) {
	*c = append(*c, func() string { return fmt.Sprintf(format, a...) })
}

func (c *transcript) String() string {
	var b strings.Builder
	b.WriteString("repo := NewTaskRepo()\n")
	for _, call := range *c {
		b.WriteString(call() + "\n")
	}
	return b.String()
}

const whyModel = "The repository and a plain map were asked the same. The last line is where they differ."

func (c *transcript) sameKind(t testing.TB, want, got error) {
	t.Helper()
	if kind(want) != kind(got) {
		fails(t, c.String(), got, kind(want), whyModel)
	}
}

func (c *transcript) same(t testing.TB, want []domain.TaskState, got []*domain.Task) {
	t.Helper()
	if !cmp.Equal(want, states(got), cmpopts.EquateEmpty()) {
		same(t, c.String(), want, states(got), whyModel)
	}
}

// show names what tells tasks apart.
type show domain.TaskState

func (s show) String() string {
	due := "never"
	if s.DueAt != nil {
		due = s.DueAt.Format("05.000000")
	}
	return fmt.Sprintf("%s of %s, version %d, %q, %v, %v, %q, due %s", s.ID, s.Owner, s.Version, s.Title, s.Status, s.Priority, s.Labels, due)
}
