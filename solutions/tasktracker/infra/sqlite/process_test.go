//course:since m05a

package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/infra/sqlite"
	"github.com/middle-go/course/tasktracker/infra/system"
	"github.com/middle-go/course/tasktracker/sqlitedb"
)

// writerEnv makes the test binary a process that writes: its value is the number
// of tasks that each of its goroutines stores.
const writerEnv = "SQLITE_TEST_WRITER"

const (
	writerGoroutines = 4
	writerShards     = 2
)

func TestMain(m *testing.M) {
	tasks, err := strconv.Atoi(os.Getenv(writerEnv))
	if err != nil {
		os.Exit(m.Run())
	}
	if err := write(context.Background(), os.Args[1], tasks); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write stores tasks, saves each of them once more, and prints its id when both
// are acknowledged.
func write(ctx context.Context, dir string, tasks int) error {
	store, err := sqlite.Open(ctx, dir, writerShards)
	if err != nil {
		return err
	}
	errs := make([]error, writerGoroutines)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			owner := writerOwners[i%len(writerOwners)]
			for n := 0; n < tasks && errs[i] == nil; n++ {
				errs[i] = writeOne(ctx, store.Tasks(), owner)
			}
		})
	}
	wg.Wait()
	return errors.Join(append(errs, store.Close())...)
}

var writerOwners = []domain.UserID{"usr_ann", "usr_cid"} // of different shards

func writeOne(ctx context.Context, tasks *sqlite.Tasks, owner domain.UserID) error {
	id, err := system.IDs{}.NewTaskID()
	if err != nil {
		return err
	}
	task, err := domain.NewTask(id, owner, "Write the report", created)
	if err != nil {
		return err
	}
	if err := tasks.Insert(ctx, task); err != nil {
		return err
	}
	if err := errors.Join(task.Rename("Rewrite the report", created), tasks.Save(ctx, task, 1)); err != nil {
		return err
	}
	_, err = fmt.Println(owner, id) // one write, so lines are not mixed
	return err
}

// writer starts a process that writes. The reader ends when the process has.
func writer(t *testing.T, dir string, tasks int) (*exec.Cmd, io.Reader) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, dir)
	cmd.Env = append(os.Environ(), writerEnv+"="+strconv.Itoa(tasks))
	cmd.Stderr = t.Output()
	acknowledged, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, acknowledged
}

// Three processes begin with an empty directory, and so they make the files at
// the same moment too.
func TestStore_ProcessesShareADirectory(t *testing.T) {
	const rounds, processes, tasks = 3, 3, 50
	for range rounds {
		dir := t.TempDir()
		var wg sync.WaitGroup
		acknowledged := make([][]string, processes)
		for i := range processes {
			cmd, out := writer(t, dir, tasks)
			wg.Go(func() {
				lines := bufio.NewScanner(out)
				for lines.Scan() {
					acknowledged[i] = append(acknowledged[i], lines.Text())
				}
				if err := errors.Join(lines.Err(), cmd.Wait()); err != nil {
					t.Errorf("process %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		store := open(t, dir, writerShards)
		total := 0
		for _, lines := range acknowledged {
			total += len(lines)
			wantAll(t, store, lines)
		}
		if want := processes * writerGoroutines * tasks; total != want {
			t.Errorf("%d tasks were acknowledged, want %d", total, want)
		}
	}
}

func TestStore_KeepsWhatWasAcknowledgedBeforeAKill(t *testing.T) {
	const rounds = 10
	dir := t.TempDir()
	var acknowledged []string
	for range rounds {
		cmd, out := writer(t, dir, 1_000_000)
		lines := bufio.NewScanner(out)
		for n := 20 + rand.IntN(100); n > 0 && lines.Scan(); n-- {
			acknowledged = append(acknowledged, lines.Text())
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it has said before it died
			acknowledged = append(acknowledged, lines.Text())
		}
		_ = cmd.Wait() // signal: killed

		store, err := sqlite.Open(t.Context(), dir, writerShards)
		if err != nil {
			t.Fatal(err)
		}
		wantAll(t, store, acknowledged)
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d tasks were acknowledged in %d rounds", len(acknowledged), rounds)
	for n := range writerShards {
		wantWhole(t, filepath.Join(dir, fmt.Sprintf("tasks-%02d.db", n)))
	}
}

// wantAll checks that every task that a writer has printed is stored as it was
// last acknowledged.
func wantAll(t *testing.T, store *sqlite.Store, acknowledged []string) {
	t.Helper()
	for _, line := range acknowledged {
		owner, id, whole := strings.Cut(line, " ")
		if !whole || len(id) < 30 {
			continue // the process was killed while it printed
		}
		task, err := store.Tasks().Get(t.Context(), domain.UserID(owner), domain.TaskID(id))
		if err != nil {
			t.Fatal(err)
		}
		if s := task.State(); s.Version != 2 || s.Title != "Rewrite the report" {
			t.Errorf("a change is lost: %+v", s)
		}
	}
}

func wantWhole(t *testing.T, path string) {
	t.Helper()
	db, err := sqlitedb.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.Read.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("%s: %s, %v", path, verdict, err)
	}
}
