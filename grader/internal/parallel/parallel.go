// Package parallel works on several things at once, within a limit.
package parallel

import (
	"context"
	"sync"
)

// Each calls f for every item, in their order, at most limit calls at once; a
// limit below 1 counts as 1. After the first error nothing new is started, and the context of
// the calls under way is cancelled with that error as its cause. Each returns
// when all calls have returned: nil, the first error, or the cause of ctx.
func Each[T any](ctx context.Context, limit int, items []T, f func(ctx context.Context, i int, item T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, max(limit, 1))
	var wg sync.WaitGroup
	for i, item := range items {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := f(ctx, i, item); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
