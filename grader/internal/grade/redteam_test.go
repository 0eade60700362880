package grade_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/sandbox"
)

// TestRedTeam grades every hostile submission of a corpus and demands exactly
// its expected verdict. Then it leaves the policy out and shows what of those
// that the policy refuses the box contains alone. REDTEAM_CORPUS names the
// corpus; the default is ../shared/redteam beside the repository when it is
// there. The project's own small corpus always runs. As root it runs as an
// ordinary user.
func TestRedTeam(t *testing.T) {
	if asOrdinaryUser(t) {
		return
	}
	corpora := []string{"testdata/redteam"}
	if named := os.Getenv("REDTEAM_CORPUS"); named != "" {
		corpora = append(corpora, named)
	} else if beside := filepath.Join(repositoryRoot(t), "..", "shared", "redteam"); exists(beside) {
		corpora = append(corpora, beside)
	}
	t.Logf("the box: %s", sandbox.Walls())
	for _, corpus := range corpora {
		t.Run(filepath.Base(filepath.Dir(corpus)), func(t *testing.T) {
			c := openCorpus(t, corpus)
			t.Run("verdicts", func(t *testing.T) { gradeCorpus(t, c) })
			t.Run("without policy", func(t *testing.T) { ablate(t, c) })
		})
	}
}

// row is one line of expected.tsv, and what came of it.
type row struct {
	id, category, stage, verdict, why string
	honest                            bool // a pass without the policy is one that was earned

	got, by string
	took    time.Duration
}

func gradeCorpus(t *testing.T, c *corpus) {
	start := time.Now()
	rows := c.rows
	c.each(t, rows, func(t *testing.T, r *row, tree string) {
		before := hashOf(t, tree)
		v := c.grade(t, r, tree)
		r.got, r.by = verdictWord(v)
		require.Equal(t, r.verdict, r.got, "%s\n%s", r.why, explain(v))
		require.Equal(t, before, hashOf(t, tree), "the submitted tree was changed")
		require.NotContains(t, explain(v), secret)
		require.NotContains(t, explain(v), reversed(secret))
	})
	table := []string{fmt.Sprintf("%-28s %-9s %-8s %-8s %6s  decided by", "submission", "stage", "expected", "got", "s")}
	differ := 0
	for _, r := range rows {
		table = append(table, fmt.Sprintf("%-28s %-9s %-8s %-8s %6.1f  %s", r.id, r.stage, r.verdict, r.got, r.took.Seconds(), r.by))
		if r.got != r.verdict {
			differ++
		}
	}
	t.Logf("\n%s\n%d rows, %d differences, %s", strings.Join(table, "\n"), len(rows), differ, time.Since(start).Round(time.Second))
}

// ablate grades those rows again that the policy decides, without the policy.
// Where the box is whole, none of them may reach what it should not, and none
// may pass with wrong code.
func ablate(t *testing.T, c *corpus) {
	rows := slices.DeleteFunc(slices.Clone(c.rows), func(r row) bool { return r.verdict != "reject" || r.stage == "assembly" })
	c.each(t, rows, func(t *testing.T, r *row, tree string) {
		v := c.grade(t, r, tree, "policy")
		r.got, r.by = verdictWord(v)
		if len(v.Lacks) == 0 {
			require.True(t, r.got != "pass" || r.honest, "wrong code passed: %s", r.why)
		}
	})
	var table []string
	caught, harmless, fooled := 0, 0, 0
	for _, r := range rows {
		outcome := r.got
		switch {
		case r.got != "pass":
			caught++
		case r.honest:
			harmless++
			outcome = "contained: right code, and it reached nothing"
		default:
			fooled++
			outcome = "FOOLED"
		}
		table = append(table, fmt.Sprintf("%-28s %-9s %s  %s", r.id, r.category, outcome, r.by))
	}
	t.Logf("\n%s\nwithout the policy, of %d rows that it refuses: %d not passed, %d ran and did no harm, %d fooled the grader",
		strings.Join(table, "\n"), len(rows), caught, harmless, fooled)
}

// each calls f for every row with its submission, several at a time, and then
// demands that no canary has moved and no process is left.
func (c *corpus) each(t *testing.T, rows []row, f func(t *testing.T, r *row, tree string)) {
	t.Helper()
	canaries := plantCanaries(t)
	slots := make(chan struct{}, max(1, runtime.NumCPU()/2))
	t.Run("rows", func(t *testing.T) {
		for i := range rows {
			t.Run(rows[i].id, func(t *testing.T) {
				t.Parallel()
				slots <- struct{}{}
				defer func() { <-slots }()
				tree := apply(t, c.dir, rows[i].id)
				start := time.Now()
				defer func() { rows[i].took = time.Since(start) }()
				f(t, &rows[i], tree)
			})
		}
	})
	canaries.check(t)
	require.Empty(t, processesIn(t, os.Getenv("GRADER_CACHE")), "processes of graded submissions are left")
}

// verdictWord turns a verdict into the corpus's vocabulary, and says which
// check decided.
func verdictWord(v *grade.Verdict) (word, by string) {
	for _, c := range v.Checks {
		if c.Status == checks.Pass || c.Status == checks.NotRun || c.Check == "gofmt" || c.Check == "lint" {
			continue
		}
		by = c.Check
		if len(c.Findings) > 0 {
			f := c.Findings[0]
			if strings.HasPrefix(f.Rule, "Test") {
				by += ": " + f.Rule
			}
			by += ": " + f.Message
		}
		if slices.ContainsFunc(c.Findings, func(f checks.Finding) bool { return f.TimedOut }) {
			return "timeout", by
		}
		switch c.Status {
		case checks.Rejected:
			return "reject", by
		case checks.Fail:
			return "fail", by
		default:
			return string(c.Status), by
		}
	}
	return "pass", ""
}

func explain(v *grade.Verdict) string {
	var b strings.Builder
	for _, f := range v.Findings() {
		fmt.Fprintf(&b, "%s %s %s:%d %s\n%s\n", f.Check, f.Rule, f.File, f.Line, f.Message, f.Detail)
	}
	return b.String()
}

func repositoryRoot(t *testing.T) string {
	t.Helper()
	c, err := course.Find(".")
	require.NoError(t, err)
	return c.Root
}
