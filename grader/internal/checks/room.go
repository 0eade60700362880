package checks

import (
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/interleave"
	"github.com/middle-go/course/grader/internal/sandbox"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// Room is where a submission is examined: its work tree, the toolchain and what
// was built so far. Builds and runs are made once and shared by the checks. A
// room is safe for concurrent use.
type Room struct {
	Exercise  *course.Exercise
	Source    assembly.Source
	Student   []assembly.File
	Inventory Inventory
	Seed      uint64        // order of the tests and place of the yields
	Timeout   time.Duration // of one run of the tests

	goCmd *toolchain.Go
	dir   string // work directory, from assembly.Acquire

	ahead sync.WaitGroup

	mu       sync.Mutex
	memos    map[string]*memo
	schemata []map[string][]byte // by path; variant.schemata counts them from 1
}

type memo struct {
	done  chan struct{}
	value any
	err   error
}

// DefaultTimeout is how long one run of the tests may take where the manifest
// does not say.
const DefaultTimeout = 20 * time.Second

// NewRoom returns a room in the work directory dir.
func NewRoom(g *toolchain.Go, dir string, src assembly.Source, ex *course.Exercise, student []assembly.File, inv Inventory, seed uint64) *Room {
	timeout := DefaultTimeout
	if ex.Seconds > 0 {
		timeout = time.Duration(ex.Seconds) * time.Second
	}
	return &Room{
		Exercise: ex, Source: src, Student: student, Inventory: inv, Seed: seed, Timeout: timeout,
		goCmd: g, dir: dir, memos: map[string]*memo{},
	}
}

// once calls f the first time it is asked for key and returns the same result
// afterwards, also to callers that ask while f runs.
func once[T any](r *Room, key string, f func() (T, error)) (T, error) {
	r.mu.Lock()
	m, ok := r.memos[key]
	if !ok {
		m = &memo{done: make(chan struct{})}
		r.memos[key] = m
	}
	r.mu.Unlock()
	if !ok {
		m.value, m.err = f()
		close(m.done)
	}
	<-m.done
	v, _ := m.value.(T)
	return v, m.err
}

// HasRace reports whether this machine can build with the race detector.
func (r *Room) HasRace() bool { return r.goCmd.HasCCompiler() }

// variant is one way to build the tests.
type variant struct {
	race       bool
	interleave bool // with a yield at every synchronisation, switched on at run time
	cover      bool
	own        bool   // the student's own tests instead of the course's
	pkg        string // of own: the package with the tests, from the module of the code
	mutants    string // path of the file with mutants that replaces a given one, or empty
	schemata   int    // number of the files with mutants that replace the student's, or 0
}

func (v variant) tree() string {
	switch {
	case v.schemata > 0:
		return fmt.Sprintf("schemata%d", v.schemata)
	case v.own:
		return "own"
	case v.mutants != "":
		return "mutants"
	case v.interleave:
		return "interleave"
	}
	return "plain"
}

// main is the variant whose run decides the tests.
func (r *Room) main() variant {
	c := r.Exercise.Checks
	return variant{
		race:       r.HasRace(),
		interleave: c.Interleave,
		cover:      coverageApplies(r.Exercise) && !ownCoverage(r.Exercise) && !c.Interleave,
	}
}

// plain is the build without the race detector, for what it would disturb.
func (r *Room) plain() variant { return variant{} }

// Prefetch starts the builds that the checks will ask for. The results are
// waited for where they are needed.
func (r *Room) Prefetch(ctx context.Context) {
	r.ahead.Go(func() { _, _ = r.binary(ctx, r.main()) })
	if r.Exercise.Program != "" { // else one would wait for the other
		r.ahead.Go(func() { _, _ = r.program(ctx, r.main()) })
		r.ahead.Go(func() {
			if tree, err := r.tree(r.main()); err == nil {
				_, _ = r.testBinary(ctx, tree, r.main())
			}
		})
	}
	r.ahead.Go(func() { _, _ = r.vet(ctx) })
	if r.Exercise.Checks.Allocs || r.Exercise.Checks.Bench != nil {
		r.ahead.Go(func() { _, _ = r.binary(ctx, r.plain()) })
	}
}

// Wait returns when the prefetched builds are over.
func (r *Room) Wait() { r.ahead.Wait() }

func (r *Room) plan(which assembly.Which) (*assembly.Plan, error) {
	return once(r, fmt.Sprintf("plan %d", which), func() (*assembly.Plan, error) {
		return assembly.NewPlan(r.Source, r.Exercise, r.Student, which)
	})
}

// tree writes the work tree of a variant.
func (r *Room) tree(v variant) (*assembly.Tree, error) {
	return once(r, "tree "+v.tree(), func() (*assembly.Tree, error) {
		which := assembly.CourseTests
		if v.own {
			which = assembly.OwnTests
		}
		plan, err := r.plan(which)
		if err != nil {
			return nil, err
		}
		replace := maps.Clone(r.mutated(v))
		if v.interleave {
			for _, f := range r.Student {
				if !isCode(f) {
					continue
				}
				content := f.Content
				if mutated, ok := replace[f.Path]; ok {
					content = mutated
				}
				if replace[f.Path], err = interleave.Rewrite(f.Path, content); err != nil {
					replace[f.Path] = content // does not parse: the compiler says it better
				}
			}
		}
		if v.mutants != "" {
			if replace[path.Join(r.Exercise.Dir, path.Base(v.mutants))], err = readCourse(r.Source.Course, v.mutants); err != nil {
				return nil, err
			}
		}
		return plan.Replace(replace).Write(r.dir, v.tree())
	})
}

// place is the module of the tests.
func (r *Room) place(t *assembly.Tree) toolchain.Place {
	return toolchain.Place{Dir: t.Module, Workspace: t.Workspace, Tmp: filepath.Join(r.dir, "tmp")}
}

// code is the module of the student's code.
func (r *Room) code(t *assembly.Tree) toolchain.Place {
	return toolchain.Place{Dir: t.Code, Workspace: t.Workspace, Tmp: filepath.Join(r.dir, "tmp")}
}

// built is a compiled test binary, the tree it came from, and the program that
// it starts.
type built struct {
	path    string
	tree    *assembly.Tree
	program string // absolute path, or empty
}

func (r *Room) binary(ctx context.Context, v variant) (built, error) {
	return once(r, fmt.Sprintf("binary %+v", v), func() (built, error) {
		tree, err := r.tree(v)
		if err != nil {
			return built{}, err
		}
		b := built{tree: tree}
		if r.Exercise.Program != "" && !v.own {
			if b.program, err = r.program(ctx, v); err != nil {
				return b, err
			}
		}
		b.path, err = r.testBinary(ctx, tree, v)
		return b, err
	})
}

// testBinary compiles the tests. Where they are a module of their own, the
// variant is that of the program and theirs is always the same.
func (r *Room) testBinary(ctx context.Context, tree *assembly.Tree, v variant) (string, error) {
	place, pkg, name := r.place(tree), tree.Package, v.tree()
	var o toolchain.BuildOptions
	switch {
	case v.own:
		place, pkg, name = r.code(tree), v.pkg, name+"-"+strings.ReplaceAll(v.pkg, "/", "+")
		fallthrough
	case !r.Exercise.BlackBox():
		o = r.buildOptions(v)
	}
	return r.build(name, ".test", o, func(binary string) error {
		return r.goCmd.BuildTest(ctx, place, pkg, binary, o)
	})
}

// program compiles the main package that the tests start.
func (r *Room) program(ctx context.Context, v variant) (string, error) {
	return once(r, fmt.Sprintf("program %+v", v), func() (string, error) {
		tree, err := r.tree(v)
		if err != nil {
			return "", err
		}
		if err := r.isProgram(); err != nil {
			return "", err
		}
		o := r.buildOptions(v)
		if !r.Exercise.BlackBox() {
			o.Cover = "" // the tests cover what they call themselves
		}
		// In a directory of its own, so that it has its own name.
		return r.build(v.tree()+"-program", "/"+path.Base(r.Exercise.Program), o, func(binary string) error {
			return r.goCmd.BuildProgram(ctx, r.code(tree), r.Exercise.Program, binary, o)
		})
	})
}

// isProgram returns an error unless the student has a main package where the
// tests look for it: go build makes something of any package.
func (r *Room) isProgram() error {
	dir := path.Join(r.module(), r.Exercise.Program)
	for _, f := range r.Student {
		if !isCode(f) || path.Dir(f.Path) != dir {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Path, f.Content, parser.PackageClauseOnly)
		if err != nil || file.Name.Name == "main" {
			return nil // the compiler says the rest
		}
		return &toolchain.BuildError{Output: dir + " is package " + file.Name.Name + "; a program is package main", End: sandbox.Exited}
	}
	return &toolchain.BuildError{Output: dir + " has no Go files; the tests start the program there", End: sandbox.Exited}
}

func (r *Room) buildOptions(v variant) toolchain.BuildOptions {
	o := toolchain.BuildOptions{Race: v.race}
	if v.cover {
		o.Cover = strings.Join(r.covered(), ",")
	}
	return o
}

// build compiles something once for each name and options, into a file whose
// path ends with suffix.
func (r *Room) build(name, suffix string, o toolchain.BuildOptions, compile func(binary string) error) (string, error) {
	if o.Race {
		name += "-race"
	}
	if o.Cover != "" {
		name += "-cover"
	}
	return once(r, "build "+name, func() (string, error) {
		binary := filepath.Join(r.dir, "bin", filepath.FromSlash(name+suffix))
		return binary, compile(binary)
	})
}

// module is the directory of the module of the student's code, from the root.
func (r *Room) module() string {
	if r.Exercise.Kind == course.Project {
		return r.Exercise.FilesDir()
	}
	return r.Exercise.Module
}

// codeDirs lists the directories of the student's packages that the exercise is
// about, from the root.
func (r *Room) codeDirs() []string {
	var dirs []string
	for _, f := range r.Student {
		dir := path.Dir(f.Path)
		if isCode(f) && r.Exercise.About(f.Path) && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// isCode reports whether f is Go code that is compiled into something else than
// tests.
func isCode(f assembly.File) bool {
	return path.Ext(f.Path) == ".go" && !f.IsTest() && !slices.Contains(strings.Split(f.Path, "/"), "testdata")
}

// covered lists the import paths of the packages whose coverage counts.
func (r *Room) covered() []string {
	if r.Exercise.Kind != course.Project {
		return []string{r.Exercise.ImportPath()}
	}
	var list []string
	for _, dir := range r.codeDirs() {
		list = append(list, course.ModulePath+"/"+dir)
	}
	return list
}

func (r *Room) vet(ctx context.Context) ([]toolchain.Diagnostic, error) {
	return once(r, "vet", func() ([]toolchain.Diagnostic, error) {
		tree, err := r.tree(variant{})
		if err != nil {
			return nil, err
		}
		pkg := tree.Package
		if r.Exercise.Kind == course.Project {
			pkg = "..."
		}
		return r.goCmd.Vet(ctx, r.code(tree), pkg, policyFlags(r.Exercise))
	})
}

// run runs a variant's tests with the given options; key tells runs apart.
func (r *Room) run(ctx context.Context, v variant, key string, o toolchain.RunOptions) (*toolchain.Run, error) {
	return once(r, fmt.Sprintf("run %+v %s", v, key), func() (*toolchain.Run, error) {
		b, err := r.binary(ctx, v)
		if err != nil {
			return nil, err
		}
		o = boxed(r.Exercise, o)
		o.Dir, o.Program, o.Scratch = b.tree.Data, b.program, filepath.Join(r.dir, "scratch")
		if v.own {
			o.Dir = b.tree.OwnData(v.pkg)
		}
		if o.Timeout == 0 {
			o.Timeout = r.Timeout
		}
		if o.CoverDir != "" {
			if err := empty(o.CoverDir); err != nil {
				return nil, err
			}
		}
		return toolchain.RunTest(ctx, b.path, o)
	})
}

// mainRun is the run that decides the tests. The check for races looks at it
// too.
func (r *Room) mainRun(ctx context.Context) (*toolchain.Run, error) {
	return r.run(ctx, r.main(), "main", r.mainOptions())
}

func (r *Room) mainOptions() toolchain.RunOptions {
	o := toolchain.RunOptions{Shuffle: r.Seed, Leak: r.Exercise.Checks.Leak}
	switch {
	case r.main().cover && r.Exercise.BlackBox():
		o.CoverDir = r.coverDir()
	case r.main().cover:
		o.Coverage = r.coverProfile()
	}
	return o
}

// judge runs a variant's tests and returns what is wrong with them, and the run
// that shows it. When only stretch tests fail they are left out of a second
// run, which then decides: a stretch test that ends the program, or the run,
// must not hide what comes after it.
func (r *Room) judge(ctx context.Context, v variant, key string, o toolchain.RunOptions, want map[string]bool) (*toolchain.Run, []Finding, error) {
	run, err := r.run(ctx, v, key, o)
	if err != nil {
		return nil, nil, err
	}
	findings := r.testFindings(run, want)
	if len(findings) == 0 || slices.ContainsFunc(findings, func(f Finding) bool { return !f.Stretch }) {
		return run, findings, nil
	}
	o.Skip = r.stretch()
	if run, err = r.run(ctx, v, key+" core", o); err != nil {
		return nil, nil, err
	}
	return run, append(r.testFindings(run, r.core(want)), findings...), nil
}

// judgeMain judges the main run. The check for leaks looks at its result too.
func (r *Room) judgeMain(ctx context.Context) (*toolchain.Run, []Finding, error) {
	return r.judge(ctx, r.main(), "main", r.mainOptions(), r.expected(r.HasRace()))
}

// stretch is the regular expression of the stretch tests, or empty.
func (r *Room) stretch() string {
	if len(r.Exercise.Stretch) == 0 {
		return ""
	}
	return "^(" + strings.Join(r.Exercise.Stretch, "|") + ")$"
}

// core returns the tests in want that are not for distinction only.
func (r *Room) core(want map[string]bool) map[string]bool {
	core := maps.Clone(want)
	maps.DeleteFunc(core, func(name string, _ bool) bool { return r.Exercise.IsStretch(name) })
	return core
}

func (r *Room) coverProfile() string { return filepath.Join(r.dir, "cover.out") }

// coverDir is where a program leaves its coverage counters.
func (r *Room) coverDir() string { return filepath.Join(r.dir, "cover") }

// empty makes dir an empty directory.
func empty(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o700)
}

// Repeat runs the tests that match pattern once more, in the build without the
// race detector if plain is set, and with yields if yields is not 0.
func (r *Room) Repeat(ctx context.Context, pattern string, plain bool, seed, yields uint64) (*toolchain.Run, error) {
	v := r.main()
	if plain {
		v = r.plain()
	}
	return r.run(ctx, v, fmt.Sprintf("repeat %s %d %d", pattern, seed, yields), toolchain.RunOptions{
		Run: pattern, Shuffle: seed, Interleave: yields, Leak: r.Exercise.Checks.Leak && pattern == "",
	})
}

// Interleaved reports whether yields can be switched on in this exercise.
func (r *Room) Interleaved() bool { return r.Exercise.Checks.Interleave }

// RunDetails explains a run of the course's tests as findings, one for each
// failed test.
func (r *Room) RunDetails(run *toolchain.Run) []Finding { return r.testFindings(run, nil) }

// buildError returns the compiler's complaint in err, if that is what err is.
func buildError(err error) (*toolchain.BuildError, bool) {
	return errors.AsType[*toolchain.BuildError](err)
}
