package verify

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/parallel"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// checkWrong demands that every wrong solution fails through the test that
// names it, every time, and not through a timeout.
func (e *examination) checkWrong(ctx context.Context) error {
	all, err := loadWrong(e.Solutions, e.ex)
	if err != nil {
		e.problem("%v", err)
		return nil
	}
	if len(all) == 0 {
		e.problem("no wrong solutions in solutions/%s", wrongDir(e.ex))
	}
	caught := make([]catch, len(all))
	err = parallel.Each(ctx, e.wrongAtOnce(), all, func(ctx context.Context, i int, w Wrong) (err error) {
		caught[i], err = e.checkOneWrong(ctx, w)
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range caught {
		e.report.Wrong++
		e.report.WrongRuns += c.runs
		e.report.Escaped += c.escaped
		e.report.Problems = append(e.report.Problems, c.problems...)
	}
	return nil
}

// wrongAtOnce is how many wrong solutions of one exercise are examined at once.
// Those that run as a service mostly wait for it.
func (e *examination) wrongAtOnce() int {
	if e.ex.BlackBox() {
		return runtime.NumCPU() + 1
	}
	return 1
}

// catch is what became of one wrong solution.
type catch struct {
	runs     int
	escaped  int // of them
	problems []string
}

func (c *catch) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// escape counts a run in which the wrong solution was not caught. The first one
// is a problem in words.
func (c *catch) escape(format string, args ...any) {
	c.escaped++
	if c.escaped == 1 {
		c.problem(format, args...)
	}
}

func (e *examination) checkOneWrong(ctx context.Context, w Wrong) (catch, error) {
	var c catch
	if _, ok := e.ex.Misconception(w.CaughtBy); !ok {
		c.problem("%s is caught by %s, for which the manifest has no misconception", w.Name, w.CaughtBy)
	}
	files, err := w.apply(e.reference)
	if err != nil {
		c.problem("%v", err)
		return c, nil
	}
	if _, isTest := e.inventory[w.CaughtBy]; !isTest {
		err = e.checkWrongByRule(ctx, &c, w, files)
		return c, err
	}
	room, release, err := e.room(ctx, files)
	if err != nil {
		return c, err
	}
	defer release()
	for i := range uint64(e.Runs) {
		yields := uint64(0)
		if room.Interleaved() && !e.inventory.Plain(w.CaughtBy) {
			yields = i + 1
		}
		run, err := room.Repeat(ctx, only(w.CaughtBy), e.inventory.Plain(w.CaughtBy), i+1, yields)
		if build, ok := errors.AsType[*toolchain.BuildError](err); ok {
			c.problem("%s", doesNotCompile(w.Name, build))
			return c, nil
		}
		if err != nil {
			return c, err
		}
		c.runs++
		switch {
		case run.TimedOut():
			c.escape("%s: run %d of %d ended through a timeout instead of an assertion of %s", w.Name, i+1, e.Runs, w.CaughtBy)
		case !failed(run, w.CaughtBy):
			c.escape("%s survives: run %d of %d did not fail through %s", w.Name, i+1, e.Runs, w.CaughtBy)
		}
	}
	return c, nil
}

// checkWrongByRule is for wrong solutions that a rule of the grader catches and
// not a test of the course.
func (e *examination) checkWrongByRule(ctx context.Context, c *catch, w Wrong, files []assembly.File) error {
	for i := range e.Runs {
		verdict, err := e.uncached().Grade(ctx, grade.Request{Exercise: e.ex, Submission: e.Solutions, Files: files})
		if err != nil {
			return err
		}
		c.runs++
		caught := slices.ContainsFunc(verdict.Findings(), func(f checks.Finding) bool { return f.Rule == w.CaughtBy && !f.TimedOut })
		if verdict.Status == checks.Pass || !caught {
			c.escape("%s survives: run %d of %d was not caught by %s, but by: %s", w.Name, i+1, e.Runs, w.CaughtBy, rules(verdict))
		}
	}
	return nil
}
