package checks

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

// escapesCheck reads the compiler's escape analysis: nothing inside the named
// functions may be moved to the heap.
type escapesCheck struct{}

func (escapesCheck) Name() string                     { return "escapes" }
func (escapesCheck) Applies(ex *course.Exercise) bool { return len(ex.Checks.Escapes) > 0 }
func (escapesCheck) Needs() []string                  { return []string{"tests"} }

// escapes returns the compiler's diagnostics for every package of the student's
// that the exercise is about.
func (r *Room) escapes(ctx context.Context, tree *assembly.Tree) (string, error) {
	var all strings.Builder
	for _, dir := range r.codeDirs() {
		out, err := r.goCmd.Escapes(ctx, r.code(tree), strings.TrimPrefix(dir, r.module()+"/"))
		if err != nil {
			return "", err
		}
		all.WriteString(out)
	}
	return all.String(), nil
}

var escapeLine = regexp.MustCompile(`^(\S+\.go):(\d+):\d+: (.*(?:escapes to heap|moved to heap:.*))$`)

func (escapesCheck) Run(ctx context.Context, r *Room) (Result, error) {
	tree, err := r.tree(variant{})
	if err != nil {
		return Result{}, err
	}
	out, err := r.escapes(ctx, tree)
	if err != nil {
		return Result{}, err
	}
	spans, err := r.functionSpans()
	if err != nil {
		return Result{}, err
	}
	findings := missingFunctions(r.Exercise.Checks.Escapes, spans)
	for line := range strings.Lines(out) {
		m := escapeLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			continue
		}
		file := r.coursePath(m[1])
		n, _ := strconv.Atoi(m[2])
		for _, s := range spans {
			if s.file == file && s.first <= n && n <= s.last && slices.Contains(r.Exercise.Checks.Escapes, s.name) {
				findings = append(findings, Finding{
					Rule: s.name, File: file, Line: n, Message: fmt.Sprintf("in %s: %s", s.name, m[3]),
				})
			}
		}
	}
	slices.SortFunc(findings, byPosition)
	return decide("escapes", findings, plural(len(r.Exercise.Checks.Escapes), "function")), nil
}

// missingFunctions finds the names that no function has: it was renamed, or its
// receiver is written as an alias.
func missingFunctions(names []string, spans []span) []Finding {
	var findings []Finding
	for _, name := range names {
		if !slices.ContainsFunc(spans, func(s span) bool { return s.name == name }) {
			findings = append(findings, Finding{Rule: name, Message: "there is no function " + name + " to look for escapes in"})
		}
	}
	return findings
}

// span is the lines of one function or method.
type span struct {
	name, file  string
	first, last int
}

// functionSpans returns the functions of the packages that the exercise is
// about. A method is called T.Method.
func (r *Room) functionSpans() ([]span, error) {
	var spans []span
	for _, f := range r.Student {
		if !isCode(f) || !r.Exercise.About(f.Path) {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, f.Path, f.Content, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				spans = append(spans, span{functionName(fn), f.Path, fset.Position(fn.Pos()).Line, fset.Position(fn.End()).Line})
			}
		}
	}
	return spans, nil
}

func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	t := fn.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.ParenExpr:
			t = x.X
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + fn.Name.Name
		default:
			return fn.Name.Name
		}
	}
}
