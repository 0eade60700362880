//course:since m05a

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/sqlitedb"
)

// Users stores users. It is safe for concurrent use.
type Users struct{ db *sqlitedb.DB }

// InsertUser stores a new user. It returns [domain.ErrDuplicate] if his id or
// e-mail address is taken.
func (r *Users) InsertUser(ctx context.Context, u domain.User) error {
	_, err := r.db.Write.ExecContext(ctx,
		"INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, ?, ?, ?, ?)",
		u.ID, u.Email, u.Name, u.PasswordHash, u.CreatedAt.UnixMicro())
	if taken(err) {
		return fmt.Errorf("user %s: %w", u.ID, domain.ErrDuplicate)
	}
	return failed(ctx, err, "insert user %s", u.ID)
}

// User returns a user, or [domain.ErrNotFound].
func (r *Users) User(ctx context.Context, id domain.UserID) (domain.User, error) {
	u, err := r.find(ctx, "id = ?", id)
	if errors.Is(err, sql.ErrNoRows) {
		err = domain.ErrNotFound
	}
	return u, failed(ctx, err, "user %s", id)
}

// UserByEmail returns a user, or [domain.ErrNotFound].
func (r *Users) UserByEmail(ctx context.Context, email string) (domain.User, error) {
	u, err := r.find(ctx, "email = ?", email)
	if errors.Is(err, sql.ErrNoRows) {
		err = domain.ErrNotFound
	}
	return u, failed(ctx, err, "user by e-mail")
}

func (r *Users) find(ctx context.Context, condition string, arg any) (u domain.User, err error) {
	var created int64
	err = r.db.Read.QueryRowContext(ctx, "SELECT id, email, name, password_hash, created_at FROM users WHERE "+condition, arg).
		Scan(&u.ID, &u.Email, &u.Name, &u.PasswordHash, &created)
	if err != nil {
		return domain.User{}, err
	}
	u.CreatedAt = instant(created)
	return u, nil
}

// ReplacePasswordHash replaces the hash if it still is old.
func (r *Users) ReplacePasswordHash(ctx context.Context, id domain.UserID, old, replacement string) error {
	_, err := r.db.Write.ExecContext(ctx,
		"UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?", replacement, id, old)
	return failed(ctx, err, "replace the password hash of %s", id)
}
