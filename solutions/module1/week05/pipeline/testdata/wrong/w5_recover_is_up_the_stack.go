// Wrong: believes that the recover of the caller sees a panic in a goroutine.
// Caught by: TestMap_PanicSurfacesInConsumer

// Package pipeline enriches a stream of audit records with lookups that run at
// the same time.
package pipeline

import (
	"context"
	"iter"
	"sync"
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
		pulls, stop := context.WithCancel(calls) // ends with calls

		slots := make(chan struct{}, workers) // one for each item between in and yield
		reserve := func() bool {
			select {
			case slots <- struct{}{}:
				return pulls.Err() == nil
			case <-pulls.Done():
				return false
			}
		}

		queue := make(chan chan outcome[Out], workers) // in the order of in
		start := func(item In) {
			done := make(chan outcome[Out], 1) // nobody may be left to receive
			queue <- done
			group.Go(func() {
				o := call(calls, fn, item)
				if o.failed() {
					stop() // the calls before this one go on
				}
				done <- o
			})
		}
		feed := func(ctx context.Context, in iter.Seq[In]) (none Out, err error) {
			if !reserve() {
				return none, ctx.Err()
			}
			for item := range in {
				start(item)
				if !reserve() {
					return none, ctx.Err()
				}
			}
			return none, nil
		}
		var end outcome[Out] // of in; may be read when queue is closed
		group.Go(func() {
			defer close(queue)
			end = call(ctx, feed, in)
		})

		fail := func(o outcome[Out]) {
			cancel()
			if o.panicked != nil {
				panic(o.panicked)
			}
			var zero Out
			yield(zero, o.err)
		}
		for done := range queue {
			o := <-done
			if o.failed() {
				fail(o)
				return
			}
			<-slots
			if !yield(o.out, nil) {
				return
			}
		}
		if end.failed() {
			fail(end)
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
	o.out, o.err = fn(ctx, in)
	return o
}
