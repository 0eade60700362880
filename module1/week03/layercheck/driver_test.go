package layercheck_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/txtar"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week03/layercheck"
)

// A fixture is a txtar archive in testdata: the file layers.rules, and Go files
// of several packages, those of the standard library among them. A comment
//
//	// want `message` `message`
//
// lists what the analyzer has to report on its line. Everything else is wrong.
type fixture struct {
	archive  string
	rules    string
	sources  map[string]string // by file: example.com/tt/app/app.go
	fset     *token.FileSet
	packages map[string]*unit // by import path; nil while it is being checked
}

// unit is a type-checked package. Like go vet's, it includes its test files; an
// external test package is one of its own.
type unit struct {
	path  string
	files []*ast.File
	types *types.Package
	info  *types.Info
}

// finding is what an analyzer reports, or should.
type finding struct {
	file    string
	line    int
	message string
}

func compareFindings(a, b finding) int {
	return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.message, b.message))
}

// load parses the fixture testdata/name and checks the types of its packages.
func load(t *testing.T, name string) *fixture {
	t.Helper()
	archive := "testdata/" + name
	a, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{archive: archive, sources: map[string]string{}, fset: token.NewFileSet(), packages: map[string]*unit{}}
	for _, file := range a.Files {
		if file.Name == "layers.rules" {
			f.rules = string(file.Data)
		} else {
			f.sources[file.Name] = string(file.Data)
		}
	}
	files := map[string][]*ast.File{}
	for _, name := range slices.Sorted(maps.Keys(f.sources)) {
		file, err := parser.ParseFile(f.fset, name, f.sources[name], parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", archive, err)
		}
		pkg := path.Dir(name)
		if strings.HasSuffix(name, "_test.go") && strings.HasSuffix(file.Name.Name, "_test") {
			pkg += "_test"
		}
		files[pkg] = append(files[pkg], file)
	}
	for pkg := range files {
		if err := f.check(pkg, files); err != nil {
			t.Fatalf("%s: %v", archive, err)
		}
	}
	return f
}

func (f *fixture) check(pkg string, files map[string][]*ast.File) error {
	if u, seen := f.packages[pkg]; u != nil {
		return nil
	} else if seen {
		return fmt.Errorf("import cycle through %s", pkg)
	}
	f.packages[pkg] = nil
	u := &unit{path: pkg, files: files[pkg], info: &types.Info{
		Types:        map[ast.Expr]types.TypeAndValue{},
		Instances:    map[*ast.Ident]types.Instance{},
		Defs:         map[*ast.Ident]types.Object{},
		Uses:         map[*ast.Ident]types.Object{},
		Implicits:    map[ast.Node]types.Object{},
		Selections:   map[*ast.SelectorExpr]*types.Selection{},
		Scopes:       map[ast.Node]*types.Scope{},
		FileVersions: map[*ast.File]string{},
	}}
	config := types.Config{
		GoVersion: "go1.26",
		Sizes:     types.SizesFor("gc", "amd64"),
		Importer: importer(func(name string) (*types.Package, error) {
			if files[name] == nil {
				return nil, fmt.Errorf("package %s is not in the archive", name)
			}
			if err := f.check(name, files); err != nil {
				return nil, err
			}
			return f.packages[name].types, nil
		}),
	}
	var err error
	u.types, err = config.Check(pkg, f.fset, u.files, u.info)
	f.packages[pkg] = u
	return err
}

type importer func(string) (*types.Package, error)

func (f importer) Import(name string) (*types.Package, error) { return f(name) }

// readRules reads the rules of a fixture without ParseRules, so that a mistake
// there does not fail the tests of the analyzer.
func readRules(text string) layercheck.Rules {
	var r layercheck.Rules
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if words[0] == "layer" {
			r.Layers = append(r.Layers, layercheck.Layer{Name: words[1], Path: words[2]})
			continue
		}
		l := &r.Layers[len(r.Layers)-1]
		if words[0] == "import" {
			l.MayImport = append(l.MayImport, words[1:]...)
		} else {
			l.Deny = append(l.Deny, words[1:]...)
		}
	}
	return r
}

// wanted returns what the comments of the fixture say.
func (f *fixture) wanted() []finding {
	message := regexp.MustCompile("`[^`]*`")
	var list []finding
	for name, source := range f.sources {
		for i, line := range strings.Split(source, "\n") {
			_, want, _ := strings.Cut(line, "// want ")
			for _, m := range message.FindAllString(want, -1) {
				list = append(list, finding{file: name, line: i + 1, message: strings.Trim(m, "`")})
			}
		}
	}
	slices.SortFunc(list, compareFindings)
	return list
}

// analyzer returns the analyzer for the rules of the fixture. It must be one that
// drivers accept.
func (f *fixture) analyzer(t *testing.T) *analysis.Analyzer {
	t.Helper()
	a := layercheck.NewAnalyzer(readRules(f.rules))
	if err := analysis.Validate([]*analysis.Analyzer{a}); err != nil || a.Name != "layercheck" {
		got := rule.Textf("%v", err)
		if err == nil {
			got = rule.Textf("the name %q", a.Name)
		}
		rule.Broken(t, rule.Case{
			Do:   "a := NewAnalyzer(rules)\nfmt.Println(a.Name, analysis.Validate([]*analysis.Analyzer{a}))",
			Got:  got,
			Want: rule.Text("layercheck <nil>"),
			Why:  "A driver refuses an analyzer that has no name, no documentation or no Run.",
		})
	}
	return a
}

// run runs the analyzer over one package, after those that it requires.
func (f *fixture) run(a *analysis.Analyzer, u *unit) ([]finding, error) {
	var found []finding
	results := map[*analysis.Analyzer]any{}
	var exec func(*analysis.Analyzer) error
	exec = func(x *analysis.Analyzer) error {
		if _, done := results[x]; done {
			return nil
		}
		for _, required := range x.Requires {
			if err := exec(required); err != nil {
				return err
			}
		}
		pass := &analysis.Pass{
			Analyzer: x, Fset: f.fset, Files: u.files, Pkg: u.types, TypesInfo: u.info,
			TypesSizes: types.SizesFor("gc", "amd64"),
			Module:     &analysis.Module{Path: "example.com/tt", GoVersion: "1.26"},
			ResultOf:   maps.Clone(results),
			ReadFile:   func(name string) ([]byte, error) { return []byte(f.sources[name]), nil },
			Report: func(d analysis.Diagnostic) {
				if x == a {
					p := f.fset.Position(d.Pos)
					found = append(found, finding{file: p.Filename, line: p.Line, message: d.Message})
				}
			},
			ImportObjectFact:  func(types.Object, analysis.Fact) bool { return false },
			ImportPackageFact: func(*types.Package, analysis.Fact) bool { return false },
			ExportObjectFact:  func(types.Object, analysis.Fact) {},
			ExportPackageFact: func(analysis.Fact) {},
			AllObjectFacts:    func() []analysis.ObjectFact { return nil },
			AllPackageFacts:   func() []analysis.PackageFact { return nil },
		}
		result, err := x.Run(pass)
		results[x] = result
		return err
	}
	err := exec(a)
	slices.SortFunc(found, compareFindings)
	return found, err
}

// runAll runs the analyzer over every package of the fixture.
func (f *fixture) runAll(t *testing.T, a *analysis.Analyzer) []finding {
	t.Helper()
	var found []finding
	for _, name := range slices.Sorted(maps.Keys(f.packages)) {
		list, err := f.run(a, f.packages[name])
		if err != nil {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("NewAnalyzer(rules).Run(pass) // package %s of %s", name, f.archive),
				Got:  err,
				Want: rule.Text("no error"),
				Why:  "An error says that the linter could not work. What it found goes to pass.Report.",
			})
		}
		found = append(found, list...)
	}
	slices.SortFunc(found, compareFindings)
	return found
}

// compare holds what was found against the comments of the fixture.
func (f *fixture) compare(t *testing.T, found []finding, why string) {
	t.Helper()
	want := f.wanted()
	if slices.Equal(found, want) {
		return
	}
	file, line := firstDifference(found, want)
	at := func(x finding) bool { return x.file == file && x.line == line }
	code := "(not a line of the archive)"
	if lines := strings.Split(f.sources[file], "\n"); line >= 1 && line <= len(lines) {
		code, _, _ = strings.Cut(lines[line-1], "// want ")
	}
	if !slices.ContainsFunc(want, at) && strings.Contains(string(messages(found, at)), "must not expose") {
		why = "A signature exposes the types that it names, and their type arguments. What a named type is made of is the matter of its own package."
	}
	rule.Broken(t, rule.Case{
		Do:   fmt.Sprintf("// %s\n// %s:%d\n%s", f.archive, file, line, strings.TrimSpace(code)),
		Got:  messages(found, at),
		Want: messages(want, at),
		Why:  why,
	})
}

// firstDifference returns the first place where two sorted lists differ.
func firstDifference(a, b []finding) (file string, line int) {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	switch {
	case i == len(a):
		return b[i].file, b[i].line
	case i == len(b) || compareFindings(a[i], b[i]) < 0:
		return a[i].file, a[i].line
	default:
		return b[i].file, b[i].line
	}
}

func messages(list []finding, at func(finding) bool) rule.Text {
	var lines []string
	for _, x := range list {
		if at(x) {
			lines = append(lines, x.message)
		}
	}
	if len(lines) == 0 {
		return "no diagnostic"
	}
	return rule.Text(strings.Join(lines, "\n"))
}

// names returns the import paths of the packages, each after those it imports.
func (f *fixture) names() []string {
	var order []string
	var visit func(string)
	visit = func(name string) {
		if slices.Contains(order, name) {
			return
		}
		for _, p := range f.packages[name].types.Imports() {
			visit(p.Path())
		}
		order = append(order, name)
	}
	for _, name := range slices.Sorted(maps.Keys(f.packages)) {
		visit(name)
	}
	return order
}
