package checks

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/tools/cover"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// coverageCheck demands that tests reach the student's statements: the tests of
// the course, or the student's own.
type coverageCheck struct{}

func (coverageCheck) Name() string                     { return "coverage" }
func (coverageCheck) Applies(ex *course.Exercise) bool { return coverageApplies(ex) }
func (coverageCheck) Needs() []string                  { return []string{"tests"} }

// coverageApplies reports whether coverage is measured. That of a program which
// is tested from outside is always of interest.
func coverageApplies(ex *course.Exercise) bool { return ex.Checks.Coverage != nil || ex.BlackBox() }

func ownCoverage(ex *course.Exercise) bool {
	return ex.Checks.Coverage != nil && ex.Checks.Coverage.Own
}

func (coverageCheck) Run(ctx context.Context, r *Room) (Result, error) {
	measure := r.coverRun
	if ownCoverage(r.Exercise) {
		measure = r.ownCoverRun
	}
	profiles, findings, err := measure(ctx)
	if be, ok := buildError(err); ok {
		return decide("coverage", r.buildFindings(be), ""), nil
	}
	if err != nil {
		return Result{}, err
	}
	if len(findings) > 0 {
		return decide("coverage", findings, ""), nil
	}
	spans, err := r.functionSpans()
	if err != nil {
		return Result{}, err
	}
	return r.judgeCoverage(profiles, spans), nil
}

// coverRun runs the tests of the course with a coverage profile. It returns what
// is wrong with them, or the profile.
func (r *Room) coverRun(ctx context.Context) ([]*cover.Profile, []Finding, error) {
	v := r.main()
	judge := r.judgeMain
	if !v.cover {
		v = variant{race: r.HasRace(), cover: true}
		judge = func(ctx context.Context) (*toolchain.Run, []Finding, error) {
			return r.judge(ctx, v, "cover", toolchain.RunOptions{Coverage: r.coverProfile(), Shuffle: r.Seed}, r.expected(v.race))
		}
	}
	run, findings, err := judge(ctx)
	if err != nil {
		return nil, nil, err
	}
	if !run.OK() {
		return nil, findings, nil
	}
	if r.Exercise.BlackBox() {
		return r.programProfile(ctx, v)
	}
	profiles, err := readProfile(r.coverProfile())
	return profiles, nil, err
}

// programProfile gathers what the runs of a program have covered. One that was
// killed has left nothing.
func (r *Room) programProfile(ctx context.Context, v variant) ([]*cover.Profile, []Finding, error) {
	if left, err := os.ReadDir(r.coverDir()); err != nil || len(left) == 0 {
		return nil, []Finding{{Rule: "total", Message: "the program left no coverage data: it never ended by itself"}}, err
	}
	tree, err := r.tree(v)
	if err != nil {
		return nil, nil, err
	}
	if err := r.goCmd.CoverProfile(ctx, r.code(tree), r.coverDir(), r.coverProfile()); err != nil {
		return nil, nil, err
	}
	profiles, err := readProfile(r.coverProfile())
	return profiles, nil, err
}

// ownCoverRun runs the student's own tests, package by package, with a coverage
// profile of all packages that the exercise is about. It returns what is wrong
// with them, or the profiles.
func (r *Room) ownCoverRun(ctx context.Context) ([]*cover.Profile, []Finding, error) {
	if !slices.ContainsFunc(r.Student, func(f assembly.File) bool { return f.IsTest() && r.Exercise.About(f.Path) }) {
		return nil, []Finding{{Rule: "total", Message: fmt.Sprintf("there are no tests of yours yet in %s; this milestone wants %.0f %% of the %s covered by them",
			strings.Join(r.codeDirs(), ", "), r.Exercise.Checks.Coverage.Total, packages(r.codeDirs()))}}, nil
	}
	plan, err := r.plan(assembly.OwnTests)
	if err != nil {
		return nil, nil, err
	}
	var all []*cover.Profile
	var findings []Finding
	for _, pkg := range plan.Own {
		v := variant{race: r.HasRace(), cover: true, own: true, pkg: pkg}
		run, err := r.run(ctx, v, "cover", toolchain.RunOptions{Coverage: r.coverProfile(), Shuffle: r.Seed})
		if err != nil {
			return nil, nil, err
		}
		if wrong := r.testFindings(run, nil); len(wrong) > 0 {
			findings = append(findings, r.ownFindings(pkg, wrong)...)
			continue
		}
		profiles, err := readProfile(r.coverProfile())
		if err != nil {
			return nil, nil, err
		}
		all = append(all, profiles...)
	}
	return all, findings, nil
}

// ownFindings says of findings about the student's own tests that they are.
func (r *Room) ownFindings(pkg string, findings []Finding) []Finding {
	for i := range findings {
		f := &findings[i]
		f.Message = "your own test " + f.Message
		f.Stretch = false // whatever its name
		if f.File != "" && strings.HasPrefix(f.File, r.Exercise.Dir+"/") && !r.isStudents(f.File) {
			f.File = path.Join(r.module(), pkg, path.Base(f.File))
		}
	}
	return findings
}

func packages(dirs []string) string {
	if len(dirs) == 1 {
		return "package"
	}
	return "packages"
}

// readProfile reads a coverage profile.
func readProfile(name string) ([]*cover.Profile, error) {
	if _, err := os.Stat(name); err != nil {
		return nil, fmt.Errorf("the tests wrote no coverage profile: %w", err)
	}
	return cover.ParseProfiles(name)
}

// counted is how many statements there are and how many of them ran.
type counted struct{ covered, total int }

func (c counted) percent() float64 {
	if c.total == 0 {
		return 100
	}
	return 100 * float64(c.covered) / float64(c.total)
}

func (c *counted) add(b cover.ProfileBlock) {
	c.total += b.NumStmt
	if b.Count > 0 {
		c.covered += b.NumStmt
	}
}

// judgeCoverage compares profiles with what is wanted. A block that several of
// them know is covered if it is in one.
func (r *Room) judgeCoverage(profiles []*cover.Profile, spans []span) Result {
	want := course.Coverage{}
	if r.Exercise.Checks.Coverage != nil {
		want = *r.Exercise.Checks.Coverage
	}
	var total counted
	byFunction := make([]counted, len(spans))
	for file, blocks := range merged(profiles) {
		for i, s := range spans {
			if !strings.HasSuffix(file, "/"+s.file) {
				continue
			}
			for _, b := range blocks {
				if s.first <= b.StartLine && b.EndLine <= s.last {
					byFunction[i].add(b)
					total.add(b)
				}
			}
		}
	}
	var findings []Finding
	if got := total.percent(); got < want.Total {
		findings = append(findings, Finding{Rule: "total", Message: fmt.Sprintf("%.1f %% of the statements are covered, want %.0f %%", got, want.Total)})
	}
	for i, s := range spans {
		got := byFunction[i].percent()
		if got < want.Function || len(findings) > 0 && byFunction[i].covered == 0 && byFunction[i].total > 0 {
			findings = append(findings, Finding{
				Rule: s.name, File: s.file, Line: s.first,
				Message: fmt.Sprintf("%s: %.0f %% of its statements are covered", s.name, got),
			})
		}
	}
	result := decide("coverage", findings, fmt.Sprintf("%.1f %%", total.percent()))
	result.Metrics = map[string]float64{"coverage_percent": total.percent()}
	if want.Total > 0 {
		result.Metrics["want"] = want.Total
	}
	return result
}

// merged returns the blocks of profiles by file, each block once.
func merged(profiles []*cover.Profile) map[string][]cover.ProfileBlock {
	type position struct {
		file                                 string
		startLine, startCol, endLine, endCol int
	}
	at := map[position]int{}
	blocks := map[string][]cover.ProfileBlock{}
	for _, p := range profiles {
		for _, b := range p.Blocks {
			pos := position{p.FileName, b.StartLine, b.StartCol, b.EndLine, b.EndCol}
			if i, known := at[pos]; known {
				blocks[p.FileName][i].Count += b.Count
				continue
			}
			at[pos] = len(blocks[p.FileName])
			blocks[p.FileName] = append(blocks[p.FileName], b)
		}
	}
	return blocks
}
