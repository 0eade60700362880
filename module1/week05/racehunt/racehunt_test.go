package racehunt_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week05/racehunt"
)

// patience bounds waits that only a broken submission makes. No correct one
// comes near it.
const patience = 3 * time.Second

func TestCounter_SnapshotIsolated(t *testing.T) {
	var c racehunt.Counter
	c.Inc("paid")
	snapshot := c.Snapshot()
	if want := map[string]int64{"paid": 1}; !maps.Equal(snapshot, want) {
		rule.Broken(t, rule.Case{
			Do: "var c Counter\nc.Inc(\"paid\")\nfmt.Println(c.Snapshot())", Got: snapshot, Want: want,
		})
	}

	c.Inc("paid")
	if got := snapshot["paid"]; got != 1 {
		rule.Broken(t, rule.Case{
			Do: `var c Counter
c.Inc("paid")
snapshot := c.Snapshot()
c.Inc("paid")
fmt.Println(snapshot["paid"])`,
			Got:  got,
			Want: 1,
			Why:  "The lock ends where the function returns. Whoever ranges over the live map races with every Inc.",
		})
	}

	snapshot["paid"] = 100
	if got := c.Inc("paid"); got != 3 {
		rule.Broken(t, rule.Case{
			Do: `var c Counter
c.Inc("paid")
c.Inc("paid")
c.Snapshot()["paid"] = 100
fmt.Println(c.Inc("paid"))`,
			Got:  got,
			Want: 3,
			Why:  "A report that rounds its own numbers must not change the bill.",
		})
	}
}

func TestCounter_NoLostIncrements(t *testing.T) {
	const workers, each = 4, 500
	var c racehunt.Counter
	var returned [workers][]int64
	var started [each]atomic.Int64
	together(workers, func(worker int) {
		for i := range each {
			meet(&started[i], workers)
			returned[worker] = append(returned[worker], c.Inc("paid"))
			c.Inc("sent")
		}
	})

	const do = "var c Counter\nfor range 4 {\n    wg.Go(func() { for range 500 { c.Inc(\"paid\"); c.Inc(\"sent\") } })\n}"
	want := map[string]int64{"paid": workers * each, "sent": workers * each}
	if got := c.Snapshot(); !maps.Equal(got, want) {
		rule.Broken(t, rule.Case{
			Do: do, Got: got, Want: want,
			Why: "Two workers read 41, and both write 42: one invoice is never billed.",
		})
	}
	all := slices.Sorted(slices.Values(slices.Concat(returned[:]...)))
	for i, n := range all {
		if n != int64(i+1) {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("Inc(\"paid\") returned no %d, or another number twice", i+1),
				Want: rule.Textf("every number from 1 to %d once", workers*each),
				Why:  "The number goes on the invoice. Two invoices with one number fail the audit.",
			})
		}
	}
}

func TestLazy_ErrorIsRetried(t *testing.T) {
	errDown := errors.New("key server is down")
	calls := 0
	l := racehunt.NewLazy(func() (string, error) {
		calls++
		if calls == 1 {
			return "half a key", errDown
		}
		return fmt.Sprintf("key %d", calls), nil
	})
	for i, want := range []struct {
		value string
		err   error
		calls int
	}{
		{"", errDown, 1},
		{"key 2", nil, 2},
		{"key 2", nil, 2},
	} {
		value, err := l.Get()
		if value != want.value || err != want.err || calls != want.calls {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("l := NewLazy(f) // f fails once, then returns \"key 2\"\nl.Get() // call number %d of Get", i+1),
				Got:  rule.Textf("%q, %v after %d calls of f", value, err, calls),
				Want: rule.Textf("%q, %v after %d calls of f", want.value, want.err, want.calls),
				Why:  "The key server was down for a second. A worker that keeps the error is down until its restart.",
			})
		}
	}
}

func TestLazy_OneCallInFlight(t *testing.T) {
	const workers, failures = 8, 2
	for range 100 {
		var arrived, calls, running, peak atomic.Int64
		l := racehunt.NewLazy(func() (int64, error) {
			if n := running.Add(1); n > 1 {
				peak.Store(n)
			}
			defer running.Add(-1)
			n := calls.Add(1)
			linger(func() bool { return arrived.Load() == workers && running.Load() > 1 })
			if n <= failures {
				return 0, errors.New("key server is down")
			}
			return n, nil
		})
		var values [workers]int64
		together(workers, func(worker int) {
			arrived.Add(1)
			for range 1000 { // far more than a Lazy that tries again needs
				value, err := l.Get()
				if err == nil {
					values[worker] = value
					return
				}
			}
		})
		const do = "l := NewLazy(f) // f fails twice, then succeeds\nfor range 8 {\n    wg.Go(func() { for { if _, err := l.Get(); err == nil { return } } })\n}"
		if got := peak.Load(); got > 1 {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("%d calls of f at the same time", got),
				Want: rule.Text("1"),
				Why:  "At a cold start every worker asks the key server, which was slow already.",
			})
		}
		if got := calls.Load(); got != failures+1 {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("calls of f: %d", got),
				Want: rule.Textf("calls of f: %d, two that fail and one that succeeds", failures+1),
				Why:  "A value that is made twice is two values: half of the workers sign with the old key. An error that is kept is a key that nobody gets.",
			})
		}
		for _, value := range values {
			if value != failures+1 {
				rule.Broken(t, rule.Case{
					Do:   do,
					Got:  rule.Textf("values %v", values),
					Want: rule.Textf("every Get returns %d", failures+1),
					Why:  "All workers must use the one value.",
				})
			}
		}
	}
}

func TestRegistry_OnlyOneWinner(t *testing.T) {
	t.Run("while the winner's handler runs", func(t *testing.T) {
		var r racehunt.Registry
		rival := make(chan bool, 1)
		second, ran := false, new(atomic.Bool)
		first := r.RegisterOnce("march", func() {
			go func() { rival <- r.RegisterOnce("march", func() { ran.Store(true) }) }()
			select {
			case second = <-rival:
			case <-time.After(patience): // TestRegistry_NobodyWaitsForHandler reports it
			}
		})
		if !first || second || ran.Load() {
			rule.Broken(t, rule.Case{
				Do: `var r Registry
first := r.RegisterOnce("march", func() {
    second = <-inGoroutine(r.RegisterOnce("march", h))
})`,
				Got:  rule.Textf("first %v, second %v, h ran: %v", first, second, ran.Load()),
				Want: rule.Text("first true, second false, h ran: false"),
				Why:  "The answer to \"is it free?\" is old before the name is taken, and March is billed twice.",
			})
		}
	})

	t.Run("4 callers", func(t *testing.T) {
		const workers, names = 4, 500
		var r racehunt.Registry
		var started, won, ran [names]atomic.Int64
		var early atomic.Int64
		together(workers, func(int) {
			for i := range names {
				meet(&started[i], workers)
				if r.RegisterOnce(strconv.Itoa(i), func() { ran[i].Add(1) }) {
					won[i].Add(1)
					if ran[i].Load() == 0 {
						early.Add(1)
					}
				}
			}
		})
		const do = "var r Registry\nfor range 4 {\n    wg.Go(func() { won := r.RegisterOnce(\"march\", h) })\n}"
		for i := range names {
			if won[i].Load() != 1 || ran[i].Load() != 1 {
				rule.Broken(t, rule.Case{
					Do:   do,
					Got:  rule.Textf("%d winners, h ran %d times", won[i].Load(), ran[i].Load()),
					Want: rule.Text("1 winner, h ran 1 time"),
					Why:  "Two callers saw a free name before either took it, and March is billed twice.",
				})
			}
		}
		if n := early.Load(); n > 0 {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("RegisterOnce returned before h ended, for %d names", n),
				Want: rule.Text("the winner's h has run when RegisterOnce returns"),
				Why:  "The caller goes on as if the job were set up.",
			})
		}
	})

	t.Run("no handler", func(t *testing.T) {
		var r racehunt.Registry
		if first, second := r.RegisterOnce("march", nil), r.RegisterOnce("march", nil); !first || second {
			rule.Broken(t, rule.Case{
				Do:   "var r Registry\nr.RegisterOnce(\"march\", nil)\nr.RegisterOnce(\"march\", nil)",
				Got:  rule.Textf("%v, then %v", first, second),
				Want: rule.Text("true, then false"),
				Why:  "Some names are only taken, and nothing runs.",
			})
		}
	})
}

func TestRegistry_NobodyWaitsForHandler(t *testing.T) {
	for _, name := range []string{"march", "april"} {
		var r racehunt.Registry
		answered := false
		r.RegisterOnce("march", func() {
			answer := make(chan bool, 1)
			go func() { answer <- r.RegisterOnce(name, nil) }()
			select {
			case <-answer:
				answered = true
			case <-time.After(patience):
			}
		})
		if !answered {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("r.RegisterOnce(\"march\", func() {\n    <-inGoroutine(r.RegisterOnce(%q, nil))\n})", name),
				Got:  rule.Text("no answer before the handler ends"),
				Want: rule.Text("an answer at once"),
				Why:  "A callback under a lock stops every other caller, and a callback that needs the lock stops for ever.",
			})
		}
	}
}

func TestFanOut_WaitsForAll(t *testing.T) {
	for _, tc := range []struct {
		urls []string
		do   string
	}{
		{[]string{"slow"}, `FanOut(ctx, []string{"slow"}, fetch)`},
		{[]string{"fails", "slow"}, `FanOut(ctx, []string{"fails", "slow"}, fetch)`},
		{[]string{"slow", "fails", "slow 2"}, `FanOut(ctx, []string{"slow", "fails", "slow 2"}, fetch)`},
	} {
		for range 100 {
			var ended atomic.Int64
			var returned atomic.Bool
			var fetches sync.WaitGroup
			fetches.Add(len(tc.urls))
			_, _ = racehunt.FanOut(t.Context(), tc.urls, func(_ context.Context, url string) (int, error) {
				defer fetches.Done()
				if url == "fails" {
					ended.Add(1)
					return 0, errors.New("connection refused")
				}
				linger(returned.Load)
				ended.Add(1)
				return 1, nil
			})
			got := ended.Load()
			returned.Store(true)
			fetches.Wait()
			if got != int64(len(tc.urls)) {
				rule.Broken(t, rule.Case{
					Do:   tc.do,
					Got:  rule.Textf("returned when %d of %d calls of fetch had ended", got, len(tc.urls)),
					Want: rule.Text("returns after the last one"),
					Why:  "A goroutine that outlives its call works for nobody, with a context and a connection that may be closed.",
				})
			}
		}
	}
}

func TestFanOut_AllResultsAndFirstError(t *testing.T) {
	errB, errC := errors.New("b failed, as the second"), errors.New("c failed, as the first")
	type key struct{}
	urls := []string{"a", "b", "c", "d", "e"}

	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "billing"))
	cancel() // fetch may look at it, FanOut does not

	for range 30 {
		var inside, strangers atomic.Int64
		var returned, apart atomic.Bool
		all, cFails := make(chan struct{}), make(chan struct{})
		got, err := racehunt.FanOut(ctx, urls, func(ctx context.Context, url string) (int, error) {
			if ctx.Value(key{}) != "billing" || ctx.Err() == nil {
				strangers.Add(1)
			}
			if inside.Add(1) == int64(len(urls)) {
				close(all)
			}
			select {
			case <-all:
			case <-time.After(patience):
				apart.Store(true)
				return 0, nil
			}
			switch url {
			case "b":
				<-cFails
				linger(returned.Load)
				return -1, errB
			case "c":
				close(cFails)
				return -1, errC
			case "e":
				linger(returned.Load)
			}
			return int(url[0]), nil
		})
		returned.Store(true)

		const do = `got, err := FanOut(ctx, []string{"a", "b", "c", "d", "e"}, fetch) // b and c fail, c sooner`
		if apart.Load() {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Text("some calls of fetch only start when others have returned"),
				Want: rule.Text("all 5 at the same time"),
				Why:  "Five calls of a second each must take one second.",
			})
		}
		if strangers.Load() > 0 {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Text("fetch got another context"),
				Want: rule.Text("ctx"),
				Why:  "Without ctx nobody can stop fetch, and its trace is cut off.",
			})
		}
		want := map[string]int{"a": 'a', "d": 'd', "e": 'e'}
		if diff := cmp.Diff(want, got); diff != "" || err != errB {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("%v, error %v", got, err),
				Want: rule.Textf("%v, error %v", want, errB),
				Why:  "Which error and which results the caller sees must not depend on who is faster today.",
			})
		}
	}

	got, err := racehunt.FanOut(t.Context(), nil, func(context.Context, string) (int, error) { return 1, nil })
	if got == nil || len(got) != 0 || err != nil {
		rule.Broken(t, rule.Case{
			Do:   "got, err := FanOut(ctx, nil, fetch)",
			Got:  rule.Textf("%#v, error %v", got, err),
			Want: rule.Textf("%#v, error %v", map[string]int{}, nil),
			Why:  "A caller adds its own entry to the map. A nil map panics.",
		})
	}
}

func TestGauge_PeakIsExact(t *testing.T) {
	for _, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		t.Run(order[0]+" ends first", func(t *testing.T) {
			var g racehunt.Gauge
			a, b := track(t, &g, "a"), track(t, &g, "b")
			tracked := map[string]*tracking{"a": a, "b": b}
			for _, name := range order {
				if got := tracked[name].end(); got != 2 {
					rule.Broken(t, rule.Case{
						Do:   fmt.Sprintf("// a starts, b starts, then %s ends, then %s\npeak := g.Track(%s)", order[0], order[1], name),
						Got:  got,
						Want: 2,
						Why:  "A peak that was read before f is old after f. Written back, it erases a higher one.",
					})
				}
			}
			if got := g.Track(func() {}); got != 2 {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("// a starts, b starts, %s ends, %s ends\npeak := g.Track(func() {})", order[0], order[1]),
					Got:  got,
					Want: 2,
					Why:  "The peak is a maximum over the life of the worker. It never falls.",
				})
			}
		})
	}

	t.Run("all at once", func(t *testing.T) {
		const workers, gauges = 4, 300
		peaks := make([][workers]int64, gauges)
		var started, inside [gauges]atomic.Int64
		all := make([]racehunt.Gauge, gauges)
		together(workers, func(worker int) {
			for i := range gauges {
				meet(&started[i], workers)
				peaks[i][worker] = all[i].Track(func() { meet(&inside[i], workers) })
			}
		})
		for _, got := range peaks {
			if want := [workers]int64{4, 4, 4, 4}; got != want {
				rule.Broken(t, rule.Case{
					Do:   "var g Gauge\nfor range 4 {\n    wg.Go(func() { peak := g.Track(f) }) // the 4 calls of f run at the same time\n}",
					Got:  rule.Textf("peaks %v", got),
					Want: rule.Textf("peaks %v", want),
					Why:  "Between a comparison and a store somebody else stores a higher peak. The pool is then sized for too few.",
				})
			}
		}
	})
}

func TestConfig_ConsistentPair(t *testing.T) {
	const keys, reloads, pairs = 32, 200, 4000
	config := func(value string) map[string]string {
		kv := make(map[string]string, keys)
		for i := range keys {
			kv["key"+strconv.Itoa(i)] = value
		}
		return kv
	}

	t.Run("one reload after the other", func(t *testing.T) {
		var c racehunt.Config
		var done, failed atomic.Bool
		var read atomic.Int64
		var torn [2]rule.Text
		together(3, func(worker int) {
			if worker == 2 {
				for n := 1; (n <= reloads || read.Load() < pairs) && !failed.Load(); n++ {
					c.Reload(config(strconv.Itoa(n)))
					runtime.Gosched()
				}
				done.Store(true)
				return
			}
			for n := worker; !done.Load(); n += 2 {
				k1, k2 := "key"+strconv.Itoa(n%keys), "key"+strconv.Itoa((n/keys+n+1)%keys)
				first, second := c.Get(k1), c.Get(k2)
				if number(second) < number(first) {
					torn[worker] = rule.Textf("%q, then %q", first, second)
					failed.Store(true)
					return
				}
				if read.Add(1)%64 == 0 {
					runtime.Gosched() // on one processor the reloads need a turn
				}
			}
		})
		for _, got := range torn {
			if got != "" {
				rule.Broken(t, rule.Case{
					Do:   "first := c.Get(\"key1\")\nsecond := c.Get(\"key2\") // meanwhile Reload number n gives every key the value n",
					Got:  got,
					Want: rule.Text("second is from the same Reload as first, or from a later one"),
					Why:  "The new price with the old currency is a wrong invoice.",
				})
			}
		}
	})

	t.Run("two reloads at the same time", func(t *testing.T) {
		var c racehunt.Config
		kvs := []map[string]string{config("euro"), config("dollar")}
		for range reloads {
			together(len(kvs), func(worker int) { c.Reload(kvs[worker]) })
			for i := range keys {
				if a, b := c.Get("key0"), c.Get("key"+strconv.Itoa(i)); a != b {
					rule.Broken(t, rule.Case{
						Do: fmt.Sprintf(`wg.Go(func() { c.Reload(euro) })
wg.Go(func() { c.Reload(dollar) })
wg.Wait()
fmt.Println(c.Get("key0"), c.Get("key%d"))`, i),
						Got:  rule.Textf("%s %s", a, b),
						Want: rule.Text("the same currency twice"),
						Why:  "Two reloads that mix leave a configuration that nobody wrote.",
					})
				}
			}
		}
	})
}

func TestConfig_ReloadReplacesAndCopies(t *testing.T) {
	var c racehunt.Config
	if got := c.Get("price"); got != "" {
		rule.Broken(t, rule.Case{Do: "var c Config\nc.Get(\"price\")", Got: got, Want: ""})
	}
	kv := map[string]string{"price": "10", "currency": "EUR"}
	c.Reload(kv)
	kv["price"] = "99"
	delete(kv, "currency")
	if price, currency := c.Get("price"), c.Get("currency"); price != "10" || currency != "EUR" {
		rule.Broken(t, rule.Case{
			Do: `kv := map[string]string{"price": "10", "currency": "EUR"}
c.Reload(kv)
kv["price"] = "99"
delete(kv, "currency")
fmt.Println(c.Get("price"), c.Get("currency"))`,
			Got:  rule.Textf("%q %q", price, currency),
			Want: rule.Textf("%q %q", "10", "EUR"),
			Why:  "The caller parses the next file into the same map, while the workers read it.",
		})
	}
	for _, next := range []map[string]string{{"price": "11"}, nil} {
		c.Reload(map[string]string{"price": "10", "currency": "EUR"})
		c.Reload(next)
		if price, currency := c.Get("price"), c.Get("currency"); price != next["price"] || currency != "" {
			rule.Broken(t, rule.Case{
				Do: fmt.Sprintf(`c.Reload(map[string]string{"price": "10", "currency": "EUR"})
c.Reload(%#v)
fmt.Println(c.Get("price"), c.Get("currency"))`, next),
				Got:  rule.Textf("%q %q", price, currency),
				Want: rule.Textf("%q %q", next["price"], ""),
				Why:  "A key that was removed from the file and still acts is found after a long night.",
			})
		}
	}
}

// TestAll_Race uses everything from four goroutines. It is the race detector
// that judges here.
func TestAll_Race(t *testing.T) {
	const workers, rounds, each = 4, 50, 20
	for range rounds {
		var (
			c    racehunt.Counter
			r    racehunt.Registry
			g    racehunt.Gauge
			conf racehunt.Config
			l    = racehunt.NewLazy(func() (int, error) { return 1, nil })
			torn [workers]rule.Text
			won  atomic.Int64
		)
		together(workers, func(worker int) {
			if value, err := l.Get(); value != 1 || err != nil {
				torn[worker] = rule.Textf("Get returned %d, %v", value, err)
			}
			for i := range each {
				snapshot := c.Snapshot()
				before := total(snapshot)
				c.Inc(strconv.Itoa(i % 3))
				runtime.Gosched()
				if after := total(snapshot); after != before {
					torn[worker] = rule.Textf("a snapshot of %d counts became one of %d", before, after)
					return
				}
				g.Track(func() { conf.Get("price") })
				conf.Reload(map[string]string{"price": strconv.Itoa(i)})
				if r.RegisterOnce(strconv.Itoa(i), nil) {
					won.Add(1)
				}
			}
			got, err := racehunt.FanOut(t.Context(), []string{"a", "b"}, func(context.Context, string) (int, error) { return l.Get() })
			if len(got) != 2 || err != nil {
				torn[worker] = rule.Textf("FanOut returned %v, %v", got, err)
			}
		})
		for _, got := range torn {
			if got != "" {
				rule.Broken(t, rule.Case{
					Do:   "// four goroutines use all six components",
					Got:  got,
					Want: rule.Text("every component keeps its contract"),
					Why:  "One goroutine works on memory that another one changes.",
				})
			}
		}
		if got, incs := total(c.Snapshot()), int64(workers*each); got != incs || won.Load() != each || g.Track(func() {}) < 1 {
			rule.Broken(t, rule.Case{
				Do:   "// four goroutines use all six components",
				Got:  rule.Textf("%d counts, %d winners, peak %d", got, won.Load(), g.Track(func() {})),
				Want: rule.Textf("%d counts, %d winners, peak of at least 1", incs, each),
				Why:  "What one goroutine wrote, another one has overwritten.",
			})
		}
	}
}

// together runs f in n goroutines that start at the same time, and waits for
// them.
func together(n int, f func(worker int)) {
	var wg sync.WaitGroup
	var started atomic.Int64
	for worker := range n {
		wg.Go(func() {
			meet(&started, n)
			f(worker)
		})
	}
	wg.Wait()
}

// meet returns when n goroutines have called it with this counter.
func meet(counter *atomic.Int64, n int) {
	counter.Add(1)
	for counter.Load() < int64(n) {
		runtime.Gosched()
	}
}

// linger gives the other goroutines time to do something wrong. It returns
// early if enough reports that they did.
func linger(enough func() bool) {
	for range 300 {
		if enough() {
			return
		}
		runtime.Gosched()
	}
}

// tracking is a function that runs in a Gauge until it is told to end.
type tracking struct {
	release func()
	peak    chan int64
}

// track starts a function in g and returns when it runs.
func track(t *testing.T, g *racehunt.Gauge, name string) *tracking {
	t.Helper()
	entered, leave := make(chan struct{}), make(chan struct{})
	tr := &tracking{release: sync.OnceFunc(func() { close(leave) }), peak: make(chan int64, 1)}
	t.Cleanup(tr.release)
	go func() {
		tr.peak <- g.Track(func() { close(entered); <-leave })
	}()
	select {
	case <-entered:
	case <-time.After(patience):
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("// a runs\ng.Track(%s)", name),
			Got:  rule.Textf("%s does not start", name),
			Want: rule.Text("tracked functions run at the same time"),
			Why:  "A gauge that lets one function run at a time measures itself.",
		})
	}
	return tr
}

func (tr *tracking) end() (peak int64) {
	tr.release()
	return <-tr.peak
}

func total(counts map[string]int64) (n int64) {
	for _, count := range counts {
		n += count
	}
	return n
}

// number returns the number of a reload, and 0 before the first.
func number(value string) int {
	n, _ := strconv.Atoi(value)
	return n
}
