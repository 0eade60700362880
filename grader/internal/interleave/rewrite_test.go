package interleave_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/interleave"
)

const header = `package p; import interleave__ "github.com/middle-go/course/grader/labkit/interleave"`

// rewriteBody rewrites a file whose second line is the given text and returns
// the new text of that line and those below, with every point written as P().
func rewriteBody(t *testing.T, body string) string {
	t.Helper()
	out, err := interleave.Rewrite("p.go", []byte("package p\n"+body))
	require.NoError(t, err)
	first, rest, _ := strings.Cut(string(out), "\n")
	require.Contains(t, []string{"package p", header}, first)
	require.Equal(t, first == header, rest != body, "the import is there if and only if a point is")
	return strings.ReplaceAll(rest, "interleave__.Point()", "P()")
}

func TestRewrite_PutsPointsAroundOperations(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"lock and unlock share a point",
			"func f() { mu.Lock(); n++; mu.Unlock(); mu.Lock() }",
			"func f() { P(); mu.Lock(); P(); n++; P(); mu.Unlock(); P(); mu.Lock(); P() }"},
		{"channel operations",
			"func f() {\n\tc <- 1\n\tx := <-c\n\t<-c\n\tclose(c) // done\n\tvar y = <-c\n\t_, _ = x, y\n}",
			"func f() {\n\tP(); c <- 1; P()\n\tx := <-c; P()\n\t<-c; P()\n\tclose(c); P() // done\n\tvar y = <-c; P()\n\t_, _ = x, y\n}"},
		{"an operation inside an expression",
			"func f() { g(1, n.Load()+2)\nreturn }",
			"func f() { P(); g(1, n.Load()+2); P()\nreturn }"},
		{"package sync/atomic under its name",
			"import \"sync/atomic\"\nfunc f() { atomic.AddInt64(&n, 1) }",
			"import \"sync/atomic\"\nfunc f() { P(); atomic.AddInt64(&n, 1); P() }"},
		{"package sync/atomic under another name",
			"import a \"sync/atomic\"\nfunc f() { a.AddInt64(&n, 1); atomic.AddInt64(&n, 1) }",
			"import a \"sync/atomic\"\nfunc f() { P(); a.AddInt64(&n, 1); P(); atomic.AddInt64(&n, 1) }"},
		{"explicit type arguments",
			"func f() { x.Load[int](); x.Swap[int, string](1); (mu.Lock)() }",
			"func f() { P(); x.Load[int](); P(); x.Swap[int, string](1); P(); (mu.Lock)(); P() }"},
		{"a go statement and the body of its literal",
			"func f() {\n\tgo func() {\n\t\tdefer wg.Done()\n\t\tc <- 1\n\t}()\n}",
			"func f() {\n\tP(); go func() {\n\t\tdefer wg.Done()\n\t\tP(); c <- 1; P()\n\t}(); P()\n}"},
		{"a literal inside an expression",
			"var v = map[string]func(){\"a\": func() { mu.Lock() }}",
			"var v = map[string]func(){\"a\": func() { P(); mu.Lock(); P() }}"},
		{"a statement around a literal is not an operation itself",
			"func f() { g(func() { mu.Lock() }) }",
			"func f() { g(func() { P(); mu.Lock(); P() }) }"},
		{"a deferred call has none, its arguments and literal have",
			"func f() { defer mu.Unlock(); defer g(<-c); defer func() { c <- 1 }() }",
			"func f() { defer mu.Unlock(); P(); defer g(<-c); P(); defer func() { P(); c <- 1; P() }() }"},
		{"nothing behind a return, break or panic",
			"func f() int { for { if b { panic(<-c) }; return n.Load() } }",
			"func f() int { for { if b { P(); panic(<-c) }; P(); return n.Load() } }"},
		{"a trailing point in a clause, before the next",
			"func f() { switch { case b: mu.Lock(); case d: mu.Unlock() } }",
			"func f() { switch { case b: P(); mu.Lock(); P(); case d: P(); mu.Unlock(); P() } }"},
		{"a call that ends on another line",
			"func f() {\n\tn.Store(\n\t\t1,\n\t)\n\tvar (\n\t\ta = <-c\n\t)\n}",
			"func f() {\n\tP(); n.Store(\n\t\t1,\n\t); P()\n\tvar (\n\t\ta = <-c\n\t); P()\n}"},
		{"carriage returns in a raw string at the end",
			"func f() {\r\n\tc <- `a\r\nb`\r\n}\r\n",
			"func f() {\r\n\tP(); c <- `a\r\nb`; P()\r\n}\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, tc.want, rewriteBody(t, tc.in))
		})
	}
}

func TestRewrite_PutsPointsAtTheStartOfGuardedBodies(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"if without else",
			"func f() { if !mu.TryLock() { return }; g() }",
			"func f() { P(); if !mu.TryLock() { P(); return }; P(); g() }"},
		{"if with init and else, which may be terminating",
			"func f() int { if v := <-c; v > 0 { return 1 } else { return 2 } }",
			"func f() int { P(); if v := <-c; v > 0 { P(); return 1 } else { P(); return 2 } }"},
		{"else if, from the first operation on",
			"func f() { if a { g() } else if n.Load() == 1 { g() } else if b { g() } }",
			"func f() { P(); if a { g() } else if n.Load() == 1 { P(); g() } else if b { P(); g() }; P() }"},
		{"a body that begins with an operation",
			"func f() { if n.Load() > 0 {mu.Lock() } }",
			"func f() { P(); if n.Load() > 0 { P();mu.Lock(); P() }; P() }"},
		{"for with a condition",
			"func f() { for !n.CompareAndSwap(0, 1) {} }",
			"func f() { P(); for !n.CompareAndSwap(0, 1) { P();}; P() }"},
		{"for without one, which may be terminating",
			"func f() int { for i := <-c; ; n.Add(1) { g(i) } }",
			"func f() int { P(); for i := <-c; ; n.Add(1) { P(); g(i) } }"},
		{"range over a received value",
			"func f() { for _, v := range <-c { g(v) } }",
			"func f() { P(); for _, v := range <-c { P(); g(v) }; P() }"},
		{"switch",
			"func f() { switch <-c { case 1: fallthrough; case 2: g() } }",
			"func f() { P(); switch <-c { case 1: P(); fallthrough; case 2: P(); g() }; P() }"},
		{"switch with a default clause, which may be terminating",
			"func f() int { switch s := n.Load(); s { case 1: return 1; default: return 2 } }",
			"func f() int { P(); switch s := n.Load(); s { case 1: P(); return 1; default: P(); return 2 } }"},
		{"switch with an operation in a case",
			"func f() { switch { case n.Load() > 0:\n\tg()\n\tcase a:\n} }",
			"func f() { P(); switch { case n.Load() > 0: P();\n\tg()\n\tcase a: P();\n}; P() }"},
		{"type switch",
			"func f() { switch v := (<-c).(type) { case int: g(v) } }",
			"func f() { P(); switch v := (<-c).(type) { case int: P(); g(v) }; P() }"},
		{"select",
			"func f() int { select { case v := <-c: return v; case c <- g(func() { mu.Lock() }): n++\ndefault: }; return 0 }",
			"func f() int { P(); select { case v := <-c: P(); return v; case c <- g(func() { P(); mu.Lock(); P() }): P(); n++\ndefault: P(); }; return 0 }"},
		{"empty select",
			"func f() int { select {} }",
			"func f() int { P(); select {} }"},
		{"a point goes ahead of the label of a loop",
			"func f() {\nL:\n\tfor {\n\t\tselect {\n\t\tcase <-c:\n\t\t\tcontinue L\n\t\t}\n\t}\n}",
			"func f() {\nL:\n\tfor {\n\t\tP(); select {\n\t\tcase <-c: P();\n\t\t\tcontinue L\n\t\t}\n\t}\n}"},
		{"a labelled operation",
			"func f() { A: B: for n.Load() > 0 { continue B }; goto A; C: mu.Lock(); goto C }",
			"func f() { P(); A: B: for n.Load() > 0 { P(); continue B }; P(); goto A; P(); C: mu.Lock(); P(); goto C }"},
		{"a literal in a header",
			"func f() { if func() bool { mu.Lock(); return true }() { g() } }",
			"func f() { if func() bool { P(); mu.Lock(); P(); return true }() { g() } }"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, tc.want, rewriteBody(t, tc.in))
		})
	}
}

func TestRewrite_ReturnsAFileWithoutOperationsUnchanged(t *testing.T) {
	src := []byte("// Package p.\npackage p // p\n\nfunc f(c chan int) { for range c { println() } }\n")
	out, err := interleave.Rewrite("p.go", src)
	require.NoError(t, err)
	require.Equal(t, string(src), string(out))
}

func TestRewrite_ImportsOnTheLineOfThePackageClause(t *testing.T) {
	const comment = "//go:build linux\n\n// Package p.\n"
	out, err := interleave.Rewrite("p.go", []byte(comment+"package p // p\nimport \"C\"\nfunc f() { close(c) }\n"))
	require.NoError(t, err)
	require.Equal(t, comment+header+" // p\nimport \"C\"\nfunc f() { interleave__.Point(); close(c); interleave__.Point() }\n", string(out))
}

func TestRewrite_TakesAnotherNameForTheImportIfItsOwnIsInUse(t *testing.T) {
	out, err := interleave.Rewrite("p.go", []byte("package p\nfunc f(interleave__ chan int) { close(interleave__) }\n"))
	require.NoError(t, err)
	require.Equal(t, strings.Replace(header, "interleave__", "interleave___", 1)+
		"\nfunc f(interleave__ chan int) { interleave___.Point(); close(interleave__); interleave___.Point() }\n", string(out))
}

func TestRewrite_ReportsWhereTheSourceDoesNotParse(t *testing.T) {
	_, err := interleave.Rewrite("week05/p.go", []byte("package p\nfunc {"))
	require.ErrorContains(t, err, "week05/p.go:2:6")
}

// linesOf returns the line of every statement and comment of src in the order
// of the source, points left out.
func linesOf(t *testing.T, name string, src []byte) []int {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	require.NoError(t, err)
	var lines []int
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Comment:
			lines = append(lines, fset.PositionFor(n.Pos(), false).Line)
		case ast.Stmt:
			if !isPoint(n) {
				lines = append(lines, fset.PositionFor(n.Pos(), false).Line, fset.PositionFor(n.End(), false).Line)
			}
		}
		return true
	})
	return lines
}

func isPoint(s ast.Stmt) bool {
	x, ok := s.(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := x.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Point"
}
