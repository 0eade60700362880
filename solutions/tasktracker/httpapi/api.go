//course:since m04a

// Package httpapi speaks HTTP for the service: it turns requests into calls of
// the use cases, and results and errors into answers. The contract is
// openapi.yaml.
package httpapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/web/cursor"
	"github.com/middle-go/course/tasktracker/web/idempotency"
)

// Config is what the API works with. All fields are required, except those that
// say otherwise.
type Config struct {
	Tasks *app.Tasks
	//course:since m04b
	Accounts *app.Accounts
	TrustDev bool // trust the header X-TT-User; for development on the own machine
	//course:end

	Idempotency idempotency.Store
	Cursors     *cursor.Codec

	Log       *slog.Logger
	AccessLog io.Writer // one line for each request; nil: none
	Now       func() time.Time

	// Ready returns nil while the service takes requests. Its error is for the
	// log.
	Ready func(context.Context) error

	MaxBody        int64         // bytes of a request body
	RequestTimeout time.Duration // after which a request is given up
}

// New returns the API.
func New(cfg Config) http.Handler {
	if cfg.AccessLog == nil {
		cfg.AccessLog = io.Discard
	}
	return (&api{cfg}).routes()
}

type api struct{ Config }
