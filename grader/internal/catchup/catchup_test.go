package catchup_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/catchup"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/cut"
)

// The course of these tests: the student begins week 4, and m02a is what he
// should have by then. The package app has a stub of m02b, and package life is
// that of m03a.
var (
	ready = map[string]string{
		"grader/cuts/m02a/domain/task.go":          "package domain // of the cut\n",
		"grader/cuts/m02a/domain/text.go":          "package domain // of the cut\n",
		"grader/cuts/m02a/domain/text_test.go":     "package domain_test // of the cut\n",
		"grader/cuts/m02a/app/tasks.go":            "package app // of the cut\n",
		"grader/cuts/m02a/infra/memory/memory.go":  "package memory // of the cut\n",
		"grader/cuts/m02a/cmd/tasktracker/main.go": "package main // of the cut\n",
		"grader/cuts/m02a/deploy/up.sh":            "#!/bin/sh\n",
		"grader/cuts/m02a/README.md":               "of the cut\n",
		"grader/cuts/m02a/openapi.yaml":            "of: the cut\n",
		"grader/cuts/m02a/domain/m01a_test.go":     "package domain_test // of the cut\n",
	}
	given = map[string]string{
		".gitattributes":                    "* text=auto eol=lf\n",
		".gitignore":                        ".grader/\n*.out\n",
		"module1/README.md":                 "lessons\n",
		"grader/go.mod":                     "module grader\n",
		"tasktracker/go.mod":                "module tasktracker\n",
		"tasktracker/go.sum":                "",
		"tasktracker/README.md":             "the course's\n",
		"tasktracker/openapi.yaml":          "the: course's\n",
		"tasktracker/milestones/m02a.yaml":  "slug: m02a\n",
		"tasktracker/milestones/m02a/a.go":  "package m02a\n",
		"tasktracker/domain/m01a_test.go":   "package domain_test // the course's\n",
		"tasktracker/sqlitedb/open.go":      "package sqlitedb\n",
		"tasktracker/acceptance/go.mod":     "module acceptance\n",
		"tasktracker/domain/task.go":        "package domain // stub\n",
		"tasktracker/app/tasks.go":          "package app // stub\n",
		"tasktracker/app/validate.go":       "package app // stub of m02b\n",
		"tasktracker/life/life.go":          "package life // stub of m03a\n",
		"tasktracker/cmd/tasktracker/io.go": "package main // stub of a later milestone\n",
	}
	stubs = []string{"domain/task.go", "app/tasks.go", "app/validate.go", "life/life.go", "cmd/tasktracker/io.go"}
)

// desk is a student's checkout.
type desk struct {
	t    *testing.T
	root string
}

// newDesk returns a checkout without git.
func newDesk(t *testing.T) desk {
	t.Helper()
	d := desk{t, t.TempDir()}
	for name, content := range ready {
		d.write(name, content)
	}
	for name, content := range given {
		d.write(name, content)
	}
	require.NoError(t, os.Chmod(d.path("grader/cuts/m02a/deploy/up.sh"), 0o755))
	var sums strings.Builder
	for _, name := range stubs {
		name = "tasktracker/" + name
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256([]byte(given[name])), name)
	}
	d.write(course.StubsFile, sums.String())
	return d
}

// newRepository returns a checkout with a first commit.
func newRepository(t *testing.T) desk {
	t.Helper()
	d := newDesk(t)
	d.git("init", "-q", "-b", "main")
	d.git("add", "-A")
	d.git("commit", "-qm", "the course")
	return d
}

func (d desk) path(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

func (d desk) write(name, content string) {
	d.t.Helper()
	require.NoError(d.t, os.MkdirAll(filepath.Dir(d.path(name)), 0o755))
	require.NoError(d.t, os.WriteFile(d.path(name), []byte(content), 0o644))
}

func (d desk) remove(name string) {
	d.t.Helper()
	require.NoError(d.t, os.RemoveAll(d.path(name)))
}

func (d desk) read(name string) string {
	d.t.Helper()
	content, err := os.ReadFile(d.path(name))
	require.NoError(d.t, err)
	return string(content)
}

func (d desk) git(args ...string) string {
	d.t.Helper()
	return d.shell("git " + strings.Join(quote(args), " "))
}

// branches returns the branches, or nothing outside of git.
func (d desk) branches() []string {
	d.t.Helper()
	if _, err := os.Stat(d.path(".git")); err != nil {
		return nil
	}
	return strings.Fields(d.git("branch", "--format=%(refname:short)"))
}

func quote(args []string) []string {
	var quoted []string
	for _, a := range args {
		quoted = append(quoted, "'"+strings.ReplaceAll(a, "'", `'\''`)+"'")
	}
	return quoted
}

// shell runs a line of shell in the checkout, with a git that nobody has
// configured.
func (d desk) shell(line string) string {
	d.t.Helper()
	return d.shellIn(d.root, line)
}

func (d desk) shellIn(dir, line string) string {
	d.t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Student", "GIT_AUTHOR_EMAIL=s@example.org", "GIT_COMMITTER_NAME=Student", "GIT_COMMITTER_EMAIL=s@example.org")
	out, err := cmd.CombinedOutput()
	require.NoError(d.t, err, "%s\n%s", line, out)
	return string(out)
}

func (d desk) request() catchup.Request {
	d.t.Helper()
	c, err := course.Open(d.root)
	require.NoError(d.t, err)
	return catchup.Request{Root: d.root, Course: c, Source: cut.Open(d.root), Week: 4}
}

func (d desk) catchUp() *catchup.Result {
	d.t.Helper()
	result, err := catchup.Run(d.t.Context(), d.request())
	require.NoError(d.t, err)
	return result
}

// refuses demands an error and that not a byte is changed.
func (d desk) refuses(want string) {
	d.t.Helper()
	before, branches := d.everything(), d.branches()
	_, err := catchup.Run(d.t.Context(), d.request())
	require.ErrorContains(d.t, err, want)
	require.Equal(d.t, before, d.everything())
	require.Equal(d.t, branches, d.branches())
}

// follow runs commands as the result prints them.
func (d desk) follow(s catchup.Saved, commands []string) string {
	d.t.Helper()
	return d.shellIn(s.In, "set -e\n"+strings.Join(commands, "\n"))
}

// tracker returns all files below tasktracker, links and modes included.
func (d desk) tracker() map[string]string { return d.below("tasktracker") }

// everything returns all files of the checkout but those of git and the grader.
func (d desk) everything() map[string]string { return d.below(".") }

func (d desk) below(dir string) map[string]string {
	d.t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(d.path(dir), func(name string, entry fs.DirEntry, err error) error {
		require.NoError(d.t, err)
		if entry.IsDir() && (entry.Name() == ".git" || entry.Name() == ".grader") {
			return fs.SkipDir
		}
		if entry.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(d.path(dir), name)
		require.NoError(d.t, err)
		info, err := entry.Info()
		require.NoError(d.t, err)
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(name)
			require.NoError(d.t, err)
			found[filepath.ToSlash(rel)] = "-> " + target
		case info.Mode().IsRegular():
			content, err := os.ReadFile(name)
			require.NoError(d.t, err)
			found[filepath.ToSlash(rel)] = fmt.Sprintf("%o %s", info.Mode().Perm()&0o100, content)
		default:
			found[filepath.ToSlash(rel)] = info.Mode().Type().String()
		}
		return nil
	})
	require.NoError(d.t, err)
	return found
}

// work makes the changes of a student who is in the middle of something:
// tracked, untracked, ignored and deleted files, links, odd bytes and names, and
// something in the index that is nowhere else.
func (d desk) work() {
	d.t.Helper()
	d.write("tasktracker/domain/task.go", "package domain // the student's\n")
	d.write("tasktracker/domain/windows.go", "package domain\r\n// CRLF\r\n")
	d.write("tasktracker/domain/odd.txt", "\x00\xff\r\n no end of line")
	d.write("tasktracker/domain/ä \"quoted\" \\ name.go", "package domain\n")
	d.write("tasktracker/domain/cover.out", "ignored, and in the way\n")
	d.write("tasktracker/app/validate.go", "package app // begun by the student\n")
	d.write("tasktracker/mine/mine.go", "package mine\n\nimport _ \"github.com/middle-go/course/tasktracker/domain\"\n")
	d.write("tasktracker/alone/alone.go", "package alone\n\nimport _ \"os\"\n")
	d.write("tasktracker/mine/cover.out", "ignored, and in nobody's way\n")
	d.write("tasktracker/run.sh", "#!/bin/sh\n")
	require.NoError(d.t, os.Chmod(d.path("tasktracker/run.sh"), 0o755))
	d.remove("tasktracker/app/tasks.go")
	d.remove("tasktracker/cmd")
	require.NoError(d.t, os.Symlink("task.go", d.path("tasktracker/domain/link.go")))
	require.NoError(d.t, os.Symlink(d.t.TempDir(), d.path("tasktracker/infra")))
}
