//course:since m03b

// Package sweep cleans up in the background: it expires the tasks that are
// overdue, and purges those that have been expired for long.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
)

// Sweeper expires and purges tasks. It is safe for concurrent use: it has no
// state of its own, and of two that change the same task the store lets one win.
type Sweeper struct {
	tasks  Tasks
	events app.Events
	clock  app.Clock
	cfg    Config
}

// New returns a sweeper on these ports. It panics if one is nil: a service that
// is wired wrongly must not start.
func New(tasks Tasks, events app.Events, clock app.Clock, cfg Config) *Sweeper {
	if tasks == nil || events == nil || clock == nil {
		panic("sweep: New needs tasks, events and a clock")
	}
	return &Sweeper{tasks: tasks, events: events, clock: clock, cfg: cfg.withDefaults()}
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
	r := round{Sweeper: s, now: s.clock.Now()}
	r.each(ctx, s.tasks.Overdue, r.now.Add(-s.cfg.Grace), r.expire)
	if s.cfg.PurgeAfter > 0 {
		r.each(ctx, s.tasks.Expired, r.now.Add(-s.cfg.PurgeAfter), r.purge)
	}
	if err := ctx.Err(); err != nil {
		return r.stats, err
	}
	if r.first != nil {
		return r.stats, fmt.Errorf("sweep: %d failed, the first one: %w", r.stats.Failed, r.first)
	}
	return r.stats, nil
}

// round is one sweep.
type round struct {
	*Sweeper
	now   time.Time
	stats Stats
	first error // the first failure
}

func (r *round) fail(err error) {
	r.stats.Failed++
	if r.first == nil {
		r.first = err
	}
}

func (r *round) expire(ctx context.Context, t *domain.Task) (gone bool) {
	expected := t.State().Version
	if !t.Expire(r.now, r.cfg.Grace) {
		return false
	}
	if !r.changed(ctx, t, r.tasks.Save(ctx, t, expected)) {
		return false
	}
	r.stats.Expired++
	r.publish(ctx, domain.EventExpired, t)
	return true
}

func (r *round) purge(ctx context.Context, t *domain.Task) (gone bool) {
	s := t.State()
	if !r.changed(ctx, t, r.tasks.Delete(ctx, s.Owner, s.ID, s.Version)) {
		return false
	}
	r.stats.Purged++
	r.publish(ctx, domain.EventPurged, t)
	return true
}

// changed reports whether the store has made a change, and counts a failure. A
// conflict is none: a user was faster, and what he did counts. Nor is what a
// stop has cut short.
func (r *round) changed(ctx context.Context, t *domain.Task, err error) bool {
	if err != nil && ctx.Err() == nil && !errors.Is(err, domain.ErrConflict) && !errors.Is(err, domain.ErrNotFound) {
		r.fail(fmt.Errorf("task %s: %w", t.State().ID, err))
	}
	return err == nil
}

// publish tells what has happened to a task that is stored already. So a stop
// does not reach it: nobody would ever tell again.
func (r *round) publish(ctx context.Context, what domain.EventType, t *domain.Task) {
	s := t.State()
	err := r.events.Publish(context.WithoutCancel(ctx), domain.Event{
		Type:    what,
		At:      r.now,
		Owner:   s.Owner,
		Task:    s.ID,
		Version: s.Version,
	})
	if err != nil {
		r.fail(fmt.Errorf("event %s of task %s: %w", what, s.ID, err))
	}
}
