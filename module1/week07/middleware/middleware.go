// Package middleware is what every request of the service goes through before
// it reaches a handler. Handlers can stream, hijack the connection and abort
// as if the chain were not there; only Timeout takes these away.
package middleware

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// Middleware puts something around a handler. It is called once for a handler,
// when the server is set up; what it returns is safe for concurrent use.
type Middleware = func(http.Handler) http.Handler

// Chain puts the middlewares around h. A request meets the first one first.
func Chain(h http.Handler, mws ...Middleware) http.Handler {
	return h
}

// SecurityHeaders gives every answer the headers of an API that no browser
// renders. Handlers may replace them.
func SecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(notImplemented)
}

// RequestID gives every request an id: the client's X-Request-ID if it is
// well-formed, otherwise a new one. The id is in the context of the request and
// in the header X-Request-ID of the answer.
func RequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(notImplemented)
}

// RequestIDFrom returns the id of the request that ctx belongs to, or "" if
// there is none.
func RequestIDFrom(ctx context.Context) string {
	return ""
}

// AccessLog reports every request when it has ended, also if it ends with a
// panic, which goes on: one TaskTracker line to line, and one record to log.
// It asks now for the time at the beginning and at the end. A line is one call
// of Write, and there is one call at a time; errors of Write are ignored.
func AccessLog(line io.Writer, log *slog.Logger, now func() time.Time) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(notImplemented)
	}
}

// Recover answers 500 when a handler panics before its answer has begun.
// Afterwards, and for http.ErrAbortHandler, it panics with http.ErrAbortHandler,
// so that the client sees a broken connection and not a complete answer. Other
// values are reported to log.
func Recover(log *slog.Logger) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(notImplemented)
	}
}

// BodyLimit refuses requests whose body is longer than n bytes: with 413 if the
// client says so in advance; otherwise the read after n bytes fails with a
// *http.MaxBytesError.
func BodyLimit(n int64) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(notImplemented)
	}
}

// Timeout answers 503 when the handler has not returned after d, or when the
// context of the request ends before. The context of the handler is done then,
// and its writes fail with http.ErrHandlerTimeout. The answer is collected until
// the handler returns, so Flush and Hijack are not supported.
func Timeout(d time.Duration) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(notImplemented)
	}
}

func notImplemented(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNotImplemented)
}
