//course:since m04a

// Package eventlog tells the log what happens to tasks, for as long as nobody
// else listens.
package eventlog

import (
	"context"
	"log/slog"

	"github.com/middle-go/course/tasktracker/domain"
)

// Events writes events to a log. It is safe for concurrent use.
type Events struct{ Log *slog.Logger }

// Publish logs evs at level debug.
func (e Events) Publish(ctx context.Context, evs ...domain.Event) error {
	for _, ev := range evs {
		e.Log.LogAttrs(ctx, slog.LevelDebug, "event",
			slog.String("type", string(ev.Type)),
			slog.String("actor", string(ev.Actor)),
			slog.String("task", string(ev.Task)),
			slog.Uint64("version", ev.Version),
		)
	}
	return nil
}
