package ttlmap_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/allocs"
	"github.com/middle-go/course/grader/labkit/blocked"
	"github.com/middle-go/course/grader/labkit/gctest"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week05/ttlmap"
)

// Tests about time run in synctest bubbles, where each moment is exact. Tests
// about locks run outside of them: a bubble stands still while one of its
// goroutines waits for a mutex.

// patience bounds a wait that only a broken submission makes.
const patience = 3 * time.Second

func TestGet_NeverReturnsExpired(t *testing.T) {
	for _, tc := range []struct {
		name, make string
		opts       []ttlmap.Option
	}{
		{name: "no janitor", make: "m := New[string, int]()"},
		{
			name: "a janitor that comes later",
			make: "m := New[string, int](WithJanitor(time.Hour))",
			opts: []ttlmap.Option{ttlmap.WithJanitor(time.Hour)},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := ttlmap.New[string, int](tc.opts...)
				defer m.Close()
				do := tc.make + "\nm.Set(\"s\", 7, 10*time.Second)\n"
				m.Set("s", 7, 10*time.Second)
				m.Set("t", 8, 10*time.Second)
				const alive = "A session that ends too early logs the customer out in the middle of an order."
				expectGet(t, do+"m.Get(\"s\")", m, "s", 7, true, alive)
				pass(10*time.Second - 1)
				expectGet(t, do+"time.Sleep(10*time.Second - 1)\nm.Get(\"s\")", m, "s", 7, true, alive)
				pass(1)
				do += "time.Sleep(10*time.Second)\n"
				const dead = "A session that outlives its time to live is a login that cannot be ended."
				if got := m.Len(); got != 0 {
					rule.Broken(t, rule.Case{Do: do + "m.Len()", Got: got, Want: 0, Why: dead})
				}
				for k, v := range m.All() {
					rule.Broken(t, rule.Case{Do: do + "m.All()", Got: rule.Textf("yields %q, %d", k, v), Want: rule.Text("yields nothing"), Why: dead})
				}
				expectGet(t, do+"m.Get(\"s\")", m, "s", 0, false, dead)
				m.Update("t", func(old int, ok bool) (int, time.Duration, bool) {
					if old != 0 || ok {
						rule.Broken(t, rule.Case{Do: do + "m.Update(\"s\", f)", Got: rule.Textf("f(%d, %v)", old, ok), Want: rule.Text("f(0, false)"), Why: dead})
					}
					return 0, 0, false
				})
			})
		})
	}
}

func TestSet_ExtendsTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := ttlmap.New[string, int](ttlmap.WithJanitor(time.Second))
		defer m.Close()
		const do = "m.Set(\"s\", 1, 10*time.Second)\ntime.Sleep(9 * time.Second)\nm.Set(\"s\", 2, 10*time.Second)\n"
		const why = "Every request of the user renews the session. The old time to live belongs to the old entry."
		m.Set("s", 1, 10*time.Second)
		pass(9 * time.Second)
		m.Set("s", 2, 10*time.Second)
		pass(10*time.Second - 1)
		expectGet(t, do+"time.Sleep(10*time.Second - 1)\nm.Get(\"s\")", m, "s", 2, true, why)
		pass(1)
		expectGet(t, do+"time.Sleep(10 * time.Second)\nm.Get(\"s\")", m, "s", 0, false, why)

		m.Set("s", 3, time.Hour)
		m.Set("s", 4, time.Second)
		pass(time.Second)
		expectGet(t, "m.Set(\"s\", 3, time.Hour)\nm.Set(\"s\", 4, time.Second)\ntime.Sleep(time.Second)\nm.Get(\"s\")", m, "s", 0, false,
			"A logout sets a short time to live. It must win over the long one before it.")
	})
}

func TestSet_TTLEdges(t *testing.T) {
	for _, tc := range []struct {
		name string
		ttl  time.Duration
	}{
		{"0", 0},
		{"-1", -1},
		{"math.MinInt64", math.MinInt64},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := ttlmap.New[string, int]()
				defer m.Close()
				m.Set("s", 1, time.Hour)
				expectGet(t, "m.Set(\"s\", 1, time.Hour)\nm.Get(\"s\")", m, "s", 1, true, "")
				m.Set("s", 2, tc.ttl)
				expectGet(t, fmt.Sprintf("m.Set(\"s\", 1, time.Hour)\nm.Set(\"s\", 2, %s)\nm.Get(\"s\")", tc.name), m, "s", 0, false,
					"time.Until(token.Expiry) is negative for a token of yesterday. It must not make a session without an end.")
			})
		})
	}
	t.Run("math.MaxInt64", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := ttlmap.New[string, int]()
			defer m.Close()
			m.Set("s", 1, math.MaxInt64)
			pass(100 * 365 * 24 * time.Hour)
			expectGet(t, "m.Set(\"s\", 1, math.MaxInt64)\ntime.Sleep(100 * 365 * 24 * time.Hour)\nm.Get(\"s\")", m, "s", 1, true,
				"A sum that overflows makes the longest time to live the shortest one.")
		})
	})
}

func TestUpdate_StoresWhatFSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := ttlmap.New[string, int]()
		defer m.Close()
		calls := 0
		update := func(do string, wantOld int, wantOK bool, v int, ttl time.Duration, keep bool, slow time.Duration) {
			t.Helper()
			before := calls
			m.Update("s", func(old int, ok bool) (int, time.Duration, bool) {
				calls++
				if old != wantOld || ok != wantOK {
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Textf("f(%d, %v)", old, ok), Want: rule.Textf("f(%d, %v)", wantOld, wantOK),
						Why: "f computes the next state of the session from this one.",
					})
				}
				if slow > 0 {
					<-time.After(slow)
				}
				return v, ttl, keep
			})
			if calls != before+1 {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("%d calls of f", calls-before), Want: rule.Text("1 call of f, which has returned when Update does"),
					Why: "f counts a failed login. Counted twice, it locks the customer out.",
				})
			}
		}
		const create = "m.Update(\"s\", f) // f returns 5, time.Minute, true\n"
		update(create, 0, false, 5, time.Minute, true, 0)
		expectGet(t, create+"m.Get(\"s\")", m, "s", 5, true, "What f keeps is stored, also for a new key.")

		const slow = create + "m.Update(\"s\", f) // f takes 40 s and returns 6, time.Minute, true\n"
		update(slow, 5, true, 6, time.Minute, true, 40*time.Second)
		pass(time.Minute - 1)
		expectGet(t, slow+"time.Sleep(time.Minute - 1)\nm.Get(\"s\")", m, "s", 6, true, "The time to live begins when f has returned it.")
		pass(1)
		expectGet(t, slow+"time.Sleep(time.Minute)\nm.Get(\"s\")", m, "s", 0, false, "The time to live of f replaces the one before.")

		m.Set("s", 7, time.Minute)
		const remove = "m.Set(\"s\", 7, time.Minute)\nm.Update(\"s\", f) // f returns 8, time.Minute, false\n"
		update(remove, 7, true, 8, time.Minute, false, 0)
		expectGet(t, remove+"m.Get(\"s\")", m, "s", 0, false, "This is how a logout removes a session.")
		update(remove+"m.Update(\"s\", f)", 0, false, 9, time.Minute, false, 0)
		if got := m.Len(); got != 0 {
			rule.Broken(t, rule.Case{
				Do: remove + "m.Update(\"s\", f) // f returns 9, time.Minute, false\nm.Len()", Got: got, Want: 0,
				Why: "Asking for a session that is not there must not make one.",
			})
		}
	})
}

func TestUpdate_Atomic1000(t *testing.T) {
	const n = 1000
	m := ttlmap.New[string, int]()
	defer m.Close()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			m.Update("s", func(old int, _ bool) (int, time.Duration, bool) {
				runtime.Gosched()
				return old + 1, time.Hour, true
			})
		})
	}
	wg.Wait()
	expectGet(t, `for range 1000 {
    wg.Go(func() {
        m.Update("s", func(old int, _ bool) (int, time.Duration, bool) {
            return old + 1, time.Hour, true
        })
    })
}
wg.Wait()
m.Get("s")`, m, "s", n, true, "Two requests read the same cart, and one of the two articles is lost.")
}

func TestUpdate_BlockedCallbackOnlyBlocksItsShard(t *testing.T) {
	m := ttlmap.New[int, string](ttlmap.WithShards(8))
	defer m.Close()
	a, b := 0, otherShard(t, m, 0)
	m.Set(b, "b", time.Hour)

	entered, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer sync.OnceFunc(func() { close(release) })()
	wg.Go(func() {
		m.Update(a, func(string, bool) (string, time.Duration, bool) {
			close(entered)
			<-release
			return "a", time.Hour, true
		})
	})
	<-entered
	for _, op := range []struct {
		name string
		call func()
	}{
		{"m.Get(b)", func() { m.Get(b) }},
		{"m.Set(b, \"c\", time.Hour)", func() { m.Set(b, "c", time.Hour) }},
		{"m.Update(b, f)", func() {
			m.Update(b, func(string, bool) (string, time.Duration, bool) { return "d", time.Hour, true })
		}},
		{"m.ShardOf(a)", func() { m.ShardOf(a) }},
	} {
		if !blocked.Start(op.call).Returns() {
			rule.Broken(t, rule.Case{
				Do:   "// m.ShardOf(a) != m.ShardOf(b)\ngo m.Update(a, f) // f waits for a slow database\n" + op.name,
				Got:  rule.Text("waits until f has returned"),
				Want: rule.Text("returns while f waits"),
				Why:  "One customer with a slow cart stops the sessions of all the others.",
			})
		}
	}
}

func TestUpdate_PanicReleasesLock(t *testing.T) {
	for _, tc := range []struct {
		name, code string
		leave      func()
	}{
		{"panic", `panic("nil cart")`, func() { panic("nil cart") }},
		{"Goexit", "t.FailNow()", runtime.Goexit},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := ttlmap.New[string, int]()
			defer m.Close()
			m.Set("s", 7, time.Hour)
			var recovered any
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() { recovered = recover() }()
				m.Update("s", func(int, bool) (int, time.Duration, bool) {
					tc.leave()
					return 0, 0, false
				})
			}()
			<-done
			do := fmt.Sprintf("m.Set(\"s\", 7, time.Hour)\nm.Update(\"s\", func(int, bool) (int, time.Duration, bool) { %s })", tc.code)
			if tc.name == "panic" && recovered != "nil cart" {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("recovered %v", recovered), Want: rule.Text("recovered nil cart"),
					Why: "A panic is a bug. Swallowed here, it is never seen.",
				})
			}
			get := blocked.Start(func() { m.Get("s") })
			if !get.Returns() {
				rule.Broken(t, rule.Case{
					Do: do + "\nm.Get(\"s\")", Got: rule.Text("waits for ever"), Want: rule.Text("7, true"),
					Why: "net/http recovers a panic of a handler and goes on. The lock does not, and every later request of this shard hangs.",
				})
			}
			expectGet(t, do+"\nm.Get(\"s\")", m, "s", 7, true, "f has not said what to store, so the session stays as it was.")
		})
	}
}

func TestOnEvict_OnlyTheExpired(t *testing.T) {
	remove := func(int, bool) (int, time.Duration, bool) { return 0, 0, false }
	replace := func(int, bool) (int, time.Duration, bool) { return 2, time.Hour, true }
	for _, tc := range []struct {
		name string
		ttl  time.Duration
		call func(m *ttlmap.Map[string, int])
		want []int
	}{
		{`m.Set("s", 2, time.Hour)`, time.Hour, func(m *ttlmap.Map[string, int]) { m.Set("s", 2, time.Hour) }, nil},
		{`m.Set("s", 2, 0)`, time.Hour, func(m *ttlmap.Map[string, int]) { m.Set("s", 2, 0) }, nil},
		{`m.Update("s", replace)`, time.Hour, func(m *ttlmap.Map[string, int]) { m.Update("s", replace) }, nil},
		{`m.Update("s", remove)`, time.Hour, func(m *ttlmap.Map[string, int]) { m.Update("s", remove) }, nil},
		{`m.Close()`, time.Hour, func(m *ttlmap.Map[string, int]) { m.Close() }, nil},
		{`m.Update("s", remove)`, 0, func(m *ttlmap.Map[string, int]) { m.Update("s", remove) }, []int{1}},
		{`m.Set("s", 2, 0)`, 0, func(m *ttlmap.Map[string, int]) { m.Set("s", 2, 0) }, []int{1}},
		{"m.Set(\"s\", 2, 0)\nm.Get(\"s\")", 0, func(m *ttlmap.Map[string, int]) { m.Set("s", 2, 0); m.Get("s") }, []int{1, 2}},
		{"m.Len()\nmaps.Collect(m.All())\nm.Close()", 0, func(m *ttlmap.Map[string, int]) { m.Len(); _ = maps.Collect(m.All()); m.Close() }, nil},
		{"m.Close()\nm.Get(\"s\")\nm.Get(\"s\")", 0, func(m *ttlmap.Map[string, int]) { m.Close(); m.Get("s"); m.Get("s") }, []int{1}},
	} {
		var mu sync.Mutex // a map that evicts on its own does so at any time
		var evicted []int
		m := ttlmap.New[string, int](ttlmap.WithOnEvict(func(_ string, v int) {
			mu.Lock()
			defer mu.Unlock()
			evicted = append(evicted, v)
		}))
		m.Set("s", 1, tc.ttl)
		tc.call(m)
		mu.Lock()
		got := slices.Clone(evicted)
		mu.Unlock()
		do := fmt.Sprintf("m.Set(\"s\", 1, %v)\n%s", rule.Duration(tc.ttl), tc.name)
		if !cmp.Equal(tc.want, got) {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("OnEvict was called for the values %v", got), Want: rule.Textf("for the values %v", tc.want),
				Why: "OnEvict says \"your session has expired\". Said to the wrong one it is a lie, and not said it is a lease that nobody returns.",
			})
		}
		m.Close()
	}
}

// TestGet_LeavesTheNewEntry looks for a Get that removes what a Set has stored
// after the Get had looked.
func TestGet_LeavesTheNewEntry(t *testing.T) {
	const rounds, getters = 300, 4
	var evicted atomic.Int64
	m := ttlmap.New[int, int](ttlmap.WithOnEvict(func(int, int) { evicted.Add(1) }))
	defer m.Close()
	for k := range rounds {
		m.Set(k, 1, 0)
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range getters {
			wg.Go(func() { <-start; m.Get(k) })
		}
		wg.Go(func() { <-start; m.Set(k, 2, time.Hour) })
		close(start)
		wg.Wait()
		const do = "m.Set(1, 1, 0) // has expired\nfor range 4 {\n    go m.Get(1)\n}\ngo m.Set(1, 2, time.Hour)\n"
		if v, ok := m.Get(k); v != 2 || !ok {
			rule.Broken(t, rule.Case{
				Do: do + "m.Get(1) // after all of them", Got: rule.Textf("%d, %v", v, ok), Want: rule.Text("2, true"),
				Why: "The user logs in again, and a Get that still thinks of the old session removes the new one.",
			})
		}
		if got := evicted.Load(); got != int64(k+1) {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("%d calls of OnEvict for the first entry", got-int64(k)), Want: rule.Text("1 call of OnEvict"),
				Why: "Two calls saw the same dead session, and each of them closed it.",
			})
		}
	}
}

func TestJanitor_OneGoroutineTotal(t *testing.T) {
	const n = 200
	t.Run("with a janitor", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var running, peak, calls atomic.Int64
			before := runtime.NumGoroutine()
			m := ttlmap.New[int, int](ttlmap.WithJanitor(time.Minute), ttlmap.WithOnEvict(func(int, int) {
				storeMax(&peak, running.Add(1))
				defer running.Add(-1)
				calls.Add(1)
				<-time.After(time.Second)
			}))
			defer m.Close()
			for i := range n {
				m.Set(i, i, 30*time.Second)
			}
			synctest.Wait()
			const do = "m := New[int, int](WithJanitor(time.Minute), WithOnEvict(slow))\nfor i := range 200 {\n    m.Set(i, i, 30*time.Second)\n}\n"
			if got := runtime.NumGoroutine() - before; got > 1 {
				rule.Broken(t, rule.Case{
					Do: do + "runtime.NumGoroutine()", Got: rule.Textf("%d goroutines more", got), Want: rule.Text("1 more"),
					Why: "A million sessions are a million goroutines.",
				})
			}
			pass(time.Hour)
			if peak.Load() != 1 || calls.Load() != n {
				rule.Broken(t, rule.Case{
					Do:   do + "time.Sleep(time.Hour)",
					Got:  rule.Textf("%d calls of slow, up to %d at the same time", calls.Load(), peak.Load()),
					Want: rule.Textf("%d calls of slow, one after the other", n),
					Why:  "A login wave at nine ends as a wave of timers at ten: each starts a goroutine, all at once, all in the database.",
				})
			}
		})
	})
	t.Run("without one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var calls atomic.Int64
			before := runtime.NumGoroutine()
			m := ttlmap.New[int, int](ttlmap.WithOnEvict(func(int, int) { calls.Add(1) }))
			defer m.Close()
			for i := range n {
				m.Set(i, i, 30*time.Second)
			}
			pass(time.Hour)
			const do = "m := New[int, int](WithOnEvict(count))\nfor i := range 200 {\n    m.Set(i, i, 30*time.Second)\n}\ntime.Sleep(time.Hour)\n"
			if got := runtime.NumGoroutine() - before; got > 0 || calls.Load() != 0 {
				rule.Broken(t, rule.Case{
					Do:   do,
					Got:  rule.Textf("%d goroutines more, %d evictions", got, calls.Load()),
					Want: rule.Text("no goroutine, no eviction: nobody has touched a key"),
					Why:  "A map without a janitor is used where nothing may run on its own, and nobody calls Close on it.",
				})
			}
			m.Get(1)
			if got := calls.Load(); got != 1 {
				rule.Broken(t, rule.Case{
					Do: do + "m.Get(1)", Got: rule.Textf("%d evictions", got), Want: rule.Text("1 eviction"),
					Why: "The Get that finds a dead entry is the only one who can report it.",
				})
			}
		})
	})
}

func TestJanitor_FreesMemory(t *testing.T) {
	type session struct{ cart [256]string }
	synctest.Test(t, func(t *testing.T) {
		const n = 16
		var mu sync.Mutex
		evicted := make(map[int]int)
		m := ttlmap.New[int, *session](ttlmap.WithShards(4), ttlmap.WithJanitor(time.Minute),
			ttlmap.WithOnEvict(func(k int, _ *session) {
				mu.Lock()
				defer mu.Unlock()
				evicted[k]++
			}))
		defer m.Close()
		soFar := func() map[int]int {
			mu.Lock()
			defer mu.Unlock()
			return maps.Clone(evicted)
		}
		sessions := make(map[int]weak.Pointer[session], n)
		want := make(map[int]int)
		for i := range n {
			s := new(session)
			sessions[i] = weak.Make(s)
			m.Set(i, s, 90*time.Second)
			want[i] = 1
		}
		m.Set(n, new(session), time.Hour)

		const do = `m := New[int, *session](WithShards(4), WithJanitor(time.Minute), WithOnEvict(count))
for i := range 16 {
    m.Set(i, new(session), 90*time.Second)
}
`
		pass(2*time.Minute - 1)
		const why = "Nobody asks for a session whose user has gone. Without the janitor it stays until the process is out of memory."
		if got := soFar(); len(got) > 0 {
			rule.Broken(t, rule.Case{
				Do: do + "time.Sleep(2*time.Minute - 1)", Got: rule.Textf("%d keys were evicted", len(got)), Want: rule.Text("none before the sweep at 2 minutes"), Why: why,
			})
		}
		pass(1)
		if got := soFar(); !cmp.Equal(want, got) {
			rule.Broken(t, rule.Case{
				Do: do + "time.Sleep(2 * time.Minute)", Got: rule.Textf("%d keys were evicted", len(got)), Want: rule.Text("each of the 16 keys once, by the sweep at 2 minutes"), Why: why,
			})
		}
		for i := range n {
			gctest.Collected(t, sessions[i], do+"time.Sleep(2 * time.Minute)\nruntime.GC()", fmt.Sprintf("session %d", i))
			if t.Failed() {
				break
			}
		}
		runtime.KeepAlive(m)
	})
}

func TestJanitor_ShortestPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		m := ttlmap.New[string, int](ttlmap.WithJanitor(1), ttlmap.WithOnEvict(func(string, int) { calls.Add(1) }))
		defer m.Close()
		m.Set("s", 7, 2)
		pass(5)
		if got := calls.Load(); got != 1 {
			rule.Broken(t, rule.Case{
				Do: "m := New[string, int](WithJanitor(1), WithOnEvict(count))\nm.Set(\"s\", 7, 2)\ntime.Sleep(5)", Got: rule.Textf("%d calls of count", got), Want: rule.Text("1 call of count"),
				Why: "Every period above 0 asks for a janitor. Without it, dead sessions stay in memory and nobody is told.",
			})
		}
	})
}

func TestOnEvict_OncePerKeyOutsideLock(t *testing.T) {
	const why = "The callback writes the session to the database, and looks up the user in this very map. Under the lock it waits for itself."
	for _, tc := range []struct {
		name  string
		touch func(m *ttlmap.Map[string, int])
	}{
		{`m.Get("s")`, func(m *ttlmap.Map[string, int]) { m.Get("s") }},
		{`m.Set("s", 2, time.Hour)`, func(m *ttlmap.Map[string, int]) { m.Set("s", 2, time.Hour) }},
		{`m.Update("s", f)`, func(m *ttlmap.Map[string, int]) {
			m.Update("s", func(int, bool) (int, time.Duration, bool) { return 2, time.Hour, true })
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var m *ttlmap.Map[string, int]
			var calls []string
			locked := false
			m = ttlmap.New[string, int](ttlmap.WithShards(1), ttlmap.WithOnEvict(func(k string, v int) {
				calls = append(calls, fmt.Sprintf("OnEvict(%q, %d)", k, v))
				locked = !blocked.Start(func() { m.Get("s") }).Returns()
			}))
			defer m.Close()
			m.Set("s", 1, 0)
			tc.touch(m)
			do := "m.Set(\"s\", 1, 0) // has expired\n" + tc.name
			if want := []string{`OnEvict("s", 1)`}; !cmp.Equal(want, calls) {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Text(fmt.Sprint(calls)), Want: rule.Text(fmt.Sprint(want)), Why: "A session that ends unseen keeps its seat, its lock and its lease."})
			}
			if locked {
				rule.Broken(t, rule.Case{
					Do: do + " // OnEvict calls m.Get(\"s\")", Got: rule.Text("that Get waits until OnEvict has returned"), Want: rule.Text("that Get returns"), Why: why,
				})
			}
		})
	}

	t.Run("janitor and 8 readers", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const n, readers = 100, 8
			var m *ttlmap.Map[int, int]
			var counts [n]atomic.Int64
			var looked, locked atomic.Bool
			m = ttlmap.New[int, int](ttlmap.WithShards(2), ttlmap.WithJanitor(time.Minute), ttlmap.WithOnEvict(func(k, _ int) {
				counts[k].Add(1)
				if k == n-1 && looked.CompareAndSwap(false, true) {
					locked.Store(!blocked.Start(func() { m.Get(k) }).Returns())
				}
			}))
			defer m.Close()
			for i := range n {
				m.Set(i, i, time.Minute)
			}
			do := "m := New[int, int](WithJanitor(time.Minute), WithOnEvict(f))\nfor i := range 100 {\n    m.Set(i, i, time.Minute)\n}\n// after a minute"
			var wg sync.WaitGroup
			for range readers {
				wg.Go(func() {
					<-time.After(time.Minute)
					for i := range n / 2 {
						m.Get(i)
					}
				})
			}
			wg.Wait()
			synctest.Wait()
			if locked.Load() {
				rule.Broken(t, rule.Case{
					Do: do + " the janitor sweeps, and f calls m.Get", Got: rule.Text("that Get waits until f has returned"), Want: rule.Text("that Get returns"), Why: why,
				})
			}
			for i := range n {
				if got := counts[i].Load(); got != 1 {
					rule.Broken(t, rule.Case{
						Do: do + " the janitor sweeps, and 8 goroutines call m.Get", Got: rule.Textf("%d calls of f for one key", got), Want: rule.Text("1 call of f for each key"),
						Why: "Twice is two farewell mails to one customer.",
					})
				}
			}
		})
	})
}

func TestNew_OnEvictOfOtherTypes(t *testing.T) {
	var recovered any
	func() {
		defer func() { recovered = recover() }()
		ttlmap.New[string, int](ttlmap.WithOnEvict(func(string, int64) {})).Close()
	}()
	if recovered == nil {
		rule.Broken(t, rule.Case{
			Do: "New[string, int](WithOnEvict(func(string, int64) {}))", Got: rule.Text("no panic"), Want: rule.Text("a panic"),
			Why: "The compiler cannot see it. Ignored, the callback is never called, and nobody finds out why the leases run out.",
		})
	}
	m := ttlmap.New[string, int](ttlmap.WithOnEvict[string, int](nil), ttlmap.WithShards(2), ttlmap.WithShards(1))
	defer m.Close()
	m.Set("s", 1, 0)
	expectGet(t, "m := New[string, int](WithOnEvict[string, int](nil))\nm.Set(\"s\", 1, 0)\nm.Get(\"s\")", m, "s", 0, false, "")
}

func TestAll_MutationAllowed(t *testing.T) {
	const n = 64
	m := ttlmap.New[int, int](ttlmap.WithShards(4))
	defer m.Close()
	for i := range n {
		m.Set(i, i, time.Hour)
	}
	const do = `for i := range 64 {
    m.Set(i, i, time.Hour)
}
for k := range m.All() {
    m.Set(k+1000, k, time.Hour)
    m.Update(k, remove)
}`
	seen := make(map[int]int)
	waits := false
	for k, v := range m.All() {
		seen[k]++
		if k >= n {
			continue
		}
		body := blocked.Start(func() {
			m.Set(k+1000, v, time.Hour)
			m.Update(k, func(int, bool) (int, time.Duration, bool) { return 0, 0, false })
		})
		if waits = !body.Returns(); waits {
			break
		}
	}
	if waits {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Text("the loop body waits for the loop"), Want: rule.Text("the loop body may use m"),
			Why: "The admin's \"log out everybody\" ranges over the sessions and removes them.",
		})
	}
	for i := range n {
		if seen[i] != 1 {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("key %d came %d times", i, seen[i]), Want: rule.Text("each of the 64 keys once"),
				Why: "A session that the loop misses stays logged in.",
			})
		}
	}
	want := make(map[int]int)
	for i := range n {
		want[i+1000] = i
	}
	if diff := cmp.Diff(want, maps.Collect(m.All())); diff != "" {
		rule.Broken(t, rule.Case{
			Do: do + "\nmaps.Collect(m.All())", Got: rule.Textf("(-want +got):\n%s", diff), Want: rule.Text("the 64 new entries"), Why: "What the body does to the map counts.",
		})
	}

	for range m.All() {
		break
	}
	if !blocked.Start(func() { m.Set(1, 1, time.Hour); m.Len() }).Returns() {
		rule.Broken(t, rule.Case{
			Do: "for range m.All() {\n    break\n}\nm.Len()", Got: rule.Text("waits for ever"), Want: rule.Text("returns"), Why: "A lock that is released after the loop is not released by a break.",
		})
	}
}

func TestAll_SlowBodySeesNoExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := ttlmap.New[int, int](ttlmap.WithShards(1))
		defer m.Close()
		for i := range 3 {
			m.Set(i, i, 10*time.Second)
		}
		const do = `m := New[int, int](WithShards(1))
for i := range 3 {
    m.Set(i, i, 10*time.Second)
}
all := m.All()
for range all {
    time.Sleep(6 * time.Second)
}`
		all := m.All()
		m.Set(3, 3, time.Second) // All looks when the loop runs
		pass(time.Second)
		got := 0
		for range all {
			got++
			pass(6 * time.Second)
		}
		if got != 2 {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("%d entries", got), Want: rule.Text("2 entries: at 12 s all of them have expired"),
				Why: "A nightly job sends an offer to everybody who is logged in, and takes its time. What was alive at the copy is not alive for ever.",
			})
		}
	})
}

func TestClose_Idempotent(t *testing.T) {
	t.Run("the map stays usable", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var evicted atomic.Int64
			m := ttlmap.New[string, int](ttlmap.WithJanitor(time.Minute), ttlmap.WithOnEvict(func(string, int) { evicted.Add(1) }))
			const do = "m := New[string, int](WithJanitor(time.Minute), WithOnEvict(count))\nm.Close()\nm.Close()\nm.Set(\"s\", 7, time.Minute)\n"
			m.Close()
			m.Close()
			m.Set("s", 7, time.Minute)
			expectGet(t, do+"m.Get(\"s\")", m, "s", 7, true, "The last requests of a deploy still need their session.")
			pass(time.Hour)
			if evicted.Load() != 0 {
				rule.Broken(t, rule.Case{
					Do: do + "time.Sleep(time.Hour)", Got: rule.Text("the janitor has swept"), Want: rule.Text("no sweep after Close"),
					Why: "The callback uses a database that was closed right after the map.",
				})
			}
			expectGet(t, do+"time.Sleep(time.Hour)\nm.Get(\"s\")", m, "s", 0, false, "Without the janitor, entries expire all the same.")
		})
	})

	t.Run("every Close waits for the janitor", func(t *testing.T) {
		entered, release := make(chan struct{}), make(chan struct{})
		m := ttlmap.New[string, int](ttlmap.WithJanitor(time.Millisecond), ttlmap.WithOnEvict(func(string, int) {
			close(entered)
			<-release
		}))
		defer m.Close()
		defer close(release)
		m.Set("t", 8, time.Hour)
		expectGet(t, "m.Set(\"t\", 8, time.Hour)\nm.Get(\"t\")", m, "t", 8, true, "")
		m.Set("s", 7, 0)
		select {
		case <-entered:
		case <-time.After(patience):
			rule.Broken(t, rule.Case{
				Do: "m := New[string, int](WithJanitor(time.Millisecond), WithOnEvict(f))\nm.Set(\"s\", 7, 0)", Got: rule.Text("f is not called"), Want: rule.Text("the janitor calls f"),
			})
		}
		for _, which := range []string{"first", "second"} {
			if blocked.Start(m.Close).Returns() {
				rule.Broken(t, rule.Case{
					Do:   "// the janitor is in OnEvict\ngo m.Close()\nm.Close()",
					Got:  rule.Textf("the %s Close returns", which),
					Want: rule.Text("both return when OnEvict has returned and the janitor has ended"),
					Why:  "After Close the owner closes the database. The callback that still runs writes to it.",
				})
			}
		}
	})

	t.Run("no janitor", func(t *testing.T) {
		m := ttlmap.New[string, int](ttlmap.WithJanitor(-1))
		m.Close()
		m.Close()
		m.Set("s", 7, time.Hour)
		expectGet(t, "m := New[string, int](WithJanitor(-1))\nm.Close()\nm.Close()\nm.Set(\"s\", 7, time.Hour)\nm.Get(\"s\")", m, "s", 7, true, "")
	})
}

func TestShardSpread(t *testing.T) {
	const n, shards = 10_000, 16
	type user struct{ tenant, name string }
	spread(t, shards, n, "i", func(i int) int { return i })
	spread(t, shards, n, "i*1024", func(i int) int { return i * 1024 })
	spread(t, shards, n, `fmt.Sprintf("session-%06d", i)`, func(i int) string { return fmt.Sprintf("session-%06d", i) })
	spread(t, shards, n, `user{"acme", strconv.Itoa(i)}`, func(i int) user { return user{"acme", fmt.Sprint(i)} })
	spread(t, shards, n, `user{strconv.Itoa(i), "root"}`, func(i int) user { return user{fmt.Sprint(i), "root"} })

	for _, tc := range []struct {
		code string
		opts []ttlmap.Option
		want int
	}{
		{"WithShards(1)", []ttlmap.Option{ttlmap.WithShards(1)}, 1},
		{"WithShards(0)", []ttlmap.Option{ttlmap.WithShards(0)}, 1},
		{"WithShards(-3)", []ttlmap.Option{ttlmap.WithShards(-3)}, 1},
		{"WithShards(7)", []ttlmap.Option{ttlmap.WithShards(7)}, 7},
		{"", nil, 32},
	} {
		m := ttlmap.New[int, int](tc.opts...)
		used := make(map[int]bool)
		for k := range 1000 {
			used[m.ShardOf(k)] = true
		}
		if len(used) != tc.want {
			rule.Broken(t, rule.Case{
				Do: fmt.Sprintf("m := New[int, int](%s)\nm.ShardOf(k) // for 1000 keys", tc.code), Got: rule.Textf("%d different shards", len(used)), Want: rule.Textf("%d", tc.want),
				Why: "The operator has chosen the number of shards for the number of processors.",
			})
		}
		m.Close()
	}
}

func spread[K comparable](t *testing.T, shards, n int, code string, key func(i int) K) {
	t.Helper()
	m := ttlmap.New[K, int](ttlmap.WithShards(shards))
	defer m.Close()
	sizes := make([]int, shards)
	do := fmt.Sprintf("m := New[K, int](WithShards(%d))\nm.ShardOf(%s) // i from 0 to %d", shards, code, n-1)
	for i := range n {
		k := key(i)
		s := m.ShardOf(k)
		if s < 0 || s >= shards || s != m.ShardOf(k) {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("%d, then %d", s, m.ShardOf(k)), Want: rule.Textf("one number from 0 to %d for one key", shards-1),
				Why: "A key that changes its shard is not found again.",
			})
		}
		sizes[s]++
	}
	worst := 0
	for _, size := range sizes {
		worst = max(worst, size)
	}
	if limit := 2 * n / shards; worst > limit {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("%d keys in one shard", worst), Want: rule.Textf("at most %d, twice the mean", limit),
			Why: "Keys that meet in one shard wait for one lock, and the other shards idle.",
		})
	}
}

func TestShardOf_SeedPerMap(t *testing.T) {
	a, b := ttlmap.New[int, int](ttlmap.WithShards(16)), ttlmap.New[int, int](ttlmap.WithShards(16))
	defer a.Close()
	defer b.Close()
	for k := range 100 {
		if a.ShardOf(k) != b.ShardOf(k) {
			return
		}
	}
	rule.Broken(t, rule.Case{
		Do:   "a, b := New[int, int](WithShards(16)), New[int, int](WithShards(16))\na.ShardOf(k) == b.ShardOf(k)",
		Got:  rule.Text("true for 100 keys"),
		Want: rule.Text("each map spreads keys in its own way"),
		Why:  "Who knows the hash chooses names that all fall into one shard, and brings it down with a handful of logins.",
	})
}

func TestGet_NoAlloc(t *testing.T) {
	const ids = 256
	m := ttlmap.New[int, string]()
	defer m.Close()
	names := ttlmap.New[string, int]()
	defer names.Close()
	for i := range ids {
		m.Set(i+1000, "s", time.Hour)
	}
	names.Set("session-000042", 7, time.Hour)
	if v, ok := m.Get(1000); v != "s" || !ok {
		rule.Broken(t, rule.Case{Do: "m.Set(1000, \"s\", time.Hour)\nm.Get(1000)", Got: rule.Textf("%q, %v", v, ok), Want: rule.Text(`"s", true`)})
	}
	expectGet(t, "m.Set(\"session-000042\", 7, time.Hour)\nm.Get(\"session-000042\")", names, "session-000042", 7, true, "")
	i := 0
	allocs.AtMost(t, 0, "m.Get(id) // int keys", func() { m.Get(1000 + i%ids); i++ })
	allocs.AtMost(t, 0, `m.Get("session-000042")`, func() { names.Get("session-000042") })
}

// TestMap_Model compares a map with a simple one that knows the time.
func TestMap_Model(t *testing.T) {
	const every = 7 * time.Second
	for _, janitor := range []bool{false, true} {
		t.Run(fmt.Sprintf("janitor %v", janitor), func(t *testing.T) {
			seed := rand.Uint64()
			rng := rand.New(rand.NewPCG(seed, 0))
			for range 30 {
				synctest.Test(t, func(t *testing.T) {
					var mu sync.Mutex
					evicted := make(map[string]int)
					opts := []ttlmap.Option{ttlmap.WithShards(1 + rng.IntN(3)), ttlmap.WithOnEvict(func(k, v int) {
						mu.Lock()
						defer mu.Unlock()
						evicted[fmt.Sprint(k, "=", v)]++
					})}
					history := fmt.Sprintf("m := New[int, int](WithOnEvict(log)) // seed %#x", seed)
					model := &model{entries: make(map[int]modelEntry), evicted: make(map[string]int)}
					if janitor {
						opts = append(opts, ttlmap.WithJanitor(every))
						history = fmt.Sprintf("m := New[int, int](WithJanitor(7*time.Second), WithOnEvict(log)) // seed %#x", seed)
						model.every = every
					}
					m := ttlmap.New[int, int](opts...)
					defer m.Close()
					for i := range 40 {
						k, ttl := rng.IntN(5), time.Duration(rng.IntN(20)-1)*time.Second
						var got, want string
						switch op := rng.IntN(12); {
						case op < 3:
							history += fmt.Sprintf("\nm.Set(%d, %d, %s)", k, i, rule.Duration(ttl))
							model.expire(k)
							model.set(k, i, ttl)
							m.Set(k, i, ttl)
						case op < 5:
							history += fmt.Sprintf("\nm.Get(%d)", k)
							model.expire(k)
							e, ok := model.entries[k]
							want = fmt.Sprint(e.value, ok)
							v, found := m.Get(k)
							got = fmt.Sprint(v, found)
						case op < 7:
							keep := op == 5
							history += fmt.Sprintf("\nm.Update(%d, f) // f returns %d, %s, %v", k, i, rule.Duration(ttl), keep)
							model.expire(k)
							e, ok := model.entries[k]
							want = fmt.Sprint(e.value, ok)
							m.Update(k, func(old int, found bool) (int, time.Duration, bool) {
								got = fmt.Sprint(old, found)
								return i, ttl, keep
							})
							delete(model.entries, k)
							if keep {
								model.set(k, i, ttl)
							}
						case op < 8:
							history += "\nmaps.Collect(m.All())"
							want, got = fmt.Sprint(model.live()), fmt.Sprint(maps.Collect(m.All()))
						case op < 9:
							history += "\nm.Len()"
							want, got = fmt.Sprint(len(model.live())), fmt.Sprint(m.Len())
						default:
							d := time.Duration(rng.IntN(8)) * time.Second
							history += fmt.Sprintf("\ntime.Sleep(%s)", rule.Duration(d))
							model.pass(d)
							pass(d)
						}
						if got != want {
							rule.Broken(t, rule.Case{
								Do: history, Got: rule.Text(got), Want: rule.Text(want),
								Why: "A map with a time to live is a map, and nothing in it is older than it may be.",
							})
						}
						mu.Lock()
						diff := cmp.Diff(model.evicted, evicted)
						mu.Unlock()
						if diff != "" {
							rule.Broken(t, rule.Case{
								Do: history, Got: rule.Textf("calls of OnEvict so far (-want +got):\n%s", diff), Want: rule.Text("one call for each entry that has expired, when it leaves the map"),
								Why: "A lease that is returned too late, twice or never is a bug report without a stack trace.",
							})
						}
					}
				})
			}
		})
	}
}

// TestAll_Race mixes all methods, for the race detector.
func TestAll_Race(t *testing.T) {
	const workers, rounds = 4, 150
	m := ttlmap.New[int, int](ttlmap.WithShards(2), ttlmap.WithJanitor(time.Millisecond), ttlmap.WithOnEvict(func(int, int) {}))
	defer m.Close()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				k := (w + i) % 8
				m.Set(k, i, time.Duration(i%3)*time.Hour)
				m.Get(k)
				m.Update(k+8, func(old int, _ bool) (int, time.Duration, bool) { return old + 1, time.Hour, true })
				if i%10 == 0 {
					m.Len()
					for range m.All() {
						runtime.Gosched()
					}
				}
			}
			m.Close()
		})
	}
	wg.Wait()
	sum := 0
	for k := 8; k < 16; k++ {
		v, _ := m.Get(k)
		sum += v
	}
	if sum != workers*rounds {
		rule.Broken(t, rule.Case{
			Do: "// 4 goroutines call all methods\nm.Update(k, addOne) // 600 times", Got: rule.Textf("a sum of %d", sum), Want: rule.Textf("a sum of %d", workers*rounds),
			Why: "Updates count, whatever else is going on.",
		})
	}
}

// model is a map with a time to live in one goroutine.
type model struct {
	entries map[int]modelEntry
	evicted map[string]int
	now     time.Duration
	every   time.Duration // 0: no janitor
}

type modelEntry struct {
	value   int
	expires time.Duration
}

func (m *model) set(k, v int, ttl time.Duration) { m.entries[k] = modelEntry{v, m.now + ttl} }

func (m *model) expire(k int) {
	if e, ok := m.entries[k]; ok && m.now >= e.expires {
		m.evicted[fmt.Sprint(k, "=", e.value)]++
		delete(m.entries, k)
	}
}

func (m *model) pass(d time.Duration) {
	for end := m.now + d; m.now < end; {
		m.now += time.Second
		if m.every > 0 && m.now%m.every == 0 {
			for k := range m.entries {
				m.expire(k)
			}
		}
	}
}

func (m *model) live() map[int]int {
	live := make(map[int]int)
	for k, e := range m.entries {
		if m.now < e.expires {
			live[k] = e.value
		}
	}
	return live
}

// pass lets time pass in a bubble, and then everybody do what is due.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func expectGet(t *testing.T, do string, m *ttlmap.Map[string, int], k string, value int, found bool, why string) {
	t.Helper()
	if v, ok := m.Get(k); v != value || ok != found {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%d, %v", v, ok), Want: rule.Textf("%d, %v", value, found), Why: why})
	}
}

// otherShard returns a key of another shard than that of k.
func otherShard(t *testing.T, m *ttlmap.Map[int, string], k int) int {
	t.Helper()
	for other := range 1000 {
		if m.ShardOf(other) != m.ShardOf(k) {
			return other
		}
	}
	rule.Broken(t, rule.Case{
		Do: "m := New[int, string](WithShards(8))\nm.ShardOf(k) // for 1000 keys", Got: rule.Textf("%d for all of them", m.ShardOf(k)), Want: rule.Text("numbers from 0 to 7"),
		Why: "One shard is one lock for everybody.",
	})
	return 0
}

func storeMax(m *atomic.Int64, v int64) {
	for old := m.Load(); v > old && !m.CompareAndSwap(old, v); old = m.Load() {
	}
}
