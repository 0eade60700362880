package grade_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/report"
	"github.com/middle-go/course/grader/internal/toolchain"
	"github.com/middle-go/course/grader/internal/verify"
)

// tracker is a course with a project of two milestones, m01b that looks into a
// package and m04a that runs the program, and the tree of a student who has
// finished both.
type tracker struct {
	course, student string // roots
	grader          *grade.Grader
}

func newTracker(t *testing.T) tracker {
	t.Helper()
	t.Setenv("GRADER_CACHE", t.TempDir())
	tr := tracker{course: t.TempDir(), student: t.TempDir()}
	repository := repositoryRoot(t)
	require.NoError(t, os.CopyFS(tr.course, os.DirFS("testdata/tracker/course")))
	require.NoError(t, os.CopyFS(tr.student, os.DirFS("testdata/tracker/solution")))
	require.NoError(t, os.CopyFS(filepath.Join(tr.course, "grader", "labkit"), os.DirFS(filepath.Join(repository, "grader", "labkit"))))
	require.NoError(t, os.MkdirAll(filepath.Join(tr.course, "module1"), 0o755))
	sums, err := os.ReadFile(filepath.Join(repository, "grader", "labkit", "go.sum"))
	require.NoError(t, err)
	for module, labkit := range map[string]string{"tasktracker": "../grader/labkit", "tasktracker/acceptance": "../../grader/labkit"} {
		write(t, filepath.Join(tr.course, module, "go.mod"), "module "+course.ModulePath+"/"+module+"\n\ngo 1.26.0\n\n"+
			"require "+course.ModulePath+"/grader/labkit v0.0.0\n\nreplace "+course.ModulePath+"/grader/labkit => "+labkit+"\n")
		write(t, filepath.Join(tr.course, module, "go.sum"), string(sums))
	}
	gocmd, err := toolchain.Find(t.Context(), repository)
	require.NoError(t, err)
	c, err := course.Open(tr.course)
	require.NoError(t, err)
	tr.grader = &grade.Grader{Course: c, Go: gocmd, Parallel: 1}
	return tr
}

func write(t *testing.T, name, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(content), 0o644))
}

// fork is tr with a copy of the student's tree.
func (tr tracker) fork(t *testing.T) tracker {
	t.Helper()
	copied := t.TempDir()
	require.NoError(t, os.CopyFS(copied, os.DirFS(tr.student)))
	tr.student = copied
	return tr
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(content)
}

func (tr tracker) remove(t *testing.T, name string) {
	t.Helper()
	require.NoError(t, os.Remove(filepath.Join(tr.student, "tasktracker", filepath.FromSlash(name))))
}

// edit replaces the only occurrence of old in a file of the student's project.
func (tr tracker) edit(t *testing.T, name, old, new string) {
	t.Helper()
	full := filepath.Join(tr.student, "tasktracker", filepath.FromSlash(name))
	content, err := os.ReadFile(full)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(content), old), "%q in %s", old, name)
	write(t, full, strings.Replace(string(content), old, new, 1))
}

func (tr tracker) milestone(t *testing.T, id string) *course.Exercise {
	t.Helper()
	ex, err := tr.grader.Course.Milestone(id)
	require.NoError(t, err)
	return ex
}

func (tr tracker) grade(t *testing.T, id string) *grade.Verdict {
	t.Helper()
	v, err := tr.grader.Grade(t.Context(), grade.Request{Exercise: tr.milestone(t, id), Submission: tr.student})
	require.NoError(t, err)
	return v
}

// shown is what the student reads, without colours.
func shown(t *testing.T, v *grade.Verdict) string {
	t.Helper()
	var b strings.Builder
	w := &colorprofile.Writer{Forward: &b, Profile: colorprofile.NoTTY}
	require.NoError(t, report.NewSummary(v.Exercise, []*grade.Verdict{v}, 0).Write(w, report.Text))
	return b.String()
}

// failsWith demands a verdict whose first finding is of that check and says so.
func failsWith(t *testing.T, v *grade.Verdict, check string, texts ...string) checks.Finding {
	t.Helper()
	text := shown(t, v)
	require.NotEqual(t, checks.Pass, v.Status, text)
	require.NotEmpty(t, v.Findings(), text)
	first := v.Findings()[0]
	require.Equal(t, check, first.Check, text)
	for _, want := range texts {
		require.Contains(t, text, want)
	}
	return first
}

func (tr tracker) verify(t *testing.T, id string) *verify.Report {
	t.Helper()
	ex := tr.milestone(t, id)
	v := &verify.Verifier{Grader: tr.grader, Solutions: tr.student, Runs: 1, Record: true}
	r, err := v.Exercise(t.Context(), ex)
	require.NoError(t, err)
	return r
}
