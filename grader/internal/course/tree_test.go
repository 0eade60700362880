package course_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/course"
)

// week1 is a manifest without mistakes. The tests that break it count on its
// line numbers.
const week1 = `week: 1
title: Memory
theory_minutes: 230
project_minutes: 240
outcomes:
  - draw a ring
milestone: m01a
exercises:
  - slug: ring
    title: A ring buffer
    kind: implement
    minutes: 60
    files: [ring.go]
    imports: [unsafe]
    forbid: [time.Sleep, "fmt.*"]
    forbid_globals: true
    sequential: true
    checks:
      leak: true
      coverage: {total: 85}
      bench: {name: BenchmarkRing, faster_than_baseline: 1.5}
    guards: [TestRing_Empty]
    stretch:
      - TestRing_ZeroAlloc
    misconceptions:
      TestRing_Wraps: {belief: an index only grows, hint: 2}
      TestRing_Wraps/twice around: {belief: once is enough, hint: 3}
    hints:
      - a nudge
      - a direction
      - nearly the idea
  - slug: suite
    title: A suite
    kind: tests
    minutes: 30
    files: [suite_test.go]
    checks:
      mutants: {kill: 7}
    misconceptions:
      TestSuite_KillsMutants: {belief: one case is a test, hint: 1}
    hints: [a, b, c]
`

const milestone = `slug: m01a
title: A task
kind: project
minutes: 240
week: 1
package: domain
files: ["domain/*.go", README.md]
hints: [a, b, c]
`

const ringTests = `package ring_test

func TestMain(m *testing.M)              {}
func TestRing_Empty(t *testing.T)        {}
func TestRing_Wraps(t *testing.T)        {}
func TestRing_ZeroAlloc(t *testing.T)    {}
func BenchmarkRing(b *testing.B)         {}
func Testify(t *testing.T)               {}
func (suite) TestRing_Method(*testing.T) {}
`

// tree is the content of a directory, by slash-separated path.
type tree map[string]string

// goodCourse is a small course without mistakes.
func goodCourse() tree {
	return tree{
		"grader/go.mod":                         "",
		"module1/week01/week.yaml":              week1,
		"module1/week01/ring/README.md":         "",
		"module1/week01/ring/ring.go":           "package ring\n",
		"module1/week01/ring/ring_test.go":      ringTests,
		"module1/week01/suite/README.md":        "",
		"module1/week01/suite/suite.go":         "package suite\n",
		"module1/week01/suite/suite_test.go":    "package suite_test\n",
		"tasktracker/README.md":                 "",
		"tasktracker/milestones/m01a/README.md": "",
		"tasktracker/milestones/m01a.yaml":      milestone,
		"tasktracker/domain/m01a_test.go":       "package domain\n\nfunc TestTask(t *testing.T) {}\n",
		"tasktracker/domain/m01b_state_test.go": "package domain\n\nfunc TestState(t *testing.T) {}\n",
		"tasktracker/domain/task_test.go":       "package domain\n\nfunc TestOwn(t *testing.T) {}\n",
	}
}

// open writes the tree and opens it as a course.
func (files tree) open(t *testing.T) *course.Course {
	t.Helper()
	c, err := course.Open(files.write(t))
	require.NoError(t, err)
	return c
}

func (files tree) write(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, content := range files {
		full := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte(content), 0o644))
	}
	return root
}

// edit replaces old, which must be there, in one file of the tree. An empty
// old stands for the whole file.
func (files tree) edit(t *testing.T, name, old, new string) {
	t.Helper()
	if old == "" {
		files[name] = new
		return
	}
	require.Contains(t, files[name], old)
	files[name] = strings.Replace(files[name], old, new, 1)
}
