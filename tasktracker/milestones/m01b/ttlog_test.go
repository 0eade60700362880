package m01b_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/accesslog"
	"github.com/middle-go/course/tasktracker/ttlog"
)

// outcome is what a run of ttlog left behind.
type outcome struct {
	do             string
	code           int
	stdout, stderr string
}

func run(stdin io.Reader, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	code := ttlog.Run(args, stdin, &stdout, &stderr)
	return outcome{fmt.Sprintf("code := ttlog.Run(%#v, stdin, &stdout, &stderr)", args), code, stdout.String(), stderr.String()}
}

func (o outcome) exits(t *testing.T, want int, why string) {
	t.Helper()
	if o.code != want {
		rule.Broken(t, rule.Case{Do: o.do, Got: rule.Textf("%d\nstderr: %s", o.code, o.stderr), Want: want, Why: why})
	}
}

type reportJSON struct {
	Requests int64        `json:"requests"`
	Bad      int64        `json:"bad"`
	Bytes    int64        `json:"bytes"`
	Classes  [6]int64     `json:"classes"`
	P50      int64        `json:"p50_ns"`
	P99      int64        `json:"p99_ns"`
	Top      []pathReport `json:"top"`
}

type pathReport struct {
	Path string `json:"path"`
	N    int64  `json:"n"`
	Err  int64  `json:"err"`
}

// report decodes stdout, which holds one JSON object with just these members.
func (o outcome) report(t *testing.T) reportJSON {
	t.Helper()
	var r reportJSON
	d := json.NewDecoder(strings.NewReader(o.stdout))
	d.DisallowUnknownFields()
	err := d.Decode(&r)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("there is more behind the object")
		}
	}
	if err == nil && (r.Top == nil || !strings.HasSuffix(o.stdout, "\n")) {
		err = errors.New("top is missing or null, or there is no line end")
	}
	if err != nil {
		rule.Broken(t, rule.Case{Do: o.do, Got: rule.Textf("%v in\n%s", err, o.stdout), Want: rule.Text("one JSON object of the README and a line end"), Why: "A script reads stdout. Everything else belongs on stderr."})
	}
	return r
}

// logOf writes the lines of entries.
func logOf(entries ...accesslog.Entry) string {
	var b []byte
	for _, e := range entries {
		b = e.Append(b)
	}
	return string(b)
}

// to returns a request of a path that took so long.
func to(target string, status int, took time.Duration) accesslog.Entry {
	return with(func(e *accesslog.Entry) { e.Target, e.Status, e.Duration, e.Bytes = target, status, took, 100 })
}

// day is a small log, and dayReport is what it says apart from the durations.
func day() string {
	return logOf(
		to("/v1/tasks", 200, 4*time.Millisecond),
		to("/v1/tasks?limit=50", 200, 3*time.Millisecond),
		to("/healthz", 204, 0),
		to("/v1/tasks?", 101, 2*time.Millisecond),
		to("/docs", 302, 7*time.Millisecond),
		to("/v1/tasks/x", 404, time.Millisecond),
		to("/healthz", 503, 5*time.Second),
		to("/a\n\x1b[2J", 99, time.Millisecond),
		to("/a\n\x1b[2J", 600, time.Millisecond),
	)
}

var dayReport = reportJSON{
	Requests: 9, Bytes: 900, Classes: [6]int64{2, 1, 3, 1, 1, 1},
	Top: []pathReport{{"/v1/tasks", 3, 0}, {"/a\n\x1b[2J", 2, 0}, {"/healthz", 2, 0}, {"/docs", 1, 0}, {"/v1/tasks/x", 1, 0}},
}

// sameReport compares all but the durations.
func sameReport(t *testing.T, o outcome, want reportJSON, why string) {
	t.Helper()
	got := o.report(t)
	got.P50, got.P99 = 0, 0
	same(t, o.do, want, got, why)
}

func TestTTLog_OwnFormatRoundTrip(t *testing.T) {
	const why = "The tool reads what the service writes, whoever sent it."
	var entries []accesslog.Entry
	want := reportJSON{}
	for i, text := range hostile {
		path := fmt.Sprintf("/%02d/%s", i, strings.ToValidUTF8(text, "_"))
		e := with(func(e *accesslog.Entry) {
			e.User, e.Referer, e.UserAgent, e.RequestID = text, text, text, text
			e.Target, e.Status, e.Bytes = path+"?q="+text, 200+i, int64(i)
		})
		entries = append(entries, e)
		want.Requests++
		want.Bytes += int64(i)
		want.Classes[2]++
		want.Top = append(want.Top, pathReport{Path: path, N: 1})
	}
	o := run(strings.NewReader(logOf(entries...)), "-json", "-top", "100")
	o.exits(t, 0, why)
	sameReport(t, o, want, why)
	if o.stderr != "" {
		rule.Broken(t, rule.Case{Do: o.do, Got: rule.Textf("stderr: %s", o.stderr), Want: rule.Text("nothing on stderr"), Why: "All is well, and a mail of cron begins with the first byte."})
	}
}

func TestTTLog_Report(t *testing.T) {
	o := run(strings.NewReader(day()), "-json")
	o.exits(t, 0, "All lines are good.")
	sameReport(t, o, dayReport, "A path is the target without its query. Of equal numbers the path decides, in the order of bytes.")

	var many []accesslog.Entry
	for i := range 12 {
		many = append(many, to(fmt.Sprintf("/%02d", i), 200, 0))
	}
	for _, tc := range []struct {
		args []string
		want int
	}{{[]string{"-json"}, 10}, {[]string{"-json", "-top", "1"}, 1}} {
		o := run(strings.NewReader(logOf(many...)), tc.args...)
		if got := len(o.report(t).Top); got != tc.want {
			rule.Broken(t, rule.Case{Do: o.do + " // 12 paths", Got: rule.Textf("%d paths", got), Want: rule.Textf("%d paths", tc.want), Why: "-top says how many paths there are at most, and the default is 10."})
		}
	}
	withTop := dayReport
	withTop.Top = dayReport.Top[:2]
	sameReport(t, run(strings.NewReader(day()), "-json", "-top", "2"), withTop, "-top says how many paths there are at most.")

	o = run(strings.NewReader(""), "-json")
	o.exits(t, 0, "A log without lines is a quiet night.")
	if got := o.report(t); !slices.Equal(got.Top, []pathReport{}) || got.Requests != 0 || got.P50 != 0 || got.P99 != 0 {
		rule.Broken(t, rule.Case{Do: o.do + " // no lines", Got: rule.Text(o.stdout), Want: rule.Text("all zero, and top is []"), Why: "A program that loops over top must find a list."})
	}

	dir := t.TempDir()
	half := strings.Index(day(), "\n") + 1
	name := filepath.Join(dir, "monday.log")
	if err := os.WriteFile(name, []byte(day()[:half]), 0o600); err != nil {
		t.Fatal(err)
	}
	rest := strings.TrimSuffix(day()[half:], "\n") // the last line has no end
	sameReport(t, run(strings.NewReader(rest), "-json", name, "-"), dayReport, "Several inputs are one report, - is stdin, and a last line needs no line end.")
}

func TestTTLog_Text(t *testing.T) {
	const stray = "not a line\n"
	o := run(strings.NewReader(day()+stray), "-top", "3")
	r := run(strings.NewReader(day()+stray), "-json").report(t)
	want := fmt.Sprintf("requests 9, bad 1, bytes 900\n1xx 1, 2xx 3, 3xx 1, 4xx 1, 5xx 1, other 2\np50 %v, p99 %v\n3\t%s\n2\t%s\n2\t%s\n",
		time.Duration(r.P50), time.Duration(r.P99), strconv.QuoteToASCII("/v1/tasks"), strconv.QuoteToASCII("/a\n\x1b[2J"), strconv.QuoteToASCII("/healthz"))
	if o.stdout != want {
		rule.Broken(t, rule.Case{Do: o.do, Got: rule.Textf("%q", o.stdout), Want: rule.Textf("%q", want), Why: "Some client chose the path. Printed as it is, it would move your cursor, or add a line to the report."})
	}
}

func TestTTLog_TextOfClasses(t *testing.T) {
	var entries []accesslog.Entry
	for class, status := range []int{600, 199, 200, 399, 400, 500} {
		for range class + 1 {
			entries = append(entries, to("/", status, 0))
		}
	}
	const want = "\n1xx 2, 2xx 3, 3xx 4, 4xx 5, 5xx 6, other 1\n"
	if o := run(strings.NewReader(logOf(entries...))); !strings.Contains(o.stdout, want) {
		rule.Broken(t, rule.Case{Do: o.do, Got: rule.Textf("%q", o.stdout), Want: rule.Textf("with a line %q", want), Why: "The first digit of the status is its class."})
	}
}

func TestTTLog_Quantiles(t *testing.T) {
	for _, n := range []int{1, 2, 3, 100, 101, 1000} {
		var took []time.Duration
		var entries []accesslog.Entry
		for i := range n {
			d := time.Duration(i*i+1) * 37 * time.Microsecond
			took = append(took, d)
			entries = append(entries, to("/", 200, d))
		}
		o := run(strings.NewReader(logOf(entries...)), "-json")
		r := o.report(t)
		line := fmt.Sprintf("\np50 %v, p99 %v\n", time.Duration(r.P50), time.Duration(r.P99))
		if o := run(strings.NewReader(logOf(entries...))); !strings.Contains(o.stdout, line) {
			rule.Broken(t, rule.Case{Do: fmt.Sprintf("%s // %d requests of 37µs*(i*i+1)", o.do, n), Got: rule.Textf("%q", o.stdout), Want: rule.Textf("with a line %q, as -json says", line), Why: "A person and a script read the same report."})
		}
		for _, q := range []struct {
			name    string
			percent int
			got     int64
		}{{"p50", 50, r.P50}, {"p99", 99, r.P99}} {
			want := took[(n*q.percent+99)/100-1]
			if off := time.Duration(q.got) - want; off > want/100 || off < -want/100 {
				rule.Broken(t, rule.Case{
					Do: fmt.Sprintf("%s // %d requests of 37µs*(i*i+1)", o.do, n), Got: rule.Textf("%s %v", q.name, time.Duration(q.got)), Want: rule.Textf("%s %v, give or take 1 %%", q.name, want),
					Why: "A quantile is the smallest duration that so many per cent of the requests do not exceed.",
				})
			}
		}
	}
}

func TestTTLog_QuantileOfOne(t *testing.T) {
	for _, d := range []time.Duration{0, 1, 10, 63, 99, 127, 128, 129, 999, 64 << 20, 65<<20 - 1, 127 << 20, 24 * time.Hour} {
		line := strings.Replace(logOf(to("/", 200, 0)), " 0.000000 ", fmt.Sprintf(" %d.%09d ", d/time.Second, d%time.Second), 1)
		o := run(strings.NewReader(line), "-json")
		r := o.report(t)
		for name, got := range map[string]int64{"p50": r.P50, "p99": r.P99} {
			if off := time.Duration(got) - d; off > d/100 || off < -d/100 {
				rule.Broken(t, rule.Case{
					Do: fmt.Sprintf("%s // %q", o.do, line), Got: rule.Textf("%s %v", name, time.Duration(got)), Want: rule.Textf("%v, give or take 1 %%", d),
					Why: "A cache answers in nanoseconds, and a report takes a day. The error is a part of the duration, not so many microseconds.",
				})
			}
		}
	}
}

func TestTTLog_BadLines(t *testing.T) {
	good := logOf(to("/a", 200, 0))
	long := strings.Replace(good, "tt-cli/1.4.0", strings.Repeat("x", 1<<20), 1)
	log := "\n" + good + "\x1b[2J\xff\n" + long + good + good[:40] + "\n" + good + "x\n" + "y\n" + "z\n" + good
	o := run(strings.NewReader(log), "-json")
	o.exits(t, 3, "The report is about the other lines. A script has to know.")
	sameReport(t, o, reportJSON{Requests: 4, Bad: 7, Bytes: 400, Classes: [6]int64{2: 4}, Top: []pathReport{{"/a", 4, 0}}},
		"A line that is none, or is longer than 64 KiB, is one bad line. Those behind it count.")

	lines := slices.Collect(strings.Lines(o.stderr))
	numbers := []int{1, 3, 4, 6, 8}
	ok := len(lines) == len(numbers)
	for i := 0; ok && i < len(lines); i++ {
		ok = strings.HasPrefix(lines[i], fmt.Sprintf("ttlog: stdin:%d: ", numbers[i])) && len(lines[i]) < 400 &&
			!strings.ContainsFunc(strings.TrimSuffix(lines[i], "\n"), func(r rune) bool { return r < ' ' || r > '~' })
	}
	if !ok {
		rule.Broken(t, rule.Case{
			Do: o.do + " // lines 1, 3, 4, 6, 8, 9 and 10 are bad", Got: rule.Textf("stderr: %q", o.stderr),
			Want: rule.Text("five lines of printable ASCII, shorter than 400 bytes: ttlog: stdin:1: ..., for 1, 3, 4, 6 and 8"),
			Why:  "Five examples show what is wrong. A million of them hide it, and a control character in one clears the terminal.",
		})
	}
}

func TestTTLog_LineOf64KiB(t *testing.T) {
	fill := 64<<10 - len(logOf(to("/", 200, 0))) + 1
	longest := func(n int) string { return logOf(to("/"+strings.Repeat("x", n), 200, 0)) }
	for _, tc := range []struct {
		name string
		log  string
		bad  int64
	}{
		{"65,536 bytes and a line end", longest(fill), 0},
		{"65,536 bytes", strings.TrimSuffix(longest(fill), "\n"), 0},
		{"65,537 bytes and a line end", longest(fill + 1), 1},
		{"65,537 bytes", strings.TrimSuffix(longest(fill+1), "\n"), 1},
	} {
		o := run(strings.NewReader(tc.log), "-json")
		if r := o.report(t); r.Bad != tc.bad || r.Requests != 1-tc.bad {
			rule.Broken(t, rule.Case{
				Do: o.do + " // one line, " + tc.name, Got: rule.Textf("requests %d, bad %d", r.Requests, r.Bad), Want: rule.Textf("requests %d, bad %d", 1-tc.bad, tc.bad),
				Why: "A limit has two sides, and tests look at both.",
			})
		}
	}
}

func TestTTLog_ExitCodes(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.log")
	broken := errors.New("the disk has left")
	good := logOf(to("/a", 200, 0))
	one := reportJSON{Requests: 1, Bytes: 100, Classes: [6]int64{2: 1}, Top: []pathReport{{"/a", 1, 0}}}

	for _, tc := range []struct {
		name   string
		stdin  io.Reader
		args   []string
		code   int
		report *reportJSON // with -json; nil: nothing on stdout
		stderr string      // stands on it
		why    string
	}{
		{"all is well", strings.NewReader(good), []string{"-json"}, 0, &one, "", ""},
		{"help", strings.NewReader(good), []string{"-h"}, 0, nil, "-top", "Who asks for help has made no mistake."},
		{"an unknown flag", strings.NewReader(good), []string{"-json", "-x"}, 2, nil, "-x", "A wrong call is told from a wrong log."},
		{"-top 0", strings.NewReader(good), []string{"-json", "-top", "0"}, 2, nil, "0", "A wrong call is told from a wrong log."},
		{"-top -1", strings.NewReader(good), []string{"-json", "-top", "-1"}, 2, nil, "-1", "A wrong call is told from a wrong log."},
		{"a wrong flag and a missing file", strings.NewReader(good), []string{"-top", "many", missing}, 2, nil, "many", "Nothing is read before the flags are right."},
		{"a missing file", strings.NewReader(good), []string{"-json", missing, "-"}, 1, &one, missing, "Half a report that ends with 0 is worse than none. The other half is still worth printing."},
		{"a directory", strings.NewReader(good), []string{"-json", dir, "-"}, 1, &one, dir, "It can be opened, and cannot be read."},
		{"a missing file and a bad line", strings.NewReader(good + "x\n"), []string{"-json", missing, "-"}, 1, &reportJSON{Requests: 1, Bad: 1, Bytes: 100, Classes: one.Classes, Top: one.Top}, missing, "A file that could not be read is worse than a line."},
		{"reading fails", io.MultiReader(strings.NewReader(good+good[:len(good)-1]), iotest.ErrReader(broken)), []string{"-json"}, 1, &one, broken.Error(), "The line that an error cuts off does not count, even if it looks whole."},
		{"a bad line", strings.NewReader(good + "x\n"), []string{"-json"}, 3, &reportJSON{Requests: 1, Bad: 1, Bytes: 100, Classes: one.Classes, Top: one.Top}, "stdin:2", "The report is about the other lines. A script has to know."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := run(tc.stdin, tc.args...)
			o.exits(t, tc.code, tc.why)
			if tc.report != nil {
				sameReport(t, o, *tc.report, tc.why)
			} else if o.stdout != "" {
				rule.Broken(t, rule.Case{Do: o.do, Got: rule.Textf("stdout: %q", o.stdout), Want: rule.Text("nothing on stdout"), Why: "There is no report, and the next program in the pipe would read this as one."})
			}
			if !strings.Contains(o.stderr, tc.stderr) || tc.stderr == "" && o.stderr != "" {
				rule.Broken(t, rule.Case{Do: o.do, Got: rule.Textf("stderr: %q", o.stderr), Want: rule.Textf("on stderr: %q", tc.stderr), Why: "The person who looks tomorrow has only stderr."})
			}
			for line := range strings.Lines(o.stderr) {
				if tc.name != "help" && !strings.HasPrefix(line, "ttlog: ") {
					rule.Broken(t, rule.Case{Do: o.do, Got: rule.Textf("stderr: %q", o.stderr), Want: rule.Text("every line begins with ttlog: and a space"), Why: "In the log of a night with forty programs, a line needs its author."})
				}
			}
		})
	}

	t.Run("the process has no part in it", func(t *testing.T) {
		printed := printedByTheProcess(t, func() { run(strings.NewReader(good), "-top", "many") })
		if printed != "" {
			rule.Broken(t, rule.Case{
				Do: "ttlog.Run([]string{\"-top\", \"many\"}, stdin, &stdout, &stderr)", Got: rule.Textf("on os.Stderr: %q", printed), Want: rule.Text("nothing but what goes to &stderr"),
				Why: "Package flag prints to os.Stderr where nobody has told it otherwise.",
			})
		}
	})

	t.Run("stdout cannot be written", func(t *testing.T) {
		for _, args := range [][]string{{}, {"-json"}} {
			var stderr bytes.Buffer
			code := ttlog.Run(args, strings.NewReader(good), failingWriter{broken}, &stderr)
			o := outcome{fmt.Sprintf("code := ttlog.Run(%#v, stdin, fullDisk, &stderr)", args), code, "", stderr.String()}
			o.exits(t, 1, "The disk is full, and the report is not where the script thinks it is.")
			if !strings.HasPrefix(o.stderr, "ttlog: ") || !strings.Contains(o.stderr, broken.Error()) {
				rule.Broken(t, rule.Case{Do: o.do, Got: rule.Textf("stderr: %q", o.stderr), Want: rule.Textf("ttlog: ... %s", broken), Why: "The person who looks tomorrow has only stderr."})
			}
		}
	})
}

// printedByTheProcess returns what f writes to os.Stderr.
func printedByTheProcess(t *testing.T, f func()) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	before := os.Stderr
	os.Stderr = file
	defer func() { os.Stderr = before }()
	f()
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestTTLog_ManyPaths(t *testing.T) {
	for _, tc := range []struct {
		name  string
		paths []string // of the requests
		front []string // the paths in front
	}{
		{"two paths among many that come once", scan(), []string{"/v1/tasks", "/healthz"}},
		{"paths that come at times, and paths that come back", rare(), nil},
		{"one path more than there are counters", numbered("/%d", 1001), nil},
	} {
		t.Run(tc.name, func(t *testing.T) { checkCounts(t, tc.paths, tc.front) })
	}
}

func numbered(format string, n int) []string {
	var paths []string
	for i := range n {
		paths = append(paths, fmt.Sprintf(format, i))
	}
	return paths
}

// scan is a third /v1/tasks and less of /healthz among paths that come once, and
// then fifty others that come thirty times.
func scan() []string {
	paths := numbered("/scan/%d", 20_000)
	for i := range paths {
		switch {
		case i%3 == 0:
			paths[i] = "/v1/tasks"
		case i%10 == 1:
			paths[i] = "/healthz"
		}
	}
	return append(paths, slices.Repeat(numbered("/late/%d", 50), 30)...)
}

// rare is twenty paths that come eight times, and one after the other, among
// paths that come once. At the end some of those come again.
func rare() []string {
	paths := numbered("/scan/%d", 6000)
	for i := range paths {
		if i < 5700 && i%800 < 20 {
			paths[i] = fmt.Sprintf("/rare/%d", i%800)
		}
	}
	return append(paths, paths[100:600]...)
}

// checkCounts demands what ttlog promises about more paths than it counts at a
// time.
func checkCounts(t *testing.T, paths, front []string) {
	t.Helper()
	counts := map[string]int64{}
	var entries []accesslog.Entry
	for _, path := range paths {
		counts[path]++
		entries = append(entries, to(path, 200, 0))
	}
	log := logOf(entries...)
	o := run(strings.NewReader(log), "-json", "-top", "5000")
	top := o.report(t).Top
	var order []string
	for _, p := range top {
		order = append(order, p.Path)
	}
	if len(top) > 1000 || len(top) < len(front) || !slices.Equal(order[:len(front)], front) {
		rule.Broken(t, rule.Case{
			Do: fmt.Sprintf("%s // %d requests of %d paths", o.do, len(paths), len(counts)), Got: rule.Textf("%d paths: %+v ...", len(top), top[:min(len(top), 3)]),
			Want: rule.Textf("at most 1000 paths, %q in front", front), Why: "A scanner asks for forty million paths, and the client decides how many there are.",
		})
	}
	for _, p := range top {
		if truth := counts[p.Path]; truth > p.N || truth < p.N-p.Err {
			rule.Broken(t, rule.Case{Do: o.do, Got: rule.Textf("%+v", p), Want: rule.Textf("%d between n-err and n", truth), Why: "An error with a bound is a result. One that nobody mentions is a bug."})
		}
	}
	for path, n := range counts {
		if 1000*n > int64(len(paths)) && !slices.Contains(order, path) {
			rule.Broken(t, rule.Case{Do: o.do, Got: rule.Textf("%s is missing", path), Want: rule.Textf("%s, which has %d of %d requests", path, n, len(paths)), Why: "The counter to give up is the lowest one. Then nothing that matters is lost, however late it comes."})
		}
	}
	text := run(strings.NewReader(log), "-top", "5000").stdout
	for _, p := range top {
		line := fmt.Sprintf("\n%d\t%q\n", p.N, p.Path)
		if p.Err > 0 {
			line = fmt.Sprintf("\n%d..%d\t%q\n", p.N-p.Err, p.N, p.Path)
		}
		if !strings.Contains(text, line) {
			rule.Broken(t, rule.Case{Do: "ttlog.Run([]string{\"-top\", \"5000\"}, stdin, &stdout, &stderr)", Got: rule.Textf("%.300q ...", text), Want: rule.Textf("a line %q", line), Why: "The reader must see which number is exact."})
		}
	}
}
