package assembly

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/course"
)

// Source says where a work tree comes from.
type Source struct {
	Course     string // root of the course tree
	Submission string // root of the student's tree
	ExtraTests string // directory with further, private tests, or empty
}

// Plan is the content of a work tree before it is written: slash-separated
// paths from its root.
type Plan struct {
	Exercise *course.Exercise
	Student  []File          // the submission, as it was read
	Tests    []string        // top-level tests of the course
	Own      []string        // packages with the student's tests, from the module of the code
	files    map[string]File // what is written; Path is the key
	linked   map[string]File // course files that the binary reads at run time
}

// Which chooses the tests of a work tree.
type Which int

// The tests that a work tree may hold.
const (
	CourseTests Which = iota // those of the course; the student's own are left out
	OwnTests                 // those of the student
)

// NewPlan plans the work tree of ex with the student's files.
func NewPlan(src Source, ex *course.Exercise, student []File, which Which) (*Plan, error) {
	p := &Plan{
		Exercise: ex, Student: student,
		files: map[string]File{}, linked: map[string]File{},
	}
	for _, module := range p.modules() {
		if err := p.addModule(src.Course, module); err != nil {
			return nil, err
		}
	}
	if err := p.addLabkit(src.Course); err != nil {
		return nil, err
	}
	given := p.addGiven
	if ex.Kind == course.Project {
		given = p.addProject
	}
	if err := given(src.Course); err != nil {
		return nil, err
	}
	var own []File
	for _, f := range student {
		switch {
		case !f.IsTest():
			p.files[f.Path] = f
		case which == OwnTests || ex.Kind == course.Tests:
			if path.Base(f.Path) == testMainFile {
				return nil, &RejectedError{File: f.Path, Reason: "has a name that belongs to the grader; rename it"}
			}
			if declaresTestMain(f.Content) {
				return nil, &RejectedError{File: f.Path, Reason: "declares TestMain, which belongs to the grader; use t.Cleanup or a helper instead"}
			}
			own = append(own, f)
		}
	}
	if which == OwnTests {
		p.addOwnTests(own)
		return p, nil
	}
	tests, err := courseTests(src, ex)
	if err != nil {
		return nil, err
	}
	p.addTests(ex.Dir, append(own, tests...))
	return p, nil
}

// courseTests reads the tests of the course, and the private ones that take the
// place of some.
func courseTests(src Source, ex *course.Exercise) ([]File, error) {
	names, err := course.TestFiles(src.Course, ex)
	if err != nil {
		return nil, err
	}
	var tests []File
	for _, name := range names {
		f, err := readTrusted(src.Course, path.Join(ex.Dir, name))
		if err != nil {
			return nil, err
		}
		tests = append(tests, f)
	}
	extra, err := extraTests(src.ExtraTests, ex)
	return append(without(tests, extra), extra...), err
}

// modules are the modules of the tree, but for labkit: that of the tests, and
// that of the student's code where it is another one.
func (p *Plan) modules() []string {
	if p.Exercise.BlackBox() {
		return []string{p.Exercise.Module, course.ProjectDir}
	}
	return []string{p.Exercise.Module}
}

// addModule takes go.mod and go.sum of a module.
func (p *Plan) addModule(root, module string) error {
	for _, name := range []string{"go.mod", "go.sum"} {
		f, err := readTrusted(root, path.Join(module, name))
		if os.IsNotExist(err) && name == "go.sum" {
			continue
		}
		if err != nil {
			return err
		}
		p.files[f.Path] = f
	}
	return nil
}

const labkitDir = "grader/labkit"

// addLabkit takes the library that tests import, without its own tests.
func (p *Plan) addLabkit(root string) error {
	dir := os.DirFS(filepath.Join(root, filepath.FromSlash(labkitDir)))
	return fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "testdata":
			return fs.SkipDir
		case d.IsDir() || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := readTrusted(root, path.Join(labkitDir, name))
		p.files[f.Path] = f
		return err
	})
}

// addGiven takes the course's own files of the package: code that is given, and
// testdata. The files of the student are left out.
func (p *Plan) addGiven(root string) error {
	dir := os.DirFS(filepath.Join(root, filepath.FromSlash(p.Exercise.Dir)))
	return fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name == MutantsDir, d.IsDir() && name == "testdata/wrong":
			return fs.SkipDir
		case d.IsDir() && name != "." && name != "testdata" && !strings.HasPrefix(name, "testdata/"):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		f, err := readTrusted(root, path.Join(p.Exercise.Dir, name))
		if err != nil {
			return err
		}
		switch {
		case strings.HasPrefix(name, "testdata/"):
			p.files[f.Path] = f
			p.linked[name] = f
		case slices.Contains(p.Exercise.Files, name):
		case path.Ext(name) == ".go" && !f.IsTest():
			p.files[f.Path] = f
		}
		return nil
	})
}

// MutantsDir holds the broken variants of the given code of an exercise of kind
// tests, relative to its directory.
const MutantsDir = "testdata/mutants"

// addTests adds the test files of one package, and the TestMain that runs them.
func (p *Plan) addTests(dir string, tests []File) {
	pkg := ""
	for _, f := range tests {
		out, name, list, err := track(f.Path, f.Content)
		if err != nil {
			// A student's own test file with a syntax error: the compiler says it better.
			out, name = f.Content, ""
		}
		if pkg == "" {
			pkg = name
		}
		p.Tests = append(p.Tests, list...)
		p.files[f.Path] = File{Path: f.Path, Content: out}
	}
	if pkg != "" {
		p.addTestMain(dir, pkg)
	}
}

func (p *Plan) addTestMain(dir, pkg string) {
	at := path.Join(dir, testMainFile)
	p.files[at] = File{Path: at, Content: testMain(pkg)}
}

// extraTests returns the private tests of ex below dir, in the first of
// dir/module1/week01/slug, dir/week01/slug and dir that has any. They take the
// place of the course's files of the same name. Where the student writes the
// tests there are none.
func extraTests(dir string, ex *course.Exercise) ([]File, error) {
	if dir == "" || ex.Kind == course.Tests {
		return nil, nil
	}
	for _, sub := range []string{ex.Dir, ex.ID(), "."} {
		names, err := fs.Glob(os.DirFS(filepath.Join(dir, filepath.FromSlash(sub))), "*_test.go")
		if err != nil {
			return nil, err
		}
		var files []File
		for _, name := range names {
			f, err := readTrusted(filepath.Join(dir, filepath.FromSlash(sub)), name)
			if err != nil {
				return nil, err
			}
			f.Path = path.Join(ex.Dir, name)
			files = append(files, f)
		}
		if len(files) > 0 {
			return files, nil
		}
	}
	return nil, nil
}

// without returns the files that none of others takes the place of.
func without(files, others []File) []File {
	return slices.DeleteFunc(files, func(f File) bool {
		return slices.ContainsFunc(others, func(o File) bool { return o.Path == f.Path })
	})
}

func readTrusted(root, p string) (File, error) {
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(p)))
	return File{Path: p, Content: content}, err
}

// Replace returns a copy of p in which some files have other content, or are
// new.
func (p *Plan) Replace(files map[string][]byte) *Plan {
	c := *p
	c.files = maps.Clone(p.files)
	for name, content := range files {
		c.files[name] = File{Path: name, Content: content}
	}
	return &c
}

// Files returns the planned files in the order of their paths.
func (p *Plan) Files() []File {
	return slices.SortedFunc(maps.Values(p.files), func(a, b File) int { return strings.Compare(a.Path, b.Path) })
}

// FetchTree is the name of the tree, without anything of the student's, in which
// the modules are downloaded. The go command leaves the checksums there that
// the workspace needs beyond those of its modules; other trees take them over.
const FetchTree = "fetch"

// Tree is a written work tree.
type Tree struct {
	Root      string // absolute
	Module    string // absolute path of the module of the tests in it
	Code      string // absolute path of the module of the student's code
	Workspace string // absolute path of its go.work
	Package   string // the tests, slash-separated, from their module
	Data      string // absolute path of a directory with the testdata and nothing else
}

// Write makes dir/name hold exactly the planned files, and dir/name.run the
// testdata. Files that are right already are left alone.
func (p *Plan) Write(dir, name string) (*Tree, error) {
	root := filepath.Join(dir, name)
	want := map[string][]byte{"go.work": p.workspace()}
	if sums, err := os.ReadFile(filepath.Join(dir, FetchTree, "go.work.sum")); err == nil && name != FetchTree {
		want["go.work.sum"] = sums
	}
	for _, f := range p.files {
		want[f.Path] = f.Content
	}
	if err := mirror(root, want); err != nil {
		return nil, err
	}
	data := map[string][]byte{}
	for name, f := range p.linked {
		data[name] = f.Content
	}
	if err := mirror(root+".run", data); err != nil {
		return nil, err
	}
	for _, pkg := range p.Own {
		if err := os.MkdirAll(filepath.Join(root+".run", filepath.FromSlash(pkg)), 0o700); err != nil {
			return nil, err
		}
	}
	pkg, err := filepath.Rel(filepath.FromSlash(p.Exercise.Module), filepath.FromSlash(p.Exercise.Dir))
	if err != nil {
		return nil, err
	}
	modules := p.modules()
	return &Tree{
		Root:      root,
		Module:    filepath.Join(root, filepath.FromSlash(p.Exercise.Module)),
		Code:      filepath.Join(root, filepath.FromSlash(modules[len(modules)-1])),
		Workspace: filepath.Join(root, "go.work"),
		Package:   filepath.ToSlash(pkg),
		Data:      root + ".run",
	}, nil
}

func (p *Plan) workspace() []byte {
	var b bytes.Buffer
	b.WriteString("go 1.26.0\n\nuse (\n")
	for _, dir := range append(p.modules(), labkitDir) {
		fmt.Fprintf(&b, "\t./%s\n", dir)
	}
	b.WriteString(")\n")
	return b.Bytes()
}

// mirror makes the directory root hold exactly files. What else is there, links
// above all, is removed and never followed.
func mirror(root string, files map[string][]byte) error {
	if err := sweep(root, files); err != nil {
		return err
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return err
	}
	for name, content := range files {
		full := filepath.Join(root, filepath.FromSlash(name))
		if have, err := os.ReadFile(full); err == nil && bytes.Equal(have, content) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(full, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes what is below root and is neither one of the files nor one of
// their directories.
func sweep(root string, files map[string][]byte) error {
	dirs := map[string]bool{".": true}
	for name := range files {
		for d := path.Dir(name); !dirs[d]; d = path.Dir(d) {
			dirs[d] = true
		}
	}
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) && name == root {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		_, isFile := files[rel]
		switch {
		case d.IsDir() && dirs[rel], d.Type().IsRegular() && isFile:
			return nil
		case !d.IsDir():
			return os.Remove(name)
		}
		if err := os.RemoveAll(name); err != nil {
			return err
		}
		return fs.SkipDir
	})
}
