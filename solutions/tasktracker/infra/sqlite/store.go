//course:since m05a

// Package sqlite keeps everything in SQLite files of one directory. It is the
// store of a service that runs on one machine, in one process or in several: they
// share the directory, and nothing has to be installed. Package sqlitedb says
// what survives which accident.
//
// Tasks are spread over a fixed number of files, the shards, so that writers of
// different shards do not wait for each other. All tasks of one user are in the
// same file: the one with the number FNV-1a(id of the user) modulo the number of
// shards, where FNV-1a is the hash of 64 bits. Everything else is in one more
// file.
package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/middle-go/course/tasktracker/sqlitedb"
	"github.com/middle-go/course/tasktracker/web/idempotency"
)

// ErrOtherShards means that a directory was made for another number of shards.
var ErrOtherShards = errors.New("another number of shards")

// Store is an open directory. It is safe for concurrent use, and other processes
// may have the directory open too.
type Store struct {
	tasks    *Tasks
	accounts *sqlitedb.DB
}

// Open opens the directory dir with tasks in the given number of shards, and
// makes what is missing: the directory, the files and their tables. The number
// of shards cannot change later: another one gives [ErrOtherShards].
func Open(ctx context.Context, dir string, shards int) (_ *Store, err error) {
	if dir == "" || shards < 1 {
		return nil, fmt.Errorf("sqlite: no directory, or %d shards", shards)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil { // it holds hashes of passwords
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	s := new(Store)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	s.tasks = new(Tasks)
	for number := range shards {
		db, err := open(ctx, filepath.Join(dir, fmt.Sprintf("tasks-%02d.db", number)), "tasks")
		if err != nil {
			return s, err
		}
		shard := &shard{db: db}
		s.tasks.shards = append(s.tasks.shards, shard)
		if err := claim(ctx, db, number, shards); err != nil {
			return s, failed(ctx, err, "open %s", dir)
		}
		if err := shard.prepare(ctx); err != nil {
			return s, failed(ctx, err, "open %s", dir)
		}
	}
	s.accounts, err = open(ctx, filepath.Join(dir, "accounts.db"), "accounts")
	return s, err
}

// open opens a file whose tables are those of a directory of migrations.
func open(ctx context.Context, path, schema string) (*sqlitedb.DB, error) {
	db, err := sqlitedb.Open(ctx, path)
	if err != nil {
		return nil, failed(ctx, err, "open")
	}
	if err := migrate(ctx, db.Write, schema); err != nil {
		return nil, errors.Join(failed(ctx, err, "migrate %s", path), db.Close())
	}
	return db, nil
}

// claim writes into a new file which shard it is, or compares that with what an
// older one says.
func claim(ctx context.Context, db *sqlitedb.DB, number, count int) error {
	return inTx(ctx, db.Write, func(tx *sql.Tx) error {
		var was, of int
		err := tx.QueryRowContext(ctx, "SELECT number, count FROM shard").Scan(&was, &of)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			_, err = tx.ExecContext(ctx, "INSERT INTO shard (number, count) VALUES (?, ?)", number, count)
			return err
		case err != nil:
			return err
		case of != count:
			return fmt.Errorf("%w: the tasks are in %d and %d are configured; set the number back to %[2]d, "+
				"or begin with an empty directory", ErrOtherShards, of, count)
		case was != number:
			return fmt.Errorf("the file of shard %d has the name of shard %d: rename it", was, number)
		}
		return nil
	})
}

// Close closes the files.
func (s *Store) Close() error {
	var errs []error
	for _, shard := range s.tasks.shards {
		errs = append(errs, shard.db.Close())
	}
	if s.accounts != nil {
		errs = append(errs, s.accounts.Close())
	}
	return errors.Join(errs...)
}

// Tasks returns the store of tasks.
func (s *Store) Tasks() *Tasks { return s.tasks }

// Users returns the store of users.
func (s *Store) Users() *Users { return &Users{s.accounts} }

// Sessions returns the store of sessions.
func (s *Store) Sessions() *Sessions { return &Sessions{s.accounts} }

// Attempts returns the counts of attempts to log in.
func (s *Store) Attempts() *Attempts { return &Attempts{s.accounts} }

// Idempotency returns the store of answers. An answer is kept for ttl from
// Finish, a reservation for inflightTTL from Begin; a request must not run longer
// than that.
func (s *Store) Idempotency(ttl, inflightTTL time.Duration) idempotency.Store {
	return &answers{db: s.accounts, ttl: ttl, inflightTTL: inflightTTL}
}

// SecretLen is the length of a secret in bytes.
const SecretLen = 32

// Secret returns the random key of that name. The first call makes it, and every
// later one in every process returns the same.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	key := make([]byte, SecretLen)
	_, _ = rand.Read(key) // never fails
	_, err := s.accounts.Write.ExecContext(ctx, "INSERT INTO secrets (name, key) VALUES (?, ?) ON CONFLICT DO NOTHING", name, key)
	if err == nil {
		err = s.accounts.Read.QueryRowContext(ctx, "SELECT key FROM secrets WHERE name = ?", name).Scan(&key)
	}
	if err != nil {
		return nil, failed(ctx, err, "secret %s", name)
	}
	return key, nil
}
