package errflow_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week03/errflow"
)

var (
	errDiskFull = errors.New("disk full")
	errClose    = errors.New("close: input/output error")
	errCursor   = errors.New("cursor lost")
	errPlugin   = errors.New("plugin refused")
)

func TestExport_Success(t *testing.T) {
	src := &source{items: []item{{rec: record("task-1", "one")}, {rec: record("", "nameless")}, {rec: record("task-2", "")}}}
	dst, logs := &dest{}, &counter{}

	n, err := errflow.Export(t.Context(), src, dst, slog.New(logs))

	const do = `n, err := Export(ctx, src, dst, log) // src yields "task-1", a record without an ID, and "task-2"`
	if n != 2 || err != nil {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("%d, %v", n, err),
			Want: rule.Text("2, <nil>"),
			Why:  "An alarm after every good night is soon ignored in a bad one.",
		})
	}
	if want := []string{"task-1 3\none\n", "task-2 0\n\n"}; !slices.Equal(dst.written, want) || dst.closed != 1 {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("writes %q, closed %d times", dst.written, dst.closed),
			Want: rule.Textf("writes %q, closed 1 times", want),
			Why:  "The importer on the other side has not changed.",
		})
	}
	if logs.String() != "WARN" {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("log records [%s]", logs),
			Want: rule.Text("log records [WARN], for the record that was skipped"),
			Why:  "What is handled here and not returned leaves no other trace than the log.",
		})
	}
}

func TestExport_CloseErrorSurfaces(t *testing.T) {
	dst := &dest{closeErr: errClose}
	n, err := errflow.Export(t.Context(), tasks(2), dst, slog.New(&counter{}))
	if n != 2 || !errors.Is(err, errClose) {
		rule.Broken(t, rule.Case{
			Do:   "n, err := Export(ctx, src, dst, log) // 2 records, dst.Close() returns ErrClose",
			Got:  rule.Textf("%d, %v", n, err),
			Want: rule.Text("2, and an error that is ErrClose"),
			Why:  "Network file systems and cloud uploads report a lost write in Close, and nowhere else.",
		})
	}
}

func TestExport_WriteErrorNotMaskedByClose(t *testing.T) {
	dst := &dest{failAt: 2, writeErr: errDiskFull, closeErr: errClose}
	_, err := errflow.Export(t.Context(), tasks(3), dst, slog.New(&counter{}))
	const do = "_, err := Export(ctx, src, dst, log) // the second Write returns ErrDiskFull, Close ErrClose"
	requireIs(t, do, err, "The disk is full, and that is what the alert must say. The error of Close is only what came of it.",
		named{"ErrDiskFull", errDiskFull})
	requireIs(t, do, err, "Both went wrong, and Close may know what the disk did with the records before. An error that is dropped here was never reported.",
		named{"ErrClose", errClose})
}

func TestExport_SourceErrorStops(t *testing.T) {
	src := &source{items: []item{{rec: record("task-1", "1")}, {err: errCursor}, {rec: record("task-2", "2")}}}
	dst := &dest{}
	n, err := errflow.Export(t.Context(), src, dst, slog.New(&counter{}))

	const do = `n, err := Export(ctx, src, dst, log) // src yields "task-1", then ErrCursor, then "task-2"`
	if n != 1 || len(dst.written) != 1 || !src.stopped {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("n %d, records written: %d, src told to stop: %v", n, len(dst.written), src.stopped),
			Want: rule.Text("n 1, records written: 1, src told to stop: true"),
			Why:  "An export with a hole in the middle looks complete to everybody who reads it.",
		})
	}
	requireIs(t, do, err, "A night that stopped after one record must not count as a good one.", named{"ErrCursor", errCursor})
	if dst.closed != 1 {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("dst closed %d times", dst.closed), Want: rule.Text("dst closed 1 times"),
			Why: "A file that nobody closes is a handle that the process runs out of.",
		})
	}
}

func TestExport_PartialCount(t *testing.T) {
	for failAt := 1; failAt <= 3; failAt++ {
		dst := &dest{failAt: failAt, writeErr: errDiskFull}
		n, err := errflow.Export(t.Context(), tasks(3), dst, slog.New(&counter{}))
		do := fmt.Sprintf("n, err := Export(ctx, src, dst, log) // 3 records, Write number %d returns ErrDiskFull", failAt)
		if n != failAt-1 {
			rule.Broken(t, rule.Case{
				Do: do, Got: n, Want: failAt - 1,
				Why: "The next night goes on after n records. A record that was counted and not written is never exported.",
			})
		}
		requireIs(t, do, err, "The count alone does not say why.", named{"ErrDiskFull", errDiskFull})
		if id := fmt.Sprintf("task-%d", failAt); !strings.Contains(err.Error(), id) {
			rule.Broken(t, rule.Case{
				Do: do + "\nfmt.Println(err)", Got: rule.Text(err.Error()), Want: rule.Textf("a text that names %s", id),
				Why: "Whoever is woken by the error has to find the record.",
			})
		}
	}
}

func TestExport_ShortWrite(t *testing.T) {
	dst := &dest{failAt: 2, short: true}
	n, err := errflow.Export(t.Context(), tasks(3), dst, slog.New(&counter{}))
	const do = "n, err := Export(ctx, src, dst, log) // the second Write takes one byte and returns 1, nil"
	requireIs(t, do, err, "Not every Writer keeps its promises. Half a record makes the rest of the file unreadable.",
		named{"io.ErrShortWrite", io.ErrShortWrite})
	if n != 1 {
		rule.Broken(t, rule.Case{Do: do, Got: n, Want: 1, Why: "A record that is half written is not exported."})
	}
}

func TestExport_LibraryDoesNotLogReturnedErrors(t *testing.T) {
	for _, tc := range []struct {
		name string
		src  *source
		dst  *dest
	}{
		{"a Write that fails", tasks(2), &dest{failAt: 2, writeErr: errDiskFull}},
		{"a short Write", tasks(2), &dest{failAt: 2, short: true}},
		{"a source that fails", &source{items: []item{{err: errCursor}}}, &dest{}},
		{"a Close that fails", tasks(2), &dest{closeErr: errClose}},
	} {
		logs := &counter{}
		_, err := errflow.Export(t.Context(), tc.src, tc.dst, slog.New(logs))
		if len(logs.levels) != 0 || err == nil {
			rule.Broken(t, rule.Case{
				Do:   "_, err := Export(ctx, src, dst, log) // " + tc.name,
				Got:  rule.Textf("%d log records, err: %v", len(logs.levels), err),
				Want: rule.Text("0 log records, and an error"),
				Why:  "An error is handled once. Logged at every level and returned, one failure looks like five, and five alerts ring.",
			})
		}
	}
}

func TestExport_ClosesWhenSourcePanics(t *testing.T) {
	dst := &dest{}
	got := try(func() {
		_, _ = errflow.Export(t.Context(), panicSource{}, dst, slog.New(&counter{}))
	})
	if got != "cursor is nil" || dst.closed != 1 {
		rule.Broken(t, rule.Case{
			Do:   `Export(ctx, src, dst, log) // src panics with "cursor is nil"`,
			Got:  rule.Textf("panic %v, dst closed %d times", got, dst.closed),
			Want: rule.Text("panic cursor is nil, dst closed 1 times"),
			Why:  "Somebody above may recover. The file would stay open for the life of the process.",
		})
	}
}

func TestExportDir_Success(t *testing.T) {
	disk := newDisk("a.txt", "b/c.txt", "b/d.txt", "e.txt")
	if err := errflow.ExportDir(t.Context(), disk, disk.create); err != nil {
		rule.Broken(t, rule.Case{
			Do: "err := ExportDir(ctx, fsys, open)", Got: err, Want: nil,
			Why: "An alarm after every good night is soon ignored in a bad one.",
		})
	}
	disk.requireCopied(t, "a.txt", "b/c.txt", "b/d.txt", "e.txt")
	if want := []string{"a.txt", "b/c.txt", "b/d.txt", "e.txt"}; !slices.Equal(disk.order, want) {
		rule.Broken(t, rule.Case{
			Do: "ExportDir(ctx, fsys, open)", Got: rule.Textf("open called for %q", disk.order), Want: rule.Textf("open called for %q", want),
			Why: "Two runs over the same tree do the same.",
		})
	}

	empty := newDisk()
	if err := errflow.ExportDir(t.Context(), empty, empty.create); err != nil {
		rule.Broken(t, rule.Case{Do: "err := ExportDir(ctx, fsys, open) // no files", Got: err, Want: nil, Why: "A night without files is a good night."})
	}
}

func TestExportDir_ClosesEachBeforeNext(t *testing.T) {
	disk := newDisk("a.txt", "b.txt", "c.txt", "d.txt", "e.txt")
	disk.refuse["b.txt"] = errPlugin // open fails when the source is open already
	disk.full["c.txt"] = errDiskFull
	_ = errflow.ExportDir(t.Context(), disk, disk.create)

	const do = "ExportDir(ctx, fsys, open) // 5 files; open refuses b.txt, and c.txt cannot be written"
	if len(disk.overlaps) > 0 {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("%s", disk.overlaps[0]),
			Want: rule.Text("no file of one name is open when the next one is opened"),
			Why:  "A defer waits for the end of the function, not of the loop. Ten thousand files are more handles than a process has.",
		})
	}
	if open := disk.open(); len(open) > 0 {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("still open afterwards: %q", open),
			Want: rule.Text("everything is closed"),
			Why:  "The paths of failure leak handles, and nobody walks them until the disk is full.",
		})
	}
}

func TestExportDir_NotExistMatchable(t *testing.T) {
	disk := newDisk("a.txt", "b.txt")
	disk.unreadable["a.txt"] = fs.ErrNotExist
	err := errflow.ExportDir(t.Context(), disk, disk.create)
	requireIs(t, "err := ExportDir(ctx, fsys, open) // a.txt is deleted after the directory was listed", err,
		"The caller forgives a file that was deleted meanwhile, and nothing else. A text in place of the error takes the choice away.",
		named{"fs.ErrNotExist", fs.ErrNotExist})

	disk = newDisk()
	disk.unreadable["."] = fs.ErrNotExist
	requireIs(t, "err := ExportDir(ctx, fsys, open) // the root does not exist", errflow.ExportDir(t.Context(), disk, disk.create),
		"A directory that is not there is not an empty one.", named{"fs.ErrNotExist", fs.ErrNotExist})

	disk = newDisk("a.txt")
	disk.refuse["a.txt"] = fs.ErrExist
	requireIs(t, "err := ExportDir(ctx, fsys, open) // open returns fs.ErrExist", errflow.ExportDir(t.Context(), disk, disk.create),
		"The caller knows what the error of its own function means.", named{"fs.ErrExist", fs.ErrExist})
}

func TestExportDir_AllErrorsJoined(t *testing.T) {
	disk := newDisk("a.txt", "b.txt", "c.txt", "d.txt", "e.txt")
	disk.refuse["b.txt"] = errPlugin
	disk.full["c.txt"] = errDiskFull
	_ = errflow.ExportDir(t.Context(), disk, disk.create)
	disk.requireCopied(t, "a.txt", "d.txt", "e.txt")

	disk = newDisk("a.txt", "b.txt")
	disk.unreadable["a.txt"] = fs.ErrNotExist
	_ = errflow.ExportDir(t.Context(), disk, disk.create)
	disk.requireCopied(t, "b.txt")

	disk = newDisk("a.txt", "b.txt", "c.txt", "d/e.txt", "f.txt", "g.txt")
	disk.refuse["a.txt"] = errPlugin
	disk.full["b.txt"] = errDiskFull
	disk.broken["b.txt"] = errClose
	disk.broken["c.txt"] = io.ErrClosedPipe
	disk.unreadable["d"] = fs.ErrPermission
	disk.torn["f.txt"] = io.ErrUnexpectedEOF
	err := errflow.ExportDir(t.Context(), disk, disk.create)

	const do = `err := ExportDir(ctx, fsys, open)
// a.txt: open fails with ErrRefused
// b.txt: Write fails with ErrDiskFull, then Close with ErrClose
// c.txt: Close fails with io.ErrClosedPipe
// d: the directory cannot be read, fs.ErrPermission
// f.txt: reading fails with io.ErrUnexpectedEOF
// g.txt: nothing fails`
	const why = "One run has to tell everything that failed, or the next night is spent on the second failure."
	requireIs(t, do, err, why,
		named{"ErrRefused", errPlugin}, named{"ErrDiskFull", errDiskFull}, named{"ErrClose", errClose},
		named{"io.ErrClosedPipe", io.ErrClosedPipe}, named{"fs.ErrPermission", fs.ErrPermission},
		named{"io.ErrUnexpectedEOF", io.ErrUnexpectedEOF})
	for _, name := range []string{"a.txt", "b.txt", "c.txt", "f.txt"} {
		if !strings.Contains(err.Error(), name) {
			rule.Broken(t, rule.Case{
				Do: do + "\nfmt.Println(err)", Got: rule.Text(err.Error()), Want: rule.Textf("a text that names %s", name),
				Why: "\"disk full\" among ten thousand files helps nobody.",
			})
		}
	}
	disk.requireCopied(t, "g.txt")
}

func TestExportDir_ContextStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	disk := newDisk("a.txt", "b.txt", "c.txt", "d.txt")
	disk.refuse["a.txt"] = errPlugin
	disk.onCreate = func(name string) {
		if name == "b.txt" {
			cancel()
		}
	}
	err := errflow.ExportDir(ctx, disk, disk.create)

	const do = "err := ExportDir(ctx, fsys, open) // open refuses a.txt; ctx is canceled while b.txt is copied; c.txt and d.txt follow"
	requireIs(t, do, err, "A shutdown is not a success, and what failed before it still failed.",
		named{"context.Canceled", context.Canceled}, named{"ErrRefused", errPlugin})
	if want := []string{"a.txt", "b.txt"}; !slices.Equal(disk.order, want) {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("open called for %q", disk.order), Want: rule.Textf("open called for %q", want),
			Why: "A pod that goes on copying is killed in the middle of a file.",
		})
	}
}

func TestRunPlugins_PanicBecomesErrorWithStack(t *testing.T) {
	var after int
	count := func(context.Context, errflow.Record) error { after++; return nil }

	for _, tc := range []struct {
		do     string
		plugin func(context.Context, errflow.Record) error
		value  func(any) bool
		want   string
	}{
		{`explode panics with "no tariff"`, explode, func(v any) bool { return v == "no tariff" }, `no tariff`},
		{`explodeWithError panics with ErrPlugin`, explodeWithError, func(v any) bool { return v == errPlugin }, "ErrPlugin"},
		{`explodeWithNil panics with nil`, explodeWithNil, func(v any) bool { _, ok := v.(*runtime.PanicNilError); return ok }, "a *runtime.PanicNilError"},
	} {
		after = 0
		do := "err := RunPlugins(ctx, rec, explode, next) // " + tc.do
		var err error
		if v := try(func() { err = errflow.RunPlugins(t.Context(), record("task-1", ""), tc.plugin, count) }); v != nil {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("panic: %v", v), Want: rule.Text("a *PanicError"),
				Why: "A panic that nobody recovers ends the process, with the exports of all other customers.",
			})
		}
		p, ok := errors.AsType[*errflow.PanicError](err)
		if !ok || !tc.value(p.Value) {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Text(typed(err)), Want: rule.Textf("a *PanicError in the tree, its Value is %s", tc.want),
				Why: "A panic that becomes a success hides until the data is broken.",
			})
		}
		if value, ok := p.Value.(error); ok {
			requireIs(t, do, err, "A plugin may panic with an error. Whoever knows that error must still find it.", named{"the value of the panic", value})
		}
		if name, _, _ := strings.Cut(tc.do, " "); !strings.Contains(string(p.Stack), "errflow_test."+name+"(") {
			rule.Broken(t, rule.Case{
				Do:  do + "\np, _ := errors.AsType[*PanicError](err)\nfmt.Printf(\"%s\", p.Stack)",
				Got: rule.Textf("%d bytes without %s", len(p.Stack), name), Want: rule.Textf("a stack with the frame of %s", name),
				Why: "The stack is the only thing that says where. It is gone once the deferred function has returned.",
			})
		}
		if after != 1 {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("next called %d times", after), Want: rule.Text("next called 1 times"),
				Why: "One customer's bug must not switch off the others' plugins.",
			})
		}
	}
}

func TestRunPlugins_GoexitPassesThrough(t *testing.T) {
	var returned, after bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = errflow.RunPlugins(context.Background(), record("task-1", ""),
			func(context.Context, errflow.Record) error { runtime.Goexit(); return nil },
			func(context.Context, errflow.Record) error { after = true; return nil },
		)
		returned = true
	}()
	<-done
	if returned || after {
		rule.Broken(t, rule.Case{
			Do:   "RunPlugins(ctx, rec, exit, next) // exit calls runtime.Goexit",
			Got:  rule.Textf("RunPlugins returned: %v, next was called: %v", returned, after),
			Want: rule.Text("RunPlugins returned: false, next was called: false"),
			Why:  "t.FailNow is a Goexit. Where it does not end the goroutine that runs the test, a failed test goes on.",
		})
	}
}

func TestRunPlugins_AllErrorsJoined(t *testing.T) {
	fail := func(err error) func(context.Context, errflow.Record) error {
		return func(context.Context, errflow.Record) error { return err }
	}
	var got errflow.Record
	rec := record("task-1", "body")
	err := errflow.RunPlugins(t.Context(), rec, fail(errPlugin), fail(nil), fail(errDiskFull),
		func(_ context.Context, r errflow.Record) error { got = r; return nil })

	const do = "err := RunPlugins(ctx, rec, a, b, c, d) // a returns ErrPlugin, b nil, c ErrDiskFull, d nil"
	requireIs(t, do, err, "Each error belongs to another customer.", named{"ErrPlugin", errPlugin}, named{"ErrDiskFull", errDiskFull})
	if diff := cmp.Diff(rec, got); diff != "" {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("d called with %+v", got), Want: rule.Textf("d called with %+v", rec),
			Why: "One customer's bug must not switch off the others' plugins.",
		})
	}
}

func TestRunPlugins_NilWhenNoErrors(t *testing.T) {
	ok := func(context.Context, errflow.Record) error { return nil }
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tc := range []struct {
		do  string
		err error
	}{
		{"RunPlugins(ctx, rec)", errflow.RunPlugins(t.Context(), record("task-1", ""))},
		{"RunPlugins(ctx, rec, ok, ok)", errflow.RunPlugins(t.Context(), record("task-1", ""), ok, ok)},
		{"RunPlugins(ctx, rec) // ctx is canceled", errflow.RunPlugins(canceled, record("task-1", ""))},
	} {
		if tc.err != nil {
			rule.Broken(t, rule.Case{
				Do: "err := " + tc.do + "\nfmt.Println(err == nil)", Got: rule.Textf("false, err holds a %T", tc.err), Want: true,
				Why: "An error that is never nil turns every good night into an alarm.",
			})
		}
	}
}

func TestRunPlugins_ContextStopsEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var calls []string
	err := errflow.RunPlugins(ctx, record("task-1", ""),
		func(context.Context, errflow.Record) error { calls = append(calls, "a"); return errPlugin },
		func(context.Context, errflow.Record) error { calls = append(calls, "b"); cancel(); return nil },
		func(context.Context, errflow.Record) error { calls = append(calls, "c"); return nil },
	)
	const do = "err := RunPlugins(ctx, rec, a, b, c) // a returns ErrPlugin, b cancels ctx"
	if !slices.Equal(calls, []string{"a", "b"}) {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("called %q", calls), Want: rule.Text(`called ["a" "b"]`),
			Why: "At a shutdown every plugin that still starts is one that is killed half way.",
		})
	}
	requireIs(t, do, err, "A plugin that was left out must not look like one that agreed.",
		named{"context.Canceled", context.Canceled}, named{"ErrPlugin", errPlugin})

	calls = nil
	err = errflow.RunPlugins(ctx, record("task-1", ""), func(context.Context, errflow.Record) error { calls = append(calls, "a"); return nil })
	if len(calls) != 0 || !errors.Is(err, context.Canceled) {
		rule.Broken(t, rule.Case{
			Do: "err := RunPlugins(ctx, rec, a) // ctx is canceled", Got: rule.Textf("called %q, %v", calls, err),
			Want: rule.Text("called [], and an error that is context.Canceled"),
			Why:  "At a shutdown every plugin that still starts is one that is killed half way.",
		})
	}

	last, cancel := context.WithCancel(t.Context())
	if err := errflow.RunPlugins(last, record("task-1", ""), func(context.Context, errflow.Record) error { cancel(); return nil }); err != nil {
		rule.Broken(t, rule.Case{
			Do: "err := RunPlugins(ctx, rec, a) // a cancels ctx and returns nil", Got: err, Want: nil,
			Why: "All plugins ran and none failed. Whether the caller still cares is its own business.",
		})
	}
}

func explode(context.Context, errflow.Record) error { panic("no tariff") }

func explodeWithError(context.Context, errflow.Record) error { panic(errPlugin) }

func explodeWithNil(context.Context, errflow.Record) error { panic(nil) }

// named is an error and how the student's code would call it.
type named struct {
	name string
	err  error
}

// typed shows an error with its type.
func typed(err error) string {
	if err == nil {
		return "nil"
	}
	return fmt.Sprintf("%T: %v", err, err)
}

func requireIs(t *testing.T, do string, err error, why string, targets ...named) {
	t.Helper()
	for _, target := range targets {
		if !errors.Is(err, target.err) {
			rule.Broken(t, rule.Case{
				Do: do + "\nfmt.Println(errors.Is(err, " + target.name + "))", Got: rule.Textf("false, err: %v", err), Want: true, Why: why,
			})
		}
	}
}

func record(id, body string) errflow.Record { return errflow.Record{ID: id, Body: []byte(body)} }

// tasks is a source of n records, "task-1" and so on.
func tasks(n int) *source {
	src := &source{}
	for i := range n {
		src.items = append(src.items, item{rec: record(fmt.Sprintf("task-%d", i+1), "body")})
	}
	return src
}

type item struct {
	rec errflow.Record
	err error
}

type source struct {
	items   []item
	stopped bool // the loop over it ended early
}

func (s *source) All(context.Context) iter.Seq2[errflow.Record, error] {
	return func(yield func(errflow.Record, error) bool) {
		for _, it := range s.items {
			if !yield(it.rec, it.err) {
				s.stopped = true
				return
			}
		}
	}
}

type panicSource struct{}

func (panicSource) All(context.Context) iter.Seq2[errflow.Record, error] {
	return func(func(errflow.Record, error) bool) { panic("cursor is nil") }
}

// dest notes what is written to it.
type dest struct {
	failAt   int   // the number of the Write that fails, from 1
	writeErr error // of that Write
	short    bool  // that Write takes one byte and reports no error
	closeErr error

	writes  int
	written []string // by the writes that did not fail
	closed  int
}

func (d *dest) Write(p []byte) (int, error) {
	d.writes++
	switch {
	case d.closed > 0:
		return 0, fs.ErrClosed
	case d.writes == d.failAt && d.short:
		return 1, nil
	case d.writes == d.failAt:
		return 0, d.writeErr
	}
	d.written = append(d.written, string(p))
	return len(p), nil
}

func (d *dest) Close() error {
	d.closed++
	return d.closeErr
}

// counter is a slog.Handler that notes levels.
type counter struct{ levels []string }

func (c *counter) Enabled(context.Context, slog.Level) bool { return true }
func (c *counter) Handle(_ context.Context, r slog.Record) error {
	c.levels = append(c.levels, r.Level.String())
	return nil
}
func (c *counter) WithAttrs([]slog.Attr) slog.Handler { return c }
func (c *counter) WithGroup(string) slog.Handler      { return c }
func (c *counter) String() string                     { return strings.Join(c.levels, " ") }

// disk is a tree of files to read, and a place to write to. It knows what is
// open.
type disk struct {
	tree       fstest.MapFS
	unreadable map[string]error // by opening a source
	torn       map[string]error // by reading a source
	refuse     map[string]error // by create
	full       map[string]error // by Write
	broken     map[string]error // by Close of a destination
	onCreate   func(name string)

	order    []string // of create
	copies   map[string]string
	handles  map[string]int
	overlaps []string
}

func newDisk(names ...string) *disk {
	d := &disk{
		tree:       fstest.MapFS{},
		unreadable: map[string]error{},
		torn:       map[string]error{},
		refuse:     map[string]error{},
		full:       map[string]error{},
		broken:     map[string]error{},
		onCreate:   func(string) {},
		copies:     map[string]string{},
		handles:    map[string]int{},
	}
	for _, name := range names {
		d.tree[name] = &fstest.MapFile{Data: []byte("data of " + name)}
	}
	return d
}

// Open opens a source. The tree behind it has no other way in.
func (d *disk) Open(name string) (fs.File, error) {
	if err := d.unreadable[name]; err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f, err := d.tree.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return f, err
	}
	d.opened(name)
	return &sourceFile{File: f, disk: d, name: name}, nil
}

func (d *disk) create(name string) (io.WriteCloser, error) {
	d.order = append(d.order, name)
	d.onCreate(name)
	if err := d.refuse[name]; err != nil {
		return nil, err
	}
	d.opened(name)
	return &destFile{disk: d, name: name}, nil
}

// opened notes a new handle, and whether one of another name is open.
func (d *disk) opened(name string) {
	for _, other := range d.open() {
		if other != name {
			d.overlaps = append(d.overlaps, fmt.Sprintf("%s is opened while %s is open", name, other))
		}
	}
	d.handles[name]++
}

// open returns the names of which a handle is open, sorted.
func (d *disk) open() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(d.handles)) {
		if d.handles[name] > 0 {
			names = append(names, name)
		}
	}
	return names
}

func (d *disk) requireCopied(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if got, want := d.copies[name], "data of "+name; got != want {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("ExportDir(ctx, fsys, open)%s\n// what is in the copy of %s?", d.failures(), name),
				Got:  got,
				Want: want,
				Why:  "One bad file must not cost the others a night.",
			})
		}
	}
}

// failures names the files that cannot be copied, as a comment.
func (d *disk) failures() string {
	var names []string
	for _, m := range []map[string]error{d.refuse, d.full, d.broken, d.unreadable, d.torn} {
		names = slices.AppendSeq(names, maps.Keys(m))
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return " // these fail: " + strings.Join(slices.Compact(names), ", ")
}

type sourceFile struct {
	fs.File
	disk   *disk
	name   string
	closed bool
}

func (f *sourceFile) Read(p []byte) (int, error) {
	if err := f.disk.torn[f.name]; err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

func (f *sourceFile) Close() error {
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	f.disk.handles[f.name]--
	return f.File.Close()
}

type destFile struct {
	disk   *disk
	name   string
	closed bool
}

func (f *destFile) Write(p []byte) (int, error) {
	if err := f.disk.full[f.name]; err != nil {
		return 0, err
	}
	if f.closed {
		return 0, fs.ErrClosed
	}
	f.disk.copies[f.name] += string(p)
	return len(p), nil
}

func (f *destFile) Close() error {
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	f.disk.handles[f.name]--
	return f.disk.broken[f.name]
}

// try calls f and returns what it panicked with.
func try(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}
