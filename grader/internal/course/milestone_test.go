package course_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/course"
)

const whiteBox = `slug: m01b
title: A store
kind: project
minutes: 240
week: 2
seconds: 40
suite: milestones/m01b
package: domain
packages: [infra/memory, cmd/ttlog]
files: ["**/*.go", "infra/memory/schema.sql"]
imports: [iter]
layers:
  domain: []
  infra/*: [domain, errs]
misconceptions:
  TestRepo_Isolates: {belief: one map is enough, hint: 1}
  layers: {belief: what compiles may be imported, hint: 2}
hints: [a, b, c]
`

const blackBox = `slug: m04a
title: An API
kind: project
minutes: 240
week: 7
suite: acceptance/m04a
program: cmd/tasktracker
files: ["**/*.go"]
checks:
  coverage: {total: 70}
hints: [a, b, c]
`

// projectCourse is goodCourse with a milestone of each kind.
func projectCourse() tree {
	files := goodCourse()
	files["tasktracker/milestones/m01a.yaml"] = "imports: [encoding/base32]\n" + milestone
	for name, content := range map[string]string{
		"milestones/m01b.yaml":         whiteBox,
		"milestones/m01b/README.md":    "",
		"milestones/m01b/repo_test.go": "package m01b_test\n\nfunc TestRepo_Isolates(t *testing.T) {}\n",
		"infra/memory/repo.go":         "package memory\n",
		"infra/memory/schema.sql":      "",
		"cmd/ttlog/main.go":            "package main\n",
		"milestones/m04a.yaml":         blackBox,
		"acceptance/m04a/README.md":    "",
		"acceptance/m04a/api_test.go":  "package m04a_test\n\nfunc TestM04a(t *testing.T) {}\n",
		"cmd/tasktracker/main.go":      "package main\n",
		"sqlitedb/db.go":               "package sqlitedb\n",
	} {
		files["tasktracker/"+name] = content
	}
	return files
}

func TestMilestone_LoadsAWhiteBox(t *testing.T) {
	m, err := projectCourse().open(t).Milestone("m01b")
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(&course.Exercise{
		Week: 2, Slug: "m01b", Title: "A store", Kind: course.Project, Minutes: 240, Seconds: 40,
		Dir: "tasktracker/milestones/m01b", Module: "tasktracker", Files: []string{"**/*.go", "infra/memory/schema.sql"},
		Packages: []string{"infra/memory", "cmd/ttlog", "domain"},
		Layers:   map[string][]string{"domain": {}, "infra/*": {"domain", "errs"}},
		Imports:  []string{"encoding/base32", "iter"}, // those of m01a come first
		Misconceptions: map[string]course.Misconception{
			"TestRepo_Isolates": {Belief: "one map is enough", Hint: 1},
			"layers":            {Belief: "what compiles may be imported", Hint: 2},
		},
		Hints: []string{"a", "b", "c"},
	}, m))
	require.False(t, m.BlackBox())
	require.Equal(t, "tasktracker", m.FilesDir())
	require.Equal(t, "tasktracker/milestones/m01b/README.md", m.Readme())
	require.True(t, m.About("tasktracker/infra/memory/repo.go"))
	require.False(t, m.About("tasktracker/infra/repo.go"))
	require.False(t, m.About("tasktracker/infra/memory/deep/repo.go"))
}

func TestMilestone_LoadsABlackBox(t *testing.T) {
	c := projectCourse().open(t)
	m, err := c.Milestone("m04a")
	require.NoError(t, err)
	require.True(t, m.BlackBox())
	require.Equal(t, "tasktracker/acceptance/m04a", m.Dir)
	require.Equal(t, "tasktracker/acceptance", m.Module)
	require.Equal(t, "cmd/tasktracker", m.Program)
	require.Equal(t, "tasktracker", m.FilesDir())
	require.Equal(t, "tasktracker/acceptance/m04a/README.md", m.Readme())
	require.True(t, m.About("tasktracker/anything.go"))
	names, err := course.TestFiles(c.Root, m)
	require.NoError(t, err)
	require.Equal(t, []string{"api_test.go"}, names)
}

func TestMilestone_ReadmeIsNotAmongTheStudentsFiles(t *testing.T) {
	m, err := projectCourse().open(t).Milestone("m01a")
	require.NoError(t, err)
	require.Equal(t, "tasktracker/milestones/m01a/README.md", m.Readme())
}

func TestCourseOwned_KeepsPatternsOff(t *testing.T) {
	for p, want := range map[string]bool{
		"tasktracker/acceptance":          true,
		"tasktracker/milestones/m01b.go":  true,
		"tasktracker/chaos/chaos.go":      true,
		"tasktracker/sqlitedb/db.go":      true,
		"tasktracker/go.mod":              true,
		"tasktracker/go.sum":              true,
		"tasktracker/openapi.yaml":        true,
		"tasktracker/web/openapi.yaml":    false,
		"tasktracker/chaosmonkey/main.go": false,
		"tasktracker/app/chaos/chaos.go":  false,
		"tasktracker/tools/go.mod":        false,
		"tasktracker":                     false,
		"module1/chaos":                   false,
	} {
		require.Equal(t, want, course.CourseOwned(p), p)
	}
}

func TestEarlier_KeepsWhiteBoxesUntilTheFirstBlackBox(t *testing.T) {
	files := projectCourse()
	files["tasktracker/milestones/m04b.yaml"] = strings.ReplaceAll(blackBox, "m04a", "m04b")
	files["tasktracker/acceptance/m04b/README.md"] = ""
	files["tasktracker/acceptance/m04b/api_test.go"] = "package m04b_test\n"
	c := files.open(t)
	for id, want := range map[string][]string{"m01a": nil, "m01b": {"m01a"}, "m04a": nil, "m04b": {"m04a"}} {
		m, err := c.Milestone(id)
		require.NoError(t, err)
		earlier, err := c.Earlier(m)
		require.NoError(t, err)
		var got []string
		for _, e := range earlier {
			got = append(got, e.Slug)
		}
		require.Equal(t, want, got, id)
	}
}

func TestEarlier_DoesNotLoadLaterOnes(t *testing.T) {
	files := projectCourse()
	files["tasktracker/milestones/m04a.yaml"] = "slug: [\n"
	c := files.open(t)
	m, err := c.Milestone("m01b")
	require.NoError(t, err)
	_, err = c.Earlier(m)
	require.NoError(t, err)
}

func TestMilestone_NamesEveryMistakeInItsOwnKeys(t *testing.T) {
	const clean = " must be a clean path inside tasktracker"
	for _, m := range []struct {
		id string
		mistake
	}{
		{"m01b", mistake{"no suite", "suite: milestones/m01b\npackage: domain\n", "",
			"1: suite is missing: name the directory of the tests, such as milestones/m01b"}},
		{"m01b", mistake{"suite of another", "suite: milestones/m01b", "suite: milestones/m01a",
			`7: suite is "milestones/m01a"; it must be milestones/m01b or acceptance/m01b`}},
		{"m01b", mistake{"suite outside", "suite: milestones/m01b", "suite: ../m01b",
			`7: suite is "../m01b"; it must be milestones/m01b or acceptance/m01b`}},
		{"m01b", mistake{"package outside", "[infra/memory,", "[../memory,", `9: package "../memory"` + clean}},
		{"m01b", mistake{"package of the course", "cmd/ttlog]", "sqlitedb]", `9: package "sqlitedb" belongs to the course and is never the student's`}},
		{"m01b", mistake{"unknown package", "cmd/ttlog]", "cmd/ttlogs]", "9: tasktracker/cmd/ttlogs does not exist"}},
		{"m01b", mistake{"file of the course", "infra/memory/schema.sql", "sqlitedb/db.go", `10: file "sqlitedb/db.go" belongs to the course and is never the student's`}},
		{"m01b", mistake{"go.mod", "infra/memory/schema.sql", "go.mod", `10: file "go.mod" belongs to the course and is never the student's`}},
		{"m01b", mistake{"half a pattern", "**/*.go", "infra**/*.go",
			`10: file "infra**/*.go" is not a pattern: * and ? stand for names, and ** is an element of its own`}},
		{"m01b", mistake{"broken pattern", "**/*.go", "**/[.go",
			`10: file "**/[.go" is not a pattern: * and ? stand for names, and ** is an element of its own`}},
		{"m01b", mistake{"layer outside", "infra/*:", "../infra:",
			`14: layers: "../infra" is not the path of a package in tasktracker; what is said of one holds for those below it`}},
		{"m01b", mistake{"layer with too many stars", "[domain, errs]", "[domain/**]",
			`14: layers: "domain/**" is not the path of a package in tasktracker; what is said of one holds for those below it`}},
		{"m01b", mistake{"misconception without layers", "layers:\n  domain: []\n  infra/*: [domain, errs]\n", "",
			"14: misconceptions name layers, but tasktracker/milestones/m01b has no such test"}},
		{"m01b", mistake{"too long", "seconds: 40", "seconds: 6000", "6: seconds is 6000; one run of the tests may take up to 600"}},
		{"m01b", mistake{"program outside", "imports:", "program: /bin/sh\nimports:", `11: program "/bin/sh"` + clean}},
		{"m01b", mistake{"test of nobody", "TestRepo_Isolates", "TestRepo_Is", "16: misconceptions name TestRepo_Is, but tasktracker/milestones/m01b has no such test"}},
		{"m04a", mistake{"no program", "program: cmd/tasktracker\n", "", "6: the suite runs a program; name its main package with program"}},
		{"m04a", mistake{"unknown program", "cmd/tasktracker", "cmd/tracker", "7: tasktracker/cmd/tracker does not exist"}},
		{"m04a", mistake{"checks of a process", "checks:\n", "checks:\n  leak: true\n  interleave: true\n",
			"10: leak looks into the process of the tests; the program that they run is another one\n" +
				"11: interleave looks into the process of the tests; the program that they run is another one"}},
	} {
		t.Run(m.id+" "+m.name, func(t *testing.T) {
			files := projectCourse()
			name := "tasktracker/milestones/" + m.id + ".yaml"
			files.edit(t, name, m.old, m.new)
			_, err := files.open(t).Milestone(m.id)
			require.EqualError(t, err, prefixed(name, m.want))
		})
	}
}

func TestWeek_RefusesTheKeysOfMilestones(t *testing.T) {
	const name = "module1/week01/week.yaml"
	files := goodCourse()
	files.edit(t, name, "files: [ring.go]", "files: [ring.go]\n    package: ring\n    suite: milestones/ring\n    program: ring\n    packages: [ring]\n    layers: {ring: []}")
	_, err := files.open(t).Week(1)
	require.EqualError(t, err, prefixed(name, "14: package is for milestones only\n17: packages is for milestones only\n"+
		"15: suite is for milestones only\n16: program is for milestones only\n18: layers is for milestones only"))
}

func TestMilestone_LoadsWithoutAPackageThatAStudentLost(t *testing.T) {
	files := projectCourse()
	delete(files, "tasktracker/cmd/ttlog/main.go")
	files[course.StubsFile] = "00  tasktracker/cmd/ttlog/main.go\n"
	_, err := files.open(t).Milestone("m01b")
	require.NoError(t, err, "the grader says how to get the files back")
}
