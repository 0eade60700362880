package assembly_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

const mainTest = `package ring_test

import (
	"testing"

	session__ "github.com/middle-go/course/grader/labkit/session"
)

func TestMain(m *testing.M) { session__.Main(m) }
`

// courseFiles is a course with what a plan takes and with what it must leave.
var courseFiles = map[string]string{
	"grader/labkit/go.mod":                      "module labkit\n",
	"grader/labkit/rule/rule.go":                "package rule\n",
	"grader/labkit/rule/rule_test.go":           "package rule\n",
	"grader/labkit/rule/testdata/x.txt":         "",
	"module1/go.mod":                            "module m\n",
	"module1/week01/lesson_test.go":             "package week01\n",
	"module1/week01/ring/README.md":             "the task\n",
	"module1/week01/ring/ring.go":               "package ring // the stub\n",
	"module1/week01/ring/given.go":              "package ring // given\n",
	"module1/week01/ring/ring_test.go":          "package ring_test\nimport \"testing\"\nfunc TestRing(t *testing.T) {}\n",
	"module1/week01/ring/testdata/want":         "42\n",
	"module1/week01/ring/testdata/wrong/w1.go":  "package ring // wrong\n",
	"module1/week01/ring/testdata/mutants/m.go": "package ring // mutants\n",
	"module1/week01/ring/inner/inner.go":        "package inner\n",
	"module1/week01/suite/given.go":             "package suite\n",
	"module1/week01/suite/suite_test.go":        "package suite // the stub\n",
	"tasktracker/go.mod":                        "module tasktracker\n",
	"tasktracker/go.sum":                        "sums\n",
	"tasktracker/domain/task.go":                "package domain // the stub\n",
	"tasktracker/domain/m01a_test.go":           "package domain\nimport \"testing\"\nfunc TestTask(t *testing.T) {}\n",
	"tasktracker/domain/m01b_test.go":           "package domain\nimport \"testing\"\nfunc TestOther(t *testing.T) {}\n",
}

// planned is the work tree of the exercise ring.
var planned = map[string]string{
	"go.work":                      "go 1.26.0\n\nuse (\n\t./module1\n\t./grader/labkit\n)\n",
	"grader/labkit/go.mod":         "module labkit\n",
	"grader/labkit/rule/rule.go":   "package rule\n",
	"module1/go.mod":               "module m\n",
	"module1/week01/ring/given.go": "package ring // given\n",
	"module1/week01/ring/ring.go":  "package ring // the student's\n",
	"module1/week01/ring/ring_test.go": "package ring_test; import session__ \"github.com/middle-go/course/grader/labkit/session\"\n" +
		"import \"testing\"\nfunc TestRing(t *testing.T) { session__.Track(t);}\n",
	"module1/week01/ring/testdata/want":          "42\n",
	"module1/week01/ring/zz_grader_main_test.go": mainTest,
}

// source writes the course to a directory of its own.
func source(t *testing.T) assembly.Source {
	t.Helper()
	root := t.TempDir()
	write(t, root, courseFiles)
	return assembly.Source{Course: root}
}

// plan plans a work tree with a submission of one or two files.
func plan(t *testing.T, ex *course.Exercise, which assembly.Which, student ...assembly.File) *assembly.Plan {
	t.Helper()
	if student == nil {
		student = []assembly.File{file("module1/week01/ring/ring.go", "package ring // the student's\n")}
	}
	p, err := assembly.NewPlan(source(t), ex, student, which)
	require.NoError(t, err)
	return p
}

func file(name, content string) assembly.File {
	return assembly.File{Path: name, Content: []byte(content)}
}

// content reads all of a directory; an empty directory has a name with a slash.
func content(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		rel, err := filepath.Rel(root, name)
		require.NoError(t, err)
		if d.IsDir() {
			entries, err := os.ReadDir(name)
			require.NoError(t, err)
			if len(entries) == 0 {
				files[filepath.ToSlash(rel)+"/"] = ""
			}
			return nil
		}
		require.True(t, d.Type().IsRegular(), "%s is %v", name, d.Type())
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		files[filepath.ToSlash(rel)] = string(text)
		return nil
	}))
	return files
}

func TestWrite_HoldsThePlannedFilesAndNothingElse(t *testing.T) {
	p := plan(t, ring(), assembly.CourseTests)
	require.Equal(t, []string{"TestRing"}, p.Tests)
	tree, err := p.Write(t.TempDir(), "plain")
	require.NoError(t, err)
	require.Equal(t, planned, content(t, tree.Root))
	require.Equal(t, map[string]string{"testdata/want": "42\n"}, content(t, tree.Data))
	require.Equal(t, filepath.Join(tree.Root, "module1"), tree.Module)
	require.Equal(t, filepath.Join(tree.Root, "go.work"), tree.Workspace)
	require.Equal(t, "week01/ring", tree.Package)
}

func TestWrite_RemovesWhatAnEarlierRunLeft(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"plain/module1/week01/ring/evil_test.go": "package ring\n",
		"plain/module1/week01/ring/ring.go":      "old\n",
		"plain/module1/go.mod/a directory/file":  "",
		"plain/grader/labkit/rule":               "a file where a directory should be",
		"plain/go.work.sum":                      "old\n",
		"plain/module1/vendor/modules.txt":       "# evil\n",
		"plain.run/testdata/want":                "41\n",
		"plain.run/testdata/out/of/the/last/run": "",
	})
	tree, err := plan(t, ring(), assembly.CourseTests).Write(dir, "plain")
	require.NoError(t, err)
	require.Equal(t, planned, content(t, tree.Root))
	require.Equal(t, map[string]string{"testdata/want": "42\n"}, content(t, tree.Data))
}

func TestWrite_LeavesFilesAloneThatAreRight(t *testing.T) {
	dir := t.TempDir()
	p := plan(t, ring(), assembly.CourseTests)
	tree, err := p.Write(dir, "plain")
	require.NoError(t, err)
	name := filepath.Join(tree.Root, "module1", "go.mod")
	longAgo := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	require.NoError(t, os.Chtimes(name, longAgo, longAgo))
	_, err = p.Write(dir, "plain")
	require.NoError(t, err)
	info, err := os.Stat(name)
	require.NoError(t, err)
	require.True(t, info.ModTime().Equal(longAgo), "written at %v", info.ModTime())
}

func TestWrite_TakesOverTheChecksumsOfTheFetchTree(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"fetch/go.work.sum": "sums\n"})
	p := plan(t, ring(), assembly.CourseTests)
	tree, err := p.Write(dir, "plain")
	require.NoError(t, err)
	require.Equal(t, "sums\n", content(t, tree.Root)["go.work.sum"])
}

func TestWrite_MakesAnEmptyDataDirectory(t *testing.T) {
	tree, err := plan(t, suite(), assembly.CourseTests, file("module1/week01/suite/suite_test.go", "package suite\n")).Write(t.TempDir(), "plain")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"./": ""}, content(t, tree.Data))
}

func TestReplace_ChangesACopy(t *testing.T) {
	p := plan(t, ring(), assembly.CourseTests)
	changed := p.Replace(map[string][]byte{"module1/week01/ring/ring.go": []byte("mutant\n"), "new": []byte("new\n")})
	find := func(files []assembly.File, name string) string {
		for _, f := range files {
			if f.Path == name {
				return string(f.Content)
			}
		}
		return "(none)"
	}
	require.Equal(t, "package ring // the student's\n", find(p.Files(), "module1/week01/ring/ring.go"))
	require.Equal(t, "(none)", find(p.Files(), "new"))
	require.Equal(t, "mutant\n", find(changed.Files(), "module1/week01/ring/ring.go"))
	require.Equal(t, "new\n", find(changed.Files(), "new"))
}

func TestNewPlan_ChoosesTheTestsOfAMilestone(t *testing.T) {
	student := []assembly.File{
		file("tasktracker/domain/task.go", "package domain // the student's\n"),
		file("tasktracker/domain/task_test.go", "package domain_test\nimport \"testing\"\nfunc TestOwn(t *testing.T) {}\n"),
	}
	p := plan(t, task("domain/*.go"), assembly.CourseTests, student...)
	require.Equal(t, []string{"TestTask"}, p.Tests)
	require.Equal(t, []string{
		"grader/labkit/go.mod", "grader/labkit/rule/rule.go", "tasktracker/domain/m01a_test.go",
		"tasktracker/domain/task.go", "tasktracker/domain/zz_grader_main_test.go", "tasktracker/go.mod", "tasktracker/go.sum",
	}, paths(p.Files()))

	p = plan(t, task("domain/*.go"), assembly.OwnTests, student...)
	require.Equal(t, []string{"TestOwn"}, p.Tests)
	require.Equal(t, []string{
		"grader/labkit/go.mod", "grader/labkit/rule/rule.go",
		"tasktracker/domain/task.go", "tasktracker/domain/task_test.go", "tasktracker/domain/zz_grader_main_test.go",
		"tasktracker/go.mod", "tasktracker/go.sum",
	}, paths(p.Files()))
}

func TestNewPlan_RefusesAFileInThePlaceOfTheGradersMain(t *testing.T) {
	// It does not parse, so that nobody knows which package the main is for.
	own := file("tasktracker/domain/zz_grader_main_test.go", "package domain\nfunc TestMain(m *testing.M) { (\n")
	_, err := assembly.NewPlan(projectSource(t), store(), append(projectStudent[:2:2], own), assembly.OwnTests)
	refused(t, err, own.Path+" has a name that belongs to the grader; rename it")
}

func TestNewPlan_RefusesATestMainOfTheStudents(t *testing.T) {
	const name = "module1/week01/suite/suite_test.go"
	for _, src := range []string{
		"package suite\nimport \"testing\"\nfunc TestMain(m *testing.M) {}\n",
		"package suite\nfunc TestMain() {}\n",
		"package suite\nfunc TestMain[T any](m T) {}\n",
	} {
		_, err := assembly.NewPlan(source(t), suite(), []assembly.File{file(name, src)}, assembly.CourseTests)
		refused(t, err, name+" declares TestMain, which belongs to the grader; use t.Cleanup or a helper instead")
	}
	for _, src := range []string{
		"package suite\nimport \"testing\"\nfunc TestMainLoop(t *testing.T) {}\n",
		"package suite\ntype s int\nfunc (s) TestMain() {}\n",
		"package suite\n// func TestMain(m *testing.M) {}\n",
		"package suite\nfunc broken( {\n", // the compiler explains it
	} {
		_, err := assembly.NewPlan(source(t), suite(), []assembly.File{file(name, src)}, assembly.CourseTests)
		require.NoError(t, err, src)
	}
}

func TestNewPlan_TakesPrivateTestsFromTheNearestDirectory(t *testing.T) {
	test := func(name string) string {
		return "package ring_test\nimport \"testing\"\nfunc Test" + name + "(t *testing.T) {}\n"
	}
	private := map[string]string{
		"module1/week01/ring/hidden_test.go": test("Full"),
		"week01/ring/hidden_test.go":         test("Short"),
		"hidden_test.go":                     test("Flat"),
		"notes.txt":                          "",
	}
	for _, want := range []struct {
		remove string
		tests  []string
	}{
		{"", []string{"TestRing", "TestFull"}},
		{"module1", []string{"TestRing", "TestShort"}},
		{"week01", []string{"TestRing", "TestFlat"}},
		{"hidden_test.go", []string{"TestRing"}},
	} {
		for name := range private {
			if want.remove != "" && strings.HasPrefix(name, want.remove) {
				delete(private, name)
			}
		}
		src := source(t)
		src.ExtraTests = t.TempDir()
		write(t, src.ExtraTests, private)
		p, err := assembly.NewPlan(src, ring(), nil, assembly.CourseTests)
		require.NoError(t, err)
		require.Equal(t, want.tests, p.Tests)
	}
}

func TestNewPlan_LetsAPrivateTestReplaceAPublicOne(t *testing.T) {
	src := source(t)
	src.ExtraTests = t.TempDir()
	write(t, src.ExtraTests, map[string]string{
		"ring_test.go":  "package ring_test\nimport \"testing\"\nfunc TestStricter(t *testing.T) {}\n",
		"suite_test.go": "package suite\nimport \"testing\"\nfunc TestAnswer(t *testing.T) {}\n",
	})
	p, err := assembly.NewPlan(src, ring(), nil, assembly.CourseTests)
	require.NoError(t, err)
	require.Equal(t, []string{"TestStricter", "TestAnswer"}, p.Tests)

	// It never replaces what the student is graded for.
	student := file("module1/week01/suite/suite_test.go", "package suite\nimport \"testing\"\nfunc TestOfTheStudent(t *testing.T) {}\n")
	p, err = assembly.NewPlan(src, suite(), []assembly.File{student}, assembly.CourseTests)
	require.NoError(t, err)
	require.Equal(t, []string{"TestOfTheStudent"}, p.Tests)
}
