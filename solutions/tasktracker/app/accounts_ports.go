//course:since m04b

package app

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

// UserRepository stores users. It is safe for concurrent use.
type UserRepository interface {
	// InsertUser stores a new user, or returns [domain.ErrDuplicate] if his id or
	// e-mail address is taken.
	InsertUser(ctx context.Context, u domain.User) error

	// User returns the user with that id, or [domain.ErrNotFound].
	User(ctx context.Context, id domain.UserID) (domain.User, error)

	// UserByEmail returns the user with that normal e-mail address, or
	// [domain.ErrNotFound].
	UserByEmail(ctx context.Context, email string) (domain.User, error)

	// ReplacePasswordHash replaces the password hash of a user if it still is
	// old; otherwise it does nothing.
	ReplacePasswordHash(ctx context.Context, id domain.UserID, old, replacement string) error
}

// Session lets the bearer of a token act as a user until it expires. The token
// itself is stored nowhere: who reads the table of sessions can use none.
type Session struct {
	TokenHash [sha256.Size]byte
	User      domain.UserID
	ExpiresAt time.Time
}

// SessionRepository stores sessions. It is safe for concurrent use.
type SessionRepository interface {
	// InsertSession stores a session. It may forget sessions that expired more
	// than a day before this one does.
	InsertSession(ctx context.Context, s Session) error

	// Session returns the session of a token, expired or not, or
	// [domain.ErrNotFound].
	Session(ctx context.Context, tokenHash [sha256.Size]byte) (Session, error)

	// DeleteSession ends a session. To end one that is gone is no error.
	DeleteSession(ctx context.Context, tokenHash [sha256.Size]byte) error
}

// Quota is how many attempts within a window count. A Max below 1 means that
// there is no limit.
type Quota struct {
	Key    string // whose attempts, as in "account ada@example.org"
	Max    int
	Window time.Duration
}

// Attempts counts attempts to log in. It is safe for concurrent use, and all
// processes of the service share its counts.
type Attempts interface {
	// Admit counts one attempt for each quota and returns 0. If one of them is
	// exhausted it counts none, and returns after what time the next attempt may
	// be admitted. It is one step: a thousand guesses at once are a thousand
	// attempts.
	Admit(ctx context.Context, at time.Time, quotas ...Quota) (wait time.Duration, err error)

	// Retract takes back the attempt that was made under a key at that time.
	Retract(ctx context.Context, at time.Time, key string) error

	// Clear takes back all attempts under a key.
	Clear(ctx context.Context, key string) error
}

// Passwords makes and checks the hashes of passwords. That is slow on purpose,
// so it waits its turn, and returns the error of ctx if ctx is done before. It
// is safe for concurrent use.
type Passwords interface {
	// Hash returns the hash of a password, salt and parameters included.
	Hash(ctx context.Context, password string) (string, error)

	// Verify reports whether a hash is that of password. If it is, outdated
	// reports whether a new hash would be stronger.
	Verify(ctx context.Context, hash, password string) (ok, outdated bool, err error)
}

// UserIDs makes ids of users. No two are equal. It is safe for concurrent use.
type UserIDs interface {
	NewUserID() (domain.UserID, error)
}
