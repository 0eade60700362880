// Package ring is a bounded first-in, first-out queue of ints.
package ring

// Ring is a queue of at most 8 values. The zero value is empty.
type Ring struct{}

// Put adds v and reports whether there was room.
func (r *Ring) Put(v int) bool { return false }

// Take removes the oldest value; ok is false if there is none.
func (r *Ring) Take() (v int, ok bool) { return 0, false }
