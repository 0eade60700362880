package lint

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Dropped reports calls whose error nobody looks at. It is for the person who
// reviews: some errors may be dropped, and he is told which.
var Dropped = &analysis.Analyzer{
	Name: "droppederr",
	Doc:  "reports calls whose error is dropped, for a reviewer",
	Run:  runDropped,
}

func runDropped(pass *analysis.Pass) (any, error) {
	for _, file := range pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ExprStmt:
				dropped(pass, n.X, "is not looked at")
			case *ast.DeferStmt:
				dropped(pass, n.Call, "is lost in a defer")
			case *ast.GoStmt:
				dropped(pass, n.Call, "is lost in a goroutine")
			case *ast.AssignStmt:
				blank(pass, n)
			}
			return true
		})
	}
	return nil, nil
}

func dropped(pass *analysis.Pass, e ast.Expr, how string) {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok || neverFails(pass, call) {
		return
	}
	for _, t := range results(pass.TypesInfo.TypeOf(call)) {
		if isError(t) {
			pass.Reportf(call.Pos(), "the error of %s %s", callee(call), how)
			return
		}
	}
}

// blank reports errors that are assigned to _.
func blank(pass *analysis.Pass, n *ast.AssignStmt) {
	for i, left := range n.Lhs {
		if id, ok := left.(*ast.Ident); !ok || id.Name != "_" {
			continue
		}
		right := n.Rhs[min(i, len(n.Rhs)-1)]
		call, isCall := ast.Unparen(right).(*ast.CallExpr)
		t := pass.TypesInfo.TypeOf(right)
		if len(n.Rhs) < len(n.Lhs) {
			if !isCall {
				continue // _, ok := m[k]
			}
			t = results(t)[i]
		}
		switch {
		case !isError(t):
		case isCall:
			pass.Reportf(left.Pos(), "the error of %s is assigned to _", callee(call))
		default:
			pass.Reportf(left.Pos(), "the error %s is assigned to _", types.ExprString(right))
		}
	}
}

func results(t types.Type) []types.Type {
	tuple, ok := t.(*types.Tuple)
	if !ok {
		return []types.Type{t}
	}
	var list []types.Type
	for v := range tuple.Variables() {
		list = append(list, v.Type())
	}
	return list
}

func isError(t types.Type) bool {
	return t != nil && types.Identical(t, types.Universe.Lookup("error").Type())
}

// infallible are the receivers and functions whose documentation says that the
// error is always nil, and those that print for a person.
var infallible = []string{
	"fmt.Print", "bytes.Buffer.", "strings.Builder.", "hash.Hash.", "hash/maphash.Hash.", "math/rand/v2.ChaCha8.", "crypto/rand.Read",
}

func neverFails(pass *analysis.Pass, call *ast.CallExpr) bool {
	var id *ast.Ident
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		id = fun
	case *ast.SelectorExpr:
		id = fun.Sel
	default:
		return false
	}
	obj := pass.TypesInfo.Uses[id]
	if obj == nil || obj.Pkg() == nil {
		return false
	}
	name := qualified(obj)
	for _, prefix := range infallible {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// callee is the name of what is called, in one line and not too long.
func callee(call *ast.CallExpr) string {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.FuncLit:
		return "the function"
	default:
		name := types.ExprString(fun)
		if len(name) > 60 {
			name = "…" + name[strings.LastIndex(name, ".")+1:]
		}
		return name
	}
}
