package interleave_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/printer"
	"go/token"
	"go/types"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/interleave"
)

// fuzzSeeds type-check, so that files close to them often do.
var fuzzSeeds = []string{
	`package p

import (
	"sync"
	"sync/atomic"
)

type T[E any] struct {
	mu sync.Mutex
	m  sync.Map
	n  atomic.Int64
}

func (t *T[E]) F(c chan E, done <-chan struct{}) (e E) {
	defer t.mu.Unlock()
	t.mu.Lock()
loop:
	for t.n.Load() < 3 {
		select {
		case e = <-c:
			continue loop
		case <-done:
			break loop
		default:
		}
	}
	switch n := t.n.Add(1); {
	case n > 1:
		fallthrough
	case n > 2:
		t.mu.Unlock()
	default:
		return
	}
	go func() { c <- e }()
	return e
}
`,
	"package p; func f(c chan int) int { if v := <-c; v > 0 { return 1 } else if v < 0 { panic(<-c) } else { return <-c } }",
	"package p\nfunc f(c chan int) int {\nL:\n\tfor i := <-c; ; i++ {\n\t\tif i > 2 {\n\t\t\tgoto L\n\t\t}\n\t}\n}\n",
	"package p\nimport a \"sync/atomic\"\nvar n int64\nfunc f() func() { return func() { a.AddInt64(&n, 1) } }\n",
	"package p\nfunc f(c chan string) {\r\n\tc <- `a\r\nb`\r\n\tclose(c); var ( x = <-c ); _ = x\r\n}\r\n",
	"package p\nfunc f(interleave__ chan int, v any) { switch v := v.(type) { case int: interleave__ <- v; case chan int: for range <-interleave__ { close(v) }; }; select {} }\n",
	"package p\nfunc f(c chan int) { for _, v := range []int{<-c} { _ = v }; A: B: { c <- 1; goto A; goto B } }\n",
}

// The result says what the source says, at the same lines, with calls of Point
// in between; and it compiles if the source does.
func FuzzRewrite(f *testing.F) {
	for _, src := range fuzzSeeds {
		f.Add([]byte(src))
	}
	std := importer.ForCompiler(token.NewFileSet(), "source", nil).(types.ImporterFrom)
	f.Fuzz(func(t *testing.T, src []byte) {
		fset := token.NewFileSet()
		before, err := parser.ParseFile(fset, "p.go", src, parser.SkipObjectResolution)
		out, rewriteErr := interleave.Rewrite("p.go", src)
		require.Equal(t, err == nil, rewriteErr == nil)
		if err != nil {
			return
		}
		after, err := parser.ParseFile(fset, "p.go", out, parser.SkipObjectResolution)
		require.NoError(t, err, "%s", out)
		require.Equal(t, bytes.Count(src, []byte("\n")), bytes.Count(out, []byte("\n")))
		require.Equal(t, string(src), string(withoutPoints(before, out)), "only calls of Point and their import are inserted")
		if typesCheck(fset, std, before) == nil {
			require.NoError(t, typesCheck(fset, std, after), "%s", out)
		}
		require.Equal(t, printed(t, before), printed(t, after))
	})
}

// insertedName is the name that labkit's package has in the result: the first
// that the source leaves free.
func insertedName(before *ast.File) string {
	name := "interleave__"
	for taken := true; taken; {
		taken = false
		ast.Inspect(before, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			taken = taken || ok && id.Name == name
			return true
		})
		if taken {
			name += "_"
		}
	}
	return name
}

// withoutPoints takes the insertions out of a result.
func withoutPoints(before *ast.File, out []byte) []byte {
	name := insertedName(before)
	out = bytes.Replace(out, fmt.Appendf(nil, "; import %s %q", name, "github.com/middle-go/course/grader/labkit/interleave"), nil, 1)
	call := regexp.QuoteMeta(name + ".Point()")
	return regexp.MustCompile(`; `+call+`|`+call+`; | `+call+`;`).ReplaceAll(out, nil)
}

// printed gives a file without its imports, calls of Point and all that stands
// for layout only.
func printed(t *testing.T, file *ast.File) string {
	t.Helper()
	var b bytes.Buffer
	for _, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			continue
		}
		ast.Inspect(d, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BlockStmt:
				n.List = withoutPointStatements(n.List)
			case *ast.CaseClause:
				n.Body = withoutPointStatements(n.Body)
			case *ast.CommClause:
				n.Body = withoutPointStatements(n.Body)
			}
			return true
		})
		require.NoError(t, printer.Fprint(&b, token.NewFileSet(), d))
	}
	return b.String()
}

func withoutPointStatements(list []ast.Stmt) []ast.Stmt {
	var kept []ast.Stmt
	for _, s := range list {
		if _, empty := s.(*ast.EmptyStmt); !empty && !isPoint(s) {
			kept = append(kept, s)
		}
	}
	return kept
}

// typesCheck compiles a file as far as its types go. It imports packages of
// synchronisation only.
func typesCheck(fset *token.FileSet, std types.ImporterFrom, file *ast.File) error {
	for _, spec := range file.Imports {
		switch name, _ := strconv.Unquote(spec.Path.Value); name {
		case "sync", "sync/atomic", "context", "time", "github.com/middle-go/course/grader/labkit/interleave":
		default:
			return fmt.Errorf("imports %s", name)
		}
	}
	check := types.Config{Importer: withPoint{std}, GoVersion: "go1.26"}
	_, err := check.Check("p", fset, []*ast.File{file}, nil)
	return err
}
