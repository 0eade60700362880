package checks

import (
	"cmp"
	"context"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

// layersCheck holds the packages of a project to the directions in which they
// may import each other. Tests may look across.
type layersCheck struct{}

func (layersCheck) Name() string                     { return "layers" }
func (layersCheck) Applies(ex *course.Exercise) bool { return len(ex.Layers) > 0 }
func (layersCheck) Needs() []string                  { return []string{"policy"} }

func (layersCheck) Run(_ context.Context, r *Room) (Result, error) {
	l := newLayers(r.Exercise.Layers)
	var findings []Finding
	for _, f := range r.Student {
		if isCode(f) {
			findings = append(findings, l.check(f)...)
		}
	}
	slices.SortFunc(findings, byPosition)
	for i := range findings {
		r.teach(&findings[i])
	}
	return decide("layers", findings, plural(len(l.entries), "rule")), nil
}

// layers are the rules of a project.
type layers struct {
	entries []string // the patterns, those without * first
	allowed map[string][]string
}

func newLayers(rules map[string][]string) layers {
	wild := func(s string) int { return strings.Count(s, "*") }
	entries := slices.SortedFunc(maps.Keys(rules), func(a, b string) int {
		return cmp.Or(cmp.Compare(wild(a), wild(b)), cmp.Compare(a, b))
	})
	return layers{entries: entries, allowed: rules}
}

// check finds the imports of a file that point in a direction that is not
// allowed. A file that does not parse is left to the compiler.
func (l layers) check(f assembly.File) []Finding {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, f.Path, f.Content, parser.ImportsOnly)
	if err != nil {
		return nil
	}
	from := projectPath(path.Dir(f.Path))
	r, ruled := l.ruleOf(from)
	if !ruled && outermost(from) {
		return nil
	}
	var findings []Finding
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		inside := err == nil && (name == projectPrefix || strings.HasPrefix(name, projectPrefix+"/"))
		if !inside {
			continue
		}
		to := projectPath(strings.TrimPrefix(name, course.ModulePath+"/"))
		if other, known := l.ruleOf(to); ruled && (known && other.root == r.root || l.permits(r, to)) {
			continue
		}
		findings = append(findings, Finding{
			Rule: course.RuleLayers, File: f.Path, Line: fset.Position(spec.Pos()).Line,
			Message: fmt.Sprintf("%s -> %s: %s", from, to, l.reason(from, r, ruled)),
			Detail:  whyLayers,
		})
	}
	return findings
}

const whyLayers = "An arrow from an inner layer to an outer one makes the rules of the domain depend on a detail that will change.\n" +
	"Declare the interface where it is used, implement it outside, and join the two in cmd."

const projectPrefix = course.ModulePath + "/" + course.ProjectDir

// projectPath turns a path from the root of the course into one from the
// project; the package in the root of the project is called ".".
func projectPath(p string) string {
	if p == course.ProjectDir {
		return "."
	}
	return strings.TrimPrefix(p, course.ProjectDir+"/")
}

// outermost reports whether a package joins the others and may import them all
// unless a rule says otherwise: the programs and what speaks HTTP.
func outermost(pkg string) bool {
	top, _, _ := strings.Cut(pkg, "/")
	return top == "cmd" || strings.HasPrefix(top, "http")
}

// layerRule is what holds for a package.
type layerRule struct {
	entry string // the pattern in the manifest
	root  string // the package that it names: this one or one above it
}

// ruleOf returns the rule of a package: its own, or that of the nearest package
// above it.
func (l layers) ruleOf(pkg string) (layerRule, bool) {
	for p := pkg; ; p = path.Dir(p) {
		for _, e := range l.entries {
			if ok, _ := path.Match(e, p); ok {
				return layerRule{e, p}, true
			}
		}
		if p == "." {
			return layerRule{}, false
		}
	}
}

// permits reports whether r allows the package to. What is said of a package
// holds for those below it.
func (l layers) permits(r layerRule, to string) bool {
	for p := to; ; p = path.Dir(p) {
		for _, allowed := range l.allowed[r.entry] {
			if ok, _ := path.Match(allowed, p); ok {
				return true
			}
		}
		if p == "." {
			return false
		}
	}
}

// reason says in words what the rules allow a package.
func (l layers) reason(pkg string, r layerRule, ruled bool) string {
	switch allowed := l.allowed[r.entry]; {
	case !ruled:
		return "the layers of this milestone say nothing of " + pkg + ", so it may import nothing of the project"
	case len(allowed) == 0:
		return r.root + " may import nothing of the project"
	default:
		return r.root + " may import " + strings.Join(allowed, ", ") + " and nothing else of the project"
	}
}
