package checks

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/parallel"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// mutantsCheck grades tests that the student writes. They have to pass on the
// given code, again and again, and fail on enough broken variants of it.
type mutantsCheck struct{}

func (mutantsCheck) Name() string                     { return "mutants" }
func (mutantsCheck) Applies(ex *course.Exercise) bool { return ex.Kind == course.Tests }
func (mutantsCheck) Needs() []string                  { return []string{"policy", "build", "limits"} }

// referenceRuns is how often the student's tests must pass on the given code.
const referenceRuns = 3

// mutantTimeout is how long tests may take on one mutant before it counts as
// killed by the timeout.
const mutantTimeout = 10 * time.Second

func (mutantsCheck) Run(ctx context.Context, r *Room) (Result, error) {
	given := variant{race: r.HasRace()}
	for i := range uint64(referenceRuns) {
		run, err := r.run(ctx, given, fmt.Sprintf("given %d", i), toolchain.RunOptions{Shuffle: r.Seed + i})
		if err != nil {
			return Result{}, err
		}
		if !run.OK() {
			findings := r.testFindings(run, nil)
			for k := range findings {
				f := &findings[k]
				f.Detail = strings.Trim("Your "+f.Rule+" "+f.Message+" on the given, correct code.\n"+f.Detail, "\n")
				f.Rule, f.Message = course.RulePassesOnReference, "the suite fails on the given code"
				r.teach(f)
			}
			return decide("mutants", findings, ""), nil
		}
	}
	file, mutants, err := Mutants(r.Source.Course, r.Exercise)
	if err != nil {
		return Result{}, err
	}
	survivors, err := r.survivors(ctx, variant{race: r.HasRace(), mutants: file}, mutants)
	if be, ok := buildError(err); ok {
		return decide("mutants", r.buildFindings(be), ""), nil
	}
	if err != nil {
		return Result{}, err
	}
	killed := len(mutants) - len(survivors)
	result := Result{Check: "mutants", Status: Pass}
	if want := r.Exercise.Checks.Mutants.Kill; killed < want {
		var list strings.Builder
		for _, m := range survivors {
			fmt.Fprintf(&list, "\n  code that %s", m.Defect)
		}
		f := Finding{
			Rule: course.RuleKillsMutants, File: r.Student[0].Path,
			Message: fmt.Sprintf("the suite finds %d of %d broken variants, want %d", killed, len(mutants), want),
			Detail:  "It passes on:" + list.String(),
		}
		r.teach(&f)
		result = decide("mutants", []Finding{f}, "")
	}
	result.Summary = fmt.Sprintf("%d of %d killed", killed, len(mutants))
	result.Metrics = map[string]float64{"mutants": float64(len(mutants)), "killed": float64(killed)}
	return result, nil
}

// survivors returns the mutants on which the suite passes.
func (r *Room) survivors(ctx context.Context, v variant, mutants []Mutant) ([]Mutant, error) {
	if _, err := r.binary(ctx, v); err != nil {
		return nil, err
	}
	passes := make([]bool, len(mutants))
	err := parallel.Each(ctx, runtime.GOMAXPROCS(0), mutants, func(ctx context.Context, i int, m Mutant) error {
		run, err := r.run(ctx, v, m.ID, toolchain.RunOptions{Timeout: mutantTimeout, FailFast: true, Env: []string{"MUTANT=" + m.ID}})
		passes[i] = err == nil && run.OK()
		return err
	})
	var survivors []Mutant
	for i, m := range mutants {
		if passes[i] {
			survivors = append(survivors, m)
		}
	}
	return survivors, err
}

// Mutant is one broken variant of the given code.
type Mutant struct {
	ID     string // such as m07
	Defect string // what it does wrong, continuing "code that"
}

const mutantMark = "//course:mutant "

// Mutants returns the file with the broken variants of the given code of ex,
// from the root of the course, and their list. The file replaces the given file
// of the same name; the environment variable MUTANT chooses the variant.
func Mutants(courseRoot string, ex *course.Exercise) (file string, list []Mutant, err error) {
	names, err := fs.Glob(os.DirFS(filepath.Join(courseRoot, filepath.FromSlash(ex.Dir))), assembly.MutantsDir+"/*.go")
	if err != nil {
		return "", nil, err
	}
	if len(names) != 1 {
		return "", nil, fmt.Errorf("%s has %d files in %s, want one", ex.Dir, len(names), assembly.MutantsDir)
	}
	file = path.Join(ex.Dir, names[0])
	src, err := readCourse(courseRoot, file)
	if err != nil {
		return "", nil, err
	}
	n := 0
	for line := range strings.Lines(string(src)) {
		n++
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), mutantMark)
		if !ok {
			continue
		}
		id, defect, _ := strings.Cut(rest, " ")
		switch {
		case id == "" || defect == "":
			return "", nil, fmt.Errorf("%s:%d: a mutant is marked %q", file, n, mutantMark+"ID DEFECT")
		case slices.ContainsFunc(list, func(m Mutant) bool { return m.ID == id }):
			return "", nil, fmt.Errorf("%s:%d: mutant %s is there twice", file, n, id)
		}
		list = append(list, Mutant{ID: id, Defect: defect})
	}
	if len(list) == 0 {
		return "", nil, fmt.Errorf("%s has no line %q", file, mutantMark+"ID DEFECT")
	}
	return file, list, nil
}
