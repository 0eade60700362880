package lifecycle

import "time"

type options struct{}

// Option changes how [Run] works. Of two that change the same, the last one
// counts.
type Option func(*options)

// StopTimeout is how long each service may take to end after it was told to
// stop. The default is 10 seconds; 0 or less means as long as it takes.
func StopTimeout(d time.Duration) Option {
	return func(*options) {}
}
