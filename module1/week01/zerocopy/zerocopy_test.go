package zerocopy_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/middle-go/course/grader/labkit/allocs"
	"github.com/middle-go/course/grader/labkit/heaptest"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week01/zerocopy"
)

func TestScanner_BareKeyAndEmptyValue(t *testing.T) {
	for _, tc := range []struct{ input, want string }{
		{"canary", `1 canary`},
		{"canary=", `1 canary=""`},
		{`canary=""`, `1 canary=""`},
		{"a b=1 c", `1 a b="1" c`},
		{"a= b=", `1 a="" b=""`},
		{"a=\tb", `1 a="" b`},
		{" \t a=1 \t b=2 \t ", `1 a="1" b="2"`},
		{"a = b", `1 a ""="" b`},
		{"=1", `1 ""="1"`},
		{"==", `1 ""="="`},
		{`"a"=1`, `1 "\"a\""="1"`},
		{`"a b"`, `1 "\"a" "b\""`},
		{"a=1 a=2", `1 a="1" a="2"`},
	} {
		requireScan(t, tc.input, math.MaxInt, result{rows: []string{tc.want}, last: 1},
			"canary is a flag, canary= is a field that the router left empty. Alerts count them apart.")
	}
}

func TestScanner_EscapedValueDoesNotCorruptNeighbours(t *testing.T) {
	const input = `msg="say \"hi\"" path="C:\\tmp\\a" status=200 agent="a\tb" dyno=web.1` + "\n" + `q="\"" at=info` + "\n"
	want := []string{
		`1 msg="say \"hi\"" path="C:\\tmp\\a" status="200" agent="a\tb" dyno="web.1"`,
		`2 q="\"" at="info"`,
	}
	s := zerocopy.NewScanner(strings.NewReader(input), 80)
	for i := range want {
		ok := s.Next()
		for call := range 2 {
			if got := row(s); !ok || got != want[i] {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("s := NewScanner(strings.NewReader(%q), 80)\n// line %d, call %d of s.Pairs()", input, i+1, call+1),
					Got:  rule.Text(got),
					Want: rule.Text(want[i]),
					Why:  "An unescaped value is shorter than its text. Whoever closes the gap in the line, or unescapes two values into one buffer, changes the other fields.",
				})
			}
		}
	}
}

func TestScanner_QuotedAndEscaped(t *testing.T) {
	for _, tc := range []struct{ input, want string }{
		{`path="/a b" status=200`, `1 path="/a b" status="200"`},
		{`path="/a=b"`, `1 path="/a=b"`},
		{`fwd=""`, `1 fwd=""`},
		{`q="a\"b"`, `1 q="a\"b"`},
		{`q="a\\b"`, `1 q="a\\b"`},
		{`q="a\\"b=1`, `1 q="a\\" b="1"`},
		{`q="a\nb\tc\rd"`, `1 q="a\nb\tc\rd"`},
		{`q="\\n"`, `1 q="\\n"`},
		{`q="\d+\x"`, `1 q="\\d+\\x"`},
		{`q="ünï"`, `1 q="ünï"`},
		{`q=a\nb`, `1 q="a\\nb"`},
		{`q=a"b`, `1 q="a\"b"`},
		{`q=a=b=c`, `1 q="a=b=c"`},
		{`q="a"b="c"`, `1 q="a" b="c"`},
		{`q="a""b"`, `1 q="a" "\"b\""`},
		{`q="cut off`, `1 q="cut off"`},
		{`q="`, `1 q=""`},
		{`q="cut off\`, `1 q="cut off\\"`},
		{`q="cut off\"`, `1 q="cut off\""`},
		{"q=\"a\x00\xff\"", `1 q="a\x00\xff"`},
	} {
		requireScan(t, tc.input, math.MaxInt, result{rows: []string{tc.want}, last: 1},
			"Customers put quotes, backslashes and line breaks into URLs, and routers cut lines off. All of it reaches this scanner.")
	}
}

func TestScanner_RouterLog(t *testing.T) {
	log, golden := file(t, "router.log"), file(t, "router.golden")

	got := scan(t, bytes.NewReader(log), 1<<10)

	requireSame(t, got, result{rows: strings.Split(strings.TrimSpace(string(golden)), "\n"), last: 15},
		`log, _ := os.Open("testdata/router.log")
s := NewScanner(log, 1<<10) // expected: testdata/router.golden`,
		"A field that is lost here is missing on the dashboard of the on-call engineer.")
}

func TestScanner_CRLFAndMissingFinalNewline(t *testing.T) {
	for _, tc := range []struct {
		input string
		want  result
	}{
		{"", result{}},
		{"\n", result{last: 1}},
		{"\n\r\n \t\n", result{last: 3}},
		{"a=1", result{rows: []string{`1 a="1"`}, last: 1}},
		{"a=1\n", result{rows: []string{`1 a="1"`}, last: 1}},
		{"a=1\r\nb=2\r\n", result{rows: []string{`1 a="1"`, `2 b="2"`}, last: 2}},
		{"a=1\r\nb=2\r", result{rows: []string{`1 a="1"`, `2 b="2"`}, last: 2}},
		{"a=1\r\r\n", result{rows: []string{`1 a="1\r"`}, last: 1}},
		{"a=1\rb=2\n", result{rows: []string{`1 a="1\rb=2"`}, last: 1}},
		{"a=\"1\r\nb=2", result{rows: []string{`1 a="1"`, `2 b="2"`}, last: 2}},
		{"\na=1\n\n  \nb=2\n\n", result{rows: []string{`2 a="1"`, `5 b="2"`}, last: 6}},
	} {
		requireScan(t, tc.input, math.MaxInt, tc.want,
			"An operator opens the log at the line that the agent names. It must be the line that the editor shows.")
	}
}

func TestScanner_OneByteReads(t *testing.T) {
	log := file(t, "router.log")
	requireSame(t, scan(t, iotest.OneByteReader(bytes.NewReader(log)), 1<<10), model(log, 1<<10),
		`log, _ := os.Open("testdata/router.log")
s := NewScanner(iotest.OneByteReader(log), 1<<10)`,
		"A socket delivers a line in as many pieces as it likes.")
}

func TestScanner_DataWithEOF(t *testing.T) {
	const input = "a=1\nb=2\nc=3"
	requireSame(t, scan(t, iotest.DataErrReader(strings.NewReader(input)), 80), model([]byte(input), 80),
		fmt.Sprintf("s := NewScanner(iotest.DataErrReader(strings.NewReader(%q)), 80)", input),
		"Read may return bytes and io.EOF together. Whoever looks at the error first loses the end of the file.")
}

func TestScanner_ReaderErrorAfterData(t *testing.T) {
	disk := errors.New("disk on fire")
	for _, tc := range []struct {
		input string
		want  result
	}{
		{"", result{last: 1, err: disk}},
		{"a=1\n", result{rows: []string{`1 a="1"`}, last: 2, err: disk}},
		{"a=1\nb=2\namount=12", result{rows: []string{`1 a="1"`, `2 b="2"`}, last: 3, err: disk}},
		{"a=1\n\n\nb", result{rows: []string{`1 a="1"`}, last: 4, err: disk}},
	} {
		for _, together := range []bool{false, true} {
			r := &scripted{chunks: []string{tc.input}, err: disk, together: together}
			what := fmt.Sprintf("s := NewScanner(r, 80) // r gives %q, and then an error", tc.input)
			if together {
				what = fmt.Sprintf("s := NewScanner(r, 80) // r gives %q and an error in one Read", tc.input)
			}
			requireSame(t, scan(t, r, 80), tc.want, what,
				"Lines that arrived whole are good. A line that an error cut off is not: amount=12 may have been amount=1200.")
			if r.late > 0 {
				rule.Broken(t, rule.Case{
					Do:   what + "\nfor s.Next() {\n}\ns.Next()",
					Got:  rule.Textf("%d reads after the error", r.late),
					Want: rule.Text("none"),
					Why:  "Reading on behind an error glues two halves of different lines together.",
				})
			}
		}
	}
}

func TestScanner_YieldsBufferedLinesBeforeReading(t *testing.T) {
	r := &scripted{chunks: []string{"a=1\nb=2\n", "c=3\n"}, err: io.EOF}
	s := zerocopy.NewScanner(r, 80)
	for i, want := range []int{1, 1, 2} {
		if ok := s.Next(); !ok || r.reads != want {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("s := NewScanner(r, 80) // the first Read gives \"a=1\\nb=2\\n\", the second \"c=3\\n\"\n// call %d of s.Next()", i+1),
				Got:  rule.Textf("%v after %d reads", ok, r.reads),
				Want: rule.Textf("true after %d", want),
				Why:  "The agent follows a pipe. If it waits for more than it needs, the last lines before a crash stay invisible.",
			})
		}
	}
}

func TestScanner_ReaderMakesNoProgress(t *testing.T) {
	r := &scripted{chunks: []string{"a=1\n"}, before: 50, after: 200, err: errors.New("read more than 200 times")}
	requireSame(t, scan(t, r, 80), result{rows: []string{`1 a="1"`}, last: 2, err: io.ErrNoProgress},
		`s := NewScanner(r, 80) // r gives 0 bytes 50 times, then "a=1\n", then 0 bytes for ever`,
		"A broken reader must not keep a core busy until somebody notices.")
}

func TestScanner_LimitIsInclusive(t *testing.T) {
	tooLong := zerocopy.ErrLineTooLong
	for _, tc := range []struct {
		input string
		limit int
		want  result
	}{
		{"key=long\n", 8, result{rows: []string{`1 key="long"`}, last: 1}},
		{"key=long\r\n", 8, result{rows: []string{`1 key="long"`}, last: 1}},
		{"key=long", 8, result{rows: []string{`1 key="long"`}, last: 1}},
		{"a=1\n\nkey=long\nb=2\n", 7, result{rows: []string{`1 a="1"`}, last: 3, err: tooLong}},
		{"a=1\nkey=long\r\n", 7, result{rows: []string{`1 a="1"`}, last: 2, err: tooLong}},
		{"a=1\nkey=long", 7, result{rows: []string{`1 a="1"`}, last: 2, err: tooLong}},
		{"key=lon\r\r\n", 7, result{last: 1, err: tooLong}},
		{"        \n", 7, result{last: 1, err: tooLong}},
		{"\n\r\na\n", 0, result{last: 3, err: tooLong}},
		{"\na\n", -1, result{last: 2, err: tooLong}},
		{"key=long\n", math.MaxInt, result{rows: []string{`1 key="long"`}, last: 1}},
	} {
		requireScan(t, tc.input, tc.limit, tc.want,
			"The limit is what the agent promised to hold in memory, and the line number is what the operator looks for.")
	}
}

func TestScanner_EndlessLine(t *testing.T) {
	const before, limit, give = "a=1\n", 1000, 8 << 20
	counted := &counter{r: io.MultiReader(strings.NewReader(before), io.LimitReader(letters{}, give))}

	got := scan(t, counted, limit)

	do := "s := NewScanner(r, 1000) // r gives \"a=1\\n\", then 8 MiB without a line end"
	requireSame(t, got, result{rows: []string{`1 a="1"`}, last: 2, err: zerocopy.ErrLineTooLong}, do,
		"One client that sends no line end must not stop the others.")
	if most := int64(len(before) + 2*limit + 64<<10); counted.n > most {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("%d bytes read", counted.n),
			Want: rule.Textf("at most %d: the first line, twice the limit and 64 KiB", most),
			Why:  "A limit that is checked when the line is complete does not limit anything.",
		})
	}
}

func TestScanner_LongerThan64K(t *testing.T) {
	for _, n := range []int{64<<10 - 1, 64 << 10, 1 << 20} {
		long := strings.Repeat("x", n)
		got := scan(t, strings.NewReader("a=1\nquery="+long+"\nb=2\n"), 2<<20)
		want := result{rows: []string{`1 a="1"`, `2 query="` + long + `"`, `3 b="2"`}, last: 3}
		if !got.equal(want) {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("s := NewScanner(strings.NewReader(\"a=1\\nquery=\"+strings.Repeat(\"x\", %d)+\"\\nb=2\\n\"), 2<<20)", n),
				Got:  rule.Textf("%d lines, error: %v", len(got.rows), got.err),
				Want: rule.Text("3 lines and no error"),
				Why:  "The limit is 2 MiB. A smaller one inside the scanner stops the agent at the first long URL.",
			})
		}
	}
}

func TestRetain_SurvivesReuse(t *testing.T) {
	const lines = 10_000 // far more than any buffer holds
	var input strings.Builder
	for i := range lines {
		fmt.Fprintf(&input, "request=%06d path=\"/tasks/\\\"%06d\\\"\" bare%06d\n", i, i, i)
	}
	s := zerocopy.NewScanner(strings.NewReader(input.String()), 80)
	var retained [][2]string
	for s.Next() {
		for _, p := range s.Pairs() {
			key, value := p.Retain()
			retained = append(retained, [2]string{key, value})
		}
	}

	for i := range lines {
		want := [][2]string{
			{"request", fmt.Sprintf("%06d", i)},
			{"path", fmt.Sprintf(`/tasks/"%06d"`, i)},
			{fmt.Sprintf("bare%06d", i), ""},
		}
		got := retained[min(3*i, len(retained)):min(3*i+3, len(retained))]
		if !slices.Equal(got, want) {
			rule.Broken(t, rule.Case{
				Do: fmt.Sprintf(`s.Next() // line %d of 10000
for _, p := range s.Pairs() {
	key, value := p.Retain()
	retained = append(retained, [2]string{key, value})
}
for s.Next() { // the rest of the log
}
fmt.Printf("%%q", retained)`, i+1),
				Got:  rule.Textf("%q", got),
				Want: rule.Textf("%q", want),
				Why:  "What is retained outlives the buffer. A string that shares it changes when the next lines arrive.",
			})
		}
	}
}

func TestScanner_PairsOutsideALine(t *testing.T) {
	s := zerocopy.NewScanner(strings.NewReader("a=1\n"), 80)
	before, beforeLine := len(s.Pairs()), s.Line()
	ok := s.Next()
	during := len(s.Pairs())
	for s.Next() {
	}
	after := len(s.Pairs())
	if before != 0 || beforeLine != 0 || !ok || during != 1 || after != 0 {
		rule.Broken(t, rule.Case{
			Do:   `s := NewScanner(strings.NewReader("a=1\n"), 80)`,
			Got:  rule.Textf("%d pairs on line %d before Next, %v with %d pairs, %d pairs at the end", before, beforeLine, ok, during, after),
			Want: rule.Text("0 pairs on line 0 before Next, true with 1 pairs, 0 pairs at the end"),
			Why:  "Views of a line that is gone show bytes of another line.",
		})
	}
}

func TestScanner_MemoryStaysWithTheLongestLine(t *testing.T) {
	const give = 4 << 20
	log := io.LimitReader(&loop{data: file(t, "router.log")}, give)

	s, held := heaptest.Held(func() *zerocopy.Scanner {
		s := zerocopy.NewScanner(log, 1<<10)
		for s.Next() {
		}
		return s
	})

	if most := int64(1 << 20); s.Line() < 10_000 || held > most {
		rule.Broken(t, rule.Case{
			Do:   "s := NewScanner(r, 1<<10) // testdata/router.log again and again, 4 MiB in all\nfor s.Next() {\n}",
			Got:  rule.Textf("%d lines, and the scanner holds %d KiB", s.Line(), held>>10),
			Want: rule.Textf("more than 10000 lines, and at most %d KiB", most>>10),
			Why:  "The agent runs for weeks. A buffer that only ever gets longer ends in the OOM killer.",
		})
	}
	runtime.KeepAlive(s)
}

func TestScanner_SteadyStateAllocs(t *testing.T) {
	s := zerocopy.NewScanner(&loop{data: file(t, "router.log")}, 1<<10)
	if !s.Next() {
		rule.Broken(t, rule.Case{
			Do:   `s := NewScanner(r, 1<<10) // testdata/router.log again and again` + "\ns.Next()",
			Got:  rule.Textf("false, error: %v", s.Err()),
			Want: true,
		})
	}
	allocs.Skip(t)
	for range 20_000 {
		s.Next()
	}
	allocs.AtMost(t, 0, "100 times s.Next() and s.Pairs() // testdata/router.log again and again, after 20000 lines", func() {
		for range 100 {
			s.Next()
			s.Pairs()
		}
	})
}

func TestScanner_AgreesWithModel(t *testing.T) {
	const alphabet = "aab=== \t\"\"\\\\\\nr\n\n\r\xff"
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		input := make([]byte, rng.IntN(48))
		for i := range input {
			input[i] = alphabet[rng.IntN(len(alphabet))]
		}
		requireModel(t, input, rng.IntN(64), rng.IntN(8))
	}
}

func FuzzScanner(f *testing.F) {
	f.Add([]byte("at=info method=GET path=\"/a b\" status=200\n"), uint16(80), uint8(0))
	f.Add([]byte("a=1\r\n\r\nb=2\r"), uint16(3), uint8(3))
	f.Add([]byte(`q="a\"b" c="\\" d="\`), uint16(80), uint8(1))
	f.Add([]byte("bare =x \"k\"= k=\"v\"tail\n"), uint16(80), uint8(6))
	f.Add([]byte("12345678\n123456789\n"), uint16(8), uint8(2))
	f.Add([]byte("=\n==\n\"\n\\\n"), uint16(2), uint8(4))
	f.Fuzz(func(t *testing.T, input []byte, limit uint16, piece uint8) {
		requireModel(t, input, int(limit), int(piece))
	})
}

// requireModel compares a scanner with the model. The reader gives the input in
// pieces of piece/2+1 bytes; if piece is odd, the last one comes with io.EOF.
func requireModel(t *testing.T, input []byte, limit, piece int) {
	t.Helper()
	size := piece/2 + 1
	r := &scripted{err: io.EOF, together: piece%2 == 1}
	for chunk := range slices.Chunk(input, size) {
		r.chunks = append(r.chunks, string(chunk))
	}
	requireSame(t, scan(t, r, limit), model(input, limit),
		fmt.Sprintf("s := NewScanner(strings.NewReader(%q), %d) // the test reads it in pieces of %d bytes", input, limit, size),
		"What a line means may not depend on where a read ended.")
}

// model scans input in the slow and obvious way.
func model(input []byte, limit int) result {
	var res result
	text := strings.TrimSuffix(string(input), "\n")
	if len(input) == 0 {
		return res
	}
	for i, line := range strings.Split(text, "\n") {
		res.last = i + 1
		line = strings.TrimSuffix(line, "\r")
		if len(line) > limit {
			res.err = zerocopy.ErrLineTooLong
			return res
		}
		if fields := modelFields(line); fields != "" {
			res.rows = append(res.rows, strconv.Itoa(i+1)+fields)
		}
	}
	return res
}

var (
	quoted    = regexp.MustCompile(`(?s)^"((?:[^"\\]|\\.)*\\?)"?`)
	unescaper = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n", `\r`, "\r", `\t`, "\t")
)

func modelFields(line string) string {
	var fields strings.Builder
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return fields.String()
		}
		key := line[:strings.IndexAny(line+" ", " \t=")]
		line = line[len(key):]
		if !strings.HasPrefix(line, "=") {
			fields.WriteString(field(key, "", true))
			continue
		}
		line = line[1:]
		if m := quoted.FindStringSubmatch(line); m != nil {
			line = line[len(m[0]):]
			fields.WriteString(field(key, unescaper.Replace(m[1]), false))
			continue
		}
		value := line[:strings.IndexAny(line+" ", " \t")]
		line = line[len(value):]
		fields.WriteString(field(key, value, false))
	}
}

// field shows one field: its key, quoted if it is not plain, and unless it is
// bare its value in quotes.
func field(key, value string, bare bool) string {
	if q := strconv.Quote(key); key == "" || q != `"`+key+`"` {
		key = q
	}
	if bare {
		return " " + key
	}
	return " " + key + "=" + strconv.Quote(value)
}

// row shows the current line of s: its number and its fields.
func row(s *zerocopy.Scanner) string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(s.Line()))
	for _, p := range s.Pairs() {
		b.WriteString(field(string(p.Key), string(p.Value), p.Value == nil))
	}
	return b.String()
}

// result is what a whole scan gave.
type result struct {
	rows []string // one for each line with pairs, see row
	last int      // Line at the end
	err  error
}

func (r result) equal(want result) bool {
	return slices.Equal(r.rows, want.rows) && r.last == want.last && errors.Is(r.err, want.err)
}

func scan(t *testing.T, r io.Reader, limit int) result {
	t.Helper()
	const most = 100_000
	var res result
	s := zerocopy.NewScanner(r, limit)
	for s.Next() {
		res.rows = append(res.rows, row(s))
		if len(res.rows) == most {
			t.Fatalf("Next has returned true %d times and does not come to an end", most)
		}
	}
	res.last, res.err = s.Line(), s.Err()
	if s.Next() || s.Line() != res.last || s.Err() != res.err {
		rule.Broken(t, rule.Case{
			Do:   "for s.Next() {\n}\ns.Next()",
			Got:  rule.Textf("line %d, error: %v", s.Line(), s.Err()),
			Want: rule.Textf("false, and still line %d, error: %v", res.last, res.err),
			Why:  "The end of a scan is final.",
		})
	}
	return res
}

// requireScan scans input in one piece and byte by byte.
func requireScan(t *testing.T, input string, limit int, want result, why string) {
	t.Helper()
	arg := strconv.Itoa(limit)
	if limit == math.MaxInt {
		arg = "math.MaxInt"
	}
	requireSame(t, scan(t, strings.NewReader(input), limit), want,
		fmt.Sprintf("s := NewScanner(strings.NewReader(%q), %s)", input, arg), why)
	requireSame(t, scan(t, iotest.OneByteReader(strings.NewReader(input)), limit), want,
		fmt.Sprintf("s := NewScanner(iotest.OneByteReader(strings.NewReader(%q)), %s)", input, arg), why)
}

func requireSame(t *testing.T, got, want result, do, why string) {
	t.Helper()
	const loop = "\nfor s.Next() {\n\tfmt.Printf(\"%d %q\\n\", s.Line(), s.Pairs())\n}\nfmt.Println(s.Line(), s.Err())"
	for i := range max(len(got.rows), len(want.rows)) {
		g, w := got.end(), want.end()
		if i < len(got.rows) {
			g = got.rows[i]
		}
		if i < len(want.rows) {
			w = want.rows[i]
		}
		if g != w {
			rule.Broken(t, rule.Case{Do: do + loop, Got: rule.Text(g), Want: rule.Text(w), Why: why})
		}
	}
	if !got.equal(want) {
		rule.Broken(t, rule.Case{Do: do + loop, Got: rule.Text(got.end()), Want: rule.Text(want.end()), Why: why})
	}
	if line := fmt.Sprintf("line %d", want.last); want.err == zerocopy.ErrLineTooLong && !strings.Contains(got.err.Error(), line) {
		rule.Broken(t, rule.Case{
			Do:   do + loop,
			Got:  got.err,
			Want: rule.Textf("an error with %q in its text", line),
			Why:  "The error goes into a log far away from the scanner. Without the line nobody finds the cause.",
		})
	}
}

func (r result) end() string {
	return fmt.Sprintf("the end after %d lines with pairs, s.Line() is %d, s.Err() is %v", len(r.rows), r.last, r.err)
}

func file(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// scripted is a reader that gives no bytes before times, then one chunk for
// each Read, then no bytes after times, then err, with the last chunk if
// together.
type scripted struct {
	chunks        []string
	before, after int
	err           error
	together      bool
	reads         int // calls of Read
	late          int // calls of Read after err
	failed        bool
}

func (r *scripted) Read(p []byte) (int, error) {
	r.reads++
	if r.failed {
		r.late++
	}
	switch {
	case r.before > 0:
		r.before--
		return 0, nil
	case len(r.chunks) == 0 && r.after > 0:
		r.after--
		return 0, nil
	case len(r.chunks) == 0:
		r.failed = true
		return 0, r.err
	}
	n := copy(p, r.chunks[0])
	if r.chunks[0] = r.chunks[0][n:]; r.chunks[0] == "" {
		r.chunks = r.chunks[1:]
	}
	if r.together && len(r.chunks) == 0 {
		r.failed = true
		return n, r.err
	}
	return n, nil
}

// loop reads data again and again.
type loop struct {
	data []byte
	at   int
}

func (l *loop) Read(p []byte) (int, error) {
	n := copy(p, l.data[l.at:])
	l.at = (l.at + n) % len(l.data)
	return n, nil
}

// letters is an endless line.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// counter counts the bytes that were read from r.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
