// Wrong: believes that a write to stdout succeeds.
// Caught by: TestMain_ExitCodes/stdout_is_full

// Package logstat counts the lines of access logs: by status, by path, client
// or host, and by duration, in memory that does not grow with the logs.
package logstat

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/bits"
	"os"
	"slices"
	"strings"
	"time"
)

// Options are what Analyze counts, and how.
type Options struct {
	Name    string    // of the input, for warnings; "" means "input"
	By      string    // the key to count: "path", "ua" or "host"; "" means "path"
	Top     int       // how many keys to report; less than 1 means 10
	MaxKeys int       // how many keys to count at a time; less than 1 means 1000
	Since   time.Time // lines before it do not count; the zero time means all
}

// Count says how often a key came: at least N-Err times and at most N times.
type Count struct {
	Key    string
	N, Err int64
}

// Report is the result of an analysis. The zero Report is that of no lines. A
// copy of a Report is independent of the original under Merge.
type Report struct {
	Lines         int64         // good and bad ones
	Bad           int64         // lines that are none
	Bytes         int64         // of all bodies
	Classes       [6]int64      // lines by the first digit of the status; 0 is for all but 1 to 5
	Top           []Count       // by N from the highest, then by Key
	P50, P95, P99 time.Duration // quantiles of the duration, within 1 %
	First, Last   time.Time     // the earliest and the latest line, in UTC

	top, maxKeys int
	counts       []Count // like Top, with all keys that have a counter
	missed       int64   // no key without a counter came more often than this
	durations    *histogram
}

const (
	defaultTop     = 10
	defaultMaxKeys = 1000

	maxLine     = 64 << 10 // without the line end
	maxWarnings = 5
	maxShown    = 80 // bytes of a bad line
)

// Analyze reads in to its end, and reports what it says. It writes a line to
// warn for each of the first 5 bad lines. If reading fails or ctx ends, it
// returns that error with the Report of the lines that were read completely. An
// unknown By is an error too.
func Analyze(ctx context.Context, opts Options, in io.Reader, warn io.Writer) (Report, error) {
	if opts.Top < 1 {
		opts.Top = defaultTop
	}
	if opts.MaxKeys < 1 {
		opts.MaxKeys = defaultMaxKeys
	}
	opts.Name = cmp.Or(opts.Name, "input")
	keyOf, err := keyFunc(opts.By)
	if err != nil {
		return Report{}, err
	}

	r := Report{top: opts.Top, maxKeys: opts.MaxKeys, durations: new(histogram)}
	keys := newSummary(opts.MaxKeys)
	var l Line
	err = eachLine(ctx, in, func(number int64, text []byte, err error) {
		if err == nil {
			err = ParseLine(text, &l)
		}
		switch {
		case err != nil:
			r.Lines++
			r.Bad++
			if r.Bad <= maxWarnings {
				// Quoted, because a log may have control sequences for a terminal.
				fmt.Fprintf(warn, "%s:%d: %v: %+q\n", opts.Name, number, err, text[:min(len(text), maxShown)])
			}
		case !l.Time.Before(opts.Since):
			r.add(&l)
			keys.add(keyOf(&l))
		}
	})
	r.counts, r.missed = keys.counts(), keys.missed
	r.summarize()
	return r, err
}

func keyFunc(by string) (func(*Line) []byte, error) {
	switch by {
	case "", "path":
		return func(l *Line) []byte { return l.Path }, nil
	case "ua":
		return func(l *Line) []byte { return l.UserAgent }, nil
	case "host":
		return func(l *Line) []byte { return l.Host }, nil
	}
	return nil, fmt.Errorf("cannot count by %q: want path, ua or host", by)
}

var errLongLine = fmt.Errorf("line: longer than %d bytes", maxLine)

// eachLine calls f with each line and its number. Of a line that is too long it
// passes the beginning, and errLongLine. A line that an error cuts off is none.
func eachLine(ctx context.Context, in io.Reader, f func(number int64, text []byte, err error)) error {
	buf := bufio.NewReaderSize(in, maxLine+1)
	for number := int64(1); ; number++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		var tooLong error
		text, err := buf.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			text, tooLong = bytes.Clone(text[:maxShown]), errLongLine
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = buf.ReadSlice('\n')
		}
		if err == io.EOF && len(text) == 0 {
			return nil
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("line %d: %w", number, err)
		}
		f(number, bytes.TrimSuffix(text, []byte{'\n'}), tooLong)
	}
}

func (r *Report) add(l *Line) {
	r.Lines++
	r.Bytes += l.Bytes
	class := l.Status / 100
	if class > 5 {
		class = 0
	}
	r.Classes[class]++
	r.durations.add(l.Duration)
	r.span(l.Time, l.Time)
}

// span widens the time from First to Last.
func (r *Report) span(first, last time.Time) {
	if r.First.IsZero() || first.Before(r.First) {
		r.First = first
	}
	if last.After(r.Last) {
		r.Last = last
	}
}

// summarize sets what follows from the other fields.
func (r *Report) summarize() {
	r.Top = slices.Clone(r.counts[:min(r.top, len(r.counts))])
	r.P50, r.P95, r.P99 = r.durations.quantile(50), r.durations.quantile(95), r.durations.quantile(99)
}

// Merge adds the lines of o to r. Both come from Analyze with the same Top,
// MaxKeys and By, or from Merge, or are zero. o stays as it is.
func (r *Report) Merge(o Report) {
	if o.durations == nil {
		return
	}
	if r.durations == nil {
		r.top, r.maxKeys, r.durations = o.top, o.maxKeys, new(histogram)
	}
	r.Lines += o.Lines
	r.Bad += o.Bad
	r.Bytes += o.Bytes
	for i, n := range o.Classes {
		r.Classes[i] += n
	}
	if !o.First.IsZero() {
		r.span(o.First, o.Last)
	}
	r.mergeCounts(o)
	r.durations = r.durations.plus(o.durations)
	r.summarize()
}

func (r *Report) mergeCounts(o Report) {
	all := make(map[string]Count, len(r.counts)+len(o.counts))
	for _, c := range r.counts {
		all[c.Key] = Count{c.Key, c.N + o.missed, c.Err + o.missed}
	}
	for _, c := range o.counts {
		missed := Count{N: r.missed, Err: r.missed}
		if mine, ok := all[c.Key]; ok {
			missed = Count{N: mine.N - o.missed, Err: mine.Err - o.missed}
		}
		all[c.Key] = Count{c.Key, c.N + missed.N, c.Err + missed.Err}
	}
	r.missed += o.missed
	r.counts = make([]Count, 0, len(all))
	for _, c := range all {
		r.counts = append(r.counts, c)
	}
	slices.SortFunc(r.counts, byRank)
	if len(r.counts) > r.maxKeys {
		r.missed = max(r.missed, r.counts[r.maxKeys].N)
		r.counts = slices.Clone(r.counts[:r.maxKeys])
	}
}

func byRank(a, b Count) int {
	return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Key, b.Key))
}

// summary counts keys with a fixed number of counters. It is the space-saving
// algorithm: a key without a counter takes over the lowest one, with its count
// as the error. So every key that came more often than the lowest counter says
// has a counter.
type summary struct {
	size   int
	missed int64
	byKey  map[string]*counter
	lowest counterHeap
}

type counter struct {
	Count
	index int // in the heap
}

func newSummary(size int) *summary {
	return &summary{size: size, byKey: make(map[string]*counter)}
}

func (s *summary) add(key []byte) {
	if c, ok := s.byKey[string(key)]; ok {
		c.N++
		heap.Fix(&s.lowest, c.index)
		return
	}
	if len(s.lowest) < s.size {
		c := &counter{Count: Count{Key: string(key), N: 1}}
		s.byKey[c.Key] = c
		heap.Push(&s.lowest, c)
		return
	}
	c := s.lowest[0]
	s.missed = c.N
	delete(s.byKey, c.Key)
	c.Count = Count{Key: string(key), N: c.N + 1, Err: c.N}
	s.byKey[c.Key] = c
	heap.Fix(&s.lowest, 0)
}

func (s *summary) counts() []Count {
	counts := make([]Count, 0, len(s.lowest))
	for _, c := range s.lowest {
		counts = append(counts, c.Count)
	}
	slices.SortFunc(counts, byRank)
	return counts
}

type counterHeap []*counter

func (h counterHeap) Len() int           { return len(h) }
func (h counterHeap) Less(i, j int) bool { return h[i].N < h[j].N }
func (h counterHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *counterHeap) Push(x any) {
	c := x.(*counter)
	c.index = len(*h)
	*h = append(*h, c)
}

func (h *counterHeap) Pop() any { panic("logstat: a counter is never removed") }

// histogram counts durations in buckets. Durations below 128 ns have a bucket
// each. From there on each power of two has 64 buckets, so the middle of a
// bucket is within 1/128 of all that is in it.
type histogram [58 * perPower]int64

const (
	perPower     = 1 << perPowerBits
	perPowerBits = 6
)

func (h *histogram) add(d time.Duration) {
	v := uint64(d)
	shift := max(bits.Len64(v)-perPowerBits-1, 0)
	h[shift*perPower+int(v>>shift)]++
}

// middle returns the middle of bucket i.
func middle(i int) time.Duration {
	shift := max(i/perPower-1, 0)
	width := time.Duration(1) << shift
	return time.Duration(i-shift*perPower)*width + width/2
}

// quantile returns a duration that percent of all durations do not exceed, and 0
// if there are none.
func (h *histogram) quantile(percent int64) time.Duration {
	var total int64
	for _, n := range h {
		total += n
	}
	rank := (total*percent + 99) / 100
	i := 0
	for rank > h[i] {
		rank -= h[i]
		i++
	}
	return middle(i)
}

func (h *histogram) plus(o *histogram) *histogram {
	sum := *h
	for i, n := range o {
		sum[i] += n
	}
	return &sum
}

const (
	exitOK = iota
	exitIO
	exitUsage
	exitBad
)

type config struct {
	opts   Options
	json   bool
	maxBad float64
	inputs []string
}

// Main is the command logstat without the process around it: args are the
// arguments behind its name. It returns the exit code: 0, 1 if reading or
// writing failed, 2 for wrong arguments, 3 for too many bad lines.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	cfg, err := parseArgs(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		fmt.Fprintln(stderr, "logstat:", err)
		return exitUsage
	}

	var total Report
	code := exitOK
	for _, name := range cfg.inputs {
		r, err := analyzeInput(cfg.opts, name, stdin, stderr)
		if err != nil {
			fmt.Fprintf(stderr, "logstat: %s: %v\n", name, err)
			code = exitIO
		}
		total.Merge(r)
	}
	_ = write(stdout, total, cfg)
	if float64(total.Bad) > cfg.maxBad*float64(total.Lines) {
		fmt.Fprintf(stderr, "logstat: %d of %d lines are bad\n", total.Bad, total.Lines)
		code = cmp.Or(code, exitBad)
	}
	return code
}

func parseArgs(args []string, stderr io.Writer) (config, error) {
	var cfg config
	fs := flag.NewFlagSet("logstat", flag.ContinueOnError)
	var help bytes.Buffer // an error has its help in it too, which nobody asked for
	fs.SetOutput(&help)
	fs.Usage = func() {
		fmt.Fprintln(&help, "usage: logstat [flags] [FILE ...]")
		fs.PrintDefaults()
	}
	fs.StringVar(&cfg.opts.By, "by", "path", "count by `key`: path, ua or host")
	fs.IntVar(&cfg.opts.Top, "top", defaultTop, "report the `n` most frequent keys")
	fs.IntVar(&cfg.opts.MaxKeys, "max-keys", defaultMaxKeys, "count `n` keys at a time")
	fs.BoolVar(&cfg.json, "json", false, "write JSON")
	fs.Float64Var(&cfg.maxBad, "max-bad", 0.01, "fail above this `share` of bad lines, from 0 to 1")
	fs.Func("since", "leave out lines before this `time`, in RFC 3339", func(s string) (err error) {
		cfg.opts.Since, err = time.Parse(time.RFC3339, s)
		return err
	})
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			_, _ = help.WriteTo(stderr)
		}
		return cfg, err
	}
	cfg.inputs = fs.Args()
	if len(cfg.inputs) == 0 {
		cfg.inputs = []string{"-"}
	}

	if _, err := keyFunc(cfg.opts.By); err != nil {
		return cfg, fmt.Errorf("-by: %w", err)
	}
	if cfg.opts.Top < 1 {
		return cfg, fmt.Errorf("-top %d: want 1 or more", cfg.opts.Top)
	}
	if cfg.opts.MaxKeys < 1 {
		return cfg, fmt.Errorf("-max-keys %d: want 1 or more", cfg.opts.MaxKeys)
	}
	if !(cfg.maxBad >= 0 && cfg.maxBad <= 1) { // catches NaN as well
		return cfg, fmt.Errorf("-max-bad %v: want 0 to 1", cfg.maxBad)
	}
	return cfg, nil
}

// analyzeInput analyzes the file with this name, or stdin if it is "-".
func analyzeInput(opts Options, name string, stdin io.Reader, warn io.Writer) (Report, error) {
	opts.Name = name
	in := stdin
	if name == "-" {
		opts.Name = "stdin"
	} else {
		f, err := os.Open(name)
		if err != nil {
			return Report{}, err
		}
		defer f.Close()
		in = f
	}
	in, err := gunzip(in)
	if err != nil {
		return Report{}, err
	}
	return Analyze(context.Background(), opts, in, warn)
}

// gunzip decompresses in if it begins as gzip does.
func gunzip(in io.Reader) (io.Reader, error) {
	buf := bufio.NewReader(in)
	magic, err := buf.Peek(2)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if string(magic) != "\x1f\x8b" {
		return buf, nil
	}
	return gzip.NewReader(buf)
}

func write(w io.Writer, r Report, cfg config) error {
	var out bytes.Buffer
	if cfg.json {
		writeJSON(&out, r)
	} else {
		writeText(&out, r, cfg.opts.By)
	}
	_, err := w.Write(out.Bytes())
	return err
}

type jsonReport struct {
	Lines   int64       `json:"lines"`
	Bad     int64       `json:"bad"`
	Bytes   int64       `json:"bytes"`
	Classes [6]int64    `json:"classes"`
	Top     []jsonCount `json:"top"`
	P50     int64       `json:"p50_ns"`
	P95     int64       `json:"p95_ns"`
	P99     int64       `json:"p99_ns"`
	First   *time.Time  `json:"first"`
	Last    *time.Time  `json:"last"`
}

type jsonCount struct {
	Key string `json:"key"`
	N   int64  `json:"n"`
	Err int64  `json:"err"`
}

func writeJSON(out *bytes.Buffer, r Report) {
	j := jsonReport{
		Lines: r.Lines, Bad: r.Bad, Bytes: r.Bytes, Classes: r.Classes, Top: []jsonCount{},
		P50: int64(r.P50), P95: int64(r.P95), P99: int64(r.P99),
	}
	for _, c := range r.Top {
		j.Top = append(j.Top, jsonCount(c))
	}
	if !r.First.IsZero() {
		j.First, j.Last = &r.First, &r.Last
	}
	_ = json.NewEncoder(out).Encode(j) // has nothing that JSON cannot hold
}

func writeText(out *bytes.Buffer, r Report, by string) {
	fmt.Fprintf(out, "lines %d, bad %d, bytes %d\n", r.Lines, r.Bad, r.Bytes)
	first, last := "-", "-"
	if !r.First.IsZero() {
		first, last = r.First.Format(time.RFC3339), r.Last.Format(time.RFC3339)
	}
	fmt.Fprintf(out, "first %s, last %s\n", first, last)
	c := r.Classes
	fmt.Fprintf(out, "1xx %d, 2xx %d, 3xx %d, 4xx %d, 5xx %d, other %d\n", c[1], c[2], c[3], c[4], c[5], c[0])
	fmt.Fprintf(out, "p50 %v, p95 %v, p99 %v\n", r.P50, r.P95, r.P99)
	fmt.Fprintf(out, "top %s\n", by)
	for _, c := range r.Top {
		if c.Err > 0 {
			fmt.Fprintf(out, "%d..", c.N-c.Err)
		}
		fmt.Fprintf(out, "%d\t%s\n", c.N, c.Key)
	}
}
