// Package interleave rewrites Go source so that the goroutines of a program
// change places at every synchronisation operation.
//
// The rewriter knows syntax only. It goes by the names of methods, so a call
// that happens to be called Add or Done gets its points too, which costs a few
// yields and nothing else. It does not see a range over a channel.
package interleave

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
)

const (
	pointImport = "github.com/middle-go/course/grader/labkit/interleave"
	wantedName  = "interleave__"
)

// Rewrite returns src with a call to labkit's interleave.Point before and after
// every statement that locks, sends, receives, closes, selects, starts a
// goroutine, or uses an atomic, WaitGroup, Cond, Once or sync.Map. Where the
// operation is in the header of an if, for or switch, the bodies begin with a
// point. A deferred call gets none.
//
// Insertions add no line, so messages and comments keep their line numbers, and
// the result compiles whenever src does. A file without such statements comes
// back as it is. The error is that of a src that does not parse; filename is
// used in it and not opened. Rewrite is safe for concurrent use.
func Rewrite(filename string, src []byte) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, filename, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("interleave: %w", err)
	}
	name := freeName(file)
	w := &writer{
		ops:   operationsOf(file),
		call:  name + ".Point()",
		begun: make(map[ast.Node]bool),
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			w.list(n, n.List)
		case *ast.CaseClause:
			w.list(n, n.Body)
		case *ast.CommClause:
			w.list(n, n.Body)
		}
		return true
	})
	if len(w.insertions) == 0 {
		return src, nil
	}
	w.insert(file.Name.End(), fmt.Sprintf("; import %s %q", name, pointImport))
	return w.apply(src, fset.File(file.Package)), nil
}

// freeName returns an import name that no identifier of file has.
func freeName(file *ast.File) string {
	taken := make(map[string]bool)
	ast.Inspect(file, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			taken[id.Name] = true
		}
		return true
	})
	name := wantedName
	for taken[name] {
		name += "_"
	}
	return name
}

// writer collects the insertions for one file.
type writer struct {
	ops        operations
	call       string            // the text of a call to Point
	begun      map[ast.Node]bool // blocks and clauses that begin with a point
	insertions []insertion
}

type insertion struct {
	pos  token.Pos
	text string
}

func (w *writer) insert(pos token.Pos, text string) {
	w.insertions = append(w.insertions, insertion{pos, text})
}

func (w *writer) before(s ast.Stmt) { w.insert(s.Pos(), w.call+"; ") }
func (w *writer) after(s ast.Stmt)  { w.insert(s.End(), "; "+w.call) }

// begin puts a point at the start of a block or clause, behind its brace or
// colon.
func (w *writer) begin(n ast.Node, opening token.Pos) {
	w.begun[n] = true
	w.insert(opening+1, " "+w.call+";")
}

// apply returns src with all insertions made.
func (w *writer) apply(src []byte, file *token.File) []byte {
	slices.SortStableFunc(w.insertions, func(a, b insertion) int { return cmp.Compare(a.pos, b.pos) })
	var out bytes.Buffer
	done := 0
	for _, in := range w.insertions {
		at := file.Offset(in.pos)
		out.Write(src[done:at])
		out.WriteString(in.text)
		done = at
	}
	out.Write(src[done:])
	return out.Bytes()
}
