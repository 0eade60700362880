// Wrong: believes that one failure makes the other answers worthless.
// Caught by: TestLookup_PartialFailure
// Replaces: service.go

package weathercli

import (
	"context"
	"errors"
	"fmt"
	"sync"
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
type Service struct {
	forecaster       Forecaster
	cache            Cache
	clock            func() time.Time
	maxAge, maxStale time.Duration
}

// NewService returns a service that shows a cached observation without asking
// while it is younger than maxAge, and when the forecast is unavailable while it
// is younger than maxStale. The clock says what time it is.
func NewService(f Forecaster, c Cache, clock func() time.Time, maxAge, maxStale time.Duration) *Service {
	return &Service{forecaster: f, cache: c, clock: clock, maxAge: maxAge, maxStale: maxStale}
}

// Lookup returns one Result for each place, in the order of places. It looks
// them up at the same time, and the failure of one changes nothing for the
// others. The error is nil if every place has an Observation. Otherwise it
// matches the Err of every place that has none.
func (s *Service) Lookup(ctx context.Context, places []Place) ([]Result, error) {
	results := make([]Result, len(places))
	slots := make(chan struct{}, MaxParallel)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for i, place := range places {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i] = s.lookup(ctx, place)
			if results[i].Err != nil {
				cancel()
			}
		})
	}
	wg.Wait()

	var errs []error
	for _, r := range results {
		if r.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.Place.Name, r.Err))
		}
	}
	return results, errors.Join(errs...)
}

func (s *Service) lookup(ctx context.Context, place Place) Result {
	result := Result{Place: place}
	cached, at, ok := s.cache.Load(place.Key())
	if ok && s.younger(at, s.maxAge) {
		result.Observation = cached
		return result
	}
	observation, err := s.forecaster.Current(ctx, place.Lat, place.Lon)
	switch {
	case err == nil:
		result.Observation = observation
		if err := s.cache.Store(place.Key(), observation, s.clock()); err != nil {
			result.Warning = fmt.Errorf("not cached: %w", err)
		}
	case errors.Is(err, ErrUnavailable) && ok && s.younger(at, s.maxStale):
		result.Observation, result.Stale, result.Warning = cached, true, err
	default:
		result.Err = err
	}
	return result
}

// younger reports whether less than limit has passed since at. The future is
// not young: a clock was wrong.
func (s *Service) younger(at time.Time, limit time.Duration) bool {
	age := s.clock().Sub(at)
	return 0 <= age && age < limit
}
