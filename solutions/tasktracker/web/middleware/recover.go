//course:since m04a

package middleware

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/middle-go/course/tasktracker/web/problem"
)

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
				problem.Write(w, problem.Problem{Status: http.StatusInternalServerError, Code: "internal"})
			}()
			next.ServeHTTP(resp, r)
		})
	}
}
