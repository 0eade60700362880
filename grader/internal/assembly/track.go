package assembly

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"

	"github.com/middle-go/course/grader/internal/course"
)

const sessionPath = course.ModulePath + "/grader/labkit/session"

// track makes every test, fuzz target and subtest function of a test file
// report to the grader. It inserts text without a newline, so that lines keep
// their numbers. It returns the package name and the tests of the file.
func track(name string, src []byte) (out []byte, pkg string, tests []string, err error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, "", nil, err
	}
	offset := func(p token.Pos) int { return fset.Position(p).Offset }
	type insertion struct {
		at   int
		text string
	}
	var inserts []insertion
	enter := func(body *ast.BlockStmt, param string) {
		inserts = append(inserts, insertion{offset(body.Lbrace) + 1, " session__.Track(" + param + ");"})
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch f := n.(type) {
		case *ast.FuncDecl:
			param := testParam(f.Type)
			if f.Recv == nil && param != "" && f.Body != nil && course.IsTest(f.Name.Name) {
				tests = append(tests, f.Name.Name)
				enter(f.Body, param)
			}
		case *ast.FuncLit:
			if param := testParam(f.Type); param != "" {
				enter(f.Body, param)
			}
		}
		return true
	})
	if len(inserts) == 0 {
		return src, file.Name.Name, nil, nil
	}
	inserts = append(inserts, insertion{offset(file.Name.End()), fmt.Sprintf("; import session__ %q", sessionPath)})
	slices.SortFunc(inserts, func(a, b insertion) int { return a.at - b.at })
	var b bytes.Buffer
	last := 0
	for _, in := range inserts {
		b.Write(src[last:in.at])
		b.WriteString(in.text)
		last = in.at
	}
	b.Write(src[last:])
	return b.Bytes(), file.Name.Name, tests, nil
}

// testParam returns the name of the first parameter if it is a *testing.T or
// *testing.F that has one.
func testParam(t *ast.FuncType) string {
	if t.Params == nil || len(t.Params.List) == 0 || len(t.Params.List[0].Names) == 0 {
		return ""
	}
	name := t.Params.List[0].Names[0].Name
	star, ok := t.Params.List[0].Type.(*ast.StarExpr)
	if !ok || name == "_" {
		return ""
	}
	sel, ok := star.X.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "T" && sel.Sel.Name != "F" {
		return ""
	}
	if x, ok := sel.X.(*ast.Ident); !ok || x.Name != "testing" {
		return ""
	}
	return name
}

// declaresTestMain reports whether a test file has a TestMain of its own, which
// would take the place of the grader's.
func declaresTestMain(src []byte) bool {
	file, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(file.Decls, func(d ast.Decl) bool {
		f, ok := d.(*ast.FuncDecl)
		return ok && f.Recv == nil && f.Name.Name == "TestMain"
	})
}

// testMain is the file that lets the grader's session run the tests.
func testMain(pkg string) []byte {
	return fmt.Appendf(nil, `package %s

import (
	"testing"

	session__ %q
)

func TestMain(m *testing.M) { session__.Main(m) }
`, pkg, sessionPath)
}

const testMainFile = "zz_grader_main_test.go"
