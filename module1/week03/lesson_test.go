// Package week03_test holds the examples of the lesson in README.md.
package week03_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/module1/internal/lesson"
)

func TestREADME_QuotesThisFile(t *testing.T) { lesson.Check(t) }

// 1. What may the caller ask?

func Example_questions() {
	_, err := os.Open("no-such.rules")
	wrapped := fmt.Errorf("load rules: %w", err)

	fmt.Println(err == fs.ErrNotExist, errors.Is(err, fs.ErrNotExist))
	fmt.Println(os.IsNotExist(err), os.IsNotExist(wrapped))
	fmt.Println(errors.Is(wrapped, fs.ErrNotExist))
	if failed, ok := errors.AsType[*fs.PathError](wrapped); ok {
		fmt.Println(failed.Op, failed.Path)
	}
	// Output:
	// false true
	// true false
	// true
	// open no-such.rules
}

var errDiskFull = errors.New("disk full")

// copyShards copies two shards. The first failure cancels the other copy.
func copyShards() error {
	return errors.Join(
		fmt.Errorf("shard 1: %w", context.Canceled),
		fmt.Errorf("shard 2: %w", errDiskFull),
	)
}

func Example_join() {
	switch err := copyShards(); {
	case err == nil:
		fmt.Println("200")
	case errors.Is(err, context.Canceled):
		fmt.Println("the client went away: no alert")
	case errors.Is(err, errDiskFull):
		fmt.Println("507, and wake somebody up")
	}
	// Output:
	// the client went away: no alert
}

// 2. Where does it get lost?

// disk has room for a number of bytes.
type disk struct{ room int }

func (d *disk) Write(p []byte) (int, error) {
	n := min(len(p), d.room)
	d.room -= n
	if n < len(p) {
		return n, errDiskFull
	}
	return n, nil
}

func Example_lateError() {
	w := bufio.NewWriter(&disk{room: 10})

	n, err := w.WriteString("tsk_1 done\ntsk_2 done\n")
	fmt.Println(n, err)

	fmt.Println(w.Flush())

	n, err = w.WriteString("!")
	fmt.Println(n, err)
	// Output:
	// 22 <nil>
	// disk full
	// 0 disk full
}

func Example_quietLoop() {
	log := "GET /a\nGET /" + strings.Repeat("b", 100) + "\nGET /c\n"
	lines := bufio.NewScanner(strings.NewReader(log))
	lines.Buffer(nil, 64) // the longest line that we want to hold

	n := 0
	for lines.Scan() {
		n++
	}
	fmt.Println(n)
	fmt.Println(lines.Err())
	// Output:
	// 1
	// bufio.Scanner: token too long
}

// last runs f in a goroutine of its own, and prints what recover says at its end.
func last(f func()) {
	end := make(chan any)
	go func() {
		defer func() { end <- recover() }()
		f()
	}()
	fmt.Println(<-end)
}

func Example_recover() {
	last(func() {})
	last(func() { panic(errDiskFull) })
	last(func() { panic(nil) })
	last(runtime.Goexit)
	// Output:
	// <nil>
	// disk full
	// panic called with nil argument
	// <nil>
}

// 3. Who may know whom?

// errNoTask belongs to the application, which knows no database.
var errNoTask = errors.New("no such task")

// selectTitle stands for a query.
func selectTitle(id int) (string, error) {
	return "", fmt.Errorf("select title where id = %d: %w", id, sql.ErrNoRows)
}

func title(id int) (string, error) {
	text, err := selectTitle(id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", fmt.Errorf("task %d: %w (%v)", id, errNoTask, err)
	case err != nil:
		return "", fmt.Errorf("task %d: %w", id, err)
	}
	return text, nil
}

func Example_border() {
	_, err := title(7)
	fmt.Println(err)
	fmt.Println(errors.Is(err, errNoTask), errors.Is(err, sql.ErrNoRows))
	// Output:
	// task 7: no such task (select title where id = 7: sql: no rows in result set)
	// true false
}

// program maps import paths to sources. It type-checks what somebody imports.
type program map[string]string

func (p program) Import(path string) (*types.Package, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path+".go", p[path], 0)
	if err != nil {
		return nil, err
	}
	conf := types.Config{Importer: p}
	return conf.Check(path, fset, []*ast.File{file}, nil)
}

func Example_hiddenDependency() {
	app, err := program{
		"db":    `package db; type Conn struct{ DSN string }`,
		"store": `package store; import "db"; func Open() *db.Conn { return nil }`,
		"app":   `package app; import "store"; var Shared = store.Open()`,
	}.Import("app")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, imported := range app.Imports() {
		fmt.Println("app imports", imported.Path())
	}
	fmt.Println("app offers", app.Scope().Lookup("Shared").Type())
	// Output:
	// app imports store
	// app offers *db.Conn
}

// 4. Again?

func thrice(op func() error) (err error) {
	for range 3 {
		if err = op(); err == nil {
			return nil
		}
	}
	return err
}

func Example_layers() {
	queries := 0
	database := func() error { queries++; return errors.New("overloaded") }
	billing := func() error { return thrice(database) }
	gateway := func() error { return thrice(billing) }

	thrice(gateway) // the browser
	fmt.Println(queries)
	// Output:
	// 27
}

func Example_jitter() {
	random := rand.New(rand.NewPCG(1, 2))
	full := func(d time.Duration) time.Duration { return time.Duration(random.Int64N(int64(d))) }
	equal := func(d time.Duration) time.Duration { return d/2 + full(d/2) }
	none := func(d time.Duration) time.Duration { return d }

	for _, jitter := range []func(time.Duration) time.Duration{none, equal, full} {
		var load [100]int // calls in each hundredth of the second after the failure
		for range 10_000 {
			wait := jitter(time.Second - 1)
			load[wait/(10*time.Millisecond)]++
		}
		fmt.Println(slices.Max(load[:]))
	}
	// Output:
	// 10000
	// 236
	// 123
}

func TestSleepIsDeaf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		shutdown := errors.New("the pod is shutting down")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Second, shutdown)
		defer cancel()

		time.Sleep(time.Hour) // the wait before the next attempt

		fmt.Println(time.Since(start))
		fmt.Println(ctx.Err())
		fmt.Println(context.Cause(ctx))
	})
	// Output:
	// 1h0m0s
	// context deadline exceeded
	// the pod is shutting down
}
