//course:since m04a

package middleware

import (
	"context"
	"net/http"
	"time"
)

// Deadline ends the context of every request after d. Handlers that look at it
// stop and answer; nobody stops those that do not.
func Deadline(d time.Duration) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), d)
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}
