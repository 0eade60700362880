package assembly_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

// Whatever a student's file is called and contains: everything of the course is
// in the work tree as if it were not there, and his code as he wrote it.
func FuzzNewPlan(f *testing.F) {
	f.Add("domain/task.go", "package domain\n")
	f.Add("domain/task_test.go", "package domain_test\nimport \"testing\"\nfunc TestOwn(t *testing.T) {}\n")
	f.Add("domain/zz_grader_main_test.go", "package domain\nimport \"testing\"\nfunc TestMain(m *testing.M) {}\n")
	f.Add("milestones/m02a/app_test.go", "package m02a_test\n")
	f.Add("domain/event.go", "package domain\n")
	f.Add("domain/testdata/x.go", "package x\n")
	f.Add("app/zz_grader_main_test.go", "")
	f.Add("app/app.go", "package \xff")
	root := f.TempDir()
	for name, content := range projectFiles {
		if !put(root, name, []byte(content), aFile, "") {
			f.Fatal(name)
		}
	}
	f.Fuzz(func(t *testing.T, name, content string) {
		src := assembly.Source{Course: root}
		student := file("tasktracker/"+name, content)
		honest := file("tasktracker/domain/task.go", "package domain\n")
		for _, ex := range []*course.Exercise{store(), api()} {
			if !assembly.IsStudents(ex, student.Path) || student.Path == honest.Path || path.Clean(name) != name {
				continue
			}
			for _, which := range []assembly.Which{assembly.CourseTests, assembly.OwnTests} {
				without, err := assembly.NewPlan(src, ex, []assembly.File{honest}, which)
				require.NoError(t, err)
				with, err := assembly.NewPlan(src, ex, []assembly.File{honest, student}, which)
				if student.IsTest() && which == assembly.OwnTests && (hasTestMain(content) || path.Base(name) == mainFile) {
					var rejected *assembly.RejectedError
					require.ErrorAs(t, err, &rejected)
					continue
				}
				require.NoError(t, err)
				got := contents(with)
				for name, want := range contents(without) {
					if path.Base(name) != mainFile {
						require.Equal(t, want, got[name], name)
					}
				}
				if !student.IsTest() {
					require.Equal(t, content, got[student.Path])
				}
				if which == assembly.CourseTests {
					require.Equal(t, without.Tests, with.Tests)
					require.NotContains(t, got, "tasktracker/"+strings.TrimSuffix(name, ".go")+"_test.go")
				}
				checkMains(t, got)
			}
		}
	})
}

func contents(p *assembly.Plan) map[string]string {
	files := map[string]string{}
	for _, f := range p.Files() {
		files[f.Path] = string(f.Content)
	}
	return files
}

const mainFile = "zz_grader_main_test.go"

// checkMains demands that every TestMain is the grader's.
func checkMains(t *testing.T, files map[string]string) {
	t.Helper()
	for name, content := range files {
		if path.Base(name) == mainFile {
			require.Contains(t, content, "func TestMain(m *testing.M) { session__.Main(m) }")
		} else if strings.HasSuffix(name, "_test.go") {
			require.False(t, hasTestMain(content), name)
		}
	}
}

// hasTestMain reports whether a file that the compiler reads declares TestMain.
func hasTestMain(src string) bool {
	file, err := parser.ParseFile(token.NewFileSet(), "", src, 0)
	if err != nil {
		return false
	}
	return file.Scope.Lookup("TestMain") != nil && file.Scope.Lookup("TestMain").Kind == ast.Fun
}
