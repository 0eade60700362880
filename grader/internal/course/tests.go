package course

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// TestFiles returns the names of the course's test files of e, relative to its
// directory, in lexical order. The student's own test files are not among them.
func TestFiles(root string, e *Exercise) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(e.Dir)))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasSuffix(name, "_test.go") && entry.Type().IsRegular() && !slices.Contains(e.Files, name) && e.owns(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// owns reports whether a test file belongs to e. The package of a milestone
// has test files of several milestones, told apart by their prefix.
func (e *Exercise) owns(testFile string) bool {
	return e.Kind != Project || strings.HasPrefix(testFile, e.Slug+"_")
}

// rules returns the names that a manifest may use for tests of e: its top-level
// test functions, and the grader's own rules where the student writes the tests.
func rules(root string, e *Exercise) (map[string]bool, error) {
	if e.Kind == Tests {
		return map[string]bool{RulePassesOnReference: true, RuleKillsMutants: true, RuleNoSleep: true}, nil
	}
	names, err := TestFiles(root, e)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, filepath.FromSlash(e.Dir), name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && isTest(f.Name.Name) {
				known[f.Name.Name] = true
			}
		}
	}
	return known, nil
}

func isTest(name string) bool {
	return name != "TestMain" && (strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz"))
}
