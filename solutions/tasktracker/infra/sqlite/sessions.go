//course:since m05a

package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/sqlitedb"
)

// keepExpired is how long an expired session is still told from one that never
// existed.
const keepExpired = 24 * time.Hour

// Sessions stores sessions. It is safe for concurrent use.
type Sessions struct{ db *sqlitedb.DB }

// InsertSession stores a session. It forgets sessions that expired more than a
// day before this one does.
func (r *Sessions) InsertSession(ctx context.Context, s app.Session) error {
	err := inTx(ctx, r.db.Write, func(tx *sql.Tx) error {
		limit := s.ExpiresAt.Add(-keepExpired).UnixMicro()
		if _, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE expires_at < ?", limit); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO sessions (token_hash, user_id, expires_at) VALUES (?, ?, ?)",
			s.TokenHash[:], s.User, s.ExpiresAt.UnixMicro())
		return err
	})
	return failed(ctx, err, "insert a session of %s", s.User)
}

// Session returns the session of a token, or [domain.ErrNotFound].
func (r *Sessions) Session(ctx context.Context, tokenHash [sha256.Size]byte) (app.Session, error) {
	s := app.Session{TokenHash: tokenHash}
	var expires int64
	err := r.db.Read.QueryRowContext(ctx, "SELECT user_id, expires_at FROM sessions WHERE token_hash = ?", tokenHash[:]).
		Scan(&s.User, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		err = domain.ErrNotFound
	}
	if err != nil {
		return app.Session{}, failed(ctx, err, "session")
	}
	s.ExpiresAt = instant(expires)
	return s, nil
}

// DeleteSession ends a session.
func (r *Sessions) DeleteSession(ctx context.Context, tokenHash [sha256.Size]byte) error {
	_, err := r.db.Write.ExecContext(ctx, "DELETE FROM sessions WHERE token_hash = ?", tokenHash[:])
	return failed(ctx, err, "delete a session")
}
