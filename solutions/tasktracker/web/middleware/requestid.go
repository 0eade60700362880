//course:since m04a

package middleware

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
)

type requestIDKey struct{}

// RequestID gives every request an id: the client's X-Request-ID if it is
// well-formed, otherwise a new one. The id is in the context of the request and
// in the header X-Request-ID of the answer.
func RequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ids := r.Header["X-Request-Id"]
		var id string
		if len(ids) == 1 && validID(ids[0]) {
			id = ids[0]
		} else {
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

func validID(id string) bool {
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return 1 <= len(id) && len(id) <= 64
}
