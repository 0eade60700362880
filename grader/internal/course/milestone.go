package course

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// ProjectDir is the directory of the project, from the root of the course.
const ProjectDir = "tasktracker"

// AcceptanceDir is the module with the suites that know only the running
// program, from the root of the course.
const AcceptanceDir = ProjectDir + "/acceptance"

// ProjectDirs are the directories of the project that belong to the course,
// relative to ProjectDir.
var ProjectDirs = []string{"acceptance", "chaos", "milestones", "sqlitedb"}

// Contract is the description of the API, from the root of the course. It
// belongs to the course, and the student's code may embed it.
const Contract = ProjectDir + "/openapi.yaml"

// ProjectFiles are the files that the course gives in packages of the student's,
// relative to ProjectDir, as long as it fixes the packages.
var ProjectFiles = []string{"domain/event.go", "domain/query.go"}

// Given reports whether the file p, from the root of the course, is given by the
// course among the student's files of e.
func (e *Exercise) Given(p string) bool {
	rel, ok := strings.CutPrefix(p, ProjectDir+"/")
	return ok && e.Kind == Project && !e.BlackBox() && slices.Contains(ProjectFiles, rel)
}

// suiteDirs are those of ProjectDirs that hold tests.
var suiteDirs = []string{"acceptance", "milestones"}

// CourseOwned reports whether the file or directory p, from the root of the
// course, belongs to the course although it lies in the project: no pattern makes
// it the student's.
func CourseOwned(p string) bool {
	rel, ok := strings.CutPrefix(p, ProjectDir+"/")
	if !ok {
		return false
	}
	top, _, _ := strings.Cut(rel, "/")
	return slices.Contains(ProjectDirs, top) || rel == "go.mod" || rel == "go.sum" || p == Contract
}

var milestoneTest = regexp.MustCompile(`^m\d\d[ab]_.*test\.go$`)

// IsMilestoneTest reports whether the file p has the name of a milestone's test
// file, which lies among the student's files and is the course's.
func IsMilestoneTest(p string) bool { return milestoneTest.MatchString(path.Base(p)) }

// BlackBox reports whether the tests of e are in a module of their own and know
// the student's code as a running program only.
func (e *Exercise) BlackBox() bool { return e.Module == AcceptanceDir }

// About reports whether the student's file p, from the root of the course, lies
// in one of the packages that e is about.
func (e *Exercise) About(p string) bool {
	if len(e.Packages) == 0 {
		return true
	}
	rel := strings.TrimPrefix(path.Dir(p), e.FilesDir()+"/")
	return slices.Contains(e.Packages, rel)
}

// Milestones loads the manifests of the project's milestones, in order.
func (c *Course) Milestones() ([]*Exercise, error) {
	var all []*Exercise
	var errs []error
	for _, id := range milestoneIDs(c.Root) {
		m, err := c.Milestone(id)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, m)
	}
	return all, errors.Join(errs...)
}

// milestoneIDs lists the milestones that have a manifest, in order.
func milestoneIDs(root string) []string {
	names, _ := filepath.Glob(filepath.Join(root, filepath.FromSlash(milestoneDir), "*.yaml"))
	for i, name := range names {
		names[i] = strings.TrimSuffix(filepath.Base(name), ".yaml")
	}
	slices.Sort(names)
	return names
}

const milestoneDir = ProjectDir + "/milestones"

var milestoneID = regexp.MustCompile(`^m\d\d[a-z]$`)

// IsMilestone reports whether name is that of a milestone, such as m01a.
func IsMilestone(name string) bool { return milestoneID.MatchString(name) }

// IsManifest reports whether the file p, from the root of the course, is the
// manifest of a milestone.
func IsManifest(p string) bool { return path.Dir(p) == milestoneDir && path.Ext(p) == ".yaml" }

// Milestone loads one milestone, such as m01a.
func (c *Course) Milestone(id string) (*Exercise, error) {
	m, err := loadMilestone(c.Root, path.Join(milestoneDir, id+".yaml"), id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("milestone %s is %w", id, ErrNotFound)
	}
	return m, err
}

// Earlier loads the milestones that come before m and whose tests still hold:
// those of the suites that look into packages hold as long as the course fixes
// the packages, which is up to the first black-box milestone.
func (c *Course) Earlier(m *Exercise) ([]*Exercise, error) {
	var all []*Exercise
	var errs []error
	for _, id := range milestoneIDs(c.Root) {
		if id >= m.Slug {
			break
		}
		switch o, err := c.Milestone(id); {
		case err != nil:
			errs = append(errs, err)
		case o.BlackBox() || !m.BlackBox():
			all = append(all, o)
		}
	}
	return all, errors.Join(errs...)
}

// projectYAML is what only the manifests of milestones have.
type projectYAML struct {
	Package  string              `yaml:"package"`
	Packages []string            `yaml:"packages"`
	Suite    string              `yaml:"suite"`
	Program  string              `yaml:"program"`
	Layers   map[string][]string `yaml:"layers"`
}

// refuseProjectKeys records every key of a milestone in an exercise of a week.
func (m *manifest) refuseProjectKeys(at place, y projectYAML) {
	for _, key := range []struct {
		name string
		used bool
	}{
		{"package", y.Package != ""}, {"packages", y.Packages != nil}, {"suite", y.Suite != ""},
		{"program", y.Program != ""}, {"layers", y.Layers != nil},
	} {
		if key.used {
			m.bad(at.at(key.name), "%s is for milestones only", key.name)
		}
	}
}

func loadMilestone(root, name, id string) (*Exercise, error) {
	var y exerciseYAML
	m, err := readManifest(root, name, &y)
	if err != nil {
		return nil, err
	}
	e := y.exercise()
	e.Packages, e.Program, e.Layers = y.Project.Packages, y.Project.Program, y.Project.Layers
	if y.Project.Package != "" && !slices.Contains(e.Packages, y.Project.Package) {
		e.Packages = append(e.Packages, y.Project.Package)
	}
	e.Imports = append(earlierImports(root, id), e.Imports...)
	if e.Slug != id {
		m.bad(place{"slug"}, "slug is %q, but the file is called %s", e.Slug, path.Base(name))
		e.Slug = id // the rest is checked as that of the file
	}
	if e.Kind != Project {
		m.bad(place{"kind"}, "kind is %q; a milestone has kind project", e.Kind)
		e.Kind = Project // the rest is checked as that of a milestone
	}
	if e.Week < 1 || e.Week > Weeks {
		m.bad(place{"week"}, "week is %d; the course has weeks 1 to %d", e.Week, Weeks)
	}
	if !m.findSuite(e, y.Project) {
		return nil, m.err()
	}
	m.validateProject(root, e)
	m.validate(root, place{}, e)
	return e, m.err()
}

// findSuite sets where the tests of a milestone lie.
func (m *manifest) findSuite(e *Exercise, y projectYAML) bool {
	top, _, _ := strings.Cut(y.Suite, "/")
	switch {
	case y.Suite == "" && y.Package == "":
		m.bad(place{"slug"}, "suite is missing: name the directory of the tests, such as milestones/%s", e.Slug)
		return false
	case y.Suite == "":
		e.Dir = path.Join(ProjectDir, y.Package)
	case !slices.Contains(suiteDirs, top) || y.Suite != top+"/"+e.Slug:
		m.bad(place{"suite"}, "suite is %q; it must be milestones/%s or acceptance/%s", y.Suite, e.Slug, e.Slug)
		return false
	default:
		e.Dir = path.Join(ProjectDir, y.Suite)
	}
	e.Module = ProjectDir
	if strings.HasPrefix(e.Dir, AcceptanceDir+"/") {
		e.Module = AcceptanceDir
	}
	return true
}

// earlierImports returns what the milestones before id may import. Their code is
// still there and graded with that of id. Mistakes in their manifests are told
// when they are loaded themselves.
func earlierImports(root, id string) []string {
	var all []string
	for _, earlier := range milestoneIDs(root) {
		var y exerciseYAML
		if earlier >= id {
			break
		}
		if _, err := readManifest(root, path.Join(milestoneDir, earlier+".yaml"), &y); err == nil {
			all = append(all, y.Imports...)
		}
	}
	return all
}

// validateProject checks what only milestones have.
func (m *manifest) validateProject(root string, e *Exercise) {
	for i, p := range e.Packages {
		if path.Join(ProjectDir, p) != e.Dir { // where package says so, the tests are looked for
			m.validatePackage(root, place{"packages", i}, "package", p)
		}
	}
	if e.Program != "" {
		m.validatePackage(root, place{"program"}, "program", e.Program)
	}
	for _, p := range slices.Sorted(maps.Keys(e.Layers)) {
		at := place{"layers", p}
		for _, name := range append([]string{p}, e.Layers[p]...) {
			if badPattern(name) || !cleanPath(name) || strings.Contains(name, "**") {
				m.bad(at, "layers: %q is not the path of a package in %s; what is said of one holds for those below it", name, ProjectDir)
			}
		}
	}
	if !e.BlackBox() {
		return
	}
	if e.Program == "" {
		m.bad(place{"suite"}, "the suite runs a program; name its main package with program")
	}
	for _, check := range []struct {
		name string
		used bool
	}{
		{"allocs", e.Checks.Allocs}, {"leak", e.Checks.Leak}, {"interleave", e.Checks.Interleave},
		{"escapes", e.Checks.Escapes != nil}, {"bench", e.Checks.Bench != nil},
	} {
		if check.used {
			m.bad(place{"checks", check.name}, "%s looks into the process of the tests; the program that they run is another one", check.name)
		}
	}
}

func (m *manifest) validatePackage(root string, at place, what, p string) {
	name := path.Join(ProjectDir, p)
	switch {
	case !cleanPath(p):
		m.bad(at, "%s %q must be a clean path inside %s", what, p, ProjectDir)
	case CourseOwned(name):
		m.bad(at, "%s %q belongs to the course and is never the student's", what, p)
	default:
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err != nil && !hasRecordedStub(root, name) {
			m.bad(at, "%s does not exist", name)
		}
	}
}

func cleanPath(p string) bool { return filepath.IsLocal(filepath.FromSlash(p)) && path.Clean(p) == p }

// badPattern reports whether a path with * is none that the grader understands.
func badPattern(p string) bool {
	for element := range strings.SplitSeq(p, "/") {
		if _, err := path.Match(element, ""); err != nil || strings.Contains(element, "**") && element != "**" {
			return true
		}
	}
	return false
}
