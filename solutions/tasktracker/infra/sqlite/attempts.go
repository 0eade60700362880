//course:since m05a

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/sqlitedb"
)

// Attempts counts attempts to log in. It is safe for concurrent use.
type Attempts struct{ db *sqlitedb.DB }

// Admit counts one attempt for each quota, or none and returns how long to wait.
func (a *Attempts) Admit(ctx context.Context, at time.Time, quotas ...app.Quota) (wait time.Duration, err error) {
	err = inTx(ctx, a.db.Write, func(tx *sql.Tx) error {
		for _, q := range quotas {
			w, err := exhausted(ctx, tx, at, q)
			if err != nil {
				return err
			}
			wait = max(wait, w)
		}
		if wait > 0 {
			return nil
		}
		for _, q := range quotas {
			if err := count(ctx, tx, at, q); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM attempts WHERE expires_at <= ?", at.UnixMicro())
		return err
	})
	return wait, failed(ctx, err, "admit an attempt")
}

// exhausted returns how long it takes until a quota has room for one more.
func exhausted(ctx context.Context, tx *sql.Tx, at time.Time, q app.Quota) (time.Duration, error) {
	if q.Max < 1 {
		return 0, nil
	}
	var oldest int64 // of the last Max attempts
	err := tx.QueryRowContext(ctx, "SELECT at FROM attempts WHERE key = ? AND at > ? ORDER BY at DESC LIMIT 1 OFFSET ?",
		q.Key, at.Add(-q.Window).UnixMicro(), q.Max-1).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return instant(oldest).Add(q.Window).Sub(at), err
}

func count(ctx context.Context, tx *sql.Tx, at time.Time, q app.Quota) error {
	if q.Max < 1 {
		return nil
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO attempts (key, at, expires_at) VALUES (?, ?, ?)",
		q.Key, at.UnixMicro(), at.Add(q.Window).UnixMicro())
	return err
}

// Retract takes back the attempt that was made under key at that time.
func (a *Attempts) Retract(ctx context.Context, at time.Time, key string) error {
	_, err := a.db.Write.ExecContext(ctx,
		"DELETE FROM attempts WHERE rowid = (SELECT rowid FROM attempts WHERE key = ? AND at = ? LIMIT 1)", key, at.UnixMicro())
	return failed(ctx, err, "retract an attempt")
}

// Clear takes back all attempts under key.
func (a *Attempts) Clear(ctx context.Context, key string) error {
	_, err := a.db.Write.ExecContext(ctx, "DELETE FROM attempts WHERE key = ?", key)
	return failed(ctx, err, "clear attempts")
}
