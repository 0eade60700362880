package main_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// gitIn runs shell lines in a directory, with git and nobody's configuration.
func gitIn(t *testing.T, dir, line string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", line)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=S", "GIT_AUTHOR_EMAIL=s@example.org", "GIT_COMMITTER_NAME=S", "GIT_COMMITTER_EMAIL=s@example.org")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", line, out)
}

func TestReview_OfAPullRequest(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.recordStub(t)
	c.write(t, "module1/week01/README.md", "# Week 1\n\n## What your mentor looks at\n\n- Each copy.\n")
	gitIn(t, c.root, "git init -q -b main && git add -A && git commit -qm base && git checkout -qb work")
	c.solve(t)
	c.edit(t, student, "// Batches", "func start() { go start(); recover() }\n\nfunc drop() error { return nil }\n\n// More is new.\nfunc More() { start(); _ = drop() }\n\n// Batches")
	gitIn(t, c.root, "git add -A && git commit -qm first && git checkout -q main && git merge -q work && git checkout -q work")
	c.edit(t, student, "// More is new.", "// More is newer.")
	c.write(t, dir+"aliasing_test.go", "package aliasing_test // nothing to test\n")
	c.write(t, manifest, "not a manifest\n")
	gitIn(t, c.root, "git add -A && git commit -qm second")

	r := c.grader(t, "review", "--base", "main")
	r.shows(t, 0,
		"# Review of week 1\n\nAgainst main (",
		"- module1/week01/aliasing/aliasing\\_test.go: changed\n- module1/week01/week.yaml: changed\n",
		"| week01/aliasing | ",
		"**Copied: ", "; code that mends given code has less room to differ:\n",
		"func More()",
		"Goroutines without an owner nearby:\n\n- module1/week01/aliasing/aliasing.go:", "nothing in start or its type waits for it",
		"Dropped errors:\n\n", "the error of drop is assigned to \\_",
		"None: ", "unsafe, cgo, linkname and their like",
		"## Week 1: what to look at together\n\n- [ ] Each copy.\n")
	require.NotContains(t, r.stdout, "| module1/week01/aliasing/aliasing.go | 0 ")
	require.Regexp(t, `\| module1/week01/aliasing/aliasing\.go \| \d+ \| \+[1-9]\d* -\d+ \|`, r.stdout, "measured against the stub, which is in the history only")
	require.NoFileExists(t, c.path(".grader/record.json"), "a mentor's look is no try of the student's")

	other := c.grader(t, "review", "--base", "main", "--solutions", t.TempDir())
	other.shows(t, 0, "Copied: not compared, the reference is not here")
	require.Equal(t, 1, strings.Count(other.stdout, "## week01/aliasing: "))
}

func TestReview_SaysWhatItNeeds(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.grader(t, "review").complains(t, 2, "name what the change is measured against: grader review --base origin/main")
	c.grader(t, "review", "--base", "main").complains(t, 2, "is not in a git repository")
	gitIn(t, c.root, "git init -q -b main && git add -A && git commit -qm base")
	c.grader(t, "review", "--base", "elsewhere").complains(t, 2, `git knows no commit "elsewhere" here`)
	c.grader(t, "review", "--base", "HEAD").shows(t, 0, "# Review of a change without exercises\n\n", "Verdict: **pass**")
}
