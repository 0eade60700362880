package interleave

import (
	"go/ast"
	"go/token"
	"strconv"
)

// methods are the names of the operations of sync, sync/atomic and errgroup.
var methods = setOf(
	"Lock", "Unlock", "TryLock", "RLock", "RUnlock", "TryRLock", // Mutex, RWMutex
	"Add", "Done", "Go", "Wait", // WaitGroup, Group; Add also of the atomics, Wait also of Cond
	"Signal", "Broadcast", // Cond
	"Do",                                                   // Once
	"Load", "Store", "Swap", "CompareAndSwap", "And", "Or", // atomics
	"LoadOrStore", "LoadAndDelete", "CompareAndDelete", "Delete", "Range", // Map
)

func setOf(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}

// operations recognises synchronisation operations in one file.
type operations struct {
	atomic map[string]bool // the names under which the file imports sync/atomic
}

func operationsOf(file *ast.File) operations {
	o := operations{atomic: make(map[string]bool)}
	for _, spec := range file.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err != nil || path != "sync/atomic" {
			continue
		}
		name := "atomic"
		if spec.Name != nil {
			name = spec.Name.Name
		}
		o.atomic[name] = true
	}
	return o
}

// inAny reports whether evaluating one of the nodes performs an operation. The
// body of a function literal runs later and does not count. Nodes may be nil.
func (o operations) inAny(nodes ...ast.Node) bool {
	found := false
	for _, n := range nodes {
		if n == nil {
			continue
		}
		ast.Inspect(n, func(n ast.Node) bool {
			found = found || o.is(n)
			_, literal := n.(*ast.FuncLit)
			return !found && !literal
		})
	}
	return found
}

// is reports whether n itself is an operation. Go statements and select are
// recognised as statements.
func (o operations) is(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.SendStmt:
		return true
	case *ast.UnaryExpr:
		return n.Op == token.ARROW
	case *ast.CallExpr:
		return o.isCallee(n.Fun)
	default:
		return false
	}
}

func (o operations) isCallee(fun ast.Expr) bool {
	switch fun := ast.Unparen(fun).(type) {
	case *ast.Ident:
		return fun.Name == "close"
	case *ast.SelectorExpr:
		x, ok := ast.Unparen(fun.X).(*ast.Ident)
		return methods[fun.Sel.Name] || ok && o.atomic[x.Name]
	case *ast.IndexExpr: // a call with explicit type arguments
		return o.isCallee(fun.X)
	case *ast.IndexListExpr:
		return o.isCallee(fun.X)
	default:
		return false
	}
}
