//course:since m05a

package sqlitedb_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/sqlitedb"
)

func open(t *testing.T, path string) *sqlitedb.DB {
	t.Helper()
	db, err := sqlitedb.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestOpen_EveryConnectionHasTheSettings(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "test.db"))
	for name, pool := range map[string]*sql.DB{"read": db.Read, "write": db.Write} {
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "1", "foreign_keys": "1", "busy_timeout": "10000",
		} {
			var got string
			if err := pool.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %s is %q, %v, want %q", name, pragma, got, err, want)
			}
		}
	}
	if _, err := db.Read.Exec("CREATE TABLE t (x)"); err == nil {
		t.Error("a reader has written")
	}
}

func TestOpen_TakesAnyName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "50% of #1? Ünï&_txlock=deferred.db")
	open(t, path)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestOpen_SaysWhichFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "test.db")
	if _, err := sqlitedb.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestOpen_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sqlitedb.Open(ctx, filepath.Join(t.TempDir(), "test.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A transaction that begins by reading must not find out when it writes that the
// file has changed since.
func TestWrite_TransactionsLockWhenTheyBegin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	first, second := open(t, path), open(t, path)
	tx, err := first.Write.Begin()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := second.Write.BeginTx(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second transaction: got %v", err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if tx, err = second.Write.Begin(); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
}

func TestRead_SeesTheLastCommitAndWaitsForNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db, other := open(t, path), open(t, path)
	if _, err := db.Write.Exec("CREATE TABLE t (x INTEGER)"); err != nil {
		t.Fatal(err)
	}
	tx, err := db.Write.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("INSERT INTO t VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	count := func(want int) {
		t.Helper()
		for _, pool := range []*sql.DB{db.Read, other.Read} {
			var n int
			if err := pool.QueryRow("SELECT count(*) FROM t").Scan(&n); err != nil || n != want {
				t.Errorf("%d rows, %v, want %d", n, err, want)
			}
		}
	}
	count(0)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	count(1)
}

func TestWrite_CountsAreNotLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	dbs := []*sqlitedb.DB{open(t, path), open(t, path)}
	if _, err := dbs[0].Write.Exec("CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (0)"); err != nil {
		t.Fatal(err)
	}
	const clients, rounds = 16, 10
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for range rounds {
				if err := increment(t.Context(), dbs[i%2].Write); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var n int
	if err := dbs[0].Read.QueryRow("SELECT n FROM counter").Scan(&n); err != nil || n != clients*rounds {
		t.Errorf("counted %d, %v, want %d", n, err, clients*rounds)
	}
}

// increment reads, and then writes what it has read plus one.
func increment(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var n int
	if err := tx.QueryRow("SELECT n FROM counter").Scan(&n); err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE counter SET n = ?", n+1); err != nil {
		return err
	}
	return tx.Commit()
}
