//course:since m05a

package storetest

import (
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
)

// Users tests a store of users.
func Users(t *testing.T, open func(t *testing.T) app.UserRepository) {
	user := domain.User{ID: ann, Email: "ann@example.org", Name: "Änn '%", PasswordHash: "$argon2id$1", CreatedAt: t0}

	t.Run("UsersAreFoundByIDAndEmail", func(t *testing.T) {
		store := open(t)
		must(t, store.InsertUser(t.Context(), user))
		if got, err := store.User(t.Context(), ann); err != nil || got != user {
			t.Errorf("by id: got %+v, %v", got, err)
		}
		if got, err := store.UserByEmail(t.Context(), user.Email); err != nil || got != user {
			t.Errorf("by e-mail: got %+v, %v", got, err)
		}
		for _, id := range []domain.UserID{bob, "", "USR_ANN"} {
			_, err := store.User(t.Context(), id)
			wantIs(t, "user "+string(id), err, domain.ErrNotFound)
		}
		for _, email := range []string{"bob@example.org", "", "%", "ANN@example.org"} {
			_, err := store.UserByEmail(t.Context(), email)
			wantIs(t, "user with "+email, err, domain.ErrNotFound)
		}
	})

	t.Run("IDAndEmailAreTakenOnce", func(t *testing.T) {
		store := open(t)
		must(t, store.InsertUser(t.Context(), user))
		sameEmail, sameID := user, user
		sameEmail.ID, sameID.Email = bob, "bob@example.org"
		for _, u := range []domain.User{user, sameEmail, sameID} {
			wantIs(t, "insert again", store.InsertUser(t.Context(), u), domain.ErrDuplicate)
		}
		_, err := store.User(t.Context(), bob)
		wantIs(t, "the refused user", err, domain.ErrNotFound)
		_, err = store.UserByEmail(t.Context(), sameID.Email)
		wantIs(t, "the refused address", err, domain.ErrNotFound)
	})

	t.Run("OneOfManyRegistrationsWins", func(t *testing.T) {
		store := open(t)
		var wg sync.WaitGroup
		var won atomic.Int32
		for i := range 16 {
			wg.Go(func() {
				u := user
				u.ID += domain.UserID(rune('a' + i))
				if err := store.InsertUser(t.Context(), u); err == nil {
					won.Add(1)
				} else {
					wantIs(t, "register", err, domain.ErrDuplicate)
				}
			})
		}
		if wg.Wait(); won.Load() != 1 {
			t.Errorf("%d users have the same address", won.Load())
		}
	})

	t.Run("PasswordHashIsReplacedIfItIsTheOldOne", func(t *testing.T) {
		store, want := open(t), user
		must(t, store.InsertUser(t.Context(), user))
		must(t, store.ReplacePasswordHash(t.Context(), ann, "another one", "lost"))
		must(t, store.ReplacePasswordHash(t.Context(), bob, user.PasswordHash, "lost"))
		must(t, store.ReplacePasswordHash(t.Context(), ann, user.PasswordHash, "$argon2id$2"))
		want.PasswordHash = "$argon2id$2"
		if got, err := store.User(t.Context(), ann); err != nil || got != want {
			t.Errorf("got %+v, %v", got, err)
		}
	})

	t.Run("NothingHappensAfterCancel", func(t *testing.T) {
		store := open(t)
		wantIs(t, "insert", store.InsertUser(canceled(), user), context.Canceled)
		_, err := store.User(canceled(), ann)
		wantIs(t, "get", err, context.Canceled)
		_, err = store.User(t.Context(), ann)
		wantIs(t, "get afterwards", err, domain.ErrNotFound)
	})
}

// Sessions tests a store of sessions.
func Sessions(t *testing.T, open func(t *testing.T) app.SessionRepository) {
	session := func(token string, ends time.Time) app.Session {
		return app.Session{TokenHash: sha256.Sum256([]byte(token)), User: ann, ExpiresAt: ends}
	}

	t.Run("SessionsLastUntilTheyAreDeleted", func(t *testing.T) {
		store := open(t)
		one, two := session("one", t0), session("two", t0.Add(time.Hour))
		must(t, store.InsertSession(t.Context(), one))
		must(t, store.InsertSession(t.Context(), two))
		for _, want := range []app.Session{one, two} {
			if got, err := store.Session(t.Context(), want.TokenHash); err != nil || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		}
		for range 2 { // the second time it is gone
			must(t, store.DeleteSession(t.Context(), one.TokenHash))
			_, err := store.Session(t.Context(), one.TokenHash)
			wantIs(t, "deleted session", err, domain.ErrNotFound)
		}
		if got, err := store.Session(t.Context(), two.TokenHash); err != nil || got != two {
			t.Errorf("the other session: got %+v, %v", got, err)
		}
	})

	t.Run("ExpiredSessionsAreKeptForADay", func(t *testing.T) {
		store := open(t)
		old, later := session("old", t0), session("later", t0.Add(24*time.Hour))
		must(t, store.InsertSession(t.Context(), old))
		must(t, store.InsertSession(t.Context(), later))
		if got, err := store.Session(t.Context(), old.TokenHash); err != nil || got != old {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

// Attempts tests counts of attempts to log in.
func Attempts(t *testing.T, open func(t *testing.T) app.Attempts) {
	account := app.Quota{Key: "account ann", Max: 3, Window: time.Minute}
	address := app.Quota{Key: "address ::1", Max: 5, Window: time.Hour}
	admit := func(t *testing.T, store app.Attempts, at time.Time, want time.Duration, quotas ...app.Quota) {
		t.Helper()
		if wait, err := store.Admit(t.Context(), at, quotas...); err != nil || wait != want {
			t.Errorf("at %v: got %v, %v, want %v", at.Sub(t0), wait, err, want)
		}
	}

	t.Run("TheWindowSlides", func(t *testing.T) {
		store := open(t)
		for i := range 3 {
			admit(t, store, t0.Add(time.Duration(i)*time.Second), 0, account)
		}
		admit(t, store, t0.Add(2*time.Second), 58*time.Second, account)
		admit(t, store, t0.Add(time.Minute-time.Microsecond), time.Microsecond, account)
		admit(t, store, t0.Add(time.Minute), 0, account)
		admit(t, store, t0.Add(time.Minute), time.Second, account)
	})

	t.Run("AllOrNothingIsCounted", func(t *testing.T) {
		store := open(t)
		for range 3 {
			admit(t, store, t0, 0, account, address)
		}
		for range 9 { // refused for the account, and not counted for the address
			admit(t, store, t0, time.Minute, account, address)
		}
		admit(t, store, t0, 0, address)
		admit(t, store, t0, 0, address)
		admit(t, store, t0, time.Hour, address, account)
	})

	t.Run("AnAttemptCanBeTakenBack", func(t *testing.T) {
		store := open(t)
		for range 3 {
			admit(t, store, t0, 0, account)
		}
		must(t, store.Retract(t.Context(), t0, account.Key)) // one of three
		must(t, store.Retract(t.Context(), t0.Add(time.Second), account.Key))
		must(t, store.Retract(t.Context(), t0, "account bob"))
		admit(t, store, t0, 0, account)
		admit(t, store, t0, time.Minute, account)
		must(t, store.Clear(t.Context(), "account bob"))
		admit(t, store, t0, time.Minute, account)
		must(t, store.Clear(t.Context(), account.Key))
		admit(t, store, t0, 0, account)
	})

	t.Run("NoMaxIsNoLimit", func(t *testing.T) {
		store := open(t)
		for range 9 {
			admit(t, store, t0, 0, app.Quota{Key: "any", Window: time.Minute})
		}
	})

	t.Run("ManyAtOnceAreCountedOneByOne", func(t *testing.T) {
		store := open(t)
		var wg sync.WaitGroup
		var admitted atomic.Int32
		for range 50 {
			wg.Go(func() {
				if wait, err := store.Admit(t.Context(), t0, account); err != nil {
					t.Error(err)
				} else if wait == 0 {
					admitted.Add(1)
				}
			})
		}
		if wg.Wait(); admitted.Load() != 3 {
			t.Errorf("%d of 50 were admitted, want 3", admitted.Load())
		}
	})
}
