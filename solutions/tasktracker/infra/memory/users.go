//course:since m04b

package memory

import (
	"context"
	"fmt"
	"sync"

	"github.com/middle-go/course/tasktracker/domain"
)

// UserRepo stores users. It is safe for concurrent use.
type UserRepo struct {
	mu      sync.RWMutex
	users   map[domain.UserID]domain.User
	byEmail map[string]domain.UserID
}

// NewUserRepo returns an empty repository.
func NewUserRepo() *UserRepo {
	return &UserRepo{
		users:   make(map[domain.UserID]domain.User),
		byEmail: make(map[string]domain.UserID),
	}
}

// InsertUser stores a new user. It returns [domain.ErrDuplicate] if his id or
// e-mail address is taken.
func (r *UserRepo) InsertUser(ctx context.Context, u domain.User) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, idTaken := r.users[u.ID]
	_, emailTaken := r.byEmail[u.Email]
	if idTaken || emailTaken {
		return fmt.Errorf("user %s: %w", u.ID, domain.ErrDuplicate)
	}
	r.users[u.ID] = u
	r.byEmail[u.Email] = u.ID
	return nil
}

// User returns a user, or [domain.ErrNotFound].
func (r *UserRepo) User(ctx context.Context, id domain.UserID) (domain.User, error) {
	if err := ctx.Err(); err != nil {
		return domain.User{}, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	u, ok := r.users[id]
	if !ok {
		return domain.User{}, fmt.Errorf("user %s: %w", id, domain.ErrNotFound)
	}
	return u, nil
}

// UserByEmail returns a user, or [domain.ErrNotFound].
func (r *UserRepo) UserByEmail(ctx context.Context, email string) (domain.User, error) {
	r.mu.RLock()
	id, ok := r.byEmail[email]
	r.mu.RUnlock()
	if !ok {
		return domain.User{}, fmt.Errorf("user by e-mail: %w", domain.ErrNotFound)
	}
	return r.User(ctx, id)
}

// ReplacePasswordHash replaces the hash if it still is old.
func (r *UserRepo) ReplacePasswordHash(ctx context.Context, id domain.UserID, old, replacement string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if u, ok := r.users[id]; ok && u.PasswordHash == old {
		u.PasswordHash = replacement
		r.users[id] = u
	}
	return nil
}
