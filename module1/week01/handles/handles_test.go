package handles_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"weak"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/allocs"
	"github.com/middle-go/course/grader/labkit/gctest"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week01/handles"
)

type session struct {
	User  string
	Used  int64
	Limit int64
}

func TestStaleAfterRemove(t *testing.T) {
	a := handles.NewArena[string]()
	h := a.Insert("ann")
	kept := a.Insert("bob")
	mustGet(t, a, h, "ann")

	v, err := a.Remove(h)
	if v != "ann" || err != nil || a.Len() != 1 {
		rule.Broken(t, rule.Case{
			Do:   "a := NewArena[string]()\nh := a.Insert(\"ann\")\na.Insert(\"bob\")\nv, err := a.Remove(h)\nfmt.Println(v, err, a.Len())",
			Got:  rule.Textf("%q, %v, %d", v, err, a.Len()),
			Want: rule.Text(`"ann", <nil>, 1`),
			Why:  "Whoever ends a session needs it for the last time: to close its connection, to write its audit record.",
		})
	}
	if p, err := a.Get(h); p != nil || !errors.Is(err, handles.ErrStale) {
		rule.Broken(t, rule.Case{
			Do:   "h := a.Insert(\"ann\")\na.Remove(h)\np, err := a.Get(h)",
			Got:  rule.Textf("%s, %v", show(p), err),
			Want: rule.Textf("nil, %v", handles.ErrStale),
			Why:  "A logged-out user must not reach the session that he logged out of.",
		})
	}
	mustGet(t, a, kept, "bob")
}

func TestStaleAfterSlotReuse(t *testing.T) {
	a := handles.NewArena[string]()
	old := a.Insert("ann")
	mustGet(t, a, old, "ann")
	mustRemove(t, a, old)

	// Whatever order free slots are reused in, one of these takes ann's.
	var fresh []handles.Handle
	for range 256 {
		fresh = append(fresh, a.Insert("bob"))
	}

	if p, err := a.Get(old); p != nil || !errors.Is(err, handles.ErrStale) {
		rule.Broken(t, rule.Case{
			Do: `old := a.Insert("ann")
a.Remove(old)
for range 256 {
	a.Insert("bob")
}
p, err := a.Get(old)`,
			Got:  rule.Textf("%s, %v", show(p), err),
			Want: rule.Textf("nil, %v", handles.ErrStale),
			Why:  "The slot is the same, the session is not: ann would read bob's data.",
		})
	}
	if _, err := a.Remove(old); !errors.Is(err, handles.ErrStale) || a.Len() != len(fresh) {
		rule.Broken(t, rule.Case{
			Do:   "a.Remove(old) // its slot belongs to bob now",
			Got:  rule.Textf("%v, %d values left", err, a.Len()),
			Want: rule.Textf("%v, %d values left", handles.ErrStale, len(fresh)),
			Why:  "Ann's second logout must not end bob's session.",
		})
	}
	for _, h := range fresh {
		mustGet(t, a, h, "bob")
	}
}

func TestGenerationExhaustionRetiresSlot(t *testing.T) {
	const cycles = 1000
	for _, bits := range []uint8{1, 2, 3} {
		t.Run(fmt.Sprintf("%d bits", bits), func(t *testing.T) {
			a := handles.NewArena[int](handles.WithGenerationBits(bits))
			var issued []handles.Handle
			first := map[handles.Handle]int{}
			for i := range cycles {
				h := a.Insert(i)
				if before, again := first[h]; again {
					rule.Broken(t, rule.Case{
						Do: fmt.Sprintf(`a := NewArena[int](WithGenerationBits(%d))
seen := map[Handle]int{}
for i := range %d {
	h := a.Insert(i)
	seen[h] = i
	a.Remove(h)
}
fmt.Println(len(seen))`, bits, cycles),
						Got:  rule.Textf("value %d has the same handle as value %d had", i, before),
						Want: rule.Textf("%d different handles", cycles),
						Why:  "The generation wrapped, so a handle from long ago opens somebody else's session.",
					})
				}
				first[h] = i
				issued = append(issued, h)
				mustGet(t, a, h, i)
				requireStale(t, a, bits, issued[max(0, i-9):i]) // more than one turn of the generation
				mustRemove(t, a, h)
			}
			requireStale(t, a, bits, issued)
			uses := 1 << bits
			if got, least, most := a.Cap(), cycles/uses, cycles/(uses-1)+128; got < least || got > most {
				rule.Broken(t, rule.Case{
					Do: fmt.Sprintf(`a := NewArena[int](WithGenerationBits(%d))
for i := range %d {
	a.Remove(a.Insert(i))
}
fmt.Println(a.Cap())`, bits, cycles),
					Got:  got,
					Want: rule.Textf("%d to %d: a slot serves %d values, or %d if generation 0 is reserved", least, most, uses, uses-1),
					Why:  "Slots that retire too late repeat a handle, slots that retire too early waste memory.",
				})
			}
		})
	}
}

func requireStale(t *testing.T, a *handles.Arena[int], bits uint8, removed []handles.Handle) {
	t.Helper()
	for _, h := range removed {
		if p, err := a.Get(h); p != nil || !errors.Is(err, handles.ErrStale) {
			rule.Broken(t, rule.Case{
				Do: fmt.Sprintf(`a := NewArena[int](WithGenerationBits(%d))
old := a.Insert(0)
a.Remove(old)
// many times: insert a value and remove the one before
p, err := a.Get(old)`, bits),
				Got:  rule.Textf("%s, %v", show(p), err),
				Want: rule.Textf("nil, %v", handles.ErrStale),
				Why:  "A slot that has run out of generations must retire, and still know that its handles are stale.",
			})
		}
	}
}

func TestGenerationBitsDefault(t *testing.T) {
	for _, tc := range []struct {
		do   string
		opts []handles.Option
	}{
		{"NewArena[int]()", nil},
		{"NewArena[int](WithGenerationBits(0))", []handles.Option{handles.WithGenerationBits(0)}},
		{"NewArena[int](WithGenerationBits(32))", []handles.Option{handles.WithGenerationBits(32)}},
		{"NewArena[int](WithGenerationBits(33))", []handles.Option{handles.WithGenerationBits(33)}},
		{"NewArena[int](WithGenerationBits(255))", []handles.Option{handles.WithGenerationBits(255)}},
	} {
		a := handles.NewArena[int](tc.opts...)
		first := a.Insert(0)
		mustGet(t, a, first, 0)
		for i := range 70_000 { // more than 16 bits can count
			mustRemove(t, a, first)
			first = a.Insert(i)
		}
		if got := a.Cap(); got > 128 {
			rule.Broken(t, rule.Case{
				Do:   "a := " + tc.do + "\nfor i := range 70_000 {\n\ta.Remove(a.Insert(i))\n}\nfmt.Println(a.Cap())",
				Got:  got,
				Want: rule.Text("at most 128: with 32 bits no slot is exhausted yet"),
				Why:  "An arena with the default setting must run for years.",
			})
		}
	}
}

func TestForeignArenaRejected(t *testing.T) {
	web, api := handles.NewArena[string](), handles.NewArena[string]()
	h, other := web.Insert("ann"), api.Insert("bob")
	mustGet(t, web, h, "ann")

	if p, err := web.Get(other); p != nil || !errors.Is(err, handles.ErrForeign) {
		rule.Broken(t, rule.Case{
			Do:   "web, api := NewArena[string](), NewArena[string]()\nweb.Insert(\"ann\")\nh := api.Insert(\"bob\")\np, err := web.Get(h)",
			Got:  rule.Textf("%s, %v", show(p), err),
			Want: rule.Textf("nil, %v", handles.ErrForeign),
			Why:  "Index and generation fit by chance. Bob's token from the API opens ann's web session.",
		})
	}
	if _, err := web.Remove(other); !errors.Is(err, handles.ErrForeign) || web.Len() != 1 {
		rule.Broken(t, rule.Case{
			Do:   "web, api := NewArena[string](), NewArena[string]()\nweb.Insert(\"ann\")\nh := api.Insert(\"bob\")\n_, err := web.Remove(h)\nfmt.Println(err, web.Len())",
			Got:  rule.Textf("%v, %d", err, web.Len()),
			Want: rule.Textf("%v, 1", handles.ErrForeign),
			Why:  "Index and generation fit by chance. Bob's logout from the API ends ann's web session.",
		})
	}

	// Arenas of another type, and handles that are stale at home, are foreign too.
	counters := handles.NewArena[int]()
	counters.Insert(1)
	mustRemove(t, api, other)
	for what, err := range map[string]error{
		"of an arena of another type":    second(counters.Get(h)),
		"that is stale in its own arena": second(web.Get(other)),
	} {
		if !errors.Is(err, handles.ErrForeign) {
			rule.Broken(t, rule.Case{Do: "a.Get(h) // a handle " + what, Got: err, Want: handles.ErrForeign})
		}
	}
	mustGet(t, web, h, "ann")
}

func TestZeroHandleRejected(t *testing.T) {
	a := handles.NewArena[string]()
	h := a.Insert("ann")
	var zero handles.Handle

	if !zero.IsZero() || h.IsZero() {
		rule.Broken(t, rule.Case{
			Do:   "h := NewArena[string]().Insert(\"ann\") // the first handle of an arena\nfmt.Println(Handle{}.IsZero(), h.IsZero())",
			Got:  rule.Textf("%v %v", zero.IsZero(), h.IsZero()),
			Want: rule.Text("true false"),
			Why:  "The zero handle is how a struct says that it has no session yet.",
		})
	}
	p, getErr := a.Get(zero)
	_, removeErr := a.Remove(zero)
	if p != nil || !errors.Is(getErr, handles.ErrZero) || !errors.Is(removeErr, handles.ErrZero) || a.Len() != 1 {
		rule.Broken(t, rule.Case{
			Do:   "a.Insert(\"ann\")\np, err := a.Get(Handle{})\n_, err2 := a.Remove(Handle{})",
			Got:  rule.Textf("%s, %v; %v", show(p), getErr, removeErr),
			Want: rule.Textf("nil, %v; %[1]v", handles.ErrZero),
			Why:  "A field that was never set must not name the first session of the day.",
		})
	}
}

func TestPointerStableAcrossGrowth(t *testing.T) {
	const growth = 10_000
	a := handles.NewArena[int]()
	h := a.Insert(1)
	p := mustGet(t, a, h, 1)
	for i := range growth {
		a.Insert(i)
	}

	*p = 42

	if q, err := a.Get(h); q != p || err != nil || *q != 42 {
		rule.Broken(t, rule.Case{
			Do: fmt.Sprintf(`h := a.Insert(1)
p, _ := a.Get(h)
for i := range %d {
	a.Insert(i)
}
*p = 42
q, err := a.Get(h)
fmt.Println(q, q == p, err)`, growth),
			Got:  rule.Textf("%s, %v, %v", show(q), q == p, err),
			Want: rule.Text("a pointer to 42, true, <nil>"),
			Why:  "The slice moved when it grew. Every pointer from before writes to a copy that nobody reads.",
		})
	}
}

func TestRemovedValueIsCollectable(t *testing.T) {
	for _, tc := range []struct {
		name, do string
		opts     []handles.Option
	}{
		{"free slot", "a := NewArena[*session]()", nil},
		{"retired slot", "a := NewArena[*session](WithGenerationBits(1)) // the slot retires", []handles.Option{handles.WithGenerationBits(1)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := handles.NewArena[*session](tc.opts...)
			var removed [3]weak.Pointer[session]
			for i := range removed {
				s := &session{User: "ann"}
				removed[i] = weak.Make(s)
				h := a.Insert(s)
				mustGet(t, a, h, s)
				mustRemove(t, a, h)
			}
			for _, s := range removed {
				gctest.Collected(t, s, tc.do+`
h := a.Insert(&session{User: "ann"})
a.Remove(h)
runtime.GC() // the arena is still in use`, "the session")
			}
			runtime.KeepAlive(a)
		})
	}
}

func TestHandlePinsNothing(t *testing.T) {
	a := handles.NewArena[*session]()
	s := &session{User: "ann"}
	value := weak.Make(s)
	h := a.Insert(s)
	mustGet(t, a, h, s)
	s, a = nil, nil

	gctest.Collected(t, value, `a := NewArena[*session]()
h := a.Insert(&session{User: "ann"})
a = nil
runtime.GC() // h is still in use`, "the session")
	runtime.KeepAlive(h)
}

func TestRemoveTwice(t *testing.T) {
	a := handles.NewArena[string]()
	h := a.Insert("ann")
	mustGet(t, a, h, "ann")
	mustRemove(t, a, h)

	v, err := a.Remove(h)
	if v != "" || !errors.Is(err, handles.ErrStale) || a.Len() != 0 {
		rule.Broken(t, rule.Case{
			Do:   "h := a.Insert(\"ann\")\na.Remove(h)\nv, err := a.Remove(h)\nfmt.Println(v, err, a.Len())",
			Got:  rule.Textf("%q, %v, %d", v, err, a.Len()),
			Want: rule.Textf("%q, %v, 0", "", handles.ErrStale),
			Why:  "Two goroutines of one request both log the user out; only one of them closed something.",
		})
	}
	if x, y := a.Insert("bob"), a.Insert("eve"); x == y {
		rule.Broken(t, rule.Case{
			Do:   "h := a.Insert(\"ann\")\na.Remove(h)\na.Remove(h)\nfmt.Println(a.Insert(\"bob\") == a.Insert(\"eve\"))",
			Got:  true,
			Want: false,
			Why:  "The slot was freed twice, so two users share one session.",
		})
	}
}

func TestIterateWhileRemoving(t *testing.T) {
	const n = 200
	a := handles.NewArena[int]()
	at := map[int]handles.Handle{}
	for i := range n {
		at[i] = a.Insert(i)
	}

	// Every step removes the current value and one that may still be to come.
	removed := map[int]bool{}
	steps := 0
	for h, p := range a.All() {
		steps++
		v := *p
		if h != at[v] || removed[v] {
			rule.Broken(t, rule.Case{
				Do:   "for h, p := range a.All() {\n\ta.Remove(h)\n\ta.Remove(another)\n}",
				Got:  rule.Textf("value %d with handle %v, removed before: %v", v, h, removed[v]),
				Want: rule.Textf("only values that are in the arena, with the handle that Insert gave: %v", at[v]),
				Why:  "A sweep that sees a session after its end closes it twice.",
			})
		}
		for _, gone := range []int{v, (v + 7) % n} {
			if !removed[gone] {
				mustRemove(t, a, at[gone])
				removed[gone] = true
			}
		}
	}
	if got := len(removed); got != n || a.Len() != 0 {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("// %d values\nfor h, p := range a.All() {\n\ta.Remove(h)\n\ta.Remove(another)\n}\nfmt.Println(a.Len())", n),
			Got:  rule.Textf("%d, after %d steps", a.Len(), steps),
			Want: 0,
			Why:  "The nightly sweep must see every session that is alive when its turn comes.",
		})
	}
}

func TestIterateWhileInserting(t *testing.T) {
	const n = 10
	a := handles.NewArena[int]()
	for i := range n {
		a.Insert(i)
	}

	seen := map[int]int{}
	steps := 0
	for h, p := range a.All() {
		seen[*p]++
		if steps++; steps > 100*n {
			break
		}
		v := *p
		if v%2 == 0 {
			mustRemove(t, a, h)
		}
		a.Insert(n + steps)
	}
	once := 0
	for i := range n {
		if seen[i] == 1 {
			once++
		}
	}
	if steps > 100*n || once != n {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("// the values 0 to %d\nfor h := range a.All() {\n\ta.Insert(more)\n}", n-1),
			Got:  rule.Textf("%d of the %d values seen once, %d steps or more", once, n, steps),
			Want: rule.Text("each value that was there before is seen once, and the loop ends"),
			Why:  "A sweep that renews sessions while it walks over them must come to an end.",
		})
	}
}

func TestIterateEarlyBreak(t *testing.T) {
	a := handles.NewArena[int]()
	for i := range 200 {
		a.Insert(i)
	}

	calls := 0
	all := a.All()
	all(func(handles.Handle, *int) bool {
		calls++
		return calls < 3
	})
	if calls != 3 {
		rule.Broken(t, rule.Case{
			Do:   "calls := 0\na.All()(func(Handle, *int) bool {\n\tcalls++\n\treturn calls < 3\n})\nfmt.Println(calls)",
			Got:  calls,
			Want: 3,
			Why:  "A break in a range loop makes yield return false. A call after that panics.",
		})
	}

	// The loop body writes through the pointer; the same iterator starts again.
	for _, p := range all {
		*p += 1000
		break
	}
	raised, steps := 0, 0
	for _, p := range all {
		steps++
		if *p >= 1000 {
			raised++
		}
	}
	if raised != 1 || steps != 200 {
		rule.Broken(t, rule.Case{
			Do:   "// 200 values below 1000\nall := a.All()\nfor _, p := range all {\n\t*p += 1000\n\tbreak\n}\nfor _, p := range all {\n\tfmt.Println(*p)\n}",
			Got:  rule.Textf("%d values, %d of them 1000 or more", steps, raised),
			Want: rule.Text("200 values, 1 of them 1000 or more"),
			Why:  "All gives the values themselves, not copies, and every range over it starts from the beginning.",
		})
	}
}

func TestCapBoundedUnderChurn(t *testing.T) {
	const cycles = 100_000
	a := handles.NewArena[int]()
	mustGet(t, a, a.Insert(-1), -1)
	for i := range cycles {
		mustRemove(t, a, a.Insert(i))
	}
	if got := a.Cap(); got < 1 || got > 128 {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("a := NewArena[int]()\na.Insert(-1)\nfor i := range %d {\n\ta.Remove(a.Insert(i))\n}\nfmt.Println(a.Cap())", cycles),
			Got:  got,
			Want: rule.Text("1 to 128"),
			Why:  "Two sessions are open at a time. Memory for 100,000 of them ends in the OOM killer.",
		})
	}
}

func TestFreeSlotComesBeforeNewOnes(t *testing.T) {
	for n := 1; n <= 200; n++ { // for some n every slot is taken
		a := handles.NewArena[int]()
		var last handles.Handle
		for i := range n {
			last = a.Insert(i)
		}
		before := a.Cap()
		mustRemove(t, a, last)
		mustGet(t, a, a.Insert(n), n)
		if got := a.Cap(); got != before {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("a := NewArena[int]()\nvar h Handle\nfor i := range %d {\n\th = a.Insert(i)\n}\nfmt.Println(a.Cap())\na.Remove(h)\na.Insert(%[1]d)\nfmt.Println(a.Cap())", n),
				Got:  rule.Textf("%d, then %d", before, got),
				Want: rule.Textf("%d both times", before),
				Why:  "A free slot that is passed over is memory that nobody uses, and the arena grows without need.",
			})
		}
	}
}

func TestHandleIsMapKey(t *testing.T) {
	a := handles.NewArena[string]()
	lastSeen := map[handles.Handle]string{} // compiles only while Handle is comparable
	for i := range 1000 {
		user := fmt.Sprint("user ", i)
		lastSeen[a.Insert(user)] = user
	}

	n := 0
	for h, p := range a.All() {
		if lastSeen[h] == *p {
			n++
		}
	}
	if n != 1000 {
		rule.Broken(t, rule.Case{
			Do:   "m := map[Handle]string{}\nm[a.Insert(user)] = user // 1000 users\nfor h, p := range a.All() {\n\tfmt.Println(m[h] == *p)\n}",
			Got:  rule.Textf("true for %d users", n),
			Want: rule.Text("true for 1000 users"),
			Why:  "The rate limiter keys its counters by session handle.",
		})
	}
	if got := reflect.TypeFor[handles.Handle]().Size(); got > 24 {
		rule.Broken(t, rule.Case{
			Do:   "fmt.Println(unsafe.Sizeof(Handle{}))",
			Got:  got,
			Want: rule.Text("at most 24"),
			Why:  "Handles are stored by the million; they are the small part.",
		})
	}
}

func TestArenasMadeConcurrently(t *testing.T) {
	const workers, each = 8, 50
	made := make([][]handles.Handle, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range each {
				made[w] = append(made[w], handles.NewArena[int]().Insert(w))
			}
		})
	}
	wg.Wait()

	distinct := map[handles.Handle]bool{}
	for _, hs := range made {
		for _, h := range hs {
			distinct[h] = true
		}
	}
	if got := len(distinct); got != workers*each {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("h := NewArena[int]().Insert(1) // %d times in each of %d goroutines", each, workers),
			Got:  rule.Textf("%d different handles", got),
			Want: rule.Textf("%d different handles", workers*each),
			Why:  "Arenas belong to one goroutine each, but they are made wherever a connection is accepted.",
		})
	}
}

func TestGet_ZeroAlloc(t *testing.T) {
	a := handles.NewArena[session]()
	h := a.Insert(session{User: "ann"})
	mustGet(t, a, h, session{User: "ann"})
	stale := a.Insert(session{User: "bob"})
	mustRemove(t, a, stale)
	allocs.AtMost(t, 0, "a.Get(h)", func() { _, _ = a.Get(h) })
	allocs.AtMost(t, 0, "a.Get(stale)", func() { _, _ = a.Get(stale) })
}

func TestReusedSlot_ZeroAlloc(t *testing.T) {
	a := handles.NewArena[session]()
	mustGet(t, a, a.Insert(session{User: "ann"}), session{User: "ann"})
	allocs.AtMost(t, 0, "a.Remove(a.Insert(session{User: \"bob\"}))", func() {
		_, _ = a.Remove(a.Insert(session{User: "bob"}))
	})
}

// TestArenaVsMap_RandomOperations plays short histories first, so the first
// failure is a short program.
func TestArenaVsMap_RandomOperations(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for length := 3; length <= 200; length += 2 {
		history := make([]byte, length)
		for i := range history {
			history[i] = byte(rng.UintN(256))
		}
		againstMap(t, history)
	}
}

func FuzzArenaVsMap(f *testing.F) {
	const insert, remove, get, write, all = 0, 2, 4, 5, 6
	op := func(code, handle byte) byte { return code + handle*8 }
	for bits := range byte(4) {
		f.Add([]byte{bits, insert, op(remove, 0), op(get, 0), all})
		f.Add([]byte{bits, insert, op(remove, 0), insert, op(get, 0), op(remove, 0), op(get, 1)})
		f.Add([]byte{bits, insert, op(remove, 0), op(remove, 0), insert, insert, op(write, 1), op(get, 2), all})
		f.Add([]byte{bits, insert, insert, insert, op(remove, 1), all, insert, op(write, 3), all})
		var wrap []byte // one slot, used until its generation is exhausted and longer
		for i := range byte(10) {
			wrap = append(wrap, insert, op(remove, i), op(get, 0), op(get, i))
		}
		f.Add(append([]byte{bits}, wrap...))
	}
	f.Fuzz(func(t *testing.T, history []byte) {
		againstMap(t, history[:min(len(history), 500)])
	})
}

// againstMap runs a history on an arena and on a map. The first byte chooses the
// generation bits. Of every other byte, the low three bits choose the operation
// and the rest a handle, out of all that were ever issued.
func againstMap(t *testing.T, history []byte) {
	t.Helper()
	if len(history) == 0 {
		return
	}
	bits := []uint8{1, 2, 3, 32}[history[0]%4]
	a := handles.NewArena[int](handles.WithGenerationBits(bits))
	var (
		program = []string{fmt.Sprintf("a := NewArena[int](WithGenerationBits(%d))", bits)}
		values  = map[handles.Handle]int{} // the model
		pointer = map[handles.Handle]*int{}
		number  = map[handles.Handle]int{}
		issued  []handles.Handle
	)
	do := func(format string, args ...any) { program = append(program, fmt.Sprintf(format, args...)) }
	broken := func(got, want any) {
		t.Helper()
		rule.Broken(t, rule.Case{
			Do:   strings.Join(program, "\n"),
			Got:  got,
			Want: want,
			Why:  "An arena is a map with an opinion on keys: each operation answers as a map would, and a removed key never comes back.",
		})
	}
	for _, b := range history[1:] {
		op, k := b%8, int(b/8)
		if op >= 2 && op != 6 && len(issued) == 0 {
			continue
		}
		if len(issued) > 0 {
			k = max(0, len(issued)-32) + k%min(len(issued), 32)
		}
		switch op {
		case 0, 1, 7:
			do("h%d := a.Insert(%[1]d)", len(issued))
			h := a.Insert(len(issued))
			if n, again := number[h]; again {
				broken(rule.Textf("h%d == h%d", len(issued), n), rule.Text("a handle that was never issued before"))
			}
			if h.IsZero() {
				broken(rule.Text("the zero handle"), rule.Text("a handle"))
			}
			number[h], values[h] = len(issued), len(issued)
			issued = append(issued, h)
			p, err := a.Get(h)
			if err != nil || p == nil {
				do("a.Get(h%d)", number[h])
				broken(err, rule.Textf("a pointer to %d", values[h]))
			}
			pointer[h] = p
		case 2, 3:
			h := issued[k]
			do("a.Remove(h%d)", k)
			v, err := a.Remove(h)
			if want, ok := values[h]; ok && (v != want || err != nil) {
				broken(rule.Textf("%d, %v", v, err), rule.Textf("%d, <nil>", want))
			} else if !ok && (v != 0 || !errors.Is(err, handles.ErrStale)) {
				broken(rule.Textf("%d, %v", v, err), rule.Textf("0, %v", handles.ErrStale))
			}
			delete(values, h)
		case 4:
			h := issued[k]
			do("p, err := a.Get(h%d)", k)
			p, err := a.Get(h)
			if want, ok := values[h]; ok && (err != nil || p != pointer[h] || *p != want) {
				broken(rule.Textf("%s, %v, the same pointer as before: %v", show(p), err, p == pointer[h]), rule.Textf("%d, <nil>, the same pointer as before: true", want))
			} else if !ok && (p != nil || !errors.Is(err, handles.ErrStale)) {
				broken(rule.Textf("%s, %v", show(p), err), rule.Textf("nil, %v", handles.ErrStale))
			}
		case 5:
			h := issued[k]
			if _, ok := values[h]; ok { // through the pointer of the first Get
				do("*p%d += 1000", k)
				*pointer[h] += 1000
				values[h] += 1000
			}
		case 6:
			do("maps.Collect(a.All())")
			got := map[string]int{}
			for h, p := range a.All() {
				name := fmt.Sprintf("h%d", number[h])
				if _, twice := got[name]; twice {
					broken(rule.Textf("%s twice", name), rule.Text("every value once"))
				}
				got[name] = *p
			}
			want := map[string]int{}
			for h, v := range values {
				want[fmt.Sprintf("h%d", number[h])] = v
			}
			if diff := cmp.Diff(want, got); diff != "" {
				broken(rule.Textf("a difference (-want +got):\n%s", diff), rule.Text("the values that are in the arena"))
			}
		}
		if got := a.Len(); got != len(values) {
			do("fmt.Println(a.Len())")
			broken(got, len(values))
		}
		if got := a.Cap(); got < len(values) {
			do("fmt.Println(a.Cap())")
			broken(got, rule.Textf("at least Len, which is %d", len(values)))
		}
	}
}

// mustGet stops the test unless h names want in a.
func mustGet[T comparable](t *testing.T, a *handles.Arena[T], h handles.Handle, want T) *T {
	t.Helper()
	p, err := a.Get(h)
	if err != nil || p == nil || *p != want {
		rule.Broken(t, rule.Case{
			Do:   "h := a.Insert(v)\n// v was not removed\np, err := a.Get(h)",
			Got:  rule.Textf("%s, %v", show(p), err),
			Want: rule.Textf("a pointer to %s, <nil>", literal(want)),
			Why:  "A live session must be found, whatever happens to the others.",
		})
	}
	return p
}

func mustRemove[T any](t *testing.T, a *handles.Arena[T], h handles.Handle) {
	t.Helper()
	if _, err := a.Remove(h); err != nil {
		rule.Broken(t, rule.Case{
			Do:   "h := a.Insert(v)\n_, err := a.Remove(h)",
			Got:  err,
			Want: nil,
		})
	}
}

func show[T any](p *T) string {
	if p == nil {
		return "nil"
	}
	return "a pointer to " + literal(*p)
}

func literal(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%+v", v)
}

func second[T any](_ T, err error) error { return err }
