package checks

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/sandbox"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// testsCheck runs the tests of the course, in random order, in the build with
// -race.
type testsCheck struct{}

func (testsCheck) Name() string                     { return "tests" }
func (testsCheck) Applies(ex *course.Exercise) bool { return ex.Kind != course.Tests }
func (testsCheck) Needs() []string                  { return []string{"policy", "build"} }

func (testsCheck) Run(ctx context.Context, r *Room) (Result, error) {
	_, findings, err := r.judgeMain(ctx)
	if err != nil {
		return Result{}, err
	}
	top, sub := r.Inventory.Tests()
	summary := plural(top, "test")
	if sub > 0 {
		summary += ", " + plural(sub, "subtest")
	}
	return decide("tests", findings, summary), nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// expected returns the tests that must pass in one build: those of the
// inventory, and the top-level tests that the work tree has besides.
func (r *Room) expected(race bool) map[string]bool {
	want := r.Inventory.in(race)
	plan, err := r.plan(0)
	if err != nil {
		return want
	}
	for _, name := range plan.Tests {
		if _, known := r.Inventory[name]; !known {
			want[name] = true
		}
	}
	return want
}

// testFindings explains a run: failed tests, tests that did not run, and a
// process that did not end as it should. A run that cannot be believed never
// gives an empty list.
func (r *Room) testFindings(run *toolchain.Run, want map[string]bool) []Finding {
	var findings []Finding
	outcome := map[string]toolchain.Outcome{}
	for _, t := range run.Tests {
		outcome[t.Name] = t.Outcome
	}
	for _, t := range run.Tests {
		switch t.Outcome {
		case toolchain.Failed:
			if !hasFailedChild(run.Tests, t.Name) || meaningful(t.Output) {
				findings = append(findings, r.failedTest(run, t))
			}
		case toolchain.Running:
			if !hasUnfinishedChild(run.Tests, t.Name) {
				findings = append(findings, r.unfinishedTest(run, t))
			}
		case toolchain.Skipped:
			if want[t.Name] {
				findings = append(findings, r.finding(t.Name, "was skipped, but it must run", ""))
			}
		}
	}
	if len(findings) == 0 && !explained(run) {
		findings = r.missingTests(run, want, outcome)
	}
	if len(findings) == 0 && !run.OK() {
		findings = append(findings, r.badEnd(run))
	}
	slices.SortStableFunc(findings, func(a, b Finding) int { return cmp.Compare(r.rank(a), r.rank(b)) })
	return findings
}

// explained reports whether a program says itself why it ended. That is told
// instead of which tests it kept from running.
func explained(run *toolchain.Run) bool {
	return !run.OK() && !run.Done && (strings.Contains(run.Output, raceWarning) || panicLine.MatchString(run.Output))
}

// rank orders findings as the tests stand in the source, which is the order in
// which a student should work.
func (r *Room) rank(f Finding) int {
	top, _, _ := strings.Cut(f.Rule, "/")
	plan, err := r.plan(0)
	if err != nil {
		return 0
	}
	if i := slices.Index(plan.Tests, top); i >= 0 {
		return i
	}
	return len(plan.Tests)
}

func (r *Room) finding(test, message, detail string) Finding {
	f := Finding{Rule: test, Message: message, Detail: detail, Stretch: r.Exercise.IsStretch(test)}
	r.teach(&f)
	return f
}

// teach adds the misconception behind a broken rule and the hint that helps.
func (r *Room) teach(f *Finding) {
	if m, ok := r.Exercise.Misconception(f.Rule); ok {
		f.Misconception, f.Hint = m.Belief, m.Hint
	}
}

func (r *Room) failedTest(run *toolchain.Run, t toolchain.Test) Finding {
	f := r.finding(t.Name, "failed", "")
	if p, ok := r.findPanic(t.Output); ok {
		f.Message, f.Detail, f.File, f.Line = p.message, p.detail, p.file, p.line
		return f
	}
	detail, file, line := cleanLog(t.Output)
	f.Detail, f.Line = detail, line
	if file != "" {
		f.File = r.Exercise.Dir + "/" + file
	}
	return f
}

// unfinishedTest explains a test in the middle of which the process ended.
func (r *Room) unfinishedTest(run *toolchain.Run, t toolchain.Test) Finding {
	f := r.finding(t.Name, "did not finish", "")
	switch {
	case run.TimedOut():
		f.TimedOut = true
		f.Message = fmt.Sprintf("did not finish: the tests were stopped after %v", r.Timeout)
		f.Detail = r.stuckAt(run.Output)
	case strings.Contains(run.Output, raceWarning):
		f.Message = "made the race detector stop the program"
		f.Detail = r.explainRace(run.Output)
	default:
		if p, ok := r.findPanic(run.Output); ok {
			f.Message, f.Detail, f.File, f.Line = p.message, p.detail, p.file, p.line
		} else {
			f.Message, f.Detail = r.processEnd(run), tail(run.Output)
		}
	}
	return f
}

func (r *Room) missingTests(run *toolchain.Run, want map[string]bool, got map[string]toolchain.Outcome) []Finding {
	var missing []string
	for name := range want {
		if _, ran := got[name]; !ran {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	var findings []Finding
	for _, name := range missing {
		f := r.finding(name, "did not run", "Every test of the inventory has to run and pass. "+r.processEnd(run)+".")
		findings = append(findings, f)
	}
	return findings
}

// badEnd explains a process that did not end well although no test failed.
func (r *Room) badEnd(run *toolchain.Run) Finding {
	f := Finding{Rule: "process", Message: r.processEnd(run), Detail: tail(run.Output), TimedOut: run.TimedOut()}
	switch {
	case run.Leaks != "":
		f.Rule, f.Message, f.Detail = "leak", "goroutines are still running after the tests", r.explainLeak(run.Leaks)
	case strings.Contains(run.Output, raceWarning):
		f.Rule, f.Message, f.Detail = "race", "the race detector stopped the program", r.explainRace(run.Output)
	default:
		if p, ok := r.findPanic(run.Output); ok {
			f.Message, f.Detail, f.File, f.Line = p.message, p.detail, p.file, p.line
		}
	}
	return f
}

func (r *Room) processEnd(run *toolchain.Run) string {
	switch {
	case run.End == sandbox.TooLoud:
		return "the program printed more than 1 MiB and was stopped"
	case run.TimedOut():
		return fmt.Sprintf("the program was stopped after %v", r.Timeout)
	case run.End == sandbox.Signalled:
		return "the program was killed, most likely because it used too much memory (limit: " + toolchain.MemoryLimit + ")"
	case run.Code == 0 && !run.Done:
		return "the program exited with code 0 before the tests were over"
	case outOfMemory.MatchString(run.Output):
		return "the program ran out of memory (limit: " + toolchain.MemoryLimit + ")"
	default:
		return fmt.Sprintf("the program exited with code %d", run.Code)
	}
}

func hasFailedChild(tests []toolchain.Test, name string) bool {
	return slices.ContainsFunc(tests, func(t toolchain.Test) bool {
		return strings.HasPrefix(t.Name, name+"/") && (t.Outcome == toolchain.Failed || t.Outcome == toolchain.Running)
	})
}

func hasUnfinishedChild(tests []toolchain.Test, name string) bool {
	return slices.ContainsFunc(tests, func(t toolchain.Test) bool {
		return strings.HasPrefix(t.Name, name+"/") && t.Outcome == toolchain.Running
	})
}

// tailLines is how much of a program's last words is shown.
const tailLines = 12

func tail(output string) string {
	var lines []string
	for line := range strings.Lines(output) {
		if !strings.Contains(line, "\x16") && strings.TrimSpace(line) != "" {
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
