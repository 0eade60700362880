package watch

import (
	"context"
	"errors"
	"sync"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/record"
)

// desk does what a model asks for. Its methods are safe for concurrent use,
// except changes, which one caller at a time may use.
type desk struct {
	submission string // root of the student's tree
	saves      *watcher

	// examine gives a verdict, without the cache if fresh is set.
	examine func(ctx context.Context, ex *course.Exercise, fresh bool) (*grade.Verdict, error)

	ctx    context.Context // of everything that is under way
	cancel context.CancelFunc
	slots  chan struct{} // bounds the gradings that run at once

	mu     sync.Mutex
	jobs   map[string]*job // the latest grading of every exercise
	closed bool
	busy   sync.WaitGroup // calls that close waits for

	record sync.Mutex // held from reading the student's record to writing it
}

// job is one grading.
type job struct {
	run    int
	cancel context.CancelFunc
	done   chan struct{}
}

var (
	errSuperseded = errors.New("a newer grading of the exercise has begun")
	errOver       = errors.New("the watch is over")
)

// newDesk returns a desk that works until it is closed or ctx is cancelled.
func newDesk(ctx context.Context, submission string, saves *watcher, parallel int) *desk {
	d := &desk{submission: submission, saves: saves, slots: make(chan struct{}, max(parallel, 1)), jobs: map[string]*job{}}
	d.ctx, d.cancel = context.WithCancel(ctx)
	return d
}

// close cancels what is under way and waits for its end.
func (d *desk) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	d.busy.Wait()
}

// enter begins a call that close waits for, unless the desk is closed.
func (d *desk) enter() (leave func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errOver
	}
	d.busy.Add(1)
	return d.busy.Done, nil
}

func (d *desk) changes() (change, error) {
	leave, err := d.enter()
	if err != nil {
		return change{}, err
	}
	defer leave()
	return d.saves.next(d.ctx)
}

func (d *desk) grade(ex *course.Exercise, run int, fresh bool) (*grade.Verdict, error) {
	leave, err := d.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, done, err := d.supersede(ex.ID(), run)
	if err != nil {
		return nil, err
	}
	defer done()
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	v, err := d.examine(ctx, ex, fresh)
	if err == nil {
		err = ctx.Err() // a verdict on files that have changed since
	}
	if err != nil {
		return nil, err
	}
	return v, d.amend(func(rec *record.Record) { rec.Add(v) })
}

// supersede makes run the grading of an exercise. It cancels the one before and
// waits for its end, so that the work directory is free again.
func (d *desk) supersede(id string, run int) (ctx context.Context, done func(), err error) {
	d.mu.Lock()
	before := d.jobs[id]
	if before != nil && before.run > run {
		d.mu.Unlock()
		return nil, nil, errSuperseded
	}
	ctx, cancel := context.WithCancel(d.ctx)
	j := &job{run: run, cancel: cancel, done: make(chan struct{})}
	d.jobs[id] = j
	d.mu.Unlock()
	if before != nil {
		before.cancel()
		<-before.done
	}
	return ctx, func() {
		cancel()
		close(j.done)
	}, nil
}

func (d *desk) hint(ex *course.Exercise) (*hint, error) {
	leave, err := d.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	var h *hint
	err = d.amend(func(rec *record.Record) {
		entry := rec.Entry(ex.ID())
		n, again := entry.NextHint(len(ex.Hints))
		h = &hint{number: n, of: len(ex.Hints), text: ex.Hints[n-1], again: again}
		entry.Showed(n)
	})
	return h, err
}

// amend changes the student's record.
func (d *desk) amend(edit func(*record.Record)) error {
	d.record.Lock()
	defer d.record.Unlock()
	rec, err := record.Open(d.submission)
	if err != nil {
		return err
	}
	edit(rec)
	return rec.Save()
}
