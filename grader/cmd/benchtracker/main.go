// Benchtracker measures what a request to the tracker costs, as a ratio to a
// bare net/http handler that sends the same bytes. Both run on this machine, in
// this run, under the same client, in turns: figures from elsewhere say nothing.
//
//	go build -o bin/tasktracker ./solutions/tasktracker/cmd/tasktracker
//	go run ./grader/cmd/benchtracker -tracker bin/tasktracker
//
// It needs Linux, whose /proc tells the CPU time of a process.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
)

func main() {
	if os.Getenv(bareEnv) != "" {
		fmt.Fprintln(os.Stderr, "bare server:", serveBare())
		os.Exit(1)
	}
	tracker := flag.String("tracker", "bin/tasktracker", "the `program` to measure")
	conns := flag.Int("conns", 16, "connections that send one request after the other")
	rounds := flag.Int("rounds", 5, "rounds of each measurement; the median counts")
	length := flag.Duration("length", 2*time.Second, "length of a round")
	flag.Parse()
	if err := run(*tracker, *conns, *rounds, *length); err != nil {
		fmt.Fprintln(os.Stderr, "benchtracker:", err)
		os.Exit(1)
	}
}

// result is the median of the rounds of one measurement.
type result struct {
	perSecond float64
	cpu       time.Duration // of the server, for one request
	p99       time.Duration
}

func run(tracker string, conns, rounds int, length time.Duration) error {
	cases, stop, err := prepare(tracker)
	if err != nil {
		return err
	}
	defer stop()

	measured := make([][]result, len(cases))
	for range rounds {
		for i, c := range cases {
			r, err := measure(c, conns, length)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			measured[i] = append(measured[i], r)
		}
	}

	fmt.Printf("%s, %d CPUs, GOMAXPROCS %d; %d connections, median of %d rounds of %v\n\n",
		runtime.Version(), runtime.NumCPU(), runtime.GOMAXPROCS(0), conns, rounds, length)
	fmt.Println("| request | requests/s | CPU per request | p99 | CPU, ratio to the bare handler |")
	fmt.Println("| --- | ---: | ---: | ---: | ---: |")
	bare := map[string]result{}
	for i, c := range cases {
		m := median(measured[i])
		if c.bare == "" {
			bare[c.name] = m
		}
		base := bare[cmp.Or(c.bare, c.name)]
		fmt.Printf("| %s | %.0f | %v | %v | %.1f |\n", c.name, m.perSecond,
			m.cpu.Round(100*time.Nanosecond), m.p99.Round(10*time.Microsecond), float64(m.cpu)/float64(base.cpu))
	}
	return nil
}

func median(rounds []result) result {
	middle := func(of func(result) float64) float64 {
		values := make([]float64, len(rounds))
		for i, r := range rounds {
			values[i] = of(r)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return result{
		perSecond: middle(func(r result) float64 { return r.perSecond }),
		cpu:       time.Duration(middle(func(r result) float64 { return float64(r.cpu) })),
		p99:       time.Duration(middle(func(r result) float64 { return float64(r.p99) })),
	}
}
