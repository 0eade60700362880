// Wrong: believes that the next turn is mine.
// Caught by: TestWait_DeadlineTooSoonFailsFast/two_in_front

// Package politeness decides when a crawler may send its next request to a
// host.
package politeness

import (
	"container/list"
	"context"
	"math"
	"sync"
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
type Limiter struct {
	policy Policy

	mu    sync.Mutex
	hosts map[string]*host
	swept time.Time // when idle hosts were last removed from hosts
}

// host is guarded by the mutex of its limiter.
type host struct {
	turns   turns
	penalty time.Time // no turn before
	queue   list.List // of chan struct{}: one for each Wait, to wake it
	used    time.Time
}

// turns counts what a host gives: from since on, one more turn each delay, as
// long as there are less than burst.
type turns struct {
	delay time.Duration
	burst int
	free  int
	since time.Time
}

// New returns a Limiter that knows no host.
func New(p Policy) *Limiter {
	p.Delay = max(p.Delay, 0)
	p.Burst = max(p.Burst, 1)
	if p.IdleAfter <= 0 {
		p.IdleAfter = time.Hour
	}
	return &Limiter{policy: p, hosts: make(map[string]*host), swept: time.Now()}
}

// Wait waits for a turn at host and takes it. The turns of one host are taken
// in the order of the calls. Wait returns ctx.Err() if ctx is done, before or
// while it waits. If the turn would come at the deadline of ctx or later, it
// returns context.DeadlineExceeded at once. A call that returns an error takes
// no turn, and those behind it move forward.
func (l *Limiter) Wait(ctx context.Context, host string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.host(host)
	if deadline, ok := ctx.Deadline(); ok && !h.turn(1).Before(deadline) {
		return context.DeadlineExceeded
	}

	wake := make(chan struct{}, 1)
	place := h.queue.PushBack(wake)
	defer h.leave(place)
	for {
		var wait time.Duration
		if place == h.queue.Front() {
			if wait = time.Until(h.turn(1)); wait <= 0 {
				h.take()
				return nil
			}
		}
		if err := l.pause(ctx, wait, wake); err != nil {
			return err
		}
	}
}

// pause gives up the lock for at most d, or without a limit if d is 0. It ends
// early with wake and with ctx.
func (l *Limiter) pause(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	l.mu.Unlock()
	defer l.mu.Lock()
	var due <-chan time.Time
	if d > 0 {
		due = time.After(d)
	}
	select {
	case <-due:
	case <-wake:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// Penalize makes host give no turn before until, also to those that wait. An
// earlier call with a later until stays in force. An until that is not in the
// future changes nothing.
func (l *Limiter) Penalize(host string, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !until.After(time.Now()) {
		return
	}
	h := l.host(host)
	if until.After(h.penalty) {
		h.penalty = until
	}
	h.touch()
}

// SetDelay replaces the delay of the policy for host, also for those that wait:
// the next turn comes as if the delay had been d since the last one came. 0 or
// less means no delay. It is forgotten with the host.
func (l *Limiter) SetDelay(host string, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.host(host)
	h.turns = h.turns.at(time.Now())
	h.turns.delay = max(d, 0)
	h.touch()
}

// Hosts returns the number of hosts that are remembered.
func (l *Limiter) Hosts() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	return len(l.hosts)
}

// host returns what l remembers of a host, which is a new one if it was idle.
func (l *Limiter) host(name string) *host {
	now := time.Now()
	if !now.Before(l.swept.Add(l.policy.IdleAfter)) {
		l.sweep()
	}
	h, ok := l.hosts[name]
	if !ok || h.idle(now, l.policy.IdleAfter) {
		p := l.policy
		h = &host{turns: turns{delay: p.Delay, burst: p.Burst, free: p.Burst, since: now}, used: now}
		l.hosts[name] = h
	}
	return h
}

func (l *Limiter) sweep() {
	l.swept = time.Now()
	for name, h := range l.hosts {
		if h.idle(l.swept, l.policy.IdleAfter) {
			delete(l.hosts, name)
		}
	}
}

// idle reports whether h may be forgotten: nobody uses it, and a new host would
// give the same turns.
func (h *host) idle(now time.Time, after time.Duration) bool {
	return h.queue.Len() == 0 && now.Sub(h.used) >= after &&
		!now.Before(h.penalty) && h.turns.at(now).free == h.turns.burst
}

// turn returns when the n-th turn from now comes.
func (h *host) turn(n int) time.Time {
	start := time.Now()
	if h.penalty.After(start) {
		start = h.penalty
	}
	return h.turns.at(start).nth(n, start)
}

// take takes a turn that is free now.
func (h *host) take() {
	h.turns = h.turns.at(time.Now())
	h.turns.free--
}

// touch notes that h was used, and lets the first in the queue look again.
func (h *host) touch() {
	h.used = time.Now()
	if first := h.queue.Front(); first != nil {
		select {
		case first.Value.(chan struct{}) <- struct{}{}:
		default: // it will look anyway
		}
	}
}

func (h *host) leave(place *list.Element) {
	h.queue.Remove(place)
	h.touch()
}

// at returns t as it will be at now if nobody takes a turn until then.
func (t turns) at(now time.Time) turns {
	if t.delay == 0 {
		t.free, t.since = t.burst, now
		return t
	}
	came := now.Sub(t.since) / t.delay
	if came >= time.Duration(t.burst-t.free) {
		t.free, t.since = t.burst, now
		return t
	}
	t.free += int(came)
	t.since = t.since.Add(came * t.delay)
	return t
}

// nth returns when the n-th turn comes if start is now, and everybody takes
// theirs as soon as they can.
func (t turns) nth(n int, start time.Time) time.Time {
	missing := time.Duration(n - t.free)
	if missing <= 0 {
		return start
	}
	wait := missing * t.delay
	if wait/missing != t.delay { // it has overflowed
		wait = math.MaxInt64
	}
	return t.since.Add(wait)
}
