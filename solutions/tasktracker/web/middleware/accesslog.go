//course:since m04a

package middleware

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

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
