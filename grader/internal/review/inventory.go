package review

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"

	"github.com/middle-go/course/grader/internal/assembly"
)

// Note is something at a line of the student's.
type Note struct {
	File string
	Line int
	Text string
}

// reaching are the packages that reach around the language.
var reaching = []string{"C", "unsafe", "plugin", "syscall", "os/exec"}

var directive = regexp.MustCompile(`^//(go:|line |export |extern )`)

// inventory lists unsafe, cgo, linkname and their like. Most of it is refused by
// the policy of exercises; programs may have some.
func inventory(files []assembly.File) []Note {
	var all []Note
	for _, f := range files {
		if path.Ext(f.Path) != ".go" {
			if e := path.Ext(f.Path); e == ".s" || e == ".c" || e == ".h" || e == ".syso" {
				all = append(all, Note{f.Path, 0, "is not Go"})
			}
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, f.Path, f.Content, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			all = append(all, Note{f.Path, 0, "does not parse; nobody has looked into it"})
			continue
		}
		add := func(pos token.Pos, text string) {
			all = append(all, Note{f.Path, fset.PositionFor(pos, false).Line, text})
		}
		for _, spec := range file.Imports {
			if name, err := strconv.Unquote(spec.Path.Value); err == nil && slices.Contains(reaching, name) {
				add(spec.Pos(), "imports "+name)
			}
		}
		for _, group := range file.Comments {
			for _, c := range group.List {
				if directive.MatchString(c.Text) {
					add(c.Pos(), c.Text)
				}
			}
		}
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body == nil {
				add(fn.Pos(), "func "+fn.Name.Name+" has no body")
			}
		}
	}
	return all
}
