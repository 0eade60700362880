package watch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/course"
)

func TestTouches_WhatMayHaveChangedTheFile(t *testing.T) {
	const file = "/c/module1/week01/handles/handles.go"
	for _, tc := range []struct {
		why  string
		name string
		op   fsnotify.Op
		want bool
	}{
		{"written in place", file, fsnotify.Write, true},
		{"another file was renamed over it", file, fsnotify.Create, true},
		{"moved away, as a backup", file, fsnotify.Rename, true},
		{"removed", file, fsnotify.Remove, true},
		{"several at once", file, fsnotify.Write | fsnotify.Chmod, true},
		{"its attributes only", file, fsnotify.Chmod, false},
		{"the temporary file of an editor", file + "~", fsnotify.Create, false},
		{"the swap file of an editor", "/c/module1/week01/handles/.handles.go.swp", fsnotify.Write, false},
		{"a test of the course", "/c/module1/week01/handles/handles_test.go", fsnotify.Write, false},
		{"its directory came", "/c/module1/week01/handles", fsnotify.Create, true},
		{"the week went", "/c/module1/week01", fsnotify.Rename, true},
		{"kqueue says so when a neighbour is saved", "/c/module1/week01/handles", fsnotify.Write, false},
		{"a directory whose name is a prefix", "/c/module1/week01/hand", fsnotify.Remove, false},
	} {
		e := fsnotify.Event{Name: filepath.FromSlash(tc.name), Op: tc.op}
		require.Equal(t, tc.want, touches(e, filepath.FromSlash(file)), tc.why)
	}
}

// disk is a watcher whose file system is played by the test.
type disk struct {
	*watcher
	events   chan fsnotify.Event
	errors   chan error
	watched  map[string]int // how often a directory was added
	manifest func() (*course.Week, error)
}

// newDisk returns a disk with the week under test. The tree of the course and
// that of the student are two.
func newDisk(t *testing.T) *disk {
	t.Helper()
	d := &disk{events: make(chan fsnotify.Event), errors: make(chan error), watched: map[string]int{}}
	week := testWeek(exerciseNames...)
	week.Exercises[2].Files = []string{"handles.go", "slot/slot.go"}
	d.manifest = func() (*course.Week, error) { return week, nil }
	d.watcher = &watcher{
		events: d.events, errors: d.errors, course: "/course", submission: "/student",
		add:  func(dir string) error { d.watched[dir]++; return nil },
		load: func() (*course.Week, error) { return d.manifest() },
	}
	require.NoError(t, d.follow(week))
	return d
}

// write reports that a file of the week was written.
func (d *disk) write(root, file string) {
	d.events <- fsnotify.Event{Name: filepath.Join(root, "module1/week01", file), Op: fsnotify.Write}
}

func TestWatcher_WatchesDirectoriesUpToTheRoots(t *testing.T) {
	var dirs []string
	for dir := range newDisk(t).watched {
		dirs = append(dirs, dir)
	}
	require.ElementsMatch(t, []string{
		"/course/module1", "/course/module1/week01",
		"/student/module1", "/student/module1/week01", "/student/module1/week01/aliasing", "/student/module1/week01/escape",
		"/student/module1/week01/handles", "/student/module1/week01/handles/slot",
	}, dirs)
}

func TestWatcher_ADirectoryThatDoesNotExistIsNoError(t *testing.T) {
	d := newDisk(t)
	d.add = func(dir string) error { return &os.PathError{Op: "add", Path: dir, Err: os.ErrNotExist} }
	require.NoError(t, d.watch())
	d.add = func(string) error { return errors.New("no space left on device") }
	require.ErrorContains(t, d.watch(), "saves in /course/module1 are not noticed: no space left on device")
}

func TestWatcher_ABurstOfSavesIsOneChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(t)
		go func() {
			for _, file := range []string{"handles/slot/slot.go", "escape/escape.go", "escape/escape.go"} {
				d.write("/student", file)
				time.Sleep(settle - time.Millisecond)
			}
		}()
		start := time.Now()
		c, err := d.next(t.Context())
		require.NoError(t, err)
		require.Equal(t, change{touched: []string{"week01/escape", "week01/handles"}}, c, "in the order of the week")
		require.Equal(t, 2*(settle-time.Millisecond)+settle, time.Since(start), "it ends when the files are quiet")
	})
}

func TestWatcher_SavesApartAreTwoChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(t)
		go func() {
			d.write("/student", "escape/escape.go")
			time.Sleep(settle + time.Millisecond)
			d.write("/student", "aliasing/aliasing.go")
		}()
		for _, want := range []string{"week01/escape", "week01/aliasing"} {
			c, err := d.next(t.Context())
			require.NoError(t, err)
			require.Equal(t, []string{want}, c.touched)
		}
	})
}

func TestWatcher_OtherFilesNeitherCountNorDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(t)
		done := make(chan struct{})
		defer close(done)
		go func() {
			for {
				select {
				case d.events <- fsnotify.Event{Name: "/student/module1/week01/escape/.escape.go.swp", Op: fsnotify.Write}:
				case <-done:
					return
				}
				time.Sleep(settle / 10)
			}
		}()
		go d.write("/student", "escape/escape.go")
		start := time.Now()
		c, err := d.next(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"week01/escape"}, c.touched)
		require.Equal(t, settle, time.Since(start))
	})
}

func TestWatcher_WatchesADirectoryThatCameBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(t)
		const dir = "/student/module1/week01/handles"
		before := d.watched[dir]
		go func() {
			d.events <- fsnotify.Event{Name: dir, Op: fsnotify.Remove}
			d.events <- fsnotify.Event{Name: dir, Op: fsnotify.Create}
		}()
		c, err := d.next(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"week01/handles"}, c.touched)
		require.Greater(t, d.watched[dir], before)
	})
}

func TestWatcher_ReloadsTheManifest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(t)
		broken := errors.New("module1/week01/week.yaml:3: title is missing")
		d.manifest = func() (*course.Week, error) { return nil, broken }
		go d.write("/course", "week.yaml")
		c, err := d.next(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, c.err, broken)
		require.Nil(t, c.week)

		go d.write("/student", "escape/escape.go")
		c, err = d.next(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"week01/escape"}, c.touched, "the exercises stay as they were")

		week := testWeek("zerocopy")
		d.manifest = func() (*course.Week, error) { return week, nil }
		go d.write("/course", "week.yaml")
		c, err = d.next(t.Context())
		require.NoError(t, err)
		require.Equal(t, change{week: week}, c)

		go d.write("/student", "zerocopy/zerocopy.go")
		c, err = d.next(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"week01/zerocopy"}, c.touched)
	})
}

func TestWatcher_LostEventsMayBeAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(t)
		go func() { d.errors <- fsnotify.ErrEventOverflow }()
		c, err := d.next(t.Context())
		require.NoError(t, err)
		require.NotNil(t, c.week, "the week is graded from the start")
		require.NoError(t, c.err)
	})
}

func TestWatcher_EndsWithItsContextOrItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(t)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := d.next(ctx)
		require.ErrorIs(t, err, context.Canceled)

		close(d.events)
		_, err = d.next(t.Context())
		require.ErrorIs(t, err, errClosed)
	})
}

// The system's own watcher, with the ways in which editors and git save.
func TestWatcher_NoticesHowFilesAreReallySaved(t *testing.T) {
	root := t.TempDir()
	week := testWeek("aliasing", "escape")
	dir := filepath.Join(root, "module1", "week01", "escape")
	file := filepath.Join(dir, "escape.go")
	save := func(name, content string) { require.NoError(t, os.WriteFile(name, []byte(content), 0o644)) }
	require.NoError(t, os.MkdirAll(dir, 0o755))
	save(file, "0")

	files, err := fsnotify.NewWatcher()
	require.NoError(t, err)
	defer files.Close()
	w := &watcher{events: files.Events, errors: files.Errors, add: files.Add, course: root, submission: root}
	require.NoError(t, w.follow(week))

	for _, step := range []struct {
		name string
		do   func()
	}{
		{"in place", func() { save(file, "1") }},
		{"by renaming", func() {
			save(file+".tmp", "2")
			require.NoError(t, os.Rename(file+".tmp", file))
		}},
		{"with a backup", func() {
			require.NoError(t, os.Rename(file, file+"~"))
			save(file, "3")
		}},
		{"the directory anew", func() {
			require.NoError(t, os.RemoveAll(dir))
			require.NoError(t, os.Mkdir(dir, 0o755))
			save(file, "4")
		}},
		{"in the new directory", func() { save(file, "5") }},
	} {
		step.do()
		c, err := w.next(t.Context())
		require.NoError(t, err, step.name)
		require.Equal(t, change{touched: []string{"week01/escape"}}, c, step.name)
	}
}
