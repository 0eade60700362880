// Package week06_test holds the examples of the lesson in README.md.
package week06_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/module1/internal/lesson"
)

func TestREADME_QuotesThisFile(t *testing.T) { lesson.Check(t) }

// 1. Work that makes work

// peak visits a tree in which each inner node has 10 children. It returns the
// largest number of nodes that were known and not yet visited.
func peak(depth int, next func(known []int) int) int {
	known := []int{0} // the depths of the nodes
	most := 0
	for len(known) > 0 {
		most = max(most, len(known))
		i := next(known)
		d := known[i]
		known = append(known[:i], known[i+1:]...)
		if d < depth {
			for range 10 {
				known = append(known, d+1)
			}
		}
	}
	return most
}

func Example_frontier() {
	oldest := func(known []int) int { return 0 }
	newest := func(known []int) int { return len(known) - 1 }
	fmt.Println(peak(3, oldest), peak(3, newest))
	// Output:
	// 1000 28
}

// pool is what a crawl knows of itself. Each method is one step.
type pool struct{ queued, running int }

func (p *pool) start()           { p.queued--; p.running++ }
func (p *pool) finish(links int) { p.queued += links; p.running-- }

func Example_tornLook() {
	p := &pool{running: 1}
	queued := p.queued
	p.finish(1) // between the two looks
	running := p.running
	fmt.Println(queued+running == 0, *p)

	p = &pool{queued: 1}
	running = p.running
	p.start()
	queued = p.queued
	fmt.Println(queued+running == 0, *p)
	// Output:
	// true {1 0}
	// true {0 1}
}

// 2. Polite, and tested in virtual time

// slow is a site that needs 4.5 seconds for each answer. It remembers how many
// requests it had at the same time.
type slow struct {
	mu        sync.Mutex
	now, most int // guarded by mu
}

func (s *slow) RoundTrip(r *http.Request) (*http.Response, error) {
	s.count(+1)
	defer s.count(-1)
	select {
	case <-time.After(4500 * time.Millisecond):
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func (s *slow) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now += n
	s.most = max(s.most, s.now)
}

func TestRateIsNoLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := new(slow)
		client := &http.Client{Transport: site}
		start := time.Now()
		turns := time.NewTicker(time.Second) // one request each second
		defer turns.Stop()

		var requests sync.WaitGroup
		for range 20 {
			<-turns.C
			requests.Go(func() {
				resp, err := client.Get("http://shop.example/")
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
			})
		}
		requests.Wait()
		fmt.Println(site.most, time.Since(start))
	})
	// Output:
	// 5 24.5s
}

// retryAfter returns the pause that a header Retry-After asks for.
func retryAfter(value string, now time.Time) (time.Duration, error) {
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Duration(seconds) * time.Second, nil
	}
	until, err := http.ParseTime(value)
	return until.Sub(now), err
}

func Example_retryAfter() {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	fmt.Println(retryAfter("120", now))
	fmt.Println(retryAfter("Sun, 01 Mar 2026 12:02:00 GMT", now))
	fmt.Println(retryAfter("10000000000", now))
	// Output:
	// 2m0s <nil>
	// 2m0s <nil>
	// -2346317h47m53.709551616s <nil>
}

// 3. Leaks, found with tools

func offerTo(results chan int) func() {
	return func() { results <- 1 }
}

func checkout(offer func()) {
	for range 3 {
		go offer()
	}
}

func refund(offer func()) {
	for range 2 {
		go offer()
	}
}

// profile returns the goroutine profile, in the format with this number.
func profile(debug int) string {
	var b strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&b, debug); err != nil {
		panic(err)
	}
	return b.String()
}

func TestProfiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		results := make(chan int)
		offer := offerTo(results)
		checkout(offer)
		refund(offer)
		synctest.Wait() // all of them wait in their sends

		count := ""
		for line := range strings.Lines(profile(1)) {
			if n, _, ok := strings.Cut(line, " @ "); ok {
				count = n // the first line of a group
			} else if strings.Contains(line, "offerTo") {
				fmt.Println(count, "in offerTo")
			}
		}
		stacks := profile(2)
		for _, starter := range []string{"checkout", "refund"} {
			fmt.Println(strings.Count(stacks, "week06_test."+starter+" in goroutine"), "created by", starter)
		}

		for range 5 {
			<-results
		}
	})
	// Output:
	// 5 in offerTo
	// 3 created by checkout
	// 2 created by refund
}

// file is a body that tells whether it was closed.
type file struct {
	io.Reader
	closed bool
}

func (f *file) Close() error { f.closed = true; return nil }

func Example_whoCloses() {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Close()

	f := &file{Reader: &packed}
	unpacked, err := gzip.NewReader(f)
	fmt.Println("gzip", err, unpacked.Close(), f.closed)

	f = &file{Reader: &packed}
	limited := http.MaxBytesReader(nil, f, 1000)
	fmt.Println("limited", limited.Close(), f.closed)

	f = &file{Reader: &packed}
	request, err := http.NewRequest("POST", "http://shop.example/", f)
	fmt.Println("request", err, request.Body.Close(), f.closed)
	// Output:
	// gzip <nil> <nil> false
	// limited <nil> true
	// request <nil> <nil> true
}

// 4. Again and again, and never twice

// rounds runs job n times, each time after wait has returned. It prints when the
// rounds began.
func rounds(n int, wait func(), job func(round int)) {
	start := time.Now()
	var began []time.Duration
	for round := range n {
		wait()
		began = append(began, time.Since(start))
		job(round)
	}
	fmt.Println(began)
}

func TestSlowRound(t *testing.T) {
	job := func(round int) {
		time.Sleep(time.Second)
		if round == 0 { // the table was locked
			time.Sleep(25 * time.Second)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		ticker := time.NewTicker(10 * time.Second)
		defer ticker.Stop()
		rounds(5, func() { <-ticker.C }, job)
	})
	synctest.Test(t, func(t *testing.T) {
		rounds(5, func() { <-time.After(10 * time.Second) }, job)
	})
	// Output:
	// [10s 36s 40s 50s 1m0s]
	// [10s 46s 57s 1m8s 1m19s]
}

func Example_stopAndTick() {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	tick := make(chan time.Time)
	close(tick) // both cases are ready, always

	late := 0
	for range 1000 {
		select {
		case <-ctx.Done():
		case <-tick:
			late++
		}
	}
	fmt.Println(late == 0, late == 1000)
	// Output:
	// false false
}
