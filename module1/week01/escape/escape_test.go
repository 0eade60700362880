package escape_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/middle-go/course/grader/labkit/allocs"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week01/escape"
)

func TestWindow_MatchesBaseline(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for range 500 {
		samples := randomSamples(rng, rng.IntN(12))
		size := rng.IntN(14) - 1
		requireWindows(t, samples, size, windows(slowWindow, samples, size))
	}
}

func TestWindow_EarlyStop(t *testing.T) {
	samples := []int64{1, 2, 3, 4, 5, 6, 7}
	for stop := 1; stop <= 4; stop++ {
		calls := 0
		escape.Window(samples, 2, func(escape.Stats) bool {
			calls++
			return calls != stop
		})
		if calls != stop {
			rule.Broken(t, rule.Case{
				Do: fmt.Sprintf(`calls := 0
Window([]int64{1, 2, 3, 4, 5, 6, 7}, 2, func(Stats) bool {
	calls++
	return calls != %d
})`, stop),
				Got:  rule.Textf("%d calls", calls),
				Want: rule.Textf("%d", stop),
				Why:  "The visitor stops when its page is full. Calls after that write behind the page.",
			})
		}
	}
}

func TestWindow_SizeEdges(t *testing.T) {
	one := escape.Stats{N: 1, Min: 5, Max: 5, Sum: 5}
	whole := escape.Stats{N: 3, Min: -2, Max: 5, Sum: 7}
	for _, tc := range []struct {
		samples []int64
		size    int
		want    []escape.Stats
	}{
		{samples: nil, size: 3},
		{samples: []int64{}, size: 1},
		{samples: []int64{5, -2, 4}, size: 0},
		{samples: []int64{5, -2, 4}, size: -1},
		{samples: []int64{5, -2, 4}, size: math.MinInt},
		{samples: []int64{5}, size: 1, want: []escape.Stats{one}},
		{samples: []int64{5, -2, 4}, size: 2, want: []escape.Stats{{N: 2, Min: -2, Max: 5, Sum: 3}, {N: 1, Min: 4, Max: 4, Sum: 4}}},
		{samples: []int64{5, -2, 4}, size: 3, want: []escape.Stats{whole}},
		{samples: []int64{5, -2, 4}, size: 4, want: []escape.Stats{whole}},
		{samples: []int64{5, -2, 4}, size: math.MaxInt, want: []escape.Stats{whole}},
		{samples: []int64{math.MaxInt64, 1}, size: 2, want: []escape.Stats{{N: 2, Min: 1, Max: math.MaxInt64, Sum: math.MinInt64}}},
	} {
		requireWindows(t, tc.samples, tc.size, tc.want)
	}
}

func TestAppendTaskID_Golden(t *testing.T) {
	for _, tc := range []struct {
		shard uint16
		seq   uint64
		want  string
	}{
		{0, 0, "task-0000-0"},
		{0xf, 9, "task-000f-9"},
		{0xff, 42, "task-00ff-42"},
		{0x0a0b, 100, "task-0a0b-100"},
		{0x1000, 1 << 32, "task-1000-4294967296"},
		{math.MaxUint16, math.MaxUint64, "task-ffff-18446744073709551615"},
	} {
		requireTaskID(t, tc.shard, tc.seq, tc.want)
	}
	rng := rand.New(rand.NewPCG(1, 4))
	for range 1000 {
		shard, seq := uint16(rng.Uint32()), rng.Uint64()>>rng.IntN(64)
		requireTaskID(t, shard, seq, string(slowAppendTaskID(nil, shard, seq)))
	}
}

func TestAppendTaskID_KeepsPrefixAndGrows(t *testing.T) {
	const prefix, id = "ids: ", "task-00ff-42"
	for spare := range len(id) + 2 {
		dst := make([]byte, len(prefix), len(prefix)+spare)
		copy(dst, prefix)

		got := escape.AppendTaskID(dst, 0xff, 42)

		do := fmt.Sprintf("dst := make([]byte, 5, 5+%d)\ncopy(dst, %q)\ngot := AppendTaskID(dst, 0xff, 42)", spare, prefix)
		if string(got) != prefix+id || string(dst) != prefix {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("%q, dst %q", got, dst),
				Want: rule.Textf("%q, dst %q", prefix+id, prefix),
				Why:  "The caller builds one log line from many parts.",
			})
		}
		if inPlace := &got[0] == &dst[0]; inPlace != (spare >= len(id)) {
			rule.Broken(t, rule.Case{
				Do:   do + "\nfmt.Println(&got[0] == &dst[0])",
				Got:  inPlace,
				Want: !inPlace,
				Why:  "As with append: the id goes into the array of dst if it fits, and into a new array if it does not.",
			})
		}
	}
}

func TestHasLabel_FoldsLikeBaseline(t *testing.T) {
	labels := []string{"Backend", "needs review", "straße", "ΣΟΦΟΣ", "", "größe"}
	for _, want := range []string{
		"Backend", "backend", "BACKEND", "bac\u212aend", "back", "backend ", "needs review", "Needs Review", "needs-review",
		"STRASSE", "STRAẞE", "\u017ftraße", "σοφος", "σοφοσ", "σοφο", "", "GRÖSSE", "GRÖßE", "gro\u0308ße",
	} {
		requireHasLabel(t, labels, want)
	}
	requireHasLabel(t, nil, "")
	requireHasLabel(t, []string{}, "backend")
	for _, pair := range [][2]string{
		{"k", "\u212a"},      // Kelvin sign
		{"s", "\u017f"},      // long s
		{"i", "\u0130"},      // I with a dot: its lower case is i, and it does not fold
		{"i", "\u0131"},      // i without a dot
		{"\xff", "\xfe"},     // not UTF-8
		{"\xff", "\ufffd"},   // what Go reads instead
		{"\xe2\x84", "\xe2"}, // two bad bytes and one
	} {
		requireHasLabel(t, pair[:1], pair[1])
		requireHasLabel(t, pair[1:], pair[0])
	}
	for a := range rune(unicode.MaxASCII + 1) {
		for b := range rune(unicode.MaxASCII + 1) {
			requireHasLabel(t, []string{string(a)}, string(b))
		}
	}
	for r := range rune(unicode.MaxRune + 1) {
		if unicode.SimpleFold(r) == r && unicode.ToLower(r) == r && unicode.ToUpper(r) == r {
			continue
		}
		for _, other := range []rune{unicode.SimpleFold(r), unicode.ToLower(r), unicode.ToUpper(r), r + 1} {
			requireHasLabel(t, []string{"x" + string(r)}, "X"+string(other))
		}
	}
}

func TestSumPoints_Overflow(t *testing.T) {
	for _, tc := range []struct {
		points []escape.Point
		want   escape.Point
	}{
		{points: nil},
		{points: []escape.Point{{X: 1, Y: -1}}, want: escape.Point{X: 1, Y: -1}},
		{points: []escape.Point{{X: 1, Y: 10}, {X: 2, Y: 20}, {X: 3, Y: 30}}, want: escape.Point{X: 6, Y: 60}},
		{points: []escape.Point{{X: math.MaxInt64, Y: math.MinInt64}, {X: 1, Y: -1}}, want: escape.Point{X: math.MinInt64, Y: math.MaxInt64}},
	} {
		requireSum(t, tc.points, tc.want)
	}
	rng := rand.New(rand.NewPCG(1, 5))
	for range 100 {
		points := randomPoints(rng, rng.IntN(8))
		requireSum(t, points, slowSumPoints(points))
	}
}

func TestClassify_Table(t *testing.T) {
	for _, tc := range []struct {
		status int
		want   string
	}{
		{100, "1xx"}, {199, "1xx"}, {200, "2xx"}, {304, "3xx"}, {499, "4xx"}, {500, "5xx"}, {599, "5xx"},
		{99, "other"}, {600, "other"}, {0, "other"}, {-1, "other"}, {-200, "other"}, {math.MaxInt, "other"}, {math.MinInt, "other"},
	} {
		requireClass(t, tc.status, tc.want)
	}
	for status := -1000; status <= 2000; status++ {
		requireClass(t, status, slowClassify(status))
	}
}

func TestAll_Parallel(t *testing.T) {
	const workers, rounds = 8, 20_000
	broken := make(chan rule.Case, workers)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for worker := range workers {
		in := newInput(uint64(worker))
		want := in.slow()
		wg.Go(func() {
			<-start
			var got output
			for range rounds {
				in.fast(&got)
				if c := got.differs(&in, want); c != nil {
					c.Do = "// in each of 8 goroutines, with inputs of its own\n" + c.Do
					c.Why = "The metrics path runs on every core at once. What two requests share, one of them overwrites."
					broken <- *c
					return
				}
			}
		})
	}
	close(start)
	wg.Wait()
	select {
	case c := <-broken:
		rule.Broken(t, c)
	default:
	}
}

func TestAll_ZeroAlloc(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	samples := randomSamples(rng, 1000)
	var total escape.Stats
	allocs.AtMost(t, 0, "Window(samples, 10, visit) // 1000 samples", func() {
		escape.Window(samples, 10, func(s escape.Stats) bool {
			total.N += s.N
			total.Sum += s.Sum
			return true
		})
	})

	buf, shard, seq := make([]byte, 0, 64), uint16(0xbeef), uint64(1<<40)
	allocs.AtMost(t, 0, "AppendTaskID(buf[:0], 0xbeef, 1<<40) // cap(buf) is 64", func() {
		buf = escape.AppendTaskID(buf[:0], shard, seq)
		seq++ // a constant would be boxed at compile time
	})

	labels := []string{"Backend", "Abschlussprüfungsgrößenübersicht", "needs review", "ΣΟΦΟΣ"}
	found := 0
	for _, want := range []string{"ΣΟΦΟς", "NEEDS REVIEW", "missing", "ABSCHLUSSPRÜFUNGSGRÖßENÜBERSICHT"} {
		allocs.AtMost(t, 0, fmt.Sprintf("HasLabel(%#v, %q)", labels, want), func() {
			if escape.HasLabel(labels, want) {
				found++
			}
		})
	}

	points := randomPoints(rng, 1000)
	var sum escape.Point
	allocs.AtMost(t, 0, "SumPoints(points) // 1000 points", func() { sum = escape.SumPoints(points) })

	for _, status := range []int{100, 204, 308, 404, 503, 999} {
		allocs.AtMost(t, 0, fmt.Sprintf("Classify(%d)", status), func() { class = escape.Classify(status) })
	}
	if total.N == 0 || len(buf) == 0 || found == 0 || sum != slowSumPoints(points) || class == "" {
		t.Fatal("the helpers were measured and did nothing; see the other tests")
	}
}

// class outlives the calls, as the label of a counter does. The compiler may
// keep a string that does not on the stack of the test.
var class string

// input is what one goroutine of TestAll_Parallel works on.
type input struct {
	samples []int64
	points  []escape.Point
	labels  []string
	want    string
	shard   uint16
	seq     uint64
	status  int
}

type output struct {
	windows []escape.Stats
	id      []byte
	has     bool
	sum     escape.Point
	class   string
}

func newInput(seed uint64) input {
	rng := rand.New(rand.NewPCG(2, seed))
	label := strings.Repeat(string(rune('a'+seed)), 20)
	in := input{
		samples: randomSamples(rng, 8),
		points:  randomPoints(rng, 8),
		labels:  []string{"x" + label, label},
		want:    strings.ToUpper(label),
		shard:   uint16(0x1111 * seed),
		seq:     1111111111111111111 * (seed + 1),
		status:  100 * (int(seed) + 1),
	}
	if seed%2 == 1 {
		in.want += "!"
	}
	return in
}

func (in *input) slow() output {
	return output{
		windows: windows(slowWindow, in.samples, 3),
		id:      slowAppendTaskID(nil, in.shard, in.seq),
		has:     slowHasLabel(in.labels, in.want),
		sum:     slowSumPoints(in.points),
		class:   slowClassify(in.status),
	}
}

func (in *input) fast(out *output) {
	out.windows = out.windows[:0]
	escape.Window(in.samples, 3, func(s escape.Stats) bool {
		out.windows = append(out.windows, s)
		return true
	})
	out.id = escape.AppendTaskID(out.id[:0], in.shard, in.seq)
	out.has = escape.HasLabel(in.labels, in.want)
	out.sum = escape.SumPoints(in.points)
	out.class = escape.Classify(in.status)
}

// differs returns a report without its why, or nil.
func (out *output) differs(in *input, want output) *rule.Case {
	switch {
	case !slices.Equal(out.windows, want.windows):
		return &rule.Case{Do: fmt.Sprintf("Window(%#v, 3, visit)", in.samples), Got: out.windows, Want: want.windows}
	case !bytes.Equal(out.id, want.id):
		return &rule.Case{Do: fmt.Sprintf("AppendTaskID(nil, %#x, %d)", in.shard, in.seq), Got: out.id, Want: want.id}
	case out.has != want.has:
		return &rule.Case{Do: fmt.Sprintf("HasLabel(%#v, %q)", in.labels, in.want), Got: out.has, Want: want.has}
	case out.sum != want.sum:
		return &rule.Case{Do: "SumPoints(" + show(in.points) + ")", Got: out.sum, Want: want.sum}
	case out.class != want.class:
		return &rule.Case{Do: fmt.Sprintf("Classify(%d)", in.status), Got: out.class, Want: want.class}
	}
	return nil
}

func windows(window func([]int64, int, func(escape.Stats) bool), samples []int64, size int) []escape.Stats {
	var all []escape.Stats
	window(samples, size, func(s escape.Stats) bool {
		all = append(all, s)
		return true
	})
	return all
}

func requireWindows(t *testing.T, samples []int64, size int, want []escape.Stats) {
	t.Helper()
	if got := windows(escape.Window, samples, size); !slices.Equal(got, want) {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("Window(%#v, %d, func(s Stats) bool {\n\tfmt.Printf(\"%%+v\\n\", s)\n\treturn true\n})", samples, size),
			Got:  got,
			Want: want,
			Why:  "A faster dashboard that shows other numbers is a broken dashboard.",
		})
	}
}

func requireTaskID(t *testing.T, shard uint16, seq uint64, want string) {
	t.Helper()
	if got := escape.AppendTaskID(nil, shard, seq); string(got) != want {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("AppendTaskID(nil, %#x, %d)", shard, seq),
			Got:  got,
			Want: want,
			Why:  "Ids are compared as text with ids that were written years ago.",
		})
	}
}

func requireHasLabel(t *testing.T, labels []string, want string) {
	t.Helper()
	if got, base := escape.HasLabel(labels, want), slowHasLabel(labels, want); got != base {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("HasLabel(%s, %+q)", literal(labels), want),
			Got:  got,
			Want: base,
			Why:  "People type labels on keyboards of all countries. Case folding is more than lower case: k, K and the Kelvin sign are one letter, and so are σ and ς. A label that is not found is a task that nobody sees.",
		})
	}
}

func requireSum(t *testing.T, points []escape.Point, want escape.Point) {
	t.Helper()
	if got := escape.SumPoints(points); got != want {
		rule.Broken(t, rule.Case{
			Do:   "SumPoints(" + show(points) + ")",
			Got:  got,
			Want: want,
			Why:  "A detour through floats or saturation gives other sums than the ones that are stored.",
		})
	}
}

func requireClass(t *testing.T, status int, want string) {
	t.Helper()
	if got := escape.Classify(status); got != want {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("Classify(%d)", status),
			Got:  got,
			Want: want,
			Why:  "The class is the label of a counter: a new label is a new time series, and an alert on the old one stays silent.",
		})
	}
}

func randomSamples(rng *rand.Rand, n int) []int64 {
	samples := make([]int64, n)
	for i := range samples {
		samples[i] = randomInt64(rng)
	}
	return samples
}

func randomPoints(rng *rand.Rand, n int) []escape.Point {
	points := make([]escape.Point, n)
	for i := range points {
		points[i] = escape.Point{X: randomInt64(rng), Y: randomInt64(rng)}
	}
	return points
}

// randomInt64 returns numbers of all lengths and both signs.
func randomInt64(rng *rand.Rand) int64 { return int64(rng.Uint64()) >> rng.IntN(64) }

// literal shows labels in Go syntax and ASCII: half of them look alike.
func literal(labels []string) string {
	quoted := make([]string, len(labels))
	for i, label := range labels {
		quoted[i] = fmt.Sprintf("%+q", label)
	}
	return "[]string{" + strings.Join(quoted, ", ") + "}"
}

func show(points []escape.Point) string {
	return strings.ReplaceAll(fmt.Sprintf("%#v", points), "escape.", "")
}
