package course

import (
	"path"
	"slices"
	"strings"
)

// Kind is what the student is asked to do.
type Kind string

// The kinds of exercises.
const (
	Implement Kind = "implement" // write the code
	Fix       Kind = "fix"       // find the defects of given code
	Tests     Kind = "tests"     // write tests, graded by mutants
	Optimise  Kind = "optimise"  // make given code cheaper
	Infra     Kind = "infra"     // write files that are not Go
	Project   Kind = "project"   // a milestone of the tracker
)

// Exercise is one graded unit: an exercise of a week, or a milestone.
type Exercise struct {
	Week    int
	Slug    string
	Title   string
	Kind    Kind
	Minutes int

	Dir     string // of its tests; slash-separated, from the root of the course
	Module  string // the directory of their go.mod
	Seconds int    // how long one run of the tests may take; 0 for the default

	// Files are the student's files, relative to FilesDir. Those of a project
	// may contain the patterns * and **.
	Files []string

	// What only milestones have, relative to FilesDir.
	Packages []string            // the packages that it is about; empty for all of the student's
	Program  string              // the main package that the tests run, or empty
	Layers   map[string][]string // by package, the packages of the project that it may import

	Imports       []string // packages allowed beside DefaultImports
	Forbid        []string // identifiers such as time.Sleep, or fmt.* for all of a package
	ForbidGlobals bool     // no package-level variables
	Sequential    bool     // no go statements

	Box            Box
	Checks         Checks
	Guards         []string // tests that the stub passes already
	Stretch        []string // tests for distinction, not needed to pass
	Misconceptions map[string]Misconception
	Hints          []string
}

// Box opens the box in which the tests run for what they need beside one
// process and its memory. A Program needs both.
type Box struct {
	Children bool `yaml:"children"` // the tests start processes, such as themselves
	Loopback bool `yaml:"loopback"` // they use the network of this machine, and no other
}

// Checks chooses the checks of an exercise beside those that always run.
type Checks struct {
	Allocs     bool      `yaml:"allocs"`     // some tests count allocations in the build without -race
	Leak       bool      `yaml:"leak"`       // no goroutine outlives the tests
	Interleave bool      `yaml:"interleave"` // repeat with yields at every synchronisation
	Escapes    []string  `yaml:"escapes"`    // functions in which nothing may escape to the heap
	Coverage   *Coverage `yaml:"coverage"`
	Bench      *Bench    `yaml:"bench"`
	Mutants    *Mutants  `yaml:"mutants"`
}

// Coverage demands covered statements of the student's files, in per cent.
type Coverage struct {
	Total    float64 `yaml:"total"`
	Function float64 `yaml:"function"` // of every function
	Own      bool    `yaml:"own"`      // count only what the student's own tests reach
}

// Bench demands a ratio: the baseline's time over the student's.
type Bench struct {
	Name   string  `yaml:"name"`
	Faster float64 `yaml:"faster_than_baseline"`
}

// Mutants demands that the student's tests fail on that many broken variants.
type Mutants struct {
	Kill int `yaml:"kill"`
}

// Misconception is the wrong belief behind a failing test.
type Misconception struct {
	Belief string `yaml:"belief"`
	Hint   int    `yaml:"hint"` // the hint that helps, counted from 1
}

// DefaultImports are the packages that every exercise may import.
var DefaultImports = []string{
	"bytes", "cmp", "container/heap", "container/list", "container/ring", "context", "errors", "fmt", "io",
	"iter", "maps", "math", "math/bits", "slices", "sort", "strconv", "strings", "sync", "sync/atomic",
	"time", "unicode", "unicode/utf8",
}

// ID returns the name of e on the command line: week01/handles, or m01a.
func (e *Exercise) ID() string {
	if e.Kind == Project {
		return e.Slug
	}
	return path.Base(path.Dir(e.Dir)) + "/" + e.Slug
}

// HintTarget returns the make target that shows the next hint of e.
func (e *Exercise) HintTarget() string { return HintTarget(e.ID()) }

// HintTarget returns the make target that shows the next hint of the exercise
// with the given ID.
func HintTarget(id string) string {
	return "hint-" + strings.ReplaceAll(strings.Replace(id, "week", "week-", 1), "/", "-")
}

// FilesDir returns the directory that Files are relative to, from the root of
// the course. The student's files of a project lie all over its module.
func (e *Exercise) FilesDir() string {
	if e.Kind == Project {
		return ProjectDir
	}
	return e.Dir
}

// Readme returns the path of the file that states the task, from the root.
func (e *Exercise) Readme() string {
	if e.Kind == Project && !CourseOwned(e.Dir) {
		return milestoneDir + "/" + e.Slug + "/README.md"
	}
	return e.Dir + "/README.md"
}

// ImportPath returns the import path of the package of e.
func (e *Exercise) ImportPath() string { return ModulePath + "/" + e.Dir }

// AllowedImports returns every package that the student's files may import.
func (e *Exercise) AllowedImports() []string { return slices.Concat(DefaultImports, e.Imports) }

// IsStretch reports whether the top-level test name is for distinction only.
func (e *Exercise) IsStretch(name string) bool {
	top, _, _ := strings.Cut(name, "/")
	return slices.Contains(e.Stretch, top)
}

// Misconception returns the wrong belief behind the failure of a test or rule,
// looking at the test itself before its parent.
func (e *Exercise) Misconception(rule string) (Misconception, bool) {
	if m, ok := e.Misconceptions[rule]; ok {
		return m, true
	}
	top, _, _ := strings.Cut(rule, "/")
	m, ok := e.Misconceptions[top]
	return m, ok
}

// Rules that the grader itself checks in exercises of kind tests. They stand
// where other kinds have the names of tests.
const (
	RulePassesOnReference = "TestSuite_PassesOnReference"
	RuleKillsMutants      = "TestSuite_KillsMutants"
	RuleNoSleep           = "TestSuite_NoSleep"
)

// RuleLayers is the rule of the check for layers.
const RuleLayers = "layers"
