//course:since m04a

package idempotency

import (
	"context"
	"maps"
	"sync"
	"time"
)

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
