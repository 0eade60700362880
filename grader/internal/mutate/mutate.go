// Package mutate writes programs that carry many small faults, of which one at
// a time can be switched on. Tests that pass with a fault switched on do not
// look at the code where it is.
//
// All mutants of a file are in one rewritten file, so that they are compiled
// once (mutant schemata: Untch, Offutt, Harrold, Mutation analysis using mutant
// schemata, ISSTA 1993). labkit/mutant switches them.
package mutate

import (
	"fmt"
	"go/ast"
	"go/printer"
	"go/token"
	"go/types"
	"strings"
)

// Mutant is one fault.
type Mutant struct {
	ID      int    // the number by which labkit/mutant knows it, from 1
	File    string // as given to [Rewrite]
	Line    int
	Func    string // the function or method it is in, such as (*Map).Get
	Was     string // the source, on one line
	Is      string // what it means when the mutant is on
	Ordinal int    // counts mutants of a file with the same Func, Was and Is, from 1
}

// Key names the mutant by what it changes, so that the name survives changes
// elsewhere in the file.
func (m Mutant) Key() string {
	key := fmt.Sprintf("%s: %s => %s", m.Func, m.Was, m.Is)
	if m.Ordinal > 1 {
		key += fmt.Sprintf(" #%d", m.Ordinal)
	}
	return key
}

const (
	mutantImport = "github.com/middle-go/course/grader/labkit/mutant"
	wantedName   = "mutant__"
)

// Source is one file of a type-checked package.
type Source struct {
	Name    string // for [Mutant.File]
	Content []byte
	Fset    *token.FileSet
	File    *ast.File // parsed from Content, with Fset
	Info    *types.Info
	Package *types.Package
}

// Rewrite returns src with mutants, whose numbers begin at first. Mutants for
// which skip returns true are left out, and so are their numbers. No line is
// added, so line numbers stay.
//
// The rewriter does not prove that the result compiles: without a statement, a
// function may lack its last return. Leave those mutants out and write again.
func Rewrite(src Source, first int, skip func(Mutant) bool) ([]byte, []Mutant) {
	w := &writer{Source: src, next: first, skip: skip, name: freeName(src.File), seen: map[string]int{}}
	for _, d := range src.File.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			w.function(f)
		}
	}
	if len(w.mutants) == 0 {
		return src.Content, nil
	}
	at := src.File.Name.End()
	w.edits.wrap(at, at, fmt.Sprintf("; import %s %q", w.name, mutantImport), "")
	return w.edits.apply(src.Content, src.Fset.File(src.File.Package)), w.mutants
}

// freeName returns an import name that no identifier of file has.
func freeName(file *ast.File) string {
	taken := make(map[string]bool)
	for n := range ast.Preorder(file) {
		if id, ok := n.(*ast.Ident); ok {
			taken[id.Name] = true
		}
	}
	name := wantedName
	for taken[name] {
		name += "_"
	}
	return name
}

// writer collects the mutants of one file.
type writer struct {
	Source
	edits   edits
	mutants []Mutant
	next    int
	skip    func(Mutant) bool
	name    string // of the import of labkit/mutant
	fn      string // the function it is in
	seen    map[string]int
}

// add makes a mutant at n and returns its number. It returns false if the
// mutant is left out.
func (w *writer) add(n ast.Node, was, is string) (id int, ok bool) {
	m := Mutant{
		ID: w.next, File: w.Name, Line: w.Fset.Position(n.Pos()).Line,
		Func: w.fn, Was: was, Is: is,
	}
	w.next++
	w.seen[m.Key()]++
	m.Ordinal = w.seen[m.Key()]
	if w.skip(m) {
		return 0, false
	}
	w.mutants = append(w.mutants, m)
	return m.ID, true
}

// call is the text of a call to labkit/mutant up to its first argument.
func (w *writer) call(function string, id int) string {
	return fmt.Sprintf("%s.%s(%d, ", w.name, function, id)
}

// on is the text that asks whether a mutant is on.
func (w *writer) on(id int) string { return fmt.Sprintf("%s.On(%d)", w.name, id) }

// show returns the source of n on one short line.
func (w *writer) show(n ast.Node) string {
	var b strings.Builder
	printer.Fprint(&b, w.Fset, n)
	text := []rune(strings.Join(strings.Fields(b.String()), " "))
	if len(text) > maxShown {
		return string(text[:maxShown-3]) + "..."
	}
	return string(text)
}

const maxShown = 60

func (w *writer) function(f *ast.FuncDecl) {
	w.fn = f.Name.Name
	if f.Recv != nil && len(f.Recv.List) == 1 {
		w.fn = "(" + receiver(f.Recv.List[0].Type) + ")." + w.fn
	}
	w.locks(f.Body)
	w.statements(f.Body)
	w.expressions(f)
}

// receiver returns the name of a receiver's type without type parameters.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return "*" + receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	default:
		return "?"
	}
}
