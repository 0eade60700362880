package checks

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// addTraces gives a fuzz target everything that real programs have printed.
func addTraces(f *testing.F) {
	names, err := filepath.Glob(filepath.Join(traces, "*.txt"))
	require.NoError(f, err)
	require.NotEmpty(f, names)
	for _, name := range names {
		out, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(string(out))
	}
}

var (
	studentsLine = regexp.MustCompile(`(^|\s)pool\.go:\d+ in `)
	oneAccess    = regexp.MustCompile(`^(previous )?(atomic )?(read|write) +(pool\.go:\d+ in |in )`)
)

// A program prints what it likes, traces of other programs among it. Explained,
// it is short, and every position is one of the student's files.
func FuzzExplain(f *testing.F) {
	addTraces(f)
	f.Add("panic: \x1b[2J\n\tpanic: two [recovered]\n\ngoroutine 1 [running]:\n)(\n\t/a/week05/pool/pool.go:99999999999999999999 +0x1\n")
	f.Add("goroutine 1 [select]:\na]b[c.f(0x1)\n\tx/pool/pool.go:0\ncreated by \n\tx/pool/pool.go:1\n")
	f.Add("WARNING: DATA RACE\nPrevious write of\n  \n  x/pool/pool.go:3\nread at\n==================")
	f.Add(" [Goroutine 1 in state , \n()\n\tx/pool/pool.go:1\n\n Goroutine ")
	f.Fuzz(func(t *testing.T, output string) {
		r := poolRoom()
		if c, ok := r.findPanic(output); ok {
			require.NotEmpty(t, c.message)
			require.LessOrEqual(t, len(c.message), len(output)+100)
			require.Equal(t, c.file != "", c.detail != "")
			require.Contains(t, []string{"", poolFile}, c.file)
			require.True(t, 0 <= c.line && c.line <= math.MaxInt32)
			if c.file == "" {
				require.Zero(t, c.line)
			}
		}
		for line := range strings.Lines(r.stuckAt(output)) {
			require.Regexp(t, `^a goroutine (stands|was started) at `, line)
			require.Regexp(t, studentsLine, line)
		}
		accesses := strings.Split(r.explainRace(output), "\n")
		for _, line := range accesses[:len(accesses)-1] {
			require.Regexp(t, oneAccess, line)
		}
		if places := r.explainLeak(output); places != tail(output) {
			require.LessOrEqual(t, len(strings.Split(places, "\n")), maxLeaks+1)
			require.Regexp(t, studentsLine, strings.Split(places, "\n")[0])
		}
		require.LessOrEqual(t, strings.Count(tail(output), "\n"), tailLines)
	})
}

// A failure without its frame is no longer than it was, and its position is that
// of a Go file.
func FuzzCleanLog(f *testing.F) {
	addTraces(f)
	f.Add("    pool_test.go:27: a\n    helper_test.go:3: b\n        c\n")
	f.Add("    x.go:99999999999999999999: \n    ../x.go:1: no\n")
	f.Fuzz(func(t *testing.T, output string) {
		text, file, line := cleanLog(output)
		require.LessOrEqual(t, len(text), len(output))
		require.Equal(t, file != "", meaningful(output))
		require.True(t, 0 <= line && line <= math.MaxInt32)
		if file == "" {
			require.Zero(t, line)
		} else {
			require.Equal(t, filepath.Base(file), file)
			require.Equal(t, ".go", filepath.Ext(file))
		}
	})
}

// What stands outside of type arguments stays.
func FuzzShortFunction(f *testing.F) {
	f.Add("github.com/middle-go/course/module1/week01/handles.(*Arena[...]).Get(0xc000012345, 0x1)")
	f.Add("example.com/pool.Map[go.shape.*example.com/other/pkg.T,go.shape.string]()")
	f.Add("created by example.com/pool.(*Pool[...]).Watch in goroutine 22")
	f.Add("a]b[c[d]]e]")
	f.Fuzz(func(t *testing.T, frame string) {
		short := shortFunction(frame)
		require.Equal(t, short, withoutTypes(short))
		if utf8.ValidString(frame) {
			require.LessOrEqual(t, len(short), len(frame)+len("...")*strings.Count(frame, "["))
		}
		outside, _, _ := strings.Cut(frame, "[")
		require.True(t, strings.HasPrefix(withoutTypes(frame), strings.ToValidUTF8(outside, "\ufffd")) || !utf8.ValidString(outside))
	})
}
