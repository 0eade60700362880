//course:since m03a

package lifecycle_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/tasktracker/lifecycle"
)

type service struct {
	name string
	run  func(ctx context.Context, ready func()) error
}

func (s service) Name() string                                { return s.name }
func (s service) Run(ctx context.Context, ready func()) error { return s.run(ctx, ready) }

// untilTold is ready at once and takes a while to stop.
func untilTold(name string, log *[]string, cleanup time.Duration) service {
	return service{name, func(ctx context.Context, ready func()) error {
		*log = append(*log, name+" starts")
		ready()
		<-ctx.Done()
		time.Sleep(cleanup)
		*log = append(*log, name+" ends")
		return ctx.Err()
	}}
}

func failing(name string, after time.Duration, err error) service {
	return service{name, func(ctx context.Context, ready func()) error {
		ready()
		time.Sleep(after)
		return err
	}}
}

var errDisk = errors.New("disk full")

func TestRun_StopsInReverseOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var log []string
		err := lifecycle.Run(ctx, []lifecycle.Service{untilTold("store", &log, 0), untilTold("api", &log, time.Second)})
		want := []string{"store starts", "api starts", "api ends", "store ends"}
		if err != nil || !slices.Equal(log, want) {
			t.Errorf("got %q, %v, want %q", log, err, want)
		}
	})
}

func TestRun_NextStartsWhenReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var started time.Duration
		err := lifecycle.Run(t.Context(), []lifecycle.Service{
			service{"store", func(ctx context.Context, ready func()) error {
				time.Sleep(3 * time.Second)
				ready()
				<-ctx.Done()
				return nil
			}},
			service{"api", func(context.Context, func()) error {
				started = time.Since(begin)
				return errDisk
			}},
		})
		if started != 3*time.Second || !errors.Is(err, errDisk) {
			t.Errorf("the second service started after %v, %v", started, err)
		}
	})
}

func TestRun_StartsNothingWhenDone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var log []string
	if err := lifecycle.Run(ctx, []lifecycle.Service{untilTold("store", &log, 0)}); err != nil || log != nil {
		t.Errorf("got %q, %v", log, err)
	}
}

func TestRun_JoinsFailuresInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		hangs := service{"hangs", func(ctx context.Context, ready func()) error {
			ready()
			<-ctx.Done()
			time.Sleep(time.Minute)
			return nil
		}}
		err := lifecycle.Run(t.Context(), []lifecycle.Service{
			untilTold("store", &log, time.Second),
			failing("queue", 10*time.Second, nil),
			hangs,
			failing("api", 9*time.Second, errDisk),
		}, lifecycle.StopTimeout(5*time.Second))
		want := "api: disk full\nqueue: stopped unexpectedly\nhangs: did not stop in time"
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		for _, target := range []error{errDisk, lifecycle.ErrStopped, lifecycle.ErrStopTimeout} {
			if !errors.Is(err, target) {
				t.Errorf("the error does not wrap %q", target)
			}
		}
		time.Sleep(time.Minute) // the one that was left behind ends too
	})
}

func TestRun_PanicIsAFailure(t *testing.T) {
	err := lifecycle.Run(t.Context(), []lifecycle.Service{
		service{"store", func(context.Context, func()) error { panic(errDisk) }},
	})
	caught, ok := errors.AsType[*lifecycle.PanicError](err)
	if !ok || !errors.Is(err, errDisk) || !strings.Contains(string(caught.Stack), "lifecycle_test") {
		t.Errorf("panic: got %v", err)
	}
}

func TestRun_RefusesWrongWiring(t *testing.T) {
	var log []string
	var missing *service
	for _, wrong := range []lifecycle.Service{nil, missing} {
		err := lifecycle.Run(t.Context(), []lifecycle.Service{untilTold("store", &log, 0), wrong})
		if err == nil || !strings.Contains(err.Error(), "services[1]") || log != nil {
			t.Errorf("got %v, %q", err, log)
		}
	}
}
