package mutate

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"
)

// expressions changes the expressions of a function.
func (w *writer) expressions(f *ast.FuncDecl) {
	results := []*types.Tuple{w.signature(f.Name)}
	var path []ast.Node
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if n == nil {
			if _, ok := path[len(path)-1].(*ast.FuncLit); ok {
				results = results[:len(results)-1]
			}
			path = path[:len(path)-1]
			return true
		}
		parent := ast.Node(f.Body)
		if len(path) > 0 {
			parent = path[len(path)-1]
		}
		if !w.enters(n) || w.isCapacity(n, parent) {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncLit:
			sig, _ := w.Info.TypeOf(n).(*types.Signature)
			results = append(results, sig.Results())
		case *ast.ReturnStmt:
			w.returned(n, results[len(results)-1])
		case *ast.CommClause:
			w.selected(n)
		case ast.Expr:
			w.expression(n, parent)
		}
		path = append(path, n)
		return true
	})
}

// enters reports whether what is below n may change: declarations of constants
// and types may not.
func (w *writer) enters(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GenDecl:
		return n.Tok == token.VAR
	case *ast.ArrayType, *ast.StructType, *ast.FuncType, *ast.InterfaceType, *ast.MapType, *ast.ChanType:
		return false
	case ast.Expr: // a constant is one expression
		v := w.Info.Types[n].Value
		_, literal := n.(*ast.BasicLit)
		_, name := n.(*ast.Ident)
		return v == nil || literal || name
	default:
		return true
	}
}

func (w *writer) signature(name *ast.Ident) *types.Tuple {
	return w.Info.Defs[name].(*types.Func).Signature().Results()
}

func (w *writer) expression(e, parent ast.Node) {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		w.binary(e, parent)
	case *ast.BasicLit:
		w.literal(e, parent)
	case *ast.Ident:
		w.truth(e)
		w.condition(e, parent)
	case *ast.CallExpr, *ast.SelectorExpr, *ast.UnaryExpr, *ast.IndexExpr:
		w.condition(e.(ast.Expr), parent)
	}
}

var orders = map[token.Token]struct{ call, mutant string }{
	token.LSS: {"Less", "<="}, token.LEQ: {"LessOrEqual", "<"},
	token.GTR: {"Greater", ">="}, token.GEQ: {"GreaterOrEqual", ">"},
}

var operations = map[token.Token]struct{ call, mutant string }{
	token.ADD: {"Plus", "-"}, token.SUB: {"Minus", "+"}, token.MUL: {"Times", "+"},
	token.QUO: {"Quotient", "*"}, token.REM: {"Remainder", ""},
}

func (w *writer) binary(e *ast.BinaryExpr, parent ast.Node) {
	x, y := w.show(e.X), w.show(e.Y)
	switch e.Op {
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		w.negate(e, parent)
		if o := orders[e.Op]; w.sameBasic(e, types.IsOrdered) {
			w.replaceOperator(e, o.call, x+" "+o.mutant+" "+y)
		}
	case token.EQL, token.NEQ:
		w.negate(e, parent)
	case token.LAND, token.LOR:
		for _, part := range []ast.Expr{e.X, e.Y} {
			w.drop(part, e.Op)
		}
	case token.ADD, token.SUB, token.MUL, token.QUO, token.REM:
		if o := operations[e.Op]; w.sameBasic(e, types.IsNumeric) && !isComplex(w.Info.TypeOf(e)) {
			is := x + " " + o.mutant + " " + y
			if o.mutant == "" {
				is = x
			}
			w.replaceOperator(e, o.call, is)
		}
	}
}

// sameBasic reports whether both operands of e have the same type, and its
// underlying type is a basic one of the given kind.
func (w *writer) sameBasic(e *ast.BinaryExpr, kind types.BasicInfo) bool {
	x, y := w.Info.TypeOf(e.X), w.Info.TypeOf(e.Y)
	b, ok := x.Underlying().(*types.Basic)
	return ok && b.Info()&kind != 0 && b.Info()&types.IsUntyped == 0 && types.Identical(x, y)
}

func isComplex(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsComplex != 0
}

// replaceOperator turns x op y into a call.
func (w *writer) replaceOperator(e *ast.BinaryExpr, call, is string) {
	if id, ok := w.add(e, w.show(e), is); ok {
		w.edits.wrap(e.Pos(), e.End(), w.call(call, id), ")")
		w.edits.replaceWith(e.OpPos, e.OpPos+token.Pos(len(e.Op.String())), ",")
	}
}

// negate makes the mutant !(e). Where e is a part of && or ||, the mutant
// without that part stands for it.
func (w *writer) negate(e ast.Expr, parent ast.Node) {
	if isLogic(parent) || !w.isBool(e) {
		return
	}
	if id, ok := w.add(e, w.show(e), "!("+w.show(e)+")"); ok {
		w.edits.wrap(e.Pos(), e.End(), "((", ") != "+w.on(id)+")")
	}
}

// drop makes the mutant that does not ask for one part of && or ||.
func (w *writer) drop(part ast.Expr, op token.Token) {
	if !w.isBool(part) {
		return
	}
	is, text := "true", " || "
	if op == token.LOR {
		is, text = "false", " && !"
	}
	if id, ok := w.add(part, w.show(part), is); ok {
		w.edits.wrap(part.Pos(), part.End(), "((", ")"+text+w.on(id)+")")
	}
}

// condition negates what an if asks, where it is no comparison.
func (w *writer) condition(e ast.Expr, parent ast.Node) {
	if s, ok := parent.(*ast.IfStmt); ok && s.Cond == e {
		w.negate(e, parent)
	}
}

func isLogic(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		return n.Op == token.LAND || n.Op == token.LOR
	case *ast.ParenExpr:
		return true // its own parent decides, and a mutant there says the same
	default:
		return false
	}
}

// isBool reports whether e is of type bool itself.
func (w *writer) isBool(e ast.Expr) bool {
	b, ok := w.Info.TypeOf(e).(*types.Basic)
	return ok && b.Info()&types.IsBoolean != 0 && w.Info.Types[e].Value == nil
}

// truth changes the literals true and false.
func (w *writer) truth(e *ast.Ident) {
	if obj := w.Info.Uses[e]; obj != types.Universe.Lookup("true") && obj != types.Universe.Lookup("false") {
		return
	}
	if b, ok := w.Info.TypeOf(e).(*types.Basic); !ok || b.Info()&types.IsBoolean == 0 {
		return
	}
	if id, ok := w.add(e, e.Name, map[string]string{"true": "false", "false": "true"}[e.Name]); ok {
		w.edits.replaceWith(e.Pos(), e.End(), "("+e.Name+" != "+w.on(id)+")")
	}
}

// literal adds one to a number.
func (w *writer) literal(e *ast.BasicLit, parent ast.Node) {
	if e.Kind != token.INT && e.Kind != token.CHAR || mustBeConstant(e, parent) {
		return
	}
	t := w.Info.TypeOf(e)
	b, ok := t.Underlying().(*types.Basic)
	if !ok || b.Info()&types.IsNumeric == 0 || isComplex(t) {
		return
	}
	if b.Info()&types.IsUntyped != 0 {
		t = types.Default(t)
	}
	name, ok := w.typeName(t)
	if !ok {
		return
	}
	is := e.Value + " + 1"
	if v, exact := constant.Int64Val(constant.ToInt(constant.MakeFromLiteral(e.Value, e.Kind, 0))); exact && e.Kind == token.INT {
		is = constant.MakeInt64(v + 1).String()
	}
	if id, ok := w.add(e, w.context(e, parent), is); ok {
		w.edits.wrap(e.Pos(), e.End(), w.name+".Constant["+name+"]("+strconv.Itoa(id)+", ", ")")
	}
}

// context shows a literal with what is around it.
func (w *writer) context(e *ast.BasicLit, parent ast.Node) string {
	if p, ok := parent.(ast.Expr); ok {
		if text := w.show(p); len(text) < maxShown {
			return e.Value + " in " + text
		}
	}
	return e.Value
}

// mustBeConstant reports whether a literal stands where the language wants a
// constant.
func mustBeConstant(e *ast.BasicLit, parent ast.Node) bool {
	p, ok := parent.(*ast.KeyValueExpr)
	return ok && p.Key == e
}

// isCapacity reports whether n, an argument of make, says only how much memory
// to set aside. For a channel it says more.
func (w *writer) isCapacity(n, parent ast.Node) bool {
	call, ok := parent.(*ast.CallExpr)
	if !ok {
		return false
	}
	id, ok := call.Fun.(*ast.Ident)
	if !ok || w.Info.Uses[id] != types.Universe.Lookup("make") {
		return false
	}
	switch w.Info.TypeOf(call).Underlying().(type) {
	case *types.Map:
		return n != call.Args[0]
	case *types.Slice:
		return len(call.Args) == 3 && n == call.Args[2]
	default:
		return false
	}
}

// typeName returns how t is written in the file, if it can be.
func (w *writer) typeName(t types.Type) (string, bool) {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return t.Name(), true
	case *types.Named:
		if t.TypeArgs().Len() > 0 || t.Obj().Parent() == nil {
			return "", false
		}
		if t.Obj().Pkg() == w.Package {
			return t.Obj().Name(), t.Obj().Parent() == w.Package.Scope()
		}
		for _, spec := range w.File.Imports {
			if name := w.Info.PkgNameOf(spec); name != nil && name.Imported() == t.Obj().Pkg() {
				return name.Name() + "." + t.Obj().Name(), name.Name() != "_" && name.Name() != "."
			}
		}
	}
	return "", false
}

func (w *writer) isPackage(e ast.Expr, path string) bool {
	id, ok := e.(*ast.Ident)
	if !ok {
		return false
	}
	name, ok := w.Info.Uses[id].(*types.PkgName)
	return ok && name.Imported().Path() == path
}

// returned swallows errors that a function returns.
func (w *writer) returned(s *ast.ReturnStmt, results *types.Tuple) {
	if results.Len() != len(s.Results) {
		return
	}
	for i, e := range s.Results {
		if !types.Identical(results.At(i).Type(), types.Universe.Lookup("error").Type()) || w.Info.Types[e].IsNil() {
			continue
		}
		if id, ok := w.add(e, "return "+w.show(e), "nil"); ok {
			w.edits.wrap(e.Pos(), e.End(), w.call("Error", id), ")")
		}
	}
}

// selected makes one case of a select never ready.
func (w *writer) selected(c *ast.CommClause) {
	var channel ast.Expr
	call := "Receive"
	switch s := c.Comm.(type) {
	case *ast.SendStmt:
		channel, call = s.Chan, "Send"
	case *ast.ExprStmt:
		channel = received(s.X)
	case *ast.AssignStmt:
		channel = received(s.Rhs[0])
	}
	if channel == nil {
		return
	}
	if id, ok := w.add(c, "case "+w.show(c.Comm), "never ready"); ok {
		w.edits.wrap(channel.Pos(), channel.End(), w.call(call, id), ")")
	}
}

func received(e ast.Expr) ast.Expr {
	if u, ok := ast.Unparen(e).(*ast.UnaryExpr); ok && u.Op == token.ARROW {
		return u.X
	}
	return nil
}
