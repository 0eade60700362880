// Package verify is the course's self-check: it tests the tests.
//
// For every exercise the stub fails and the reference passes, again and again,
// and every wrong solution fails through the test that names it.
package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/atomicfile"
	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/parallel"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// Verifier checks exercises of one course against their solutions.
type Verifier struct {
	Grader    *grade.Grader
	Solutions string // root of the solutions
	Runs      int    // how often the reference and every wrong solution run
	Record    bool   // write the inventories instead of comparing them
	CacheDir  string // where results are kept, or empty
}

// Report is the result of verifying one exercise.
type Report struct {
	Exercise  string
	Tests     int // top-level
	Subtests  int
	Runs      int // of the reference
	Flakes    int // of them that failed
	Wrong     int // wrong solutions
	WrongRuns int // runs of wrong solutions
	Escaped   int // of them that did not fail through the named test
	Mutants   int // broken variants, in exercises of kind tests
	Problems  []string
	Elapsed   time.Duration
	Cached    bool
}

// Add adds the counts of another report to r.
func (r *Report) Add(o *Report) {
	r.Tests += o.Tests
	r.Subtests += o.Subtests
	r.Runs += o.Runs
	r.Flakes += o.Flakes
	r.Wrong += o.Wrong
	r.WrongRuns += o.WrongRuns
	r.Escaped += o.Escaped
	r.Mutants += o.Mutants
}

// OK reports whether the exercise is sound.
func (r *Report) OK() bool { return len(r.Problems) == 0 }

// Exercise verifies one exercise. The error is for what is not the exercise's
// fault, such as a cancelled context.
func (v *Verifier) Exercise(ctx context.Context, ex *course.Exercise) (*Report, error) {
	start := time.Now()
	key, err := v.key("exercise", ex)
	if err != nil {
		return nil, err
	}
	var known Report
	if v.cached(key, &known) {
		known.Cached = true
		return &known, nil
	}
	examinations.Add(1)
	defer examinations.Add(-1)
	e := &examination{Verifier: v, ex: ex, report: &Report{Exercise: ex.ID()}}
	if err := e.run(ctx); err != nil {
		return nil, err
	}
	e.report.Elapsed = time.Since(start)
	if e.report.OK() && !v.Record {
		v.keep(key, e.report)
	}
	return e.report, nil
}

// examination is the verification of one exercise in progress.
type examination struct {
	*Verifier
	ex        *course.Exercise
	report    *Report
	reference []assembly.File
	inventory checks.Inventory
}

func (e *examination) problem(format string, args ...any) {
	e.report.Problems = append(e.report.Problems, fmt.Sprintf(format, args...))
}

func (e *examination) run(ctx context.Context) error {
	var err error
	if e.reference, err = e.readReference(e.ex); err != nil {
		e.problem("the reference: %v", err)
		return nil
	}
	if err := e.checkStubRecord(); err != nil {
		return err
	}
	if err := e.checkGiven(); err != nil {
		return err
	}
	if e.ex.Kind != course.Tests {
		if err := e.checkInventory(ctx); err != nil {
			return err
		}
		if len(e.inventory) == 0 { // nothing to hold the rest against
			return nil
		}
	}
	for _, step := range []func(context.Context) error{e.checkReference, e.checkStub, e.checkWrong} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (e *examination) request(submission string) grade.Request {
	return grade.Request{Exercise: e.ex, Submission: submission}
}

// room opens a room for files. The cause of a BlockedError is a problem of this
// machine and ends the verification.
func (e *examination) room(ctx context.Context, files []assembly.File) (*checks.Room, func(), error) {
	return e.Grader.Room(ctx, e.request(e.Solutions), files, 1)
}

// checkStubRecord compares the recorded hashes of the stub with its files.
func (e *examination) checkStubRecord() error {
	root := e.Grader.Course.Root
	files, err := assembly.Read(root, root, e.ex)
	if err != nil {
		return nil // checkStub says what is wrong with it
	}
	given, err := assembly.Given(root, e.ex)
	if err != nil {
		return err
	}
	recording.Lock()
	defer recording.Unlock()
	stubs, err := assembly.LoadStubs(root)
	if err != nil {
		return err
	}
	if e.Record {
		stubs.Record(slices.Concat(files, given))
		return stubs.Save(root)
	}
	for _, f := range slices.Concat(files, given) {
		if !stubs.Is(f.Path, f.Content) {
			e.problem("the recorded hash of the stub %s is not that of the file; if the file is right, run: grader verify --record %s", f.Path, e.ex.ID())
		}
	}
	return nil
}

// checkGiven demands that a file of the exercise that the solutions repeat, so
// that they build on their own, is the course's.
func (e *examination) checkGiven() error {
	dir := filepath.FromSlash(e.ex.Dir)
	names, err := filepath.Glob(filepath.Join(e.Solutions, dir, "*.go"))
	if err != nil {
		return err
	}
	if e.ex.Kind == course.Project {
		return e.checkProjectFiles()
	}
	for _, name := range names {
		base := filepath.Base(name)
		if slices.Contains(e.ex.Files, base) {
			continue
		}
		repeated, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		given, err := os.ReadFile(filepath.Join(e.Grader.Course.Root, dir, base))
		if err != nil || !bytes.Equal(given, repeated) {
			e.problem("solutions/%s/%s is not the given file of the same name", e.ex.Dir, base)
		}
	}
	return nil
}

// checkProjectFiles demands the same of the files that the course gives among
// the student's. The reference has its marker in front.
func (e *examination) checkProjectFiles() error {
	given, err := assembly.Given(e.Grader.Course.Root, e.ex)
	if err != nil {
		return err
	}
	for _, f := range given {
		repeated, err := os.ReadFile(filepath.Join(e.Solutions, filepath.FromSlash(f.Path)))
		if err != nil || !bytes.HasSuffix(repeated, f.Content) {
			e.problem("solutions/%s is not the given file of the same name", f.Path)
		}
	}
	return nil
}

// recording is held while the one file with the hashes of all stubs is changed.
var recording sync.Mutex

// checkInventory compares the recorded inventory with what the reference runs.
func (e *examination) checkInventory(ctx context.Context) error {
	room, release, err := e.room(ctx, e.reference)
	if err != nil {
		return err
	}
	defer release()
	race, err := room.Repeat(ctx, "", false, 1, 0)
	if e.buildProblem("the reference", err) {
		return nil
	}
	if err != nil {
		return err
	}
	plain := race
	if !e.ex.BlackBox() { // else no test could know the difference
		if plain, err = room.Repeat(ctx, "", true, 1, 0); err != nil {
			return err
		}
	}
	got := checks.Record(race, plain)
	e.report.Tests, e.report.Subtests = got.Tests()
	e.inventory = got
	if len(got) == 0 {
		e.problem("the reference passes no test")
		for _, f := range room.RunDetails(race) {
			e.problem("the reference: %s %s %s", f.Rule, f.Message, f.Detail)
		}
		return nil
	}
	if e.Record {
		return atomicfile.Write(checks.InventoryFile(e.Grader.Course.Root, e.ex), got.Bytes(), 0o644)
	}
	if room.HasRace() && string(got.Bytes()) != string(room.Inventory.Bytes()) {
		e.problem("the recorded inventory differs from the tests that the reference passes: %s; if that is right, run: grader verify --record %s",
			inventoryDiff(room.Inventory, got), e.ex.ID())
	}
	return nil
}

func inventoryDiff(recorded, got checks.Inventory) string {
	var list []string
	for name, plain := range got {
		if was, ok := recorded[name]; !ok {
			list = append(list, "+"+name)
		} else if was != plain {
			list = append(list, "~"+name)
		}
	}
	for name := range recorded {
		if _, ok := got[name]; !ok {
			list = append(list, "-"+name)
		}
	}
	slices.Sort(list)
	return strings.Join(list[:min(len(list), 8)], " ")
}

func (e *examination) buildProblem(what string, err error) bool {
	build, ok := errors.AsType[*toolchain.BuildError](err)
	if ok {
		e.problem("%s", doesNotCompile(what, build))
	}
	return ok
}

func doesNotCompile(what string, err *toolchain.BuildError) string {
	return what + " does not compile: " + strings.TrimSpace(err.Output)
}

// checkStub demands that the stub compiles, is clean, and fails every test but
// the guards, fast.
func (e *examination) checkStub(ctx context.Context) error {
	root := e.Grader.Course.Root
	stub, err := assembly.Read(root, root, e.ex)
	if err != nil {
		e.problem("the stub: %v", err)
		return nil
	}
	verdict, err := e.uncached().Grade(ctx, grade.Request{Exercise: e.ex, Submission: root, Files: stub})
	if err != nil {
		return err
	}
	for _, c := range verdict.Checks {
		switch c.Check {
		case "files", "policy", "build", "gofmt", "lint":
			// Limits may well be broken: given code can be slow, or wrong.
			if c.Status != checks.Pass && c.Status != checks.NotRun {
				e.problem("the stub is not clean: %s", first(c))
			}
		}
		for _, f := range c.Findings {
			if f.TimedOut {
				e.problem("the stub does not fail fast: %s %s", f.Rule, f.Message)
			}
		}
	}
	if verdict.Status == checks.Pass {
		e.problem("the stub passes: there is nothing to do in this exercise")
	}
	if e.ex.Kind == course.Tests {
		return nil
	}
	room, release, err := e.room(ctx, stub)
	if err != nil {
		return err
	}
	defer release()
	for _, test := range e.tops() {
		run, err := room.Repeat(ctx, only(test), e.inventory.Plain(test), 1, 0)
		if e.buildProblem("the stub", err) {
			return nil
		}
		if err != nil {
			return err
		}
		guard := slices.Contains(e.ex.Guards, test)
		switch passes := run.OK() && ran(run, test); {
		case passes && !guard:
			e.problem("%s passes on the stub: it demands nothing; make it fail or list it under guards", test)
		case !passes && guard:
			e.problem("%s is listed under guards, but it fails on the stub", test)
		}
	}
	return nil
}

// checkReference demands that the reference passes every check, and its tests
// again and again beside processes that hog the CPU.
func (e *examination) checkReference(ctx context.Context) error {
	verdict, err := e.uncached().Grade(ctx, grade.Request{Exercise: e.ex, Submission: e.Solutions, Files: e.reference})
	if err != nil {
		return err
	}
	for _, c := range verdict.Checks {
		if c.Status != checks.Pass && (c.Status != checks.NotRun || verdict.Status == checks.Pass) {
			e.problem("the reference does not pass: %s %s: %s", c.Check, c.Status, first(c))
		}
		if c.Check == "mutants" {
			e.report.Mutants = int(c.Metrics["mutants"])
		}
		if c.Check == "bench" && c.Metrics["ratio"] < headroom*c.Metrics["want"] {
			e.problem("the bench threshold leaves no headroom: the reference is %.2fx, %.0f times the wanted %.2fx is needed",
				c.Metrics["ratio"], headroom, c.Metrics["want"])
		}
	}
	if verdict.Status != checks.Pass {
		return nil
	}
	room, release, err := e.room(ctx, e.reference)
	if err != nil {
		return err
	}
	defer release()
	defer startHogs()()
	flaky := make([][]string, e.Runs)
	err = parallel.Each(ctx, referencesAtOnce(), flaky, func(ctx context.Context, i int, _ []string) (err error) {
		flaky[i], err = e.runReference(ctx, room, uint64(i))
		return err
	})
	if err != nil {
		return err
	}
	for _, problems := range flaky {
		e.report.Runs++
		if len(problems) > 0 {
			e.report.Flakes++
			e.report.Problems = append(e.report.Problems, problems...)
		}
	}
	return nil
}

// referencesAtOnce is how many runs of a reference are each other's load. One
// more than there are CPUs, so that each has to wait for one.
func referencesAtOnce() int { return runtime.NumCPU() + 1 }

// runReference runs the tests of the reference once with each seed of yields. It
// returns what is flaky about them.
func (e *examination) runReference(ctx context.Context, room *checks.Room, i uint64) (problems []string, err error) {
	for _, yields := range e.yields(room, i) {
		run, err := room.Repeat(ctx, "", false, i+1, yields)
		if err != nil {
			return nil, err
		}
		if run.OK() {
			continue
		}
		for _, f := range room.RunDetails(run) {
			problems = append(problems, fmt.Sprintf("the reference is flaky: run %d of %d (yields %d): %s %s %s", i+1, e.Runs, yields, f.Rule, f.Message, f.Detail))
		}
	}
	return problems, nil
}

// headroom is rule D3: a ratio is graded only where the reference has at least
// twice the wanted one.
const headroom = 2.0

// yields returns the seeds with which run i repeats the tests: none, and one
// with yields where the exercise has them.
func (e *examination) yields(room *checks.Room, i uint64) []uint64 {
	if room.Interleaved() {
		return []uint64{0, i + 1}
	}
	return []uint64{0}
}

// uncached returns the grader without its memory of verdicts.
func (v *Verifier) uncached() *grade.Grader {
	g := *v.Grader
	g.Cache = grade.Cache{}
	return &g
}

func (e *examination) tops() []string {
	var tops []string
	for name := range e.inventory {
		if !strings.Contains(name, "/") {
			tops = append(tops, name)
		}
	}
	slices.Sort(tops)
	return tops
}

// only is the regular expression of one test or subtest.
func only(test string) string {
	parts := strings.Split(test, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

func ran(run *toolchain.Run, test string) bool {
	return slices.ContainsFunc(run.Tests, func(t toolchain.Test) bool { return t.Name == test && t.Outcome == toolchain.Passed })
}

// failed reports whether test itself failed, or the process died in it.
func failed(run *toolchain.Run, test string) bool {
	return slices.ContainsFunc(run.Tests, func(t toolchain.Test) bool {
		return t.Name == test && (t.Outcome == toolchain.Failed || t.Outcome == toolchain.Running)
	})
}

func first(r checks.Result) string {
	if len(r.Findings) == 0 {
		return r.Check + " " + string(r.Status)
	}
	f := r.Findings[0]
	at := ""
	if f.File != "" {
		at = fmt.Sprintf(" %s:%d", f.File, f.Line)
	}
	return strings.TrimSpace(fmt.Sprintf("%s%s %s\n%s", f.Rule, at, f.Message, f.Detail))
}

func rules(v *grade.Verdict) string {
	var list []string
	for _, f := range v.Findings() {
		list = append(list, f.Check+" "+f.Rule)
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

// key is a hash of everything that the result of one kind depends on.
func (v *Verifier) key(kind string, ex *course.Exercise) (string, error) {
	dirs := []string{filepath.Join(v.Solutions, filepath.FromSlash(ex.Dir)), filepath.Join(v.Solutions, filepath.FromSlash(wrongDir(ex)))}
	if ex.Kind == course.Project { // all of the reference, and all of the skeleton
		dirs = append(dirs, filepath.Join(v.Solutions, course.ProjectDir), filepath.Join(v.Grader.Course.Root, course.ProjectDir))
	}
	reference, err := v.Grader.ContentKey(ex, dirs...)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", kind, reference, v.Runs))
	return hex.EncodeToString(sum[:]), nil
}

// cached fills result with what is known for key. It reports whether that was
// something.
func (v *Verifier) cached(key string, result any) bool {
	if v.CacheDir == "" || v.Record {
		return false
	}
	data, err := os.ReadFile(filepath.Join(v.CacheDir, key+".json"))
	return err == nil && json.Unmarshal(data, result) == nil
}

func (v *Verifier) keep(key string, result any) {
	if v.CacheDir == "" {
		return
	}
	if data, err := json.Marshal(result); err == nil {
		_ = atomicfile.Write(filepath.Join(v.CacheDir, key+".json"), data, 0o600)
	}
}
