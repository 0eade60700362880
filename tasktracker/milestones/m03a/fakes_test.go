package m03a_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/lifecycle"
)

// never is a duration that does not end.
const never time.Duration = -1

// fake is a service that writes down when it starts, is ready, is told to stop
// and ends.
type fake struct {
	name    string
	startup time.Duration // from its start until it is ready
	life    time.Duration // from its start until it ends by itself; 0: it waits until it is told
	end     func() error  // what it returns then; nil: nil
	cleanup time.Duration // from the moment it is told until it ends
	last    func(ctx context.Context) error

	stage *stage
}

func (f *fake) Name() string { return f.name }

func (f *fake) Run(ctx context.Context, ready func()) error {
	f.stage.note(f.name + " starts")
	defer f.stage.note(f.name + " ends")
	if f.works(ctx, ready) {
		if f.end == nil {
			return nil
		}
		return f.end()
	}
	f.stage.note(f.name + " is told to stop")
	f.stage.pause(context.WithoutCancel(ctx), f.cleanup)
	if f.last == nil {
		return ctx.Err()
	}
	return f.last(ctx)
}

// works reports whether f ends by itself.
func (f *fake) works(ctx context.Context, ready func()) bool {
	if f.startup == never {
		return f.stage.pause(ctx, f.life)
	}
	if !f.stage.pause(ctx, f.startup) {
		return false
	}
	f.stage.note(f.name + " is ready")
	ready()
	if f.life == 0 {
		return f.stage.pause(ctx, never)
	}
	return f.stage.pause(ctx, f.life-f.startup)
}

func returns(err error) func() error { return func() error { return err } }

// stage is where a call of Run is observed, in a bubble.
type stage struct {
	cancel   context.CancelCauseFunc // of the ctx of Run
	released chan struct{}           // closed in the end: nobody waits any longer

	begin time.Time
	mu    sync.Mutex
	diary []string

	returned chan struct{}
	after    time.Duration // how long Run ran
	err      error         // what Run returned
}

// play calls Run with the services.
func play(ctx context.Context, services []*fake, opts ...lifecycle.Option) *stage {
	s := &stage{begin: time.Now(), released: make(chan struct{}), returned: make(chan struct{})}
	ctx, s.cancel = context.WithCancelCause(ctx)
	list := make([]lifecycle.Service, len(services))
	for i, f := range services {
		f.stage = s
		list[i] = f
	}
	go func() {
		defer close(s.returned)
		s.err = lifecycle.Run(ctx, list, opts...)
		s.after = time.Since(s.begin)
	}()
	return s
}

func (s *stage) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.diary = append(s.diary, fmt.Sprintf("%v: %s", time.Since(s.begin), what))
}

// pause waits for d, and reports whether it did before ctx was done.
func (s *stage) pause(ctx context.Context, d time.Duration) bool {
	var over <-chan time.Time
	if d != never {
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-over:
		return true
	case <-ctx.Done():
	case <-s.released:
	}
	return false
}

// await waits for the end of Run, and fails t if that does not come.
func (s *stage) await(t *testing.T, do string) {
	t.Helper()
	const patience = 24 * time.Hour
	timer := time.NewTimer(patience)
	defer timer.Stop()
	late := false
	select {
	case <-s.returned:
	case <-timer.C:
		late = true
	}
	seen := s.entries()
	s.cancel(nil)
	close(s.released)
	if late {
		time.Sleep(patience) // every service has ended: Run may still come back
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("Run does not return\n%s", lines(seen)),
			Want: rule.Text("Run returns"),
			Why:  "A program that does not stop is killed, and what it had in its hands is lost.",
		})
	}
	synctest.Wait()
}

func (s *stage) entries() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.diary)
}

// endings returns the entries about stops and ends.
func (s *stage) endings() []string {
	return slices.DeleteFunc(s.entries(), func(e string) bool {
		return strings.HasSuffix(e, " starts") || strings.HasSuffix(e, " is ready")
	})
}

func expectDiary(t *testing.T, do, why string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		rule.Broken(t, rule.Case{Do: do, Got: lines(got), Want: lines(want), Why: why})
	}
}

func lines(diary []string) rule.Text {
	if len(diary) == 0 {
		return "nothing happens"
	}
	return rule.Text(strings.Join(diary, "\n"))
}

// expectErr compares the text of what Run returned.
func (s *stage) expectErr(t *testing.T, do, why string, want ...string) {
	t.Helper()
	got := rule.Text("<nil>")
	if s.err != nil {
		got = rule.Text(s.err.Error())
	}
	wanted := rule.Text(strings.Join(want, "\n"))
	if wanted == "" {
		wanted = "<nil>"
	}
	if got != wanted {
		rule.Broken(t, rule.Case{Do: do + "\nfmt.Println(err)", Got: got, Want: wanted, Why: why})
	}
}

// expectIs asks what Run returned for an error that it should wrap.
func (s *stage) expectIs(t *testing.T, do, name string, target error) {
	t.Helper()
	if !errors.Is(s.err, target) {
		rule.Broken(t, rule.Case{
			Do: do + "\nerrors.Is(err, " + name + ")", Got: false, Want: true,
			Why: "main decides by the error what to do, and the text is for people.",
		})
	}
}
