//course:since m01b

// Package memory keeps everything in the memory of the process. It is for tests,
// for a first look at the service, and the model that durable stores are
// compared with. What it holds is gone when the process ends.
package memory

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

// TaskRepo stores tasks. It keeps states and never a task: what comes in is
// copied, and what goes out is made anew. It is safe for concurrent use.
type TaskRepo struct {
	mu    sync.RWMutex
	tasks map[domain.TaskID]domain.TaskState
	// owned holds the ids of every owner in order, so that a page of one owner
	// does not cost a walk through the tasks of all.
	owned map[domain.UserID][]domain.TaskID
}

// NewTaskRepo returns an empty repository.
func NewTaskRepo() *TaskRepo {
	return &TaskRepo{
		tasks: make(map[domain.TaskID]domain.TaskState),
		owned: make(map[domain.UserID][]domain.TaskID),
	}
}

// Insert stores a new task. It returns [domain.ErrDuplicate] if the id is taken.
func (r *TaskRepo) Insert(ctx context.Context, t *domain.Task) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s := t.State()
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, taken := r.tasks[s.ID]; taken {
		return fmt.Errorf("task %s: %w", s.ID, domain.ErrDuplicate)
	}
	r.tasks[s.ID] = s
	ids := r.owned[s.Owner]
	at, _ := slices.BinarySearch(ids, s.ID)
	r.owned[s.Owner] = slices.Insert(ids, at, s.ID)
	return nil
}

// Get returns a task of owner, or [domain.ErrNotFound].
func (r *TaskRepo) Get(ctx context.Context, owner domain.UserID, id domain.TaskID) (*domain.Task, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.mu.RLock()
	s, err := r.find(owner, id)
	r.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	return domain.Restore(s)
}

// Save replaces a task whose stored version is expected. Otherwise it returns
// [domain.ErrConflict], or [domain.ErrNotFound] if the owner has no such task.
func (r *TaskRepo) Save(ctx context.Context, t *domain.Task, expected uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s := t.State()
	r.mu.Lock()
	defer r.mu.Unlock()
	stored, err := r.find(s.Owner, s.ID)
	if err != nil {
		return err
	}
	if stored.Version != expected {
		return conflict(stored, expected)
	}
	r.tasks[s.ID] = s
	return nil
}

// Delete removes a task whose stored version is expected, under the errors of
// Save. An expected version of 0 means any version.
func (r *TaskRepo) Delete(ctx context.Context, owner domain.UserID, id domain.TaskID, expected uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s, err := r.find(owner, id)
	if err != nil {
		return err
	}
	if expected != 0 && s.Version != expected {
		return conflict(s, expected)
	}
	delete(r.tasks, id)
	ids := r.owned[owner]
	at, _ := slices.BinarySearch(ids, id)
	if ids = slices.Delete(ids, at, at+1); len(ids) == 0 {
		delete(r.owned, owner)
	} else {
		r.owned[owner] = ids
	}
	return nil
}

// find returns what is stored. The caller holds the lock, and copies.
func (r *TaskRepo) find(owner domain.UserID, id domain.TaskID) (domain.TaskState, error) {
	s, ok := r.tasks[id]
	if !ok || s.Owner != owner {
		return domain.TaskState{}, fmt.Errorf("task %s of %s: %w", id, owner, domain.ErrNotFound)
	}
	return s, nil
}

func conflict(stored domain.TaskState, expected uint64) error {
	return fmt.Errorf("task %s has version %d, not %d: %w", stored.ID, stored.Version, expected, domain.ErrConflict)
}

// List returns the first tasks that match q, at most q.Limit, in the order of
// q.Sort.
func (r *TaskRepo) List(ctx context.Context, q domain.TaskQuery) ([]*domain.Task, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return restore(r.page(q))
}

func (r *TaskRepo) page(q domain.TaskQuery) []domain.TaskState {
	r.mu.RLock()
	defer r.mu.RUnlock()
	ids := r.owned[q.Owner]
	inOrder := q.Sort == domain.Sort{} // of ids: the page can end early
	if inOrder {
		first, _ := slices.BinarySearch(ids, q.After.ID)
		ids = ids[first:]
	}
	var page []domain.TaskState
	for _, id := range ids {
		if inOrder && len(page) >= q.Limit {
			return page
		}
		if s := r.tasks[id]; q.Matches(s) {
			page = append(page, s)
		}
	}
	slices.SortFunc(page, func(a, b domain.TaskState) int {
		return q.Sort.Compare(domain.PositionOf(a), domain.PositionOf(b))
	})
	return page[:min(max(q.Limit, 0), len(page))]
}

func restore(states []domain.TaskState) ([]*domain.Task, error) {
	tasks := make([]*domain.Task, len(states))
	for i, s := range states {
		var err error
		if tasks[i], err = domain.Restore(s); err != nil {
			return nil, err
		}
	}
	return tasks, nil
}

// Overdue yields the tasks that are to do, in progress or blocked and were due
// earlier than before, the longest overdue first, and at most limit of them. It
// looks at the store when the loop begins, and holds no lock while the body of
// the loop runs.
func (r *TaskRepo) Overdue(ctx context.Context, before time.Time, limit int) iter.Seq2[*domain.Task, error] {
	overdue := func(s domain.TaskState) bool {
		return s.Status.Active() && s.DueAt != nil && s.DueAt.Before(before)
	}
	return r.yield(ctx, limit, overdue, func(a, b domain.TaskState) int {
		return cmp.Or(a.DueAt.Compare(*b.DueAt), cmp.Compare(a.ID, b.ID))
	})
}

func (r *TaskRepo) yield(ctx context.Context, limit int, wanted func(domain.TaskState) bool, order func(a, b domain.TaskState) int) iter.Seq2[*domain.Task, error] {
	return func(yield func(*domain.Task, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		found := r.filter(wanted)
		slices.SortFunc(found, order)
		for _, s := range found[:min(max(limit, 0), len(found))] {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if !yield(domain.Restore(s)) {
				return
			}
		}
	}
}

func (r *TaskRepo) filter(wanted func(domain.TaskState) bool) []domain.TaskState {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var found []domain.TaskState
	for s := range maps.Values(r.tasks) {
		if wanted(s) {
			found = append(found, s)
		}
	}
	return found
}
