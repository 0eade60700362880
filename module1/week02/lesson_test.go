// Package week02_test holds the examples of the lesson in README.md.
package week02_test

import (
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
	"weak"

	"github.com/middle-go/course/module1/internal/lesson"
)

func TestREADME_QuotesThisFile(t *testing.T) { lesson.Check(t) }

// 1. Who chose this byte?

// record writes one line of an audit log.
func record(w io.Writer, user, action string) {
	fmt.Fprintf(w, "user=%s action=%s\n", user, action)
}

func Example_author() {
	var log strings.Builder
	record(&log, "ann", "login")
	record(&log, "mallory action=login\nuser=ann", "delete-project")

	for line := range strings.Lines(log.String()) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "user=")
		user, action, _ := strings.Cut(line, " action=")
		fmt.Println(user, "did", action)
	}
	// Output:
	// ann did login
	// mallory did login
	// ann did delete-project
}

func Example_position() {
	const table = `tsk_1,open
tsk_2,"done
tsk_3,open
tsk_4,open
`
	_, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if failed, ok := errors.AsType[*csv.ParseError](err); ok {
		fmt.Println(failed.Line)
		fmt.Println(failed.StartLine)
	}
	// Output:
	// 4
	// 2
}

// 2. What is left of a billion lines?

// major returns the value that makes up more than half of the stream.
func major(stream ...string) string {
	var key string
	n := 0
	for _, s := range stream {
		switch {
		case n == 0:
			key, n = s, 1
		case s == key:
			n++
		default:
			n--
		}
	}
	return key
}

func Example_major() {
	fmt.Println(major("/a", "/b", "/a", "/c", "/a"))
	fmt.Println(major("/a", "/a", "/b", "/b", "/c"))
	// Output:
	// /a
	// /c
}

// quantile returns the smallest duration that at least percent of d do not exceed.
func quantile(percent int, d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[(len(d)*percent+99)/100-1]
}

func Example_meanOfQuantiles() {
	big := slices.Repeat([]time.Duration{10 * time.Millisecond}, 980)
	small := slices.Repeat([]time.Duration{2 * time.Second}, 20)
	all := slices.Concat(big, small)

	for _, p := range []int{95, 99} {
		mean := (quantile(p, big) + quantile(p, small)) / 2
		fmt.Println(p, mean, quantile(p, all))
	}
	// Output:
	// 95 1.005s 10ms
	// 99 1.005s 2s
}

// 3. When does a reference end?

type policy struct {
	project string
	readers []string
}

func Example_withdrawn() {
	policies := map[string]*policy{"p1": {"p1", []string{"ann", "bob"}}}

	inUse := policies["p1"] // a handler needs it for the length of an upload
	ref := weak.Make(inUse) // another part of the program keeps a weak pointer

	delete(policies, "p1") // bob must not read this project any more
	runtime.GC()

	if p := ref.Value(); p != nil {
		fmt.Println(p.project, p.readers)
	}
	runtime.KeepAlive(inUse)
	// Output:
	// p1 [ann bob]
}

func Example_lateCleanup() {
	cache := make(map[string]string)
	var pending []func() // what the runtime has to run, some time
	load := func(key, value string) {
		cache[key] = value
		pending = append(pending, func() { delete(cache, key) })
	}

	load("p1", "old") // and then nobody uses the value, and it is collected
	load("p1", "new") // somebody needs the key again
	pending[0]()      // the runtime gets to the first cleanup

	fmt.Printf("%q\n", cache["p1"])
	// Output:
	// ""
}

// 4. What does it hold?

// heap returns what the program has allocated since its start, and what of it
// the last collection found alive.
func heap() (allocated, live uint64) {
	runtime.GC()
	samples := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64(), samples[1].Value.Uint64()
}

// mib is the difference in MiB, rounded.
func mib(from, to uint64) int64 { return (int64(to-from) + 1<<19) >> 20 }

func Example_live() {
	allocated, live := heap()

	var ids [][]byte
	for i := range 64 {
		message := make([]byte, 1<<20)
		if i%8 == 0 { // one message in eight is an order, and we want its number
			ids = append(ids, message[:10])
		}
	}

	allocatedNow, liveNow := heap()
	fmt.Println(mib(allocated, allocatedNow), "MiB")
	fmt.Println(mib(live, liveNow), "MiB")
	fmt.Println(len(slices.Concat(ids...)), "bytes")
	// Output:
	// 64 MiB
	// 8 MiB
	// 80 bytes
}

type asItCame struct {
	OK     bool
	Time   int64
	Status uint16
	Region string
	Cached bool
}

type sorted struct {
	Region     string
	Time       int64
	Status     uint16
	OK, Cached bool
}

func Example_bill() {
	fmt.Println(unsafe.Sizeof(asItCame{}), unsafe.Sizeof(sorted{}))
	// Output:
	// 48 32
}

// 5. What does a script see?

func Example_flagOrder() {
	flags := flag.NewFlagSet("export", flag.ContinueOnError)
	limit := flags.Int("limit", 10, "most `rows` to write")
	quiet := flags.Bool("quiet", false, "no progress")

	err := flags.Parse([]string{"-quiet", "false", "-limit", "3", "tasks.db"})
	fmt.Println(err, *quiet, *limit)
	fmt.Println(flags.Args())
	// Output:
	// <nil> true 10
	// [false -limit 3 tasks.db]
}

func Example_brokenPipe() {
	r, w, err := os.Pipe()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Close()
	r.Close() // the reader has seen enough

	n, err := io.WriteString(w, "tsk_11 done\n")
	fmt.Println(n, errors.Is(err, syscall.EPIPE))
	// Output:
	// 0 true
}
