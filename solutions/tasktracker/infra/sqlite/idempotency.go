//course:since m05a

package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/middle-go/course/tasktracker/sqlitedb"
	"github.com/middle-go/course/tasktracker/web/idempotency"
)

// answers implements [idempotency.Store]. A lease is a random number: no two
// processes give out the same.
type answers struct {
	db               *sqlitedb.DB
	ttl, inflightTTL time.Duration
}

func (a *answers) Begin(ctx context.Context, scope, key string, fp [32]byte) (stored idempotency.Stored, state idempotency.State, err error) {
	now, lease := time.Now(), rand.Uint64()
	err = inTx(ctx, a.db.Write, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM idempotency_keys WHERE expires_at <= ?", now.UnixMicro()); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, "INSERT INTO idempotency_keys (scope, key, fingerprint, lease, expires_at) "+
			"VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			scope, key, fp[:], int64(lease), now.Add(a.inflightTTL).UnixMicro())
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 1 {
			stored, state = idempotency.Stored{Lease: lease}, idempotency.Fresh
			return err
		}
		stored, state, err = known(ctx, tx, scope, key, fp)
		return err
	})
	if err != nil {
		return idempotency.Stored{}, idempotency.Fresh, failed(ctx, err, "reserve a key of %s", scope)
	}
	return stored, state, nil
}

// known returns what is stored under a key that is not free.
func known(ctx context.Context, tx *sql.Tx, scope, key string, fp [32]byte) (s idempotency.Stored, _ idempotency.State, err error) {
	var (
		fingerprint, header []byte
		lease               int64
		status              sql.Null[int]
	)
	err = tx.QueryRowContext(ctx, "SELECT fingerprint, lease, status, header, body FROM idempotency_keys WHERE scope = ? AND key = ?", scope, key).
		Scan(&fingerprint, &lease, &status, &header, &s.Body)
	switch {
	case err != nil:
		return s, 0, err
	case string(fingerprint) != string(fp[:]):
		return idempotency.Stored{}, idempotency.Mismatch, nil
	case !status.Valid:
		return idempotency.Stored{}, idempotency.InFlight, nil
	}
	s.Status, s.Fingerprint, s.Lease = status.V, fp, uint64(lease)
	return s, idempotency.Done, json.Unmarshal(header, &s.Header)
}

func (a *answers) Finish(ctx context.Context, scope, key string, s idempotency.Stored) error {
	header, err := json.Marshal(s.Header)
	if err != nil {
		return err
	}
	now := time.Now()
	result, err := a.db.Write.ExecContext(ctx, "INSERT INTO idempotency_keys "+
		"(scope, key, fingerprint, lease, status, header, body, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "+
		"ON CONFLICT (scope, key) DO UPDATE SET (fingerprint, lease, status, header, body, expires_at) = "+
		"(excluded.fingerprint, excluded.lease, excluded.status, excluded.header, excluded.body, excluded.expires_at) "+
		"WHERE lease = excluded.lease OR expires_at <= ?",
		scope, key, s.Fingerprint[:], int64(s.Lease), s.Status, string(header), s.Body, now.Add(a.ttl).UnixMicro(), now.UnixMicro())
	if err != nil {
		return failed(ctx, err, "store an answer of %s", scope)
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return idempotency.ErrLeaseLost
}

func (a *answers) Abort(ctx context.Context, scope, key string, lease uint64) error {
	lost := false
	err := inTx(ctx, a.db.Write, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM idempotency_keys WHERE scope = ? AND key = ? AND (lease = ? OR expires_at <= ?)",
			scope, key, int64(lease), time.Now().UnixMicro())
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM idempotency_keys WHERE scope = ? AND key = ?)", scope, key).Scan(&lost)
	})
	if lost {
		return idempotency.ErrLeaseLost
	}
	return failed(ctx, err, "give up a key of %s", scope)
}
