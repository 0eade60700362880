//course:since m04b

package httpapi

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/infra/memory"
	"github.com/middle-go/course/tasktracker/infra/system"
)

// noHash keeps passwords as they are.
type noHash struct{}

func (noHash) Hash(_ context.Context, password string) (string, error) { return password, nil }

func (noHash) Verify(_ context.Context, hash, password string) (ok, outdated bool, err error) {
	return hash == password, false, nil
}

// stoppedClock moves only when a test moves it.
type stoppedClock struct{ now time.Time }

func (c *stoppedClock) Now() time.Time { return c.now }

// newAccountsAPI returns an API that knows users by their tokens, for an hour, and
// forgives two attempts to log in.
func newAccountsAPI(t *testing.T) (testAPI, *stoppedClock) {
	t.Helper()
	clock := &stoppedClock{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	accounts, err := app.NewAccounts(t.Context(), app.AccountPorts{
		Users: memory.NewUserRepo(), Sessions: memory.NewSessionRepo(), Attempts: memory.NewAttempts(),
		Passwords: noHash{}, IDs: system.IDs{}, Clock: clock,
	}, app.AccountRules{TokenTTL: time.Hour, LoginMax: 2, LoginWindow: 15 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return newTestAPI(t, func(cfg *Config) { cfg.Accounts, cfg.TrustDev = accounts, false }), clock
}

// logIn registers Ada and returns the header with her token.
func (h testAPI) logIn(t *testing.T) string {
	t.Helper()
	var user map[string]any
	decodeAnswer(t, h.do("POST", "/v1/users", `{"email":"ada@example.org","password":"correct horse","name":"Ada"}`), &user)
	var session struct {
		Token     string `json:"access_token"`
		Type      string `json:"token_type"`
		ExpiresAt string `json:"expires_at"`
	}
	w := h.do("POST", "/v1/sessions", `{"email":"ada@example.org","password":"correct horse"}`)
	decodeAnswer(t, w, &session)
	if session.Type != "Bearer" || session.ExpiresAt != "2026-11-23T10:00:00.000000Z" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("session = %+v, headers %v", session, w.Header())
	}
	return "Bearer " + session.Token
}

func TestAccounts_ATokenIsTheUserUntilHeLogsOut(t *testing.T) {
	h, _ := newAccountsAPI(t)
	token := h.logIn(t)
	var me struct{ Email, Name string }
	w := h.do("GET", "/v1/me", "", "Authorization", token)
	decodeAnswer(t, w, &me)
	if me.Email != "ada@example.org" || me.Name != "Ada" || strings.Contains(w.Body.String(), "horse") {
		t.Errorf("GET /v1/me = %s", w.Body)
	}
	if w := h.do("DELETE", "/v1/sessions/current", "", "Authorization", token); w.Code != http.StatusNoContent {
		t.Errorf("logging out = %d %s", w.Code, w.Body)
	}
	w = h.do("GET", "/v1/me", "", "Authorization", token)
	wantProblem(t, w, http.StatusUnauthorized, "unauthenticated")
	if got := w.Header().Get("WWW-Authenticate"); !strings.Contains(got, `error="invalid_token"`) {
		t.Errorf("WWW-Authenticate for a token without a session = %q", got)
	}
}

func TestAccounts_WithoutATokenNobodyComesIn(t *testing.T) {
	h, clock := newAccountsAPI(t)
	token := h.logIn(t)
	_, secret, _ := strings.Cut(token, " ")
	for _, header := range []string{"", secret, "Basic " + secret, "Bearer", "Bearer ", "Bearer x" + secret} {
		w := h.do("GET", "/v1/tasks", "", "Authorization", header) // and X-TT-User, which counts for nothing
		wantProblem(t, w, http.StatusUnauthorized, "unauthenticated")
		if got := w.Header().Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer realm=") {
			t.Errorf("WWW-Authenticate for %q = %q", header, got)
		}
	}
	if w := h.do("GET", "/v1/tasks", "", "Authorization", "bearer  "+secret); w.Code != http.StatusOK {
		t.Errorf("the scheme in small letters = %d %s", w.Code, w.Body)
	}
	clock.now = clock.now.Add(time.Hour)
	w := h.do("GET", "/v1/tasks", "", "Authorization", token)
	wantProblem(t, w, http.StatusUnauthorized, "token_expired")
	if got := w.Header().Get("WWW-Authenticate"); !strings.Contains(got, `error="invalid_token"`) {
		t.Errorf("WWW-Authenticate for an expired token = %q", got)
	}
}

func TestAccounts_TakenAndInvalidRegistrations(t *testing.T) {
	h, _ := newAccountsAPI(t)
	h.logIn(t)
	wantProblem(t, h.do("POST", "/v1/users", `{"email":"ADA@example.org","password":"battery staple","name":"Eve"}`), http.StatusConflict, "email_taken")
	w := h.do("POST", "/v1/users", `{"email":"ada","password":"horse","name":""}`)
	wantProblem(t, w, http.StatusUnprocessableEntity, "validation_failed")
	if codes := fieldErrors(t, w); len(codes) != 3 || strings.Contains(w.Body.String(), "horse") {
		t.Errorf("problem = %s, want three fields and no password", w.Body)
	}
}

func TestAccounts_GuessesAreTurnedAway(t *testing.T) {
	h, clock := newAccountsAPI(t)
	h.logIn(t)
	for range 2 {
		wantProblem(t, h.do("POST", "/v1/sessions", `{"email":"ada@example.org","password":"guess"}`), http.StatusUnauthorized, "bad_credentials")
	}
	clock.now = clock.now.Add(5 * time.Minute)
	w := h.do("POST", "/v1/sessions", `{"email":"ada@example.org","password":"correct horse"}`)
	wantProblem(t, w, http.StatusTooManyRequests, "login_throttled")
	if got := w.Header().Get("Retry-After"); got != "600" {
		t.Errorf("Retry-After = %q, want 600", got)
	}
}

func TestClientAddress_IsThatOfTheConnection(t *testing.T) {
	for remote, want := range map[string]string{"192.0.2.1:4711": "192.0.2.1", "[2001:db8::1]:4711": "2001:db8::1", "@": "@"} {
		r := request("POST", "/v1/sessions", "", nil)
		r.RemoteAddr = remote
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		if got := clientAddress(r); got != want {
			t.Errorf("clientAddress with %s = %s, want %s", remote, got, want)
		}
	}
}
