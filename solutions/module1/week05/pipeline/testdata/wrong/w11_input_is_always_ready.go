// Wrong: believes that the next item is always ready.
// Caught by: TestMap_SlowInputHoldsNoResult

// Package pipeline enriches a stream of audit records with lookups that run at
// the same time.
package pipeline

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
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
	workers = max(workers, 1)
	return func(yield func(Out, error) bool) {
		var group sync.WaitGroup
		defer group.Wait()
		calls, cancel := context.WithCancel(ctx)
		defer cancel()

		var failed atomic.Bool
		var queue []chan outcome[Out] // in the order of in
		start := func(item In) {
			done := make(chan outcome[Out], 1)
			queue = append(queue, done)
			group.Go(func() {
				o := call(calls, fn, item)
				if o.failed() {
					failed.Store(true)
				}
				done <- o
			})
		}
		next := func() bool {
			o := <-queue[0]
			queue = queue[1:]
			if o.failed() {
				cancel()
				if o.panicked != nil {
					panic(o.panicked)
				}
				var zero Out
				yield(zero, o.err)
				return false
			}
			return yield(o.out, nil)
		}

		ended := false
		feed := func(ctx context.Context, in iter.Seq[In]) (none Out, err error) {
			for item := range in {
				start(item)
				if len(queue) == workers && !next() {
					ended = true
					return none, nil
				}
				if failed.Load() || ctx.Err() != nil {
					return none, ctx.Err()
				}
			}
			return none, nil
		}
		last := outcome[Out]{err: ctx.Err()}
		if last.err == nil {
			last = call(ctx, feed, in)
		}
		if ended {
			return
		}
		if last.failed() {
			end := make(chan outcome[Out], 1)
			end <- last
			queue = append(queue, end)
		}
		for len(queue) > 0 {
			if !next() {
				return
			}
		}
	}
}

// outcome is how a call ended.
type outcome[Out any] struct {
	out      Out
	err      error
	panicked any
}

func (o outcome[Out]) failed() bool { return o.err != nil || o.panicked != nil }

func call[In, Out any](ctx context.Context, fn func(context.Context, In) (Out, error), in In) (o outcome[Out]) {
	defer func() { o.panicked = recover() }()
	o.out, o.err = fn(ctx, in)
	return o
}
