package lint

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Policy reports uses of what some exercise forbids. It sees through aliases,
// dot imports and method values, because it asks the type checker what an
// identifier means. The category of a diagnostic is what was looked for, such
// as time.Sleep, sync.Pool or, for a whole package, fmt.*; whether this
// exercise forbids it is for the caller to say.
//
// It looks for the names in [Watched], and for those in its flag
// -policy.forbid, with commas between.
var Policy = &analysis.Analyzer{
	Name: "policy",
	Doc:  "reports uses of identifiers that exercises forbid",
	Run:  runPolicy,
}

var forbidden string

func init() {
	Policy.Flags.StringVar(&forbidden, "forbid", "", "comma-separated identifiers, such as time.Sleep or fmt.*")
}

func runPolicy(pass *analysis.Pass) (any, error) {
	banned := map[string]bool{}
	for _, name := range slices.Concat(Watched, strings.Split(forbidden, ",")) {
		banned[name] = true
	}
	for _, file := range pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			obj := pass.TypesInfo.Uses[id]
			if obj == nil || obj.Pkg() == nil || obj.Pkg() == pass.Pkg {
				return true
			}
			name := qualified(obj)
			for _, entry := range []string{name, obj.Pkg().Path() + ".*"} {
				if banned[entry] {
					pass.Report(analysis.Diagnostic{Pos: id.Pos(), Category: entry, Message: name + " is forbidden in this exercise"})
				}
			}
			return true
		})
	}
	return nil, nil
}

// qualified names obj as the manifest does: time.Sleep for a function, type or
// variable, sync.Map.Range for a method.
func qualified(obj types.Object) string {
	name := obj.Pkg().Path() + "." + obj.Name()
	f, ok := obj.(*types.Func)
	if !ok {
		return name
	}
	recv := f.Signature().Recv()
	if recv == nil {
		return name
	}
	t := types.Unalias(recv.Type())
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	if named, ok := t.(*types.Named); ok {
		return obj.Pkg().Path() + "." + named.Obj().Name() + "." + obj.Name()
	}
	return name
}
