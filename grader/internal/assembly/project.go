package assembly

import (
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/course"
)

// addProject takes what the course gives of the project: packages that the
// student's code and the tests import, the contract, and the testdata of the
// tests.
func (p *Plan) addProject(root string) error {
	for _, dir := range course.ProjectDirs {
		wanted := true
		switch dir {
		case "acceptance":
			wanted = p.Exercise.BlackBox()
		case "milestones":
			wanted = !p.Exercise.BlackBox()
		}
		if !wanted {
			continue
		}
		if err := p.addCourseDir(root, path.Join(course.ProjectDir, dir)); err != nil {
			return err
		}
	}
	given, err := Given(root, p.Exercise)
	if err != nil {
		return err
	}
	contract, err := readTrusted(root, course.Contract)
	switch {
	case err == nil:
		given = append(given, contract)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	for _, f := range given {
		p.files[f.Path] = f
	}
	return p.addTestdata(root, p.Exercise.Dir)
}

// Given reads the files that the course in root gives among the student's files
// of ex. A course need not have them.
func Given(root string, ex *course.Exercise) ([]File, error) {
	var files []File
	for _, rel := range course.ProjectFiles {
		name := path.Join(course.ProjectDir, rel)
		if !ex.Given(name) {
			continue
		}
		f, err := readTrusted(root, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// addCourseDir takes the files of a directory that are neither tests nor
// testdata nor of another milestone.
func (p *Plan) addCourseDir(root, dir string) error {
	return eachFile(root, dir, func(name string, d fs.DirEntry) error {
		switch {
		case d.IsDir() && (d.Name() == "testdata" || course.IsMilestone(d.Name()) && d.Name() != p.Exercise.Slug):
			return fs.SkipDir
		case d.IsDir(), strings.HasSuffix(name, "_test.go"), path.Ext(name) == ".md", course.IsManifest(name):
			return nil
		}
		f, err := readTrusted(root, name)
		p.files[f.Path] = f
		return err
	})
}

// addTestdata takes the testdata of the package in dir for the tests to read.
func (p *Plan) addTestdata(root, dir string) error {
	return eachFile(root, path.Join(dir, "testdata"), func(name string, d fs.DirEntry) error {
		if d.IsDir() {
			return nil
		}
		f, err := readTrusted(root, name)
		p.files[f.Path] = f
		p.linked[strings.TrimPrefix(name, dir+"/")] = f
		return err
	})
}

// eachFile calls f for what lies below root/dir, with paths from root. A
// directory that does not exist has nothing in it.
func eachFile(root, dir string, f func(name string, d fs.DirEntry) error) error {
	return fs.WalkDir(os.DirFS(root), dir, func(name string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) && name == dir {
			return nil
		}
		if err != nil {
			return err
		}
		return f(name, d)
	})
}

// addOwnTests adds the student's tests of the packages that the exercise is
// about. A package without any gets a test binary too: what its statements are
// is known from there.
func (p *Plan) addOwnTests(tests []File) {
	code := p.Exercise.FilesDir()
	for _, dir := range p.ownDirs() {
		var list []File
		for _, f := range tests {
			if path.Dir(f.Path) == dir {
				list = append(list, f)
			}
		}
		p.addTests(dir, list)
		if len(list) == 0 {
			p.addTestMain(dir, p.packageName(dir))
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(dir, code), "/")
		p.Own = append(p.Own, rel)
		p.linkTestdata(dir, rel)
	}
}

// ownDirs lists the directories with Go code of the student's that the exercise
// is about, from the root.
func (p *Plan) ownDirs() []string {
	var dirs []string
	for _, f := range p.Student {
		dir := path.Dir(f.Path)
		if path.Ext(f.Path) == ".go" && !f.IsTest() && p.Exercise.About(f.Path) && !slices.Contains(dirs, dir) && !inTestdata(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func inTestdata(dir string) bool { return slices.Contains(strings.Split(dir, "/"), "testdata") }

// packageName is the name in the package clauses of the student's files in dir.
func (p *Plan) packageName(dir string) string {
	for _, f := range p.Student {
		if path.Dir(f.Path) != dir || path.Ext(f.Path) != ".go" || f.IsTest() {
			continue
		}
		if file, err := parser.ParseFile(token.NewFileSet(), f.Path, f.Content, parser.PackageClauseOnly); err == nil {
			return file.Name.Name
		}
	}
	return path.Base(dir)
}

// linkTestdata lets the student's tests in dir read their testdata, in the
// directory pkg.
func (p *Plan) linkTestdata(dir, pkg string) {
	for _, f := range p.Student {
		if rel, ok := strings.CutPrefix(f.Path, dir+"/"); ok && strings.HasPrefix(rel, "testdata/") {
			p.linked[path.Join(pkg, rel)] = f
		}
	}
}

// OwnData is the directory in which the student's tests of a package run.
func (t *Tree) OwnData(pkg string) string { return filepath.Join(t.Data, filepath.FromSlash(pkg)) }
