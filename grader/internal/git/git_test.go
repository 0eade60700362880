package git_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/git"
)

// sandbox is a repository with one commit of a course in a subdirectory.
type sandbox struct {
	t   *testing.T
	top string
}

func newSandbox(t *testing.T) sandbox {
	t.Helper()
	s := sandbox{t, t.TempDir()}
	s.sh("git init -q -b main && git config user.name S && git config user.email s@example.org")
	s.write("course/a.go", "package a\n")
	s.write("course/sub/run.sh", "#!/bin/sh\n")
	s.write("beside.txt", "x\n")
	s.sh("chmod +x course/sub/run.sh && ln -s a.go course/link && git add -A && git commit -qm first")
	return s
}

func (s sandbox) sh(line string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "sh", "-ec", line)
	cmd.Dir, cmd.Env = s.top, append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, "%s\n%s", line, out)
	return string(bytes.TrimSpace(out))
}

func (s sandbox) write(name, content string) {
	s.t.Helper()
	full := filepath.Join(s.top, filepath.FromSlash(name))
	require.NoError(s.t, os.MkdirAll(filepath.Dir(full), 0o755))
	require.NoError(s.t, os.WriteFile(full, []byte(content), 0o644))
}

func (s sandbox) open(dir string) *git.Repo {
	s.t.Helper()
	r, err := git.Open(s.t.Context(), filepath.Join(s.top, dir))
	require.NoError(s.t, err)
	return r
}

func TestOpen_OutsideOfARepository(t *testing.T) {
	_, err := git.Open(t.Context(), t.TempDir())
	require.ErrorContains(t, err, "is not in a git repository")
}

func TestChanges_OfTheWorkTree(t *testing.T) {
	s := newSandbox(t)
	r := s.open("course")
	commit, err := r.Commit(t.Context(), "main")
	require.NoError(t, err)
	require.Equal(t, s.sh("git rev-parse HEAD"), commit)

	s.write("course/a.go", "package a // changed\n")
	s.write("course/new \n\"ü\".go", "package a\n")
	s.write("course/committed.go", "package a\n")
	s.write("outside.txt", "not of the course\n")
	s.sh("git add course/committed.go && git commit -qm second && rm course/sub/run.sh && rm course/link && echo x > course/link")
	changes, err := r.Changes(t.Context(), commit)
	require.NoError(t, err)
	require.Equal(t, []git.Change{
		{Path: "a.go", Kind: git.Changed},
		{Path: "committed.go", Kind: git.Added},
		{Path: "link", Kind: git.Retyped},
		{Path: "new \n\"ü\".go", Kind: git.Added},
		{Path: "sub/run.sh", Kind: git.Deleted},
	}, changes)
}

func TestMergeBase(t *testing.T) {
	s := newSandbox(t)
	first := s.sh("git rev-parse HEAD")
	s.sh("git checkout -qb feature && git commit -q --allow-empty -m f && git checkout -q main && git commit -q --allow-empty -m m && git checkout -q --orphan alone && git commit -qm alone")
	r := s.open(".")
	base, ok := r.MergeBase(t.Context(), "main", "feature")
	require.True(t, ok)
	require.Equal(t, first, base)
	_, ok = r.MergeBase(t.Context(), "main", "alone")
	require.False(t, ok)
	_, err := r.Commit(t.Context(), "--all")
	require.EqualError(t, err, `git knows no commit "--all" here`)
}

func TestExtract_WritesTheFilesOfACommit(t *testing.T) {
	s := newSandbox(t)
	s.write("course/a.go", "package a // not committed\n")
	dir := filepath.Join(t.TempDir(), "deep", "base")
	for range 2 {
		require.NoError(t, s.open("course").Extract(t.Context(), "HEAD", dir))
	}
	content, err := os.ReadFile(filepath.Join(dir, "a.go"))
	require.NoError(t, err)
	require.Equal(t, "package a\n", string(content))
	info, err := os.Stat(filepath.Join(dir, "sub", "run.sh"))
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&0o100)
	require.NoFileExists(t, filepath.Join(dir, "link"))
	require.NoDirExists(t, filepath.Join(dir, "course"))

	require.Error(t, s.open("course").Extract(t.Context(), "nothing", filepath.Join(t.TempDir(), "x")))
	entries, err := os.ReadDir(filepath.Dir(dir))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing half-written is left")
}

func TestFind_LooksThroughTheHistory(t *testing.T) {
	s := newSandbox(t)
	s.write("course/a.go", "package a // the student's\n")
	s.sh("git commit -qam second")
	r := s.open("course")
	content, err := r.Find(t.Context(), "a.go", func(c []byte) bool { return string(c) == "package a\n" })
	require.NoError(t, err)
	require.Equal(t, "package a\n", string(content))
	content, err = r.Find(t.Context(), "a.go", func([]byte) bool { return false })
	require.NoError(t, err)
	require.Nil(t, content)
}
