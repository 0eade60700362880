package grade

import (
	"context"
	"sync"

	"github.com/middle-go/course/grader/internal/parallel"
)

// Each grades every request, at most g.Parallel at once, and calls done for
// each verdict as it comes, one call at a time. It returns the verdicts in the
// order of the requests. After the first error nothing new is started.
func (g *Grader) Each(ctx context.Context, reqs []Request, done func(*Verdict)) ([]*Verdict, error) {
	verdicts := make([]*Verdict, len(reqs))
	var mu sync.Mutex
	err := parallel.Each(ctx, g.Parallel, reqs, func(ctx context.Context, i int, req Request) error {
		v, err := g.Grade(ctx, req)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		verdicts[i] = v
		done(v)
		return nil
	})
	return verdicts, err
}
