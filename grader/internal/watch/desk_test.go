package watch

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/record"
)

// takes is how long an examination takes.
const takes = time.Second

// newTestDesk returns a desk whose examinations all pass after a while.
func newTestDesk(t *testing.T, parallel int) *desk {
	t.Helper()
	d := newDesk(t.Context(), t.TempDir(), &watcher{events: make(chan fsnotify.Event)}, parallel)
	d.examine = func(ctx context.Context, ex *course.Exercise, _ bool) (*grade.Verdict, error) {
		select {
		case <-time.After(takes):
			return passing(ex.Slug), nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return d
}

func (d *desk) recorded(t *testing.T, id string) record.Entry {
	t.Helper()
	rec, err := record.Open(d.submission)
	require.NoError(t, err)
	return *rec.Entry(id)
}

func TestDesk_NotesVerdicts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestDesk(t, 2)
		defer d.close()
		ex := testWeek("escape").Exercises[0]
		v, err := d.grade(ex, 1, false)
		require.NoError(t, err)
		require.Equal(t, v.Status, d.recorded(t, ex.ID()).Status)
	})
}

func TestDesk_ANewGradingCancelsTheOldOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestDesk(t, 2)
		defer d.close()
		ex := testWeek("escape").Exercises[0]
		old := make(chan error, 1)
		go func() {
			_, err := d.grade(ex, 1, false)
			old <- err
		}()
		time.Sleep(takes / 2)
		start := time.Now()
		v, err := d.grade(ex, 2, false)
		require.NoError(t, err)
		require.NotNil(t, v)
		require.Equal(t, takes, time.Since(start))
		require.ErrorIs(t, <-old, context.Canceled)
	})
}

func TestDesk_ALateCallOfAnOldGradingIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestDesk(t, 2)
		defer d.close()
		ex := testWeek("escape").Exercises[0]
		newer := make(chan error, 1)
		go func() {
			_, err := d.grade(ex, 2, false)
			newer <- err
		}()
		time.Sleep(takes / 2)
		_, err := d.grade(ex, 1, false)
		require.ErrorIs(t, err, errSuperseded)
		require.NoError(t, <-newer, "the newer one goes on")
	})
}

func TestDesk_AVerdictOnChangedFilesIsNotNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestDesk(t, 2)
		ex := testWeek("escape").Exercises[0]
		d.examine = func(context.Context, *course.Exercise, bool) (*grade.Verdict, error) {
			d.cancel() // at the last moment
			return passing(ex.Slug), nil
		}
		_, err := d.grade(ex, 1, false)
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, d.recorded(t, ex.ID()).Status)
		d.close()
	})
}

func TestDesk_BoundsWhatRunsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestDesk(t, 2)
		defer d.close()
		ended := make(chan time.Duration, 4)
		start := time.Now()
		for i, ex := range testWeek("a", "b", "c", "d").Exercises {
			go func() {
				_, _ = d.grade(ex, i+1, false)
				ended <- time.Since(start)
			}()
		}
		for _, want := range []time.Duration{takes, takes, 2 * takes, 2 * takes} {
			require.Equal(t, want, <-ended)
		}
	})
}

// A bubble of synctest ends only when all of its goroutines have.
func TestDesk_NothingOutlivesClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestDesk(t, 1)
		ended := make(chan error, 4)
		for i, ex := range testWeek(exerciseNames...).Exercises {
			go func() {
				_, err := d.grade(ex, i+1, false)
				ended <- err
			}()
		}
		go func() {
			_, err := d.changes()
			ended <- err
		}()
		synctest.Wait()
		start := time.Now()
		d.close()
		for range cap(ended) {
			require.ErrorIs(t, <-ended, context.Canceled)
		}
		require.Zero(t, time.Since(start))
		_, err := d.grade(testWeek("escape").Exercises[0], 9, false)
		require.ErrorIs(t, err, errOver)
		_, err = d.changes()
		require.ErrorIs(t, err, errOver)
	})
}

func TestDesk_HintsAreNotedAndTheLastOneStays(t *testing.T) {
	d := newTestDesk(t, 1)
	defer d.close()
	ex := testWeek("escape").Exercises[0]
	for _, want := range []hint{
		{1, 3, ex.Hints[0], false}, {2, 3, ex.Hints[1], false}, {3, 3, ex.Hints[2], false}, {3, 3, ex.Hints[2], true},
	} {
		h, err := d.hint(ex)
		require.NoError(t, err)
		require.Equal(t, want, *h)
		require.Equal(t, want.number, d.recorded(t, ex.ID()).HintsShown)
	}
}

func TestDesk_AFailedExaminationIsNotNoted(t *testing.T) {
	d := newTestDesk(t, 1)
	defer d.close()
	ex, full := testWeek("escape").Exercises[0], errors.New("no space left on device")
	d.examine = func(context.Context, *course.Exercise, bool) (*grade.Verdict, error) { return nil, full }
	_, err := d.grade(ex, 1, false)
	require.ErrorIs(t, err, full)
	require.Empty(t, d.recorded(t, ex.ID()).Status)
}
