//course:since m05a

package storetest

import (
	"bytes"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/web/idempotency"
)

// Idempotency tests a store of answers, opened with the time that an answer and
// that a reservation are kept.
func Idempotency(t *testing.T, open func(t *testing.T, ttl, inflightTTL time.Duration) idempotency.Store) {
	const scope, key = "usr_ann", "key-1"
	fp, otherFP := [32]byte{1}, [32]byte{2}
	answer := idempotency.Stored{
		Status:      http.StatusCreated,
		Header:      http.Header{"Etag": {`"1"`}, "X-Two": {"a", "b"}},
		Body:        []byte("{\"title\":\"\x00\xff\"}"),
		Fingerprint: fp,
	}
	begin := func(t *testing.T, store idempotency.Store, scope, key string, fp [32]byte, want idempotency.State) idempotency.Stored {
		t.Helper()
		s, state, err := store.Begin(t.Context(), scope, key, fp)
		if err != nil || state != want {
			t.Fatalf("begin %s of %s: state %d, %v, want state %d", key, scope, state, err, want)
		}
		return s
	}

	t.Run("AnAnswerIsGivenAgain", func(t *testing.T) {
		store := open(t, time.Hour, time.Hour)
		reserved := begin(t, store, scope, key, fp, idempotency.Fresh)
		if want := (idempotency.Stored{Lease: reserved.Lease}); !reflect.DeepEqual(reserved, want) {
			t.Errorf("fresh: got %+v", reserved)
		}
		begin(t, store, scope, key, fp, idempotency.InFlight)
		begin(t, store, scope, key, otherFP, idempotency.Mismatch)

		answer := answer
		answer.Lease = reserved.Lease
		must(t, store.Finish(t.Context(), scope, key, answer))
		for range 2 {
			if got := begin(t, store, scope, key, fp, idempotency.Done); !reflect.DeepEqual(got, answer) {
				t.Errorf("got %+v, want %+v", got, answer)
			}
		}
		if got := begin(t, store, scope, key, otherFP, idempotency.Mismatch); !reflect.DeepEqual(got, idempotency.Stored{}) {
			t.Errorf("mismatch: got %+v", got)
		}
		begin(t, store, scope, "key-2", fp, idempotency.Fresh)
		begin(t, store, "usr_bob", key, fp, idempotency.Fresh)
	})

	t.Run("AnAnswerMayBeEmpty", func(t *testing.T) {
		store := open(t, time.Hour, time.Hour)
		lease := begin(t, store, scope, key, fp, idempotency.Fresh).Lease
		must(t, store.Finish(t.Context(), scope, key, idempotency.Stored{Status: http.StatusNoContent, Fingerprint: fp, Lease: lease}))
		got := begin(t, store, scope, key, fp, idempotency.Done)
		if got.Status != http.StatusNoContent || len(got.Header) > 0 || !bytes.Equal(got.Body, nil) {
			t.Errorf("got %+v", got)
		}
	})

	t.Run("AfterAbortTheKeyIsFree", func(t *testing.T) {
		store := open(t, time.Hour, time.Hour)
		first := begin(t, store, scope, key, fp, idempotency.Fresh)
		wantIs(t, "abort with another lease", store.Abort(t.Context(), scope, key, first.Lease+1), idempotency.ErrLeaseLost)
		begin(t, store, scope, key, fp, idempotency.InFlight)
		must(t, store.Abort(t.Context(), scope, key, first.Lease))
		must(t, store.Abort(t.Context(), scope, key, first.Lease)) // nobody else has it
		second := begin(t, store, scope, key, otherFP, idempotency.Fresh)
		if second.Lease == first.Lease {
			t.Errorf("two reservations have the lease %d", first.Lease)
		}
	})

	t.Run("AReservationThatRanOutIsLost", func(t *testing.T) {
		slow := open(t, time.Hour, time.Nanosecond)
		first := begin(t, slow, scope, key, fp, idempotency.Fresh)
		waitForTheClock()
		second := begin(t, slow, scope, key, fp, idempotency.Fresh)
		answer := answer
		answer.Lease = second.Lease
		must(t, slow.Finish(t.Context(), scope, key, answer)) // nobody has taken the key since
		late := answer
		late.Lease, late.Status = first.Lease, http.StatusTeapot
		wantIs(t, "finish too late", slow.Finish(t.Context(), scope, key, late), idempotency.ErrLeaseLost)
		wantIs(t, "abort too late", slow.Abort(t.Context(), scope, key, first.Lease), idempotency.ErrLeaseLost)
		if got := begin(t, slow, scope, key, fp, idempotency.Done); !reflect.DeepEqual(got, answer) {
			t.Errorf("got %+v, want %+v", got, answer)
		}
	})

	t.Run("AnAnswerIsForgottenInTheEnd", func(t *testing.T) {
		store := open(t, time.Nanosecond, time.Hour)
		answer := answer
		answer.Lease = begin(t, store, scope, key, fp, idempotency.Fresh).Lease
		must(t, store.Finish(t.Context(), scope, key, answer))
		waitForTheClock()
		begin(t, store, scope, key, otherFP, idempotency.Fresh)
	})

	t.Run("OneOfManyIsFirst", func(t *testing.T) {
		store := open(t, time.Hour, time.Hour)
		var wg sync.WaitGroup
		var fresh, inFlight atomic.Int32
		for range 32 {
			wg.Go(func() {
				switch _, state, err := store.Begin(t.Context(), scope, key, fp); {
				case err != nil:
					t.Error(err)
				case state == idempotency.Fresh:
					fresh.Add(1)
				case state == idempotency.InFlight:
					inFlight.Add(1)
				}
			})
		}
		if wg.Wait(); fresh.Load() != 1 || inFlight.Load() != 31 {
			t.Errorf("%d are fresh and %d in flight, want 1 and 31", fresh.Load(), inFlight.Load())
		}
	})
}

// waitForTheClock returns when the time has changed in a unit that every store
// keeps.
func waitForTheClock() {
	for start := time.Now().UnixMicro(); time.Now().UnixMicro() <= start+1; {
	}
}
