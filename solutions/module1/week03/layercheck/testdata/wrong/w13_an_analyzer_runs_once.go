// Wrong: believes that an Analyzer runs once, so its closure can keep what it has seen.
// Caught by: TestAnalyzer_PassesAreIndependent

// Package layercheck is a linter for the layers of a service: it reports
// imports that a layer must not have, and exported declarations that give away
// types of such packages.
package layercheck

import (
	"bufio"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/tools/go/analysis"
)

// Rules say which layers there are and what each of them may import.
type Rules struct{ Layers []Layer }

// Layer is the packages at and below an import path. A package that is at or
// below the paths of several layers belongs to the one with the longest path.
type Layer struct {
	Name string
	Path string

	// MayImport holds the names of the other layers whose packages this layer
	// may import. Its own packages it may import anyway.
	MayImport []string

	// Deny holds import paths. What is at or below one of them must not be
	// imported, whatever MayImport says. Packages outside all layers are
	// allowed unless they are denied.
	Deny []string
}

// ParseRules reads rules in the format that the README describes. Layers, and
// the words of their import and deny lines, keep their order. The text of an
// error about a line begins with "line 3: ". An error of r is wrapped.
func ParseRules(r io.Reader) (Rules, error) {
	var rules Rules
	type use struct {
		line  int
		layer string
	}
	var uses []use
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		if err := rules.parse(words[0], words[1:]); err != nil {
			return Rules{}, fmt.Errorf("line %d: %w", n, err)
		}
		if words[0] == "import" {
			for _, name := range words[1:] {
				uses = append(uses, use{n, name})
			}
		}
	}
	if err := lines.Err(); err != nil {
		return Rules{}, fmt.Errorf("read rules: %w", err)
	}
	if len(rules.Layers) == 0 {
		return Rules{}, errors.New("the rules have no layer")
	}
	for _, u := range uses {
		if !slices.ContainsFunc(rules.Layers, func(l Layer) bool { return l.Name == u.layer }) {
			return Rules{}, fmt.Errorf("line %d: unknown layer %q", u.line, u.layer)
		}
	}
	return rules, nil
}

// parse adds one line to the rules.
func (r *Rules) parse(directive string, args []string) error {
	switch directive {
	case "layer":
		return r.parseLayer(args)
	case "import", "deny":
	default:
		return fmt.Errorf("unknown directive %q", directive)
	}
	if len(r.Layers) == 0 {
		return fmt.Errorf("%s comes before the first layer", directive)
	}
	if len(args) == 0 {
		return fmt.Errorf("%s says nothing", directive)
	}
	current := &r.Layers[len(r.Layers)-1]
	if directive == "import" {
		current.MayImport = append(current.MayImport, args...)
		return nil
	}
	for _, p := range args {
		if err := validPath(p); err != nil {
			return err
		}
	}
	current.Deny = append(current.Deny, args...)
	return nil
}

func (r *Rules) parseLayer(args []string) error {
	if len(args) != 2 {
		return errors.New("layer takes a name and a path")
	}
	layer := Layer{Name: args[0], Path: args[1]}
	for _, l := range r.Layers {
		if l.Name == layer.Name || l.Path == layer.Path {
			return fmt.Errorf("layer %q %q is there already, as %q %q", layer.Name, layer.Path, l.Name, l.Path)
		}
	}
	r.Layers = append(r.Layers, layer)
	return validPath(layer.Path)
}

func validPath(p string) error {
	if strings.Contains(p, "...") || p != path.Clean(p) || p[0] == '/' || p[0] == '.' {
		return fmt.Errorf("%q is not an import path", p)
	}
	return nil
}

// NewAnalyzer returns an analyzer with the name layercheck that holds packages
// to rules. Its passes may run at the same time. The rules are as ParseRules
// returns them, and nobody changes them afterwards.
func NewAnalyzer(rules Rules) *analysis.Analyzer {
	var mu sync.Mutex
	seen := make(map[string]bool) // by place and message, since several variants of a package have the same
	return &analysis.Analyzer{
		Name: "layercheck",
		Doc:  "report imports and exported types that cross the layers of a service",
		Run: func(pass *analysis.Pass) (any, error) {
			mu.Lock()
			defer mu.Unlock()
			report := pass.Report
			pass.Report = func(d analysis.Diagnostic) {
				key := pass.Fset.Position(d.Pos).String() + d.Message
				if !seen[key] {
					seen[key] = true
					report(d)
				}
			}
			if layer := rules.layerOf(pass.Pkg.Path()); layer != nil {
				c := checker{pass: pass, rules: rules, layer: layer}
				c.checkImports()
				c.checkExports()
			}
			return nil, nil
		},
	}
}

// layerOf returns the layer of a package, or nil.
func (r Rules) layerOf(pkg string) *Layer {
	var found *Layer
	for i := range r.Layers {
		l := &r.Layers[i]
		if within(l.Path, pkg) && (found == nil || within(found.Path, l.Path)) {
			found = l
		}
	}
	return found
}

// within reports whether the import path pkg is at or below root.
func within(root, pkg string) bool {
	return pkg == root || strings.HasPrefix(pkg, root+"/")
}

// checker holds one package to the rules of its layer.
type checker struct {
	pass  *analysis.Pass
	rules Rules
	layer *Layer
}

// objection says why the layer must not use pkg. It is empty if it may.
func (c *checker) objection(pkg string) string {
	if pkg == c.pass.Pkg.Path() {
		return ""
	}
	if slices.ContainsFunc(c.layer.Deny, func(root string) bool { return within(root, pkg) }) {
		return "it is denied"
	}
	other := c.rules.layerOf(pkg)
	if other == nil || other.Name == c.layer.Name || slices.Contains(c.layer.MayImport, other.Name) {
		return ""
	}
	return "it is in layer " + other.Name
}

func (c *checker) checkImports() {
	for _, file := range c.pass.Files {
		if c.inTestFile(file.FileStart) {
			continue
		}
		for _, spec := range file.Imports {
			pkg, _ := strconv.Unquote(spec.Path.Value) // the parser has checked it
			if why := c.objection(pkg); why != "" {
				c.pass.Reportf(spec.Path.Pos(), "layer %s must not import %s: %s", c.layer.Name, pkg, why)
			}
		}
	}
}

func (c *checker) checkExports() {
	scope := c.pass.Pkg.Scope()
	for _, name := range scope.Names() {
		obj := scope.Lookup(name)
		if !obj.Exported() {
			continue
		}
		if t, ok := obj.(*types.TypeName); ok {
			c.checkType(t)
		} else {
			c.checkExport(obj, obj.Type())
		}
	}
}

func (c *checker) checkType(obj *types.TypeName) {
	switch t := obj.Type().(type) {
	case *types.Alias:
		c.checkExport(obj, append(constraints(t), t)...)
	case *types.Named:
		c.checkExport(obj, append(constraints(t), t.Underlying())...)
		for m := range t.Methods() {
			if m.Exported() {
				c.checkExport(m, m.Type())
			}
		}
	}
}

// checkExport reports each named type that is part of ts and that the layer must
// not use, once.
func (c *checker) checkExport(obj types.Object, ts ...types.Type) {
	if c.inTestFile(obj.Pos()) {
		return
	}
	seen := make(map[*types.TypeName]bool)
	for _, t := range ts {
		mentions(t, func(name *types.TypeName) {
			if name.Pkg() == nil || seen[name] { // error and comparable have no package
				return
			}
			seen[name] = true
			if why := c.objection(name.Pkg().Path()); why != "" {
				c.pass.Reportf(obj.Pos(), "layer %s must not expose %s.%s in %s: %s",
					c.layer.Name, name.Pkg().Path(), name.Name(), obj.Name(), why)
			}
		})
	}
}

func (c *checker) inTestFile(pos token.Pos) bool {
	return strings.HasSuffix(c.pass.Fset.File(pos).Name(), "_test.go")
}

// mentions calls visit for the named types that t is made of, as an importer of
// the package sees it. It does not look into them, so it ends.
func mentions(t types.Type, visit func(*types.TypeName)) {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		visit(t.Obj())
		for arg := range t.TypeArgs().Types() {
			mentions(arg, visit)
		}
	case *types.Map:
		mentions(t.Key(), visit)
		mentions(t.Elem(), visit)
	case interface{ Elem() types.Type }: // pointer, slice, array, channel
		mentions(t.Elem(), visit)
	case *types.Signature:
		for _, constraint := range constraints(t) {
			mentions(constraint, visit)
		}
		mentions(t.Params(), visit)
		mentions(t.Results(), visit)
	case *types.Tuple:
		for v := range t.Variables() {
			mentions(v.Type(), visit)
		}
	case *types.Struct:
		for f := range t.Fields() {
			if f.Exported() || f.Embedded() {
				mentions(f.Type(), visit)
			}
		}
	case *types.Interface:
		for m := range t.ExplicitMethods() {
			if m.Exported() {
				mentions(m.Type(), visit)
			}
		}
		for embedded := range t.EmbeddedTypes() {
			mentions(embedded, visit)
		}
	case *types.Union:
		for term := range t.Terms() {
			mentions(term.Type(), visit)
		}
	}
}

// constraints returns the constraints of the type parameters of t.
func constraints(t interface{ TypeParams() *types.TypeParamList }) []types.Type {
	var list []types.Type
	for p := range t.TypeParams().TypeParams() {
		list = append(list, p.Constraint())
	}
	return list
}
