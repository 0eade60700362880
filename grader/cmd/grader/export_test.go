package main_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExport_WritesAndProves(t *testing.T) {
	t.Parallel()
	c := copyCourse(t)
	dir := filepath.Join(t.TempDir(), "students")
	c.grader(t, "export", dir).complains(t, 2, "is not in a git repository")
	c.write(t, "README.md", "# The course\n")
	c.write(t, stubs, "")
	gitIn(t, c.root, "git init -q -b main && git add -A && git commit -qm base")
	c.grader(t, "export", dir).complains(t, 2, student+" is a student's file and not the stub on record")
	c.recordStub(t)
	c.grader(t, "export", dir).shows(t, 0,
		" files of the course left out.\n\nlooked for: 1 files of the references, ", " are found when they are shown\n",
		"there is no git repository, so no history\nfound: 0; could not be looked into: 0\n",
		"git init -b main && git add -A && git commit -m 'Middle Go'\n")
	require.NoDirExists(t, filepath.Join(dir, "solutions"))

	gitIn(t, dir, "git init -q -b main && git add -A && git commit -qm first")
	c.grader(t, "export", "--check", dir).shows(t, 0, "all objects of git, reachable or not: 1 commits, ", "found: 0; could not be looked into: 0\n")
	gitIn(t, dir, "git hash-object -w '"+c.path(reference)+"'")
	r := c.grader(t, "export", "--check", dir)
	require.Equal(t, 1, r.code, "%v", r)
	require.Contains(t, r.stdout, "found: 1; could not be looked into: 0\n  blob ")
	require.Contains(t, r.stdout, " has "+reference)
	c.grader(t, "export", "--course", dir, "--check", dir).complains(t, 2, "has no solutions, so nothing is known that could be looked for")
	c.grader(t, "export", dir).complains(t, 2, "is not empty; nothing was written")
}
