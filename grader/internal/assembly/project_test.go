package assembly_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

// store is a milestone whose tests lie beside the student's packages.
func store() *course.Exercise {
	return &course.Exercise{
		Week: 2, Slug: "m01b", Kind: course.Project, Dir: "tasktracker/milestones/m01b", Module: "tasktracker",
		Files: []string{"**/*.go", "**/*.sql"}, Packages: []string{"infra/memory", "domain"},
	}
}

// api is a milestone whose tests know the program only.
func api() *course.Exercise {
	return &course.Exercise{
		Week: 7, Slug: "m04a", Kind: course.Project, Dir: "tasktracker/acceptance/m04a", Module: "tasktracker/acceptance",
		Files: []string{"**/*.go"}, Program: "cmd/tasktracker",
	}
}

// projectFiles is what the course has of a project.
var projectFiles = map[string]string{
	"grader/labkit/go.mod":                                "module labkit\n",
	"tasktracker/go.mod":                                  "module tasktracker\n",
	"tasktracker/openapi.yaml":                            "openapi: 3.1.0\n",
	"tasktracker/domain/task.go":                          "package domain // the stub\n",
	"tasktracker/milestones/m01b.yaml":                    "slug: m01b\n",
	"tasktracker/milestones/m01b/README.md":               "the task\n",
	"tasktracker/milestones/m01b/repo_test.go":            "package m01b_test\nimport \"testing\"\nfunc TestRepo(t *testing.T) {}\n",
	"tasktracker/milestones/m01b/fakes.go":                "package m01b // given\n",
	"tasktracker/milestones/m01b/testdata/want":           "42\n",
	"tasktracker/milestones/m02a/app_test.go":             "package m02a_test\n",
	"tasktracker/milestones/m02a/fakes.go":                "package m02a\n",
	"tasktracker/milestones/clock/clock.go":               "package clock\n",
	"tasktracker/chaos/chaos.go":                          "package chaos\n",
	"tasktracker/sqlitedb/db.go":                          "package sqlitedb\n",
	"tasktracker/sqlitedb/db_test.go":                     "package sqlitedb\n",
	"tasktracker/acceptance/go.mod":                       "module acceptance\n",
	"tasktracker/acceptance/go.sum":                       "sums\n",
	"tasktracker/acceptance/client/client.go":             "package client\n",
	"tasktracker/acceptance/client/client_test.go":        "package client\n",
	"tasktracker/acceptance/m04a/README.md":               "the task\n",
	"tasktracker/acceptance/m04a/api_test.go":             "package m04a_test\nimport \"testing\"\nfunc TestAPI(t *testing.T) {}\n",
	"tasktracker/acceptance/m04b/api_test.go":             "package m04b_test\n",
	"tasktracker/acceptance/m04b/helpers.go":              "package m04b\n",
	"solutions/tasktracker/milestones/m01b/evil_test.go":  "",
	"tasktracker/acceptance/m04a/testdata/openapi/v1.txt": "spec\n",
}

func projectSource(t *testing.T) assembly.Source {
	t.Helper()
	root := t.TempDir()
	write(t, root, projectFiles)
	return assembly.Source{Course: root}
}

var projectStudent = []assembly.File{
	file("tasktracker/cmd/tasktracker/main.go", "package main\n"),
	file("tasktracker/domain/task.go", "package domain\n"),
	file("tasktracker/domain/task_test.go", "package domain_test\nimport \"testing\"\nfunc TestOwn(t *testing.T) {}\n"),
	file("tasktracker/domain/testdata/own", "own\n"),
	file("tasktracker/infra/memory/repo.go", "package memory\n"),
	file("tasktracker/app/app.go", "package app\n"),
	file("tasktracker/app/app_test.go", "package app\n"),
}

func TestNewPlan_WhiteBoxHasTheSuiteAndTheStudentsPackages(t *testing.T) {
	p, err := assembly.NewPlan(projectSource(t), store(), projectStudent, assembly.CourseTests)
	require.NoError(t, err)
	require.Equal(t, []string{"TestRepo"}, p.Tests)
	require.Equal(t, []string{
		"grader/labkit/go.mod",
		"tasktracker/app/app.go",
		"tasktracker/chaos/chaos.go",
		"tasktracker/cmd/tasktracker/main.go",
		"tasktracker/domain/task.go",
		"tasktracker/domain/testdata/own",
		"tasktracker/go.mod",
		"tasktracker/infra/memory/repo.go",
		"tasktracker/milestones/clock/clock.go",
		"tasktracker/milestones/m01b/fakes.go",
		"tasktracker/milestones/m01b/repo_test.go",
		"tasktracker/milestones/m01b/testdata/want",
		"tasktracker/milestones/m01b/zz_grader_main_test.go",
		"tasktracker/openapi.yaml",
		"tasktracker/sqlitedb/db.go",
	}, paths(p.Files()))

	tree, err := p.Write(t.TempDir(), "plain")
	require.NoError(t, err)
	require.Equal(t, "milestones/m01b", tree.Package)
	require.Equal(t, tree.Module, tree.Code)
	require.Equal(t, map[string]string{"testdata/want": "42\n"}, content(t, tree.Data))
	require.Equal(t, "go 1.26.0\n\nuse (\n\t./tasktracker\n\t./grader/labkit\n)\n", content(t, tree.Root)["go.work"])
}

func TestNewPlan_OwnTestsRunPackageByPackage(t *testing.T) {
	p, err := assembly.NewPlan(projectSource(t), store(), projectStudent, assembly.OwnTests)
	require.NoError(t, err)
	require.Equal(t, []string{"TestOwn"}, p.Tests)
	require.Equal(t, []string{"domain", "infra/memory"}, p.Own)
	tree, err := p.Write(t.TempDir(), "own")
	require.NoError(t, err)
	files := content(t, tree.Root)
	require.Contains(t, files["tasktracker/domain/zz_grader_main_test.go"], "package domain_test\n")
	require.Contains(t, files["tasktracker/infra/memory/zz_grader_main_test.go"], "package memory\n", "without tests it still says what its statements are")
	require.NotContains(t, files, "tasktracker/app/app_test.go", "the milestone is not about app")
	require.NotContains(t, files, "tasktracker/milestones/m01b/repo_test.go")
	require.Equal(t, map[string]string{"testdata/own": "own\n"}, content(t, tree.OwnData("domain")))
	require.DirExists(t, tree.OwnData("infra/memory"))
}

func TestNewPlan_BlackBoxHasTwoModules(t *testing.T) {
	p, err := assembly.NewPlan(projectSource(t), api(), projectStudent, assembly.CourseTests)
	require.NoError(t, err)
	require.Equal(t, []string{"TestAPI"}, p.Tests)
	require.Equal(t, []string{
		"grader/labkit/go.mod",
		"tasktracker/acceptance/client/client.go",
		"tasktracker/acceptance/go.mod",
		"tasktracker/acceptance/go.sum",
		"tasktracker/acceptance/m04a/api_test.go",
		"tasktracker/acceptance/m04a/testdata/openapi/v1.txt",
		"tasktracker/acceptance/m04a/zz_grader_main_test.go",
		"tasktracker/app/app.go",
		"tasktracker/chaos/chaos.go",
		"tasktracker/cmd/tasktracker/main.go",
		"tasktracker/domain/task.go",
		"tasktracker/domain/testdata/own",
		"tasktracker/go.mod",
		"tasktracker/infra/memory/repo.go",
		"tasktracker/openapi.yaml",
		"tasktracker/sqlitedb/db.go",
	}, paths(p.Files()))

	tree, err := p.Write(t.TempDir(), "plain")
	require.NoError(t, err)
	require.Equal(t, "m04a", tree.Package)
	require.Equal(t, filepath.Join(tree.Root, "tasktracker", "acceptance"), tree.Module)
	require.Equal(t, filepath.Join(tree.Root, "tasktracker"), tree.Code)
	require.Equal(t, "go 1.26.0\n\nuse (\n\t./tasktracker/acceptance\n\t./tasktracker\n\t./grader/labkit\n)\n", content(t, tree.Root)["go.work"])
	require.Equal(t, map[string]string{"testdata/openapi/v1.txt": "spec\n"}, content(t, tree.Data))
}

func TestRead_TwoStarsTakeAllButTheCourses(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{
		"tasktracker/root.go":                      "",
		"tasktracker/go.mod":                       "module evil\n",
		"tasktracker/domain/task.go":               "",
		"tasktracker/domain/task_test.go":          "",
		"tasktracker/domain/m01a_test.go":          "", // the course's
		"tasktracker/infra/sqlite/db/schema.sql":   "",
		"tasktracker/infra/sqlite/db/notes.txt":    "",
		"tasktracker/milestones/m01b/evil_test.go": "",
		"tasktracker/acceptance/evil.go":           "",
		"tasktracker/chaos/evil.go":                "",
		"tasktracker/sqlitedb/evil.go":             "",
		"tasktracker/app/chaos/chaos.go":           "", // the student's
		"tasktracker/vendor/x/x.go":                "",
		"tasktracker/.idea/x.go":                   "",
		"tasktracker/_old/x.go":                    "",
		"tasktracker/testdata/wrong/m01b/w1.go":    "",
		"tasktracker/app/testdata/golden.go":       "",
		"module1/week01/ring/ring.go":              "",
	})
	files, err := assembly.Read(root, t.TempDir(), store())
	require.NoError(t, err)
	require.Equal(t, []string{
		"tasktracker/app/chaos/chaos.go",
		"tasktracker/domain/task.go",
		"tasktracker/domain/task_test.go",
		"tasktracker/infra/sqlite/db/schema.sql",
		"tasktracker/root.go",
	}, paths(files))

	ex := store()
	ex.Files = []string{"app/**", "**/testdata/*.go", "*/testdata/**"}
	files, err = assembly.Read(root, t.TempDir(), ex)
	require.NoError(t, err)
	require.Equal(t, []string{"tasktracker/app/chaos/chaos.go", "tasktracker/app/testdata/golden.go"}, paths(files))
}

func TestRead_WantsOneFileOfAllPatternsWithTwoStars(t *testing.T) {
	for _, files := range []map[string]string{{}, {"tasktracker/README.md": ""}, {"tasktracker/chaos/chaos.go": ""}} {
		root := t.TempDir()
		write(t, root, files)
		_, err := assembly.Read(root, t.TempDir(), api())
		var missing *assembly.MissingError
		require.ErrorAs(t, err, &missing)
		require.Equal(t, "tasktracker/**/*.go", missing.File)
	}
}

func TestRead_TwoStarsMayMatchNothing(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{"tasktracker/app/app.go": ""})
	files, err := assembly.Read(root, t.TempDir(), store())
	require.NoError(t, err, "who keeps his SQL in Go has no SQL file")
	require.Equal(t, []string{"tasktracker/app/app.go"}, paths(files))
}

func TestRead_OneStarTakesNothingOfTheCourses(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{"tasktracker/chaos/chaos.go": "", "tasktracker/app/app.go": ""})
	files, err := assembly.Read(root, t.TempDir(), task("*/*.go"))
	require.NoError(t, err)
	require.Equal(t, []string{"tasktracker/app/app.go"}, paths(files))
}
