// Package week05_test holds the examples of the lesson in README.md, and checks
// that the lesson quotes them, the tools and the Go memory model correctly.
package week05_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/middle-go/course/module1/internal/lesson"
)

// 1. Every goroutine has an owner

// replicasTest is replicas_test.go in the lesson, a test that has to fail.
const replicasTest = `package replicas

import (
	"testing"
	"testing/synctest"
)

// first asks all replicas at the same time and returns the answer that comes first.
func first(replicas ...func() string) string {
	answers := make(chan string)
	for _, ask := range replicas {
		go func() { answers <- ask() }()
	}
	return <-answers
}

func TestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wake := make(chan struct{})
		got := first(
			func() string { return "amsterdam" },
			func() string { <-wake; return "new york" },
		)
		if got != "amsterdam" {
			t.Errorf("first() = %q, want amsterdam", got)
		}
		close(wake) // new york answers too, a little later
	})
}
`

func Example_stop() {
	ctx, stop := context.WithCancelCause(context.Background())
	disk := make(chan struct{}) // closed when the disk has taken the last block
	var report string

	var writer sync.WaitGroup
	writer.Go(func() {
		<-ctx.Done()
		<-disk
		report = fmt.Sprint("flushed, because of ", context.Cause(ctx))
	})

	stop(errors.New("deploy"))
	fmt.Printf("%v: %q\n", ctx.Err(), report)

	close(disk)
	writer.Wait()
	fmt.Printf("%v: %q\n", ctx.Err(), report)
	// Output:
	// context canceled: ""
	// context canceled: "flushed, because of deploy"
}

// 2. Which edge orders them?

func Example_publish() {
	var address string
	ready := make(chan struct{})
	dialled := make(chan string)
	for range 3 {
		go func() {
			<-ready
			dialled <- "dial " + address
		}()
	}

	address = "10.0.0.7:5432"
	close(ready)

	for range 3 {
		fmt.Println(<-dialled)
	}
	// Output:
	// dial 10.0.0.7:5432
	// dial 10.0.0.7:5432
	// dial 10.0.0.7:5432
}

func Example_slot() {
	slots := make(chan struct{}, 1)
	sum := 0
	var adders sync.WaitGroup
	for i := range 101 {
		adders.Go(func() {
			slots <- struct{}{}
			sum += i
			<-slots
		})
	}
	adders.Wait()
	fmt.Println(sum)
	// Output:
	// 5050
}

// 3. Races, read and confirmed

// pricesMain is prices.go in the lesson, a program with a data race.
const pricesMain = `package main

import (
	"errors"
	"fmt"
)

func load(name string) (int, error) {
	if name == "gadget" {
		return 0, errors.New("no price for " + name)
	}
	return 120, nil
}

func main() {
	price, err := load("widget")

	done := make(chan struct{})
	go func() { // warm the cache for the next page
		defer close(done)
		_, err = load("gadget")
	}()

	if err == nil {
		fmt.Println("widget", price)
	}
	<-done
}
`

// coupon can be redeemed a number of times. Each of its methods is safe for
// concurrent use.
type coupon struct {
	mu   sync.Mutex
	left int // guarded by mu
}

func (c *coupon) Left() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left
}

func (c *coupon) Take() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left--
}

func Example_checkThenAct() {
	c := &coupon{left: 1}
	var looked, customers sync.WaitGroup
	looked.Add(2)
	for range 2 {
		customers.Go(func() {
			if c.Left() > 0 {
				looked.Done()
				looked.Wait() // until both have looked
				c.Take()
			}
		})
	}
	customers.Wait()
	fmt.Println(c.Left())
	// Output:
	// -1
}

// 4. Bounded, and gone when the consumer leaves

func TestBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := make(chan int, 3)
		made := 0
		go func() {
			defer close(queue)
			for range 100 {
				made++
				queue <- made
			}
		}()

		<-queue // the consumer takes one item, and then its database hangs
		synctest.Wait()
		fmt.Println("made", made)

		for range queue { // the database is back
		}
	})
	// Output:
	// made 5
}

// count sends 1, 2, 3 and so on until ctx is done. It returns the last number
// that it made.
func count(ctx context.Context, out chan<- int) int {
	for n := 1; ; n++ {
		select {
		case out <- n:
		case <-ctx.Done():
			return n
		}
	}
}

func Example_earlyExit() {
	ctx, cancel := context.WithCancel(context.Background())
	numbers := make(chan int)
	var last int
	var counter sync.WaitGroup
	counter.Go(func() { last = count(ctx, numbers) })

	for n := range numbers {
		if n == 2 {
			break // the consumer has seen enough
		}
	}
	cancel()
	counter.Wait()
	fmt.Println("made", last)
	// Output:
	// made 3
}

// 5. What runs under a lock

// feed tells its subscribers about prices.
type feed struct {
	mu   sync.Mutex
	subs []func(price int) // guarded by mu
}

func (f *feed) publishLocked(price int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, sub := range f.subs {
		sub(price)
	}
}

func (f *feed) publish(price int) {
	f.mu.Lock()
	subs := slices.Clone(f.subs)
	f.mu.Unlock()
	for _, sub := range subs {
		sub(price)
	}
}

func (f *feed) unsubscribeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.subs)
	f.subs = f.subs[:0]
}

func Example_callback() {
	f := new(feed)
	f.subs = append(f.subs, func(price int) {
		free := f.mu.TryLock() // stands for anybody who needs f now
		if free {
			f.mu.Unlock()
		}
		fmt.Println(price, free)
	})
	f.publishLocked(10)
	f.publish(11)
	// Output:
	// 10 false
	// 11 true
}

func Example_lateCall() {
	f := new(feed)
	f.subs = append(f.subs,
		func(price int) {
			fmt.Println("broker", price)
			f.unsubscribeAll() // the broker closes for the day
		},
		func(price int) { fmt.Println("trader", price) },
	)
	f.publish(12)
	f.publish(13)
	// Output:
	// broker 12
	// trader 12
}

func TestREADME_QuotesThisFile(t *testing.T) { lesson.Check(t) }

// TestREADME_ShowsTheLeak runs the test of section 1 and finds the lines of the
// lesson in what go test says.
func TestREADME_ShowsTheLeak(t *testing.T) {
	const command = "go test -trimpath replicas_test.go"
	said := run(t, "replicas_test.go", replicasTest, command)
	contains(t, said, lesson.Snippet(t, "console", "$ "+command+"\n"))
}

// TestREADME_ShowsTheRace runs the program of section 3 and compares what the
// race detector says with the lesson.
func TestREADME_ShowsTheRace(t *testing.T) {
	const command = "go run -race -trimpath prices.go"
	shown := lesson.Snippet(t, "console", "$ "+command+"\n")
	var said string
	for range 20 { // the report depends on which access comes first
		said = run(t, "prices.go", pricesMain, command)
		// main prints while the goroutine reports: before, within or after.
		said = strings.Replace(said, "widget 120\n", "", 1)
		if strings.Contains(said, "-race requires cgo") || strings.Contains(said, "-race is not supported") {
			t.Skip(said)
		}
		if strings.Contains(said, "Previous read") {
			break
		}
	}
	contains(t, said, shown)
}

// run saves a file in an empty directory and runs a command there. It returns
// what the command prints on standard output and standard error.
func run(t *testing.T, name, content, command string) string {
	t.Helper()
	if !strings.HasPrefix(runtime.Version(), "go1.26") {
		t.Skipf("the lesson shows what Go 1.26 says, this is %s", runtime.Version())
	}
	words := strings.Fields(command)
	tool, err := exec.LookPath(words[0])
	if err != nil {
		t.Skip("no go command in PATH")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tool, words[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GORACE=", "GOTRACEBACK=")
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); !errors.As(err, &exit) {
		t.Fatalf("%s: %v, want an exit code\n%s", command, err, out)
	}
	return string(out)
}

var (
	addresses  = regexp.MustCompile(`0x[0-9a-f]+`)
	goroutines = regexp.MustCompile(`([Gg]oroutine) \d+`)
	seconds    = regexp.MustCompile(`\d+\.\d+s`)
)

// contains finds the parts of shown in said, in this order. A line with three
// dots separates the parts. Addresses, numbers of goroutines and times may differ.
func contains(t *testing.T, said, shown string) {
	t.Helper()
	same := func(s string) string {
		s = addresses.ReplaceAllString(s, "0x")
		s = goroutines.ReplaceAllString(s, "$1 N")
		return seconds.ReplaceAllString(s, "0s")
	}
	rest := same(said)
	for part := range strings.SplitSeq(same(shown), "...\n") {
		_, after, found := strings.Cut(rest, part)
		if !found {
			t.Fatalf("README.md shows\n%s\nand the tool says\n%s", part, rest)
		}
		rest = after
	}
}

// TestREADME_QuotesTheMemoryModel finds each block quote of the lesson in the
// Go memory model, as the Go distribution contains it.
func TestREADME_QuotesTheMemoryModel(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("no go command in PATH")
	}
	page, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "doc", "go_mem.html"))
	if err != nil {
		t.Skip("this Go distribution has no doc/go_mem.html")
	}
	model := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(string(page), ""))
	model = strings.Join(strings.Fields(model), " ")

	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	quotes := regexp.MustCompile(`(?m)(^> .*\n)+`).FindAllString(string(readme), -1)
	if len(quotes) == 0 {
		t.Fatal("README.md has no block quotes")
	}
	for _, quote := range quotes {
		text := strings.ReplaceAll("\n"+quote, "\n> ", "\n")
		text = strings.Join(strings.Fields(strings.ReplaceAll(text, "`", "")), " ")
		if !strings.Contains(model, text) {
			t.Errorf("not in the Go memory model:\n\n%s", text)
		}
	}
}
