//course:since m04a

package main

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/config"
	"github.com/middle-go/course/tasktracker/infra/memory"
	//course:since m05a
	"github.com/middle-go/course/tasktracker/infra/sqlite"
	//course:end
	"github.com/middle-go/course/tasktracker/sweep"
	"github.com/middle-go/course/tasktracker/web/cursor"
	"github.com/middle-go/course/tasktracker/web/idempotency"
)

const (
	// idempotencyTTL is how long an answer can be asked for again.
	idempotencyTTL = 24 * time.Hour

	// inFlightSlack is how much longer than a request its reservation lasts.
	inFlightSlack = time.Minute

	sweepBatch = 100
	stopSlack  = 5 * time.Second
)

// stores is where the service keeps what must not be forgotten.
type stores struct {
	io.Closer
	tasks interface {
		app.TaskRepository
		sweep.Tasks
	}
	idempotency idempotency.Store
	//course:since m04b
	users    app.UserRepository
	sessions app.SessionRepository
	attempts app.Attempts
	//course:end

	// secret returns a random key that all processes on the same store share.
	secret func(ctx context.Context, name string) ([]byte, error)
}

func openStores(ctx context.Context, cfg config.Config) (*stores, error) {
	//course:since m05a
	if cfg.Store == config.StoreSQLite {
		return openSQLite(ctx, cfg)
	}
	//course:end
	return newMemory(cfg), nil
}

func newMemory(cfg config.Config) *stores {
	return &stores{
		Closer:      io.NopCloser(nil),
		tasks:       memory.NewTaskRepo(),
		idempotency: idempotency.NewMemoryStore(idempotencyTTL, cfg.RequestTimeout+inFlightSlack),
		//course:since m04b
		users:    memory.NewUserRepo(),
		sessions: memory.NewSessionRepo(),
		attempts: memory.NewAttempts(),
		//course:end
		secret: func(context.Context, string) ([]byte, error) {
			key := make([]byte, cursor.MinKeyLen)
			_, _ = rand.Read(key) // never fails
			return key, nil
		},
	}
}

//course:since m05a

func openSQLite(ctx context.Context, cfg config.Config) (*stores, error) {
	store, err := sqlite.Open(ctx, cfg.DataDir, cfg.Shards)
	if err != nil {
		return nil, err
	}
	return &stores{
		Closer:      store,
		tasks:       store.Tasks(),
		idempotency: store.Idempotency(idempotencyTTL, cfg.RequestTimeout+inFlightSlack),
		users:       store.Users(),
		sessions:    store.Sessions(),
		attempts:    store.Attempts(),
		secret:      store.Secret,
	}, nil
}

//course:end
