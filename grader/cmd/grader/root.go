package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/charmbracelet/colorprofile"
	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/record"
	"github.com/middle-go/course/grader/internal/report"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// settings are the flags that all commands share.
type settings struct {
	course     string
	submission string
	format     string
	testsFrom  string
	noCache    bool
	reports    []string
	since      string
}

func newRoot() *cobra.Command {
	s := &settings{}
	root := &cobra.Command{
		Use:   "grader",
		Short: "grade exercises of Middle Go, and check the course itself",
		Long: `grader grades exercises of Middle Go.

Exit codes: 0 pass, 1 fail or rejected, 2 wrong usage or a broken manifest,
3 blocked (this machine lacks something; see grader doctor), 130 interrupted.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	flags := root.PersistentFlags()
	flags.StringVar(&s.course, "course", "", "the course `tree` (default: the checkout that contains the working directory)")
	flags.StringVar(&s.submission, "submission", "", "the student's `tree` (default: the course tree)")
	flags.StringVar(&s.format, "format", "text", "of standard output: text, json, markdown, junit, sarif or github")
	flags.StringVar(&s.testsFrom, "tests-from", "", "`directory` with further, private tests")
	flags.BoolVar(&s.noCache, "no-cache", false, "grade again what has not changed")
	root.AddCommand(
		newWeek(s), newExercise(s), newMilestone(s),
		newReport(s), newHint(s), newStatus(s), newWatch(s), newCatchUp(s), newRun(s),
		newReview(s), newExport(s),
		newGradebook(s), newVerify(s), newMutate(s), newCut(s), newDoctor(s), newNew(s), newCI(s),
	)
	return root
}

// openCourse returns the course that the flags name.
func (s *settings) openCourse() (*course.Course, error) {
	if s.course != "" {
		return course.Open(s.course)
	}
	return course.Find(".")
}

// submissionRoot returns the absolute path of the student's tree.
func (s *settings) submissionRoot(c *course.Course) (string, error) {
	if s.submission == "" {
		return c.Root, nil
	}
	info, err := os.Stat(s.submission)
	if err != nil {
		return "", fmt.Errorf("--submission: %w", err)
	}
	if !info.IsDir() {
		return "", fmt.Errorf("--submission: %s is not a directory", s.submission)
	}
	return filepath.Abs(s.submission)
}

// openTrees returns the course and the absolute path of the student's tree. An
// error is one of usage.
func (s *settings) openTrees() (*course.Course, string, error) {
	c, err := s.openCourse()
	if err != nil {
		return nil, "", usage(err)
	}
	root, err := s.submissionRoot(c)
	if err != nil {
		return nil, "", usage(err)
	}
	return c, root, nil
}

// student is a course with the tree and the record of a student.
type student struct {
	course *course.Course
	root   string
	record *record.Record
}

// openStudent opens what the flags name. Its errors are the caller's.
func (s *settings) openStudent() (student, error) {
	c, err := s.openCourse()
	if err != nil {
		return student{}, usage(err)
	}
	root, err := s.submissionRoot(c)
	if err != nil {
		return student{}, usage(err)
	}
	rec, err := record.Open(root)
	if err != nil {
		return student{}, usage(err)
	}
	return student{c, root, rec}, nil
}

func (s *settings) newGrader(ctx context.Context, c *course.Course) (*grade.Grader, error) {
	g, err := toolchain.Find(ctx, c.Root)
	if err != nil {
		return nil, &exitError{exitBlocked, err}
	}
	grader := &grade.Grader{Course: c, Go: g, Parallel: max(1, runtime.NumCPU()/2)}
	if !s.noCache {
		if grader.Cache, err = grade.OpenCache(); err != nil {
			return nil, &exitError{exitBlocked, err}
		}
	}
	return grader, nil
}

// output is standard output, with colours only on a terminal and never under
// NO_COLOR.
func output() *colorprofile.Writer { return colorprofile.NewWriter(os.Stdout, os.Environ()) }

// shownPath turns a path from the root of a tree into one that a person in the
// working directory can open: in the student's tree, or in the course's for what
// only the course has, such as its tests.
func shownPath(c *course.Course, root string) func(string) string {
	wd, err := os.Getwd()
	return func(p string) string {
		full := filepath.Join(root, filepath.FromSlash(p))
		if given := filepath.Join(c.Root, filepath.FromSlash(p)); !exists(full) && exists(given) {
			full = given
		}
		if err != nil {
			return full
		}
		if rel, err := filepath.Rel(wd, full); err == nil && filepath.IsLocal(rel) {
			return rel
		}
		return full
	}
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// exitFor turns the status of a summary into the error that ends the program.
func exitFor(s *report.Summary) error {
	switch s.Status {
	case "pass":
		return nil
	case "blocked":
		return &exitError{code: exitBlocked}
	default:
		return &exitError{code: exitFail}
	}
}

// usage wraps an error that is the caller's: a wrong name, a broken manifest.
func usage(err error) error {
	if errors.Is(err, course.ErrNoContent) {
		err = fmt.Errorf("%w; the weeks with exercises are listed by: make status", err)
	}
	return &exitError{exitUsage, err}
}
