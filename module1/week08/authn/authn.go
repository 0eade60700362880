// Package authn checks passwords and keeps sessions. Who reads its tables can
// neither sign in nor learn a password cheaply.
package authn

import (
	"context"
	"errors"
	"time"
)

// Errors that a caller tells apart with errors.Is.
var (
	ErrBadCredentials  = errors.New("authn: bad credentials")
	ErrThrottled       = errors.New("authn: too many attempts")
	ErrExpired         = errors.New("authn: session has expired")
	ErrNoUser          = errors.New("authn: no such user")
	ErrInvalidPassword = errors.New("authn: password contains a NUL byte")
	ErrCorruptHash     = errors.New("authn: corrupt password hash")
)

const (
	// MaxIterations is the most work that Hash and Verify accept.
	MaxIterations = 10_000_000

	// MinSaltLen is the shortest salt, in bytes, that Hash makes.
	MinSaltLen = 16
)

// Hasher hashes passwords with PBKDF2-HMAC-SHA256. The encoding of a hash is
//
//	$pbkdf2-sha256$i=600000$<salt>$<key>
//
// with the iterations in decimal, and salt and key (32 bytes) in
// base64.RawStdEncoding.
type Hasher struct {
	Iterations int // 1 to MaxIterations
	SaltLen    int // in bytes, MinSaltLen or more
}

// Hash returns the encoding of password with a new random salt. It returns
// ErrInvalidPassword for a password with a NUL byte, and another error if a
// parameter of h is out of its range.
func (h Hasher) Hash(password string) (string, error) {
	return "", errors.ErrUnsupported
}

// Verify reports whether encoded is the hash of password, computed with the
// parameters in encoded. If it is, rehash reports whether one of them is below
// that of h. Verify returns ErrCorruptHash for an encoding that Hash cannot
// have made.
func (h Hasher) Verify(encoded, password string) (ok, rehash bool, err error) {
	return false, false, errors.ErrUnsupported
}

// Passwords makes and checks password hashes, as Hasher does. It is safe for
// concurrent use.
type Passwords interface {
	Hash(password string) (string, error)
	Verify(encoded, password string) (ok, rehash bool, err error)
}

// User is an account.
type User struct{ ID, Email, PasswordHash string }

// Users is the table of accounts. It is safe for concurrent use.
type Users interface {
	// ByEmail returns the user with that e-mail address, in lower case and
	// without space around it, or an error that is ErrNoUser.
	ByEmail(ctx context.Context, email string) (User, error)

	// ReplaceHash replaces the password hash of a user if it still is old.
	ReplaceHash(ctx context.Context, userID, old, new string) error
}

// Throttle limits guessing: of one account, and from one address, at most Max
// attempts count within Window. A Max below 1 means no limit.
type Throttle struct {
	Max    int
	Window time.Duration
}

// Sessions signs users in and recognises their tokens. It keeps its state in
// memory, starts no goroutine and is safe for concurrent use.
type Sessions struct{}

// NewSessions returns Sessions whose tokens are valid for ttl, which is above
// zero. The clock is its only source of time; it is safe for concurrent use.
// NewSessions makes one password hash, and returns the error of that.
func NewSessions(users Users, h Passwords, clock func() time.Time, ttl time.Duration, lim Throttle) (*Sessions, error) {
	return new(Sessions), errors.ErrUnsupported
}

// Login checks a password and starts a session. The case of the e-mail address
// and space around it do not matter. The remote is the address of the client,
// without a port.
//
// The error is ErrThrottled before anything was looked up, or ErrBadCredentials
// for an unknown user and for a wrong password alike, after the same work. Any
// other error wraps that of Users or Passwords.
func (s *Sessions) Login(ctx context.Context, email, password, remote string) (token string, exp time.Time, err error) {
	return "", time.Time{}, errors.ErrUnsupported
}

// Authenticate returns the user of a token: ErrExpired if its time is over, and
// ErrBadCredentials if it was revoked or never existed. A session that expired
// a ttl ago or earlier may be forgotten.
func (s *Sessions) Authenticate(ctx context.Context, token string) (userID string, err error) {
	return "", errors.ErrUnsupported
}

// Revoke ends the session of a token. A token without a session is no error.
func (s *Sessions) Revoke(ctx context.Context, token string) error {
	return errors.ErrUnsupported
}
