package lifecycle

import "context"

// Service is a part of the program that runs until it is told to stop: a server,
// a worker, a periodic job.
type Service interface {
	// Name is what errors call the service.
	Name() string

	// Run works until ctx is done, then ends what it has begun and returns nil
	// or ctx.Err(). Anything else that it returns is a failure, and so is every
	// return before ctx is done.
	//
	// Run calls ready when those who need the service may use it. The call does
	// not wait. Calls after the first one do nothing. It may come from any
	// goroutine, at any time.
	Run(ctx context.Context, ready func()) error
}
