package catchup

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/cut"
)

// plan is what changes in a tracker.
type plan struct {
	cut     []cut.File // written
	stubs   []cut.File // written
	clear   []string   // removed first: files and links where the cut has a directory
	remove  []string   // removed last
	replace []string   // files and links that something written replaces
	kept    []string
	own     []string
}

// write returns all that is written.
func (p *plan) write() []cut.File { return slices.Concat(p.cut, p.stubs) }

// touched returns everything of the student's that does not stay.
func (p *plan) touched() []string { return slices.Concat(p.clear, p.remove, p.replace) }

func (p *plan) result(milestone string) *Result {
	return &Result{
		Milestone: milestone,
		Written:   paths(p.cut),
		Removed:   slices.Concat(p.clear, p.remove),
		Restored:  paths(p.stubs),
		Kept:      p.kept,
		Own:       p.own,
	}
}

func paths(files []cut.File) []string {
	var list []string
	for _, f := range files {
		list = append(list, f.Path)
	}
	return list
}

// planner decides what changes. It changes nothing.
type planner struct {
	course  *course.Course
	tracker *tracker
	stubs   assembly.Stubs
	repo    *repository // nil outside of git

	files map[string]bool // of the cut
	dirs  map[string]bool // that hold files of the cut
	out   plan
}

func (p *planner) plan(ctx context.Context, tree cut.Tree) (*plan, error) {
	p.files, p.dirs = map[string]bool{}, map[string]bool{}
	for _, f := range tree {
		if isCourses(f.Path) {
			continue
		}
		p.files[f.Path] = true
		if dir := path.Dir(f.Path); dir != "." {
			p.dirs[dir] = true
		}
		if err := p.file(f); err != nil {
			return nil, err
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(p.dirs)) {
		if err := p.leftovers(dir); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.stubs)) {
		stub, ok := strings.CutPrefix(name, course.ProjectDir+"/")
		if !ok || p.files[stub] {
			continue
		}
		if err := p.stub(ctx, stub); err != nil {
			return nil, err
		}
	}
	own, err := p.ownPackages()
	p.out.own = own
	return &p.out, err
}

// file plans a file of the cut.
func (p *planner) file(f cut.File) error {
	for i, c := range f.Path {
		if c != '/' || slices.Contains(p.out.clear, f.Path[:i]) {
			continue
		}
		if info, err := p.tracker.lstat(f.Path[:i]); err == nil && !info.IsDir() {
			p.out.clear = append(p.out.clear, f.Path[:i])
		}
	}
	same, err := p.same(f)
	if err != nil || same {
		return err
	}
	p.out.cut = append(p.out.cut, f)
	return nil
}

// same reports whether the tracker has the file already. If it has another one,
// that is noted as replaced.
func (p *planner) same(f cut.File) (bool, error) {
	info, err := p.tracker.lstat(f.Path)
	if err != nil {
		return false, ignoreAbsent(err)
	}
	if info.IsDir() {
		return false, fmt.Errorf("%s/%s is a directory, where the cut has a file; rename it first. Nothing was changed", course.ProjectDir, f.Path)
	}
	if info.Mode().IsRegular() && (info.Mode()&0o111 != 0) == f.Executable {
		content, err := p.tracker.ReadFile(filepath.FromSlash(f.Path))
		if err != nil {
			return false, err
		}
		if bytes.Equal(content, f.Content) {
			return true, nil
		}
	}
	p.out.replace = append(p.out.replace, f.Path)
	return false, nil
}

// leftovers plans to remove what the student has in a directory of the cut.
// Stubs of the course, its tests and hidden files are not removed.
func (p *planner) leftovers(dir string) error {
	names, err := p.tracker.entries(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		file := path.Join(dir, name)
		_, isStub := p.stubs[path.Join(course.ProjectDir, file)]
		if p.files[file] || isStub || isCourses(file) || strings.HasPrefix(name, ".") {
			continue
		}
		if info, err := p.tracker.lstat(file); err == nil && isSaved(info) {
			p.out.remove = append(p.out.remove, file)
		}
	}
	return nil
}

// stub plans the return of a stub that the cut does not have: one of a later
// milestone. In a directory of the cut it is wanted as it was given, for what
// the student had beside it is gone. Another directory is left alone, unless
// there is nothing in it.
func (p *planner) stub(ctx context.Context, file string) error {
	dir := path.Dir(file)
	if !p.dirs[dir] {
		if names, err := p.tracker.entries(dir); err != nil || len(names) > 0 {
			return err
		}
	}
	name := path.Join(course.ProjectDir, file)
	info, err := p.tracker.lstat(file)
	if ignoreAbsent(err) != nil {
		return err
	}
	if err == nil && info.Mode().IsRegular() {
		content, err := p.tracker.ReadFile(filepath.FromSlash(file))
		if err != nil {
			return err
		}
		if p.stubs.Is(name, content) {
			return nil
		}
	}
	content, err := p.given(ctx, file)
	if err != nil {
		return err
	}
	if content == nil {
		p.out.kept = append(p.out.kept, file)
		return nil
	}
	stub := cut.File{Path: file, Content: content}
	if same, err := p.same(stub); err != nil || same {
		return err
	}
	p.out.stubs = append(p.out.stubs, stub)
	return nil
}

// given returns a stub as the course gave it, or nil if neither the course's
// tree nor the history of the student's has it.
func (p *planner) given(ctx context.Context, file string) ([]byte, error) {
	name := path.Join(course.ProjectDir, file)
	content, err := os.ReadFile(filepath.Join(p.course.Root, filepath.FromSlash(name)))
	if err == nil && p.stubs.Is(name, content) {
		return content, nil
	}
	if p.repo == nil {
		return nil, nil
	}
	return p.repo.find(ctx, file, func(content []byte) bool { return p.stubs.Is(name, content) })
}

// ownPackages returns the directories of packages that only the student has and
// that import one of the cut's: they may not fit any more.
func (p *planner) ownPackages() ([]string, error) {
	found := map[string]bool{}
	err := fs.WalkDir(p.tracker.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		dir := path.Dir(name)
		switch {
		case err != nil:
			return err
		case name == ".":
		case d.IsDir() && (isCourses(name) || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.Type().IsRegular() && path.Ext(name) == ".go" && !p.dirs[dir] && !found[dir]:
			found[dir] = p.importsCut(name)
		}
		return nil
	})
	maps.DeleteFunc(found, func(_ string, affected bool) bool { return !affected })
	return slices.Sorted(maps.Keys(found)), err
}

// importsCut reports whether a Go file imports a package of the cut.
func (p *planner) importsCut(file string) bool {
	content, err := p.tracker.ReadFile(filepath.FromSlash(file))
	if err != nil {
		return false
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), "", content, parser.ImportsOnly)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(parsed.Imports, func(i *ast.ImportSpec) bool {
		name, _ := strconv.Unquote(i.Path.Value)
		return p.dirs[strings.TrimPrefix(name, course.ModulePath+"/"+course.ProjectDir+"/")]
	})
}
