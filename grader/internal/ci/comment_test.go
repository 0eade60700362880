package ci_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/ci"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/report"
)

// week is the report of a machine that graded week n with one status for all.
func week(t *testing.T, c *course.Course, n int, status checks.Status) *report.Summary {
	t.Helper()
	w, err := c.Week(n)
	require.NoError(t, err)
	list, earlier, err := ci.Exercises(c, w)
	require.NoError(t, err)
	verdict := func(ex *course.Exercise) *grade.Verdict {
		r := checks.Result{Check: "tests", Status: status}
		if status != checks.Pass {
			r.Findings = []checks.Finding{{Check: "tests", Rule: "TestIt_Works", Message: "failed"}}
		}
		return &grade.Verdict{
			Exercise: ex.ID(), Week: ex.Week, Title: ex.Title, Status: status,
			Checks: []checks.Result{r}, Sandbox: "box", Go: "go1.26.8",
		}
	}
	var verdicts []*grade.Verdict
	for _, ex := range list {
		verdicts = append(verdicts, verdict(ex))
	}
	s := report.NewSummary(w.Title, verdicts, 0)
	for _, ex := range earlier {
		s.AddEarlier(report.Earlier{Verdict: verdict(ex)})
	}
	return s
}

// leave writes a report to where the job report finds it.
func leave(t *testing.T, dir string, n int, s *report.Summary) {
	t.Helper()
	var b strings.Builder
	require.NoError(t, s.Write(&b, report.JSON))
	write(t, dir, ci.ResultDir(n)+"/"+ci.ReportName, b.String())
}

func TestComment_OneForAllWeeks(t *testing.T) {
	c, _ := copyOf(t)
	dir := t.TempDir()
	leave(t, dir, 1, week(t, c, 1, checks.Pass))
	leave(t, dir, 2, week(t, c, 2, checks.Fail))
	p := &ci.Plan{Weeks: []int{1, 2, 3}, Ignored: ci.Ignored{Files: []string{"@octocat|.md"}, More: 7}}
	results, err := ci.ReadResults(c, p, dir)
	require.NoError(t, err)
	comment := &ci.Comment{Plan: p, Results: results, Commit: "0123456789abcdef", Course: "main; rm"}
	require.Equal(t, checks.Fail, comment.Status())
	out := text(t, comment)
	for _, want := range []string{
		ci.Marker + "\n\n## Weeks 1, 2, 3: fail\n",
		"| week01/handles | pass |", "| week02/logstat | fail |",
		"**Week 3 has no verdict:** there is no report",
		"- @&#8203;octocat\\|.md\n- and 7 or more others\n",
		"Graded: commit 0123456. Tests, build files and grader: the course at an unnamed commit.\n",
	} {
		require.Contains(t, out, want)
	}
	require.Equal(t, 1, strings.Count(out, "| m01a |"), "graded in week 1 and again in week 2")
}

func TestComment_WithoutAnythingToGrade(t *testing.T) {
	comment := &ci.Comment{Plan: &ci.Plan{}}
	require.Equal(t, checks.Pass, comment.Status())
	require.Contains(t, text(t, comment), "## Nothing to grade\n")
}

func TestComment_FitsIntoAComment(t *testing.T) {
	c, _ := copyOf(t)
	s := week(t, c, 1, checks.Fail)
	for range 2000 {
		r := &s.Verdicts[0].Checks[0]
		r.Findings = append(r.Findings, checks.Finding{Check: "tests", Rule: "TestIt_" + strings.Repeat("@", 100), Message: "failed"})
	}
	ignored := ci.Ignored{}
	for range 20 {
		ignored.Files = append(ignored.Files, strings.Repeat("@", 123))
	}
	comment := &ci.Comment{Plan: &ci.Plan{Ignored: ignored}, Results: []ci.Result{{Week: 1, Report: s}, {Week: 2, Err: errors.New("none")}}}
	require.Less(t, len([]rune(text(t, comment))), 65_536)
}

func TestResults_ABadReportIsNoVerdict(t *testing.T) {
	c, _ := copyOf(t)
	for name, prepare := range map[string]func(t *testing.T, dir string){
		"there is no report": func(*testing.T, string) {},
		"this is no report":  func(t *testing.T, dir string) { write(t, dir, "result-week-1/report.json", "{}") },
		"not a regular file": func(t *testing.T, dir string) {
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "result-week-1/report.json"), 0o755))
		},
		"about the exercises of week 1": func(t *testing.T, dir string) {
			leave(t, dir, 1, week(t, c, 2, checks.Pass))
		},
		"not about the exercises": func(t *testing.T, dir string) {
			s := week(t, c, 1, checks.Pass)
			s.Verdicts = s.Verdicts[1:]
			leave(t, dir, 1, s)
		},
		"there is no report: ": func(t *testing.T, dir string) {
			leave(t, dir, 2, week(t, c, 1, checks.Pass))
		},
		"says pass": func(t *testing.T, dir string) {
			s := week(t, c, 1, checks.Fail)
			s.Status = checks.Pass
			data, err := json.Marshal(struct {
				Schema int `json:"schema"`
				*report.Summary
			}{report.Schema, s})
			require.NoError(t, err)
			write(t, dir, "result-week-1/report.json", string(data))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			prepare(t, dir)
			results, err := ci.ReadResults(c, &ci.Plan{Weeks: []int{1}}, dir)
			require.NoError(t, err)
			require.Len(t, results, 1)
			require.ErrorContains(t, results[0].Err, name)
			require.Equal(t, checks.Blocked, (&ci.Comment{Plan: &ci.Plan{}, Results: results}).Status())
		})
	}
}

func TestResults_ALinkIsNotFollowed(t *testing.T) {
	c, _ := copyOf(t)
	outside, dir := t.TempDir(), t.TempDir()
	leave(t, outside, 1, week(t, c, 1, checks.Pass))
	require.NoError(t, os.Symlink(filepath.Join(outside, "result-week-1"), filepath.Join(dir, "result-week-1")))
	results, err := ci.ReadResults(c, &ci.Plan{Weeks: []int{1}}, dir)
	require.NoError(t, err)
	require.Error(t, results[0].Err)
}

func text(t *testing.T, c *ci.Comment) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, c.Write(&b))
	return b.String()
}
