package main_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/report"
)

func TestReport_SeveralFormatsAtOnce(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solveBut(t, raiseLine, "\t\tx := delta + 1\n\t\tx = delta\n\t\tlist[i].Limit -= x\n")

	c.grader(t, "week", "1", "--report", "json=out/r.json", "--report", "markdown=out/r.md", "--report", "junit=out/r.xml",
		"--report", "sarif=out/r.sarif", "--report", "github=out/r.log").shows(t, 1, "Week 1: Values, aliasing, lifetimes\n\n✗ aliasing")

	require.Contains(t, c.read(t, "out/r.md"), "| week01/aliasing | fail | 2 findings |\n")
	require.Contains(t, c.read(t, "out/r.xml"), `<testcase name="TestRaise_MutatesInPlace" classname="middle-go.week01.aliasing"`)
	lint := c.read(t, "out/r.sarif")
	require.Contains(t, lint, `"ruleId": "lint/SA4006"`)
	require.Contains(t, lint, fmt.Sprintf(`"startLine": %d`, c.line(t, student, "x := delta + 1")), "at the student's line")
	require.Contains(t, c.read(t, "out/r.log"), "\n::error title=week01/aliasing%2C TestRaise_MutatesInPlace,file="+dir+"aliasing_test.go,line=")
	s, err := report.Read(strings.NewReader(c.read(t, "out/r.json")))
	require.NoError(t, err)
	require.Equal(t, 1, s.Verdicts[0].Week)
	require.Nil(t, s.HintsUsed, "there is no record yet")
	require.Nil(t, s.Changes)
}

func TestReport_ShowsAReportAgain(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.grader(t, "week", "1", "--report", "json=old.json")
	c.solveBut(t, raiseLine, "\t\tlist[i].Limit -= delta\n")
	graded := c.grader(t, "week", "1", "--since", "old.json", "--report", "json=new.json", "--format", "markdown")
	require.Contains(t, graded.stdout, "\n### Since last time\n\n- week01/aliasing: still fail. Mended: Batches: append does not reach neighbour; ")

	outside := c.command(t, "report", "new.json", "--format", "markdown", "--report", "text=new.txt")
	r := finish(t, start(t, outside))
	r.shows(t, 0)
	require.Equal(t, graded.stdout, r.stdout)
	require.Contains(t, c.read(t, "new.txt"), "✗ aliasing")

	c.grader(t, "report", "old.json", "--since", "new.json", "--format", "markdown").shows(t, 0, "Newly broken: ")
	c.write(t, "broken.json", `{"schema": 2}`)
	c.grader(t, "report", "broken.json").complains(t, 2, "broken.json: this is no report of the grader: it has schema version 2; this grader reads version 1")
	c.grader(t, "report", "--schema").shows(t, 0, `"title": "Report of the grader of Middle Go, version 1"`)
}

func TestReport_RemembersHintsAndTheLastVerdict(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.grader(t, "week", "1")
	c.grader(t, "hint", exercise)
	c.solve(t)
	c.grader(t, "week", "1", "--format", "markdown").shows(t, 0,
		"| exercise | verdict | checks | hints used |\n", " lint | 1 |\n", "\n### Since last time\n\n- week01/aliasing: from fail to pass\n")
	c.grader(t, "week", "1", "--format", "markdown").shows(t, 0, "\nNothing has changed since last time.\n")
}

// The record is in the student's tree and says what the student likes.
func TestReport_AForgedRecordMakesNoForgedReport(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.write(t, ".grader/record.json", `{"exercises": {"week01/aliasing": {"hints_shown": -5, "status": "| pass | @octocat"}, "week02/x": null}}`)
	r := c.grader(t, "week", "1", "--report", "json=r.json", "--format", "markdown")
	r.shows(t, 1, "finding", "| 0 |\n", "- week01/aliasing: fail, not graded last time\n")
	require.NotContains(t, r.stdout, "octocat")
	_, err := report.Read(strings.NewReader(c.read(t, "r.json")))
	require.NoError(t, err)
}

func TestReport_GitHubGetsASummaryOfTheJob(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.write(t, "summary.md", "before\n")
	cmd := c.command(t, "week", "1", "--format", "github")
	cmd.Env = append(cmd.Env, "GITHUB_STEP_SUMMARY="+c.path("summary.md"))
	finish(t, start(t, cmd)).shows(t, 1, "::stop-commands::", "::error title=week01/aliasing")
	require.Contains(t, c.read(t, "summary.md"), "before\n## Week 1: Values, aliasing, lifetimes: fail\n")
}

func TestReport_WritesThroughNoLink(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.write(t, "precious", "mine")
	if err := os.Symlink(c.path("precious"), c.path("r.json")); err != nil {
		t.Skip(err)
	}
	c.grader(t, "week", "1", "--report", "json=r.json").notes(t, "--report json=r.json: is a link; name a file")
	require.Equal(t, "mine", c.read(t, "precious"))
}
