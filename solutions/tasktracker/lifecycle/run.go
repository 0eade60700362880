//course:since m03a

// Package lifecycle runs the services of a program: it starts them in order,
// stops them in reverse order, and lets none of them fail unnoticed.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"
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
	o := options{stopTimeout: defaultStopTimeout}
	for _, opt := range opts {
		opt(&o)
	}
	names, err := namesOf(services)
	if err != nil {
		return err
	}
	s := supervisor{exits: make(chan exit, len(services))}
	s.start(ctx, services, names)
	s.watch(ctx)
	s.stop(s.reason(ctx), o.stopTimeout)
	return errors.Join(s.failures...)
}

func namesOf(services []Service) (names []string, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("lifecycle: services[%d]: name: %w", len(names), &PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	for i, service := range services {
		if service == nil {
			return nil, fmt.Errorf("lifecycle: services[%d] is nil", i)
		}
		names = append(names, service.Name())
	}
	return names, nil
}

// supervisor belongs to one goroutine, that of [Run]. It learns of the end of a
// service from exits, which has room for all of them: nobody waits to be heard.
type supervisor struct {
	exits    chan exit
	started  []*process
	failures []error
}

// healthy reports whether there is no reason to stop yet.
func (s *supervisor) healthy(ctx context.Context) bool {
	return ctx.Err() == nil && len(s.failures) == 0
}

// start starts the services, each when the one before it is ready.
func (s *supervisor) start(ctx context.Context, services []Service, names []string) {
	for i, service := range services {
		if !s.healthy(ctx) {
			return
		}
		p := launch(context.WithoutCancel(ctx), names[i], service, s.exits)
		s.started = append(s.started, p)
		select {
		case <-p.ready:
		case e := <-s.exits:
			s.record(e)
		case <-ctx.Done():
		}
	}
}

// watch waits until there is a reason to stop. Without services there is nothing
// to wait for.
func (s *supervisor) watch(ctx context.Context) {
	for len(s.started) > 0 && s.healthy(ctx) {
		select {
		case e := <-s.exits:
			s.record(e)
		case <-ctx.Done():
		}
	}
}

// reason is why everything stops.
func (s *supervisor) reason(ctx context.Context) error {
	if len(s.failures) > 0 {
		return s.failures[0]
	}
	return context.Cause(ctx)
}

func (s *supervisor) stop(reason error, timeout time.Duration) {
	for _, p := range slices.Backward(s.started) {
		p.cancel(reason)
		s.await(p, timeout)
	}
}

// await waits for the end of p, and records what else ends meanwhile.
func (s *supervisor) await(p *process, timeout time.Duration) {
	var expired <-chan time.Time
	if timeout > 0 {
		expired = time.After(timeout)
	}
	for !p.ended {
		select {
		case e := <-s.exits:
			s.record(e)
		case <-expired:
			s.fail(p, ErrStopTimeout)
			return
		}
	}
}

func (s *supervisor) record(e exit) {
	e.process.ended = true
	if e.err != nil {
		s.fail(e.process, e.err)
	}
}

func (s *supervisor) fail(p *process, err error) {
	s.failures = append(s.failures, fmt.Errorf("%s: %w", p.name, err))
}
