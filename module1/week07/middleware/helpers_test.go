package middleware_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/pipenet"
	"github.com/middle-go/course/grader/labkit/rule"
)

// begin is when the clock of the tests starts, in a zone that is not UTC.
var begin = time.Date(2026, time.November, 23, 8, 15, 2, 0, time.FixedZone("", -3*3600-1800))

// logged is what AccessLog and Recover have reported in one test.
type logged struct {
	lines   lineWriter
	records records
	clock   clock
}

// requireLine returns the fields of the only line.
func (l *logged) requireLine(t *testing.T, do string) line {
	t.Helper()
	text := l.lines.String()
	got, ok := parse(text)
	if !ok {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("the log has %q", text), Want: rule.Text(`one line: host - - [time] "request" status bytes "referer" "user agent" 0.012 "request id", and \n`),
			Why: "The report of errors, the bill and the alarm read this log. A line of another form is one request less, or one more.",
		})
	}
	return got
}

// requireRecord returns the only record with this message.
func (l *logged) requireRecord(t *testing.T, do, message string) record {
	t.Helper()
	got := l.records.of(message)
	if len(got) != 1 {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("%d records %q; the log has %v", len(got), message, l.records.all()), Want: rule.Textf("1 record %q", message),
			Why: "People search for one request by its id, and count requests by their records.",
		})
	}
	return got[0]
}

// line is one line of the TaskTracker dialect, with the escapes undone.
type line struct {
	host, ident, user, time, request, status, bytes, referer, userAgent, seconds, requestID string
}

var dialect = func() *regexp.Regexp {
	const quoted = `"((?:[ !#-\[\]-~]|\\["\\bnrtv]|\\x[0-9a-fA-F]{2})*)"`
	return regexp.MustCompile(`^([!-~]+) ([!-~]+) ([!-~]+) \[([^]]+)\] ` + quoted +
		` ([0-9]{3}) ([0-9]{1,18}) ` + quoted + ` ` + quoted + ` ([0-9]{1,9}\.[0-9]{3}) ` + quoted + `\n$`)
}()

// parse reads a log of one line, as strictly as exercise 2.1 and then some:
// only printable ASCII may be outside of an escape.
func parse(text string) (line, bool) {
	m := dialect.FindStringSubmatch(text)
	if m == nil {
		return line{}, false
	}
	return line{
		host: m[1], ident: m[2], user: m[3], time: m[4], request: unescape(m[5]), status: m[6], bytes: m[7],
		referer: unescape(m[8]), userAgent: unescape(m[9]), seconds: m[10], requestID: unescape(m[11]),
	}, true
}

var escape = regexp.MustCompile(`\\(?:["\\bnrtv]|x[0-9a-fA-F]{2})`)

func unescape(s string) string {
	return escape.ReplaceAllStringFunc(s, func(e string) string {
		if e[1] == 'x' {
			n, _ := strconv.ParseUint(e[2:], 16, 8)
			return string([]byte{byte(n)})
		}
		return map[byte]string{'"': `"`, '\\': `\`, 'b': "\b", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v"}[e[1]]
	})
}

// apache escapes s for the log.
func apache(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch at := strings.IndexByte("\"\\\b\n\r\t\v", c); {
		case at >= 0:
			b.WriteString(`\` + `"\bnrtv`[at:at+1])
		case c < 0x20 || c > 0x7e:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// lineWriter is the log file. It notices calls of Write at the same time.
type lineWriter struct {
	mu      sync.Mutex
	writes  []string
	busy    int
	overlap bool
	yield   func() // inside of a Write
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.busy++
	w.overlap = w.overlap || w.busy > 1
	w.writes = append(w.writes, string(p))
	yield := w.yield
	w.mu.Unlock()
	if yield != nil {
		yield()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy--
	return len(p), nil
}

func (w *lineWriter) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.writes, "")
}

// record is one slog record: its attributes, and "msg" and "level".
type record map[string]any

// records is a slog.Handler that keeps everything.
type records struct {
	mu   sync.Mutex
	list []record
}

func (h *records) logger() *slog.Logger { return slog.New(attrHandler{h: h}) }

func (h *records) all() []record {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.list[:len(h.list):len(h.list)]
}

func (h *records) of(message string) (found []record) {
	for _, r := range h.all() {
		if r["msg"] == message {
			found = append(found, r)
		}
	}
	return found
}

type attrHandler struct {
	h     *records
	attrs []slog.Attr
}

func (a attrHandler) Enabled(context.Context, slog.Level) bool { return true }

func (a attrHandler) WithGroup(string) slog.Handler { return a }

func (a attrHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return attrHandler{h: a.h, attrs: append(a.attrs[:len(a.attrs):len(a.attrs)], attrs...)}
}

func (a attrHandler) Handle(_ context.Context, r slog.Record) error {
	got := record{"msg": r.Message, "level": r.Level}
	for _, attr := range a.attrs {
		got[attr.Key] = attr.Value.Resolve().Any()
	}
	r.Attrs(func(attr slog.Attr) bool {
		got[attr.Key] = attr.Value.Resolve().Any()
		return true
	})
	a.h.mu.Lock()
	defer a.h.mu.Unlock()
	a.h.list = append(a.h.list, got)
	return nil
}

// clock stands still until it is moved.
type clock struct {
	mu     sync.Mutex
	passed time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return begin.Add(c.passed)
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed += d
}

// outcome is what a handler did to a request.
type outcome struct {
	*httptest.ResponseRecorder
	panicked any
}

// finalOnly lets 1xx answers pass by, as a client does; a recorder takes them
// for the answer.
type finalOnly struct{ *httptest.ResponseRecorder }

func (w finalOnly) WriteHeader(status int) {
	if status < 100 || status >= 200 || status == http.StatusSwitchingProtocols {
		w.ResponseRecorder.WriteHeader(status)
	}
}

func serve(h http.Handler, r *http.Request) (o outcome) {
	o.ResponseRecorder = httptest.NewRecorder()
	defer func() { o.panicked = recover() }()
	h.ServeHTTP(finalOnly{o.ResponseRecorder}, r)
	return o
}

func get(target string) *http.Request { return httptest.NewRequest(http.MethodGet, target, nil) }

// newNetwork returns a network for one bubble. A server that closes a connection
// early lingers for half a second, and the bubble must not end before.
func newNetwork(t *testing.T) *pipenet.Network {
	t.Cleanup(func() { <-time.After(time.Minute) })
	return pipenet.New(t)
}

// requireProblem fails unless the answer is the problem document of a status.
func requireProblem(t *testing.T, do string, status int, header http.Header, body []byte, wantStatus int, code, why string) {
	t.Helper()
	var doc struct {
		Status int
		Code   string
	}
	err := json.Unmarshal(body, &doc)
	if kind := header.Get("Content-Type"); status != wantStatus || kind != "application/problem+json" || err != nil || doc.Status != wantStatus || doc.Code != code {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("status %d, Content-Type %q, body %q", status, kind, body),
			Want: rule.Textf("status %d, Content-Type %q, body {\"status\":%d,\"code\":%q} with or without more members", wantStatus, "application/problem+json", wantStatus, code),
			Why:  why,
		})
	}
}

// plainWriter is a ResponseWriter with a ReadFrom, and nothing else.
type plainWriter struct {
	header   http.Header
	status   int
	body     bytes.Buffer
	readFrom int
}

func (w *plainWriter) Header() http.Header { return w.header }

func (w *plainWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *plainWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

func (w *plainWriter) ReadFrom(src io.Reader) (int64, error) {
	w.readFrom++
	return io.Copy(struct{ io.Writer }{w}, src)
}

var errBroken = errors.New("broken pipe")

// brokenWriter takes four bytes of each call.
type brokenWriter struct{ plainWriter }

func (w *brokenWriter) Write(p []byte) (int, error) {
	n, _ := w.plainWriter.Write(p[:min(len(p), 4)])
	return n, errBroken
}

func (w *brokenWriter) ReadFrom(src io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{w}, src)
}

// timedWriter is a ResponseWriter that remembers every call, and when it came.
type timedWriter struct {
	start time.Time

	mu     sync.Mutex
	header http.Header
	calls  []string
}

func newTimedWriter() *timedWriter {
	return &timedWriter{start: time.Now(), header: make(http.Header)}
}

func (w *timedWriter) add(call string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, fmt.Sprintf("%s after %v", call, time.Since(w.start)))
}

func (w *timedWriter) Header() http.Header { return w.header }

func (w *timedWriter) WriteHeader(status int) { w.add(fmt.Sprintf("WriteHeader(%d)", status)) }

func (w *timedWriter) Write(p []byte) (int, error) {
	w.add(fmt.Sprintf("Write(%q)", p))
	return len(p), nil
}

func (w *timedWriter) Flush() { w.add("Flush()") }

func (w *timedWriter) seen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[:len(w.calls):len(w.calls)]
}
