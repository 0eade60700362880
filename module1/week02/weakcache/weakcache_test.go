package weakcache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/gctest"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week02/weakcache"
)

// policy has a size and pointers that let gctest watch it.
type policy struct {
	Project string
	Version int
	Rules   [8]string
}

type (
	cache = weakcache.Cache[string, policy]
	ref   = weakcache.Ref[policy]
)

func TestGet_SamePointerWhileAlive(t *testing.T) {
	c, src := newCache()
	first := get(t, c, "tt")
	runtime.GC()

	again, other := get(t, c, "tt"), get(t, c, "billing")

	if again != first || other == first || first.Project != "tt" || other.Project != "billing" || src.loads.Load() != 2 {
		rule.Broken(t, rule.Case{
			Do:   "first, _ := c.Get(ctx, \"tt\")\nruntime.GC()\nagain, _ := c.Get(ctx, \"tt\")\nother, _ := c.Get(ctx, \"billing\")\nfmt.Println(again == first, other == first)",
			Got:  rule.Textf("%v %v, values of %q and %q, %d loads", again == first, other == first, first.Project, other.Project, src.loads.Load()),
			Want: rule.Text(`true false, values of "tt" and "billing", 2 loads`),
			Why:  "A request in flight holds the policy. A second copy of it is a second parse and twice the memory.",
		})
	}
	runtime.KeepAlive(first)
}

func TestUnusedIsCollected(t *testing.T) {
	const n = 50
	type projectKey struct{ Name, Region string }
	c := weakcache.New(func(_ context.Context, key *projectKey) (*policy, error) {
		return &policy{Project: key.Name}, nil
	})
	var values [n]weak.Pointer[policy]
	var keys [n]weak.Pointer[projectKey]
	for i := range n {
		key := &projectKey{Name: fmt.Sprint("project ", i)}
		v, err := c.Get(t.Context(), key)
		if err != nil || v == nil || v.Project != key.Name {
			rule.Broken(t, rule.Case{Do: "v, err := c.Get(ctx, key)", Got: rule.Textf("%+v, %v", v, err), Want: rule.Text("the value that the loader returned")})
		}
		keys[i], values[i] = weak.Make(key), weak.Make(v)
	}

	do := fmt.Sprintf("c := New(load)\nfor _, key := range keys { // %d of them\n\tc.Get(ctx, key)\n}\nruntime.GC() // c is still in use", n)
	for i := range n {
		gctest.Collected(t, values[i], do, "a value that nobody uses")
		if t.Failed() {
			return // the others are the same
		}
	}
	gctest.Eventually(t, do+"\nfmt.Println(c.Len(), c.Stats().Collected)", fmt.Sprintf("0 %d", n), func() bool {
		return c.Len() == 0 && c.Stats().Collected == n
	})
	for i := range n {
		gctest.Collected(t, keys[i], do, "the key of a collected value")
		if t.Failed() {
			return
		}
	}
	runtime.KeepAlive(c)
}

func TestOldCleanupKeepsNewEntry(t *testing.T) {
	t.Run("invalidated, loaded again, old value collected", func(t *testing.T) {
		c, src := newCache()
		old := get(t, c, "tt")
		c.Invalidate("tt")
		fresh := get(t, c, "tt")
		runtime.KeepAlive(old)
		runCleanups(t) // old is gone from here on

		requireKept(t, c, src, fresh, `old, _ := c.Get(ctx, "tt")
c.Invalidate("tt")
fresh, _ := c.Get(ctx, "tt") // stays in use
old = nil
runtime.GC()`)
	})
	t.Run("collected, loaded again, late cleanup", func(t *testing.T) {
		c, src := newCache()
		old := weak.Make(get(t, c, "tt"))
		release := delayCleanups(t)
		gctest.Collected(t, old, "c.Get(ctx, \"tt\")\nruntime.GC()", "the value")
		fresh := get(t, c, "tt")
		release()
		runCleanups(t)

		requireKept(t, c, src, fresh, `c.Get(ctx, "tt")
runtime.GC() // collects the value, its cleanup is queued
fresh, _ := c.Get(ctx, "tt") // stays in use
// now the cleanup runs`)
		gctest.Eventually(t, `c.Get(ctx, "tt")
runtime.GC() // collects the value, its cleanup is queued
fresh, _ := c.Get(ctx, "tt") // stays in use
// now the cleanup runs
fmt.Println(c.Stats().Collected)`, "1", func() bool { return c.Stats().Collected == 1 })
		runtime.KeepAlive(fresh)
	})
}

func TestStrongKeepsLastN(t *testing.T) {
	for _, tc := range []struct {
		name   string
		strong int
		uses   string   // a key each, in capitals by Ref instead of Get, !a invalidates a
		want   []string // alive after a collection, last used first
	}{
		{"keeps the last two", 2, "abc", []string{"c", "b"}},
		{"keeps fewer than two", 2, "a", []string{"a"}},
		{"a hit is a use", 2, "abac", []string{"c", "a"}},
		{"a Ref is a use", 2, "abAc", []string{"c", "a"}},
		{"a key counts once", 2, "abbbb", []string{"b", "a"}},
		{"an invalidated key gives its place back", 2, "ab!b", []string{"a"}},
		{"an invalidated key takes a new place", 2, "ab!aac", []string{"c", "a"}},
		{"zero keeps nothing", 0, "ab", nil},
		{"negative keeps nothing", -1, "ab", nil},
	} {
		t.Run(tc.name, func(t *testing.T) { useThenCollect(t, tc.strong, tc.uses, tc.want) })
	}
	t.Run("random uses", func(t *testing.T) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 0))
		for strong := 1; strong <= 4; strong++ {
			var uses strings.Builder
			var recent []string
			for range 60 {
				key := string(rune('a' + rng.IntN(8)))
				recent = slices.DeleteFunc(recent, func(k string) bool { return k == key })
				switch rng.IntN(4) {
				case 0:
					uses.WriteString("!" + key)
					continue
				case 1:
					uses.WriteString(strings.ToUpper(key))
				default:
					uses.WriteString(key)
				}
				recent = slices.Insert(recent, 0, key)
				recent = recent[:min(len(recent), strong)]
			}
			useThenCollect(t, strong, uses.String(), recent)
		}
	})
}

func useThenCollect(t *testing.T, strong int, uses string, want []string) {
	t.Helper()
	c, src := newCache(weakcache.WithStrong(strong))
	program := []string{fmt.Sprintf("c := New(load, WithStrong(%d))", strong)}
	for i := 0; i < len(uses); i++ {
		switch key := strings.ToLower(uses[i : i+1]); {
		case uses[i] == '!':
			i++
			program = append(program, fmt.Sprintf("c.Invalidate(%q)", uses[i:i+1]))
			c.Invalidate(uses[i : i+1])
		case uses[i] == key[0]:
			program = append(program, fmt.Sprintf("c.Get(ctx, %q)", key))
			get(t, c, key)
		default:
			program = append(program, fmt.Sprintf("c.Ref(ctx, %q)", key))
			if _, err := c.Ref(t.Context(), key); err != nil {
				rule.Broken(t, rule.Case{Do: strings.Join(program, "\n"), Got: err, Want: nil})
			}
		}
	}
	program = append(program, "runtime.GC()")
	for key, value := range src.last() {
		if slices.Contains(want, key) {
			gctest.Alive(t, value, strings.Join(program, "\n"), fmt.Sprintf("the value of %q", key))
		} else {
			gctest.Collected(t, value, strings.Join(program, "\n"), fmt.Sprintf("the value of %q", key))
		}
		if t.Failed() {
			return
		}
	}
	loads := src.loads.Load()
	for _, key := range slices.Backward(want) {
		get(t, c, key)
	}
	if got := src.loads.Load(); got != loads {
		rule.Broken(t, rule.Case{
			Do:   strings.Join(program, "\n") + fmt.Sprintf("\n// then Get of each of %q", want),
			Got:  rule.Textf("%d loads", got-loads),
			Want: rule.Text("no load"),
			Why:  "The hottest policies must survive a collection, or every GC is a storm on the database.",
		})
	}
}

func TestRefDanglesAfterInvalidate(t *testing.T) {
	c, _ := newCache()
	v, other := get(t, c, "tt"), get(t, c, "billing")
	r, rOther := refTo(t, c, "tt", v), refTo(t, c, "billing", other)
	c.Invalidate("unknown")
	requireValue(t, r, v)

	c.Invalidate("tt")

	requireDangling(t, r, `v, _ := c.Get(ctx, "tt") // v stays in use
r, _ := c.Ref(ctx, "tt")
c.Invalidate("tt")
value, err := r.Value()`, "Somebody still uses the old policy, so it was not collected. It was withdrawn all the same.")
	requireDangling(t, ref{}, "value, err := Ref[policy]{}.Value()", "A field that was never set refers to nothing.")
	requireValue(t, rOther, other)
	if got := c.Len(); got != 1 {
		rule.Broken(t, rule.Case{Do: "// \"tt\" and \"billing\" are loaded and in use\nc.Invalidate(\"tt\")\nfmt.Println(c.Len())", Got: got, Want: 1})
	}
	runtime.KeepAlive(v)
	runtime.KeepAlive(other)
}

func TestRefDanglesAfterReload(t *testing.T) {
	shared := &policy{Project: "tt"}
	for _, tc := range []struct {
		name string
		load weakcache.Loader[string, policy]
	}{
		{"another pointer", func(context.Context, string) (*policy, error) { return &policy{Project: "tt"}, nil }},
		{"the same pointer", func(context.Context, string) (*policy, error) { return shared, nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := weakcache.New(tc.load)
			v := get(t, c, "tt")
			old := refTo(t, c, "tt", v)
			c.Invalidate("tt")
			reloaded := get(t, c, "tt")
			fresh := refTo(t, c, "tt", reloaded)

			requireDangling(t, old, `old, _ := c.Ref(ctx, "tt")
c.Invalidate("tt")
c.Get(ctx, "tt") // the loader gives `+tc.name+`
value, err := old.Value()`, "The key has a value again, but not the one that the reference was made for. What was decided with it must be decided again.")
			requireValue(t, fresh, reloaded)
			runtime.KeepAlive(v)
			runtime.KeepAlive(reloaded)
		})
	}
	runtime.KeepAlive(shared)
}

func TestRefDanglesAfterCollection(t *testing.T) {
	c, _ := newCache()
	v := get(t, c, "tt")
	r := refTo(t, c, "tt", v)
	runtime.KeepAlive(v)

	gctest.Eventually(t, `v, _ := c.Get(ctx, "tt")
r, _ := c.Ref(ctx, "tt")
v = nil
runtime.GC() // r and c are still in use
_, err := r.Value()`, "ErrDangling", func() bool {
		value, err := r.Value()
		return value == nil && errors.Is(err, weakcache.ErrDangling)
	})
	reloaded := get(t, c, "tt")
	requireDangling(t, r, `r, _ := c.Ref(ctx, "tt")
runtime.GC() // collects the value
c.Get(ctx, "tt")
value, err := r.Value()`, "The reference was made for a value that no longer exists.")
	requireValue(t, refTo(t, c, "tt", reloaded), reloaded)
	runtime.KeepAlive(reloaded)
}

func requireKept(t *testing.T, c *cache, src *source, fresh *policy, do string) {
	t.Helper()
	n, again := c.Len(), get(t, c, "tt")
	if n != 1 || again != fresh || src.loads.Load() != 2 {
		rule.Broken(t, rule.Case{
			Do:   do + "\nn := c.Len()\nagain, _ := c.Get(ctx, \"tt\")\nfmt.Println(n, again == fresh)",
			Got:  rule.Textf("%d %v, %d loads", n, again == fresh, src.loads.Load()),
			Want: rule.Text("1 true, 2 loads"),
			Why:  "The cleanup of the old value threw out the new one. Two parts of the program now work with two policies of one project.",
		})
	}
	runtime.KeepAlive(fresh)
}

func TestTinyValueInvalidateStillDangles(t *testing.T) {
	type tiny struct{ n int32 }
	c := weakcache.New(func(_ context.Context, key int32) (*tiny, error) { return &tiny{key}, nil })
	for n := range int32(10) {
		v, err := c.Get(t.Context(), n)
		if err != nil || v == nil || v.n != n {
			rule.Broken(t, rule.Case{Do: "v, err := c.Get(ctx, 1)", Got: rule.Textf("%v, %v", v, err), Want: rule.Text("the value that the loader returned")})
		}
		r, err := c.Ref(t.Context(), n)
		if value, valueErr := r.Value(); err != nil || value != v || valueErr != nil {
			rule.Broken(t, rule.Case{Do: "v, _ := c.Get(ctx, 1) // v stays in use\nr, err := c.Ref(ctx, 1)\nvalue, err2 := r.Value()", Got: rule.Textf("%p, %v, %v", value, err, valueErr), Want: rule.Textf("%p, <nil>, <nil>", v)})
		}
		runtime.KeepAlive(v)
		c.Invalidate(n)
		runtime.GC()
		if value, err := r.Value(); value != nil || !errors.Is(err, weakcache.ErrDangling) {
			rule.Broken(t, rule.Case{
				Do:   "type tiny struct{ n int32 }\nr, _ := c.Ref(ctx, 1)\nc.Invalidate(1)\nruntime.GC()\nvalue, err := r.Value()",
				Got:  rule.Textf("%+v, %v", value, err),
				Want: rule.Textf("nil, %v", weakcache.ErrDangling),
				Why:  "The runtime packs tiny values into shared blocks, so a dead one may outlive many collections. A rule that waits for the collector is no rule.",
			})
		}
	}
}

func TestWaiterContextCancel(t *testing.T) {
	requireNothingBlockedByLoad(t)
	synctest.Test(t, func(t *testing.T) {
		var loads atomic.Int64
		release := make(chan struct{})
		c := weakcache.New(func(_ context.Context, key string) (*policy, error) {
			loads.Add(1)
			<-release
			return pin(&policy{Project: key}), nil
		})
		patient := make(chan result, 1)
		go func() { patient <- call(c, "tt") }()
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		v, err := c.Get(ctx, "tt")
		waited := time.Since(start)
		_, refErr := c.Ref(ctx, "tt")

		close(release)
		r := <-patient
		if v != nil || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(refErr, context.DeadlineExceeded) || waited != time.Second {
			rule.Broken(t, rule.Case{
				Do:   "// a load of \"tt\" is under way\nctx, cancel := context.WithTimeout(ctx, time.Second)\nv, err := c.Get(ctx, \"tt\")\n_, err2 := c.Ref(ctx, \"tt\")",
				Got:  rule.Textf("%v, %v, %v after %v", v, err, refErr, waited),
				Want: rule.Textf("nil, %v, %[1]v after 1s", context.DeadlineExceeded),
				Why:  "The client has gone. Its goroutine must not stay behind until the database answers.",
			})
		}
		if r.value == nil || r.err != nil || loads.Load() != 1 {
			rule.Broken(t, rule.Case{
				Do:   "// one goroutine waits for \"tt\", another one has given up\nv, err := c.Get(ctx, \"tt\") // the patient one",
				Got:  rule.Textf("%v, %d loads", r, loads.Load()),
				Want: rule.Text("a value, <nil>, 1 load"),
				Why:  "Who gives up does so for himself.",
			})
		}
	})
}

func TestSingleLoadPerKey(t *testing.T) {
	requireNothingBlockedByLoad(t)
	const callers = 64
	synctest.Test(t, func(t *testing.T) {
		var loads atomic.Int64
		release := make(chan struct{})
		c := weakcache.New(func(_ context.Context, key string) (*policy, error) {
			loads.Add(1)
			<-release
			return pin(&policy{Project: key}), nil
		})
		results := make(chan result, callers)
		for range callers {
			go func() { results <- call(c, "tt") }()
		}
		synctest.Wait() // everybody waits for the loader
		during := c.Stats()
		close(release)

		distinct := map[*policy]bool{}
		var failed error
		for range callers {
			r := <-results
			distinct[r.value] = true
			failed = errors.Join(failed, r.err)
		}
		if loads.Load() != 1 || failed != nil || len(distinct) != 1 || distinct[nil] {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("v, err := c.Get(ctx, \"tt\") // in %d goroutines, before the loader returns", callers),
				Got:  rule.Textf("%d loads, %d different pointers, errors: %v", loads.Load(), len(distinct), failed),
				Want: rule.Text("1 load, 1 pointer, no error"),
				Why:  "After a deploy the cache is cold. Without a shared load every request of the first second hits the database.",
			})
		}
		want := weakcache.Stats{Misses: callers, Loads: 1}
		if diff := cmp.Diff(want, c.Stats()); diff != "" || during.Loads != 1 {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("v, err := c.Get(ctx, \"tt\") // in %d goroutines, before the loader returns\nfmt.Printf(\"%%+v\", c.Stats())", callers),
				Got:  rule.Textf("%+v, and during the load %+v", c.Stats(), during),
				Want: rule.Textf("%+v", want),
				Why:  "Misses that waited for another caller's load are misses: their latency shows it.",
			})
		}
	})
}

func TestLoadErrorNotCached(t *testing.T) {
	errDown, errUnknown := errors.New("database is down"), errors.New("no such project")
	down := true
	c := weakcache.New(func(_ context.Context, key string) (*policy, error) {
		switch {
		case key == "nothing":
			return nil, nil
		case key == "unknown":
			return nil, errUnknown
		case down:
			return &policy{Project: "half read"}, errDown
		default:
			return &policy{Project: key}, nil
		}
	})

	v, err := c.Get(t.Context(), "tt")
	r, refErr := c.Ref(t.Context(), "tt")
	_, valueErr := r.Value()
	if v != nil || err != errDown || refErr != errDown || !errors.Is(valueErr, weakcache.ErrDangling) || c.Len() != 0 {
		rule.Broken(t, rule.Case{
			Do:   "// load returns half a value and errDown\nv, err := c.Get(ctx, \"tt\")\nr, err2 := c.Ref(ctx, \"tt\")\n_, err3 := r.Value()\nfmt.Println(v, err, err2, err3, c.Len())",
			Got:  rule.Textf("%v; %v; %v; %v; %d", v, err, refErr, valueErr, c.Len()),
			Want: rule.Textf("nil; %v; %[1]v; %v; 0", errDown, weakcache.ErrDangling),
			Why:  "What comes with an error is not a value.",
		})
	}
	down = false
	if v, err := c.Get(t.Context(), "tt"); v == nil || err != nil {
		rule.Broken(t, rule.Case{
			Do:   "_, err := c.Get(ctx, \"tt\") // fails, then the database comes back\nv, err := c.Get(ctx, \"tt\")",
			Got:  rule.Textf("%v, %v", v, err),
			Want: rule.Text("a value, <nil>"),
			Why:  "One failed query must not lock a project out until the next deploy.",
		})
	}
	if v, err := c.Get(t.Context(), "unknown"); v != nil || err != errUnknown {
		rule.Broken(t, rule.Case{
			Do:   "// load returns nil and errUnknown\nv, err := c.Get(ctx, \"tt\")",
			Got:  rule.Textf("%v; %v", v, err),
			Want: rule.Textf("nil; %v", errUnknown),
			Why:  "The handler turns errUnknown into 404. An error that the cache made up becomes 500.",
		})
	}
	for range 2 { // a nil value is not cached either
		if v, err := c.Get(t.Context(), "nothing"); v != nil || err == nil {
			rule.Broken(t, rule.Case{
				Do:   "load := func(context.Context, string) (*policy, error) { return nil, nil }\nv, err := New(load).Get(ctx, \"tt\")",
				Got:  rule.Textf("%v, %v", v, err),
				Want: rule.Text("nil and an error"),
				Why:  "The caller checks err and dereferences v.",
			})
		}
	}
}

func TestLoaderPanicReleasesWaiters(t *testing.T) {
	requireNothingBlockedByLoad(t)
	for _, tc := range []struct {
		name, want string
		end        func()
	}{
		{`panic("bad policy file")`, "bad policy file", func() { panic("bad policy file") }},
		{"runtime.Goexit()", "", runtime.Goexit},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const callers = 3
				var loads atomic.Int64
				release := make(chan struct{})
				c := weakcache.New(func(_ context.Context, key string) (*policy, error) {
					if loads.Add(1) == 1 {
						<-release
						tc.end()
					}
					return pin(&policy{Project: key}), nil
				})
				results := make(chan result, callers)
				for range callers {
					go func() { results <- call(c, "tt") }()
				}
				synctest.Wait()
				close(release)

				for range callers {
					r := <-results
					want := "nil and an error, for everybody"
					if tc.want != "" {
						want = fmt.Sprintf("nil and an error that contains %q, for everybody", tc.want)
					}
					if r.value != nil || r.err == nil || r.panicked || errors.Is(r.err, context.DeadlineExceeded) || !strings.Contains(r.err.Error(), tc.want) {
						rule.Broken(t, rule.Case{
							Do:   fmt.Sprintf("load := func(context.Context, string) (*policy, error) { %s; return nil, nil }\nv, err := c.Get(ctx, \"tt\") // %d goroutines wait", tc.name, callers),
							Got:  r,
							Want: rule.Text(want),
							Why:  "One bad policy file must cost one failed request, not a process and not a goroutine that waits for ever.",
						})
					}
				}
				if r := call(c, "tt"); r.value == nil || r.err != nil {
					rule.Broken(t, rule.Case{
						Do:   fmt.Sprintf("c.Get(ctx, \"tt\") // the loader ends by %s\nv, err := c.Get(ctx, \"tt\") // the loader is well again", tc.name),
						Got:  r,
						Want: rule.Text("a value, <nil>"),
						Why:  "A load that panicked is over. The next caller must not wait for it.",
					})
				}
			})
		})
	}
}

func TestFirstCallerLeaves(t *testing.T) {
	requireNothingBlockedByLoad(t)
	synctest.Test(t, func(t *testing.T) {
		var loads atomic.Int64
		release := make(chan struct{})
		c := weakcache.New(func(ctx context.Context, key string) (*policy, error) {
			loads.Add(1)
			select {
			case <-release:
				return pin(&policy{Project: key}), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		first, second := make(chan result, 1), make(chan result, 1)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			v, err := c.Get(ctx, "tt")
			first <- result{value: v, err: err}
		}()
		synctest.Wait()
		go func() { second <- call(c, "tt") }()
		synctest.Wait()

		cancel()
		synctest.Wait()
		left := len(first) == 1
		close(release)
		r1, r2 := <-first, <-second

		if !left || r1.value != nil || !errors.Is(r1.err, context.Canceled) {
			rule.Broken(t, rule.Case{
				Do:   "ctx, cancel := context.WithCancel(ctx)\ngo cancel() // while the loader works\nv, err := c.Get(ctx, \"tt\")",
				Got:  rule.Textf("%v, returned before the loader: %v", r1, left),
				Want: rule.Textf("nil, %v, returned before the loader: true", context.Canceled),
				Why:  "The caller that started a load has the same right to leave as those who joined it.",
			})
		}
		if r2.value == nil || r2.err != nil || loads.Load() != 1 {
			rule.Broken(t, rule.Case{
				Do:   "// the goroutine whose Get started the load is cancelled; this one joined the load\nv, err := c.Get(ctx, \"tt\")",
				Got:  rule.Textf("%v, %d loads", r2, loads.Load()),
				Want: rule.Text("a value, <nil>, 1 load"),
				Why:  "One closed browser tab must not fail the requests of everybody who wants the same project.",
			})
		}
		if r := call(c, "tt"); r.value != r2.value || loads.Load() != 1 {
			rule.Broken(t, rule.Case{
				Do:   "// the load that a cancelled caller started has ended\nv, err := c.Get(ctx, \"tt\")",
				Got:  rule.Textf("%v, %d loads", r, loads.Load()),
				Want: rule.Text("the value of that load, 1 load"),
			})
		}
	})
}

func TestLoaderContext(t *testing.T) {
	type traceKey struct{}
	var seen context.Context
	c := weakcache.New(func(ctx context.Context, key string) (*policy, error) {
		seen = ctx
		return &policy{Project: key}, nil
	})
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), traceKey{}, "trace-7"), time.Hour)
	v, err := c.Get(ctx, "tt")
	cancel()
	if v == nil || err != nil || seen == nil {
		rule.Broken(t, rule.Case{Do: `v, err := c.Get(ctx, "tt")`, Got: rule.Textf("%v, %v", v, err), Want: rule.Text("a value, <nil>")})
	}
	_, deadline := seen.Deadline()
	if got := seen.Value(traceKey{}); got != "trace-7" || deadline || seen.Err() != nil {
		rule.Broken(t, rule.Case{
			Do:   "ctx := context.WithValue(ctx, traceKey{}, \"trace-7\")\nctx, cancel := context.WithTimeout(ctx, time.Hour)\nc.Get(ctx, \"tt\")\ncancel()\n// the context that the loader got:\nfmt.Println(loaderCtx.Value(traceKey{}), loaderCtx.Deadline(), loaderCtx.Err())",
			Got:  rule.Textf("%v, has a deadline: %v, %v", got, deadline, seen.Err()),
			Want: rule.Text("trace-7, has a deadline: false, <nil>"),
			Why:  "The load belongs to all who wait for it. It keeps the trace of the caller who started it, not his deadline.",
		})
	}

	done, cancel := context.WithCancel(t.Context())
	cancel()
	seen = nil
	hit, hitErr := c.Get(done, "tt")
	miss, missErr := c.Get(done, "billing")
	if hit != v || hitErr != nil || miss != nil || !errors.Is(missErr, context.Canceled) || seen != nil {
		rule.Broken(t, rule.Case{
			Do:   "cancel()\nhit, err := c.Get(ctx, \"tt\") // in the cache\nmiss, err2 := c.Get(ctx, \"billing\") // not in the cache",
			Got:  rule.Textf("the cached value: %v, %v; %v, %v, loaded: %v", hit == v, hitErr, miss, missErr, seen != nil),
			Want: rule.Textf("the cached value: true, <nil>; nil, %v, loaded: false", context.Canceled),
			Why:  "An answer at hand costs nothing. A load for a caller who has left costs a query.",
		})
	}
	runtime.KeepAlive(v)
}

func TestInvalidateDuringLoad(t *testing.T) {
	requireNothingBlockedByLoad(t)
	for _, tc := range []struct {
		name  string
		order [2]int // in which the two loads end
	}{
		{"the old load ends first", [2]int{0, 1}},
		{"the new load ends first", [2]int{1, 0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var loads atomic.Int64
				release := [8]chan struct{}{}
				for i := range release {
					release[i] = make(chan struct{})
				}
				c := weakcache.New(func(_ context.Context, key string) (*policy, error) {
					n := loads.Add(1)
					<-release[n-1]
					return pin(&policy{Project: key, Version: int(n)}), nil
				})
				before, after := make(chan result, 1), make(chan result, 1)
				refs := make(chan ref, 1)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				go func() { before <- call(c, "tt") }()
				go func() {
					r, err := c.Ref(ctx, "tt")
					if err != nil {
						t.Errorf("c.Ref during a load: %v", err)
					}
					refs <- r
				}()
				synctest.Wait()
				c.Invalidate("tt")
				go func() { after <- call(c, "tt") }()
				synctest.Wait()
				for _, n := range tc.order {
					close(release[n])
					synctest.Wait()
				}
				for _, rest := range release[2:] {
					close(rest)
				}
				old, r, fresh := <-before, <-refs, <-after
				cached := call(c, "tt")

				do := "// c.Get and c.Ref of \"tt\" wait for load 1\nc.Invalidate(\"tt\")\n"
				if old.value == nil || old.value.Version != 1 || old.err != nil {
					rule.Broken(t, rule.Case{
						Do:   do + "// then load 1 ends, in the Get that waited:\nv, err := c.Get(ctx, \"tt\")",
						Got:  old,
						Want: rule.Text("the value of load 1, <nil>"),
						Why:  "That Get began before the change, so the answer from before is right for it.",
					})
				}
				requireDangling(t, r, do+"// then load 1 ends, in the Ref that waited:\nr, _ := c.Ref(ctx, \"tt\")\nvalue, err := r.Value()", "The value was withdrawn before it arrived.")
				if fresh.value == nil || fresh.value.Version != 2 || cached.value != fresh.value || loads.Load() != 2 {
					rule.Broken(t, rule.Case{
						Do:   do + "v, err := c.Get(ctx, \"tt\") // " + tc.name + "\nagain, err := c.Get(ctx, \"tt\")",
						Got:  rule.Textf("v: %v; again: %v; %d loads", fresh, cached, loads.Load()),
						Want: rule.Text("the value of load 2, twice; 2 loads"),
						Why:  "Load 1 read the policy before it was changed. Whoever asks after the change must not see it, and it must not enter the cache.",
					})
				}
			})
		})
	}
}

// TestRaceGetInvalidate changes the source, invalidates, and reads while other
// goroutines keep loads of all ages under way.
func TestRaceGetInvalidate(t *testing.T) {
	const changes, readers = 300, 4
	var changed, published atomic.Int64
	c := weakcache.New(func(_ context.Context, key string) (*policy, error) {
		v := &policy{Project: key, Version: int(changed.Load())}
		for range 3 {
			runtime.Gosched()
		}
		return v, nil
	}, weakcache.WithStrong(1))

	var stop atomic.Bool
	var stale sync.Map
	read := func(who string) {
		floor := published.Load()
		v, err := c.Get(t.Context(), "tt")
		if err != nil || v == nil || int64(v.Version) < floor {
			stale.LoadOrStore(who, fmt.Sprintf("after change %d: %v", floor, result{value: v, err: err}))
		}
	}
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for !stop.Load() {
				read("a reader")
				runtime.Gosched()
			}
		})
	}
	var fell string
	wg.Go(func() { // somebody else invalidates too, and a dashboard looks on
		var before int64
		for !stop.Load() {
			c.Invalidate("tt")
			s := c.Stats()
			if calls := s.Hits + s.Misses; calls < before {
				fell = fmt.Sprintf("%d, and before %d", calls, before)
			}
			before = max(before, s.Hits+s.Misses)
			for range 10 {
				runtime.Gosched()
			}
		}
	})
	undead := 0
	for n := range int64(changes) {
		r, err := c.Ref(t.Context(), "tt")
		if err != nil {
			stale.LoadOrStore("Ref", err.Error())
		}
		changed.Store(n + 1)
		c.Invalidate("tt")
		published.Store(n + 1)
		read("the writer")
		if v, err := r.Value(); v != nil || !errors.Is(err, weakcache.ErrDangling) {
			undead++
		}
	}
	stop.Store(true)
	wg.Wait()

	stale.Range(func(who, what any) bool {
		rule.Broken(t, rule.Case{
			Do:   "// the policy in the database has changed\nc.Invalidate(\"tt\")\nv, err := c.Get(ctx, \"tt\") // while other goroutines call Get and Invalidate",
			Got:  rule.Textf("%v, %v", who, what),
			Want: rule.Text("a value that was loaded after the change, <nil>"),
			Why:  "Access was revoked, the admin saw \"done\", and the old policy still lets people in.",
		})
		return false
	})
	if fell != "" {
		rule.Broken(t, rule.Case{
			Do:   "s := c.Stats()\nfmt.Println(s.Hits + s.Misses) // while other goroutines call Get and Invalidate",
			Got:  rule.Text(fell),
			Want: rule.Text("a number that never falls"),
			Why:  "A counter that falls is a restart to the dashboard, and it draws a spike.",
		})
	}
	if undead > 0 {
		rule.Broken(t, rule.Case{
			Do:   "r, _ := c.Ref(ctx, \"tt\")\nc.Invalidate(\"tt\")\n_, err := r.Value() // while other goroutines call Get and Invalidate",
			Got:  rule.Textf("a value, %d of %d times", undead, changes),
			Want: weakcache.ErrDangling,
			Why:  "Access was revoked, the admin saw \"done\", and the old policy still lets people in.",
		})
	}
}

func TestStats(t *testing.T) {
	c := weakcache.New(func(_ context.Context, key string) (*policy, error) {
		if key == "bad" {
			return nil, errors.New("no such project")
		}
		return &policy{Project: key}, nil
	})
	v := get(t, c, "tt")
	get(t, c, "tt")
	requireValue(t, refTo(t, c, "tt", v), v)
	for range 2 {
		_, _ = c.Get(t.Context(), "bad")
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = c.Get(done, "billing")
	c.Invalidate("tt")

	want := weakcache.Stats{Hits: 2, Misses: 4, Loads: 3}
	if diff := cmp.Diff(want, c.Stats()); diff != "" {
		rule.Broken(t, rule.Case{
			Do: `c.Get(ctx, "tt")  // loads
c.Get(ctx, "tt")
r, _ := c.Ref(ctx, "tt")
r.Value()
c.Get(ctx, "bad") // the loader fails
c.Get(ctx, "bad")
c.Get(cancelled, "billing") // its context is done
c.Invalidate("tt")
fmt.Printf("%+v", c.Stats())`,
			Got:  rule.Textf("%+v", c.Stats()),
			Want: rule.Textf("%+v", want),
			Why:  "The hit ratio on the dashboard decides how large the cache may be.",
		})
	}
	runtime.KeepAlive(v)
}

func TestDroppedCacheIsCollected(t *testing.T) {
	c, _ := newCache(weakcache.WithStrong(8))
	value := weak.Make(get(t, c, "tt"))
	gctest.Alive(t, value, "c := New(load, WithStrong(8))\nc.Get(ctx, \"tt\")\nruntime.GC()", "a strong value")
	dropped := weak.Make(c)
	c = nil

	do := "c := New(load, WithStrong(8))\nc.Get(ctx, \"tt\")\nc = nil\nruntime.GC()"
	gctest.Collected(t, dropped, do, "the cache")
	gctest.Collected(t, value, do, "the value that the cache kept strong")
}

// source loads policies and remembers the last one of each key, weakly.
type source struct {
	loads atomic.Int64
	mu    sync.Mutex
	byKey map[string]weak.Pointer[policy]
}

func newCache(opts ...weakcache.Option) (*cache, *source) {
	src := &source{byKey: map[string]weak.Pointer[policy]{}}
	return weakcache.New(src.load, opts...), src
}

func (s *source) load(_ context.Context, key string) (*policy, error) {
	v := &policy{Project: key, Version: int(s.loads.Add(1))}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byKey[key] = weak.Make(v)
	return v, nil
}

func (s *source) last() map[string]weak.Pointer[policy] { return s.byKey }

// result is what a call of Get gave.
type result struct {
	value    *policy
	err      error
	panicked bool
}

func (r result) String() string {
	switch {
	case r.panicked:
		return fmt.Sprintf("Get panicked: %v", r.err)
	case errors.Is(r.err, context.DeadlineExceeded):
		return "Get still waited after an hour"
	case r.err != nil:
		return fmt.Sprintf("%v, error %q", r.value, r.err)
	case r.value == nil:
		return "nil, <nil>"
	default:
		return fmt.Sprintf("{Project:%q Version:%d}, <nil>", r.value.Project, r.value.Version)
	}
}

// call calls Get. In a bubble, whoever waits in vain gets an error after an hour
// of virtual time.
func call(c *cache, key string) (r result) {
	defer func() {
		if p := recover(); p != nil {
			r = result{err: fmt.Errorf("%v", p), panicked: true}
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	v, err := c.Get(ctx, key)
	return result{value: v, err: err}
}

func get(t *testing.T, c *cache, key string) *policy {
	t.Helper()
	v, err := c.Get(t.Context(), key)
	if err != nil || v == nil {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("v, err := c.Get(ctx, %q)", key),
			Got:  rule.Textf("%v, %v", v, err),
			Want: rule.Text("the value that the loader returned, <nil>"),
		})
	}
	return v
}

// refTo returns a Ref of key, whose value v is in use and in the cache.
func refTo(t *testing.T, c *cache, key string, v *policy) ref {
	t.Helper()
	r, err := c.Ref(t.Context(), key)
	if err != nil {
		rule.Broken(t, rule.Case{Do: fmt.Sprintf("r, err := c.Ref(ctx, %q)", key), Got: err, Want: nil})
	}
	requireValue(t, r, v)
	return r
}

func requireValue(t *testing.T, r ref, want *policy) {
	t.Helper()
	if v, err := r.Value(); v != want || err != nil {
		rule.Broken(t, rule.Case{
			Do:   "v, _ := c.Get(ctx, \"tt\") // v stays in use\nr, _ := c.Ref(ctx, \"tt\")\nvalue, err := r.Value()\nfmt.Println(value == v, err)",
			Got:  rule.Textf("%v, %v", v == want, err),
			Want: rule.Text("true, <nil>"),
			Why:  "The value is alive and was not invalidated, so the reference holds.",
		})
	}
}

func requireDangling(t *testing.T, r ref, do, why string) {
	t.Helper()
	if v, err := r.Value(); v != nil || !errors.Is(err, weakcache.ErrDangling) {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("%v, %v", result{value: v}, err),
			Want: rule.Textf("nil, %v", weakcache.ErrDangling),
			Why:  why,
		})
	}
}

// A bubble cannot tell a goroutine that waits for a mutex from one that works:
// with a lock held during the load the tests in bubbles would hang. So the first
// of them asks here, outside a bubble, and the others share the answer.
var blockedByLoad = sync.OnceValue(findBlockedByLoad)

func requireNothingBlockedByLoad(t *testing.T) {
	t.Helper()
	if broken := blockedByLoad(); broken != nil {
		rule.Broken(t, *broken)
	}
}

func findBlockedByLoad() *rule.Case {
	const watchdog = 3 * time.Second // what it guards takes 50 ms
	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	c := weakcache.New(func(_ context.Context, key string) (*policy, error) {
		if key == "slow" {
			once.Do(func() { close(entered) })
			<-release
		}
		return &policy{Project: key}, nil
	})
	first := make(chan struct{})
	go func() {
		defer close(first)
		call(c, "slow")
	}()
	select {
	case <-entered:
	case <-first:
		return &rule.Case{Do: `v, err := c.Get(ctx, "tt")`, Got: rule.Text("Get returned without a call of the loader"), Want: rule.Text("the value that the loader returned, <nil>")}
	}

	var step atomic.Value
	step.Store("")
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for _, s := range []struct {
			do string
			f  func(ctx context.Context)
		}{
			{"c.Len()", func(context.Context) { c.Len() }},
			{"c.Stats()", func(context.Context) { c.Stats() }},
			{`c.Get(ctx, "fast")`, func(ctx context.Context) { _, _ = c.Get(ctx, "fast") }},
			{`c.Invalidate("fast")`, func(context.Context) { c.Invalidate("fast") }},
			{`c.Get(ctx, "slow") // joins the load, ctx ends after 50 ms`, func(ctx context.Context) { _, _ = c.Get(ctx, "slow") }},
			{`c.Invalidate("slow")`, func(context.Context) { c.Invalidate("slow") }},
		} {
			step.Store(s.do)
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			s.f(ctx)
			cancel()
		}
	}()
	var broken *rule.Case
	select {
	case <-finished:
	case <-time.After(watchdog):
		broken = &rule.Case{
			Do:   "go c.Get(ctx, \"slow\") // the loader of \"slow\" has begun and takes its time\n" + step.Load().(string),
			Got:  rule.Text("it waits until the loader returns"),
			Want: rule.Text("it does not wait for a loader, or only until its own context is done"),
			Why:  "A mutex does not know contexts. One slow query stops every request that needs the cache.",
		}
	}
	close(release)
	<-finished
	<-first
	return broken
}

// Values of bubbles are kept for ever, so that no cleanup touches a channel of a
// bubble that has ended.
var pinned struct {
	sync.Mutex
	values []*policy
}

func pin(v *policy) *policy {
	pinned.Lock()
	defer pinned.Unlock()
	pinned.values = append(pinned.values, v)
	return v
}

// runCleanups collects garbage and lets the cleanups of it run.
func runCleanups(t *testing.T) {
	t.Helper()
	rounds := 0
	gctest.Eventually(t, "runtime.GC()", "three rounds", func() bool { rounds++; return rounds > 3 })
}

// delayCleanups keeps the runtime's cleanup goroutines busy until release is
// called, so that cleanups queued in between come late. How many goroutines
// there are is the runtime's affair: it occupies as many as it can find.
func delayCleanups(t *testing.T) (release func()) {
	busy := make(chan struct{})
	release = sync.OnceFunc(func() { close(busy) })
	t.Cleanup(release)
	var started atomic.Int64
	for n := range int64(runtime.GOMAXPROCS(0)) {
		runtime.AddCleanup(new([4]*int), func(busy chan struct{}) { started.Add(1); <-busy }, busy)
		runtime.GC()
		for range 1000 {
			if started.Load() > n {
				break
			}
			runtime.Gosched()
		}
	}
	return release
}
