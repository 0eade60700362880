// Package pipeline enriches a stream of audit records with lookups that run at
// the same time.
package pipeline

import (
	"context"
	"errors"
	"iter"
)

// Map calls fn for every item of in, with at most workers calls at a time, and
// yields the results in the order of in. A value of workers below 1 counts as 1.
// It works while somebody ranges over the sequence, and only then; each range
// starts anew.
//
// The sequence ends with the zero Out and an error if a call fails or ctx is
// done. The results of the items before come first. When the range ends, for
// whatever reason, the calls that run have been cancelled and have returned.
// A panic of fn or in is raised again in the goroutine that ranges.
//
// At most workers+2 items have been taken from in and not been yielded.
func Map[In, Out any](ctx context.Context, workers int, in iter.Seq[In], fn func(context.Context, In) (Out, error)) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		var zero Out
		yield(zero, errors.ErrUnsupported)
	}
}
