package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestInterrupt_EndsTheStudentsCodeAndKeepsTheRecord(t *testing.T) {
	t.Parallel()
	c := newSpinningCheckout(t)
	c.grader(t, "hint", exercise).shows(t, 0)
	before := c.recordFiles(t)

	p := startSession(t, c, "week", "1")
	awaitStudentsCode(t, c, p)
	require.NoError(t, syscall.Kill(-p.Process.Pid, syscall.SIGINT), "Ctrl-C signals the whole group")
	r := finish(t, p)

	require.Equal(t, 130, r.code, "%v", r)
	require.Empty(t, r.stdout)
	require.Equal(t, "\ngrader: interrupted; nothing was recorded, run it again when you like\n", r.stderr)
	requireGone(t, p)
	require.Equal(t, before, c.recordFiles(t))

	c.solve(t)
	c.grader(t, "week", "1").shows(t, 0)
}

func TestInterrupt_EndsVerify(t *testing.T) {
	t.Parallel()
	c := newSpinningCheckout(t)
	c.write(t, reference, c.read(t, student))

	p := startSession(t, c, "verify")
	awaitStudentsCode(t, c, p)
	require.NoError(t, syscall.Kill(-p.Process.Pid, syscall.SIGINT))
	r := finish(t, p)

	require.Equal(t, 130, r.code, "%v", r)
	require.Contains(t, r.stderr, "grader: interrupted")
	requireGone(t, p)
}

func TestKill_LeavesNoOrphan(t *testing.T) {
	t.Parallel()
	c := newSpinningCheckout(t)
	c.grader(t, "hint", exercise).shows(t, 0)
	before := c.recordFiles(t)

	p := startSession(t, c, "week", "1")
	awaitStudentsCode(t, c, p)
	require.NoError(t, p.Process.Kill())
	require.Equal(t, -1, finish(t, p).code)

	requireGone(t, p)
	require.Equal(t, before, c.recordFiles(t))

	c.solve(t)
	c.grader(t, "week", "1").shows(t, 0)
}

// newSpinningCheckout returns a checkout with a cache of its own, in which the
// student's code never ends.
func newSpinningCheckout(t *testing.T) checkout {
	t.Helper()
	c := newCheckout(t)
	c.cache = t.TempDir()
	c.solveBut(t, raiseLine, "\t\tfor list[i].Limit >= 0 {\n\t\t\tlist[i].Limit &= 0xff\n\t\t}\n")
	return c
}

// startSession starts the command in a session of its own, which everything it
// starts belongs to.
func startSession(t *testing.T, c checkout, args ...string) *process {
	t.Helper()
	cmd := c.command(t, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return start(t, cmd)
}

const (
	patience = 2 * time.Minute // for what always comes
	often    = time.Millisecond
)

// awaitStudentsCode returns when p runs a program that was built in the cache.
func awaitStudentsCode(t *testing.T, c checkout, p *process) {
	t.Helper()
	require.Eventually(t, func() bool {
		return runsFrom(c.cache) || len(session(p.Process.Pid)) == 0
	}, patience, often)
	require.NotEmpty(t, session(p.Process.Pid), "it has ended before the student's code ran")
}

// runsFrom reports whether a program that lies below a directory is running.
func runsFrom(dir string) bool {
	exes, _ := filepath.Glob("/proc/[0-9]*/exe")
	return slices.ContainsFunc(exes, func(exe string) bool {
		target, err := os.Readlink(exe)
		return err == nil && strings.HasPrefix(target, dir+"/")
	})
}

// requireGone demands that every process of a session ends.
func requireGone(t *testing.T, p *process) {
	t.Helper()
	require.Eventually(t, func() bool { return len(session(p.Process.Pid)) == 0 }, patience, often)
}

// session lists the living processes of a session.
func session(id int) []string {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	var living []string
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended meanwhile
		}
		after := strings.LastIndexByte(string(stat), ')')
		fields := strings.Fields(string(stat)[after+1:]) // state, parent, group, session
		if fields[0] != "Z" && fields[0] != "X" && fields[3] == strconv.Itoa(id) {
			living = append(living, string(stat))
		}
	}
	return living
}

// recordFiles returns the content of every file beside the record.
func (c checkout) recordFiles(t *testing.T) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(c.path(".grader"))
	require.NoError(t, err)
	files := map[string]string{}
	for _, e := range entries {
		files[e.Name()] = c.read(t, ".grader/"+e.Name())
	}
	return files
}
