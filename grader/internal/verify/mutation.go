package verify

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/mutate"
	"github.com/middle-go/course/grader/internal/parallel"
)

// Mutation says how many small faults in the reference the tests of one exercise
// find.
type Mutation struct {
	Exercise  string
	Mutants   int
	Killed    int
	Listed    []Survivor      // live, and known to make no difference
	Survivors []mutate.Mutant // live, and not listed
	Stale     []string        // keys in the list of mutants that died or are gone
	Elapsed   time.Duration
	Cached    bool
}

// Survivor is a mutant that no test can kill, or need not kill, and why.
type Survivor struct {
	Mutant string `yaml:"mutant"` // as mutate.Mutant.Key gives it
	Why    string `yaml:"why"`
}

// survivorsFile is where the known survivors of ex are listed, below the
// solutions: they quote the reference, which the manifest must not.
func survivorsFile(ex *course.Exercise) string {
	if ex.Kind == course.Project {
		return path.Join(ex.FilesDir(), "testdata/survivors", ex.Slug+".yaml")
	}
	return path.Join(ex.Dir, "testdata/survivors.yaml")
}

func loadSurvivors(solutions string, ex *course.Exercise) ([]Survivor, error) {
	name := filepath.Join(solutions, filepath.FromSlash(survivorsFile(ex)))
	data, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Survivor
	if err := yaml.UnmarshalWithOptions(data, &list, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", survivorsFile(ex), err)
	}
	for i, s := range list {
		if s.Mutant == "" || s.Why == "" {
			return nil, fmt.Errorf("%s: entry %d needs mutant and why", survivorsFile(ex), i+1)
		}
	}
	return list, nil
}

// Mutation tests the tests of ex: it switches on one small fault after another
// in the reference, and the tests have to fail. In the reference of a milestone
// faults are in the lines that have come with it.
func (v *Verifier) Mutation(ctx context.Context, ex *course.Exercise) (*Mutation, error) {
	start := time.Now()
	key, err := v.key("mutation", ex)
	if err != nil {
		return nil, err
	}
	var m Mutation
	if v.cached(key, &m) {
		m.Cached = true
		return &m, nil
	}
	listed, err := loadSurvivors(v.Solutions, ex)
	if err != nil {
		return nil, err
	}
	reference, err := v.readReference(ex)
	if err != nil {
		return nil, err
	}
	e := &examination{Verifier: v, ex: ex, reference: reference}
	room, release, err := e.room(ctx, reference)
	if err != nil {
		return nil, err
	}
	defer release()
	earlier, err := v.earlier(ex)
	if err != nil {
		return nil, err
	}
	schemata, err := room.NewSchemata(ctx, earlier)
	if err != nil {
		return nil, err
	}
	m = Mutation{Exercise: ex.ID(), Mutants: len(schemata.Mutants)}
	var mu sync.Mutex
	live := map[int]bool{}
	err = parallel.Each(ctx, runtime.GOMAXPROCS(0), schemata.Mutants, func(ctx context.Context, _ int, mutant mutate.Mutant) error {
		killed, err := schemata.Killed(ctx, mutant)
		mu.Lock()
		defer mu.Unlock()
		live[mutant.ID] = !killed
		return err
	})
	if err != nil {
		return nil, err
	}
	m.sort(schemata.Mutants, live, listed)
	m.Elapsed = time.Since(start)
	if len(m.Survivors)+len(m.Stale) == 0 {
		v.keep(key, &m)
	}
	return &m, nil
}

// earlier returns a function that reports whether a mutant is in code of the
// reference that an earlier milestone has asked for.
func (v *Verifier) earlier(ex *course.Exercise) (func(mutate.Mutant) bool, error) {
	if ex.Kind != course.Project {
		return func(mutate.Mutant) bool { return false }, nil
	}
	added, err := v.tracker().Added(ex.Slug)
	return func(m mutate.Mutant) bool {
		return !added[strings.TrimPrefix(m.File, ex.FilesDir()+"/")][m.Line]
	}, err
}

// sort divides the mutants into the killed, the listed and the survivors.
func (m *Mutation) sort(all []mutate.Mutant, live map[int]bool, listed []Survivor) {
	used := map[string]bool{}
	for _, mutant := range all {
		i := slices.IndexFunc(listed, func(s Survivor) bool { return s.Mutant == mutant.Key() })
		switch {
		case !live[mutant.ID]:
			m.Killed++
		case i < 0:
			m.Survivors = append(m.Survivors, mutant)
		default:
			used[mutant.Key()] = true
			m.Listed = append(m.Listed, listed[i])
		}
	}
	for _, s := range listed {
		if !used[s.Mutant] {
			m.Stale = append(m.Stale, s.Mutant)
		}
	}
}
