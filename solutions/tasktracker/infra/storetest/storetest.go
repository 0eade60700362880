//course:since m05a

// Package storetest says what a store of the service must do, in tests. Every
// store runs all of them: a new one is ready when they pass.
//
//	func TestTasks(t *testing.T) {
//		storetest.Tasks(t, func(t *testing.T) storetest.TaskStore { return newStore(t) })
//	}
//
// A store that is opened is empty. It is given up when its test ends, so open
// registers with [testing.T.Cleanup] whatever there is to close.
//
// Tests with random data log their seed. With STORETEST_SEED=seed in the
// environment they repeat it.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

// Whose tasks they are in these tests.
const (
	ann domain.UserID = "usr_ann"
	bob domain.UserID = "usr_bob"
	cid domain.UserID = "usr_cid"
)

// t0 is when these tests begin. Stores keep microseconds.
var t0 = time.Date(2026, 3, 29, 1, 59, 59, 999_999_000, time.UTC)

// ids returns a function that makes the ids of tasks in order.
func ids() func() domain.TaskID {
	n := 0
	return func() domain.TaskID {
		n++
		return domain.TaskID(fmt.Sprintf("tsk_%026d", n))
	}
}

// task returns a task of ann, changed by change.
func task(t *testing.T, id domain.TaskID, change func(s *domain.TaskState)) *domain.Task {
	t.Helper()
	s := domain.TaskState{
		ID: id, Owner: ann, Title: "Write the report",
		Status: domain.StatusTodo, Priority: domain.PriorityNormal,
		Version: 1, CreatedAt: t0, UpdatedAt: t0,
	}
	if change != nil {
		change(&s)
	}
	restored, err := domain.Restore(s)
	if err != nil {
		t.Fatal(err)
	}
	return restored
}

// random returns a source of random numbers.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("STORETEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal("STORETEST_SEED:", err)
		}
	}
	t.Logf("STORETEST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantIs(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}
