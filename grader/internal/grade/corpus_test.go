package grade_test

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// corpus is a directory of hostile submissions, and the course that they are
// graded for.
type corpus struct {
	dir      string
	rows     []row
	grader   *grade.Grader
	exercise *course.Exercise
	hidden   string // directory with private tests, or empty
}

const secret = "ghs_canary0123456789"

// openCorpus makes a course tree of a corpus: its base, with the reference's
// inventory, a benchmark against the reference, and labkit. The environment is
// that of a workflow with a secret.
func openCorpus(t *testing.T, corpusDir string) *corpus {
	t.Helper()
	t.Setenv("GRADER_CACHE", t.TempDir())
	t.Setenv("GITHUB_TOKEN", secret)
	tokens := t.TempDir()
	for _, name := range []string{"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"} {
		file := filepath.Join(tokens, name)
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		t.Setenv(name, file)
		t.Cleanup(func() {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Empty(t, content, "%s was written", name)
		})
	}
	c := &corpus{dir: corpusDir, rows: readRows(t, filepath.Join(corpusDir, "expected.tsv"))}
	references, err := filepath.Glob(filepath.Join(corpusDir, "reference", "*.go"))
	require.NoError(t, err)
	require.Len(t, references, 1)
	slug := strings.TrimSuffix(filepath.Base(references[0]), ".go")
	reference, err := os.ReadFile(references[0])
	require.NoError(t, err)

	root := t.TempDir()
	require.NoError(t, os.CopyFS(root, os.DirFS(filepath.Join(corpusDir, "base"))))
	require.NoError(t, os.RemoveAll(filepath.Join(root, "solutions")))
	require.NoError(t, os.CopyFS(filepath.Join(root, "grader", "labkit"), os.DirFS(filepath.Join(repositoryRoot(t), "grader", "labkit"))))
	ex := &course.Exercise{
		Week: 1, Slug: slug, Title: slug, Kind: course.Implement, Minutes: 1,
		Dir: slug, Module: ".", Files: []string{slug + ".go"}, Hints: []string{"", "", ""},
	}
	if driver, err := os.ReadFile(filepath.Join(corpusDir, "bench.go.txt")); err == nil {
		writeBench(t, root, ex, string(driver), string(reference))
	} else if slug == "stack" {
		writeBench(t, root, ex, stackDriver, string(reference))
	}

	gocmd, err := toolchain.Find(t.Context(), ".")
	require.NoError(t, err)
	g := &grade.Grader{Course: &course.Course{Root: root}, Go: gocmd, Parallel: 1}
	files := []assembly.File{{Path: slug + "/" + slug + ".go", Content: reference}}
	room, release, err := g.Room(t.Context(), grade.Request{Exercise: ex, Submission: root}, files, 1)
	require.NoError(t, err)
	defer release()
	race, err := room.Repeat(t.Context(), "", false, 1, 0)
	require.NoError(t, err)
	plain, err := room.Repeat(t.Context(), "", true, 1, 0)
	require.NoError(t, err)
	inventory := checks.InventoryFile(root, ex)
	require.NoError(t, os.MkdirAll(filepath.Dir(inventory), 0o755))
	require.NoError(t, os.WriteFile(inventory, checks.Record(race, plain).Bytes(), 0o644))
	if hidden := filepath.Join(corpusDir, "hidden"); exists(hidden) {
		c.hidden = hidden
	}
	c.grader, c.exercise = g, ex
	return c
}

// stackDriver measures the submitted stack against the reference.
const stackDriver = `
func drive(push func(int), pop func() (int, bool)) {
	for i := range 100 {
		push(i)
	}
	for range 100 {
		pop()
	}
}

func BenchmarkAgainstReference(b *testing.B) {
	var reference referenceStack
	var submitted Stack
	abbench.Compare(b,
		func() { drive(reference.Push, reference.Pop) },
		func() { drive(submitted.Push, submitted.Pop) })
}
`

// stackMutants is the reference with faults, one of which the variable MUTANT
// chooses.
const stackMutants = `//course:mutant m01 pops the oldest value
//course:mutant m02 says that an empty stack had a value
//course:mutant m03 counts one value too many

// Package stack implements a LIFO stack of ints.
package stack

import "os"

var mutant = os.Getenv("MUTANT")

// Stack is a last-in, first-out stack. The zero value is ready to use.
type Stack struct{ items []int }

// Push puts v on top of the stack.
func (s *Stack) Push(v int) { s.items = append(s.items, v) }

// Pop removes and returns the top value; ok is false if the stack is empty.
func (s *Stack) Pop() (v int, ok bool) {
	n := len(s.items)
	if n == 0 {
		return 0, mutant == "m02"
	}
	if mutant == "m01" {
		v, s.items = s.items[0], s.items[1:]
		return v, true
	}
	v, s.items = s.items[n-1], s.items[:n-1]
	return v, true
}

// Len reports how many values are on the stack.
func (s *Stack) Len() int {
	if mutant == "m03" {
		return len(s.items) + 1
	}
	return len(s.items)
}
`

// studentTests is the exercise in which the student writes the tests, and a
// grader for it: the reference is given, with broken variants.
func (c *corpus) studentTests(t *testing.T) (*grade.Grader, *course.Exercise) {
	t.Helper()
	require.Equal(t, "stack", c.exercise.Slug, "broken variants are there for the stack only")
	root := t.TempDir()
	require.NoError(t, os.CopyFS(root, os.DirFS(c.grader.Course.Root)))
	tests, err := filepath.Glob(filepath.Join(root, "stack", "*_test.go"))
	require.NoError(t, err)
	for _, name := range tests {
		require.NoError(t, os.Remove(name))
	}
	reference, err := os.ReadFile(filepath.Join(c.dir, "reference", "stack.go"))
	require.NoError(t, err)
	require.NoError(t, replaceFile(filepath.Join(root, "stack", "stack.go"), reference))
	require.NoError(t, replaceFile(filepath.Join(root, "stack", "testdata", "mutants", "stack.go"), []byte(stackMutants)))

	ex, g := *c.exercise, *c.grader
	ex.Kind, ex.Files, ex.Imports = course.Tests, []string{"student_test.go"}, []string{"testing"}
	ex.Checks = course.Checks{Mutants: &course.Mutants{Kill: 3}}
	g.Course = &course.Course{Root: root}
	return &g, &ex
}

// grade grades a row's submission, without some of the checks.
func (c *corpus) grade(t *testing.T, r *row, tree string, without ...string) *grade.Verdict {
	t.Helper()
	g, ex := *c.grader, *c.exercise
	req := grade.Request{Exercise: &ex, Submission: tree, ExtraTests: c.hidden}
	switch {
	case r.stage == "coverage":
		tests, written := c.studentTests(t)
		g, req.Exercise, req.ExtraTests = *tests, written, ""
	case r.stage != "bench" && r.id != c.rows[0].id:
		ex.Checks.Bench = nil // honest code may be slow, where speed is not the subject
	}
	g.Without = without
	v, err := g.Grade(t.Context(), req)
	require.NoError(t, err)
	return v
}

// writeBench adds a benchmark of the submission against the reference, which
// must be at most twice as fast. The reference's type gets another name.
func writeBench(t *testing.T, root string, ex *course.Exercise, driver, reference string) {
	t.Helper()
	typeName := strings.ToUpper(ex.Slug[:1]) + ex.Slug[1:]
	baseline := strings.NewReplacer("type "+typeName, "type reference"+typeName, "*"+typeName, "*reference"+typeName).Replace(reference)
	_, baseline, _ = strings.Cut(baseline, "package "+ex.Slug)
	source := fmt.Sprintf("package %s\n\nimport (\n\t\"testing\"\n\n\t\"github.com/middle-go/course/grader/labkit/abbench\"\n)\n%s%s", ex.Slug, baseline, driver)
	require.NoError(t, os.WriteFile(filepath.Join(root, ex.Slug, "zz_bench_test.go"), []byte(source), 0o644))
	ex.Checks.Bench = &course.Bench{Name: "BenchmarkAgainstReference", Faster: 0.5}
}

// apply builds the submission with the given id in a directory of its own.
func apply(t *testing.T, corpus, id string) string {
	t.Helper()
	tree := t.TempDir()
	require.NoError(t, os.CopyFS(tree, os.DirFS(filepath.Join(corpus, "base"))))
	dir := filepath.Join(corpus, id)
	for _, line := range lines(filepath.Join(dir, "DELETE")) {
		require.NoError(t, os.RemoveAll(filepath.Join(tree, line)))
	}
	err := filepath.WalkDir(filepath.Join(dir, "files"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(filepath.Join(dir, "files"), name)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return replaceFile(filepath.Join(tree, rel), content)
	})
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	for _, line := range lines(filepath.Join(dir, "SYMLINKS")) {
		link, target, _ := strings.Cut(line, " ")
		full := filepath.Join(tree, link)
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.RemoveAll(full))
		require.NoError(t, os.Symlink(target, full))
	}
	return tree
}

func replaceFile(name string, content []byte) error {
	if err := os.RemoveAll(name); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, content, 0o644)
}

func readRows(t *testing.T, name string) []row {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	records, err := r.ReadAll()
	require.NoError(t, err)
	column := map[string]int{}
	for i, name := range records[0] {
		column[name] = i
	}
	var rows []row
	for _, rec := range records[1:] {
		rows = append(rows, row{
			id: rec[column["id"]], category: rec[column["category"]], stage: rec[column["stage"]],
			verdict: rec[column["verdict"]], why: rec[column["why"]],
			honest: honest(rec, column),
		})
	}
	require.NotEmpty(t, rows)
	return rows
}

// honest reports whether a row's code does what the exercise asks, whatever else
// it does: without the policy it may pass. A corpus says so in the column code, or
// by what its prototype found.
func honest(rec []string, column map[string]int) bool {
	if i, ok := column["code"]; ok {
		return rec[i] == "right"
	}
	i, ok := column["proto_no_policy"]
	return ok && (rec[i] == "contained" || rec[i] == "stage-not-built")
}

func hashOf(t *testing.T, root string) string {
	t.Helper()
	h := sha256.New()
	require.NoError(t, filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(h, name, info.Mode(), info.Size())
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			h.Write(content)
		}
		return nil
	}))
	return hex.EncodeToString(h.Sum(nil))
}

func lines(name string) []string {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	return strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
}

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
