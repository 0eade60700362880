// Package week04_test holds the examples of the lesson in README.md, and checks
// that the lesson quotes them correctly.
package week04_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/module1/internal/lesson"
)

// 1. The answer is not here yet

// trickle serves one request on conn: the headers after a second, and then one
// of 60 bytes in every second.
func trickle(conn net.Conn) {
	defer conn.Close()
	if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
		return
	}
	time.Sleep(time.Second)
	_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n")
	for n := 0; n < 60 && err == nil; n++ {
		time.Sleep(time.Second)
		_, err = io.WriteString(conn, ".")
	}
}

// slow returns a transport whose every connection leads to trickle.
func slow(t *testing.T) *http.Transport {
	var servers sync.WaitGroup
	t.Cleanup(servers.Wait)
	return &http.Transport{
		ResponseHeaderTimeout: 2 * time.Second,
		DisableKeepAlives:     true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			servers.Go(func() { trickle(server) })
			return client, nil
		},
	}
}

func TestTwoClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, limit := range []time.Duration{0, 4500 * time.Millisecond} {
			client := &http.Client{Transport: slow(t), Timeout: limit}
			start := time.Now()
			resp, err := client.Get("http://api.test/")
			if err != nil {
				t.Fatal(err)
			}
			fmt.Println(resp.Status, "after", time.Since(start))
			body, err := io.ReadAll(resp.Body)
			fmt.Println(len(body), "bytes after", time.Since(start), errors.Is(err, context.DeadlineExceeded))
			resp.Body.Close()
		}
	})
	// Output:
	// 200 OK after 1s
	// 60 bytes after 1m1s false
	// 200 OK after 1s
	// 3 bytes after 4.5s true
}

// fetch gets url and waits no longer than five minutes.
func fetch(client *http.Client, url string) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return client.Do(req)
}

func TestHelpfulHelper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resp, err := fetch(&http.Client{Transport: slow(t)}, "http://api.test/")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		fmt.Println(resp.Status)
		body, err := io.ReadAll(resp.Body)
		fmt.Println(len(body), "bytes,", err)
	})
	// Output:
	// 200 OK
	// 0 bytes, context canceled
}

// connections returns how many connections five requests open to a server that
// refuses them all. Each response goes to finish.
func connections(finish func(*http.Response)) int64 {
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "try again later", http.StatusServiceUnavailable)
		}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	for range 5 {
		resp, err := server.Client().Get(server.URL)
		if err != nil {
			panic(err)
		}
		finish(resp)
	}
	return opened.Load()
}

func Example_reuse() {
	fmt.Println(connections(func(resp *http.Response) {
		resp.Body.Close()
	}))
	fmt.Println(connections(func(resp *http.Response) {
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}))
	// Output:
	// 5
	// 1
}

// 2. What does this body say?

type reading struct {
	Station string  `json:"station"`
	TempC   float64 `json:"temp_c"`
}

func Example_oneVariable() {
	dec := json.NewDecoder(strings.NewReader(`
		{"station": "brenner", "temp_c": -11.5}
		{"station": "bozen"}
		{"station": "verona", "temp_c": null}
	`))
	var r reading
	for dec.More() {
		if err := dec.Decode(&r); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(r.Station, r.TempC)
	}
	// Output:
	// brenner -11.5
	// bozen -11.5
	// verona -11.5
}

func Example_number() {
	const body = `{"id": 9007199254740993}`

	var loose map[string]any
	fmt.Println(json.Unmarshal([]byte(body), &loose))
	fmt.Printf("%.0f\n", loose["id"])

	var typed struct{ ID int64 }
	fmt.Println(json.Unmarshal([]byte(body), &typed))
	fmt.Println(typed.ID)
	// Output:
	// <nil>
	// 9007199254740992
	// <nil>
	// 9007199254740993
}

// 3. Three layers, and an old answer

var errWithdrawn = errors.New("currency withdrawn")

// rates returns the last known rate if its source fails.
type rates struct {
	source func(currency string) (float64, error)
	last   map[string]float64
}

func (r *rates) get(currency string) (float64, error) {
	rate, err := r.source(currency)
	if err == nil {
		r.last[currency] = rate
		return rate, nil
	}
	if old, ok := r.last[currency]; ok {
		return old, nil
	}
	return 0, err
}

func Example_oldAnswer() {
	year := 2022
	r := &rates{last: make(map[string]float64)}
	r.source = func(currency string) (float64, error) {
		if currency == "HRK" && year >= 2023 {
			return 0, errWithdrawn // Croatia has the euro
		}
		return 7.53, nil
	}
	fmt.Println(r.get("HRK"))
	year = 2026
	fmt.Println(r.get("HRK"))
	// Output:
	// 7.53 <nil>
	// 7.53 <nil>
}

func Example_flags() {
	for _, line := range []string{"-json oslo", "oslo -json", "-json false oslo"} {
		flags := flag.NewFlagSet("weather", flag.ContinueOnError)
		asJSON := flags.Bool("json", false, "JSON instead of text")
		err := flags.Parse(strings.Fields(line))
		fmt.Println(*asJSON, flags.Args(), err)
	}
	// Output:
	// true [oslo] <nil>
	// false [oslo -json] <nil>
	// true [false oslo] <nil>
}

// 4. Which bug does it catch?

// fee is 2 % of an amount in cents, rounded down, at least 30 and at most 500.
func fee(cents int64) int64 {
	return min(max(cents*2/100, 30), 500)
}

// variants are changes that somebody may make to fee next year.
var variants = []struct {
	name string
	fee  func(cents int64) int64
}{
	{"no minimum", func(c int64) int64 { return min(c*2/100, 500) }},
	{"no maximum", func(c int64) int64 { return max(c*2/100, 30) }},
	{"3 percent", func(c int64) int64 { return min(max(c*3/100, 30), 500) }},
	{"divides first", func(c int64) int64 { return min(max(c/100*2, 30), 500) }},
	{"rounds up", func(c int64) int64 { return min(max((c*2+99)/100, 30), 500) }},
	{"32 bits", func(c int64) int64 { return int64(min(max(int32(c)*2/100, 30), 500)) }},
}

type row struct{ cents, want int64 }

// survivors prints the variants that pass all rows.
func survivors(rows []row) {
	for _, v := range variants {
		passed := true
		for _, r := range rows {
			passed = passed && v.fee(r.cents) == r.want
		}
		if passed {
			fmt.Println(v.name)
		}
	}
}

func Example_survivors() {
	survivors([]row{
		{cents: 100, want: 30},        // the minimum
		{cents: 10_000, want: 200},    // in between
		{cents: 1_000_000, want: 500}, // the maximum
	})
	// Output:
	// divides first
	// rounds up
	// 32 bits
}

// isGIF reports whether r begins like a GIF image.
func isGIF(r io.Reader) bool {
	magic := make([]byte, 6)
	n, _ := r.Read(magic)
	return string(magic[:n]) == "GIF89a"
}

func Example_hostileReader() {
	const image = "GIF89a and so on"
	fmt.Println(isGIF(strings.NewReader(image)))
	fmt.Println(isGIF(iotest.HalfReader(strings.NewReader(image))))
	fmt.Println(isGIF(iotest.OneByteReader(strings.NewReader(image))))
	// Output:
	// true
	// false
	// false
}

func TestREADME_QuotesThisFile(t *testing.T) { lesson.Check(t) }
