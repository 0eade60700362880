// Package review says what a mentor should look at in a change: the verdicts on
// what it touches, and what no verdict sees.
//
// The code of the change is read and graded like any submission. Nothing else of
// it is run.
package review

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/report"
	"github.com/middle-go/course/grader/internal/similar"
)

// Request is a change to review.
type Request struct {
	Base       string // how the page calls what the change is measured against
	Touched    *Touched
	Submission string // root of the tree with the change
	Solutions  string // root of the references; it need not exist
	Stubs      Stubs
}

// Stubs finds the stub of a student's file. It is nil if nobody has it any more.
type Stubs func(ctx context.Context, name string) ([]byte, error)

// Review is what there is to say about a change.
type Review struct {
	Base       string
	Touched    *Touched
	Summary    *report.Summary
	Exercises  []*Exercise
	Later      []string // milestones about the same files that do not pass yet
	Checklists []Checklist
}

// Exercise is what there is to say about one exercise or milestone.
type Exercise struct {
	Verdict   *grade.Verdict
	Files     []File
	API       API
	Inventory []Note
	Review    []checks.Finding // dropped errors and goroutines without an owner
	Compiles  bool             // otherwise nothing is known about Review
	Copied    *similar.Match   // nil if there is no reference here

	files []assembly.File
}

// Run reviews a change to the course of g, which is the base.
func Run(ctx context.Context, g *grade.Grader, req Request, done func(*grade.Verdict)) (*Review, error) {
	start := time.Now()
	var reqs []grade.Request
	for _, ex := range req.Touched.Exercises {
		reqs = append(reqs, grade.Request{Exercise: ex, Submission: req.Submission})
	}
	verdicts, err := g.Each(ctx, reqs, done)
	if err != nil {
		return nil, err
	}
	r := &Review{Base: req.Base, Touched: req.Touched}
	verdicts, r.Later = reached(verdicts, req.Touched.onlyProject)
	for _, v := range verdicts {
		e, err := look(ctx, g, req, v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.Exercise, err)
		}
		r.Exercises = append(r.Exercises, e)
	}
	if r.Checklists, err = checklists(g.Course, verdicts); err != nil {
		return nil, err
	}
	r.Summary = report.NewSummary("Verdicts", verdicts, time.Since(start))
	return r, nil
}

// look says of one exercise what its verdict does not.
func look(ctx context.Context, g *grade.Grader, req Request, v *grade.Verdict) (*Exercise, error) {
	e := &Exercise{Verdict: v}
	files, err := assembly.Read(req.Submission, g.Course.Root, v.Ex)
	if err != nil {
		return e, nil // the verdict says why they cannot be read
	}
	given, err := stubs(ctx, req, g.Course, v.Ex, files)
	if err != nil {
		return nil, err
	}
	mine := about(v.Ex, files)
	e.files = mine
	e.Files = sizes(mine, given)
	e.API = changedAPI(mine, given)
	e.Inventory = inventory(mine)
	if e.Copied, err = copied(req.Solutions, g.Course.Root, v.Ex, mine, given); err != nil {
		return nil, err
	}
	e.Review, e.Compiles, err = findings(ctx, g, v, files)
	return e, err
}

// findings asks the analyzers that speak to a reviewer. Nothing that the policy
// refuses is compiled.
func findings(ctx context.Context, g *grade.Grader, v *grade.Verdict, files []assembly.File) ([]checks.Finding, bool, error) {
	if built, ok := v.Check("build"); !ok || built.Status != checks.Pass {
		return nil, false, nil
	}
	room, release, err := g.Room(ctx, grade.Request{Exercise: v.Ex}, files, 1)
	if err != nil {
		return nil, false, err
	}
	defer release()
	return room.ReviewFindings(ctx)
}

// about returns the files that ex is about.
func about(ex *course.Exercise, files []assembly.File) []assembly.File {
	var list []assembly.File
	for _, f := range files {
		if ex.About(f.Path) {
			list = append(list, f)
		}
	}
	return list
}

// stubs returns what the course gave of the student's files.
func stubs(ctx context.Context, req Request, c *course.Course, ex *course.Exercise, files []assembly.File) ([]assembly.File, error) {
	recorded, err := assembly.LoadStubs(c.Root)
	if err != nil {
		return nil, err
	}
	given, err := assembly.Given(c.Root, ex)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if recorded[f.Path] == "" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(c.Root, filepath.FromSlash(f.Path)))
		if err != nil || !recorded.Is(f.Path, content) {
			if content, err = req.Stubs(ctx, f.Path); err != nil {
				return nil, err
			}
		}
		if content != nil {
			given = append(given, assembly.File{Path: f.Path, Content: content})
		}
	}
	return given, nil
}
