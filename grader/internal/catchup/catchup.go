// Package catchup gives a student who has missed a week the tracker as it stood
// before the next one. Nothing of his is lost: what he has is saved first, all
// that is new is written elsewhere, and only then it takes its place.
package catchup

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/cut"
)

// Request is a student who wants to begin a week.
type Request struct {
	Root   string         // absolute path of the student's tree
	Course *course.Course // where the stubs may be found as they were given
	Source cut.Source
	Week   int
}

// Result says what was done. Paths are slash-separated, from the directory of
// the tracker.
type Result struct {
	Milestone string   // the state of the tracker now
	Saved     Saved    // the state before; zero if nothing had to be changed
	Written   []string // files of the cut
	Removed   []string // files of the student's that the cut has not
	Restored  []string // stubs of later milestones, as the course gave them
	Kept      []string // such stubs that could not be found: the student's stay, if he has any
	Own       []string // packages that only the student has, and that import some of the cut
}

// Changed reports whether there was something to do.
func (r *Result) Changed() bool { return len(r.Written)+len(r.Removed)+len(r.Restored) > 0 }

// Saved says where a student's files are, and what brings them back.
type Saved struct {
	Branch string   // in git
	Dir    string   // outside of git: a copy, from the root of the student's tree
	In     string   // the directory in which the commands work
	Look   []string // commands that show what was saved
	Back   []string // commands that bring it back, byte by byte
}

// Run brings the tracker to the state before a week. An error before anything
// was saved leaves everything as it was. An error afterwards comes with a
// Result that says where the student's files are; Run may then be tried again.
func Run(ctx context.Context, r Request) (*Result, error) {
	if r.Week < 2 || r.Week > course.Weeks {
		return nil, fmt.Errorf("week %d: there is something to catch up with in weeks 2 to %d", r.Week, course.Weeks)
	}
	id := course.MilestoneOf(r.Week - 1)
	if !r.Course.HasMilestone(id) {
		return nil, fmt.Errorf("week %d goes on from milestone %s, which this course does not have yet", r.Week, id)
	}
	tree, err := r.Source.Cut(id)
	if err != nil {
		return nil, err
	}
	j, err := begin(ctx, r.Course, r.Root, tree)
	if err != nil {
		return nil, err
	}
	defer j.end()
	result := j.plan.result(id)
	if !result.Changed() {
		return result, nil
	}
	if j.repo != nil {
		result.Saved, err = j.repo.save(ctx, j.tracker, j.plan.touched(), r)
	} else {
		result.Saved, err = saveCopy(ctx, j.tracker, r)
	}
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return result, context.Cause(ctx)
	}
	return result, j.stage.apply(j.tracker, j.plan)
}

// Lay lays a cut over the tracker in root and saves nothing. It is for trees
// that are nobody's work.
func Lay(ctx context.Context, c *course.Course, root string, tree cut.Tree) error {
	j, err := begin(ctx, c, root, tree)
	if err != nil {
		return err
	}
	defer j.end()
	return j.stage.apply(j.tracker, j.plan)
}

// job is a cut that is ready to take its place.
type job struct {
	tracker *tracker
	repo    *repository // nil outside of git
	plan    *plan
	stage   *stage
}

// begin does everything that changes nothing of the student's.
func begin(ctx context.Context, c *course.Course, root string, tree cut.Tree) (j *job, err error) {
	stubs, err := assembly.LoadStubs(c.Root)
	if err != nil {
		return nil, err
	}
	t, err := openTracker(filepath.Join(root, course.ProjectDir))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			t.Close()
		}
	}()
	p := &planner{course: c, tracker: t, stubs: stubs, repo: openRepository(ctx, t.dir)}
	plan, err := p.plan(ctx, tree)
	if err != nil {
		return nil, err
	}
	stage, err := newStage(root, plan.write())
	if err != nil {
		return nil, err
	}
	return &job{t, p.repo, plan, stage}, nil
}

func (j *job) end() {
	j.stage.remove()
	j.tracker.Close()
}
