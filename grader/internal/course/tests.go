package course

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
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

// owns reports whether a test file belongs to e. In a package of the student's
// there are test files of several milestones, told apart by their prefix.
func (e *Exercise) owns(testFile string) bool {
	return e.Kind != Project || CourseOwned(e.Dir) || strings.HasPrefix(testFile, e.Slug+"_")
}

// rules returns the names that a manifest may use for tests of e: its top-level
// test functions and benchmarks, and the grader's own rules where the student
// writes the tests.
func rules(root string, e *Exercise) (map[string]bool, error) {
	if e.Kind == Tests {
		return map[string]bool{RulePassesOnReference: true, RuleKillsMutants: true, RuleNoSleep: true}, nil
	}
	names, err := TestFiles(root, e)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{RuleLayers: len(e.Layers) > 0}
	for _, name := range names {
		name = path.Join(e.Dir, name)
		src, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && (IsTest(f.Name.Name) || hasPrefix(f.Name.Name, "Benchmark")) {
				known[f.Name.Name] = true
			}
		}
	}
	return known, nil
}

// IsTest reports whether package testing runs a function of that name as a test
// or fuzz target: TestX and Test_x, but not Testify or TestMain.
func IsTest(name string) bool {
	return name != "TestMain" && (hasPrefix(name, "Test") || hasPrefix(name, "Fuzz"))
}

// hasPrefix reports whether prefix stands before the end of name or something
// other than a lower-case letter.
func hasPrefix(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	next, _ := utf8.DecodeRuneInString(rest)
	return ok && !unicode.IsLower(next)
}
