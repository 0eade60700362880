// Package politeness decides when a crawler may send its next request to a
// host.
package politeness

import (
	"context"
	"errors"
	"time"
)

// Policy says how polite a Limiter is to a host that has asked for nothing
// special.
type Policy struct {
	// Delay is the time after which a host gives one more turn. 0 or less means
	// no delay.
	Delay time.Duration

	// Burst is how many turns a host that was left alone gives at once. Less
	// than 1 means 1.
	Burst int

	// IdleAfter is how long a host is remembered after its last use. 0 or less
	// means an hour.
	IdleAfter time.Duration
}

// Limiter hands out turns, for each host on its own. It runs no goroutine. All
// methods may be called concurrently. Use New to make a Limiter.
type Limiter struct{}

// New returns a Limiter that knows no host.
func New(p Policy) *Limiter {
	return &Limiter{}
}

// Wait waits for a turn at host and takes it. The turns of one host are taken
// in the order of the calls. Wait returns ctx.Err() if ctx is done, before or
// while it waits. If the turn would come at the deadline of ctx or later, it
// returns context.DeadlineExceeded at once. A call that returns an error takes
// no turn, and those behind it move forward.
func (l *Limiter) Wait(ctx context.Context, host string) error {
	return errors.ErrUnsupported
}

// Penalize makes host give no turn before until, also to those that wait. An
// earlier call with a later until stays in force. An until that is not in the
// future changes nothing.
func (l *Limiter) Penalize(host string, until time.Time) {}

// SetDelay replaces the delay of the policy for host, also for those that wait:
// the next turn comes as if the delay had been d since the last one came. 0 or
// less means no delay. It is forgotten with the host.
func (l *Limiter) SetDelay(host string, d time.Duration) {}

// Hosts returns the number of hosts that are remembered.
func (l *Limiter) Hosts() int {
	return 0
}
