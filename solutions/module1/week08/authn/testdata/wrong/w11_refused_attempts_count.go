// Wrong: believes that who is locked out and tries again deserves to wait longer.
// Caught by: TestLogin_ThrottleExactBoundary

// Package authn checks passwords and keeps sessions. Who reads its tables can
// neither sign in nor learn a password cheaply.
package authn

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
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

	keyLen = sha256.Size
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

func (h Hasher) valid() bool {
	return 1 <= h.Iterations && h.Iterations <= MaxIterations && h.SaltLen >= MinSaltLen
}

// Hash returns the encoding of password with a new random salt. It returns
// ErrInvalidPassword for a password with a NUL byte, and another error if a
// parameter of h is out of its range.
func (h Hasher) Hash(password string) (string, error) {
	if !h.valid() {
		return "", fmt.Errorf("authn: %d iterations and %d bytes of salt are out of range", h.Iterations, h.SaltLen)
	}
	if hasNUL(password) {
		return "", ErrInvalidPassword
	}
	salt := make([]byte, h.SaltLen)
	_, _ = rand.Read(salt) // never fails
	key, err := pbkdf2.Key(sha256.New, password, salt, h.Iterations, keyLen)
	if err != nil {
		return "", err
	}
	return encode(h.Iterations, salt, key), nil
}

// Verify reports whether encoded is the hash of password, computed with the
// parameters in encoded. If it is, rehash reports whether one of them is below
// that of h. Verify returns ErrCorruptHash for an encoding that Hash cannot
// have made.
func (h Hasher) Verify(encoded, password string) (ok, rehash bool, err error) {
	made, salt, want, err := decode(encoded)
	if err != nil {
		return false, false, err
	}
	got, err := pbkdf2.Key(sha256.New, password, salt, made.Iterations, keyLen)
	ok = subtle.ConstantTimeCompare(got, want) == 1 && !hasNUL(password)
	return ok, ok && (made.Iterations < h.Iterations || made.SaltLen < h.SaltLen), err
}

// hasNUL reports whether password has a NUL byte. HMAC pads a short key with
// zeros, so "abc" and "abc\x00" have the same hash.
func hasNUL(password string) bool { return strings.Contains(password, "\x00") }

func encode(iterations int, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$pbkdf2-sha256$i=%d$%s$%s", iterations, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// decode also returns the Hasher that made encoded.
func decode(encoded string) (made Hasher, salt, key []byte, err error) {
	fields := strings.Split(encoded, "$")
	if len(fields) != 5 {
		return Hasher{}, nil, nil, ErrCorruptHash
	}
	iterations, err1 := strconv.Atoi(strings.TrimPrefix(fields[2], "i="))
	salt, err2 := base64.RawStdEncoding.DecodeString(fields[3])
	key, err3 := base64.RawStdEncoding.DecodeString(fields[4])
	made = Hasher{Iterations: iterations, SaltLen: len(salt)}
	switch {
	case errors.Join(err1, err2, err3) != nil, !made.valid(), len(key) != keyLen,
		encode(iterations, salt, key) != encoded: // the decoders are lenient: +1, 007, line breaks
		return Hasher{}, nil, nil, ErrCorruptHash
	}
	return made, salt, key, nil
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
type Sessions struct {
	users  Users
	hasher Passwords
	clock  func() time.Time
	ttl    time.Duration
	lim    Throttle
	decoy  string // a hash that nobody has the password of

	mu       sync.Mutex
	sessions map[[sha256.Size]byte]session // by the hash of the token
	attempts map[subject][]time.Time       // that count, in order
	sweepAt  time.Time                     // the next pass of sweep
}

type session struct {
	userID string
	exp    time.Time
}

// subject is what a Throttle limits.
type subject struct{ kind, name string }

func account(name string) subject { return subject{"account", name} }
func address(name string) subject { return subject{"address", name} }

// NewSessions returns Sessions whose tokens are valid for ttl, which is above
// zero. The clock is its only source of time; it is safe for concurrent use.
// NewSessions makes one password hash, and returns the error of that.
func NewSessions(users Users, h Passwords, clock func() time.Time, ttl time.Duration, lim Throttle) (*Sessions, error) {
	decoy, err := h.Hash(rand.Text())
	if err != nil {
		return nil, err
	}
	return &Sessions{
		users:    users,
		hasher:   h,
		clock:    clock,
		ttl:      ttl,
		lim:      lim,
		decoy:    decoy,
		sessions: make(map[[sha256.Size]byte]session),
		attempts: make(map[subject][]time.Time),
		sweepAt:  clock().Add(ttl),
	}, nil
}

// Login checks a password and starts a session. The case of the e-mail address
// and space around it do not matter. The remote is the address of the client,
// without a port.
//
// The error is ErrThrottled before anything was looked up, or ErrBadCredentials
// for an unknown user and for a wrong password alike, after the same work. Any
// other error wraps that of Users or Passwords.
func (s *Sessions) Login(ctx context.Context, email, password, remote string) (token string, exp time.Time, err error) {
	email = strings.ToLower(strings.TrimSpace(email))
	at, admitted := s.admit(account(email), address(remote))
	if !admitted {
		return "", time.Time{}, ErrThrottled
	}
	userID, err := s.check(ctx, email, password)
	if errors.Is(err, ErrBadCredentials) {
		return "", time.Time{}, ErrBadCredentials
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.takeBack(address(remote), at)
	if err != nil {
		s.takeBack(account(email), at)
		return "", time.Time{}, fmt.Errorf("authn: login: %w", err)
	}
	delete(s.attempts, account(email))
	token, exp = rand.Text(), s.clock().Add(s.ttl)
	s.sessions[sha256.Sum256([]byte(token))] = session{userID, exp}
	return token, exp, nil
}

// Authenticate returns the user of a token: ErrExpired if its time is over, and
// ErrBadCredentials if it was revoked or never existed. A session that expired
// a ttl ago or earlier may be forgotten.
func (s *Sessions) Authenticate(ctx context.Context, token string) (userID string, err error) {
	id := sha256.Sum256([]byte(token))
	now := s.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.sessions[id]
	switch {
	case !ok:
		return "", ErrBadCredentials
	case !now.Before(found.exp):
		return "", ErrExpired
	default:
		return found.userID, nil
	}
}

// Revoke ends the session of a token. A token without a session is no error.
func (s *Sessions) Revoke(ctx context.Context, token string) error {
	id := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, id)
	return nil
}

// check returns the id of the user, or ErrBadCredentials. It verifies exactly
// one hash, whether the user exists or not.
func (s *Sessions) check(ctx context.Context, email, password string) (userID string, err error) {
	user, err := s.users.ByEmail(ctx, email)
	unknown := errors.Is(err, ErrNoUser)
	if unknown {
		user, err = User{PasswordHash: s.decoy}, nil
	}
	if err != nil {
		return "", err
	}
	ok, rehash, err := s.hasher.Verify(user.PasswordHash, password)
	if err != nil {
		return "", err
	}
	if !ok || unknown {
		return "", ErrBadCredentials
	}
	if rehash {
		// A hash that could not be replaced is still right, and the next login
		// tries again.
		if stronger, err := s.hasher.Hash(password); err == nil {
			_ = s.users.ReplaceHash(ctx, user.ID, user.PasswordHash, stronger)
		}
	}
	return user.ID, nil
}

// admit counts an attempt before its password is looked at, so that a thousand
// guesses at the same time are a thousand attempts.
func (s *Sessions) admit(subjects ...subject) (at time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at = s.clock()
	s.sweep(at)
	if s.lim.Max < 1 {
		return at, true
	}
	ok = true
	for _, who := range subjects {
		counting := s.counting(who, at)
		ok = ok && len(counting) < s.lim.Max
		s.attempts[who] = append(counting, at)
	}
	return at, ok
}

// counting returns the attempts that still count.
func (s *Sessions) counting(who subject, now time.Time) []time.Time {
	attempts := s.attempts[who]
	for len(attempts) > 0 && now.Sub(attempts[0]) >= s.lim.Window {
		attempts = attempts[1:]
	}
	return attempts
}

// takeBack removes an attempt: it was no wrong guess.
func (s *Sessions) takeBack(who subject, at time.Time) {
	if i := slices.Index(s.attempts[who], at); i >= 0 {
		s.attempts[who] = slices.Delete(s.attempts[who], i, i+1)
	}
}

// sweep frees what nobody may ask for again.
func (s *Sessions) sweep(now time.Time) {
	if now.Before(s.sweepAt) {
		return
	}
	maps.DeleteFunc(s.sessions, func(_ [sha256.Size]byte, old session) bool { return !now.Before(old.exp.Add(s.ttl)) })
	maps.DeleteFunc(s.attempts, func(who subject, _ []time.Time) bool { return len(s.counting(who, now)) == 0 })
	s.sweepAt = now.Add(s.ttl)
}
