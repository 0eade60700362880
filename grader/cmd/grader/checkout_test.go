package main_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkout is a small course of one exercise, aliasing of week 1, in a
// temporary directory.
type checkout struct {
	root  string
	cache string // GRADER_CACHE
}

const (
	exercise = "week01/aliasing"
	dir      = "module1/week01/aliasing/"
	student  = dir + "aliasing.go"
	manifest = "module1/week01/week.yaml"
	stubs    = "grader/inventory/stubs.sha256"
	recorded = "grader/inventory/week01-aliasing.txt"

	reference = "solutions/" + student
	wrongs    = "solutions/" + dir + "testdata/wrong/"
)

// weekYAML is the manifest of the one week: all that aliasing needs to pass
// grader verify.
const weekYAML = `week: 1
title: Values, aliasing, lifetimes
theory_minutes: 230
outcomes: [say which of two slices share memory]
exercises:
  - slug: aliasing
    title: Who shares this memory?
    kind: fix
    minutes: 55
    files: [aliasing.go]
    checks: {allocs: true}
    guards:
      - TestBatches_SharesElements
      - TestBatches_EdgeSizes
      - TestWithTag_AllocatesOnce
      - TestDequeue_EmptyQueue
      - TestHeader_ShortPayload
      - TestCharge_RefusesOverLimit
    misconceptions:
      TestBatches_SharesElements: {belief: copying is safe and so it is free, hint: 2}
      TestWithTag_SiblingsDiverge: {belief: append always copies, hint: 1}
      TestDequeue_PoppedIsCollectable: {belief: what is before the start of a slice is unreachable, hint: 3}
      TestHeader_DoesNotPinPayload: {belief: capping a slice frees the rest of its array, hint: 3}
      TestRaise_MutatesInPlace: {belief: range gives references to the elements, hint: 1}
    hints:
      - Print len and cap.
      - Three indexes limit an append.
      - Only a copy lets go.
`

// newCheckout returns a checkout with the stub in it. The first one is graded
// before it is returned, so that tests beside each other do not all prepare the
// go command's caches for the same things.
func newCheckout(t *testing.T) checkout {
	t.Helper()
	prepare.Do(func() { copyCourse(t).grader(t, "week", "1") })
	return copyCourse(t)
}

var prepare sync.Once

func copyCourse(t *testing.T) checkout {
	t.Helper()
	repository, err := filepath.Abs("../../..")
	require.NoError(t, err)
	c := checkout{root: t.TempDir(), cache: sharedCache}
	for _, name := range []string{"grader/labkit", "module1/week01/aliasing", "solutions/module1/week01/aliasing"} {
		require.NoError(t, os.CopyFS(c.path(name), os.DirFS(filepath.Join(repository, name))))
	}
	for _, name := range []string{"module1/go.mod", "module1/go.sum", "grader/go.mod", stubs, recorded} {
		content, err := os.ReadFile(filepath.Join(repository, name))
		require.NoError(t, err)
		c.write(t, name, string(content))
	}
	c.write(t, manifest, weekYAML)
	return c
}

func (c checkout) path(name string) string { return filepath.Join(c.root, filepath.FromSlash(name)) }

func (c checkout) read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(c.path(name))
	require.NoError(t, err)
	return string(content)
}

func (c checkout) write(t *testing.T, name, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(c.path(name)), 0o755))
	require.NoError(t, os.WriteFile(c.path(name), []byte(content), 0o644))
}

func (c checkout) remove(t *testing.T, name string) {
	t.Helper()
	require.NoError(t, os.Remove(c.path(name)))
}

// edit replaces the only occurrence of old in a file.
func (c checkout) edit(t *testing.T, name, old, new string) {
	t.Helper()
	content := c.read(t, name)
	require.Equal(t, 1, strings.Count(content, old), "occurrences of %q in %s", old, name)
	c.write(t, name, strings.Replace(content, old, new, 1))
}

// solve puts the reference in place of the student's file.
func (c checkout) solve(t *testing.T) {
	t.Helper()
	c.write(t, student, c.read(t, reference))
}

// Lines of the reference that tests change.
const (
	raiseLine  = "\t\tlist[i].Limit += delta\n"
	chargeLine = "\tbyOwner[owner] = q\n"
	imports    = "import (\n"
)

// solveBut puts the reference in place of the student's file, with one part
// changed.
func (c checkout) solveBut(t *testing.T, old, new string) {
	t.Helper()
	c.solve(t)
	c.edit(t, student, old, new)
}

// line returns the number of the only line of a file that contains text.
func (c checkout) line(t *testing.T, name, text string) int {
	t.Helper()
	before, after, found := strings.Cut(c.read(t, name), text)
	require.True(t, found && !strings.Contains(after, text), "%q is not once in %s", text, name)
	return strings.Count(before, "\n") + 1
}

// recordStub notes the student's file as the stub of the course.
func (c checkout) recordStub(t *testing.T) {
	t.Helper()
	c.write(t, stubs, fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(c.read(t, student))), student))
}

// onlyWrong leaves one wrong solution of the exercise.
func (c checkout) onlyWrong(t *testing.T, name string) {
	t.Helper()
	content := c.read(t, wrongs+name)
	require.NoError(t, os.RemoveAll(c.path(wrongs)))
	c.write(t, wrongs+name, content)
}
