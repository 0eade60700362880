package weathercli

import (
	"context"
	"errors"
	"time"
)

// MaxParallel is how many calls of a Forecaster a Lookup makes at once.
const MaxParallel = 8

// Result is what a Lookup found out about one place.
type Result struct {
	Place       Place
	Observation Observation
	Stale       bool  // the Observation is from the cache because the forecast is unavailable
	Warning     error // why the Observation is stale, or why it was not stored; nil if all is well
	Err         error // why there is no Observation; nil if there is one
}

// Service looks up the weather with a Forecaster and a Cache. It is safe for
// concurrent use.
type Service struct{}

// NewService returns a service that shows a cached observation without asking
// while it is younger than maxAge, and when the forecast is unavailable while it
// is younger than maxStale. The clock says what time it is.
func NewService(f Forecaster, c Cache, clock func() time.Time, maxAge, maxStale time.Duration) *Service {
	return new(Service)
}

// Lookup returns one Result for each place, in the order of places. It looks
// them up at the same time, and the failure of one changes nothing for the
// others. The error is nil if every place has an Observation. Otherwise it
// matches the Err of every place that has none.
func (s *Service) Lookup(ctx context.Context, places []Place) ([]Result, error) {
	return nil, errors.ErrUnsupported
}
