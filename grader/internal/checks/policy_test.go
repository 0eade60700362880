package checks

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

// ring is an exercise that allows one import beside the defaults.
func ring() *course.Exercise {
	return &course.Exercise{
		Kind: course.Implement, Slug: "ring", Dir: "module1/week01/ring", Module: "module1",
		Files: []string{"ring.go"}, Imports: []string{"math/rand/v2"},
	}
}

const ringFile = "module1/week01/ring/ring.go"

// broken lists what the policy says of a file, as "line rule: message".
func broken(ex *course.Exercise, name, src string) []string {
	var list []string
	for _, f := range SourcePolicy(ex, []assembly.File{{Path: name, Content: []byte(src)}}) {
		list = append(list, fmt.Sprintf("%d %s: %s", f.Line, f.Rule, f.Message))
	}
	return list
}

const header = "the header of generated code would switch the linter off"

func notAllowed(name string) string {
	return fmt.Sprintf("import %q is not allowed in this exercise; its README lists what is", name)
}

// Package os is allowed here and there, and with it everything but the descriptor
// over which the tests report.
func TestSourcePolicy_KeepsDescriptorsOfOthers(t *testing.T) {
	ex := ring()
	ex.Imports = append(ex.Imports, "os")
	const want = "descriptor: os.NewFile: only files that your code has opened are its own"
	for _, src := range []string{
		"package ring\nimport \"os\"\nvar f = os.NewFile(3, \"\")\n",
		"package ring\nimport `os`\nvar open = os.NewFile\n",
		"package ring\nimport file \"os\"\nfunc f() { g := (file).NewFile; _ = g }\n",
	} {
		require.Equal(t, []string{"3 " + want}, broken(ex, ringFile, src), src)
	}
	require.Empty(t, broken(ex, ringFile, "package ring\nimport \"os\"\ntype c struct{}\nfunc (c) NewFile() { os.Open(\"x\"); c{}.NewFile() }\n"))
	program := &course.Exercise{Kind: course.Project, Slug: "m04a", Dir: "tasktracker/acceptance/m04a", Module: "tasktracker/acceptance", Program: "cmd/tasktracker", Files: []string{"**/*.go"}}
	require.Empty(t, broken(program, "tasktracker/cmd/tasktracker/main.go", "package main\nimport \"os\"\nvar f = os.NewFile(3, \"\")\n"))
}

func TestSourcePolicy_RefusesWhatCouldFoolTheGrader(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"import", "package ring\n\nimport \"os\"\n", "3 import: " + notAllowed("os")},
		{"import of cgo", "package ring\nimport \"C\"\n", "2 import: " + notAllowed("C")},
		{"import of unsafe", "package ring\nimport \"unsafe\"\n", "2 import: " + notAllowed("unsafe")},
		{"import in a group", "package ring\nimport (\n\t\"fmt\"\n\tf \"net\"\n)\n", "4 import: " + notAllowed("net")},
		{"import between back quotes", "package ring\nimport `os/exec`\n", "2 import: " + notAllowed("os/exec")},
		{"import with escapes", `package ring` + "\n" + `import "\x6fs"` + "\n", "2 import: " + notAllowed("os")},
		{"import below an allowed one", "package ring\nimport \"math/rand\"\n", "2 import: " + notAllowed("math/rand")},
		{"import of the grader", "package ring\nimport \"github.com/middle-go/course/grader/labkit/session\"\n",
			"2 import: " + notAllowed("github.com/middle-go/course/grader/labkit/session")},
		{"import of itself", "package ring\nimport \"github.com/middle-go/course/module1/week01/ring\"\n",
			"2 import: " + notAllowed("github.com/middle-go/course/module1/week01/ring")},
		{"dot import", "package ring\nimport . \"fmt\"\n", `2 import: dot import of "fmt": name the package where you use it`},
		{"blank import", "package ring\nimport _ \"fmt\"\n", `2 import: blank import of "fmt": nothing here may run because a package is imported`},

		{"compiler directive", "package ring\n\n//go:linkname a b\n", `3 directive: directive comment "//go:linkname a b": no directives for the compiler or the linter`},
		{"build constraint", "//go:build ignore\n\npackage ring\n", `1 directive: directive comment "//go:build ignore": no directives for the compiler or the linter`},
		{"old build constraint", "//  +build ignore\n\npackage ring\n", `1 directive: directive comment "//  +build ignore": no directives for the compiler or the linter`},
		{"build constraint behind a space of another kind", "//\u00a0+build race\n\npackage ring\n", `1 directive: directive comment "//\u00a0+build race": no directives for the compiler or the linter`},
		{"linter behind a space of another kind", "package ring\nvar a = 1 //\v\u0085nolint\n", `2 directive: directive comment "//\v\u0085nolint": no directives for the compiler or the linter`},
		{"embedding", "package ring\n//go:embed ring.go\nvar s string\n", `2 directive: directive comment "//go:embed ring.go": no directives for the compiler or the linter`},
		{"position", "package ring\n//line x.go:1\n", `2 directive: directive comment "//line x.go:1": no directives for the compiler or the linter`},
		{"position in a block", "package ring\nvar a /*line x.go:1*/ int\n", `2 directive: directive comment "/*line x.go:1*/": no directives for the compiler or the linter`},
		{"position before another mistake", "package ring\n//line x.go:100\nimport \"os\"\n", "3 import: " + notAllowed("os") + "\n" +
			`2 directive: directive comment "//line x.go:100": no directives for the compiler or the linter`},
		{"export", "package ring\n//export F\nfunc F() {}\n", `2 directive: directive comment "//export F": no directives for the compiler or the linter`},
		{"gccgo", "package ring\n//extern f\nfunc F() {}\n", `2 directive: directive comment "//extern f": no directives for the compiler or the linter`},
		{"linter", "package ring\nvar a = 1 //nolint\n", `2 directive: directive comment "//nolint": no directives for the compiler or the linter`},
		{"linter with a space", "package ring\nvar a = 1 // nolint:all\n", `2 directive: directive comment "// nolint:all": no directives for the compiler or the linter`},
		{"staticcheck", "package ring\n//lint:ignore SA1 x\nvar a = 1\n", `2 directive: directive comment "//lint:ignore SA1 x": no directives for the compiler or the linter`},
		{"long directive", "package ring\n//go:" + strings.Repeat("x", 60) + "\n",
			`2 directive: directive comment "//go:` + strings.Repeat("x", 35) + `": no directives for the compiler or the linter`},
		{"directive inside a function", "package ring\nfunc F() {\n\t//go:noinline\n}\n", `3 directive: directive comment "//go:noinline": no directives for the compiler or the linter`},

		{"generated", "// Code generated by hand. DO NOT EDIT.\npackage ring\n", "1 directive: " + header},
		{"generated by nobody", "package ring\n// Code generated DO NOT EDIT.\n", "2 directive: " + header},
		{"generated by cgo", "package ring\n\n// Created by cgo - DO NOT EDIT\n", "3 directive: " + header},
		{"generated in a string", "package ring\n\nconst s = `\n// Code generated x DO NOT EDIT.\n`\n", "4 directive: " + header},
		{"generated on Windows", "// Code generated x DO NOT EDIT.\r\npackage ring\r\n", "1 directive: " + header},

		{"function without a body", "package ring\n\nfunc F() int\n", "3 body: func F has no body"},
		{"method without a body", "package ring\ntype T int\nfunc (T) F() int\n", "3 body: func F has no body"},

		{"predeclared function", "package ring\nfunc len(x []int) int { return 0 }\n", "2 predeclared: len is predeclared in Go; give it another name"},
		{"predeclared type", "package ring\ntype error interface{}\n", "2 predeclared: error is predeclared in Go; give it another name"},
		{"predeclared alias", "package ring\ntype any = int\n", "2 predeclared: any is predeclared in Go; give it another name"},
		{"predeclared constant", "package ring\nconst true = false\n", "2 predeclared: true is predeclared in Go; give it another name"},
		{"predeclared variables", "package ring\nvar (\n\ta, nil = 1, 2\n)\n", "3 predeclared: nil is predeclared in Go; give it another name"},
		{"predeclared import", "package ring\nimport string \"fmt\"\n", "2 predeclared: string is predeclared in Go; give it another name"},

		{"encoding", "package ring\n// \xff\n", "0 encoding: is not UTF-8; save it as UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, strings.Split(c.want, "\n"), broken(ring(), ringFile, c.src))
		})
	}
}

func TestSourcePolicy_AllowsHonestCode(t *testing.T) {
	for name, src := range map[string]string{
		"imports":               "package ring\nimport (\n\t\"fmt\"\n\tr \"math/rand/v2\"\n\t\"sync/atomic\"\n)\n",
		"comments":              "// Package ring is a ring. See https://go.dev: nolint is not needed.\npackage ring\n\n// go:noinline is a directive; this is none.\n/* //go:build */\n",
		"a line in a comment":   "package ring\n\n// Line by line.\n//lines are read one by one\n",
		"a string":              "package ring\nconst s = \"//go:linkname\"\nconst g = \"// Code generated x DO NOT EDIT.\"\n",
		"a local name":          "package ring\nfunc F() int {\n\tmax := 1\n\tlen := func() int { return max }\n\treturn len()\n}\n",
		"a method":              "package ring\ntype T int\nfunc (T) len() int { return 0 }\nfunc (T) string() string { return \"\" }\n",
		"a field":               "package ring\ntype T struct{ len, cap int }\n",
		"goroutines":            "package ring\nfunc F() { go func() {}() }\n",
		"init":                  "package ring\nfunc init() {}\n",
		"what does not parse":   "package ring\nimport \"os\nfunc (\n",
		"what is not Go at all": "",
	} {
		require.Empty(t, broken(ring(), ringFile, src), name)
	}
	require.Empty(t, broken(ring(), "module1/week01/ring/notes.md", "import \"os\" \xff"), "only Go files have rules")
}

func TestSourcePolicy_KnowsSequentialExercises(t *testing.T) {
	ex := ring()
	ex.Sequential = true
	src := "package ring\nfunc F() {\n\tfor {\n\t\tgo func() { go F() }()\n\t}\n}\n"
	want := "4 sequential: go statement: this exercise is solved without goroutines"
	require.Equal(t, []string{want, want}, broken(ex, ringFile, src))
}

func TestSourcePolicy_LetsTestsImportWhatTheyTest(t *testing.T) {
	ex := ring()
	ex.Kind = course.Tests
	const name = "module1/week01/ring/ring_test.go"
	require.Empty(t, broken(ex, name, "package ring_test\nimport \"github.com/middle-go/course/module1/week01/ring\"\n"))
	other := "github.com/middle-go/course/module1/week01/aliasing"
	require.Equal(t, []string{"2 import: " + notAllowed(other)}, broken(ex, name, "package ring_test\nimport \""+other+"\"\n"))
}

func TestSourcePolicy_LetsAProjectImportItsOwnPackages(t *testing.T) {
	ex := &course.Exercise{Kind: course.Project, Slug: "m01a", Dir: "tasktracker/domain", Module: "tasktracker"}
	imports := func(name string) string { return "package domain\nimport \"" + name + "\"\n" }
	for name, allowed := range map[string]bool{
		"github.com/middle-go/course/tasktracker/domain":      true,
		"github.com/middle-go/course/tasktracker/app/command": true,
		"github.com/middle-go/course/tasktracker":             false,
		"github.com/middle-go/course/tasktrackerevil/domain":  false,
		"github.com/middle-go/course/module1/week01/aliasing": false,
		"testing":                             false,
		"github.com/stretchr/testify/require": false,
	} {
		require.Equal(t, allowed, len(broken(ex, "tasktracker/domain/task.go", imports(name))) == 0, name)
	}
	for name, allowed := range map[string]bool{
		"testing": true, "testing/synctest": true, "github.com/stretchr/testify/require": true, "os": false, "testing/fstest": false,
	} {
		require.Equal(t, allowed, len(broken(ex, "tasktracker/domain/task_test.go", imports(name))) == 0, name)
	}
}

func TestUnparsed_FindsWhatThePolicyCannotSee(t *testing.T) {
	// The compiler takes this file; go/parser gives up, and the policy with it.
	const n = 100_500
	deep := "package ring\n\nimport \"os\"\n\nvar x = " + strings.Repeat("(", n) + "1" + strings.Repeat(")", n) + "\n"
	require.Less(t, len(deep), assembly.MaxFile)
	require.Empty(t, broken(ring(), ringFile, deep))

	files := []assembly.File{
		{Path: ringFile, Content: []byte(deep)},
		{Path: "module1/week01/ring/good.go", Content: []byte("package ring\n")},
		{Path: "module1/week01/ring/bad.go", Content: []byte("package ring\n\nfunc F( {\n")},
		{Path: "module1/week01/ring/notes.md", Content: []byte("no Go\n")},
	}
	findings := unparsed(files)
	require.Len(t, findings, 2)
	require.Equal(t, Finding{File: ringFile, Line: 5, Message: "does not parse: exceeded max nesting depth"}, findings[0])
	require.Equal(t, 3, findings[1].Line)
	moved := []assembly.File{{Path: ringFile, Content: []byte("package ring\n\n//line other.go:100\nfunc F( {\n")}}
	require.Equal(t, 4, unparsed(moved)[0].Line, "a file has the lines that it has")
	require.Equal(t, Fail, decide("build", findings, "").Status, "such a file must not run")
}

func TestSourcePolicy_GivesProgramsMoreRoom(t *testing.T) {
	white := &course.Exercise{Kind: course.Project, Slug: "m01b", Dir: "tasktracker/milestones/m01b", Module: "tasktracker"}
	black := &course.Exercise{Kind: course.Project, Slug: "m04a", Dir: "tasktracker/acceptance/m04a", Module: "tasktracker/acceptance"}
	const src = `// Code generated by a tool. DO NOT EDIT.

//go:build linux

package x

import (
	"net/http"
	_ "embed"
	_ "modernc.org/sqlite"

	"github.com/middle-go/course/tasktracker"
)

//go:embed schema.sql
var schema string
`
	require.Empty(t, broken(white, "tasktracker/cmd/ttlog/main.go", src))
	require.Empty(t, broken(black, "tasktracker/httpapi/api.go", src))
	require.Len(t, broken(white, "tasktracker/infra/memory/repo.go", src), 7, "it runs in the process of the tests")

	for _, refused := range []string{"C", "unsafe", "plugin", "github.com/middle-go/course/grader/labkit/session",
		"github.com/middle-go/course/module1/week01/ring", "github.com/middle-go/course/tasktracker/acceptance/client",
		"github.com/middle-go/course/tasktracker/milestones/clock"} {
		require.Equal(t, []string{"2 import: " + notAllowed(refused)}, broken(black, "tasktracker/app/app.go", "package app\nimport \""+refused+"\"\n"))
	}
	require.Equal(t, []string{`2 import: dot import of "fmt": name the package where you use it`},
		broken(black, "tasktracker/app/app.go", "package app\nimport . \"fmt\"\n"))
	for _, directive := range []string{"//go:linkname a b", "//line x.go:1", "//nolint"} {
		require.Len(t, broken(black, "tasktracker/app/app.go", "package app\n\n"+directive+"\n"), 1, directive)
	}
}
