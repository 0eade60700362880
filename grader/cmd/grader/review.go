package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/cachedir"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/git"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/review"
)

func newReview(s *settings) *cobra.Command {
	var base, solutions string
	var week int
	cmd := &cobra.Command{
		Use:   "review --base REF",
		Short: "for a mentor: what to look at in a student's change",
		Long: `review prints one Markdown page about the change from REF to the student's tree:
verdicts on the exercises that it touches, size and exported API against the stub,
lint, unsafe and its like, changed files of the course, code copied from the
reference, goroutines without an owner, dropped errors, and the checklist of the
week. Tests, manifests and everything else that decides are taken from REF, or
from the tree that --course names; the change is data.

It exits with 0 when the page is written, whatever is on it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if base == "" {
				return usage(fmt.Errorf("name what the change is measured against: grader review --base origin/main"))
			}
			return s.review(cmd.Context(), base, solutions, week)
		},
	}
	cmd.Flags().StringVar(&base, "base", "", "the commit that the change is measured against")
	cmd.Flags().StringVar(&solutions, "solutions", "", "the `tree` with the references (default: solutions in the course)")
	cmd.Flags().IntVar(&week, "week", 0, "review this week only")
	return cmd
}

func (s *settings) review(ctx context.Context, base, solutions string, week int) error {
	root, err := s.reviewed()
	if err != nil {
		return usage(err)
	}
	repo, err := git.Open(ctx, root)
	if err != nil {
		return usage(err)
	}
	commit, err := repo.Commit(ctx, base)
	if err != nil {
		return usage(err)
	}
	c, err := s.baseCourse(ctx, repo, commit)
	if err != nil {
		return usage(err)
	}
	if solutions == "" {
		solutions = filepath.Join(c.Root, "solutions")
	}
	from, title := commit, fmt.Sprintf("%s (%.10s)", base, commit)
	if parted, ok := repo.MergeBase(ctx, commit, "HEAD"); ok {
		from = parted
	} else {
		title += ", with which it has no commit in common here"
	}
	changes, err := repo.Changes(ctx, from)
	if err != nil {
		return usage(err)
	}
	recorded, err := assembly.LoadStubs(c.Root)
	if err != nil {
		return usage(err)
	}
	g, err := s.newGrader(ctx, c)
	if err != nil {
		return err
	}
	req := review.Request{
		Base: title, Submission: root, Solutions: solutions,
		Stubs: func(ctx context.Context, name string) ([]byte, error) {
			return repo.Find(ctx, name, func(content []byte) bool { return recorded.Is(name, content) })
		},
	}
	if req.Touched, err = review.Find(c, changes, week); err != nil {
		return usage(err)
	}
	bar := newProgress(os.Stderr, len(req.Touched.Exercises))
	r, err := review.Run(ctx, g, req, func(v *grade.Verdict) { bar.done(v.Exercise) })
	bar.clear()
	if err != nil {
		return &exitError{exitBlocked, err}
	}
	return r.WriteMarkdown(os.Stdout)
}

// reviewed returns the root of the tree with the change: what --submission names,
// or the checkout that contains the working directory.
func (s *settings) reviewed() (string, error) {
	var c *course.Course
	if s.submission == "" {
		var err error
		if c, err = course.Find("."); err != nil {
			return "", err
		}
	}
	return s.submissionRoot(c)
}

// baseCourse returns the course as it is in a commit, or what --course names.
// A commit is written once and always into the same place, which keeps the
// caches warm.
func (s *settings) baseCourse(ctx context.Context, repo *git.Repo, commit string) (*course.Course, error) {
	if s.course != "" {
		return course.Open(s.course)
	}
	cache, err := cachedir.Path()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "base", commit)
	if !exists(dir) {
		if err := repo.Extract(ctx, commit, dir); err != nil {
			return nil, err
		}
	}
	now := time.Now()
	if err := os.Chtimes(dir, now, now); err != nil {
		return nil, err
	}
	forget(filepath.Dir(dir), now.AddDate(0, 0, -7))
	return course.Open(dir)
}

// forget removes the directories in dir that nobody has used since then. One
// that cannot be removed stays until the next time.
func forget(dir string, since time.Time) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.ModTime().Before(since) {
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}
