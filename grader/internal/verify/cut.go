package verify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/catchup"
	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/cut"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// Cut is the result of verifying the reference as it stands after a milestone.
type Cut struct {
	Milestone string
	Suites    int // of the course that hold then
	Passed    int // of them
	Problems  []string
	Elapsed   time.Duration
	Cached    bool
}

// OK reports whether a student can go on from the cut.
func (c *Cut) OK() bool { return len(c.Problems) == 0 }

func (c *Cut) problem(format string, args ...any) {
	c.Problems = append(c.Problems, fmt.Sprintf(format, args...))
}

// Cut verifies the reference as it stands after m, in the tracker of somebody
// who has caught up to there: everything builds, the stubs and the suites of
// later milestones included, the reference's own tests pass, and so do the
// suites of m and of the milestones before.
func (v *Verifier) Cut(ctx context.Context, m *course.Exercise) (*Cut, error) {
	start := time.Now()
	c := &Cut{Milestone: m.Slug}
	tree, err := v.tracker().Cut(m.Slug)
	if err != nil {
		c.problem("%v", err)
		return c, nil
	}
	suites, err := v.Grader.Course.Earlier(m)
	if err != nil {
		return nil, err
	}
	suites = append(suites, m)
	key, err := v.cutKey(tree, suites)
	if err != nil {
		return nil, err
	}
	var known Cut
	if v.cached(key, &known) {
		known.Cached = true
		return &known, nil
	}
	work, err := assembly.Acquire(v.Grader.Course.Root, "cut-"+m.Slug)
	if err != nil {
		return nil, err
	}
	defer work.Release()
	root, err := v.caughtUp(ctx, work, tree)
	if err != nil {
		return nil, err
	}
	if err := v.checkCut(ctx, c, root); err != nil {
		return nil, err
	}
	if c.OK() { // otherwise every suite would say so again
		if err := v.checkSuites(ctx, c, root, suites); err != nil {
			return nil, err
		}
	}
	c.Elapsed = time.Since(start)
	if c.OK() {
		v.keep(key, c)
	}
	return c, nil
}

// caughtUp writes the course's tracker with the cut laid over it, and returns
// the root of that tree.
func (v *Verifier) caughtUp(ctx context.Context, work *assembly.WorkDir, tree cut.Tree) (string, error) {
	root, err := work.Reset("student")
	if err != nil {
		return "", err
	}
	for _, dir := range []string{course.ProjectDir, "grader/labkit"} {
		dir = filepath.FromSlash(dir)
		if err := os.CopyFS(filepath.Join(root, dir), os.DirFS(filepath.Join(v.Grader.Course.Root, dir))); err != nil {
			return "", err
		}
	}
	return root, catchup.Lay(ctx, v.Grader.Course, root, tree)
}

// checkCut builds everything and runs the tests that are in the student's hands.
func (v *Verifier) checkCut(ctx context.Context, c *Cut, root string) error {
	module := toolchain.Place{Dir: filepath.Join(root, course.ProjectDir), Workspace: "off"}
	out, ok, err := v.Grader.Go.Trusted(ctx, module, "vet", "./...")
	if err != nil || !ok {
		if err == nil {
			c.problem("somebody who has caught up does not get past go vet:\n%s", strings.TrimSpace(out))
		}
		return err
	}
	list, ok, err := v.Grader.Go.Trusted(ctx, module, "list", "./...")
	if err != nil || !ok {
		if err == nil {
			c.problem("go list: %s", strings.TrimSpace(list))
		}
		return err
	}
	args := []string{"test", "-vet=off"} // it was vetted above
	for name := range strings.FieldsSeq(list) {
		if !course.CourseOwned(strings.TrimPrefix(name, course.ModulePath+"/")) {
			args = append(args, name)
		}
	}
	out, ok, err = v.Grader.Go.Trusted(ctx, module, args...)
	if err == nil && !ok {
		c.problem("the tests of the reference fail:\n%s", failures(out))
	}
	return err
}

// failures leaves out the packages that pass.
func failures(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "ok  \t") && !strings.Contains(line, "[no test files]") {
			b.WriteString(line)
		}
	}
	return strings.TrimSpace(b.String())
}

// checkSuites grades the milestones that hold. What is the same in two cuts is
// graded once, if the grader keeps its verdicts.
func (v *Verifier) checkSuites(ctx context.Context, c *Cut, root string, suites []*course.Exercise) error {
	for _, ex := range suites {
		c.Suites++
		verdict, err := v.Grader.Grade(ctx, grade.Request{Exercise: ex, Submission: root})
		if err != nil {
			return err
		}
		if verdict.Status == checks.Pass {
			c.Passed++
			continue
		}
		for _, r := range verdict.Checks {
			if r.Status != checks.Pass && r.Status != checks.NotRun {
				c.problem("%s does not pass: %s", ex.ID(), first(r))
			}
		}
	}
	return nil
}

// cutKey is a hash of everything that the result for a cut depends on.
func (v *Verifier) cutKey(tree cut.Tree, suites []*course.Exercise) (string, error) {
	h := sha256.New()
	for _, f := range tree {
		fmt.Fprintf(h, "file %s %v %d\n", f.Path, f.Executable, len(f.Content))
		h.Write(f.Content)
	}
	stubs := filepath.Join(v.Grader.Course.Root, filepath.FromSlash(course.StubsFile))
	skeleton := filepath.Join(v.Grader.Course.Root, course.ProjectDir)
	for _, ex := range suites {
		content, err := v.Grader.ContentKey(ex, skeleton, stubs)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "suite %s\n", content)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
