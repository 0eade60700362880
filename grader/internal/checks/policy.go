package checks

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

// policyCheck refuses code that could fool or harm the grader. It looks at the
// syntax only, before anything is compiled.
type policyCheck struct{}

func (policyCheck) Name() string                  { return "policy" }
func (policyCheck) Applies(*course.Exercise) bool { return true }
func (policyCheck) Needs() []string               { return nil }

func (policyCheck) Run(_ context.Context, r *Room) (Result, error) {
	result := decide("policy", SourcePolicy(r.Exercise, r.Student), "")
	if result.Status == Fail {
		result.Status = Rejected
	}
	return result, nil
}

func byPosition(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
}

func (r *Room) isStudents(file string) bool {
	return slices.ContainsFunc(r.Student, func(f assembly.File) bool { return f.Path == file })
}

var (
	// The go command and linters skip any white space of Unicode before some.
	directive = regexp.MustCompile(`^//(go:|line |export |extern |[\s\v\x{85}\pZ]*(\+build|nolint|lint:))`)
	// What a program may say: it concerns nobody but itself.
	programDirective = regexp.MustCompile(`^//go:(build|embed|generate) `)
	// As staticcheck looks for it: on any line, be it in a string.
	generated = regexp.MustCompile(`(?m)^// (Code generated .*DO NOT EDIT\.|Created by cgo - DO NOT EDIT)\r?$`)
)

// SourcePolicy checks the syntax of Go files against the rules that hold for
// every exercise and those of ex. A file that does not parse is left to the
// compiler to explain; the check of the build sees to it that it never runs.
func SourcePolicy(ex *course.Exercise, files []assembly.File) []Finding {
	var all []Finding
	for _, f := range files {
		if strings.HasSuffix(f.Path, ".go") {
			all = append(all, sourcePolicy(ex, f)...)
		}
	}
	return all
}

// unparsed returns the files that go/parser does not read, whatever the compiler
// thinks of them: one that is nested too deeply, for instance. The policy knows
// nothing about them.
func unparsed(files []assembly.File) []Finding {
	var findings []Finding
	for _, f := range files {
		if !strings.HasSuffix(f.Path, ".go") {
			continue
		}
		_, err := parser.ParseFile(token.NewFileSet(), f.Path, f.Content, parser.SkipObjectResolution)
		if list, ok := errors.AsType[scanner.ErrorList](err); ok && len(list) > 0 {
			line := 1 + bytes.Count(f.Content[:list[0].Pos.Offset], []byte("\n")) // Pos.Line believes //line
			findings = append(findings, Finding{File: f.Path, Line: line, Message: "does not parse: " + list[0].Msg})
		} else if err != nil {
			findings = append(findings, Finding{File: f.Path, Message: "does not parse: " + err.Error()})
		}
	}
	return findings
}

func sourcePolicy(ex *course.Exercise, f assembly.File) []Finding {
	p := &filePolicy{ex: ex, path: f.Path, fset: token.NewFileSet()}
	if !utf8.Valid(f.Content) {
		p.add(token.NoPos, "encoding", "is not UTF-8; save it as UTF-8")
		return p.findings
	}
	file, err := parser.ParseFile(p.fset, f.Path, f.Content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	p.imports(file)
	p.comments(file)
	p.header(f.Content)
	p.declarations(file)
	p.descriptors(file)
	if ex.Sequential {
		ast.Inspect(file, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				p.add(g.Pos(), "sequential", "go statement: this exercise is solved without goroutines")
			}
			return true
		})
	}
	return p.findings
}

// filePolicy collects the findings of one file.
type filePolicy struct {
	ex       *course.Exercise
	path     string
	fset     *token.FileSet
	findings []Finding
}

func (p *filePolicy) add(pos token.Pos, rule, format string, args ...any) {
	line := 0
	if pos.IsValid() {
		line = p.fset.PositionFor(pos, false).Line
	}
	p.addAt(line, rule, format, args...)
}

func (p *filePolicy) addAt(line int, rule, format string, args ...any) {
	p.findings = append(p.findings, Finding{Rule: rule, File: p.path, Line: line, Message: fmt.Sprintf(format, args...)})
}

func (p *filePolicy) imports(file *ast.File) {
	program := isProgram(p.ex, p.path)
	allowed := p.ex.AllowedImports()
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		switch {
		case err != nil:
		case program && !programImport(name), !program && !slices.Contains(allowed, name) && !p.ownPackage(name):
			p.add(spec.Pos(), "import", "import %q is not allowed in this exercise; its README lists what is", name)
		case spec.Name != nil && spec.Name.Name == ".":
			p.add(spec.Pos(), "import", "dot import of %q: name the package where you use it", name)
		case spec.Name != nil && spec.Name.Name == "_" && !program:
			p.add(spec.Pos(), "import", "blank import of %q: nothing here may run because a package is imported", name)
		}
	}
}

// isProgram reports whether a file of the student's runs in a process of its own
// and not in that of the tests.
func isProgram(ex *course.Exercise, file string) bool {
	return ex.Kind == course.Project && (ex.BlackBox() || strings.HasPrefix(file, course.ProjectDir+"/cmd/"))
}

// programImport reports whether a program may import name: all that its go.mod
// has, but nothing that runs while it is compiled, and no part of the grader.
func programImport(name string) bool {
	return name != "C" && name != "unsafe" && name != "plugin" &&
		(!strings.HasPrefix(name, course.ModulePath+"/") || name == projectPrefix || projectPackage(name))
}

// projectPackage reports whether name is a package of the project that the
// student's code may import.
func projectPackage(name string) bool {
	rel, ok := strings.CutPrefix(name, course.ModulePath+"/"+course.ProjectDir+"/")
	return ok && !strings.HasPrefix(rel+"/", "milestones/") && !strings.HasPrefix(rel+"/", "acceptance/")
}

// ownPackage reports whether a project, or a test that the student writes,
// imports a package of its own.
func (p *filePolicy) ownPackage(name string) bool {
	if p.ex.Kind == course.Project {
		return projectPackage(name) || testImport(p.path, name)
	}
	return p.ex.Kind == course.Tests && name == p.ex.ImportPath()
}

// testImport reports whether name may be imported by the student's own test
// files of a project.
func testImport(file, name string) bool {
	return strings.HasSuffix(file, "_test.go") && slices.Contains(ownTestImports, name)
}

var ownTestImports = []string{
	"testing", "testing/synctest", "testing/iotest", "testing/quick", "reflect", "math/rand/v2",
	"github.com/google/go-cmp/cmp", "github.com/google/go-cmp/cmp/cmpopts",
	"github.com/stretchr/testify/assert", "github.com/stretchr/testify/require",
}

func (p *filePolicy) comments(file *ast.File) {
	for _, group := range file.Comments {
		for _, c := range group.List {
			if isProgram(p.ex, p.path) && programDirective.MatchString(c.Text) {
				continue
			}
			if directive.MatchString(c.Text) || strings.HasPrefix(c.Text, "/*line ") {
				p.add(c.Pos(), "directive", "directive comment %.40q: no directives for the compiler or the linter", c.Text)
			}
		}
	}
}

// header looks for what marks a file as generated, as some of a program are.
func (p *filePolicy) header(content []byte) {
	if isProgram(p.ex, p.path) {
		return
	}
	if at := generated.FindIndex(content); at != nil {
		line := bytes.Count(content[:at[0]], []byte("\n")) + 1
		p.addAt(line, "directive", "the header of generated code would switch the linter off")
	}
}

// descriptors looks for os.NewFile, the one way of package os to a descriptor
// that somebody else has opened: the tests tell the grader over one of theirs
// how they went.
func (p *filePolicy) descriptors(file *ast.File) {
	if isProgram(p.ex, p.path) {
		return
	}
	for _, spec := range file.Imports {
		if name, err := strconv.Unquote(spec.Path.Value); err != nil || name != "os" {
			continue
		}
		alias := "os"
		if spec.Name != nil {
			alias = spec.Name.Name
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "NewFile" {
				if pkg, ok := ast.Unparen(sel.X).(*ast.Ident); ok && pkg.Name == alias {
					p.add(sel.Pos(), "descriptor", "os.NewFile: only files that your code has opened are its own")
				}
			}
			return true
		})
	}
}

func (p *filePolicy) declarations(file *ast.File) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Body == nil {
				p.add(d.Pos(), "body", "func %s has no body", d.Name.Name)
			}
			if d.Recv == nil {
				p.declare(d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				p.spec(spec)
			}
		}
	}
}

func (p *filePolicy) spec(spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ImportSpec:
		if spec.Name != nil {
			p.declare(spec.Name)
		}
	case *ast.TypeSpec:
		p.declare(spec.Name)
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			p.declare(name)
		}
	}
}

func (p *filePolicy) declare(name *ast.Ident) {
	if types.Universe.Lookup(name.Name) != nil {
		p.add(name.Pos(), "predeclared", "%s is predeclared in Go; give it another name", name.Name)
	}
}
