package checks

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/mutate"
	"github.com/middle-go/course/grader/internal/toolchain"
	"github.com/middle-go/course/grader/labkit/mutant"
)

// Schemata is a build of a submission that carries its mutants.
type Schemata struct {
	Mutants []mutate.Mutant // those that compile

	room *Room
	v    variant
	runs toolchain.RunOptions
}

// NewSchemata builds the submission with all its mutants but those for which
// skip returns true. Its tests have to pass.
func (r *Room) NewSchemata(ctx context.Context, skip func(mutate.Mutant) bool) (*Schemata, error) {
	dropped := map[string]bool{} // keys of mutants that do not compile
	for {
		files, mutants, err := r.mutate(ctx, func(m mutate.Mutant) bool { return skip(m) || dropped[m.File+m.Key()] })
		if err != nil {
			return nil, err
		}
		s := &Schemata{Mutants: mutants, room: r, v: r.main()}
		s.v.cover = false
		s.v.schemata = r.addSchemata(files)
		_, err = r.binary(ctx, s.v)
		if be, ok := buildError(err); ok {
			bad := r.blamed(be, mutants)
			if len(bad) == 0 {
				return nil, be
			}
			for _, m := range bad {
				dropped[m.File+m.Key()] = true
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		return s, s.calibrate(ctx)
	}
}

// mutate rewrites the student's files.
func (r *Room) mutate(ctx context.Context, skip func(mutate.Mutant) bool) (map[string][]byte, []mutate.Mutant, error) {
	tree, err := r.tree(variant{})
	if err != nil {
		return nil, nil, err
	}
	files, all, next := map[string][]byte{}, []mutate.Mutant(nil), 1
	for _, dir := range r.codeDirs() {
		pkg, err := r.goCmd.Load(ctx, r.code(tree), strings.TrimPrefix(dir, r.module()+"/"))
		if err != nil {
			return nil, nil, err
		}
		for i, file := range pkg.Syntax {
			name := filepath.Base(pkg.CompiledGoFiles[i])
			at := slices.IndexFunc(r.Student, func(f assembly.File) bool { return f.Path == dir+"/"+name && !f.IsTest() })
			if at < 0 {
				continue
			}
			f := r.Student[at]
			content, mutants := mutate.Rewrite(mutate.Source{
				Name: f.Path, Content: f.Content, Fset: pkg.Fset, File: file, Info: pkg.TypesInfo, Package: pkg.Types,
			}, next, skip)
			files[f.Path] = content
			for _, m := range mutants {
				all, next = append(all, m), m.ID+1
			}
		}
	}
	return files, all, nil
}

func (r *Room) addSchemata(files map[string][]byte) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.schemata = append(r.schemata, files)
	return len(r.schemata)
}

// mutated returns the files with mutants of a variant, by path.
func (r *Room) mutated(v variant) map[string][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v.schemata == 0 {
		return map[string][]byte{}
	}
	return r.schemata[v.schemata-1]
}

// blamed returns the mutants on the lines that the compiler complains about, or
// the last ones before: a missing return is missed at the end of the function.
func (r *Room) blamed(be *toolchain.BuildError, mutants []mutate.Mutant) []mutate.Mutant {
	var bad []mutate.Mutant
	for _, f := range r.buildFindings(be) {
		last := 0
		for _, m := range mutants {
			if m.File == f.File && m.Line <= f.Line {
				last = max(last, m.Line)
			}
		}
		for _, m := range mutants {
			if m.File == f.File && m.Line == last {
				bad = append(bad, m)
			}
		}
	}
	return bad
}

// calibrate runs the tests with no mutant on. They have to pass, and the time
// they take is the measure for mutants.
func (s *Schemata) calibrate(ctx context.Context) error {
	run, err := s.run(ctx, 0, s.v, "", 0)
	if err != nil {
		return err
	}
	if !run.OK() {
		return fmt.Errorf("with no mutant on, the tests fail:\n%s", run.Output)
	}
	s.runs.Timeout = min(s.room.Timeout, slack*run.Elapsed+startTime)
	return nil
}

// A mutant may take this much longer than the code it comes from.
const (
	slack     = 5
	startTime = 3 * time.Second
)

// mutantYields are the seeds with which an interleaved exercise is run on a
// mutant, until one of them kills it.
const mutantYields = 3

// Killed reports whether the tests fail with m switched on.
func (s *Schemata) Killed(ctx context.Context, m mutate.Mutant) (bool, error) {
	seeds := []uint64{0}
	if s.v.interleave {
		for seed := range uint64(mutantYields) {
			seeds = append(seeds, seed+1)
		}
	}
	for _, yields := range seeds {
		if run, err := s.run(ctx, m.ID, s.v, "", yields); err != nil || !run.OK() {
			return err == nil, err
		}
	}
	plain := s.plainTests()
	if len(plain) == 0 {
		return false, nil
	}
	v := s.room.plain()
	v.schemata = s.v.schemata
	run, err := s.run(ctx, m.ID, v, "^("+strings.Join(plain, "|")+")$", 0)
	return err == nil && !run.OK(), err
}

// plainTests are those that run in the build without the race detector only.
func (s *Schemata) plainTests() []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(s.room.Inventory)) {
		if s.room.Inventory.Plain(name) && !strings.Contains(name, "/") {
			list = append(list, name)
		}
	}
	return list
}

func (s *Schemata) run(ctx context.Context, id int, v variant, pattern string, yields uint64) (*toolchain.Run, error) {
	o := s.runs
	o.Run, o.Interleave, o.FailFast = pattern, yields, true
	o.Leak = s.room.Exercise.Checks.Leak && pattern == ""
	if id > 0 {
		o.Env = []string{fmt.Sprintf("%s=%d", mutant.Env, id)}
	}
	return s.room.run(ctx, v, fmt.Sprintf("mutant %d %d", id, yields), o)
}
