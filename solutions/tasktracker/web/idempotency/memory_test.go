//course:since m04a

package idempotency_test

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/tasktracker/web/idempotency"
)

var fingerprint = [32]byte{1}

func begin(t *testing.T, s idempotency.Store, want idempotency.State) idempotency.Stored {
	t.Helper()
	stored, state, err := s.Begin(t.Context(), "ada", "k", fingerprint)
	if state != want || err != nil {
		t.Fatalf("Begin = state %d, %v; want state %d", state, err, want)
	}
	return stored
}

func finish(t *testing.T, s idempotency.Store, lease uint64) error {
	t.Helper()
	return s.Finish(t.Context(), "ada", "k", idempotency.Stored{Status: http.StatusCreated, Fingerprint: fingerprint, Lease: lease})
}

func TestMemoryStore_AnswersAndReservationsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore() // an hour for answers, a minute for reservations
		begin(t, s, idempotency.Fresh)
		time.Sleep(time.Minute - 1)
		begin(t, s, idempotency.InFlight)
		time.Sleep(1)
		lease := begin(t, s, idempotency.Fresh).Lease
		if err := finish(t, s, lease); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour - 1)
		begin(t, s, idempotency.Done)
		time.Sleep(1)
		begin(t, s, idempotency.Fresh)
	})
}

func TestMemoryStore_WhoLostTheLeaseChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		late := begin(t, s, idempotency.Fresh).Lease
		time.Sleep(time.Minute)
		lease := begin(t, s, idempotency.Fresh).Lease
		if err := finish(t, s, late); !errors.Is(err, idempotency.ErrLeaseLost) {
			t.Errorf("Finish of the late request = %v, want ErrLeaseLost", err)
		}
		if err := s.Abort(t.Context(), "ada", "k", late); !errors.Is(err, idempotency.ErrLeaseLost) {
			t.Errorf("Abort of the late request = %v, want ErrLeaseLost", err)
		}
		begin(t, s, idempotency.InFlight)
		if err := s.Abort(t.Context(), "ada", "k", lease); err != nil {
			t.Errorf("Abort of the request that has the key = %v", err)
		}
		lease = begin(t, s, idempotency.Fresh).Lease
		time.Sleep(time.Hour)
		if err := finish(t, s, lease); err != nil {
			t.Errorf("Finish of a late request whose key nobody has taken = %v", err)
		}
	})
}

func TestMemoryStore_OneOfManyIsFresh(t *testing.T) {
	s := newStore()
	var fresh atomic.Int32
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			if _, state, err := s.Begin(t.Context(), "ada", "k", fingerprint); err == nil && state == idempotency.Fresh {
				fresh.Add(1)
			}
		})
	}
	group.Wait()
	if fresh.Load() != 1 {
		t.Errorf("%d callers got the key, want 1", fresh.Load())
	}
}

func TestMemoryStore_KeepsCopies(t *testing.T) {
	s := newStore()
	answer := idempotency.Stored{Status: http.StatusOK, Header: http.Header{"A": {"1"}}, Body: []byte("b"), Fingerprint: fingerprint}
	answer.Lease = begin(t, s, idempotency.Fresh).Lease
	want := answer
	want.Header, want.Body = http.Header{"A": {"1"}}, []byte("b")
	if err := s.Finish(t.Context(), "ada", "k", answer); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second look-up follows changes of what the first has got
		answer.Header["A"][0], answer.Body[0] = "2", 'c'
		answer = begin(t, s, idempotency.Done)
		if diff := cmp.Diff(want, answer); diff != "" {
			t.Errorf("stored answer (-want +got):\n%s", diff)
		}
	}
}
