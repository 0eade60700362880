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
	defer dst.Close()
	defer func() {
		if err != nil {
			log.ErrorContext(ctx, "export failed", "written", n, "err", err)
		}
	}()
	for rec, err := range src.All(ctx) {
		if err != nil {
			log.ErrorContext(ctx, "source failed", "err", err)
			continue
		}
		if rec.ID == "" {
			log.WarnContext(ctx, "record without an id skipped", "bytes", len(rec.Body))
			continue
		}
		n++
		if err := writeRecord(ctx, dst, rec, log); err != nil {
			log.ErrorContext(ctx, "record lost", "id", rec.ID, "err", err)
			return n, err
		}
	}
	return n, err
}

func writeRecord(ctx context.Context, w io.Writer, rec Record, log *slog.Logger) error {
	frame := fmt.Appendf(nil, "%s %d\n%s\n", rec.ID, len(rec.Body), rec.Body)
	if err := writeFrame(ctx, w, frame, log); err != nil {
		log.ErrorContext(ctx, "cannot write record", "id", rec.ID, "err", err)
		return err
	}
	return nil
}

func writeFrame(ctx context.Context, w io.Writer, frame []byte, log *slog.Logger) error {
	if _, err := w.Write(frame); err != nil {
		log.ErrorContext(ctx, "write failed", "bytes", len(frame), "err", err)
		return err
	}
	return nil
}

// ExportDir copies every regular file in the tree of fsys to what open returns
// for its name, in the order of fs.WalkDir, and closes both before it opens the
// next. A file or directory that fails does not keep the others from being
// copied. The result joins all errors, each with the name it belongs to; it is
// nil if there are none. When ctx is done, no further file is opened, and
// ctx.Err() is one of the errors.
func ExportDir(ctx context.Context, fsys fs.FS, open func(name string) (io.WriteCloser, error)) error {
	names, err := files(fsys)
	if err != nil {
		return err
	}
	var failed error
	for _, name := range names {
		in, err := fsys.Open(name)
		if err != nil {
			failed = fmt.Errorf("open %s: %v", name, err)
			continue
		}
		defer in.Close()
		out, err := open(name)
		if err != nil {
			failed = fmt.Errorf("create %s: %v", name, err)
			continue
		}
		defer out.Close()
		if _, err := io.Copy(out, in); err != nil {
			failed = fmt.Errorf("copy %s: %v", name, err)
		}
	}
	return failed
}

// files returns the names of all regular files in the tree of fsys.
func files(fsys fs.FS) ([]string, error) {
	var names []string
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("list %s: %v", name, err)
		}
		if entry.Type().IsRegular() {
			names = append(names, name)
		}
		return nil
	})
	return names, err
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

// RunPlugins calls the plugins in order, in the goroutine of the caller, and
// joins their errors; the result is nil if there are none. A plugin that fails
// does not keep the others from running. A panic becomes a [*PanicError],
// runtime.Goexit passes through. When ctx is done, no further plugin is called,
// and ctx.Err() is one of the errors.
func RunPlugins(ctx context.Context, rec Record, plugins ...func(context.Context, Record) error) error {
	var errs []error
	for i, plugin := range plugins {
		if err := plugin(ctx, rec); err != nil {
			errs = append(errs, fmt.Errorf("plugin %d: %w", i, err))
		}
	}
	return errors.Join(errs...)
}
