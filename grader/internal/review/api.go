package review

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/assembly"
)

// API is how the exported declarations differ from those of the stub. Each is
// written as a declaration without its body, behind the name of its directory.
type API struct {
	Added   []string
	Removed []string
}

// changedAPI compares the exported declarations. A changed one is removed and
// added.
func changedAPI(files, given []assembly.File) API {
	before, after := exported(given, files), exported(files, files)
	var a API
	for _, d := range slices.Sorted(maps.Keys(after)) {
		if !before[d] {
			a.Added = append(a.Added, d)
		}
	}
	for _, d := range slices.Sorted(maps.Keys(before)) {
		if !after[d] {
			a.Removed = append(a.Removed, d)
		}
	}
	return a
}

// exported returns the exported declarations of those files that are among
// wanted. What does not parse has none; the build has said so.
func exported(files, wanted []assembly.File) map[string]bool {
	all := map[string]bool{}
	for _, f := range files {
		isWanted := slices.ContainsFunc(wanted, func(w assembly.File) bool { return w.Path == f.Path })
		if !isWanted || f.IsTest() || path.Ext(f.Path) != ".go" {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, f.Path, f.Content, parser.SkipObjectResolution)
		if err != nil || file.Name.Name == "main" {
			continue
		}
		for _, d := range declarations(fset, file) {
			all[path.Base(path.Dir(f.Path))+": "+d] = true
		}
	}
	return all
}

// declarations returns the exported declarations of a file, the fields and the
// methods of a type one by one.
func declarations(fset *token.FileSet, file *ast.File) []string {
	ast.FileExports(file)
	var list []string
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			list = append(list, printed(fset, &ast.FuncDecl{Recv: d.Recv, Name: d.Name, Type: d.Type}))
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					list = append(list, typeDeclarations(fset, spec)...)
				case *ast.ValueSpec: // what a value is says nothing of the shape
					list = append(list, d.Tok.String()+" "+printed(fset, &ast.ValueSpec{Names: spec.Names, Type: spec.Type}))
				}
			}
		}
	}
	return list
}

func typeDeclarations(fset *token.FileSet, spec *ast.TypeSpec) []string {
	var fields *ast.FieldList
	shape := ast.TypeSpec{Name: spec.Name, TypeParams: spec.TypeParams, Assign: spec.Assign, Type: spec.Type}
	switch t := spec.Type.(type) {
	case *ast.StructType:
		fields, shape.Type = t.Fields, ast.NewIdent("struct")
	case *ast.InterfaceType:
		fields, shape.Type = t.Methods, ast.NewIdent("interface")
	}
	list := []string{"type " + printed(fset, &shape)}
	if fields == nil {
		return list
	}
	for _, f := range fields.List {
		of := printed(fset, f.Type)
		if len(f.Names) == 0 {
			list = append(list, spec.Name.Name+" embeds "+of)
		}
		for _, name := range f.Names {
			list = append(list, spec.Name.Name+"."+name.Name+" "+of)
		}
	}
	return list
}

func printed(fset *token.FileSet, node any) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, fset, node); err != nil {
		return ""
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
