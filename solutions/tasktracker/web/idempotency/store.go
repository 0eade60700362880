//course:since m04a

// Package idempotency lets a client repeat a request that must not be carried
// out twice: the repetition gets the stored answer of the first.
package idempotency

import (
	"bytes"
	"context"
	"errors"
	"net/http"
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

func (s Stored) clone() Stored {
	s.Header = s.Header.Clone()
	s.Body = bytes.Clone(s.Body)
	return s
}
