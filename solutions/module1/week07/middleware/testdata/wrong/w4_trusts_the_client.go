// Wrong: believes that an id cannot do any harm, whoever has made it.
// Caught by: TestRequestID_AcceptsValidRejectsHostile

// Package middleware is what every request of the service goes through before
// it reaches a handler. Handlers can stream, hijack the connection and abort
// as if the chain were not there; only Timeout takes these away.
package middleware

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Middleware puts something around a handler. It is called once for a handler,
// when the server is set up; what it returns is safe for concurrent use.
type Middleware = func(http.Handler) http.Handler

// Chain puts the middlewares around h. A request meets the first one first.
func Chain(h http.Handler, mws ...Middleware) http.Handler {
	for _, mw := range slices.Backward(mws) {
		h = mw(h)
	}
	return h
}

// SecurityHeaders gives every answer the headers of an API that no browser
// renders. Handlers may replace them.
func SecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

type requestIDKey struct{}

// RequestID gives every request an id: the client's X-Request-ID if it is
// well-formed, otherwise a new one. The id is in the context of the request and
// in the header X-Request-ID of the answer.
func RequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if id == "" {
			id = "req_" + strings.ToLower(rand.Text())
		}
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

// RequestIDFrom returns the id of the request that ctx belongs to, or "" if
// there is none.
func RequestIDFrom(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// AccessLog reports every request when it has ended, also if it ends with a
// panic, which goes on: one TaskTracker line to line, and one record to log.
// It asks now for the time at the beginning and at the end. A line is one call
// of Write, and there is one call at a time; errors of Write are ignored.
func AccessLog(line io.Writer, log *slog.Logger, now func() time.Time) Middleware {
	var (
		mu  sync.Mutex // guards buf and line
		buf []byte
	)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := now()
			resp := &response{ResponseWriter: w}
			returned := false
			defer func() {
				e := entry{Request: r, start: start, took: max(now().Sub(start), 0), status: resp.status, bytes: resp.bytes}
				switch {
				case e.status != 0:
				case returned:
					e.status = http.StatusOK
				default:
					e.status = http.StatusInternalServerError
				}
				if r.Method == http.MethodHead {
					e.bytes = 0
				}
				func() {
					mu.Lock()
					defer mu.Unlock()
					buf = e.appendLine(buf[:0])
					_, _ = line.Write(buf)
				}()
				e.log(log, !returned)
			}()
			next.ServeHTTP(resp, r)
			returned = true
		})
	}
}

type entry struct {
	*http.Request
	start  time.Time
	took   time.Duration
	status int
	bytes  int64
}

func (e *entry) appendLine(b []byte) []byte {
	b = appendHost(b, e.RemoteAddr)
	b = e.start.AppendFormat(append(b, " - - ["...), "02/Jan/2006:15:04:05 -0700")
	b = append(b, `] "`...)
	b = appendEscaped(b, e.Method)
	b = appendEscaped(append(b, ' '), e.RequestURI)
	b = appendEscaped(append(b, ' '), e.Proto)
	b = strconv.AppendInt(append(b, `" `...), int64(e.status), 10)
	b = strconv.AppendInt(append(b, ' '), e.bytes, 10)
	b = appendQuoted(append(b, ' '), e.Referer())
	b = appendQuoted(append(b, ' '), e.UserAgent())
	ms := e.took.Milliseconds()
	b = fmt.Appendf(b, " %d.%03d ", ms/1000, ms%1000)
	b = appendQuoted(b, RequestIDFrom(e.Context()))
	return append(b, '\n')
}

func (e *entry) log(log *slog.Logger, aborted bool) {
	attrs := [...]slog.Attr{
		slog.String("method", e.Method),
		slog.String("path", e.URL.Path),
		slog.Int("status", e.status),
		slog.Int64("bytes", e.bytes),
		slog.Duration("duration", e.took),
		slog.String("request_id", RequestIDFrom(e.Context())),
		slog.Bool("aborted", aborted),
	}
	level := slog.LevelInfo
	if aborted || e.status >= 500 {
		level = slog.LevelError
	}
	log.LogAttrs(e.Context(), level, "request", attrs[:]...)
}

// appendHost appends the address of the client without port and zone. Whatever
// is not an address may have been written by the client.
func appendHost(b []byte, remote string) []byte {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return append(b, '-')
	}
	return addr.WithZone("").AppendTo(b)
}

// appendQuoted appends s in quotes, or "-" if it is empty.
func appendQuoted(b []byte, s string) []byte {
	if s == "" {
		s = "-"
	}
	return append(appendEscaped(append(b, '"'), s), '"')
}

// appendEscaped appends s with the escapes of Apache's mod_log_config.
func appendEscaped(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for _, c := range []byte(s) {
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, `\b`...)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		case '\v':
			b = append(b, `\v`...)
		default:
			if c < ' ' || c > '~' {
				b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
			} else {
				b = append(b, c)
			}
		}
	}
	return b
}

// Recover answers 500 when a handler panics before its answer has begun.
// Afterwards, and for http.ErrAbortHandler, it panics with http.ErrAbortHandler,
// so that the client sees a broken connection and not a complete answer. Other
// values are reported to log.
func Recover(log *slog.Logger) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			resp := &response{ResponseWriter: w}
			defer func() {
				v := recover()
				if v == nil {
					return
				}
				if v == http.ErrAbortHandler {
					panic(v)
				}
				log.LogAttrs(r.Context(), slog.LevelError, "panic",
					slog.String("panic", fmt.Sprint(v)),
					slog.String("stack", string(debug.Stack())),
					slog.String("method", r.Method),
					slog.String("path", r.URL.Path),
					slog.String("request_id", RequestIDFrom(r.Context())),
				)
				if resp.status != 0 {
					panic(http.ErrAbortHandler)
				}
				problem(w, http.StatusInternalServerError, "internal")
			}()
			next.ServeHTTP(resp, r)
		})
	}
}

// BodyLimit refuses requests whose body is longer than n bytes: with 413 if the
// client says so in advance; otherwise the read after n bytes fails with a
// *http.MaxBytesError.
func BodyLimit(n int64) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > n {
				problem(w, http.StatusRequestEntityTooLarge, "body_too_large")
				return
			}
			limited := *r
			limited.Body = http.MaxBytesReader(w, r.Body, n)
			next.ServeHTTP(w, &limited)
		})
	}
}

// Timeout answers 503 when the handler has not returned after d, or when the
// context of the request ends before. The context of the handler is done then,
// and its writes fail with http.ErrHandlerTimeout. The answer is collected until
// the handler returns, so Flush and Hijack are not supported.
func Timeout(d time.Duration) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), d)
			defer cancel()
			answer := &collected{ctx: ctx, header: make(http.Header)}
			done := make(chan any, 1) // has room, so a late handler can always end
			go func() {
				defer func() { done <- recover() }()
				next.ServeHTTP(answer, r.WithContext(ctx))
			}()
			select {
			case v := <-done: // answer is ours from here on
				if v != nil {
					panic(v)
				}
				if ctx.Err() == nil {
					answer.send(w)
					return
				}
			case <-ctx.Done():
			}
			problem(w, http.StatusServiceUnavailable, "unavailable")
		})
	}
}

// collected is a ResponseWriter that keeps the answer. It has no Unwrap: the
// writer below must be out of the handler's reach.
type collected struct {
	ctx    context.Context
	header http.Header
	status int         // 0 until the header is written
	sent   http.Header // header, when it was written
	body   bytes.Buffer
}

func (c *collected) Header() http.Header { return c.header }

func (c *collected) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %d", status)) // as net/http does
	}
	if c.status != 0 || status < 200 {
		return
	}
	c.status, c.sent = status, c.header.Clone()
}

func (c *collected) Write(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, http.ErrHandlerTimeout
	}
	c.WriteHeader(http.StatusOK)
	return c.body.Write(p)
}

func (c *collected) send(w http.ResponseWriter) {
	c.WriteHeader(http.StatusOK)
	maps.Copy(w.Header(), c.sent)
	w.WriteHeader(c.status)
	_, _ = w.Write(c.body.Bytes()) // the client may have left
}

// response is a ResponseWriter that remembers what was sent.
type response struct {
	http.ResponseWriter
	status int   // of the answer; 0 until it has begun
	bytes  int64 // of the body
}

// Unwrap lets http.ResponseController find what response does not have.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) begin(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
}

func (w *response) WriteHeader(status int) {
	w.ResponseWriter.WriteHeader(status) // panics if the status is not valid
	w.begin(status)
}

func (w *response) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom keeps the fast path of net/http, which lets the kernel copy files.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	before := w.status
	w.begin(http.StatusOK) // src may panic with half of it on its way
	n, err := io.Copy(w.ResponseWriter, src)
	if n == 0 {
		w.status = before
	}
	w.bytes += n
	return n, err
}

func (w *response) FlushError() error {
	err := http.NewResponseController(w.ResponseWriter).Flush()
	if !errors.Is(err, errors.ErrUnsupported) {
		w.begin(http.StatusOK)
	}
	return err
}

func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.begin(http.StatusSwitchingProtocols)
	}
	return conn, rw, err
}

// problem writes an answer in place of the handler's, of whose headers it
// removes those that describe another body.
func problem(w http.ResponseWriter, status int, code string) {
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Title     string `json:"title"`
		Status    int    `json:"status"`
		Code      string `json:"code"`
		RequestID string `json:"request_id,omitempty"`
	}{http.StatusText(status), status, code, h.Get("X-Request-Id")})
}
