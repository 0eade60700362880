package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/atomicfile"
	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/ci"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/printable"
	"github.com/middle-go/course/grader/internal/report"
)

func newCI(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ci",
		Short: "the steps of the workflows that grade a pull request",
		Long: `ci holds the steps of the workflows in .github. They run in this order, each on a
machine of its own:

  grader --course course --submission pr ci plan            what has changed
  grader --course course --submission pr ci grade 5         one week
  grader --course course ci report                          one comment on all`,
	}
	cmd.AddCommand(newCIPlan(s), newCIGrade(s), newCIReport(s))
	return cmd
}

func newCIPlan(s *settings) *cobra.Command {
	var branch, output string
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "which weeks a submission changes",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, root, err := s.openTrees()
			if err != nil {
				return err
			}
			plan, err := ci.NewPlan(c, root, branch)
			if err != nil {
				return usage(err)
			}
			fmt.Printf("weeks to grade: %v; changed files without effect: %d\n", plan.Weeks, len(plan.Ignored.Files)+plan.Ignored.More)
			return appendTo(output, plan.WriteOutputs)
		},
	}
	cmd.Flags().StringVar(&branch, "branch", "", "`name` of the branch; one such as week-09 adds that week")
	cmd.Flags().StringVar(&output, "output", "", "`file` to add the outputs weeks and plan to, as $GITHUB_OUTPUT")
	return cmd
}

func newCIGrade(s *settings) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "grade N",
		Short: "grade a week of a stranger's tree, which stays as it is",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.ciGrade(cmd.Context(), args[0], out)
		},
	}
	cmd.Flags().StringVar(&out, "out", ci.ReportName, "`file` for the JSON report")
	return cmd
}

// ciGrade grades a week without the student's record, which is a stranger's here
// and could hide an earlier milestone.
func (s *settings) ciGrade(ctx context.Context, arg, out string) error {
	start := time.Now()
	c, err := s.openCourse()
	if err != nil {
		return usage(err)
	}
	week, err := loadWeek(c, arg)
	if err != nil {
		return usage(err)
	}
	list, earlier, err := ci.Exercises(c, week)
	if err != nil {
		return usage(err)
	}
	root, err := s.submissionRoot(c)
	if err != nil {
		return usage(err)
	}
	s.noCache = true
	g, err := s.newGrader(ctx, c)
	if err != nil {
		return err
	}
	var reqs []grade.Request
	for _, ex := range slices.Concat(list, earlier) {
		reqs = append(reqs, grade.Request{Exercise: ex, Submission: root, ExtraTests: s.testsFrom})
	}
	verdicts, err := g.Each(ctx, reqs, func(*grade.Verdict) {})
	if err != nil {
		return &exitError{exitBlocked, err}
	}
	summary := report.NewSummary(fmt.Sprintf("Week %d: %s", week.Number, week.Title), verdicts[:len(list)], time.Since(start))
	for _, v := range verdicts[len(list):] {
		summary.AddEarlier(report.Earlier{Verdict: v})
	}
	if err := summary.Write(os.Stdout, report.GitHub); err != nil {
		return err
	}
	var doc strings.Builder
	if err := summary.Write(&doc, report.JSON); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return &exitError{exitBlocked, err}
	}
	if err := atomicfile.Write(out, []byte(doc.String()), 0o644); err != nil {
		return &exitError{exitBlocked, err}
	}
	return exitFor(summary)
}

func newCIReport(s *settings) *cobra.Command {
	var plan, results, out string
	var pullRequest int
	cmd := &cobra.Command{
		Use:   "report",
		Short: "put the reports of the weeks together in one comment",
		Long: `report reads one report a week, from RESULTS/result-week-5/report.json and so on,
and writes the comment. With --pull-request it posts it, as the owner of
$GITHUB_TOKEN in $GITHUB_REPOSITORY. It fails if a week does not pass.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.openCourse()
			if err != nil {
				return usage(err)
			}
			p, err := ci.ReadPlan(plan)
			if err != nil {
				return usage(err)
			}
			if err := os.MkdirAll(results, 0o755); err != nil { // nothing was graded
				return usage(err)
			}
			list, err := ci.ReadResults(c, p, results)
			if err != nil {
				return usage(err)
			}
			for _, r := range list {
				if r.Err != nil {
					fmt.Printf("week %d: %s\n", r.Week, inert.Replace(printable.Text(r.Err.Error())))
				}
			}
			comment := &ci.Comment{Plan: p, Results: list, Commit: os.Getenv("SUBMISSION_COMMIT"), Course: os.Getenv("COURSE_COMMIT")}
			var text strings.Builder
			if err := comment.Write(&text); err != nil {
				return err
			}
			if err := appendTo(out, func(w io.Writer) error {
				_, err := io.WriteString(w, text.String())
				return err
			}); err != nil {
				return err
			}
			if pullRequest > 0 {
				if err := post(cmd.Context(), pullRequest, text.String()); err != nil {
					return &exitError{exitBlocked, fmt.Errorf("the comment was not posted: %w", err)}
				}
			}
			fmt.Printf("verdict: %s\n", comment.Status())
			switch comment.Status() {
			case checks.Pass:
				return nil
			case checks.Blocked:
				return &exitError{code: exitBlocked}
			default:
				return &exitError{code: exitFail}
			}
		},
	}
	cmd.Flags().StringVar(&plan, "plan", `{"weeks":[]}`, "the output plan of ci plan")
	cmd.Flags().StringVar(&results, "results", "results", "`directory` with the reports of the weeks")
	cmd.Flags().StringVar(&out, "out", "", "`file` to add the comment to, as $GITHUB_STEP_SUMMARY")
	cmd.Flags().IntVar(&pullRequest, "pull-request", 0, "`number` of the pull request to post the comment on")
	return cmd
}

// inert keeps a line of a log from being a workflow command.
var inert = strings.NewReplacer("\n", " ", "##[", "# #[")

func post(ctx context.Context, pullRequest int, text string) error {
	g := &ci.GitHub{
		API:        os.Getenv("GITHUB_API_URL"),
		Repository: os.Getenv("GITHUB_REPOSITORY"),
		Token:      os.Getenv("GITHUB_TOKEN"),
		Author:     ci.ActionsBot,
	}
	if g.API == "" || g.Repository == "" || g.Token == "" {
		return errors.New("GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_TOKEN have to be set")
	}
	return g.Post(ctx, pullRequest, text)
}

// appendTo adds what write writes to a file, if one is named.
func appendTo(name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return &exitError{exitBlocked, err}
	}
	return errors.Join(write(f), f.Close())
}
