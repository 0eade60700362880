package logstat_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/allocs"
	"github.com/middle-go/course/grader/labkit/heaptest"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week02/logstat"
)

func TestAnalyze_TopTieBreak(t *testing.T) {
	var log strings.Builder
	for _, path := range strings.Fields("/d /b /e /a /b /c /f /e /Z /a10 /a9") {
		log.WriteString(good(path, 0) + "\n")
	}
	for range 5 {
		r, err := logstat.Analyze(t.Context(), logstat.Options{Top: 7, MaxKeys: 20}, strings.NewReader(log.String()), io.Discard)
		want := []logstat.Count{{Key: "/b", N: 2}, {Key: "/e", N: 2}, {Key: "/Z", N: 1}, {Key: "/a", N: 1}, {Key: "/a10", N: 1}, {Key: "/a9", N: 1}, {Key: "/c", N: 1}}
		if !slices.Equal(r.Top, want) || err != nil {
			rule.Broken(t, rule.Case{
				Do: "Analyze(ctx, Options{Top: 7, MaxKeys: 20}, log, io.Discard) // paths /d /b /e /a /b /c /f /e /Z /a10 /a9", Got: r.Top, Want: want,
				Why: "Two runs over one log that differ make people look for what changed.",
			})
		}
	}
}

func TestAnalyze_QuantileError1Percent(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	several := func(n int, f func(i int) float64) []time.Duration {
		d := make([]time.Duration, n)
		for i := range d {
			d[i] = time.Duration(f(i))
		}
		return d
	}
	for name, took := range map[string][]time.Duration{
		"none":                {},
		"one":                 {12345 * time.Microsecond},
		"two":                 {time.Millisecond, time.Hour},
		"zeros":               several(50, func(int) float64 { return 0 }),
		"1 to 100 ns":         several(100, func(i int) float64 { return float64(i + 1) }),
		"1 to 10 ns":          several(10, func(i int) float64 { return float64(i + 1) }),
		"half zero":           several(100, func(i int) float64 { return float64(i/50) * 1e9 }),
		"51 zeros":            several(100, func(i int) float64 { return float64(i/51) * 1e9 }),
		"the longest":         {999999999*time.Second + 999999999, 999999999*time.Second + 999999999},
		"uniform":             several(3000, func(int) float64 { return rng.Float64() * 2e9 }),
		"log-normal":          several(3000, func(int) float64 { return math.Exp(rng.NormFloat64()*1.5) * 2e7 }),
		"everything":          several(3000, func(int) float64 { return math.Exp(rng.Float64() * 41) }),
		"fast, with timeouts": several(3000, func(i int) float64 { return []float64{3e10, 2e5, 2e5, 2e5}[i%4] + rng.Float64()*1e5 }),
	} {
		t.Run(name, func(t *testing.T) {
			var log []byte
			for _, d := range took {
				log = appendLine(log, []byte("/a"), d)
			}
			r, err := logstat.Analyze(t.Context(), logstat.Options{}, bytes.NewReader(log), io.Discard)
			if err != nil || r.Lines != int64(len(took)) {
				rule.Broken(t, rule.Case{Do: "Analyze(ctx, Options{}, log, io.Discard)", Got: rule.Textf("%d lines, error %v", r.Lines, err), Want: rule.Textf("%d lines, error nil", len(took))})
			}
			requireQuantiles(t, fmt.Sprintf("Analyze(ctx, Options{}, log, io.Discard) // %d lines, durations: %s", len(took), name), r, took)
		})
	}

	for i := time.Duration(64); i <= 128; i++ {
		for _, d := range []time.Duration{i<<20 - 1, i << 20} {
			r, err := logstat.Analyze(t.Context(), logstat.Options{}, bytes.NewReader(appendLine(nil, []byte("/a"), d)), io.Discard)
			do := fmt.Sprintf("Analyze(ctx, Options{}, log, io.Discard) // 1 line, which took %v", d)
			if err != nil {
				rule.Broken(t, rule.Case{Do: do, Got: err, Want: rule.Text("no error")})
			}
			requireQuantiles(t, do, r, []time.Duration{d})
		}
	}
}

func TestAnalyze_MatchesModel(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 7))
		opts := logstat.Options{
			Name: "model", By: []string{"", "path", "ua", "host"}[rng.IntN(4)],
			Top: []int{0, 1, 4, 100}[rng.IntN(4)], MaxKeys: []int{0, 20, 100}[rng.IntN(3)],
		}
		if rng.IntN(2) == 0 {
			opts.Since = noon.Add(time.Duration(rng.IntN(60)) * time.Second)
		}
		var lines []string
		rows := make([]row, rng.IntN(2+5*int(seed))) // small logs first, so that the first failure is short
		for i := range rows {
			rows[i] = randomRow(rng)
			lines = append(lines, rows[i].String())
		}
		end := []string{"\n", "\r\n"}[rng.IntN(2)]
		log := strings.Join(lines, end)
		if rng.IntN(2) == 0 && len(lines) > 0 {
			log += end
		}

		got, err := logstat.Analyze(t.Context(), opts, strings.NewReader(log), io.Discard)
		if err != nil {
			rule.Broken(t, rule.Case{Do: fmt.Sprintf("Analyze(ctx, %s, log, io.Discard)", literal(opts)), Got: err, Want: rule.Text("no error")})
		}
		requireReport(t, fmt.Sprintf("Analyze(ctx, %s, log, io.Discard)\n// seed %d, log:\n%s", literal(opts), seed, shorten(log, 1000)),
			"A report that is wrong on a small log is wrong on every log.", got, model(opts, rows))
	}
}

func TestAnalyze_UnknownKey(t *testing.T) {
	r, err := logstat.Analyze(t.Context(), logstat.Options{By: "referrer"}, strings.NewReader(good("/a", 0)+"\n"), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "referrer") || r.Lines != 0 {
		rule.Broken(t, rule.Case{
			Do: `Analyze(ctx, Options{By: "referrer"}, log, io.Discard)`, Got: rule.Textf("%d lines, error %v", r.Lines, err), Want: rule.Text(`0 lines, an error with "referrer"`),
			Why: "A typing error that counts by something else gives a report that looks right.",
		})
	}
}

func TestAnalyze_BadLines(t *testing.T) {
	const cut = `203.0.113.50 - - [23/Nov/2026:07:15:03 +0000] "GET /v1/tasks HTTP/1.1" 20`
	long := strings.Repeat("x", 5000)
	var log strings.Builder
	for _, text := range []string{good("/a", 0), cut, "", "\x1b[2J\x00\xff", good("/b", 0), long, cut, cut, good("/c", 0), cut} {
		log.WriteString(text + "\n")
	}
	var warn bytes.Buffer
	r, err := logstat.Analyze(t.Context(), logstat.Options{Name: "web.log", Since: noon.Add(-time.Hour)}, strings.NewReader(log.String()), &warn)
	if r.Lines != 10 || r.Bad != 7 || err != nil || len(r.Top) != 3 {
		rule.Broken(t, rule.Case{
			Do: "Analyze(ctx, opts, log, warn) // 3 good lines and 7 bad ones", Got: rule.Textf("%d lines, %d bad, %d keys, error %v", r.Lines, r.Bad, len(r.Top), err),
			Want: rule.Text("10 lines, 7 bad, 3 keys, error nil"), Why: "A line that nobody can read is still a request that somebody made.",
		})
	}
	shown := strings.Split(strings.TrimSuffix(warn.String(), "\n"), "\n")
	want := []struct {
		number int
		cause  string
	}{{2, "status"}, {3, "host"}, {4, "ASCII"}, {6, ""}, {7, "status"}}
	ok := len(shown) == len(want)
	for i := range min(len(shown), len(want)) {
		ok = ok && strings.HasPrefix(shown[i], fmt.Sprintf("web.log:%d: ", want[i].number)) && strings.Contains(shown[i], want[i].cause) &&
			len(shown[i]) < 400 && strings.IndexFunc(shown[i], func(c rune) bool { return c < ' ' || c > '~' }) < 0
	}
	if !ok {
		rule.Broken(t, rule.Case{
			Do: "Analyze(ctx, Options{Name: \"web.log\"}, log, warn) // lines 2, 3, 4, 6, 7, 8 and 10 are bad", Got: rule.Textf("%q", shown),
			Want: rule.Text(`"web.log:N: " and the cause for N = 2, 3, 4, 6 and 7, one line each, printable ASCII, below 400 bytes`),
			Why:  "Whoever looks for the cause needs the place; whoever writes the log must not write on your terminal.",
		})
	}
	warn.Reset()
	if _, err := logstat.Analyze(t.Context(), logstat.Options{}, strings.NewReader("x\n"), &warn); err != nil || !strings.HasPrefix(warn.String(), "input:1: ") {
		rule.Broken(t, rule.Case{Do: `Analyze(ctx, Options{}, strings.NewReader("x\n"), warn)`, Got: warn.String(), Want: rule.Text(`"input:1: " and the cause`), Why: "A log without a name is called input."})
	}
}

func TestAnalyze_LongLine(t *testing.T) {
	for _, tc := range []struct {
		size int
		bad  int64
	}{
		{64 << 10, 0}, {64<<10 + 1, 1}, {200_000, 1}, {1 << 20, 1},
	} {
		for _, end := range []string{"\n", ""} {
			long := good("/"+strings.Repeat("a", tc.size-len(good("/", 0))), 0)
			log := good("/first", 0) + "\n" + long + "\n" + good("/last", 0) + "\n" + long + end
			r, err := logstat.Analyze(t.Context(), logstat.Options{}, strings.NewReader(log), io.Discard)
			if err != nil || r.Lines != 4 || r.Bad != 2*tc.bad {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("Analyze(ctx, Options{}, log, io.Discard) // lines 2 and 4 have %d bytes, the log ends with %q", tc.size, end),
					Got:  rule.Textf("%d lines, %d bad, error %v", r.Lines, r.Bad, err),
					Want: rule.Textf("4 lines, %d bad, error nil", 2*tc.bad),
					Why:  "One client with a huge header must not hide everybody who came after it.",
				})
			}
		}
	}
}

func TestAnalyze_ZipfTop10WithinError(t *testing.T) {
	const maxKeys, lines = 300, 60_000
	for _, order := range []string{"as they come", "the frequent ones first and once more at the end"} {
		zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 8, 1_000_000-1)
		keys := make([]uint32, lines)
		for i := range keys {
			keys[i] = uint32(zipf.Uint64())
		}
		if order != "as they come" {
			slices.Sort(keys)
			keys = append(keys, keys[:lines/10]...)
		}
		truth := map[string]int64{}
		for _, key := range keys {
			truth[fmt.Sprintf("/k%d", key)]++
		}
		in := &stream{lines: len(keys), next: func(b []byte, i int) []byte {
			return appendLine(b, strconv.AppendUint([]byte("/k"), uint64(keys[i]), 10), 0)
		}}
		r, err := logstat.Analyze(t.Context(), logstat.Options{Top: maxKeys, MaxKeys: maxKeys}, in, io.Discard)
		do := fmt.Sprintf("Analyze(ctx, Options{Top: 300, MaxKeys: 300}, log, io.Discard)\n// %d lines, %d paths, %s", len(keys), len(truth), order)
		if err != nil || r.Lines != int64(len(keys)) || len(r.Top) != maxKeys {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%d lines, %d keys, error %v", r.Lines, len(r.Top), err), Want: rule.Textf("%d lines, %d keys, error nil", len(keys), maxKeys)})
		}
		limit := int64(len(keys)) / maxKeys
		requireBounds(t, do, r.Top, truth, limit)
		for key, n := range truth {
			if n > limit && !slices.ContainsFunc(r.Top, func(c logstat.Count) bool { return c.Key == key }) {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("Top does not have %s, which came %d times", key, n), Want: rule.Textf("every key that came more often than %d times", limit),
					Why: "The one path that is hammered is what the report is for.",
				})
			}
		}
	}
}

func TestAnalyze_FewCounters(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 17))
		maxKeys := 1 + int(seed%6)
		keys := randomKeys(rng, 40)
		truth, log := keyLog(keys)
		r, err := logstat.Analyze(t.Context(), logstat.Options{Top: 100, MaxKeys: maxKeys}, strings.NewReader(log), io.Discard)
		do := fmt.Sprintf("Analyze(ctx, Options{Top: 100, MaxKeys: %d}, log, io.Discard)\n// the paths of the log: %s", maxKeys, strings.Join(keys, " "))
		if want := min(maxKeys, len(truth)); err != nil || len(r.Top) != want {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("Top has %d of the %d paths, error %v", len(r.Top), len(truth), err), Want: rule.Textf("Top has %d, error nil", want),
				Why: "Whoever gives the command two counters has memory for two.",
			})
		}
		requireBounds(t, do, r.Top, truth, int64(len(keys)/maxKeys))
	}
}

const heapLimit = 2 << 20

func TestAnalyze_LiveHeapFlat(t *testing.T) {
	allocs.Skip(t)
	const lines = 600_000
	before := heaptest.Live()
	var most int64
	in := &stream{lines: lines}
	in.next = func(b []byte, i int) []byte {
		if i == lines/2 || i == lines-1 {
			most = max(most, heaptest.Live()-before)
		}
		return appendLine(b, strconv.AppendInt([]byte("/v1/tasks/tsk_"), int64(i), 10), time.Duration(i)*time.Microsecond)
	}
	r, err := logstat.Analyze(t.Context(), logstat.Options{}, in, io.Discard)
	if err != nil || r.Lines != int64(lines) || r.Bad != 0 {
		rule.Broken(t, rule.Case{Do: "Analyze(ctx, Options{}, log, io.Discard)", Got: rule.Textf("%d lines, %d bad, error %v", r.Lines, r.Bad, err), Want: rule.Textf("%d lines, 0 bad, error nil", lines)})
	}
	if held := heaptest.Live() - before; held > most {
		most = held
	}
	if most > heapLimit {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("Analyze(ctx, Options{}, log, io.Discard) // %d lines, each with another path and duration", lines),
			Got:  rule.Textf("%.1f MiB of live heap", float64(most)/(1<<20)),
			Want: rule.Textf("at most %d MiB", heapLimit>>20),
			Why:  "Paths and durations are the clients' choice: what keeps them all ends with the machine's memory, on the day of the attack.",
		})
	}
	runtime.KeepAlive(r)
}

func TestAnalyze_LongLineHeapFlat(t *testing.T) {
	allocs.Skip(t)
	const chunks = 1000
	chunk := bytes.Repeat([]byte("x"), 16<<10)
	before := heaptest.Live()
	var most int64
	in := &stream{lines: chunks, next: func(b []byte, i int) []byte {
		if i == chunks-1 {
			most = heaptest.Live() - before
		}
		return append(b, chunk...)
	}}
	r, err := logstat.Analyze(t.Context(), logstat.Options{}, in, io.Discard)
	if most > heapLimit || r.Bad != 1 || err != nil {
		rule.Broken(t, rule.Case{
			Do:   "Analyze(ctx, Options{}, log, io.Discard) // one line of 16 MiB",
			Got:  rule.Textf("%.1f MiB of live heap, %d bad lines, error %v", float64(most)/(1<<20), r.Bad, err),
			Want: rule.Textf("at most %d MiB, 1 bad line, error nil", heapLimit>>20),
			Why:  "A disk image that is taken for a log has no line ends.",
		})
	}
}

func TestAnalyze_ContextStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	in := &stream{lines: 20_000, chunk: 100}
	in.next = func(b []byte, i int) []byte {
		if i == 5000 {
			cancel()
		}
		return appendLine(b, []byte("/a"), 0)
	}
	r, err := logstat.Analyze(ctx, logstat.Options{}, in, io.Discard)
	if !errors.Is(err, context.Canceled) || r.Lines < 1 || r.Lines > 7000 || len(r.Top) != 1 || r.Top[0].N != r.Lines {
		rule.Broken(t, rule.Case{
			Do:  "Analyze(ctx, Options{}, log, io.Discard) // 20000 lines; ctx is cancelled when line 5000 is read, 100 lines a Read",
			Got: rule.Textf("%d lines, Top %v, error %v", r.Lines, r.Top, err), Want: rule.Text("about 5000 lines, all in Top, context.Canceled"),
			Why: "The user pressed Ctrl-C. An hour of a terabyte is still to come.",
		})
	}

	r, err = logstat.Analyze(ctx, logstat.Options{}, strings.NewReader(good("/a", 0)+"\n"), io.Discard)
	if !errors.Is(err, context.Canceled) || r.Lines != 0 {
		rule.Broken(t, rule.Case{Do: "cancel()\nAnalyze(ctx, Options{}, log, io.Discard)", Got: rule.Textf("%d lines, error %v", r.Lines, err), Want: rule.Text("0 lines, context.Canceled"), Why: "The user pressed Ctrl-C before this file was opened."})
	}
}

func TestAnalyze_ReadErrorIsReported(t *testing.T) {
	broken := errors.New("input/output error")
	for _, tail := range []string{"", good("/cut", 0)[:60], good("/cut", 0)} {
		log := good("/a", time.Second) + "\n" + good("/b", time.Second) + "\n" + tail
		in := io.MultiReader(strings.NewReader(log), failing{broken})
		var warn bytes.Buffer
		r, err := logstat.Analyze(t.Context(), logstat.Options{}, in, &warn)
		if !errors.Is(err, broken) || r.Lines != 2 || r.Bad != 0 || len(r.Top) != 2 || r.P50 == 0 || r.First.IsZero() {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("r, err := Analyze(ctx, Options{}, in, warn) // two lines, then %q, then Read fails with %q", tail, broken),
				Got:  rule.Textf("%d lines, %d bad, %d keys, p50 %v, error %v", r.Lines, r.Bad, len(r.Top), r.P50, err),
				Want: rule.Textf("2 lines, 0 bad, 2 keys, p50 about 1s, an error that is %q", broken),
				Why:  "Half a report that looks whole is believed.",
			})
		}
	}
}

func TestAnalyze_Allocs(t *testing.T) {
	const lines = 1000
	var log []byte
	for i := range lines {
		log = appendLine(log, strconv.AppendInt([]byte("/v1/tasks/"), int64(i%20), 10), time.Duration(i)*time.Millisecond)
	}
	in := bytes.NewReader(log)
	if r, err := logstat.Analyze(t.Context(), logstat.Options{}, in, io.Discard); err != nil || r.Lines != lines {
		rule.Broken(t, rule.Case{Do: "Analyze(ctx, Options{}, log, io.Discard)", Got: rule.Textf("%d lines, error %v", r.Lines, err), Want: rule.Textf("%d lines, error nil", lines)})
	}
	allocs.AtMost(t, 300, "Analyze(ctx, Options{}, log, io.Discard) // 1000 lines, 20 paths", func() {
		in.Reset(log)
		if _, err := logstat.Analyze(t.Context(), logstat.Options{}, in, io.Discard); err != nil {
			t.Error(err)
		}
	})
}

func TestMerge_Associative(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 11))
		opts := logstat.Options{Top: 1 + rng.IntN(12), MaxKeys: 50}
		parts := make([][]row, 4)
		var all []row
		for i := range parts {
			parts[i] = make([]row, rng.IntN(40))
			for j := range parts[i] {
				parts[i][j] = randomRow(rng)
			}
			all = append(all, parts[i]...)
		}
		report := func(i int) logstat.Report { return analyzeRows(t, opts, parts[i]) }
		want := model(opts, all)
		for _, grouping := range []struct {
			do    string
			merge func() logstat.Report
		}{
			{"a.Merge(b); a.Merge(c); a.Merge(d)", func() logstat.Report {
				a := report(0)
				a.Merge(report(1))
				a.Merge(report(2))
				a.Merge(report(3))
				return a
			}},
			{"c.Merge(d); b.Merge(c); a.Merge(b)", func() logstat.Report {
				a, b, c := report(0), report(1), report(2)
				c.Merge(report(3))
				b.Merge(c)
				a.Merge(b)
				return a
			}},
			{"d.Merge(b); a.Merge(c); d.Merge(a)", func() logstat.Report {
				a, d := report(0), report(3)
				d.Merge(report(1))
				a.Merge(report(2))
				d.Merge(a)
				return d
			}},
			{"var z Report; z.Merge(Report{}); z.Merge(a); z.Merge(b); z.Merge(Report{}); z.Merge(c); z.Merge(d)", func() logstat.Report {
				var z logstat.Report
				z.Merge(logstat.Report{})
				z.Merge(report(0))
				z.Merge(report(1))
				z.Merge(logstat.Report{})
				z.Merge(report(2))
				z.Merge(report(3))
				return z
			}},
		} {
			requireReport(t, fmt.Sprintf("%s // seed %d: four logs, Top %d", grouping.do, seed, opts.Top),
				"Logs are merged as they arrive: hours into days, machines into clusters, in any order.", grouping.merge(), want)
		}
	}
}

func TestMerge_LeavesTheOther(t *testing.T) {
	opts := logstat.Options{MaxKeys: 50}
	rng := rand.New(rand.NewPCG(5, 6))
	rows := make([]row, 60)
	for i := range rows {
		rows[i] = randomRow(rng)
	}
	a, b, c := analyzeRows(t, opts, rows[:20]), analyzeRows(t, opts, rows[20:40]), analyzeRows(t, opts, rows[40:])
	const why = "The hours are merged into the day, and the same hours into the week."

	var day, week logstat.Report
	for _, hour := range []logstat.Report{a, b, c} {
		day.Merge(hour)
	}
	for _, hour := range []logstat.Report{a, b, c} {
		week.Merge(hour)
	}
	requireReport(t, "for _, hour := range hours { day.Merge(hour) }\nfor _, hour := range hours { week.Merge(hour) }\nfmt.Println(week)", why, week, model(opts, rows))
	requireReport(t, "for _, hour := range hours { day.Merge(hour) }\nfmt.Println(hours[0])", why, a, model(opts, rows[:20]))

	before := a
	a.Merge(b)
	before.Merge(c)
	requireReport(t, "copied := a\na.Merge(b)\ncopied.Merge(c)\nfmt.Println(copied)", "A Report is passed around by value, and a copy must be one.", before, model(opts, slices.Concat(rows[:20], rows[40:])))
	requireReport(t, "copied := a\na.Merge(b)\ncopied.Merge(c)\nfmt.Println(a)", "A Report is passed around by value, and a copy must be one.", a, model(opts, rows[:40]))
}

func TestMerge_BoundsHold(t *testing.T) {
	const maxKeys = 100
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 13))
		zipf := rand.NewZipf(rng, 1.2, 4, 3000)
		opts := logstat.Options{Top: maxKeys, MaxKeys: maxKeys}
		truth := map[string]int64{}
		var reports []logstat.Report
		for range 4 {
			var log []byte
			shift := rng.Uint64N(5) // so that the frequent keys differ
			for range 2000 {
				key := fmt.Sprintf("/k%d", zipf.Uint64()*(shift+1))
				if rng.IntN(4) == 0 {
					key = "/hot"
				}
				truth[key]++
				log = appendLine(log, []byte(key), 0)
			}
			r, err := logstat.Analyze(t.Context(), opts, bytes.NewReader(log), io.Discard)
			if err != nil {
				rule.Broken(t, rule.Case{Do: "Analyze(ctx, opts, log, io.Discard)", Got: err, Want: rule.Text("no error")})
			}
			reports = append(reports, r)
		}
		do := fmt.Sprintf("a.Merge(b); c.Merge(d); a.Merge(c) // seed %d: 4 logs of 2000 lines, MaxKeys %d", seed, maxKeys)
		reports[0].Merge(reports[1])
		reports[2].Merge(reports[3])
		reports[0].Merge(reports[2])
		top := reports[0].Top
		if len(top) != maxKeys || top[0].Key != "/hot" || !slices.IsSortedFunc(top, byRank) {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("%d keys, the first is %v", len(top), slices.Concat(top, make([]logstat.Count, 1))[0]), Want: rule.Textf("%d keys in order, the first is /hot", maxKeys),
				Why: "The one path that is hammered is what the report is for.",
			})
		}
		requireBounds(t, do, top, truth, math.MaxInt64)
	}
}

func TestMerge_FewCounters(t *testing.T) {
	for seed := range uint64(120) {
		rng := rand.New(rand.NewPCG(seed, 19))
		opts := logstat.Options{Top: 100, MaxKeys: 1 + int(seed%6)}
		truth := map[string]int64{}
		var total logstat.Report
		var do, merges strings.Builder
		merges.WriteString("var r Report")
		fmt.Fprintf(&do, "// Top 100, MaxKeys %d; the paths of the logs:\n", opts.MaxKeys)
		size := []int{3, 6, 20}[rng.IntN(3)]
		for i := range 6 {
			keys := randomKeys(rng, size)
			counts, log := keyLog(keys)
			for key, n := range counts {
				truth[key] += n
			}
			r, err := logstat.Analyze(t.Context(), opts, strings.NewReader(log), io.Discard)
			if err != nil {
				rule.Broken(t, rule.Case{Do: "Analyze(ctx, opts, log, io.Discard)", Got: err, Want: rule.Text("no error")})
			}
			fmt.Fprintf(&do, "// %c: %s\n", 'a'+i, strings.Join(keys, " "))
			total.Merge(r)
			fmt.Fprintf(&merges, "\nr.Merge(%c)", 'a'+i)
			if len(total.Top) > opts.MaxKeys {
				rule.Broken(t, rule.Case{
					Do: do.String() + merges.String(), Got: rule.Textf("%d keys", len(total.Top)), Want: rule.Textf("at most %d keys", opts.MaxKeys),
					Why: "A year of hours is merged into one report, and each hour brings keys that no other has.",
				})
			}
			requireBounds(t, do.String()+merges.String(), total.Top, truth, math.MaxInt64)
		}
	}
}

func TestMain_GoldenJSON(t *testing.T) {
	args := []string{"-json", "-by", "ua", "-top", "3", "-max-bad", "0.1", "testdata/api.log"}
	got := requireMain(t, args, "", 0)
	golden, err := os.ReadFile("testdata/api.json")
	if err != nil {
		t.Fatal(err)
	}
	requireJSON(t, args, got.stdout, string(golden))
	requireOneWarning(t, args, got.stderr, "testdata/api.log:4: ")

	args = []string{"-json", "-max-keys", "2", "-max-bad", "1", "-"}
	got = requireMain(t, args, good("/a&b", 0)+"\n"+good("/a&b", 0)+"\n"+good("/b", 0)+"\n"+good("/c", 0), 0)
	requireJSON(t, args, got.stdout, `{"lines": 4, "bad": 0, "bytes": 20, "classes": [0,0,4,0,0,0], "p50_ns": 0, "p95_ns": 0, "p99_ns": 0,
		"top": [{"key": "/a&b", "n": 2, "err": 0}, {"key": "/c", "n": 2, "err": 1}], "first": "2026-11-23T12:00:00Z", "last": "2026-11-23T12:00:00Z"}`+"\n")

	args = []string{"-json"}
	got = requireMain(t, args, "", 0)
	requireJSON(t, args, got.stdout, `{"lines": 0, "bad": 0, "bytes": 0, "classes": [0,0,0,0,0,0], "top": [], "p50_ns": 0, "p95_ns": 0, "p99_ns": 0, "first": null, "last": null}`+"\n")
}

func TestMain_GoldenText(t *testing.T) {
	args := []string{"-max-bad=0.1", "testdata/api.log"}
	got := requireMain(t, args, "", 0)
	golden, err := os.ReadFile("testdata/api.txt")
	if err != nil {
		t.Fatal(err)
	}
	requireText(t, args, got.stdout, string(golden))
	requireOneWarning(t, args, got.stderr, "testdata/api.log:4: ")

	args = []string{"-by", "host", "-since", "2026-11-23T08:15:08+01:00", "-max-bad", "1", "-"}
	log, err := os.ReadFile("testdata/api.log")
	if err != nil {
		t.Fatal(err)
	}
	got = requireMain(t, args, string(log), 0)
	requireText(t, args, got.stdout, `lines 3, bad 1, bytes 0
first 2026-11-23T07:15:08Z, last 2026-11-23T07:15:09Z
1xx 0, 2xx 2, 3xx 0, 4xx 0, 5xx 0, other 0
p50 0s, p95 94µs, p99 94µs
top host
2	198.51.100.10
`)
	requireOneWarning(t, args, got.stderr, "stdin:4: ")

	args = []string{"-max-keys", "2"}
	got = requireMain(t, args, good("/a", 0)+"\n"+good("/a", 0)+"\n"+good("/b", 0)+"\n"+good("/c", 0), 0)
	requireText(t, args, got.stdout, `lines 4, bad 0, bytes 20
first 2026-11-23T12:00:00Z, last 2026-11-23T12:00:00Z
1xx 0, 2xx 4, 3xx 0, 4xx 0, 5xx 0, other 0
p50 0s, p95 0s, p99 0s
top path
2	/a
1..2	/c
`)

	got = requireMain(t, nil, strings.Replace(good("/a", 0), " 200 ", " 600 ", 1), 0)
	requireText(t, nil, got.stdout, `lines 1, bad 0, bytes 5
first 2026-11-23T12:00:00Z, last 2026-11-23T12:00:00Z
1xx 0, 2xx 0, 3xx 0, 4xx 0, 5xx 0, other 1
p50 0s, p95 0s, p99 0s
top path
1	/a
`)

	got = requireMain(t, nil, "", 0)
	requireText(t, nil, got.stdout, `lines 0, bad 0, bytes 0
first -, last -
1xx 0, 2xx 0, 3xx 0, 4xx 0, 5xx 0, other 0
p50 0s, p95 0s, p99 0s
top path
`)
}

func TestMain_OneFileMissingOthersReported(t *testing.T) {
	const missing = "testdata/missing.log"
	args := []string{"-max-bad", "0.1", "testdata/api.log", missing, "testdata/api.log"}
	got := requireMain(t, args, "", 1)
	if !strings.HasPrefix(got.stdout, "lines 20, bad 2, bytes 4306\n") || !strings.Contains(got.stdout, "\n6\t/v1/tasks\n") || !strings.Contains(got.stderr, missing) {
		rule.Broken(t, rule.Case{
			Do: callMain(args, ""), Got: rule.Textf("stdout %q, stderr %q", got.stdout, got.stderr), Want: rule.Text("the report of both files that are there, and the name of the missing one on stderr"),
			Why: "One of 24 hours was rotated away while the command ran. The other 23 are still worth a report.",
		})
	}
	if n := strings.Count(got.stderr, "testdata/api.log:4: "); n != 2 {
		rule.Broken(t, rule.Case{Do: callMain(args, ""), Got: rule.Textf("stderr %q", got.stderr), Want: rule.Text("a warning for line 4 of each file"), Why: "Each file has its own lines, and its own bad ones."})
	}
}

func TestMain_ExitCodes(t *testing.T) {
	const bad = "x\n"
	ok := good("/a", 0) + "\n"
	const missing = "testdata/missing.log"
	for _, tc := range []struct {
		args   []string
		stdin  string
		code   int
		report bool   // there is something on stdout
		says   string // a part of stderr
	}{
		{args: nil, stdin: ok, report: true},
		{args: []string{"-h"}, stdin: ok, says: "max-keys"},
		{args: []string{"-help"}, stdin: ok, says: "logstat [flags] [FILE ...]"},
		{args: []string{"-top", "1", "-max-keys", "1"}, stdin: ok, report: true},
		{args: []string{missing}, code: 1, report: true, says: missing},
		{args: []string{"testdata"}, code: 1, report: true, says: "logstat: "},
		{args: []string{"-nope"}, stdin: ok, code: 2, says: "nope"},
		{args: []string{"-by", "referrer"}, stdin: ok, code: 2, says: "referrer"},
		{args: []string{"-top", "0"}, stdin: ok, code: 2, says: "top"},
		{args: []string{"-top", "ten"}, stdin: ok, code: 2, says: "top"},
		{args: []string{"-max-keys", "-1"}, stdin: ok, code: 2, says: "max-keys"},
		{args: []string{"-max-keys", "0"}, stdin: ok, code: 2, says: "max-keys"},
		{args: []string{"-max-bad", "1.5"}, stdin: ok, code: 2, says: "max-bad"},
		{args: []string{"-max-bad", "-0.5"}, stdin: ok, code: 2, says: "max-bad"},
		{args: []string{"-max-bad", "NaN"}, stdin: bad, code: 2, says: "max-bad"},
		{args: []string{"-since", "yesterday"}, stdin: ok, code: 2, says: "since"},
		{args: []string{"-by", "referrer", missing}, code: 2, says: "referrer"},
		{args: nil, stdin: strings.Repeat(ok, 99) + bad, report: true},
		{args: nil, stdin: strings.Repeat(ok, 98) + bad, code: 3, report: true, says: "logstat: "},
		{args: []string{"-max-bad", "0.25"}, stdin: ok + ok + ok + bad, report: true},
		{args: []string{"-max-bad", "0.25"}, stdin: ok + ok + bad, code: 3, report: true, says: "logstat: "},
		{args: []string{"-max-bad", "0"}, stdin: ok + ok, report: true},
		{args: []string{"-max-bad", "0"}, stdin: ok + bad, code: 3, report: true, says: "logstat: "},
		{args: []string{"-max-bad", "1"}, stdin: bad, report: true},
		{args: []string{"-", missing}, stdin: bad, code: 1, report: true, says: missing},
	} {
		got := requireMain(t, tc.args, tc.stdin, tc.code)
		if (got.stdout != "") != tc.report || !strings.Contains(got.stderr, tc.says) || tc.code == 0 && tc.says == "" && !strings.Contains(tc.stdin, bad) && got.stderr != "" {
			rule.Broken(t, rule.Case{
				Do: callMain(tc.args, tc.stdin), Got: rule.Textf("stdout %q, stderr %q", got.stdout, got.stderr),
				Want: rule.Textf("a report on stdout: %v; on stderr: %q", tc.report, tc.says),
				Why:  "stdout is for the next program of the pipe, stderr for the person in front of it.",
			})
		}
	}

	t.Run("stdout is full", func(t *testing.T) {
		full := errors.New("no space left on device")
		var stderr bytes.Buffer
		code := logstat.Main(nil, strings.NewReader(ok), failing{full}, &stderr)
		if code != 1 || !strings.Contains(stderr.String(), full.Error()) {
			rule.Broken(t, rule.Case{
				Do: "Main(nil, stdin, stdout, stderr) // writing to stdout fails with \"" + full.Error() + `"`, Got: rule.Textf("exit code %d, stderr %q", code, stderr.String()),
				Want: rule.Text("exit code 1, the error on stderr"), Why: "A report that was not written must not look like a success.",
			})
		}
	})
}

func TestMain_GzipByMagic(t *testing.T) {
	log := strings.Repeat(good("/a", 0)+"\n", 300)
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	zipped := zip(t, log)
	for _, tc := range []struct {
		about string
		path  string
		stdin string
		lines int
		code  int
	}{
		{"compressed, named access.log", file("access.log", zipped), "", 300, 0},
		{"not compressed, named plain.gz", file("plain.gz", log), "", 300, 0},
		{"two compressed files, one after the other", file("two.gz", zipped+zip(t, log)), "", 600, 0},
		{"compressed, on stdin", "-", zipped, 300, 0},
		{"empty", file("empty.gz", ""), "", 0, 0},
		{"one byte", file("one.log", "\x1f"), "", 1, 0},
		{"nothing in it, compressed", "-", zip(t, ""), 0, 0},
		{"compressed, with the end cut off", file("cut.gz", zipped[:len(zipped)-4]), "", 300, 1},
		{"compressed, with nearly everything cut off", file("head.gz", zipped[:5]), "", 0, 1},
	} {
		args := []string{"-max-bad", "1", tc.path}
		got := requireMain(t, args, tc.stdin, tc.code)
		if want := fmt.Sprintf("lines %d, ", tc.lines); !strings.HasPrefix(got.stdout, want) {
			rule.Broken(t, rule.Case{
				Do: "Main([]string{\"-max-bad\", \"1\", file}, stdin, stdout, stderr) // " + tc.about, Got: rule.Textf("stdout %q", got.stdout), Want: rule.Textf("%q and more", want),
				Why: "logrotate compresses and renames, and people pipe what they have: only the content says what it is.",
			})
		}
	}
}

func TestMain_ClosesWhatItHasRead(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	low := limit
	low.Cur = 128
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection closes files too, but nobody knows when

	const files = 200
	args := []string{"-max-bad", "1"}
	for range files {
		args = append(args, "testdata/api.log")
	}
	var stdout, stderr bytes.Buffer
	code := logstat.Main(args, strings.NewReader(""), &stdout, &stderr)
	if want := fmt.Sprintf("lines %d, ", 10*files); code != 0 || !strings.HasPrefix(stdout.String(), want) {
		causes := regexp.MustCompile(`(?m)^logstat: .*$`).FindString(stderr.String())
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("Main(args, stdin, stdout, stderr) // args has %d files, the process may have %d open", files, low.Cur),
			Got:  rule.Textf("exit code %d, stdout %q, stderr %q", code, shorten(stdout.String(), 400), causes),
			Want: rule.Textf("exit code 0, stdout %q and more", want),
			Why:  "A year of logs is 8760 files, and a process may have 1024 of them open.",
		})
	}
}

// pipeChild is set in the environment of a process that runs Main.
const pipeChild = "LOGSTAT_TEST_CHILD"

func init() {
	if os.Getenv(pipeChild) == "" {
		return
	}
	signal.Ignore(syscall.SIGPIPE) // as systemd and some shells start their children
	os.Exit(logstat.Main([]string{"-max-bad", "1"}, os.Stdin, os.Stdout, os.Stderr))
}

func TestMain_BrokenPipeQuiet(t *testing.T) {
	gone := failing{&os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}}
	var says bytes.Buffer
	if code := logstat.Main(nil, strings.NewReader(good("/a", 0)+"\n"), gone, &says); code != 0 || says.Len() > 0 {
		rule.Broken(t, rule.Case{
			Do:  "Main(nil, stdin, stdout, stderr) // writing to stdout fails with \"" + gone.err.Error() + `"`,
			Got: rule.Textf("exit code %d, stderr %q", code, says.String()), Want: rule.Text("exit code 0, nothing on stderr"),
			Why: "In `logstat | head -1` the reader has what it wanted. That is not a failure to wake somebody for.",
		})
	}

	for _, closed := range []bool{false, true} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		child := exec.Command(os.Args[0])
		child.Env = []string{pipeChild + "=1", "GORACE=atexit_sleep_ms=0"}
		child.Stdin = strings.NewReader(good("/a", 0) + "\n")
		child.Stdout = w
		var stderr bytes.Buffer
		child.Stderr = &stderr
		if closed {
			r.Close()
		}
		err = child.Run()
		w.Close()
		var stdout []byte
		if !closed {
			stdout, _ = io.ReadAll(r)
			r.Close()
		}
		if err != nil || stderr.Len() > 0 || !closed && !bytes.HasPrefix(stdout, []byte("lines 1, ")) {
			rule.Broken(t, rule.Case{
				Do:  fmt.Sprintf("Main([]string{\"-max-bad\", \"1\"}, stdin, os.Stdout, os.Stderr) // stdout is a pipe; its reader has gone: %v", closed),
				Got: rule.Textf("error of the process: %v, stdout %q, stderr %q", err, stdout, stderr.String()), Want: rule.Text("exit code 0, nothing on stderr"),
				Why: "In `logstat | head -1` the reader has what it wanted. That is not a failure to wake somebody for.",
			})
		}
	}
}

// ---- logs

var noon = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// row is what a line of a log says.
type row struct {
	bad            bool // and nothing else
	path, ua, host string
	status         int
	bytes          int64
	at             time.Time
	took           time.Duration
}

func (r row) String() string {
	if r.bad {
		return "no line at all"
	}
	return fmt.Sprintf(`%s - ann lee [%s] "GET %s?page=%d HTTP/1.1" %03d %d "-" "%s" %d.%09d "req_%x"`,
		r.host, r.at.Format("02/Jan/2006:15:04:05 -0700"), r.path, r.bytes, r.status, r.bytes, r.ua, r.took/time.Second, r.took%time.Second, r.bytes)
}

func randomRow(rng *rand.Rand) row {
	if rng.IntN(10) == 0 {
		return row{bad: true}
	}
	return row{
		path: fmt.Sprintf("/v1/p%d", rng.IntN(15)), ua: fmt.Sprintf("agent %d", rng.IntN(10)), host: fmt.Sprintf("192.0.2.%d", rng.IntN(20)),
		status: []int{0, 99, 100, 101, 200, 204, 299, 300, 404, 499, 500, 599, 600, 999}[rng.IntN(14)],
		bytes:  rng.Int64N(10_000), at: noon.Add(time.Duration(rng.IntN(60)) * time.Second),
		took: time.Duration(math.Exp(rng.Float64() * 30)),
	}
}

// model is the report of rows, computed with all the memory it takes. Its
// quantiles are exact.
func model(opts logstat.Options, rows []row) logstat.Report {
	var r logstat.Report
	n := map[string]int64{}
	var took []time.Duration
	for _, row := range rows {
		switch {
		case row.bad:
			r.Lines++
			r.Bad++
			continue
		case row.at.Before(opts.Since):
			continue
		}
		r.Lines++
		r.Bytes += row.bytes
		class := row.status / 100
		if class > 5 {
			class = 0
		}
		r.Classes[class]++
		key := map[string]string{"": row.path, "path": row.path, "ua": row.ua, "host": row.host}[opts.By]
		n[key]++
		took = append(took, row.took)
		if r.First.IsZero() || row.at.Before(r.First) {
			r.First = row.at
		}
		if r.Last.IsZero() || row.at.After(r.Last) {
			r.Last = row.at
		}
	}
	for key, n := range n {
		r.Top = append(r.Top, logstat.Count{Key: key, N: n})
	}
	slices.SortFunc(r.Top, byRank)
	if opts.Top == 0 {
		opts.Top = 10
	}
	r.Top = r.Top[:min(len(r.Top), opts.Top)]
	slices.Sort(took)
	r.P50, r.P95, r.P99 = exact(took, 50), exact(took, 95), exact(took, 99)
	return r
}

func byRank(a, b logstat.Count) int {
	if a.N != b.N {
		return int(b.N - a.N)
	}
	return strings.Compare(a.Key, b.Key)
}

// exact returns the smallest of the sorted durations that percent of them do
// not exceed.
func exact(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*percent+99)/100-1]
}

// randomKeys returns up to n paths, few of which differ.
func randomKeys(rng *rand.Rand, n int) []string {
	keys := make([]string, 1+rng.IntN(n))
	for i := range keys {
		keys[i] = fmt.Sprintf("/%c", 'a'+rng.IntN(2+rng.IntN(8)))
	}
	return keys
}

// keyLog returns a log with a line for each of the paths, and how often each
// came.
func keyLog(paths []string) (truth map[string]int64, log string) {
	truth = map[string]int64{}
	var b []byte
	for _, path := range paths {
		truth[path]++
		b = appendLine(b, []byte(path), 0)
	}
	return truth, string(b)
}

func good(path string, took time.Duration) string {
	return strings.TrimSuffix(string(appendLine(nil, []byte(path), took)), "\n")
}

// appendLine appends a good line with its end.
func appendLine(b, path []byte, took time.Duration) []byte {
	b = append(b, `198.51.100.7 - - [23/Nov/2026:12:00:00 +0000] "GET `...)
	b = append(b, path...)
	b = append(b, ` HTTP/1.1" 200 5 "-" "tt-cli/1.4.0" `...)
	b = strconv.AppendInt(b, int64(took/time.Second), 10)
	b = append(b, '.')
	nanos := strconv.AppendInt(nil, int64(took%time.Second), 10)
	b = append(b, "000000000"[len(nanos):]...)
	b = append(b, nanos...)
	return append(b, ` "req_1"`+"\n"...)
}

// stream is a log that is made while it is read, chunk lines a Read.
type stream struct {
	lines   int
	chunk   int // 0 means 1
	next    func(b []byte, i int) []byte
	made    int
	space   []byte
	pending []byte
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.pending) == 0 {
		s.space = s.space[:0]
		for range max(s.chunk, 1) {
			if s.made < s.lines {
				s.space = s.next(s.space, s.made)
				s.made++
			}
		}
		s.pending = s.space
	}
	if len(s.pending) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.pending)
	s.pending = s.pending[n:]
	return n, nil
}

// failing is a disk that is full, or broken.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

func zip(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// ---- rules

func analyzeRows(t *testing.T, opts logstat.Options, rows []row) logstat.Report {
	t.Helper()
	var log strings.Builder
	for _, row := range rows {
		log.WriteString(row.String() + "\n")
	}
	r, err := logstat.Analyze(t.Context(), opts, strings.NewReader(log.String()), io.Discard)
	if err != nil {
		rule.Broken(t, rule.Case{Do: fmt.Sprintf("Analyze(ctx, %s, log, io.Discard)", literal(opts)), Got: err, Want: rule.Text("no error")})
	}
	return r
}

// literal is opts as Go code.
func literal(opts logstat.Options) string {
	since := ""
	if !opts.Since.IsZero() {
		since = fmt.Sprintf(", Since: time.Unix(%d, 0)", opts.Since.Unix())
	}
	return fmt.Sprintf("Options{By: %q, Top: %d, MaxKeys: %d%s}", opts.By, opts.Top, opts.MaxKeys, since)
}

// requireReport compares got with a want whose quantiles are exact.
func requireReport(t *testing.T, do, why string, got, want logstat.Report) {
	t.Helper()
	for _, q := range []struct{ got, want *time.Duration }{{&got.P50, &want.P50}, {&got.P95, &want.P95}, {&got.P99, &want.P99}} {
		if within1Percent(*q.got, *q.want) {
			*q.got = *q.want
		}
	}
	if g, w := differences(got, want); g != "" {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Text(g), Want: rule.Text(w), Why: why})
	}
	if loc := got.First.Location(); loc != time.UTC {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("First in %v", loc), Want: rule.Text("UTC"), Why: "A report does not depend on the machine that makes it."})
	}
}

// differences shows the fields in which two reports differ, those of Top from
// the first one on.
func differences(got, want logstat.Report) (g, w string) {
	var gs, ws []string
	compare := func(name string, got, want any) {
		if got, want := fmt.Sprint(got), fmt.Sprint(want); got != want {
			gs, ws = append(gs, name+" "+got), append(ws, name+" "+want)
		}
	}
	compare("Lines", got.Lines, want.Lines)
	compare("Bad", got.Bad, want.Bad)
	compare("Bytes", got.Bytes, want.Bytes)
	compare("Classes", got.Classes, want.Classes)
	i := 0
	for i < min(len(got.Top), len(want.Top)) && got.Top[i] == want.Top[i] {
		i++
	}
	compare(fmt.Sprintf("Top[%d:]", i), ranking(got.Top[i:]), ranking(want.Top[i:]))
	compare("P50", got.P50, want.P50)
	compare("P95", got.P95, want.P95)
	compare("P99", got.P99, want.P99)
	compare("First", got.First.UTC().Format(time.RFC3339), want.First.Format(time.RFC3339))
	compare("Last", got.Last.UTC().Format(time.RFC3339), want.Last.Format(time.RFC3339))
	return strings.Join(gs, "\n"), strings.Join(ws, "\n")
}

// ranking shows counts, of many the first.
func ranking(top []logstat.Count) string {
	const most = 5
	var b strings.Builder
	for i, c := range top {
		if i == most {
			fmt.Fprintf(&b, ", %d more", len(top)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q: %d", c.Key, c.N)
		if c.Err != 0 {
			fmt.Fprintf(&b, " (Err %d)", c.Err)
		}
	}
	return "{" + b.String() + "}"
}

func requireQuantiles(t *testing.T, do string, r logstat.Report, took []time.Duration) {
	t.Helper()
	took = slices.Sorted(slices.Values(took))
	for _, q := range []struct {
		percent int
		got     time.Duration
	}{{50, r.P50}, {95, r.P95}, {99, r.P99}} {
		if want := exact(took, q.percent); !within1Percent(q.got, want) {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("P%d is %v", q.percent, q.got), Want: rule.Textf("%v, within 1 %%", want),
				Why: "The promise to the customer is about the 99th percentile, and it is checked to the millisecond.",
			})
		}
	}
}

func within1Percent(got, want time.Duration) bool {
	return math.Abs(float64(got)-float64(want)) <= float64(want)/100
}

// requireBounds requires that each count of top contains the true one.
func requireBounds(t *testing.T, do string, top []logstat.Count, truth map[string]int64, maxErr int64) {
	t.Helper()
	for _, c := range top {
		n := truth[c.Key]
		want := ""
		switch {
		case n > c.N || n < c.N-c.Err:
			want = fmt.Sprintf("N-Err <= %d <= N", n)
		case c.Err < 0 || c.Err > c.N:
			want = "0 <= Err <= N"
		case c.Err > maxErr:
			want = fmt.Sprintf("an Err of at most %d, which is Lines/MaxKeys", maxErr)
		default:
			continue
		}
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("%s with N %d and Err %d, which came %d times", c.Key, c.N, c.Err, n), Want: rule.Text(want),
			Why: "A count may be rough if it says how rough it is, and stays below what the report promises. One beyond that is a guess.",
		})
	}
}

type outcome struct{ stdout, stderr string }

func requireMain(t *testing.T, args []string, stdin string, code int) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := logstat.Main(args, strings.NewReader(stdin), &stdout, &stderr); got != code {
		rule.Broken(t, rule.Case{
			Do: callMain(args, stdin), Got: rule.Textf("exit code %d, stdout %q, stderr %q", got, stdout.String(), stderr.String()), Want: rule.Textf("exit code %d", code),
			Why: "The script that runs the command sees nothing but the exit code.",
		})
	}
	return outcome{stdout.String(), stderr.String()}
}

func callMain(args []string, stdin string) string {
	return fmt.Sprintf("Main(%#v, stdin, stdout, stderr) // stdin: %q", args, shorten(stdin, 400))
}

func shorten(s string, most int) string {
	if len(s) > most {
		return fmt.Sprintf("%s... (%d bytes in all)", s[:most], len(s))
	}
	return s
}

func requireOneWarning(t *testing.T, args []string, stderr, prefix string) {
	t.Helper()
	if !strings.HasPrefix(stderr, prefix) || strings.Count(stderr, "\n") != 1 {
		rule.Broken(t, rule.Case{Do: callMain(args, ""), Got: rule.Textf("stderr %q", stderr), Want: rule.Textf("one line that begins with %q", prefix), Why: "The person at the terminal looks for the bad line in the file."})
	}
}

var quantiles = []string{"p50_ns", "p95_ns", "p99_ns"}

func requireJSON(t *testing.T, args []string, got, want string) {
	t.Helper()
	g, err := decode(got)
	if err != nil {
		rule.Broken(t, rule.Case{
			Do: callMain(args, ""), Got: rule.Textf("stdout %q: %v", got, err), Want: rule.Text("one JSON object and a line end"),
			Why: "jq reads stdout, and everything in it that is not JSON breaks the pipe.",
		})
	}
	w, err := decode(want)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range quantiles {
		gq, _ := g[name].(float64)
		wq, _ := w[name].(float64)
		if _, there := g[name]; there && within1Percent(time.Duration(gq), time.Duration(wq)) {
			g[name] = w[name]
		}
	}
	if diff := cmp.Diff(w, g); diff != "" {
		rule.Broken(t, rule.Case{
			Do: callMain(args, ""), Got: rule.Textf("other JSON (-want +got):\n%s", diff), Want: rule.Text("the same, with quantiles within 1 %"),
			Why: "Dashboards read these names.",
		})
	}
}

func decode(text string) (map[string]any, error) {
	if !strings.HasSuffix(text, "\n") {
		return nil, errors.New("no line end")
	}
	var v map[string]any
	err := json.Unmarshal([]byte(text), &v)
	return v, err
}

var latencies = regexp.MustCompile(`(?m)^p50 (\S+), p95 (\S+), p99 (\S+)$`)

func requireText(t *testing.T, args []string, got, want string) {
	t.Helper()
	g, w := latencies.FindStringSubmatch(got), latencies.FindStringSubmatch(want)
	same := g != nil && len(g) == len(w)
	for i := 1; same && i < len(w); i++ {
		gd, gerr := time.ParseDuration(g[i])
		wd, werr := time.ParseDuration(w[i])
		same = gerr == nil && werr == nil && within1Percent(gd, wd)
	}
	if !same || latencies.ReplaceAllString(got, "") != latencies.ReplaceAllString(want, "") {
		rule.Broken(t, rule.Case{
			Do: callMain(args, ""), Got: rule.Text(got), Want: rule.Text(want + "// with quantiles within 1 %"),
			Why: "People compare two reports with diff.",
		})
	}
}
