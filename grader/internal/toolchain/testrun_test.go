package toolchain

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/sandbox"
)

const token = "one-time"

// events builds what a test binary sends, from lines such as "start TestA" and
// "end TestA pass". Other lines are sent as they are.
func events(lines ...string) []byte {
	var b strings.Builder
	for _, line := range lines {
		switch f := strings.Fields(line); f[0] {
		case "start":
			b.WriteString(`{"kind":"start","test":"` + f[1] + `"}`)
		case "end":
			b.WriteString(`{"kind":"end","test":"` + f[1] + `","result":"` + f[2] + `"}`)
		case "done":
			b.WriteString(`{"kind":"done","token":"` + token + `"}`)
		default:
			b.WriteString(line)
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// read gives the run of a process that exited 0 and sent these events.
func read(lines ...string) *Run {
	r := &Run{End: sandbox.Exited}
	r.readEvents(events(lines...), token)
	return r
}

func outcomes(r *Run) string {
	var list []string
	for _, t := range r.Tests {
		list = append(list, t.Name+"="+string(t.Outcome))
	}
	return strings.Join(list, " ")
}

func TestReadEvents_GivesEveryTestItsOutcome(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  string
		ok    bool
	}{
		{"tests and subtests", []string{"start TestA", "start TestA/x", "end TestA/x pass", "end TestA pass", "start TestB", "end TestB skip", "done"},
			"TestA=pass TestA/x=pass TestB=skip", true},
		{"failed", []string{"start TestA", "end TestA fail", "done"}, "TestA=fail", false},
		{"no tests", []string{"done"}, "", true},
		{"unfinished", []string{"start TestA", "start TestA/x", "end TestA/x pass", "start TestA/y"}, "TestA=running TestA/x=pass TestA/y=running", false},
		{"unfinished, and yet done", []string{"start TestA", "done"}, "TestA=running", false},

		// Inside synctest.Test the function has a T of the same name.
		{"bubble", []string{"start TestA", "start TestA", "end TestA pass", "end TestA pass", "done"}, "TestA=pass", true},
		{"failed bubble", []string{"start TestA", "start TestA", "end TestA fail", "end TestA pass", "done"}, "TestA=fail", false},
		{"failed around the bubble", []string{"start TestA", "start TestA", "end TestA pass", "end TestA fail", "done"}, "TestA=fail", false},
		{"death in the bubble", []string{"start TestA", "start TestA", "end TestA pass"}, "TestA=running", false},
		{"repeated test", []string{"start TestA", "end TestA pass", "start TestA", "end TestA skip", "done"}, "TestA=skip", true},
		{"death in the repetition", []string{"start TestA", "end TestA pass", "start TestA"}, "TestA=running", false},

		// What only a forger sends.
		{"end without a start", []string{"end TestA pass", "done"}, "", true},
		{"end before its start", []string{"end TestA pass", "start TestA", "done"}, "TestA=running", false},
		{"ends in advance", []string{"start TestA", "end TestA pass", "end TestA pass", "start TestA", "done"}, "TestA=running", false},
		{"pass after a failure", []string{"start TestA", "end TestA fail", "start TestA", "end TestA pass", "done"}, "TestA=fail", false},
		{"unknown result", []string{"start TestA", "end TestA great", "done"}, "TestA=fail", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(c.lines...)
			require.Equal(t, c.want, outcomes(r))
			require.Equal(t, c.ok, r.OK())
		})
	}
}

func TestReadEvents_SkipsWhatIsCutOffOrNoEvent(t *testing.T) {
	r := read("start TestA", "end TestA pass", "no JSON", `{"kind":"start","test":["TestB"]}`, `{"kind":"unknown","test":"TestC"}`, `{}`, "done")
	require.Equal(t, "TestA=pass", outcomes(r))
	require.True(t, r.OK())

	// The process dies while it writes its last event.
	whole := events("start TestA", "end TestA pass", "done")
	for n := range whole[:len(whole)-2] { // without the closing brace and the newline
		r := &Run{End: sandbox.Exited}
		r.readEvents(whole[:n], token)
		require.False(t, r.OK(), "%s", whole[:n])
	}
}

func TestReadEvents_BelievesTheTokenOnly(t *testing.T) {
	done := func(code string, tokens ...string) []string {
		lines := []string{"start TestA", "end TestA pass"}
		for _, t := range tokens {
			lines = append(lines, `{"kind":"done","code":`+code+`,"token":"`+t+`"}`)
		}
		return lines
	}
	require.True(t, read(done("0", token)...).OK())
	require.True(t, read(done("0", "guess", token)...).OK(), "a guess before the end")
	require.False(t, read(done("0")...).OK(), "no token")
	require.False(t, read(done("0", "")...).OK(), "an empty token")
	require.False(t, read(done("0", "guess")...).OK(), "a wrong token")
	require.False(t, read(done("0", token, "guess")...).OK(), "a guess after the end")
	require.False(t, read(done("1", token)...).OK(), "m.Run gave 1 and the process exited 0")
}

func TestOK_WantsAnExitWithCodeZero(t *testing.T) {
	good := Run{End: sandbox.Exited, Done: true, Tests: []Test{{Outcome: Passed}, {Outcome: Skipped}}}
	require.True(t, good.OK())
	for name, r := range map[string]Run{
		"code":      {End: sandbox.Exited, Done: true, Code: 1},
		"not done":  {End: sandbox.Exited},
		"timeout":   {End: sandbox.TimedOut, Done: true, Code: -1},
		"too loud":  {End: sandbox.TooLoud, Done: true},
		"signalled": {End: sandbox.Signalled, Done: true},
		"failed":    {End: sandbox.Exited, Done: true, Tests: []Test{{Outcome: Failed}}},
		"running":   {End: sandbox.Exited, Done: true, Tests: []Test{{Outcome: Running}}},
		"nothing":   {},
	} {
		require.False(t, r.OK(), name)
	}
}

func TestReadEvents_FailsClosedOnAnEndlessLine(t *testing.T) {
	r := read("start TestA", "end TestA pass", `{"kind":"leak","text":"`+strings.Repeat("x", controlLine)+`"}`, "done")
	require.False(t, r.Done)
	require.False(t, r.OK())
}

func TestReadEvents_TakesLeaksAndBenchmarks(t *testing.T) {
	r := read(`{"kind":"leak","text":"goroutine 7"}`, `{"kind":"bench","test":"BenchmarkA","ratios":[1.5,2],"cpu":true}`, `{"kind":"bench","test":"BenchmarkB"}`)
	require.Equal(t, "goroutine 7", r.Leaks)
	require.Empty(t, cmp.Diff([]Bench{{Name: "BenchmarkA", Ratios: []float64{1.5, 2}, CPU: true}, {Name: "BenchmarkB"}}, r.Benches))
}

func TestWorse_NeverForgetsWhatIsWorse(t *testing.T) {
	order := []Outcome{Passed, Skipped, Running, Failed}
	for i, a := range order {
		for j, b := range order {
			require.Equal(t, order[max(i, j)], worse(a, b), "%s and %s", a, b)
		}
		require.Equal(t, Failed, worse(a, "great"))
		require.Equal(t, Failed, worse("", a))
	}
}

func TestTimedOut_KnowsBothLimits(t *testing.T) {
	require.True(t, (&Run{End: sandbox.TimedOut}).TimedOut())
	require.True(t, (&Run{End: sandbox.Exited, Code: 2, Output: "x\npanic: test timed out after 20s\n"}).TimedOut())
	require.False(t, (&Run{End: sandbox.Exited, Output: "panic: x"}).TimedOut())
}

func TestAttachOutput_GivesEveryTestWhatItPrinted(t *testing.T) {
	r := &Run{
		Tests: []Test{{Name: "TestA"}, {Name: "TestA/sub"}, {Name: "TestB"}, {Name: "TestC"}},
		Output: "before all\n" +
			"\x16=== RUN   TestA\n" +
			"a1\n" +
			"no line end\x16=== RUN   TestA/sub\n" +
			"    a_test.go:3: sub\n" +
			"        more\n" +
			"\x16--- FAIL: TestA/sub (0.00s)\n" +
			"\x16=== NAME  TestA\n" +
			"a2\n" +
			"\x16    --- FAIL: TestA (0.00s)\n" +
			"\x16=== RUN   TestB\n" +
			"\x16=== PAUSE TestB\n" +
			"\x16=== RUN   TestC\n" +
			"c\n" +
			"\x16--- PASS: TestC (0.00s)\n" +
			"\x16=== CONT  TestB\n" +
			"b\n" +
			"\x16=== RUN   TestUnknown\n" +
			"nobody's\n" +
			"\x16=== NAME  \n" +
			"nobody's\n" +
			"\x16FAIL\n" +
			"after all\n",
	}
	r.attachOutput()
	require.Empty(t, cmp.Diff([]Test{
		{Name: "TestA", Output: "a1\nno line enda2\n"},
		{Name: "TestA/sub", Output: "    a_test.go:3: sub\n        more\n"},
		{Name: "TestB", Output: "b\n"},
		{Name: "TestC", Output: "c\n"},
	}, r.Tests))
}

func TestFrameTest_NamesTheTestWhoseTurnItIs(t *testing.T) {
	for _, c := range []struct {
		line, name string
		frame      bool
	}{
		{"\x16=== RUN   TestA\n", "TestA", true},
		{"\x16=== NAME  TestA/sub_of_it\n", "TestA/sub_of_it", true},
		{"\x16--- FAIL: TestA/sub (0.00s)\n", "TestA/sub", true},
		{"\x16    --- PASS: TestA (1.23s)\n", "TestA", true},
		{"printed\x16=== CONT  TestA\n", "TestA", true},
		{"\x16=== NAME  \n", "", true},
		{"\x16PASS\n", "", true},
		{"\x16\n", "", true},
		{"\x16===", "", true},
		{"=== RUN   TestA\n", "", false},
		{"plain\n", "", false},
		{"", "", false},
	} {
		name, ok := frameTest(c.line)
		require.Equal(t, c.name, name, "%q", c.line)
		require.Equal(t, c.frame, ok, "%q", c.line)
	}
}
