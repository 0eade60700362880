package interleave

import "go/ast"

// list puts the points around the statements of one statement list; owner is
// the block or clause that the list belongs to. Two neighbours share the point
// between them.
func (w *writer) list(owner ast.Node, stmts []ast.Stmt) {
	pointed := w.begun[owner]
	for _, s := range stmts {
		p := w.placesOf(unlabelled(s))
		if p.before && !pointed {
			w.before(s) // ahead of a label, which must keep its loop
		}
		if p.after {
			w.after(s)
		}
		pointed = p.after
	}
}

// places tells on which sides of a statement a point goes.
type places struct{ before, after bool }

var (
	nowhere = places{}
	ahead   = places{before: true}
	around  = places{before: true, after: true}
)

// placesOf decides on one statement of a list, and puts points at the start of
// the bodies that its header guards. A terminating statement has to stay the
// last of its function, so none of them gets a point behind it.
func (w *writer) placesOf(s ast.Stmt) places {
	switch s := s.(type) {
	case *ast.GoStmt, *ast.SendStmt:
		return around
	case *ast.ReturnStmt:
		return w.when(ahead, s)
	case *ast.ExprStmt:
		if isPanic(s.X) {
			return w.when(ahead, s)
		}
		return w.when(around, s)
	case *ast.AssignStmt, *ast.DeclStmt, *ast.IncDecStmt:
		return w.when(around, s)
	case *ast.DeferStmt:
		return w.when(around, append(nodes(s.Call.Args), s.Call.Fun)...)
	case *ast.IfStmt:
		return w.ifChain(s)
	case *ast.ForStmt:
		return w.loop(s.Body, s.Cond != nil, s.Init, s.Cond, s.Post)
	case *ast.RangeStmt:
		return w.loop(s.Body, true, s.Key, s.Value, s.X)
	case *ast.SwitchStmt:
		return w.switchOn(s.Body, s.Init, s.Tag)
	case *ast.TypeSwitchStmt:
		return w.switchOn(s.Body, s.Init, s.Assign)
	case *ast.SelectStmt:
		for _, c := range s.Body.List {
			w.begin(c, c.(*ast.CommClause).Colon)
		}
		return ahead
	default: // blocks, whose statements are visited on their own, and jumps
		return nowhere
	}
}

// when returns p if one of the nodes contains an operation.
func (w *writer) when(p places, nodes ...ast.Node) places {
	if w.ops.inAny(nodes...) {
		return p
	}
	return nowhere
}

// ifChain handles an if with all its else branches. Every body behind the first
// header with an operation begins with a point; a chain that can fall through
// has one behind it, too.
func (w *writer) ifChain(s *ast.IfStmt) places {
	p := nowhere
	for {
		if p.before || w.ops.inAny(s.Init, s.Cond) {
			p = ahead
			w.begin(s.Body, s.Body.Lbrace)
		}
		switch next := s.Else.(type) {
		case *ast.IfStmt:
			s = next
			continue
		case *ast.BlockStmt:
			if p.before {
				w.begin(next, next.Lbrace)
			}
		default:
			p.after = p.before
		}
		return p
	}
}

// loop handles a for statement; ends tells that it has a way out other than
// break, without which it may be terminating.
func (w *writer) loop(body *ast.BlockStmt, ends bool, header ...ast.Node) places {
	if !w.ops.inAny(header...) {
		return nowhere
	}
	w.begin(body, body.Lbrace)
	return places{before: true, after: ends}
}

// switchOn handles an expression or type switch, whose header includes the
// expressions of its cases. With a default clause it may be terminating.
func (w *writer) switchOn(body *ast.BlockStmt, header ...ast.Node) places {
	hit, hasDefault := w.ops.inAny(header...), false
	for _, c := range body.List {
		c := c.(*ast.CaseClause)
		hit = hit || w.ops.inAny(nodes(c.List)...)
		hasDefault = hasDefault || c.List == nil
	}
	if !hit {
		return nowhere
	}
	for _, c := range body.List {
		w.begin(c, c.(*ast.CaseClause).Colon)
	}
	return places{before: true, after: !hasDefault}
}

func unlabelled(s ast.Stmt) ast.Stmt {
	for {
		l, ok := s.(*ast.LabeledStmt)
		if !ok {
			return s
		}
		s = l.Stmt
	}
}

func isPanic(x ast.Expr) bool {
	call, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		return false
	}
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	return ok && id.Name == "panic"
}

func nodes(list []ast.Expr) []ast.Node {
	var out []ast.Node
	for _, x := range list {
		out = append(out, x)
	}
	return out
}
