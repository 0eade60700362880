// Package idempotency lets a client repeat a request that must not be carried
// out twice: the repetition gets the stored answer of the first.
package idempotency

import (
	"bytes"
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
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
	return &memory{ttl: ttl, inflightTTL: inflightTTL, records: make(map[names]*record)}
}

type names struct{ scope, key string }

type record struct {
	names   names
	fp      [32]byte
	lease   uint64
	expires time.Time
	done    bool
	answer  Stored
	list    *list.List // that element is in
	element *list.Element
}

type memory struct {
	ttl, inflightTTL time.Duration

	mu      sync.Mutex
	leases  uint64
	records map[names]*record
	// The records in the order in which they expire.
	reservations, answers list.List
}

// sweep removes the records that have expired.
func (m *memory) sweep(now time.Time) {
	for _, l := range []*list.List{&m.reservations, &m.answers} {
		for e := l.Front(); e != nil; e = l.Front() {
			r := e.Value.(*record)
			if now.Before(r.expires) {
				break
			}
			m.remove(r)
		}
	}
}

func (m *memory) remove(r *record) {
	r.list.Remove(r.element)
	delete(m.records, r.names)
}

func (m *memory) add(r *record, l *list.List) {
	r.list, r.element = l, l.PushBack(r)
	m.records[r.names] = r
}

func copyOf(s Stored) Stored {
	s.Header = s.Header.Clone()
	s.Body = bytes.Clone(s.Body)
	return s
}

func (m *memory) Begin(ctx context.Context, scope, key string, fp [32]byte) (Stored, State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.sweep(now)
	n := names{scope, key}
	r := m.records[n]
	switch {
	case r == nil:
		m.leases++
		m.add(&record{names: n, fp: fp, lease: m.leases, expires: now.Add(m.inflightTTL)}, &m.reservations)
		return Stored{Lease: m.leases}, Fresh, nil
	case r.fp != fp:
		return Stored{}, Mismatch, nil
	case !r.done:
		return Stored{}, InFlight, nil
	}
	return copyOf(r.answer), Done, nil
}

// own removes the record of the names, unless it has another lease.
func (m *memory) own(now time.Time, n names, lease uint64) error {
	m.sweep(now)
	r := m.records[n]
	if r == nil {
		return nil
	}
	if r.lease != lease {
		return ErrLeaseLost
	}
	m.remove(r)
	return nil
}

func (m *memory) Finish(ctx context.Context, scope, key string, s Stored) error {
	s = copyOf(s)
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	n := names{scope, key}
	if err := m.own(now, n, s.Lease); err != nil {
		return err
	}
	m.add(&record{names: n, fp: s.Fingerprint, lease: s.Lease, expires: now.Add(m.ttl), done: true, answer: s}, &m.answers)
	return nil
}

func (m *memory) Abort(ctx context.Context, scope, key string, lease uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.own(time.Now(), names{scope, key}, lease)
}

const (
	keyHeader      = "Idempotency-Key"
	replayedHeader = "Idempotency-Replayed"
	maxKey         = 64
	storeTimeout   = 5 * time.Second
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
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			keys := r.Header.Values(keyHeader)
			if r.Method != http.MethodPost && r.Method != http.MethodPatch || len(keys) == 0 {
				next.ServeHTTP(w, r)
				return
			}
			if len(keys) > 1 || !validKey(keys[0]) {
				problem(w, http.StatusBadRequest, "invalid_idempotency_key")
				return
			}
			body, tooLarge, err := readBody(r.Body, maxBody)
			if tooLarge {
				problem(w, http.StatusRequestEntityTooLarge, "body_too_large")
				return
			}
			if err != nil {
				problem(w, http.StatusBadRequest, "unreadable_body")
				return
			}
			g := guard{store: s, scope: scope(r), key: keys[0], fp: fingerprint(r, body)}
			stored, state, err := s.Begin(r.Context(), g.scope, g.key, g.fp)
			switch {
			case err != nil:
				problem(w, http.StatusServiceUnavailable, "unavailable")
			case state == InFlight:
				problem(w, http.StatusConflict, "idempotency_in_flight")
			case state == Mismatch:
				problem(w, http.StatusUnprocessableEntity, "idempotency_mismatch")
			case state == Done:
				send(w, stored, true)
			case state == Fresh:
				g.lease = stored.Lease
				send(w, g.run(next, r, body), false)
			default:
				problem(w, http.StatusServiceUnavailable, "unavailable")
			}
		})
	}
}

func validKey(key string) bool {
	if len(key) == 0 || len(key) > maxKey {
		return false
	}
	for i := range len(key) {
		if key[i] < '!' || key[i] > '~' {
			return false
		}
	}
	return true
}

func readBody(r io.Reader, maxBody int64) (body []byte, tooLarge bool, err error) {
	if r == nil {
		return nil, false, nil
	}
	limit := maxBody
	if limit < math.MaxInt64 {
		limit++
	}
	body, err = io.ReadAll(io.LimitReader(r, limit))
	return body, int64(len(body)) > maxBody, err
}

func fingerprint(r *http.Request, body []byte) [32]byte {
	uri := r.URL.RequestURI()
	h := sha256.New()
	fmt.Fprintf(h, "%d %d %s %s ", len(r.Method), len(uri), r.Method, uri)
	h.Write(body)
	return [32]byte(h.Sum(nil))
}

func problem(w http.ResponseWriter, status int, code string) {
	text, err := json.Marshal(map[string]any{"title": http.StatusText(status), "status": status, "code": code})
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	w.Write(text)
}

func send(w http.ResponseWriter, s Stored, replayed bool) {
	header := w.Header()
	for name, values := range s.Header {
		header[name] = slices.Clone(values)
	}
	if replayed {
		header.Set(replayedHeader, "true")
	}
	w.WriteHeader(s.Status)
	if len(s.Body) > 0 {
		w.Write(s.Body)
	}
}

// guard is one reservation.
type guard struct {
	store      Store
	scope, key string
	fp         [32]byte
	lease      uint64
}

// run runs the handler and ends the reservation.
func (g *guard) run(next http.Handler, r *http.Request, body []byte) Stored {
	ended := false
	defer func() {
		if !ended {
			g.abort(r)
		}
	}()
	own := r.Clone(r.Context())
	own.Body = io.NopCloser(bytes.NewReader(body))
	rec := &recorder{header: make(http.Header)}
	next.ServeHTTP(rec, own)
	rec.begin(http.StatusOK)
	ended = true
	answer := Stored{Status: rec.status, Header: rec.sent, Body: rec.body.Bytes(), Fingerprint: g.fp, Lease: g.lease}
	if rec.status >= 500 {
		g.abort(r)
		return answer
	}
	ctx, cancel := endContext(r)
	defer cancel()
	_ = g.store.Finish(ctx, g.scope, g.key, copyOf(answer))
	return answer
}

func (g *guard) abort(r *http.Request) {
	ctx, cancel := endContext(r)
	defer cancel()
	_ = g.store.Abort(ctx, g.scope, g.key, g.lease)
}

func endContext(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.Context()), storeTimeout)
}

// recorder collects an answer.
type recorder struct {
	header http.Header
	status int         // 0 until the header is fixed
	sent   http.Header // as it was then
	body   bytes.Buffer
}

func (rec *recorder) begin(status int) {
	if rec.status == 0 {
		rec.status, rec.sent = status, rec.header.Clone()
	}
}

func (rec *recorder) Header() http.Header { return rec.header }

func (rec *recorder) WriteHeader(status int) {
	if status > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %v", status))
	}
	if status >= 200 {
		rec.begin(status)
	}
}

func (rec *recorder) Write(b []byte) (int, error) {
	rec.begin(http.StatusOK)
	if rec.status == http.StatusNoContent || rec.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	return rec.body.Write(b)
}
