package similar_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/similar"
)

const repository = "../../.."

// read reads the Go files of directories, or single files, without tests.
func read(t *testing.T, names ...string) []similar.Source {
	t.Helper()
	var sources []similar.Source
	for _, name := range names {
		files := []string{name}
		if filepath.Ext(name) != ".go" {
			files, _ = filepath.Glob(filepath.Join(name, "*.go"))
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			if !strings.HasSuffix(file, "_test.go") {
				sources = append(sources, similar.Source{Path: file, Content: content})
			}
		}
	}
	return sources
}

// exercises lists the directories of the references, and skips the test where
// there are none.
func exercises(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob(repository + "/solutions/module*/week*/*")
	require.NoError(t, err)
	if len(dirs) == 0 {
		t.Skip("this repository has no references")
	}
	return dirs
}

func stub(reference string) string { return strings.Replace(reference, "/solutions/", "/", 1) }

func TestThreshold_ReferencesOfDifferentExercisesAreFarBelow(t *testing.T) {
	t.Parallel()
	dirs := exercises(t)
	var largest float64
	pairs := 0
	for _, a := range dirs {
		for _, b := range dirs {
			if a == b {
				continue
			}
			m := similar.Compare(read(t, a), read(t, b), read(t, stub(a)))
			require.Less(t, m.Share(), similar.Threshold/2, "%s has much in common with %s", a, b)
			largest = max(largest, m.Share())
			pairs++
		}
	}
	t.Logf("%d pairs, at most %.2f", pairs, largest)
}

func TestCompare_AReferenceIsAllOfItself(t *testing.T) {
	t.Parallel()
	compared := 0
	for _, dir := range exercises(t) {
		m := similar.Compare(read(t, dir), read(t, dir), read(t, stub(dir)))
		require.Equal(t, m.Own, m.Common, dir)
		if m.Copied() {
			compared++
		} else {
			t.Logf("%s: %d tokens are too few to tell", dir, m.Own)
		}
	}
	t.Logf("%d of %d long enough to compare", compared, len(exercises(t)))
}

func TestThreshold_IndependentSolutionsAreBelow(t *testing.T) {
	t.Parallel()
	exercises(t)
	dirs, err := filepath.Glob(repository + "/solutions/testdata/independent/*")
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for _, dir := range dirs {
		week, slug, _ := strings.Cut(filepath.Base(dir), "-")
		references, err := filepath.Glob(filepath.Join(repository, "solutions", "module*", week, slug))
		require.NoError(t, err)
		require.Len(t, references, 1)
		m := similar.Compare(read(t, dir), read(t, references[0]), read(t, stub(references[0])))
		t.Logf("%s/%s: %.2f of %d tokens", week, slug, m.Share(), m.Own)
		require.False(t, m.Copied(), "%s counts as copied: %.2f", dir, m.Share())
	}
}

// Wrong solutions are copies of the reference in which one idea is another one.
func TestThreshold_ChangedCopiesAreAbove(t *testing.T) {
	t.Parallel()
	found, all := 0, 0
	for _, dir := range exercises(t) {
		wrong, err := filepath.Glob(dir + "/testdata/wrong/*.go")
		require.NoError(t, err)
		for _, w := range wrong {
			m := similar.Compare(read(t, w), read(t, dir), read(t, stub(dir)))
			if m.Own < similar.Least {
				continue
			}
			all++
			if m.Copied() {
				found++
			}
		}
	}
	t.Logf("%d of %d found", found, all)
	require.Greater(t, float64(found)/float64(all), 0.9)
}

const original = `package queue

import "sync"

// Push adds v.
func (q *Queue) Push(v int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return errClosed
	}
	for len(q.items) >= q.limit {
		q.notFull.Wait()
	}
	q.items = append(q.items, v)
	q.notEmpty.Signal()
	return nil
}

// Pop takes the oldest.
func (q *Queue) Pop() (int, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 && !q.closed {
		q.notEmpty.Wait()
	}
	if len(q.items) == 0 {
		return 0, false
	}
	v := q.items[0]
	q.items = q.items[1:]
	q.notFull.Signal()
	return v, true
}
`

// disguised is original in another order, with other names, comments and layout.
const disguised = `package queue

import (
	"sync"
	"time"
)

func (box *Queue) Pop() (int, bool) {
	box.guard.Lock(); defer box.guard.Unlock()
	// Nobody is there yet.
	for len(box.held) == 0 && !box.over { box.some.Wait() }
	if len(box.held) == 0 { return 0, false }
	oldest := box.held[0]
	box.held = box.held[1:]
	box.room.Signal()
	return oldest, true
}

func (box *Queue) Push(number int) error {
	box.guard.Lock()
	defer box.guard.Unlock()

	if box.over { return errOver }
	for len(box.held) >= box.most { box.room.Wait() }
	box.held = append(box.held, number)
	box.some.Signal()
	return nil
}
`

func source(name, content string) []similar.Source {
	return []similar.Source{{Path: name, Content: []byte(content)}}
}

func TestCompare_SeesThroughADisguise(t *testing.T) {
	m := similar.Compare(source("mine.go", disguised), source("theirs.go", original), nil)
	require.True(t, m.Copied())
	require.InDelta(t, 1, m.Share(), 0.02)
	require.Equal(t, []similar.Passage{
		{Tokens: 96, Here: similar.Span{Path: "mine.go", First: 8, Last: 17}, There: similar.Span{Path: "theirs.go", First: 21, Last: 34}},
		{Tokens: 77, Here: similar.Span{Path: "mine.go", First: 19, Last: 28}, There: similar.Span{Path: "theirs.go", First: 6, Last: 18}},
	}, m.Passages)
}

func TestCompare_WhatWasGivenBelongsToNobody(t *testing.T) {
	given := source("stub.go", original)
	m := similar.Compare(source("mine.go", disguised), source("theirs.go", original), given)
	require.Zero(t, m.Own)
	require.False(t, m.Copied())
}

func TestCompare_TooLittleCodeProvesNothing(t *testing.T) {
	short := "package a\n\nfunc (q *Queue) Len() int {\n\tq.mu.Lock()\n\tdefer q.mu.Unlock()\n\treturn len(q.items)\n}\n"
	m := similar.Compare(source("mine.go", short), source("theirs.go", short), nil)
	require.Equal(t, 1.0, m.Share())
	require.False(t, m.Copied())
}

func TestCompare_EndsSoonOnRepetition(t *testing.T) {
	long := "package a\n\nvar x = []int{" + strings.Repeat("1 + ", 1<<16) + "1}\n"
	start := time.Now()
	m := similar.Compare(source("mine.go", long), source("theirs.go", long), nil)
	require.True(t, m.Copied())
	require.Less(t, time.Since(start), 20*time.Second)
}

func FuzzCompare(f *testing.F) {
	f.Add(original, disguised, "")
	f.Add(original, original, original)
	f.Add("package", "\x00", "`")
	f.Add("package a\nimport (\"b\";\n", "func(){", "/*")
	f.Fuzz(func(t *testing.T, here, there, given string) {
		m := similar.Compare(source("here.go", here), source("there.go", there), source("given.go", given))
		require.LessOrEqual(t, m.Common, m.Own)
		tokens := 0
		for _, p := range m.Passages {
			tokens += p.Tokens
			require.LessOrEqual(t, 1, p.Here.First)
			require.LessOrEqual(t, p.Here.First, p.Here.Last)
			require.LessOrEqual(t, p.Here.Last, 1+bytes.Count([]byte(here), []byte("\n")))
			require.LessOrEqual(t, p.There.Last, 1+bytes.Count([]byte(there), []byte("\n")))
		}
		require.Equal(t, m.Common, tokens)
	})
}
