package review

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/git"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/report"
	"github.com/middle-go/course/grader/internal/similar"
)

var update = flag.Bool("update", false, "write the golden files of testdata")

func file(name, content string) []assembly.File {
	return []assembly.File{{Path: name, Content: []byte(content)}}
}

func TestDifference_IsTheShortest(t *testing.T) {
	for _, c := range []struct {
		a, b           string
		added, removed int
	}{
		{"", "", 0, 0},
		{"", "x\ny\n", 2, 0},
		{"x\ny\n", "", 0, 2},
		{"a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n", 2, 3},
		{"a\nb\nc\n", "a\nc\n", 0, 1},
		{"a\nb", "a\nb\n", 0, 0},
	} {
		added, removed := difference(lines([]byte(c.a)), lines([]byte(c.b)))
		require.Equal(t, []int{c.added, c.removed}, []int{added, removed}, "%q %q", c.a, c.b)
	}
}

func TestDifference_GivesUpOnAFileThatWasRewritten(t *testing.T) {
	a := lines([]byte(strings.Repeat("a\n", 60000)))
	b := lines([]byte(strings.Repeat("b\n", 50000)))
	added, removed := difference(a, b)
	require.Equal(t, []int{50000, 60000}, []int{added, removed})
}

func TestSizes_SayWhatIsNew(t *testing.T) {
	given := file("m/a.go", "package a\n")
	files := append(file("m/a.go", "package a\n\nvar X int\n"), file("m/b.go", "package a\n")...)
	require.Equal(t, []File{
		{Path: "m/a.go", Lines: 3, Added: 2},
		{Path: "m/b.go", Lines: 1, Added: 1, New: true},
	}, sizes(files, given))
}

func TestChangedAPI_KnowsShapesAndNotValues(t *testing.T) {
	given := file("m/a/a.go", `package a

// T is documented.
type T struct {
	ID   int // kept
	name string
	Gone bool
}

type Store interface{ Get(id int) (string, error) }

const Limit = 1

func (t *T) Name() string { return "" }
func Same(a, b int)       {}
`)
	files := file("m/a/a.go", `package a

type T struct {
	ID, New int
	other   string
}

type Store interface {
	Get(id int) (string, error)
	Put(id int) error
}

const Limit = 2

var ErrX error

func (t *T) Name(short bool) string { return t.other }
func Same(a, b int)                 { helper() }
func helper()                       {}
`)
	require.Equal(t, API{
		Added:   []string{"a: Store.Put func(id int) error", "a: T.New int", "a: func (t *T) Name(short bool) string", "a: var ErrX error"},
		Removed: []string{"a: T.Gone bool", "a: func (t *T) Name() string"},
	}, changedAPI(files, given))
}

func TestInventory_ListsWhatReachesAroundTheLanguage(t *testing.T) {
	files := append(file("m/a.go", `package a

import (
	"C"
	"unsafe"
)

//go:linkname now time.now
func now() int64

// go:linkname is only text here.
var _ = unsafe.Sizeof(0)
`), append(file("m/a.s", "TEXT"), file("m/b.go", "package")...)...)
	require.Equal(t, []Note{
		{"m/a.go", 4, "imports C"}, {"m/a.go", 5, "imports unsafe"},
		{"m/a.go", 8, "//go:linkname now time.now"}, {"m/a.go", 9, "func now has no body"},
		{"m/a.s", 0, "is not Go"}, {"m/b.go", 0, "does not parse; nobody has looked into it"},
	}, inventory(files))
}

func TestChecklist_IsTheSectionOfTheReadme(t *testing.T) {
	require.Equal(t, Checklist{
		Items:     []string{"Each `go` statement: owner, stop.", "Each channel"},
		Questions: []string{"Why?"},
	}, checklist(`# Week

- no

## What your mentor looks at

Thirty minutes.

- Each `+"`go`"+` statement: owner,
  stop.
* Each channel

Expect this:

1. Why?

## Next

- no
`))
}

// TestChecklists_OfTheCourse holds the READMEs to the form that is read.
func TestChecklists_OfTheCourse(t *testing.T) {
	c, err := course.Open("../../..")
	require.NoError(t, err)
	weeks, err := c.All()
	require.NoError(t, err)
	for _, w := range weeks {
		list, err := checklists(c, []*grade.Verdict{{Ex: &course.Exercise{Week: w.Number}}})
		require.NoError(t, err)
		require.Len(t, list, 1, "week %d has no section on what the mentor looks at", w.Number)
		require.Greater(t, len(list[0].Items), 2, "week %d", w.Number)
	}
}

func changes(names ...string) []git.Change {
	var list []git.Change
	for _, name := range names {
		list = append(list, git.Change{Path: name, Kind: git.Added})
	}
	return list
}

func TestFind_SortsAChange(t *testing.T) {
	c, err := course.Open("../../..")
	require.NoError(t, err)
	touched, err := Find(c, append(changes(
		"module1/week01/handles/handles.go", "module1/week01/handles/own_test.go", ".github/workflows/grade.yml", "notes.md",
		"tasktracker/domain/task.go", "tasktracker/milestones/m01a/m01a_test.go", "tasktracker/notes.md",
	), git.Change{Path: "README.md", Kind: git.Changed}), 0)
	require.NoError(t, err)
	var ids []string
	for _, ex := range touched.Exercises {
		ids = append(ids, ex.ID())
	}
	require.Equal(t, []string{"week01/handles", "m01a"}, ids)
	require.Equal(t, append(changes(
		"module1/week01/handles/own_test.go", ".github/workflows/grade.yml", "tasktracker/milestones/m01a/m01a_test.go",
	), git.Change{Path: "README.md", Kind: git.Changed}), touched.Protected)
	require.Equal(t, changes("notes.md", "tasktracker/notes.md"), touched.Other)

	touched, err = Find(c, changes("module1/week01/handles/handles.go", "module1/week05/mailbox/mailbox.go"), 5)
	require.NoError(t, err)
	require.Len(t, touched.Exercises, 1)
	require.Empty(t, touched.Protected)
}

func TestReached_EndsWhereTheStudentIs(t *testing.T) {
	verdicts := func(statuses ...checks.Status) []*grade.Verdict {
		var list []*grade.Verdict
		for i, s := range statuses {
			list = append(list, &grade.Verdict{Exercise: course.MilestoneOf(i + 1), Status: s})
		}
		return list
	}
	all := verdicts(checks.Pass, checks.Fail, checks.Pass, checks.Fail, checks.Fail)
	kept, later := reached(all, true)
	require.Equal(t, all[:4], kept)
	require.Equal(t, []string{"m03a"}, later)
	kept, later = reached(all, false)
	require.Equal(t, all, kept)
	require.Empty(t, later)
}

const hostile = "`x` @octocat #1 <img src=x> | [l](https://evil.example) \x1b[31m\n# Passed"

func reviewed() *Review {
	ring := &course.Exercise{Week: 1, Slug: "ring", Kind: course.Fix, Dir: "module1/week01/ring", Module: "module1"}
	v := &grade.Verdict{Exercise: "week01/ring", Week: 1, Title: "A ring", Status: checks.Fail, Ex: ring, Checks: []checks.Result{
		{Check: "lint", Status: checks.Fail, Findings: []checks.Finding{{Check: "lint", File: "module1/week01/ring/ring.go", Line: 3, Message: hostile}}},
	}}
	broken := *v
	broken.Exercise, broken.Checks = "week01/broken", nil
	missing := *v
	missing.Exercise = "week01/missing"
	return &Review{
		Base:    "origin/main (0123456789)",
		Touched: &Touched{Protected: changes("module1/week01/ring/ring_test.go", hostile), Other: changes("notes.md")},
		Summary: report.NewSummary("Verdicts", []*grade.Verdict{v, &broken, &missing}, 0),
		Exercises: []*Exercise{{
			Verdict:   v,
			Files:     []File{{Path: "module1/week01/ring/ring.go", Lines: 12, Added: 4, Removed: 2}, {Path: "module1/week01/ring/" + hostile, Lines: 1, New: true}},
			API:       API{Added: []string{"ring: func Len() int ```"}, Removed: []string{"ring: func Cap() int"}},
			Inventory: []Note{{"module1/week01/ring/ring.go", 4, hostile}},
			Review: []checks.Finding{
				{Rule: "ownerless", File: "module1/week01/ring/ring.go", Line: 7, Message: "a goroutine"},
				{Rule: "droppederr", File: "module1/week01/ring/ring.go", Line: 8, Message: hostile},
			},
			Compiles: true,
			Copied: &similar.Match{Own: 100, Common: 70, Passages: []similar.Passage{{
				Tokens: 70,
				Here:   similar.Span{Path: "module1/week01/ring/ring.go", First: 1, Last: 12},
				There:  similar.Span{Path: "module1/week01/ring/ring.go", First: 2, Last: 13},
			}}},
			files: file("module1/week01/ring/ring.go", "package ring\n```\n# Passed\n"+strings.Repeat("x\n", 9)),
		}, {
			Verdict: &broken,
			Files:   []File{{Path: "module1/week01/broken/broken.go", Lines: 1}},
			Copied:  &similar.Match{Own: 100, Common: 10},
		}, {Verdict: &missing}},
		Later:      []string{"m02a"},
		Checklists: []Checklist{{Week: 1, Items: []string{"Each `go` statement."}, Questions: []string{"Why?"}}},
	}
}

// The part of the report package is its own business.
func TestWriteMarkdown(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, reviewed().WriteMarkdown(&b))
	before, rest, ok := strings.Cut(b.String(), "\n## Verdicts")
	require.True(t, ok)
	_, after, ok := strings.Cut(rest, "\nAbout the same files")
	require.True(t, ok)
	golden(t, "page.md", before+"\n## Verdicts ...\n\nAbout the same files"+after)
}

func TestWriteMarkdown_FitsIntoAComment(t *testing.T) {
	r := reviewed()
	for i := range 40 {
		r.Touched.Other = append(r.Touched.Other, changes(strings.Repeat("n", i))...)
		r.Exercises[0].Review = append(r.Exercises[0].Review, checks.Finding{Rule: "droppederr", Message: "x"})
		r.Exercises[0].Copied.Passages = append(r.Exercises[0].Copied.Passages, r.Exercises[0].Copied.Passages[0])
	}
	long := strings.Repeat("long ", 1<<16)
	r.Exercises[0].Inventory[0].Text = long
	r.Exercises[0].API.Added[0] = long
	r.Exercises[0].files[0].Content = []byte(long)
	var b bytes.Buffer
	require.NoError(t, r.WriteMarkdown(&b))
	require.Less(t, b.Len(), 60_000)
	require.Contains(t, b.String(), "- and 21 more\n")
	require.Contains(t, b.String(), "and 37 more passages\n")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(name, []byte(got), 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), written by -update:\n%s", name, diff)
	}
}
