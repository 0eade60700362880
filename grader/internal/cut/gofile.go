package cut

import (
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/scanner"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// format returns the kept lines of a Go file as gofmt writes them.
func (t *text) format(kept []line) ([]byte, error) {
	content, err := format.Source(join(kept))
	if err != nil {
		return nil, t.syntaxError(kept, err)
	}
	return content, nil
}

// withoutUnusedImports leaves out the imports that only the lines that are not
// kept have used.
func (t *text) withoutUnusedImports(kept []line) ([]line, error) {
	unused, err := t.unusedImports(kept)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(kept, func(l line) bool { return unused[l.number] }), nil
}

// unusedImports returns the numbers of the lines with imports that the whole
// file uses and the kept lines do not.
func (t *text) unusedImports(kept []line) (map[int]bool, error) {
	whole, err := t.parseGo(slices.DeleteFunc(slices.Clone(t.lines), func(l line) bool { return l.until != "" }))
	if err != nil {
		return nil, err
	}
	part, err := t.parseGo(kept)
	if err != nil {
		return nil, err
	}
	unused := map[int]bool{}
	for _, decl := range part.file.Decls {
		imports, ok := decl.(*ast.GenDecl)
		if !ok || imports.Tok != token.IMPORT {
			continue
		}
		left := len(imports.Specs)
		for _, s := range imports.Specs {
			spec := s.(*ast.ImportSpec)
			if whole.uses(spec) && !part.uses(spec) {
				part.mark(unused, spec)
				if spec.Doc != nil {
					part.mark(unused, spec.Doc)
				}
				left--
			}
		}
		if left == 0 {
			part.mark(unused, imports)
		}
	}
	return unused, nil
}

// goLines is a parsed Go file that was made of lines.
type goLines struct {
	lines []line
	fset  *token.FileSet
	file  *ast.File
	names map[string]bool // what stands before a dot and is declared nowhere in the file
}

func (t *text) parseGo(lines []line) (*goLines, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", join(lines), parser.ParseComments)
	if err != nil {
		return nil, t.syntaxError(lines, err)
	}
	g := &goLines{lines: lines, fset: fset, file: file, names: map[string]bool{}}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Obj == nil {
				g.names[x.Name] = true
			}
		}
		return true
	})
	return g, nil
}

// syntaxError says where in the reference the first error of a cut is.
func (t *text) syntaxError(kept []line, err error) error {
	list, ok := errors.AsType[scanner.ErrorList](err)
	if !ok || len(list) == 0 || len(kept) == 0 {
		return fmt.Errorf("%s: the cut is no Go file: %w", t.name, err)
	}
	at := kept[min(max(list[0].Pos.Line, 1), len(kept))-1].number
	return fmt.Errorf("%s:%d: the cut is no Go file: %s", t.name, at, list[0].Msg)
}

// uses reports whether the file uses an import by its name, or by one of the
// names that its path suggests.
func (g *goLines) uses(spec *ast.ImportSpec) bool {
	if spec.Name != nil {
		return g.names[spec.Name.Name]
	}
	importPath, _ := strconv.Unquote(spec.Path.Value)
	return slices.ContainsFunc(packageNames(importPath), func(name string) bool { return g.names[name] })
}

// mark notes the lines of a node.
func (g *goLines) mark(lines map[int]bool, n ast.Node) {
	for i := g.fset.Position(n.Pos()).Line; i <= g.fset.Position(n.End()).Line; i++ {
		lines[g.lines[i-1].number] = true
	}
}

var majorVersion = regexp.MustCompile(`^v\d+$`)

// packageNames returns the names that a package with the given path may well
// have: yaml for gopkg.in/yaml.v3, go.yaml.in/yaml/v3 and goccy/go-yaml.
func packageNames(importPath string) []string {
	last := path.Base(importPath)
	if majorVersion.MatchString(last) {
		last = path.Base(path.Dir(importPath))
	}
	last, _, _ = strings.Cut(last, ".")
	names := []string{last, strings.ReplaceAll(last, "-", ""), strings.ReplaceAll(last, "-", "_")}
	return append(names, strings.Split(last, "-")...)
}
