//course:since m04b

package memory

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
)

// keepExpired is how long an expired session is still told from one that never
// existed.
const keepExpired = 24 * time.Hour

// SessionRepo stores sessions. It is safe for concurrent use.
type SessionRepo struct {
	mu       sync.RWMutex
	sessions map[[sha256.Size]byte]app.Session
	swept    time.Time // up to here, expired sessions are gone
}

// NewSessionRepo returns an empty repository.
func NewSessionRepo() *SessionRepo {
	return &SessionRepo{sessions: make(map[[sha256.Size]byte]app.Session)}
}

// InsertSession stores a session.
func (r *SessionRepo) InsertSession(ctx context.Context, s app.Session) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep(s.ExpiresAt.Add(-keepExpired))
	r.sessions[s.TokenHash] = s
	return nil
}

// sweep forgets what expired before limit. One pass in an hour is enough.
func (r *SessionRepo) sweep(limit time.Time) {
	if limit.Sub(r.swept) < time.Hour {
		return
	}
	maps.DeleteFunc(r.sessions, func(_ [sha256.Size]byte, s app.Session) bool { return s.ExpiresAt.Before(limit) })
	r.swept = limit
}

// Session returns the session of a token, or [domain.ErrNotFound].
func (r *SessionRepo) Session(ctx context.Context, tokenHash [sha256.Size]byte) (app.Session, error) {
	if err := ctx.Err(); err != nil {
		return app.Session{}, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	s, ok := r.sessions[tokenHash]
	if !ok {
		return app.Session{}, fmt.Errorf("session: %w", domain.ErrNotFound)
	}
	return s, nil
}

// DeleteSession ends a session.
func (r *SessionRepo) DeleteSession(ctx context.Context, tokenHash [sha256.Size]byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, tokenHash)
	return nil
}
