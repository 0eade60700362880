package checks

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/lint"
)

// limitsCheck holds a solution to the limits of its exercise: identifiers that
// it must do without, and no state in the package. They shape the solution and
// protect nothing, so code beyond them is run all the same.
type limitsCheck struct{}

func (limitsCheck) Name() string { return "limits" }
func (limitsCheck) Applies(ex *course.Exercise) bool {
	return len(forbidden(ex)) > 0 || ex.ForbidGlobals
}
func (limitsCheck) Needs() []string { return []string{"build"} }

func (limitsCheck) Run(ctx context.Context, r *Room) (Result, error) {
	diags, err := r.vet(ctx)
	if be, ok := buildError(err); ok {
		return decide("limits", r.buildFindings(be), ""), nil
	}
	if err != nil {
		return Result{}, err
	}
	var findings []Finding
	limits := forbidden(r.Exercise)
	for _, d := range diags {
		if d.Analyzer != lint.Policy.Name || !slices.Contains(limits, d.Category) {
			continue
		}
		if file := r.coursePath(d.File); r.isStudents(file) && r.Exercise.About(file) {
			f := Finding{Rule: "forbid", File: file, Line: d.Line, Message: d.Message}
			if r.Exercise.Kind == course.Tests {
				f.Rule = course.RuleNoSleep
				r.teach(&f)
			}
			findings = append(findings, f)
		}
	}
	if r.Exercise.ForbidGlobals {
		for _, f := range r.Student {
			if r.Exercise.About(f.Path) {
				findings = append(findings, globals(f)...)
			}
		}
	}
	slices.SortFunc(findings, byPosition)
	findings = slices.Compact(findings) // what is forbidden alone and with its package
	return decide("limits", findings, ""), nil
}

// policyFlags tells the vet tool what the exercise forbids beyond what it looks
// for anyway.
func policyFlags(ex *course.Exercise) []string {
	more := slices.DeleteFunc(forbidden(ex), func(name string) bool { return slices.Contains(lint.Watched, name) })
	if len(more) == 0 {
		return nil
	}
	return []string{"-policy.forbid=" + strings.Join(more, ",")}
}

// forbidden returns the identifiers that the exercise does without.
func forbidden(ex *course.Exercise) []string {
	list := slices.Clone(ex.Forbid)
	if ex.Sequential {
		list = append(list, starters...)
	}
	return list
}

// starters start goroutines without a go statement.
var starters = []string{"sync.WaitGroup.Go", "time.AfterFunc", "context.AfterFunc"}

// globals finds package-level variables, other than sentinel errors.
func globals(f assembly.File) []Finding {
	if f.IsTest() || !strings.HasSuffix(f.Path, ".go") {
		return nil
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, f.Path, f.Content, parser.SkipObjectResolution)
	if err != nil {
		return nil // the build has reported it
	}
	var findings []Finding
	for _, d := range file.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.VAR {
			continue
		}
		for _, spec := range decl.Specs {
			vars := spec.(*ast.ValueSpec)
			for i, name := range vars.Names {
				if name.Name == "_" || isErrorValue(vars, i) {
					continue
				}
				findings = append(findings, Finding{
					Rule: "globals", File: f.Path, Line: fset.Position(name.Pos()).Line,
					Message: fmt.Sprintf("package-level variable %s: this exercise keeps no state in the package", name.Name),
				})
			}
		}
	}
	return findings
}

// isErrorValue reports whether a variable is a sentinel such as
// var ErrClosed = errors.New("closed").
func isErrorValue(spec *ast.ValueSpec, i int) bool {
	if i >= len(spec.Values) {
		return false
	}
	call, ok := spec.Values[i].(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && pkg.Name == "errors" && sel.Sel.Name == "New"
}
