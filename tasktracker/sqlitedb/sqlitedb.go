// Package sqlitedb opens SQLite files in the way that a service needs which runs
// as several processes.
//
// # What survives
//
// A transaction whose commit has returned survives the end of the process,
// kill -9 included: the write-ahead log is in the hands of the kernel by then.
// It may not survive a power cut or a crash of the kernel, because
// synchronous=NORMAL syncs the log only when it is copied into the database. The
// last transactions are lost then. What is left is whole: no transaction is
// there by half, and the file is not damaged.
//
// # What else to know
//
// Do not open a database file with package os while a [DB] has it open: closing
// it would drop the locks of the whole process, as POSIX demands. The files
// NAME-wal and NAME-shm belong to the database. Copy or move all three, and only
// when no process has them open. A network file system will not do, because WAL
// needs memory that all processes share.
package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// BusyTimeout is how long a statement waits for a lock that another process
// holds, unless its context is done before. After that it fails with
// SQLITE_BUSY.
const BusyTimeout = 10 * time.Second

// DB is one SQLite file. Any number of processes may have it open. It is safe
// for concurrent use.
type DB struct {
	// Read has several connections, which see the last commit and wait for
	// nobody. They refuse to write.
	Read *sql.DB

	// Write has one connection: those who write in this process wait for it in
	// the order in which they came. Its transactions take the lock of the file
	// when they begin, so that what they read is true until they commit, and none
	// fails half-way because another process was faster.
	Write *sql.DB
}

// Open opens the file at path, and makes it if there is none. The directory must
// be there.
func Open(ctx context.Context, path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	write, err := pool(path, 1, url.Values{"_journal_mode": {"WAL"}, "_txlock": {"immediate"}})
	if err != nil {
		return nil, err
	}
	if err := ping(ctx, write); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), write.Close())
	}
	read, err := pool(path, max(4, runtime.GOMAXPROCS(0)), url.Values{"_query_only": {"1"}})
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	return &DB{Read: read, Write: write}, nil
}

// Close closes all connections. It waits for the statements that run. The last
// process to close the file copies the log into it.
func (db *DB) Close() error {
	return errors.Join(db.Read.Close(), db.Write.Close())
}

func pool(path string, connections int, options url.Values) (*sql.DB, error) {
	options.Set("_busy_timeout", strconv.FormatInt(BusyTimeout.Milliseconds(), 10))
	options.Set("_synchronous", "NORMAL")
	options.Set("_foreign_keys", "1")
	options.Set("_dqs", "0") // "name" is a column and never a string
	path = filepath.ToSlash(path)
	if path[0] != '/' {
		path = "/" + path // the drive letter of Windows
	}
	name := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: options.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// ping connects. Two processes that make a new file a WAL database at the same
// moment are in each other's way, and SQLite tells one of them so at once instead
// of letting it wait.
func ping(ctx context.Context, db *sql.DB) error {
	giveUp := time.After(BusyTimeout)
	for {
		err := db.PingContext(ctx)
		if !isBusy(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-giveUp:
			return err
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func isBusy(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == sqlite3.SQLITE_BUSY
}
