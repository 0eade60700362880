package sweep

import (
	"context"
	"errors"
)

// Name is what the lifecycle calls the sweeper.
func (s *Sweeper) Name() string { return "" }

// Run is ready at once and sweeps again and again until ctx is done, then returns
// nil. No error of a sweep ends it.
//
// The moments at which rounds begin are planned from the start of Run: the first
// one after Every, and each Every, or what Jitter makes of it, after the one
// before. How long rounds take does not move the plan. A moment that passes
// while a round runs is skipped, so that rounds never overlap and never catch up.
func (s *Sweeper) Run(ctx context.Context, ready func()) error {
	return errors.ErrUnsupported
}
