// Package week01_test holds the examples of the lesson in README.md, and checks
// that the lesson quotes them, and the compiler, correctly.
package week01_test

import (
	"bufio"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"weak"

	"github.com/google/go-cmp/cmp"
	"github.com/middle-go/course/module1/internal/lesson"
)

// 1. Who shares this memory?

type request struct {
	Path    string
	Headers []string
}

func Example_structCopy() {
	req := request{
		Path:    "/v1/tasks",
		Headers: []string{"Authorization: Bearer s3cr3t", "Accept: text/csv"},
	}

	logged := req // a copy, so that the log does not show the token
	logged.Path = "/v1/..."
	logged.Headers[0] = "Authorization: ***"

	fmt.Println(req.Path)
	fmt.Println(req.Headers[0])
	// Output:
	// /v1/tasks
	// Authorization: ***
}

func Example_append() {
	line := []byte("GET /v1/tasks 200")

	method := line[:3:3] // length 3, capacity 3
	method = append(method, " (cached)"...)
	fmt.Printf("%s\n%s\n", method, line)

	method = line[:3] // length 3, and room for all that follows in line
	method = append(method, " (cached)"...)
	fmt.Printf("%s\n%s\n", method, line)
	// Output:
	// GET (cached)
	// GET /v1/tasks 200
	// GET (cached)
	// GET (cached)s 200
}

// 2. Stack or heap?

type Usage struct{ Used, Limit int64 }

func left(u *Usage) int64 { return u.Limit - u.Used }

func newUsage(limit int64) *Usage { return &Usage{Limit: limit} }

func fresh() int64 {
	u := newUsage(100)
	return left(u)
}

type Store interface{ Save(*Usage) }

func charge(s Store, n int64) {
	u := Usage{Used: n, Limit: 100}
	s.Save(&u)
}

// counter is a Store that keeps a number and not the pointer.
type counter struct{ used int64 }

func (c *counter) Save(u *Usage) { c.used += u.Used }

var (
	store Store = &counter{}
	free  int64
)

func Example_escape() {
	fmt.Println(testing.AllocsPerRun(100, func() { free = fresh() }))
	fmt.Println(testing.AllocsPerRun(100, func() { charge(store, 1) }))
	// Output:
	// 0
	// 1
}

// 3. Borrowed views

func Example_borrowedView() {
	log := "user=alice\nuser=mallory\n"
	r := bufio.NewReaderSize(strings.NewReader(log), 16)

	view, _ := r.ReadSlice('\n') // a window on the buffer of r
	kept := string(view)         // a copy

	r.ReadSlice('\n')

	fmt.Printf("view %q\n", view)
	fmt.Printf("kept %q\n", kept)
	// Output:
	// view "user=mallor"
	// kept "user=alice\n"
}

// 4. Handles

// conn is a slot in a table of connections. It serves one user after another.
type conn struct {
	user string
	gen  uint32 // which user of this slot: 1 for the first, 2 for the second
}

type handle struct {
	slot int
	gen  uint32
}

func Example_staleHandle() {
	conns := []conn{{user: "alice", gen: 1}}
	timeout := handle{slot: 0, gen: 1} // close alice in 30 seconds

	conns[0] = conn{user: "bob", gen: 2} // alice hangs up, bob gets her slot

	c := conns[timeout.slot]
	fmt.Println("the slot belongs to", c.user)
	fmt.Println("the timeout is for it:", c.gen == timeout.gen)
	// Output:
	// the slot belongs to bob
	// the timeout is for it: false
}

// users yields the users of conns with their handles.
func users(conns []conn) iter.Seq2[handle, string] {
	return func(yield func(handle, string) bool) {
		for i, c := range conns {
			if !yield(handle{slot: i, gen: c.gen}, c.user) {
				return
			}
		}
	}
}

func Example_iterator() {
	conns := []conn{{"alice", 1}, {"bob", 7}, {"carol", 1}}
	for h, user := range users(conns) {
		fmt.Println(user, h.slot, h.gen)
		if user == "bob" {
			break // yield returns false
		}
	}
	// Output:
	// alice 0 1
	// bob 1 7
}

// 5. Proof that memory can be freed

type upload struct {
	id   string
	body [64 << 10]byte
}

func logLater(up *upload) func() string {
	return func() string { return "expired: " + up.id }
}

func logIDLater(up *upload) func() string {
	id := up.id
	return func() string { return "expired: " + id }
}

func Example_weakPointer() {
	for _, schedule := range []func(*upload) func() string{logLater, logIDLater} {
		up := &upload{id: "up-1"}
		gone := weak.Make(up)

		job := schedule(up) // the timer wheel keeps job for an hour

		runtime.GC()
		fmt.Println("freed:", gone.Value() == nil)
		runtime.KeepAlive(job)
	}
	// Output:
	// freed: false
	// freed: true
}

func Example_cleanup() {
	up := &upload{id: "up-2"}
	done := make(chan string)
	runtime.AddCleanup(up, func(id string) { done <- id }, up.id)

	runtime.GC() // up is not mentioned below: nothing reaches it any more
	fmt.Println("cleaned up after", <-done)
	// Output:
	// cleaned up after up-2
}

func TestREADME_QuotesThisFile(t *testing.T) { lesson.Check(t) }

// TestREADME_ShowsWhatTheCompilerSays compiles the file of section 2 and
// compares the diagnostics with the ones in the lesson.
func TestREADME_ShowsWhatTheCompilerSays(t *testing.T) {
	if !strings.HasPrefix(runtime.Version(), "go1.26") {
		t.Skipf("the lesson shows the diagnostics of Go 1.26, this is %s", runtime.Version())
	}
	code := lesson.Snippet(t, "go", "package quota\n")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "quota.go"), []byte("package quota\n"+code), 0o600); err != nil {
		t.Fatal(err)
	}

	shown := lesson.Snippet(t, "console", "$ go build -gcflags=-m quota.go\n")
	if diff := cmp.Diff(shown, diagnostics(t, dir, "-m")); diff != "" {
		t.Errorf("README.md (-) and the compiler with -m (+) differ:\n%s", diff)
	}
	reasons := diagnostics(t, dir, "-m=2")
	shown = lesson.Snippet(t, "console", "$ go build -gcflags=-m=2 quota.go\n")
	if part := strings.TrimSuffix(strings.TrimPrefix(shown, "...\n"), "...\n"); !strings.Contains(reasons, part) {
		t.Errorf("README.md shows\n%s\nwith -m=2 the compiler says\n%s", part, reasons)
	}
}

// diagnostics returns what the compiler says about quota.go in dir.
func diagnostics(t *testing.T, dir, flag string) string {
	t.Helper()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command in PATH")
	}
	cmd := exec.Command(goTool, "build", "-gcflags="+flag, "quota.go")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return strings.TrimPrefix(string(out), "# command-line-arguments\n")
}
