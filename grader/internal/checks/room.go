package checks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/interleave"
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

// DefaultTimeout is how long one run of the tests may take.
const DefaultTimeout = 20 * time.Second

// NewRoom returns a room in the work directory dir.
func NewRoom(g *toolchain.Go, dir string, src assembly.Source, ex *course.Exercise, student []assembly.File, inv Inventory, seed uint64) *Room {
	return &Room{
		Exercise: ex, Source: src, Student: student, Inventory: inv, Seed: seed, Timeout: DefaultTimeout,
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
		cover:      c.Coverage != nil && !c.Coverage.Own && !c.Interleave,
	}
}

// plain is the build without the race detector, for what it would disturb.
func (r *Room) plain() variant { return variant{} }

// Prefetch starts the builds that the checks will ask for. The results are
// waited for where they are needed.
func (r *Room) Prefetch(ctx context.Context) {
	r.ahead.Go(func() { _, _ = r.binary(ctx, r.main()) })
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
				if f.IsTest() {
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

func (r *Room) place(t *assembly.Tree) toolchain.Place {
	return toolchain.Place{Dir: t.Module, Workspace: t.Workspace, Tmp: filepath.Join(r.dir, "tmp")}
}

// built is a compiled test binary and the tree it came from.
type built struct {
	path string
	tree *assembly.Tree
}

func (r *Room) binary(ctx context.Context, v variant) (built, error) {
	return once(r, fmt.Sprintf("binary %+v", v), func() (built, error) {
		tree, err := r.tree(v)
		if err != nil {
			return built{}, err
		}
		name := v.tree()
		if v.race {
			name += "-race"
		}
		o := toolchain.BuildOptions{Race: v.race}
		if v.cover {
			name += "-cover"
			o.Cover = r.importPath()
		}
		b := built{path: filepath.Join(r.dir, name+".test"), tree: tree}
		return b, r.goCmd.BuildTest(ctx, r.place(tree), tree.Package, b.path, o)
	})
}

// importPath is the import path of the package, as its own go.mod says.
func (r *Room) importPath() string {
	return r.Exercise.ImportPath()
}

func (r *Room) vet(ctx context.Context) ([]toolchain.Diagnostic, error) {
	return once(r, "vet", func() ([]toolchain.Diagnostic, error) {
		tree, err := r.tree(variant{})
		if err != nil {
			return nil, err
		}
		return r.goCmd.Vet(ctx, r.place(tree), tree.Package, policyFlags(r.Exercise))
	})
}

// run runs a variant's tests with the given options; key tells runs apart.
func (r *Room) run(ctx context.Context, v variant, key string, o toolchain.RunOptions) (*toolchain.Run, error) {
	return once(r, fmt.Sprintf("run %+v %s", v, key), func() (*toolchain.Run, error) {
		b, err := r.binary(ctx, v)
		if err != nil {
			return nil, err
		}
		o.Dir = b.tree.Data
		if o.Timeout == 0 {
			o.Timeout = r.Timeout
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
	if r.main().cover {
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
