//course:since m03a

package lifecycle

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
)

// process is a service that was started.
type process struct {
	name   string
	cancel context.CancelCauseFunc
	ready  chan struct{} // closed by the service
	ended  bool          // belongs to the supervisor
}

// exit says that a process has ended; err is nil if it ended well.
type exit struct {
	process *process
	err     error
}

// launch starts a service in a goroutine, whose last act is to send an exit.
func launch(ctx context.Context, name string, service Service, exits chan<- exit) *process {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &process{name: name, cancel: cancel, ready: make(chan struct{})}
	ready := sync.OnceFunc(func() { close(p.ready) })
	go func() {
		var err error // stays nil if Run ends by runtime.Goexit
		defer func() {
			if v := recover(); v != nil {
				err = &PanicError{Value: v, Stack: debug.Stack()}
			} else {
				err = judge(ctx, err)
			}
			exits <- exit{process: p, err: err}
		}()
		err = service.Run(ctx, ready)
	}()
	return p
}

// judge returns nil if a service that has the context ctx ended well when it
// returned err.
func judge(ctx context.Context, err error) error {
	told := ctx.Err() != nil
	switch {
	case told && errors.Is(err, context.Canceled):
		return nil
	case !told && err == nil:
		return ErrStopped
	default:
		return err
	}
}
