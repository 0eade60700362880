// Wrong: believes that the hash of the parts one after the other identifies the parts.
// Caught by: TestMismatch_422

// Package idempotency lets a client repeat a request that must not be carried
// out twice: the repetition gets the stored answer of the first.
package idempotency

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"
)

// ErrLeaseLost says that the reservation ran out and that another request has
// taken the key since.
var ErrLeaseLost = errors.New("idempotency: another request has taken the key")

// Stored is an answer that can be sent again.
type Stored struct {
	Status      int
	Header      http.Header
	Body        []byte
	Fingerprint [32]byte // of the request that was answered
	Lease       uint64   // of the reservation that the answer belongs to
}

// State is what a Store knows about a key.
type State uint8

const (
	Fresh    State = iota // nothing: the key is now reserved for the caller
	InFlight              // the first request still runs
	Done                  // the answer is known
	Mismatch              // the key belongs to a request with another fingerprint
)

// Store remembers reservations and answers. A record has two names: the scope,
// which says whose key it is, and the key. A Store is safe for concurrent use.
type Store interface {
	// Begin looks the key up and, if nothing is known about it, reserves it in
	// the same step. Fresh comes with a Stored that has nothing but the Lease
	// of the reservation, Done with the answer; otherwise Stored is zero.
	Begin(ctx context.Context, scope, key string, fp [32]byte) (Stored, State, error)

	// Finish replaces the reservation s.Lease by the answer s. It returns
	// ErrLeaseLost, and changes nothing, if another request has the key now.
	Finish(ctx context.Context, scope, key string, s Stored) error

	// Abort gives the reservation up: the next Begin is Fresh. It returns
	// ErrLeaseLost, and changes nothing, if another request has the key now.
	Abort(ctx context.Context, scope, key string, lease uint64) error
}

// NewMemoryStore returns a Store in memory. An answer is kept for ttl from
// Finish, a reservation for inflightTTL from Begin; a request must not run
// longer than that. Both are positive. The store starts no goroutine. What it
// keeps and what it returns are copies. Its methods do not look at the context.
func NewMemoryStore(ttl, inflightTTL time.Duration) Store {
	return &memory{
		ttl:         ttl,
		inflightTTL: inflightTTL,
		records:     make(map[name]record),
	}
}

type name struct{ scope, key string }

type record struct {
	Stored
	done    bool
	expires time.Time
}

func (r record) expired(now time.Time) bool { return !now.Before(r.expires) }

type memory struct {
	ttl, inflightTTL time.Duration

	mu      sync.Mutex
	records map[name]record
	lease   uint64    // the last one given out
	sweepAt time.Time // the next pass of sweep
}

func (m *memory) Begin(_ context.Context, scope, key string, fp [32]byte) (Stored, State, error) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep(now)

	n := name{scope, key}
	r := m.records[n] // if there is none, the zero record, which has expired
	switch {
	case r.expired(now):
		m.lease++
		reserved := Stored{Fingerprint: fp, Lease: m.lease}
		m.records[n] = record{Stored: reserved, expires: now.Add(m.inflightTTL)}
		return Stored{Lease: m.lease}, Fresh, nil
	case r.Fingerprint != fp:
		return Stored{}, Mismatch, nil
	case !r.done:
		return Stored{}, InFlight, nil
	default:
		return r.clone(), Done, nil
	}
}

func (m *memory) Finish(_ context.Context, scope, key string, s Stored) error {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	n := name{scope, key}
	if m.lost(n, s.Lease, now) {
		return ErrLeaseLost
	}
	m.records[n] = record{Stored: s.clone(), done: true, expires: now.Add(m.ttl)}
	return nil
}

func (m *memory) Abort(_ context.Context, scope, key string, lease uint64) error {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	n := name{scope, key}
	if m.lost(n, lease, now) {
		return ErrLeaseLost
	}
	delete(m.records, n)
	return nil
}

// lost reports whether the key has a live record of another lease.
func (m *memory) lost(n name, lease uint64, now time.Time) bool {
	r := m.records[n]
	return r.Lease != lease && !r.expired(now)
}

// sweep frees what has expired. Once in a ttl is enough: the cost of a pass is
// spread over all records of that time.
func (m *memory) sweep(now time.Time) {
	if now.Before(m.sweepAt) {
		return
	}
	maps.DeleteFunc(m.records, func(_ name, r record) bool { return r.expired(now) })
	m.sweepAt = now.Add(m.ttl)
}

func (s Stored) clone() Stored {
	s.Header = s.Header.Clone()
	s.Body = bytes.Clone(s.Body)
	return s
}

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
		refuse(w, http.StatusBadRequest, "invalid_idempotency_key")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, g.maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		refuse(w, http.StatusRequestEntityTooLarge, "body_too_large")
		return
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "unreadable_body")
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
		answer := g.run(again, n, stored.Lease, fp)
		send(w, answer)
	}
}

// run calls the handler and settles the reservation, whatever the end of the
// handler: an answer, a panic or runtime.Goexit.
func (g *guard) run(r *http.Request, n name, lease uint64, fp [32]byte) (answer Stored) {
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

	rec := &recorder{header: make(http.Header)}
	g.next.ServeHTTP(rec, r)
	rec.WriteHeader(http.StatusOK)
	return Stored{Status: rec.status, Header: rec.sent, Body: rec.body.Bytes(), Fingerprint: fp, Lease: lease}
}

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
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Code   string `json:"code"`
	}{http.StatusText(status), status, code})
}

func valid(key string) bool {
	for _, c := range []byte(key) {
		if c < '!' || c > '~' {
			return false
		}
	}
	return 1 <= len(key) && len(key) <= 64
}

// fingerprint hashes what the client asks for.
func fingerprint(r *http.Request, body []byte) [32]byte {
	h := sha256.New()
	io.WriteString(h, r.Method+r.URL.RequestURI())
	h.Write(body)
	return [32]byte(h.Sum(nil))
}
