package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCI_FromAPullRequestToItsComment plays the steps of the workflows: course is
// the base branch, the pull request another tree.
func TestCI_FromAPullRequestToItsComment(t *testing.T) {
	t.Parallel()
	course, theirs := newCheckout(t), newCheckout(t)
	theirs.solveBut(t, chargeLine, "")
	theirs.write(t, dir+"aliasing_test.go", "package aliasing_test\n")
	// A record that would make the grader leave out earlier milestones.
	theirs.write(t, ".grader/record.json", `{"exercises":{"m01a":{"status":"fail"}}}`)
	out := t.TempDir()
	outputs := filepath.Join(out, "outputs")

	course.grader(t, "ci", "plan", "--submission", theirs.root, "--output", outputs).
		shows(t, 0, "weeks to grade: [1]; changed files without effect: 1\n")
	data, err := os.ReadFile(outputs)
	require.NoError(t, err)
	weeks, plan, _ := strings.Cut(strings.TrimSpace(string(data)), "\nplan=")
	require.Equal(t, "weeks=[1]", weeks)

	before := theirs.read(t, ".grader/record.json")
	report := filepath.Join(out, "results/result-week-1/report.json")
	course.grader(t, "ci", "grade", "1", "--submission", theirs.root, "--out", report).
		shows(t, 1, "::stop-commands::", "Charge: stores back", "::error title=week01/aliasing")
	require.Equal(t, before, theirs.read(t, ".grader/record.json"), "the submission stays as it was")

	comment := filepath.Join(out, "comment.md")
	course.grader(t, "ci", "report", "--plan", plan, "--results", filepath.Dir(filepath.Dir(report)), "--out", comment).
		shows(t, 1, "verdict: fail\n")
	data, err = os.ReadFile(comment)
	require.NoError(t, err)
	require.Contains(t, string(data), "| week01/aliasing | fail |")
	require.Contains(t, string(data), "- module1/week01/aliasing/aliasing\\_test.go\n")
}

func TestCI_AWeekWithoutAReportIsBlocked(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.grader(t, "ci", "report", "--plan", `{"weeks":[1]}`, "--results", filepath.Join(t.TempDir(), "none")).
		shows(t, 3, "week 1: there is no report", "verdict: blocked\n")
}

func TestCI_WithNothingToGradeItIsContent(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	outputs := filepath.Join(t.TempDir(), "outputs")
	c.grader(t, "ci", "plan", "--output", outputs).shows(t, 0, "weeks to grade: []; ")
	c.grader(t, "ci", "report", "--results", filepath.Join(t.TempDir(), "none")).shows(t, 0, "verdict: pass\n")
}

func TestCI_PostsOnlyWithAToken(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	r := c.graderWith(t, []string{"GITHUB_TOKEN="}, "ci", "report", "--results", t.TempDir(), "--pull-request", "7")
	require.Equal(t, 3, r.code, "%v", r)
	r.notes(t, "the comment was not posted: GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_TOKEN have to be set")
}
