package lint

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Policy reports uses of what an exercise forbids. It sees through aliases,
// dot imports and method values, because it asks the type checker what an
// identifier means. Its flag -policy.forbid is a comma-separated list of
// identifiers such as time.Sleep, sync.Pool or, for a whole package, fmt.*.
var Policy = &analysis.Analyzer{
	Name: "policy",
	Doc:  "reports uses of identifiers that the exercise forbids",
	Run:  runPolicy,
}

var forbidden string

func init() {
	Policy.Flags.StringVar(&forbidden, "forbid", "", "comma-separated identifiers, such as time.Sleep or fmt.*")
}

func runPolicy(pass *analysis.Pass) (any, error) {
	if forbidden == "" {
		return nil, nil
	}
	banned := map[string]bool{}
	for name := range strings.SplitSeq(forbidden, ",") {
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
			if banned[name] || banned[obj.Pkg().Path()+".*"] {
				pass.Reportf(id.Pos(), "%s is forbidden in this exercise", name)
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
