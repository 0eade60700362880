//course:since m03b

package sweep

import (
	"context"
	"time"
)

// Name is what the lifecycle calls the sweeper.
func (s *Sweeper) Name() string { return "sweeper" }

// Run is ready at once and sweeps again and again until ctx is done, then returns
// nil. No error of a sweep ends it.
//
// The moments at which rounds begin are planned from the start of Run: the first
// one after Every, and each Every, or what Jitter makes of it, after the one
// before. How long rounds take does not move the plan. A moment that passes
// while a round runs is skipped, so that rounds never overlap and never catch up.
func (s *Sweeper) Run(ctx context.Context, ready func()) error {
	ready()
	next := time.Now()
	for {
		next = s.plan(next)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(next)):
			s.cfg.Report(s.Sweep(ctx))
		}
	}
}

// plan returns the first planned moment after the given one that is not past.
func (s *Sweeper) plan(next time.Time) time.Time {
	for {
		wait := s.cfg.Jitter(s.cfg.Every)
		if wait <= 0 {
			wait = s.cfg.Every
		}
		if next = next.Add(wait); !next.Before(time.Now()) {
			return next
		}
	}
}
