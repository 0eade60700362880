package mutate

import (
	"go/ast"
	"go/token"
)

// statements removes, one at a time, statements that have an effect.
func (w *writer) statements(body *ast.BlockStmt) {
	for n := range ast.Preorder(body) {
		switch n := n.(type) {
		case *ast.BlockStmt:
			w.list(n.List)
		case *ast.CaseClause:
			w.list(n.Body)
		case *ast.CommClause:
			w.list(n.Body)
		}
	}
}

func (w *writer) list(list []ast.Stmt) {
	for _, s := range list {
		if w.removable(s) {
			w.remove(s)
		}
	}
}

// remove makes the mutant without s.
func (w *writer) remove(s ast.Stmt) {
	if id, ok := w.add(s, w.show(s), "removed"); ok {
		w.unless(id, s)
	}
}

// unless leaves s out when mutant id is on.
func (w *writer) unless(id int, s ast.Stmt) {
	w.edits.wrap(s.Pos(), s.End(), "if !"+w.on(id)+" { ", " }")
}

func (w *writer) removable(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ExprStmt:
		call, ok := ast.Unparen(s.X).(*ast.CallExpr)
		return !ok || !isLockCall(call) && !w.onlyForTheCollector(call)
	case *ast.DeferStmt:
		return !isLockCall(s.Call)
	case *ast.SendStmt, *ast.GoStmt, *ast.IncDecStmt:
		return true
	case *ast.AssignStmt:
		return s.Tok != token.DEFINE && !blank(s.Lhs)
	case *ast.BranchStmt:
		return s.Tok == token.BREAK || s.Tok == token.CONTINUE
	default:
		return false
	}
}

func blank(list []ast.Expr) bool {
	for _, e := range list {
		if id, ok := e.(*ast.Ident); !ok || id.Name != "_" {
			return false
		}
	}
	return true
}

// onlyForTheCollector reports a call without which nothing changes that a test
// could see every time.
func (w *writer) onlyForTheCollector(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && w.isPackage(sel.X, "runtime") && sel.Sel.Name == "KeepAlive"
}

var lockMethods = map[string]bool{"Lock": true, "Unlock": true, "RLock": true, "RUnlock": true}

func isLockCall(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && lockMethods[sel.Sel.Name] && len(call.Args) == 0
}

// locks removes, for one mutex at a time, all its locking in one function: half
// of a pair would fail at once and say nothing.
func (w *writer) locks(body *ast.BlockStmt) {
	var order []string
	calls := map[string][]ast.Stmt{}
	for n := range ast.Preorder(body) {
		var call *ast.CallExpr
		switch s := n.(type) {
		case *ast.ExprStmt:
			call, _ = ast.Unparen(s.X).(*ast.CallExpr)
		case *ast.DeferStmt:
			call = s.Call
		}
		if call == nil || !isLockCall(call) {
			continue
		}
		mutex := w.show(call.Fun.(*ast.SelectorExpr).X)
		if calls[mutex] == nil {
			order = append(order, mutex)
		}
		calls[mutex] = append(calls[mutex], n.(ast.Stmt))
	}
	for _, mutex := range order {
		id, ok := w.add(calls[mutex][0], "locking of "+mutex, "removed")
		if !ok {
			continue
		}
		for _, s := range calls[mutex] {
			w.unless(id, s)
		}
	}
}
