//course:since m04a

package middleware

import (
	"net/http"

	"github.com/middle-go/course/tasktracker/web/problem"
)

// BodyLimit refuses requests whose body is longer than n bytes: with 413 if the
// client says so in advance; otherwise the read after n bytes fails with a
// *http.MaxBytesError.
func BodyLimit(n int64) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > n {
				problem.Write(w, problem.Problem{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large"})
				return
			}
			limited := *r
			limited.Body = http.MaxBytesReader(w, r.Body, n)
			next.ServeHTTP(w, &limited)
		})
	}
}
