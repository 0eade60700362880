//course:since m04a

package idempotency

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/middle-go/course/tasktracker/web/problem"
)

// Middleware makes POST and PATCH requests that carry an Idempotency-Key safe
// to repeat. The scope tells whose key it is, and a body is limited to maxBody
// bytes. All other requests pass untouched.
//
// The handler writes into a buffer: its answer leaves when it is complete and
// stored, so Flush and Hijack are not supported. Errors of Finish and Abort do
// not reach the client; wrap the Store to see them.
func Middleware(s Store, scope func(*http.Request) string, maxBody int64) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return &guard{store: s, scope: scope, maxBody: maxBody, next: next}
	}
}

// publishTimeout limits a Finish or an Abort, which no longer end with the
// request.
const publishTimeout = 5 * time.Second

type guard struct {
	store   Store
	scope   func(*http.Request) string
	maxBody int64
	next    http.Handler
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) == 0 || r.Method != http.MethodPost && r.Method != http.MethodPatch {
		g.next.ServeHTTP(w, r)
		return
	}
	if len(keys) > 1 || !valid(keys[0]) {
		refuse(w, http.StatusBadRequest, "invalid_header")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, g.maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		refuse(w, http.StatusRequestEntityTooLarge, "body_too_large")
		return
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "malformed_json")
		return
	}

	n, fp := name{g.scope(r), keys[0]}, fingerprint(r, body)
	stored, state, err := g.store.Begin(r.Context(), n.scope, n.key, fp)
	switch {
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, "unavailable")
	case state == InFlight:
		refuse(w, http.StatusConflict, "idempotency_in_flight")
	case state == Mismatch:
		refuse(w, http.StatusUnprocessableEntity, "idempotency_mismatch")
	case state == Done:
		w.Header().Set("Idempotency-Replayed", "true")
		send(w, stored)
	default:
		again := r.WithContext(r.Context()) // a shallow copy: the caller keeps its Body
		again.Body = io.NopCloser(bytes.NewReader(body))
		rec := &recorder{header: http.Header{requestID: {w.Header().Get(requestID)}}}
		send(w, g.run(rec, again, n, stored.Lease, fp))
	}
}

// run has the handler answer into rec and settles the reservation, whatever the end of the
// handler: an answer, a panic or runtime.Goexit.
func (g *guard) run(rec *recorder, r *http.Request, n name, lease uint64, fp [32]byte) (answer Stored) {
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), publishTimeout)
		defer cancel()
		if answer.Status == 0 || answer.Status >= 500 {
			_ = g.store.Abort(ctx, n.scope, n.key, lease)
			return
		}
		// The work is done. If its answer cannot be stored, the client gets it
		// all the same, and the reservation keeps others away until it runs out.
		_ = g.store.Finish(ctx, n.scope, n.key, answer)
	}()

	g.next.ServeHTTP(rec, r)
	rec.WriteHeader(http.StatusOK)
	return Stored{Status: rec.status, Header: rec.sent, Body: rec.body.Bytes(), Fingerprint: fp, Lease: lease}
}

// requestID is the one header of the answer that the handler can see: a problem
// document repeats it. It is not part of what is stored, because a replay is
// another request.
const requestID = "X-Request-Id"

// recorder is a ResponseWriter that keeps the answer.
type recorder struct {
	header http.Header
	status int         // 0 until the header is written
	sent   http.Header // header, when it was written
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status != 0 || status < 200 {
		return
	}
	r.status, r.sent = status, r.header.Clone()
	r.sent.Del(requestID)
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func send(w http.ResponseWriter, s Stored) {
	maps.Copy(w.Header(), s.Header)
	w.WriteHeader(s.Status)
	_, _ = w.Write(s.Body) // the client may have left
}

func refuse(w http.ResponseWriter, status int, code string) {
	problem.Write(w, problem.Problem{Status: status, Code: code})
}

func valid(key string) bool {
	for _, c := range []byte(key) {
		if c < '!' || c > '~' {
			return false
		}
	}
	return 1 <= len(key) && len(key) <= 64
}

// fingerprint hashes what the client asks for. A request line has no newline
// inside, so the parts cannot run into each other.
func fingerprint(r *http.Request, body []byte) [32]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", r.Method, r.URL.RequestURI())
	h.Write(body)
	return [32]byte(h.Sum(nil))
}
