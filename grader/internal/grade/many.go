package grade

import (
	"context"
	"sync"
)

// Each grades every request, at most g.Parallel at once, and calls done for
// each verdict as it comes, one call at a time. It returns the verdicts in the
// order of the requests. After the first error nothing new is started.
func (g *Grader) Each(ctx context.Context, reqs []Request, done func(i int, v *Verdict)) ([]*Verdict, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	verdicts := make([]*Verdict, len(reqs))
	slots := make(chan struct{}, max(g.Parallel, 1))
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i, req := range reqs {
		wg.Go(func() {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-ctx.Done():
				return
			}
			v, err := g.Grade(ctx, req)
			if err != nil {
				cancel(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			verdicts[i] = v
			if done != nil {
				done(i, v)
			}
		})
	}
	wg.Wait()
	return verdicts, context.Cause(ctx)
}
