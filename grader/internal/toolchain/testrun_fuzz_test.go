package toolchain

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/sandbox"
	"github.com/middle-go/course/grader/labkit/session"
)

// readFrom gives the run of a process that exited 0 and sent control.
func readFrom(control []byte, token string) *Run {
	r := &Run{End: sandbox.Exited}
	r.readEvents(control, token)
	return r
}

// Whatever comes from descriptor 3: only the token makes a run believable, and
// nothing before it hides a failure.
func FuzzReadEvents(f *testing.F) {
	f.Add([]byte(nil), 0)
	f.Add(events("start TestA", "start TestA/x", "end TestA/x pass", "end TestA pass", "start TestB", "end TestB skip"), 40)
	f.Add(events("start TestA", "start TestA", "end TestA fail", "end TestA pass", "done"), 100)
	f.Add(events("end TestX pass", "end TestX pass", "start TestX", "no JSON", `{"kind":"done","token":""}`, `{"kind":"done"}`), 7)
	f.Add(events(`{"kind":"leak","text":"goroutine 7"}`, `{"KIND":"bench","test":"B","ratios":[1.5,-2e308],"cpu":true}`, `{"kind":"bench","ratios":[]}`), 1)
	f.Add([]byte(`{"kind":"start","test":"TestX"}{"kind":"end","test":"TestX","result":"pass"}`+"\r\n\xff\x00"), 9)
	f.Fuzz(func(t *testing.T, control []byte, cut int) {
		token := rand.Text() // nobody can guess it
		alone := readFrom(control, token)
		require.False(t, alone.Done)
		require.False(t, alone.OK())
		believable(t, control, alone)

		done := []byte("\n" + `{"kind":"done","token":"` + token + `"}` + "\n")
		whole := bytes.Join([][]byte{control, done}, nil)
		r := readFrom(whole, token)
		believable(t, control, r)
		if end := len(whole) - len("}\n"); end > 0 {
			require.False(t, readFrom(whole[:(cut%end+end)%end], token).OK(), "the process died while it wrote")
		}

		newline := []byte("\n")
		failed := bytes.Join([][]byte{control, newline, events("start TestX", "end TestX fail"), done}, nil)
		require.False(t, readFrom(failed, token).OK(), "a test failed after this")
		died := bytes.Join([][]byte{control, newline, events("start TestX"), done}, nil)
		require.False(t, readFrom(died, token).OK(), "a test did not end after this")
	})
}

// believable demands that a run holds no more than its events, and that every
// passed test has begun and passed in one of them.
func believable(t *testing.T, control []byte, r *Run) {
	t.Helper()
	begun, passed := map[string]bool{}, map[string]bool{}
	for line := range bytes.SplitSeq(control, []byte("\n")) {
		var e session.Event
		if json.Unmarshal(line, &e) == nil {
			begun[e.Test] = begun[e.Test] || e.Kind == session.Start
			passed[e.Test] = passed[e.Test] || e.Kind == session.End && e.Result == session.Pass
		}
	}
	seen := map[string]bool{}
	size := len(r.Leaks)
	for _, test := range r.Tests {
		require.False(t, seen[test.Name], "%q is there twice", test.Name)
		seen[test.Name] = true
		require.True(t, begun[test.Name], "%q never began", test.Name)
		require.Contains(t, []Outcome{Passed, Failed, Skipped, Running}, test.Outcome)
		require.True(t, test.Outcome != Passed || passed[test.Name], "%q never passed", test.Name)
		size += len(test.Name)
	}
	for _, b := range r.Benches {
		size += len(b.Name) + len(b.Ratios)
	}
	require.LessOrEqual(t, size, len("\ufffd")*len(control), "text that is not UTF-8 grows by that at most")
}

// What a test prints is shown with one test at most, and without the frames.
func FuzzAttachOutput(f *testing.F) {
	f.Add("before\n\x16=== RUN   TestA\na\n\x16--- FAIL: TestA (0.00s)\nafter\n")
	f.Add("\x16=== RUN   TestA\nno line end\x16=== NAME  TestB\nb\n\x16=== NAME  \nnobody's\n\x16FAIL\n")
	f.Add("\x16\x16===\x16 TestA\n\x16--- --- TestA TestB\n=== RUN   TestA\n\r\n")
	f.Fuzz(func(t *testing.T, output string) {
		r := &Run{Tests: []Test{{Name: "TestA"}, {Name: "TestA/x"}, {Name: "TestB"}}, Output: output}
		r.attachOutput()
		size := 0
		for _, test := range r.Tests {
			size += len(test.Output)
			require.NotContains(t, test.Output, frameMark)
		}
		require.LessOrEqual(t, size, len(output))
		require.Equal(t, output, r.Output)
	})
}
