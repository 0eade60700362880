//course:since m04b

package memory

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/middle-go/course/tasktracker/app"
)

// Attempts counts attempts to log in. It is safe for concurrent use.
type Attempts struct {
	mu     sync.Mutex
	counts map[string]*attempts
	swept  time.Time
}

type attempts struct {
	times  []time.Time // in order
	window time.Duration
}

// NewAttempts returns Attempts without any.
func NewAttempts() *Attempts {
	return &Attempts{counts: make(map[string]*attempts)}
}

// Admit counts one attempt for each quota, or none and returns how long to wait.
func (a *Attempts) Admit(ctx context.Context, at time.Time, quotas ...app.Quota) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep(at)
	var wait time.Duration
	for _, q := range quotas {
		if known := a.counts[q.Key]; known != nil && q.Max > 0 {
			known.window = q.Window
			if known.forget(at); len(known.times) >= q.Max {
				oldest := known.times[len(known.times)-q.Max]
				wait = max(wait, oldest.Add(q.Window).Sub(at))
			}
		}
	}
	if wait > 0 {
		return wait, nil
	}
	for _, q := range quotas {
		if q.Max < 1 {
			continue
		}
		if a.counts[q.Key] == nil {
			a.counts[q.Key] = &attempts{window: q.Window}
		}
		a.counts[q.Key].times = append(a.counts[q.Key].times, at)
	}
	return 0, nil
}

// forget drops the attempts that do not count any more.
func (a *attempts) forget(now time.Time) {
	a.times = slices.DeleteFunc(a.times, func(t time.Time) bool { return now.Sub(t) >= a.window })
}

// sweep frees the keys that nobody has used lately. One pass in a minute is
// enough.
func (a *Attempts) sweep(now time.Time) {
	if now.Sub(a.swept) < time.Minute {
		return
	}
	maps.DeleteFunc(a.counts, func(_ string, known *attempts) bool {
		known.forget(now)
		return len(known.times) == 0
	})
	a.swept = now
}

// Retract takes back the attempt that was made under key at that time.
func (a *Attempts) Retract(ctx context.Context, at time.Time, key string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.counts[key]; known != nil {
		if i := slices.IndexFunc(known.times, at.Equal); i >= 0 {
			known.times = slices.Delete(known.times, i, i+1)
		}
	}
	return nil
}

// Clear takes back all attempts under key.
func (a *Attempts) Clear(ctx context.Context, key string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.counts, key)
	return nil
}
