// Package mailbox hands notification jobs from many producers to the senders of
// mail, and shuts down without losing or repeating one.
package mailbox

import (
	"container/list"
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
	capacity int

	mu     sync.Mutex
	closed bool
	buf    list.List // of T
	// Receivers wait only while buf is empty and no sender waits, senders only
	// while buf is full.
	senders   list.List // of *waiter[T]
	receivers list.List // of *waiter[T]
}

// waiter is a Send or a Recv that waits. All but done is guarded by mu.
type waiter[T any] struct {
	ctx     context.Context
	value   T
	err     error
	decided bool
	done    chan struct{} // closed when decided
}

func (w *waiter[T]) decide(err error) {
	w.err, w.decided = err, true
	close(w.done)
}

// New returns an open mailbox that holds at most capacity messages. With a
// capacity of 0 or below it holds none: a message goes from a waiting sender to
// a waiting receiver.
func New[T any](capacity int) *Mailbox[T] {
	return &Mailbox[T]{capacity: max(capacity, 0)}
}

// first takes the first waiter whose context is not done out of l.
func first[T any](l *list.List) *waiter[T] {
	for l.Len() > 0 {
		w := l.Remove(l.Front()).(*waiter[T])
		err := w.ctx.Err()
		if err == nil {
			return w
		}
		w.decide(err)
	}
	return nil
}

// offer accepts v if there is room.
func (m *Mailbox[T]) offer(v T) bool {
	if r := first[T](&m.receivers); r != nil {
		r.value = v
		r.decide(nil)
		return true
	}
	if m.buf.Len() < m.capacity {
		m.buf.PushBack(v)
		return true
	}
	return false
}

// wait queues w in l, unlocks m and returns when w is decided or its context is
// done.
func (m *Mailbox[T]) wait(l *list.List, w *waiter[T]) error {
	w.done = make(chan struct{})
	element := l.PushBack(w)
	m.mu.Unlock()
	select {
	case <-w.done:
		return w.err
	case <-w.ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !w.decided {
		l.Remove(element)
		return w.ctx.Err()
	}
	return w.err
}

// Send waits until the mailbox accepts v. It returns ctx.Err() if ctx is done,
// and otherwise ErrClosed if m is closed, before or while it waits. v was
// accepted if and only if the error is nil.
func (m *Mailbox[T]) Send(ctx context.Context, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return ErrClosed
	}
	if m.offer(v) {
		m.mu.Unlock()
		return nil
	}
	return m.wait(&m.senders, &waiter[T]{ctx: ctx, value: v})
}

// TrySend is Send without waiting. It reports whether v was accepted.
func (m *Mailbox[T]) TrySend(v T) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.closed && m.offer(v)
}

// Recv waits for a message and takes it out of the mailbox. It returns the zero
// T and ctx.Err() if ctx is done, before or while it waits, and the zero T and
// ErrClosed once m is closed and every accepted message was received.
func (m *Mailbox[T]) Recv(ctx context.Context) (T, error) {
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	m.mu.Lock()
	if m.buf.Len() > 0 {
		v, _ := m.buf.Remove(m.buf.Front()).(T)
		if s := first[T](&m.senders); s != nil {
			m.buf.PushBack(s.value)
			s.decide(nil)
		}
		m.mu.Unlock()
		return v, nil
	}
	if s := first[T](&m.senders); s != nil {
		v := s.value
		s.decide(nil)
		m.mu.Unlock()
		return v, nil
	}
	if m.closed {
		m.mu.Unlock()
		return zero, ErrClosed
	}
	w := &waiter[T]{ctx: ctx}
	if err := m.wait(&m.receivers, w); err != nil {
		return zero, err
	}
	return w.value, nil
}

// Close turns away all producers, also those that wait in Send. What was
// accepted can still be received. Close does not wait for that. It may be
// called more than once.
func (m *Mailbox[T]) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	m.closed = true
	for _, l := range []*list.List{&m.senders, &m.receivers} {
		for w := first[T](l); w != nil; w = first[T](l) {
			w.decide(ErrClosed)
		}
	}
}

// Len returns the number of messages that were accepted and not yet received.
func (m *Mailbox[T]) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.buf.Len()
}
