// Package lifecycle runs the services of a program: it starts them in order,
// stops them in reverse order, and lets none of them fail unnoticed.
package lifecycle

import (
	"context"
	"errors"
)

// Run runs the services until ctx is done or one of them fails, and returns when
// all have ended.
//
// They start in the order of the slice: the next one when the one before it is
// ready, and none after ctx is done or a service has failed. They stop in
// reverse order: a service is told when all that were started after it have
// ended. Their contexts carry the values of ctx, but neither its deadline nor
// its cancellation; their cause is why everything stops. A service that takes
// longer than [StopTimeout] is left behind, and the stop goes on.
//
// Run returns nil if every service was told to stop and then ended well.
// Otherwise it joins all failures in the order in which they came: what services
// returned, [ErrStopped] for a nil that came too early, [ErrStopTimeout], and
// panics of Run as a [*PanicError]. A service that is nil, or whose Name panics,
// is an error before anything starts.
func Run(ctx context.Context, services []Service, opts ...Option) error {
	return errors.ErrUnsupported
}
