package checks

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
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
func (coverageCheck) Applies(ex *course.Exercise) bool { return ex.Checks.Coverage != nil }
func (coverageCheck) Needs() []string                  { return []string{"tests"} }

func (coverageCheck) Run(ctx context.Context, r *Room) (Result, error) {
	want := r.Exercise.Checks.Coverage
	if want.Own && !slices.ContainsFunc(r.Student, func(f assembly.File) bool { return f.IsTest() }) {
		return decide("coverage", []Finding{{
			Rule: "total", Message: fmt.Sprintf("there are no tests of yours yet in %s; this milestone wants %.0f %% of the package covered by them", r.Exercise.Dir, want.Total),
		}}, ""), nil
	}
	run, findings, err := r.coverRun(ctx, want.Own)
	if be, ok := buildError(err); ok {
		return decide("coverage", r.buildFindings(be), ""), nil
	}
	if err != nil {
		return Result{}, err
	}
	if !run.OK() {
		return decide("coverage", findings, ""), nil
	}
	profiles, err := r.profiles()
	if err != nil {
		return Result{}, err
	}
	spans, err := r.functionSpans()
	if err != nil {
		return Result{}, err
	}
	return r.judgeCoverage(profiles, spans), nil
}

// coverRun runs the tests that count, with a coverage profile, and returns what
// is wrong with them.
func (r *Room) coverRun(ctx context.Context, own bool) (*toolchain.Run, []Finding, error) {
	if r.main().cover && !own {
		return r.judgeMain(ctx)
	}
	v := variant{race: r.HasRace(), cover: true, own: own}
	o := toolchain.RunOptions{Coverage: r.coverProfile(), Shuffle: r.Seed}
	if !own {
		return r.judge(ctx, v, "cover", o, r.expected(v.race))
	}
	run, err := r.run(ctx, v, "cover", o)
	if err != nil {
		return nil, nil, err
	}
	findings := r.testFindings(run, nil)
	for i := range findings {
		findings[i].Message = "your own test " + findings[i].Message
		findings[i].Stretch = false // whatever its name
	}
	return run, findings, nil
}

func (r *Room) profiles() ([]*cover.Profile, error) {
	if _, err := os.Stat(r.coverProfile()); err != nil {
		return nil, fmt.Errorf("the tests wrote no coverage profile: %w", err)
	}
	return cover.ParseProfiles(filepath.FromSlash(r.coverProfile()))
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

func (r *Room) judgeCoverage(profiles []*cover.Profile, spans []span) Result {
	want := r.Exercise.Checks.Coverage
	var total counted
	byFunction := make([]counted, len(spans))
	for _, p := range profiles {
		for _, b := range p.Blocks {
			for i, s := range spans {
				if strings.HasSuffix(p.FileName, path.Base(path.Dir(s.file))+"/"+path.Base(s.file)) && s.first <= b.StartLine && b.EndLine <= s.last {
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
	return result
}
