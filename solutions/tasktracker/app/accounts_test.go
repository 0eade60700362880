//course:since m04b

package app_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
	"github.com/middle-go/course/tasktracker/infra/memory"
)

// plain "hashes" a password by putting something before it, and counts.
type plain struct {
	mu       sync.Mutex
	verified int
	prefix   string
	fail     error
}

func (p *plain) Hash(_ context.Context, password string) (string, error) {
	return p.prefix + password, nil
}

func (p *plain) Verify(_ context.Context, hash, password string) (ok, outdated bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.verified++
	ok = strings.HasSuffix(hash, ":"+password)
	return ok, ok && !strings.HasPrefix(hash, p.prefix), p.fail
}

type manualClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type userIDs struct{}

func (userIDs) NewUserID() (domain.UserID, error) { return domain.NewUserID(time.Now(), rand.Reader) }

type accounts struct {
	*app.Accounts
	passwords *plain
	clock     *manualClock
	users     *memory.UserRepo
}

func newAccounts(t *testing.T) accounts {
	t.Helper()
	a := accounts{
		passwords: &plain{prefix: "v1:"},
		clock:     &manualClock{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)},
		users:     memory.NewUserRepo(),
	}
	var err error
	a.Accounts, err = app.NewAccounts(t.Context(), app.AccountPorts{
		Users: a.users, Sessions: memory.NewSessionRepo(), Attempts: memory.NewAttempts(),
		Passwords: a.passwords, IDs: userIDs{}, Clock: a.clock,
	}, app.AccountRules{TokenTTL: time.Hour, LoginMax: 3, LoginWindow: 15 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Register(t.Context(), app.Registration{Email: " Ada@Example.org", Password: "correct horse", Name: "Ada"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (a accounts) logIn(t *testing.T, email, password string) (string, error) {
	t.Helper()
	token, _, err := a.LogIn(t.Context(), email, password, "192.0.2.1")
	return token, err
}

func TestRegister_OneAccountForAnAddress(t *testing.T) {
	a := newAccounts(t)
	_, err := a.Register(t.Context(), app.Registration{Email: "ADA@example.ORG ", Password: "battery staple", Name: "Eve"})
	if !errors.Is(err, app.ErrEmailTaken) || errs.KindOf(err) != errs.Conflict {
		t.Errorf("Register with the same address = %v, want ErrEmailTaken of kind Conflict", err)
	}
}

func TestRegister_ReportsAllFields(t *testing.T) {
	a := newAccounts(t)
	_, err := a.Register(t.Context(), app.Registration{Email: "ada", Password: "short", Name: " \t"})
	got := map[string]string{}
	for _, f := range errs.FieldErrors(err) {
		got[f.Field] = f.Code
	}
	if got["email"] != "bad_format" || got["password"] != "too_short" || got["name"] != "required" {
		t.Errorf("field errors = %v", got)
	}
}

func TestLogIn_TokenIsTheUserUntilItExpires(t *testing.T) {
	a := newAccounts(t)
	token, err := a.logIn(t, "ada@example.org", "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	id, err := a.Authenticate(t.Context(), token)
	if user, uerr := a.User(t.Context(), id); err != nil || uerr != nil || user.Email != "ada@example.org" {
		t.Errorf("Authenticate = %q, %v; its user %+v, %v", id, err, user, uerr)
	}
	a.clock.advance(time.Hour)
	if _, err := a.Authenticate(t.Context(), token); !errors.Is(err, app.ErrTokenExpired) {
		t.Errorf("Authenticate after an hour = %v, want ErrTokenExpired", err)
	}
}

func TestLogOut_EndsTheSession(t *testing.T) {
	a := newAccounts(t)
	token, err := a.logIn(t, "ada@example.org", "correct horse")
	if err := errors.Join(err, a.LogOut(t.Context(), token), a.LogOut(t.Context(), token)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Authenticate(t.Context(), token); !errors.Is(err, app.ErrNoSession) {
		t.Errorf("Authenticate after LogOut = %v, want ErrNoSession", err)
	}
}

func TestLogIn_UnknownUserCostsAsMuchAsAWrongPassword(t *testing.T) {
	a := newAccounts(t)
	for _, email := range []string{"ada@example.org", "eve@example.org", "no address"} {
		before := a.passwords.verified
		_, err := a.logIn(t, email, "wrong password")
		if !errors.Is(err, app.ErrBadCredentials) || errs.KindOf(err) != errs.Unauthenticated || a.passwords.verified != before+1 {
			t.Errorf("LogIn(%q) = %v after %d verifications, want ErrBadCredentials after 1", email, err, a.passwords.verified-before)
		}
	}
}

func TestLogIn_GuessesAreThrottled(t *testing.T) {
	a := newAccounts(t)
	for range 3 {
		if _, err := a.logIn(t, "ada@example.org", "guess"); !errors.Is(err, app.ErrBadCredentials) {
			t.Fatal(err)
		}
		a.clock.advance(time.Minute)
	}
	_, err := a.logIn(t, "ada@example.org", "correct horse")
	throttled, ok := errors.AsType[*app.ThrottledError](err)
	if !ok || throttled.Wait != 12*time.Minute {
		t.Fatalf("the fourth attempt = %v, want to wait 12m, until the first guess leaves the window", err)
	}
	a.clock.advance(throttled.Wait)
	if _, err := a.logIn(t, "ada@example.org", "correct horse"); err != nil {
		t.Errorf("LogIn after the wait = %v", err)
	}
}

func TestLogIn_SuccessClearsTheGuesses(t *testing.T) {
	a := newAccounts(t)
	for range 3 {
		_, wrong := a.logIn(t, "ada@example.org", "guess")
		_, right := a.logIn(t, "ada@example.org", "correct horse")
		if !errors.Is(wrong, app.ErrBadCredentials) || right != nil {
			t.Fatalf("wrong password: %v, right one: %v", wrong, right)
		}
	}
}

func TestLogIn_FailureOfOursIsNoGuess(t *testing.T) {
	a := newAccounts(t)
	a.passwords.fail = errors.New("out of memory")
	for range 5 {
		if _, err := a.logIn(t, "ada@example.org", "correct horse"); errs.KindOf(err) != errs.Internal {
			t.Fatalf("LogIn = %v, want Internal", err)
		}
	}
	a.passwords.fail = nil
	if _, err := a.logIn(t, "ada@example.org", "correct horse"); err != nil {
		t.Errorf("LogIn after our failure is over = %v", err)
	}
}

func TestLogIn_RenewsAnOutdatedHash(t *testing.T) {
	a := newAccounts(t)
	a.passwords.prefix = "v2:"
	if _, err := a.logIn(t, "ada@example.org", "correct horse"); err != nil {
		t.Fatal(err)
	}
	user, err := a.users.UserByEmail(t.Context(), "ada@example.org")
	if err != nil || user.PasswordHash != "v2:correct horse" {
		t.Errorf("stored hash = %q, %v; want the new one", user.PasswordHash, err)
	}
}

func TestSession_TheTokenIsStoredNowhere(t *testing.T) {
	sessions := &spySessions{SessionRepo: memory.NewSessionRepo()}
	a := newAccounts(t)
	a.Sessions = sessions
	token, err := a.logIn(t, "ada@example.org", "correct horse")
	if err != nil || sessions.last.TokenHash != sha256.Sum256([]byte(token)) {
		t.Errorf("stored %x for the token %q, %v; want its SHA-256", sessions.last.TokenHash, token, err)
	}
}

type spySessions struct {
	*memory.SessionRepo
	last app.Session
}

func (s *spySessions) InsertSession(ctx context.Context, session app.Session) error {
	s.last = session
	return s.SessionRepo.InsertSession(ctx, session)
}
