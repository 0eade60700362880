//course:since m04a

package httpapi

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/middle-go/course/tasktracker/web/problem"
)

// acceptJSON refuses requests whose client takes everything but JSON.
func acceptJSON(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if accept := strings.Join(r.Header.Values("Accept"), ","); accept != "" && !accepts(accept, jsonType) {
			e := errNotAcceptable
			problem.Write(w, problem.Problem{Status: e.status, Code: e.code, Detail: e.detail})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// accepts reports whether the most specific range of an Accept header that
// matches a type application/... allows it (RFC 9110, section 12.5.1). Ranges
// that cannot be read do not count.
func accepts(accept, mediaType string) bool {
	quality := map[string]float64{}
	for part := range strings.SplitSeq(accept, ",") {
		mediaRange, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		quality[mediaRange] = q
	}
	for _, mediaRange := range []string{mediaType, "application/*", "*/*"} {
		if q, ok := quality[mediaRange]; ok {
			return q > 0
		}
	}
	return false
}
