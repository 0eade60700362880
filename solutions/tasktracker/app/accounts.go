//course:since m04b

package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
)

// What a caller of [Accounts] tells apart with [errors.Is].
var (
	ErrEmailTaken     = errors.New("this e-mail address has an account")
	ErrBadCredentials = errors.New("wrong e-mail address or password")
	ErrNoSession      = errors.New("no session has this token")
	ErrTokenExpired   = errors.New("the session has expired")
)

// ThrottledError refuses an attempt to log in without looking at the password.
type ThrottledError struct{ Wait time.Duration }

// Error tells how long to wait.
func (e *ThrottledError) Error() string {
	return fmt.Sprintf("too many attempts; the next one in %v", e.Wait)
}

// AccountPorts is what [Accounts] needs from outside. All fields are required.
type AccountPorts struct {
	Users     UserRepository
	Sessions  SessionRepository
	Attempts  Attempts
	Passwords Passwords
	IDs       UserIDs
	Clock     Clock
}

// AccountRules are the limits of [Accounts].
type AccountRules struct {
	TokenTTL    time.Duration // how long a session lasts
	LoginMax    int           // attempts on one account that count within LoginWindow; below 1: no limit
	LoginWindow time.Duration
}

// addressFactor is how many more attempts one address has than one account: an
// office has many people behind one address.
const addressFactor = 10

// Accounts registers users, logs them in and knows them again by their tokens.
// It is safe for concurrent use.
type Accounts struct {
	AccountPorts
	rules AccountRules
	decoy string // a hash whose password nobody knows
}

// NewAccounts returns the use cases on these ports. It makes one password hash
// and returns the error of that.
func NewAccounts(ctx context.Context, ports AccountPorts, rules AccountRules) (*Accounts, error) {
	decoy, err := ports.Passwords.Hash(ctx, rand.Text())
	if err != nil {
		return nil, wrap("prepare accounts", err)
	}
	return &Accounts{AccountPorts: ports, rules: rules, decoy: decoy}, nil
}

// Registration is what somebody says who wants an account.
type Registration struct{ Email, Password, Name string }

// Register stores a new user. The error wraps [ErrEmailTaken] if the e-mail
// address, whatever its case, has an account already.
func (a *Accounts) Register(ctx context.Context, in Registration) (domain.User, error) {
	const op = "register user"
	user, err := in.user()
	if err != nil {
		return domain.User{}, wrap(op, err)
	}
	user.CreatedAt = a.Clock.Now().UTC().Truncate(time.Microsecond)
	if user.ID, err = a.IDs.NewUserID(); err != nil {
		return domain.User{}, wrap(op, err)
	}
	if user.PasswordHash, err = a.Passwords.Hash(ctx, in.Password); err != nil {
		return domain.User{}, wrap(op, err)
	}
	err = a.Users.InsertUser(ctx, user)
	if errors.Is(err, domain.ErrDuplicate) {
		err = errs.E("", errs.Conflict, ErrEmailTaken)
	}
	if err != nil {
		return domain.User{}, wrap(op, err)
	}
	return user, nil
}

// user checks all fields and returns what does not depend on the service.
func (in Registration) user() (u domain.User, err error) {
	var c checker
	u.Email, err = domain.NormalEmail(in.Email)
	c.add(err)
	u.Name, err = domain.NormalUserName(in.Name)
	c.add(err)
	c.add(domain.CheckPassword(in.Password))
	return u, c.err()
}

// LogIn starts a session and returns its token, which is shown this once, and
// when it ends. The client is the address that the attempt comes from.
//
// The error is a [ThrottledError] before anything was looked up, or
// [ErrBadCredentials] for an unknown user and for a wrong password alike, after
// the same work.
func (a *Accounts) LogIn(ctx context.Context, email, password, client string) (token string, ends time.Time, err error) {
	const op = "log in"
	email, _ = domain.NormalEmail(email) // an odd one becomes "", which is nobody's
	at := a.Clock.Now()
	account := Quota{Key: "account " + email, Max: a.rules.LoginMax, Window: a.rules.LoginWindow}
	address := Quota{Key: "address " + client, Max: addressFactor * a.rules.LoginMax, Window: a.rules.LoginWindow}
	wait, err := a.Attempts.Admit(ctx, at, account, address)
	if err != nil {
		return "", time.Time{}, wrap(op, err)
	}
	if wait > 0 {
		return "", time.Time{}, wrap(op, errs.E("", errs.Unavailable, &ThrottledError{Wait: wait}))
	}

	user, err := a.verify(ctx, email, password)
	if errors.Is(err, ErrBadCredentials) {
		return "", time.Time{}, wrap(op, err)
	}
	settle := context.WithoutCancel(ctx) // a client that leaves must not leave a guess behind
	taken := a.Attempts.Retract(settle, at, address.Key)
	if err != nil {
		return "", time.Time{}, wrap(op, errors.Join(err, taken, a.Attempts.Retract(settle, at, account.Key)))
	}
	if err := errors.Join(taken, a.Attempts.Clear(settle, account.Key)); err != nil {
		return "", time.Time{}, wrap(op, err)
	}
	token, ends = rand.Text(), a.Clock.Now().Add(a.rules.TokenTTL).UTC().Truncate(time.Microsecond)
	err = a.Sessions.InsertSession(ctx, Session{TokenHash: sha256.Sum256([]byte(token)), User: user.ID, ExpiresAt: ends})
	if err != nil {
		return "", time.Time{}, wrap(op, err)
	}
	return token, ends, nil
}

// verify returns the user, or [ErrBadCredentials]. It checks exactly one hash,
// whether the user exists or not.
func (a *Accounts) verify(ctx context.Context, email, password string) (domain.User, error) {
	user, err := a.Users.UserByEmail(ctx, email)
	unknown := errors.Is(err, domain.ErrNotFound)
	if unknown {
		user, err = domain.User{PasswordHash: a.decoy}, nil
	}
	if err != nil {
		return domain.User{}, err
	}
	ok, outdated, err := a.Passwords.Verify(ctx, user.PasswordHash, password)
	if err != nil {
		return domain.User{}, err
	}
	if unknown || !ok {
		return domain.User{}, errs.E("", errs.Unauthenticated, ErrBadCredentials)
	}
	if outdated {
		a.renewHash(ctx, user, password)
	}
	return user, nil
}

// renewHash makes a stronger hash of a password that was right. If that fails,
// the old one is still right, and the next login tries again.
func (a *Accounts) renewHash(ctx context.Context, user domain.User, password string) {
	if hash, err := a.Passwords.Hash(ctx, password); err == nil {
		_ = a.Users.ReplacePasswordHash(ctx, user.ID, user.PasswordHash, hash)
	}
}

// Authenticate returns the user of a token. The error is [ErrTokenExpired] if
// its time is over, and [ErrNoSession] if it was revoked or never existed.
func (a *Accounts) Authenticate(ctx context.Context, token string) (domain.UserID, error) {
	const op = "authenticate"
	session, err := a.Sessions.Session(ctx, sha256.Sum256([]byte(token)))
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return "", wrap(op, errs.E("", errs.Unauthenticated, ErrNoSession))
	case err != nil:
		return "", wrap(op, err)
	case !a.Clock.Now().Before(session.ExpiresAt):
		return "", wrap(op, errs.E("", errs.Unauthenticated, ErrTokenExpired))
	}
	return session.User, nil
}

// LogOut ends the session of a token. A token without a session is no error.
func (a *Accounts) LogOut(ctx context.Context, token string) error {
	return wrap("log out", a.Sessions.DeleteSession(ctx, sha256.Sum256([]byte(token))))
}

// User returns the account of a user who has authenticated.
func (a *Accounts) User(ctx context.Context, id domain.UserID) (domain.User, error) {
	user, err := a.Users.User(ctx, id)
	return user, wrap("get user", err)
}
