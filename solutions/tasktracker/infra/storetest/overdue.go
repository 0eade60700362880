//course:since m05a

package storetest

import (
	"cmp"
	"context"
	"iter"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

func overdueYieldsTheLongestFirst(t *testing.T, store TaskStore) {
	newID := ids()
	insert := func(owner domain.UserID, status domain.Status, due *time.Time) domain.TaskID {
		id := newID()
		must(t, store.Insert(t.Context(), task(t, id, func(s *domain.TaskState) {
			s.Owner, s.Status, s.DueAt = owner, status, due
			if status == domain.StatusDone {
				s.CompletedAt = new(t0)
			}
		})))
		return id
	}
	at := func(micros int) *time.Time { return new(t0.Add(time.Duration(micros) * time.Microsecond)) }

	second := insert(ann, domain.StatusTodo, at(5))
	third := insert(bob, domain.StatusBlocked, at(5))
	first := insert(cid, domain.StatusInProgress, at(4))
	last := insert(bob, domain.StatusTodo, at(9))
	insert(ann, domain.StatusTodo, at(10))
	insert(ann, domain.StatusTodo, nil)
	for _, over := range []domain.Status{domain.StatusDone, domain.StatusCancelled, domain.StatusExpired} {
		insert(bob, over, at(1))
	}

	all := []domain.TaskID{first, second, third, last}
	for limit, want := range map[int][]domain.TaskID{-1: {}, 0: {}, 1: all[:1], 3: all[:3], 4: all, math.MaxInt: all} {
		if got := yielded(t, store.Overdue(t.Context(), *at(10), limit)); !slices.Equal(got, want) {
			t.Errorf("limit %d: got %v, want %v", limit, got, want)
		}
	}
	if got := yielded(t, store.Overdue(t.Context(), at(9).Add(1), 10)); !slices.Equal(got, all) {
		t.Errorf("a nanosecond after the last one was due: got %v, want %v", got, all)
	}
	if got := yielded(t, store.Overdue(t.Context(), *at(9), 10)); !slices.Equal(got, all[:3]) {
		t.Errorf("when the last one is due: got %v, want %v", got, all[:3])
	}
}

func expiredYieldsTheOldestFirst(t *testing.T, store TaskStore) {
	newID := ids()
	insert := func(owner domain.UserID, status domain.Status, micros int) domain.TaskID {
		id := newID()
		must(t, store.Insert(t.Context(), task(t, id, func(s *domain.TaskState) {
			s.Owner, s.Status, s.UpdatedAt = owner, status, t0.Add(time.Duration(micros)*time.Microsecond)
		})))
		return id
	}
	last := insert(ann, domain.StatusExpired, 9)
	second := insert(bob, domain.StatusExpired, 3)
	third := insert(cid, domain.StatusExpired, 3)
	first := insert(cid, domain.StatusExpired, 2)
	insert(ann, domain.StatusExpired, 10)
	insert(ann, domain.StatusTodo, 1)
	insert(bob, domain.StatusCancelled, 1)

	all := []domain.TaskID{first, second, third, last}
	for limit, want := range map[int][]domain.TaskID{0: {}, 2: all[:2], 10: all} {
		before := t0.Add(10 * time.Microsecond)
		if got := yielded(t, store.Expired(t.Context(), before, limit)); !slices.Equal(got, want) {
			t.Errorf("limit %d: got %v, want %v", limit, got, want)
		}
	}
}

func overdueEqualsTheModel(t *testing.T, store TaskStore) {
	rng := random(t)
	all := fill(t, store, rng)
	for range 50 {
		before, limit := moment(rng), rng.IntN(randomTasks)
		want := slices.DeleteFunc(slices.Clone(all), func(s domain.TaskState) bool {
			return !s.Status.Active() || s.DueAt == nil || !s.DueAt.Before(before)
		})
		slices.SortFunc(want, func(a, b domain.TaskState) int {
			return cmp.Or(a.DueAt.Compare(*b.DueAt), cmp.Compare(a.ID, b.ID))
		})
		want = want[:min(limit, len(want))]
		got := []domain.TaskState{}
		for found, err := range store.Overdue(t.Context(), before, limit) {
			must(t, err)
			got = append(got, found.State())
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("before %v, limit %d: got %v, want %v", before, limit, idsOf(got), idsOf(want))
		}
	}
}

// manyOverdue stores n overdue tasks of three owners.
func manyOverdue(t *testing.T, store TaskStore, n int) {
	t.Helper()
	newID := ids()
	for i := range n {
		must(t, store.Insert(t.Context(), task(t, newID(), func(s *domain.TaskState) {
			s.Owner, s.DueAt = owners[i%len(owners)], new(t0)
		})))
	}
}

func theLoopOverOverdueMayChange(t *testing.T, store TaskStore) {
	const n = 40
	manyOverdue(t, store, n)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // of a deadlock
	defer cancel()
	seen := 0
	for found, err := range store.Overdue(ctx, t0.Add(time.Hour), n) {
		must(t, err)
		seen++
		version := found.State().Version
		if !found.Expire(t0.Add(time.Hour), 0) {
			t.Fatalf("not overdue: %+v", found.State())
		}
		must(t, store.Save(ctx, found, version))
		for nested, err := range store.Overdue(ctx, t0.Add(time.Hour), 1) {
			must(t, err)
			_, err := store.Get(ctx, nested.State().Owner, nested.State().ID)
			must(t, err)
		}
	}
	if seen != n {
		t.Errorf("%d tasks, want %d", seen, n)
	}
	if left := yielded(t, store.Overdue(ctx, t0.Add(time.Hour), n)); len(left) > 0 {
		t.Errorf("still overdue: %v", left)
	}
}

func theLoopOverOverdueMayEndEarly(t *testing.T, store TaskStore) {
	manyOverdue(t, store, 20)
	loop := store.Overdue(t.Context(), t0.Add(time.Hour), 20)
	for range 30 { // more than a store has connections
		for range loop {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := 0
	for _, err := range store.Overdue(ctx, t0.Add(time.Hour), 20) {
		if seen++; seen == 5 {
			cancel()
		}
		if seen > 5 {
			wantIs(t, "overdue after cancel", err, context.Canceled)
		}
	}
	if seen != 6 {
		t.Errorf("the loop ran %d times, want 5 times and once with the error", seen)
	}
}

func yielded(t *testing.T, loop iter.Seq2[*domain.Task, error]) []domain.TaskID {
	t.Helper()
	ids := []domain.TaskID{}
	for found, err := range loop {
		if err != nil {
			t.Errorf("the loop yields %v", err)
			continue
		}
		ids = append(ids, found.State().ID)
	}
	return ids
}
