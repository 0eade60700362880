package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/middle-go/course/grader/internal/course"
)

// change is what one burst of saves touched.
type change struct {
	touched []string     // IDs of exercises whose files changed, in the order of the week
	week    *course.Week // the manifest, if it changed and loads
	err     error        // why the manifest does not load, or a save may go unnoticed
}

// settle is how long the file system must be quiet before a burst of saves
// counts as over. Editors save in several steps, within a few milliseconds.
const settle = 100 * time.Millisecond

// errClosed is returned when the system stopped reporting changes.
var errClosed = errors.New("the system stopped reporting changes of files")

// watcher turns what the file system reports into changes. It watches
// directories, because editors save by renaming another file over the old one.
// It is not safe for concurrent use.
type watcher struct {
	events <-chan fsnotify.Event
	errors <-chan error
	add    func(dir string) error // watches a directory; again does nothing

	load       func() (*course.Week, error)
	course     string // absolute path of the tree with the manifest
	submission string // absolute path of the tree with the student's files

	manifest string
	week     []string   // the IDs of its exercises
	files    []affected // the student's
}

// affected is a file and the exercise whose verdict depends on it.
type affected struct{ path, exercise string }

// follow makes the files of a week the ones to watch.
func (w *watcher) follow(week *course.Week) error {
	w.manifest = filepath.Join(w.course, filepath.FromSlash(week.Dir), "week.yaml")
	w.week, w.files = nil, nil
	for _, ex := range week.Exercises {
		w.week = append(w.week, ex.ID())
		for _, f := range ex.Files {
			path := filepath.Join(w.submission, filepath.FromSlash(ex.Dir), filepath.FromSlash(f))
			w.files = append(w.files, affected{path, ex.ID()})
		}
	}
	return w.watch()
}

// watch adds the directories of all files, up to the roots, so that a directory
// that is replaced as a whole is noticed too. One that does not exist is added
// when it appears, which the one above it reports.
func (w *watcher) watch() error {
	var errs []error
	seen := map[string]bool{w.course: true, w.submission: true}
	above := func(file string) {
		for dir := filepath.Dir(file); !seen[dir]; dir = filepath.Dir(dir) {
			seen[dir] = true
			if err := w.add(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, fmt.Errorf("saves in %s are not noticed: %w", dir, err))
			}
		}
	}
	above(w.manifest)
	for _, f := range w.files {
		above(f.path)
	}
	return errors.Join(errs...)
}

// next waits for the next burst of saves and its end. The error is the
// context's, or says that nothing will be reported any more.
func (w *watcher) next(ctx context.Context) (change, error) {
	var (
		exercises = map[string]bool{}
		manifest  bool
		problem   error
		over      <-chan time.Time
	)
	for {
		select {
		case <-ctx.Done():
			return change{}, context.Cause(ctx)
		case e, open := <-w.events:
			if !open {
				return change{}, errClosed
			}
			hit := touches(e, w.manifest)
			manifest = manifest || hit
			for _, f := range w.files {
				if touches(e, f.path) {
					exercises[f.exercise], hit = true, true
				}
			}
			if hit {
				problem = w.watch() // a directory may be new
				over = time.After(settle)
			}
		case err, open := <-w.errors:
			if !open {
				return change{}, errClosed
			}
			manifest = true // events were lost, so anything may have changed
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				problem = err
			}
			over = time.After(settle)
		case <-over:
			c := change{err: problem}
			for _, id := range w.week {
				if exercises[id] {
					c.touched = append(c.touched, id)
				}
			}
			if manifest {
				w.reload(&c)
			}
			return c, nil
		}
	}
}

// reload reads the manifest again. One that does not load changes nothing else.
func (w *watcher) reload(c *change) {
	week, err := w.load()
	if err != nil {
		c.err = fmt.Errorf("the manifest does not load, so the exercises stay as they were:\n%w", err)
		return
	}
	c.week = week
	c.err = errors.Join(c.err, w.follow(week))
}

// touches reports whether an event may have changed the content of a file:
// the file itself was written or replaced, or a directory above it came or
// went. Some systems report a directory as written whenever a file in it is.
func touches(e fsnotify.Event, file string) bool {
	const moved = fsnotify.Create | fsnotify.Remove | fsnotify.Rename
	if e.Name == file {
		return e.Has(moved | fsnotify.Write)
	}
	return e.Has(moved) && strings.HasPrefix(file, e.Name+string(filepath.Separator))
}
