// Package sweep cleans up in the background: it expires the tasks that are
// overdue, and purges those that have been expired for long.
package sweep

import (
	"context"
	"errors"

	"github.com/middle-go/course/tasktracker/app"
)

// Sweeper expires and purges tasks. It is safe for concurrent use: it has no
// state of its own, and of two that change the same task the store lets one win.
type Sweeper struct{}

// New returns a sweeper on these ports. It panics if one is nil: a service that
// is wired wrongly must not start.
func New(tasks Tasks, events app.Events, clock app.Clock, cfg Config) *Sweeper {
	return &Sweeper{}
}

// Stats counts what a sweep has done.
type Stats struct {
	Expired int // tasks
	Purged  int // tasks
	Failed  int // tasks that could not be read, saved or deleted, and events that could not be published
}

// Sweep expires every task that is overdue by more than the grace, and then
// purges every expired task whose last change is longer ago than the retention.
// It asks the clock once: that is the time of all it does.
//
// A task that was changed or deleted by somebody else meanwhile is left alone,
// and that is no failure. A failure stops nobody else: it is counted, and the
// error wraps the first one. When ctx is done, Sweep ends between two tasks and
// returns what it has done and the error of ctx.
func (s *Sweeper) Sweep(ctx context.Context) (Stats, error) {
	return Stats{}, errors.ErrUnsupported
}
