// Wrong: believes that range gives references to the elements.
// Caught by: TestRaise_MutatesInPlace

// Package aliasing prepares task exports: it cuts work into batches, tags
// tasks, pops a work queue and keeps message headers for the audit log.
package aliasing

import (
	"bytes"
	"slices"
)

// Task is one unit of exported work.
type Task struct {
	ID      int64
	Title   string
	Tags    []string
	Payload []byte
}

// Quota is how much of an owner's allowance is used.
type Quota struct{ Used, Limit int }

// Batches cuts tasks into consecutive batches of size tasks; the last one may
// be shorter. The batches share their elements with tasks, and an append to one
// batch leaves its neighbours alone. It returns nil when there is nothing to
// cut or size is less than 1.
func Batches(tasks []Task, size int) [][]Task {
	if size < 1 || len(tasks) == 0 {
		return nil
	}
	batches := make([][]Task, 0, (len(tasks)-1)/size+1)
	for batch := range slices.Chunk(tasks, size) { // caps each chunk at its length
		batches = append(batches, batch)
	}
	return batches
}

// WithTag returns a copy of t that carries tag after the tags of t. It leaves
// the tags of t alone, and of every other task made from t.
func WithTag(t Task, tag string) Task {
	t.Tags = append(slices.Clip(t.Tags), tag) // no spare capacity: append must copy
	return t
}

// Dequeue removes the first task of q and returns it with the rest of the
// queue. It takes q over: the caller uses rest from then on. Of an empty queue
// it returns nil and an empty rest.
func Dequeue(q []*Task) (head *Task, rest []*Task) {
	if len(q) == 0 {
		return nil, nil
	}
	head = q[0]
	q[0] = nil // the array outlives the pop; its first slot must let go of head
	return head, q[1:]
}

// Header returns the first n bytes of payload, or all of it if it is shorter;
// none if n is negative. The result may be kept for as long as the audit log
// lives.
func Header(payload []byte, n int) []byte {
	return bytes.Clone(payload[:min(max(n, 0), len(payload))])
}

// Raise adds delta to the limit of every quota in list.
func Raise(list []Quota, delta int) {
	for _, q := range list {
		raise(&q, delta)
	}
}

func raise(q *Quota, delta int) { q.Limit += delta }

// Charge uses n of owner's quota and reports whether there was enough left.
// If not, or if byOwner does not know owner, it changes nothing. n is not
// negative.
func Charge(byOwner map[string]Quota, owner string, n int) bool {
	q, ok := byOwner[owner]
	if !ok || n > q.Limit-q.Used {
		return false
	}
	q.Used += n
	byOwner[owner] = q
	return true
}
