package internpool_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"unique"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/allocs"
	"github.com/middle-go/course/grader/labkit/gctest"
	"github.com/middle-go/course/grader/labkit/heaptest"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week02/internpool"
)

func TestLoad_Golden(t *testing.T) {
	for _, tc := range []struct {
		name, input string
		want        []slowRow
	}{
		{"nothing", "", nil},
		{"one row", "200\t1843\t/v1/tasks\ttt-cli/1.4.0\t-\n", []slowRow{{"/v1/tasks", "tt-cli/1.4.0", 200, 1843}}},
		{"line ends", "200\t1\t/a\tx\t-\r\n201\t2\t/b\ty\t-\n202\t3\t/c\tz\t-", []slowRow{{"/a", "x", 200, 1}, {"/b", "y", 201, 2}, {"/c", "z", 202, 3}}},
		{"empty fields", "408\t0\t\t\t\n", []slowRow{{"", "", 408, 0}}},
		{"same text twice", "200\t1\t/a\t/a\t/a\n200\t1\t/a\t/a\t/a\n", []slowRow{{"/a", "/a", 200, 1}, {"/a", "/a", 200, 1}}},
		{"spaces, quotes, bytes that are not UTF-8", "200\t1\t/a b\t\"x\" \xff\x00\t-\n", []slowRow{{"/a b", "\"x\" \xff\x00", 200, 1}}},
		{"limits of the numbers", "65535\t4294967295\t/\tx\t-\n000\t0\t/\tx\t-\n", []slowRow{{"/", "x", 65535, 4294967295}, {"/", "x", 0, 0}}},
		{"capital letters", "200\t1\t/A\tX\t-\n200\t1\t/a\tx\t-\n", []slowRow{{"/A", "X", 200, 1}, {"/a", "x", 200, 1}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			requireRows(t, iotest.OneByteReader(strings.NewReader(tc.input)), tc.want, fmt.Sprintf("Load(strings.NewReader(%q))", tc.input))
		})
	}
	t.Run("a line of 900 KiB", func(t *testing.T) {
		agent := strings.Repeat("x", 900<<10)
		requireRows(t, strings.NewReader("200\t1\t/\t"+agent+"\t-\n"), []slowRow{{"/", agent, 200, 1}}, "Load(day)")
	})
	t.Run("5000 rows", func(t *testing.T) {
		text := day(5000, 40)
		want, err := slowLoad(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		requireRows(t, bytes.NewReader(text), want, "Load(day) // 5000 rows")
	})
}

func TestLoad_Errors(t *testing.T) {
	const row = "200\t1843\t/v1/tasks\ttt-cli/1.4.0\t-\n"
	broken := errors.New("disk on fire")
	for _, tc := range []struct {
		name  string
		input io.Reader
		line  int
		cause error // nil: any
	}{
		{"empty line", strings.NewReader(row + "\n" + row), 2, nil},
		{"four fields", strings.NewReader(row + row + "200\t1\t/\tx\n"), 3, nil},
		{"six fields", strings.NewReader("200\t1\t/\tx\t-\t-\n"), 1, nil},
		{"status is no number", strings.NewReader(row + "OK\t1\t/\tx\t-\n"), 2, nil},
		{"status has a sign", strings.NewReader(row + "+200\t1\t/\tx\t-\n"), 2, nil},
		{"status too large", strings.NewReader("65536\t1\t/\tx\t-\n"), 1, nil},
		{"bytes too many", strings.NewReader("200\t4294967296\t/\tx\t-\n"), 1, nil},
		{"bytes missing", strings.NewReader("200\t\t/\tx\t-\n"), 1, nil},
		{"line too long", strings.NewReader(row + strings.Repeat("x", 2<<20)), 2, bufio.ErrTooLong},
		{"reader fails", io.MultiReader(strings.NewReader(row+row), iotest.ErrReader(broken)), 3, broken},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rows, err := internpool.Load(tc.input)
			line := fmt.Sprintf("line %d", tc.line)
			if err == nil || rows != nil || !strings.Contains(err.Error(), line) || tc.cause != nil && !errors.Is(err, tc.cause) {
				want := "no rows, an error with " + line
				if tc.cause != nil {
					want += fmt.Sprintf(" that wraps %q", tc.cause)
				}
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("rows, err := Load(r) // %s in line %d", tc.name, tc.line),
					Got:  rule.Textf("%d rows, error %v", len(rows), err),
					Want: rule.Text(want),
					Why:  "Half a day that looks like a day is a report that nobody doubts.",
				})
			}
		})
	}
}

func TestLoad_DoesNotPinReadBuffer(t *testing.T) {
	const n = 4000
	text := day(n, 2048) // 8 MiB of referers
	rows, held := heaptest.Held(func() []internpool.Row { return load(t, bytes.NewReader(text)) })
	if len(rows) != n || held > 2<<20 {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("rows, err := Load(day) // %d rows, each with a referer of 2 KiB\nheaptest.Live()", n),
			Got:  rule.Textf("%d rows hold %d KiB", len(rows), held>>10),
			Want: rule.Text("less than 2048 KiB: the referers are gone"),
			Why:  "A substring keeps all of the string that it was cut from. The column that nobody wanted stays in memory.",
		})
	}
	runtime.KeepAlive(rows)
	runtime.KeepAlive(text)
}

func TestLoad_HandlesEqualAcrossLoads(t *testing.T) {
	const first = "200\t1\t/v1/tasks\ttt-cli/1.4.0\t-\n"
	const second = "404\t2\t/v1/tasks\tcurl/8.14.1\tx\n500\t3\t/v1/tags\ttt-cli/1.4.0\ty\n"
	a, b := load(t, strings.NewReader(first)), load(t, strings.NewReader(second))
	path, agent := handle(t, "Path", a[0].Path), handle(t, "UserAgent", a[0].UserAgent)

	got := []bool{
		path == handle(t, "Path", b[0].Path), agent == handle(t, "UserAgent", b[1].UserAgent),
		path == handle(t, "Path", b[1].Path), agent == handle(t, "UserAgent", b[0].UserAgent),
		path == unique.Make("/v1/tasks"),
	}
	want := []bool{true, true, false, false, true}
	if diff := cmp.Diff(want, got); diff != "" {
		rule.Broken(t, rule.Case{
			Do: fmt.Sprintf(`a, _ := Load(strings.NewReader(%q))
b, _ := Load(strings.NewReader(%q))
fmt.Println(a[0].Path == b[0].Path, a[0].UserAgent == b[1].UserAgent)
fmt.Println(a[0].Path == b[1].Path, a[0].UserAgent == b[0].UserAgent)
fmt.Println(a[0].Path == unique.Make("/v1/tasks"))`, first, second),
			Got:  rule.Text(fmt.Sprint(got)),
			Want: rule.Text(fmt.Sprint(want)),
			Why:  "Two days are compared path by path. With handles that is one comparison of a pointer, if equal paths have equal handles.",
		})
	}
}

func TestLoad_LiveHeap(t *testing.T) {
	allocs.Skip(t)
	const n = 200_000
	text := day(n, 40)
	slow, before := heaptest.Held(func() []slowRow {
		rows, err := slowLoad(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return rows
	})
	runtime.KeepAlive(slow)
	slow = nil

	rows, now := heaptest.Held(func() []internpool.Row { return load(t, bytes.NewReader(text)) })
	t.Logf("%d KiB before, %d KiB now", before>>10, now>>10)
	if len(rows) != n || now > before/5 {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("rows, err := Load(day) // %d rows, 2000 paths, 300 user agents\nheaptest.Live()", n),
			Got:  rule.Textf("%d rows hold %d KiB: %d bytes a row, %d %% of the given code", len(rows), now>>10, now/n, now*100/before),
			Want: rule.Textf("at most 20 %% of the given code, %d KiB", before/5>>10),
			Why:  "The report service keeps a week of days in memory. What is equal should be there once.",
		})
	}
	runtime.KeepAlive(rows)
	runtime.KeepAlive(text)
}

func TestLoad_MemoryReturnsAfterDrop(t *testing.T) {
	const n, limit = 4000, 1 << 20
	r := rand.New(rand.NewPCG(3, 3))
	var text bytes.Buffer // 4 MiB of paths and 4 MiB of user agents, all different
	for range n {
		fmt.Fprintf(&text, "200\t1\t%s\t%s\t-\n", noise(r, 1024), noise(r, 1024))
	}
	before := heaptest.Live()
	rows := load(t, bytes.NewReader(text.Bytes()))
	if held := heaptest.Live() - before; len(rows) != n || held < 4<<20 {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("rows, err := Load(day) // %d rows, 8 MiB of different texts", n),
			Got:  rule.Textf("%d rows hold %d KiB", len(rows), held>>10),
			Want: rule.Text("the rows and their texts"),
		})
	}
	runtime.KeepAlive(rows)
	rows = nil

	do := "rows, err := Load(day) // 8 MiB of different texts\nrows = nil\nheaptest.Live()"
	left, rounds := int64(0), 0
	gctest.Eventually(t, do, "less", func() bool {
		left, rounds = heaptest.Live()-before, rounds+1
		return left < limit || rounds == 10 // unique lets go in the background
	})
	if left >= limit {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("%d KiB are left", left>>10),
			Want: rule.Textf("less than %d KiB: dropped rows take their texts along", limit>>10),
			Why:  "Clients invent user agents and paths every day. A pool that never lets go grows until the process is killed.",
		})
	}
	runtime.KeepAlive(&text)
}

func TestLoad_AllocsPerRow(t *testing.T) {
	const n = 2000
	text := day(n, 40)
	rows := load(t, bytes.NewReader(text)) // its texts stay interned
	allocs.AtMost(t, n*11/10, fmt.Sprintf("Load(day) // %d rows, all of its texts seen before", n), func() { _, _ = internpool.Load(bytes.NewReader(text)) })
	runtime.KeepAlive(rows)
}

func TestLoad_Concurrent(t *testing.T) {
	text := day(300, 40)
	want, err := slowLoad(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	got := make([][]internpool.Row, 4)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i], _ = internpool.Load(bytes.NewReader(text)) })
	}
	wg.Wait()
	for _, rows := range got {
		requireSame(t, rows, want, "go Load(monday)\ngo Load(tuesday)")
	}
}

func requireRows(t *testing.T, r io.Reader, want []slowRow, do string) {
	t.Helper()
	rows, err := internpool.Load(r)
	if err != nil {
		rule.Broken(t, rule.Case{Do: do, Got: err, Want: rule.Text("no error")})
	}
	requireSame(t, rows, want, do)
}

func requireSame(t *testing.T, rows []internpool.Row, want []slowRow, do string) {
	t.Helper()
	var got []slowRow
	for _, row := range rows {
		got = append(got, slowRow{text(row.Path), text(row.UserAgent), row.Status, row.Bytes})
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			rule.Broken(t, rule.Case{
				Do:   do + fmt.Sprintf(" // row %d of %d", i+1, len(want)),
				Got:  showRow(got, i),
				Want: showRow(want, i),
				Why:  "Small rows are worth nothing if they are other rows.",
			})
		}
	}
}

func showRow(rows []slowRow, i int) rule.Text {
	if i >= len(rows) {
		return "no such row"
	}
	r := rows[i]
	return rule.Textf("path %.200q, user agent %.200q, status %d, %d bytes", r.Path, r.UserAgent, r.Status, r.Bytes)
}

func load(t *testing.T, r io.Reader) []internpool.Row {
	t.Helper()
	rows, err := internpool.Load(r)
	if err != nil {
		rule.Broken(t, rule.Case{Do: "rows, err := Load(day)", Got: err, Want: rule.Text("no error")})
	}
	return rows
}

// text returns the text of a field, whichever type the field has by now.
func text(field any) string {
	switch f := field.(type) {
	case string:
		return f
	case unique.Handle[string]:
		if f == (unique.Handle[string]{}) {
			return "the zero Handle, whose Value panics"
		}
		return f.Value()
	default:
		return fmt.Sprintf("a %T", field)
	}
}

func handle(t *testing.T, name string, field any) unique.Handle[string] {
	t.Helper()
	h, ok := field.(unique.Handle[string])
	if !ok {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("fmt.Printf(%q, row.%s)", "%T", name),
			Got:  rule.Textf("%T", field),
			Want: rule.Text("unique.Handle[string]"),
			Why:  "A string is two words and is compared byte by byte. A handle is one word and compares by that.",
		})
	}
	return h
}

// day returns n lines with 2000 paths, 300 user agents, and referers of the
// given length that are all different.
func day(n, referer int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	paths := rand.NewZipf(r, 1.1, 4, 1999)
	var b bytes.Buffer
	b.Grow(n * (200 + referer))
	for range n {
		agent := r.IntN(300)
		fmt.Fprintf(&b, "%d\t%d\t/v1/projects/prj_%06d/tasks?limit=50\tMozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.%d.0 Safari/537.36\t",
			200+r.IntN(5), r.IntN(1<<20), paths.Uint64(), 100+agent%50, 6000+agent)
		b.Write(noise(r, referer))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// noise returns n letters.
func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(r.Uint32()%26)
	}
	return b
}
