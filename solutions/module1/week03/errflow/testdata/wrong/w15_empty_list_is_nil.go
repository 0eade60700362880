// Wrong: believes that an empty list of errors is a nil error.
// Caught by: TestRunPlugins_NilWhenNoErrors

// Package errflow exports the records of the task service every night, and runs
// the plugins that customers have hung into it.
package errflow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"runtime/debug"
)

// Source yields the records to export. An error that it yields comes without a
// record. It may go on after an error; whether that makes sense is the business
// of whoever ranges over it.
type Source interface {
	All(ctx context.Context) iter.Seq2[Record, error]
}

// Record is one exported object.
type Record struct {
	ID   string
	Body []byte
}

// Export writes the records of src to dst, each with a single Write of
// "<id> <length of body>\n<body>\n", and returns how many it wrote in full. It
// closes dst exactly once, also if src panics. A record without an ID is skipped
// with one warning to log.
//
// The first error ends the export and is returned. An error of Close is returned
// too: errors.Is finds every error that happened. Export logs nothing that it
// returns.
func Export(ctx context.Context, src Source, dst io.WriteCloser, log *slog.Logger) (n int, err error) {
	defer func() { err = errors.Join(err, dst.Close()) }()

	for rec, err := range src.All(ctx) {
		if err != nil {
			return n, fmt.Errorf("export: source failed after %d records: %w", n, err)
		}
		if rec.ID == "" {
			log.WarnContext(ctx, "record without an id skipped", "bytes", len(rec.Body))
			continue
		}
		if err := write(dst, rec); err != nil {
			return n, fmt.Errorf("export: record %s: %w", rec.ID, err)
		}
		n++
	}
	return n, nil
}

func write(w io.Writer, rec Record) error {
	frame := fmt.Appendf(nil, "%s %d\n%s\n", rec.ID, len(rec.Body), rec.Body)
	n, err := w.Write(frame)
	if err == nil && n < len(frame) {
		return io.ErrShortWrite
	}
	return err
}

// ExportDir copies every regular file in the tree of fsys to what open returns
// for its name, in the order of fs.WalkDir, and closes both before it opens the
// next. A file or directory that fails does not keep the others from being
// copied. The result joins all errors, each with the name it belongs to; it is
// nil if there are none. When ctx is done, no further file is opened, and
// ctx.Err() is one of the errors.
func ExportDir(ctx context.Context, fsys fs.FS, open func(name string) (io.WriteCloser, error)) error {
	var errs []error
	stopped := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			err = copyFile(fsys, name, open)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("export %s: %w", name, err))
		}
		return nil
	})
	return errors.Join(append(errs, stopped)...)
}

func copyFile(fsys fs.FS, name string, open func(name string) (io.WriteCloser, error)) (err error) {
	in, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer in.Close() // it was only read: a failed Close loses nothing

	out, err := open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()

	_, err = io.Copy(out, in)
	return err
}

// PanicError is a panic of a plugin.
type PanicError struct {
	Value any    // what recover returned
	Stack []byte // the stack of the goroutine while it panicked
}

// Error returns "panic: " and the value, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

type list []error

func (l list) Error() string   { return errors.Join(l...).Error() }
func (l list) Unwrap() []error { return l }

// RunPlugins calls the plugins in order, in the goroutine of the caller, and
// joins their errors; the result is nil if there are none. A plugin that fails
// does not keep the others from running. A panic becomes a [*PanicError],
// runtime.Goexit passes through. When ctx is done, no further plugin is called,
// and ctx.Err() is one of the errors.
func RunPlugins(ctx context.Context, rec Record, plugins ...func(context.Context, Record) error) error {
	var errs list
	for i, plugin := range plugins {
		if ctx.Err() != nil {
			errs = append(errs, ctx.Err())
			break
		}
		if err := run(ctx, rec, plugin); err != nil {
			errs = append(errs, fmt.Errorf("plugin %d: %w", i, err))
		}
	}
	return errs
}

func run(ctx context.Context, rec Record, plugin func(context.Context, Record) error) (err error) {
	defer func() {
		if v := recover(); v != nil { // nil after runtime.Goexit, which goes on by itself
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return plugin(ctx, rec)
}
