package lint

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// Ownerless reports goroutines for which nothing waits: no Wait and no receive
// in the function that starts it, nor in a method of its receiver or of what it
// returns. It is a heuristic for the person who reviews. A wait for something
// else is taken for one, and an owner further away is not seen.
var Ownerless = &analysis.Analyzer{
	Name: "ownerless",
	Doc:  "reports goroutines that nothing nearby waits for, for a reviewer",
	Run:  runOwnerless,
}

func runOwnerless(pass *analysis.Pass) (any, error) {
	o := owners{pass: pass, waits: map[*types.TypeName]bool{}}
	var funcs []*ast.FuncDecl
	for _, file := range pass.Files {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				funcs = append(funcs, f)
				o.note(f)
			}
		}
	}
	for _, f := range funcs {
		if !o.waitNearby(f) {
			for _, start := range starts(pass, f.Body) {
				pass.Reportf(start, "a goroutine without an owner nearby: nothing in %s or its type waits for it", f.Name.Name)
			}
		}
	}
	return nil, nil
}

// owners knows the types that have a method which waits.
type owners struct {
	pass  *analysis.Pass
	waits map[*types.TypeName]bool
}

func (o owners) note(f *ast.FuncDecl) {
	if recv := o.signature(f).Recv(); recv != nil && o.waitsIn(f.Body) {
		if name := named(recv.Type()); name != nil {
			o.waits[name] = true
		}
	}
}

func (o owners) signature(f *ast.FuncDecl) *types.Signature {
	return o.pass.TypesInfo.Defs[f.Name].(*types.Func).Signature()
}

func (o owners) waitNearby(f *ast.FuncDecl) bool {
	sig := o.signature(f)
	if o.waitsIn(f.Body) || sig.Recv() != nil && o.waits[named(sig.Recv().Type())] {
		return true
	}
	for v := range sig.Results().Variables() {
		if _, ok := v.Type().Underlying().(*types.Chan); ok || o.waits[named(v.Type())] {
			return true // who has it waits
		}
	}
	return false
}

// waitsIn reports whether body waits, other than in the goroutines that it
// starts.
func (o owners) waitsIn(body ast.Node) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			return false
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW && !isDone(n.X)
		case *ast.RangeStmt:
			t := o.pass.TypesInfo.TypeOf(n.X)
			if t != nil {
				_, isChan := t.Underlying().(*types.Chan)
				found = found || isChan
			}
		case *ast.CallExpr:
			if isStart(o.pass, n) {
				return false
			}
			sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr)
			found = found || ok && sel.Sel.Name == "Wait"
		}
		return !found
	})
	return found
}

// isDone reports whether e is a call such as ctx.Done(): that waits for a
// signal and not for a goroutine.
func isDone(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Done"
}

// starts returns where body starts goroutines.
func starts(pass *analysis.Pass, body ast.Node) []token.Pos {
	var list []token.Pos
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			list = append(list, n.Pos())
		case *ast.CallExpr:
			if isStart(pass, n) {
				list = append(list, n.Pos())
			}
		}
		return true
	})
	return list
}

// isStart reports whether call starts a goroutine: the method Go of a group.
func isStart(pass *analysis.Pass, call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Go" {
		return false
	}
	f, ok := pass.TypesInfo.Uses[sel.Sel].(*types.Func)
	return ok && f.Signature().Recv() != nil
}

// named returns the name of a type, through a pointer and of a generic type.
func named(t types.Type) *types.TypeName {
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	if n, ok := t.(*types.Named); ok {
		return n.Origin().Obj()
	}
	return nil
}
