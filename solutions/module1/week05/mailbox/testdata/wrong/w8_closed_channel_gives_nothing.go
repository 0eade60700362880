// Wrong: believes that a receive from a closed channel gives nothing.
// Caught by: TestRecv_AfterDrainReturnsErrClosed

// Package mailbox hands notification jobs from many producers to the senders of
// mail, and shuts down without losing or repeating one.
package mailbox

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed says that a mailbox takes no more messages, or has no more.
var ErrClosed = errors.New("mailbox: closed")

// Mailbox is a bounded queue for many producers and many consumers. A message
// that was accepted is received exactly once, also around Close, provided that
// somebody receives until ErrClosed. The messages of one producer keep their
// order. All methods may be called concurrently. Use New to make a Mailbox.
type Mailbox[T any] struct {
	messages chan T        // closed when closing is, and no sender is left
	closing  chan struct{} // wakes the senders that wait

	mu      sync.Mutex
	closed  bool
	senders sync.WaitGroup // those that saw closed false; it grows under mu only
}

// New returns an open mailbox that holds at most capacity messages. With a
// capacity of 0 or below it holds none: a message goes from a waiting sender to
// a waiting receiver.
func New[T any](capacity int) *Mailbox[T] {
	return &Mailbox[T]{
		messages: make(chan T, max(capacity, 0)),
		closing:  make(chan struct{}),
	}
}

// Send waits until the mailbox accepts v. It returns ctx.Err() if ctx is done,
// and otherwise ErrClosed if m is closed, before or while it waits. v was
// accepted if and only if the error is nil.
func (m *Mailbox[T]) Send(ctx context.Context, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !m.enter() {
		return ErrClosed
	}
	defer m.senders.Done()
	select {
	case m.messages <- v:
		return nil
	case <-m.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TrySend is Send without waiting. It reports whether v was accepted.
func (m *Mailbox[T]) TrySend(v T) bool {
	if !m.enter() {
		return false
	}
	defer m.senders.Done()
	select {
	case m.messages <- v:
		return true
	default:
		return false
	}
}

// enter counts the caller as a sender, unless m is closed.
func (m *Mailbox[T]) enter() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.senders.Add(1)
	return true
}

// Recv waits for a message and takes it out of the mailbox. It returns the zero
// T and ctx.Err() if ctx is done, before or while it waits, and the zero T and
// ErrClosed once m is closed and every accepted message was received.
func (m *Mailbox[T]) Recv(ctx context.Context) (T, error) {
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	select {
	case v := <-m.messages:
		return v, nil
	case <-ctx.Done():
		return zero, ctx.Err()
	}
}

// Close turns away all producers, also those that wait in Send. What was
// accepted can still be received. Close does not wait for that. It may be
// called more than once.
func (m *Mailbox[T]) Close() {
	m.mu.Lock()
	first := !m.closed
	m.closed = true
	m.mu.Unlock()
	if !first {
		return
	}
	close(m.closing)
	m.senders.Wait()
	close(m.messages)
}

// Len returns the number of messages that were accepted and not yet received.
func (m *Mailbox[T]) Len() int {
	return len(m.messages)
}
