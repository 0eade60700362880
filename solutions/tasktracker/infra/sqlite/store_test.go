//course:since m05a

package sqlite_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
	"github.com/middle-go/course/tasktracker/infra/sqlite"
	"github.com/middle-go/course/tasktracker/sqlitedb"
	"github.com/middle-go/course/tasktracker/web/idempotency"
)

var created = time.Date(2026, 11, 23, 22, 0, 0, 0, time.UTC)

func newTask(t testing.TB, owner domain.UserID, n int) *domain.Task {
	t.Helper()
	task, err := domain.NewTask(domain.TaskID(fmt.Sprintf("tsk_%026d", n)), owner, "Write the report", created)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func TestStore_KeepsEverythingOverARestart(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	user := domain.User{ID: "usr_ann", Email: "ann@example.org", Name: "Ann", PasswordHash: "x", CreatedAt: created}
	session := app.Session{TokenHash: sha256.Sum256([]byte("token")), User: user.ID, ExpiresAt: created}
	quota := app.Quota{Key: "account ann", Max: 1, Window: time.Minute}
	fp := [32]byte{1}
	task := newTask(t, user.ID, 1)

	store, err := sqlite.Open(ctx, dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := store.Secret(ctx, "cursor")
	if err != nil || len(secret) != sqlite.SecretLen {
		t.Fatalf("secret: got %x, %v", secret, err)
	}
	_, _, err1 := store.Idempotency(time.Hour, time.Hour).Begin(ctx, "usr_ann", "key", fp)
	_, err2 := store.Attempts().Admit(ctx, created, quota)
	if err := errors.Join(err1, err2,
		store.Tasks().Insert(ctx, task),
		store.Users().InsertUser(ctx, user),
		store.Sessions().InsertSession(ctx, session),
		store.Close(),
	); err != nil {
		t.Fatal(err)
	}

	store = open(t, dir, 3)
	if got, err := store.Tasks().Get(ctx, user.ID, task.State().ID); err != nil || !reflect.DeepEqual(got.State(), task.State()) {
		t.Errorf("task: got %+v, %v", got, err)
	}
	if got, err := store.Users().UserByEmail(ctx, user.Email); err != nil || got != user {
		t.Errorf("user: got %+v, %v", got, err)
	}
	if got, err := store.Sessions().Session(ctx, session.TokenHash); err != nil || got != session {
		t.Errorf("session: got %+v, %v", got, err)
	}
	if wait, err := store.Attempts().Admit(ctx, created, quota); err != nil || wait != time.Minute {
		t.Errorf("attempts: got %v, %v", wait, err)
	}
	if _, state, err := store.Idempotency(time.Hour, time.Hour).Begin(ctx, "usr_ann", "key", fp); err != nil || state != idempotency.InFlight {
		t.Errorf("idempotency: got state %v, %v", state, err)
	}
	if got, err := store.Secret(ctx, "cursor"); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("secret: got %x, %v, want %x", got, err, secret)
	}
	if other, err := store.Secret(ctx, "other"); err != nil || bytes.Equal(other, secret) {
		t.Errorf("another secret: got %x, %v", other, err)
	}
}

func TestOpen_RefusesAnotherNumberOfShards(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, 4)
	for _, shards := range []int{1, 3, 5} {
		_, err := sqlite.Open(t.Context(), dir, shards)
		if !errors.Is(err, sqlite.ErrOtherShards) || !strings.Contains(err.Error(), "in 4 and "+fmt.Sprint(shards)) {
			t.Errorf("%d instead of 4 shards: got %v", shards, err)
		}
	}
	if files, err := filepath.Glob(filepath.Join(dir, "*.db")); err != nil || len(files) != 5 {
		t.Errorf("the refusals left %q, %v", files, err)
	}
	for _, shards := range []int{0, -1} {
		if _, err := sqlite.Open(t.Context(), t.TempDir(), shards); err == nil {
			t.Errorf("%d shards: no error", shards)
		}
	}
}

func TestOpen_RefusesFilesThatWereSwapped(t *testing.T) {
	dir := t.TempDir()
	store, err := sqlite.Open(t.Context(), dir, 2)
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(
		os.Rename(file("tasks-00.db"), file("swap")),
		os.Rename(file("tasks-01.db"), file("tasks-00.db")),
		os.Rename(file("swap"), file("tasks-01.db")),
	); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), dir, 2); err == nil || !strings.Contains(err.Error(), "rename it") {
		t.Errorf("got %v", err)
	}
}

func TestOpen_RefusesWhatItDoesNotKnow(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, path string)
		say   string
	}{
		"newer schema": {func(t *testing.T, path string) { execute(t, path, "PRAGMA user_version = 99") }, "start a newer program"},
		"no database": {func(t *testing.T, path string) {
			if err := os.WriteFile(path, bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "accounts.db"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "accounts.db")
			tc.spoil(t, path)
			if _, err := sqlite.Open(t.Context(), filepath.Dir(path), 1); err == nil || !strings.Contains(err.Error(), tc.say) {
				t.Errorf("got %v, want it to say %q", err, tc.say)
			}
		})
	}
}

func TestOpen_ManyTimesAtOnce(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			store, err := sqlite.Open(t.Context(), dir, 2)
			if err != nil {
				t.Error(err)
				return
			}
			err = store.Tasks().Insert(t.Context(), newTask(t, "usr_ann", i))
			if err := errors.Join(err, store.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	tasks, err := open(t, dir, 2).Tasks().List(t.Context(), domain.TaskQuery{Owner: "usr_ann", Limit: 100})
	if err != nil || len(tasks) != 16 {
		t.Errorf("%d tasks, %v, want 16", len(tasks), err)
	}
}

// A row that somebody has changed by hand must not hide the others from the
// sweeper, and must not look like a mistake of the client.
func TestTasks_ADamagedRowIsAnErrorThatNamesIt(t *testing.T) {
	for column, value := range map[string]string{
		"title":      "''",
		"labels":     "'[\"a\"'",
		"priority":   "257",
		"version":    "0",
		"updated_at": "0",
	} {
		t.Run(column, func(t *testing.T) {
			dir := t.TempDir()
			store := open(t, dir, 1)
			for n := range 3 {
				task := newTask(t, "usr_ann", n)
				if err := errors.Join(task.SetDue(new(created.Add(time.Duration(n))), created), store.Tasks().Insert(t.Context(), task)); err != nil {
					t.Fatal(err)
				}
			}
			id := newTask(t, "usr_ann", 1).State().ID
			execute(t, filepath.Join(dir, "tasks-00.db"), fmt.Sprintf("UPDATE tasks SET %s = %s WHERE id = '%s'", column, value, id))

			_, getErr := store.Tasks().Get(t.Context(), "usr_ann", id)
			_, listErr := store.Tasks().List(t.Context(), domain.TaskQuery{Owner: "usr_ann", Limit: 10})
			var overdueErr error
			found := 0
			for _, err := range store.Tasks().Overdue(t.Context(), created.Add(time.Hour), 10) {
				if err == nil {
					found++
				} else {
					overdueErr = err
				}
			}
			for what, err := range map[string]error{"get": getErr, "list": listErr, "overdue": overdueErr} {
				_, invalid := errors.AsType[*domain.FieldError](err)
				if err == nil || !strings.Contains(err.Error(), string(id)) || errs.KindOf(err) != errs.Internal || invalid {
					t.Errorf("%s: got %v", what, err)
				}
			}
			if found != 2 {
				t.Errorf("overdue yields %d of the other 2 tasks", found)
			}
		})
	}
}

func TestStore_ALockThatIsNotFreeInTimeIsUnavailable(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir, 1)
	release := lock(t, filepath.Join(dir, "tasks-00.db"))
	sqlite.SetBusyTimeout(t, store, time.Millisecond)

	err := store.Tasks().Insert(t.Context(), newTask(t, "usr_ann", 1))
	if errs.KindOf(err) != errs.Unavailable {
		t.Errorf("got %v of kind %v", err, errs.KindOf(err))
	}
	if _, err := store.Tasks().List(t.Context(), domain.TaskQuery{Owner: "usr_ann", Limit: 1}); err != nil {
		t.Errorf("readers wait for nobody: got %v", err)
	}
	release()
	if err := store.Tasks().Insert(t.Context(), newTask(t, "usr_ann", 1)); err != nil {
		t.Errorf("when the lock is free: %v", err)
	}
}

func TestStore_TheWaitForALockEndsWithTheContext(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir, 1)
	release := lock(t, filepath.Join(dir, "tasks-00.db"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := store.Tasks().Insert(ctx, newTask(t, "usr_ann", 1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	release()
	if err := store.Tasks().Insert(t.Context(), newTask(t, "usr_ann", 2)); err != nil {
		t.Error(err)
	}
	if _, err := store.Tasks().Get(t.Context(), "usr_ann", newTask(t, "usr_ann", 1).State().ID); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("the insert that was given up: got %v", err)
	}
}

func TestStore_AFullDiskIsUnavailable(t *testing.T) {
	store := open(t, t.TempDir(), 1)
	sqlite.SetMaxPages(t, store, 1) // as many as there are
	var err error
	for n := 0; n < 1000 && err == nil; n++ {
		err = store.Tasks().Insert(t.Context(), newTask(t, "usr_ann", n))
	}
	if errs.KindOf(err) != errs.Unavailable {
		t.Errorf("got %v of kind %v", err, errs.KindOf(err))
	}
}

// execute changes a file in a way that the store does not.
func execute(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sqlitedb.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Write.ExecContext(t.Context(), statement)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// lock keeps writers away from a file until it is released.
func lock(t *testing.T, path string) (release func()) {
	t.Helper()
	db, err := sqlitedb.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Write.Begin()
	if err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() {
		if err := errors.Join(tx.Rollback(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(release)
	return release
}
