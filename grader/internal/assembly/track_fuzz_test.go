package assembly

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/course"
)

var trackCall = regexp.MustCompile(` session__\.Track\([\pL_][\pL_\p{Nd}]*\);`)

// The tests that a student writes are rewritten as the course's are: only calls
// and their import come in, and no line gets another number.
func FuzzTrack(f *testing.F) {
	for _, c := range trackCases {
		f.Add([]byte(marks(func(string) string { return "" }).Replace(c.src)))
	}
	f.Add([]byte("package p; func TestÄ(_, t *testing.T, x int) {}; var f = func(ä *testing.F) { func(t *testing.T) {}(nil) }"))
	f.Add([]byte("package p\n//line x.go:1:1\nfunc Test(t *testing.T) { /*line y.go:7*/ }"))
	f.Fuzz(func(t *testing.T, src []byte) {
		out, pkg, tests, err := track("x_test.go", src)
		file, parseErr := parser.ParseFile(token.NewFileSet(), "x_test.go", src, 0)
		require.Equal(t, parseErr == nil, err == nil)
		if err != nil {
			return
		}
		require.Equal(t, file.Name.Name, pkg)
		for _, name := range tests {
			require.True(t, course.IsTest(name))
			require.Contains(t, string(src), name)
		}
		_, err = parser.ParseFile(token.NewFileSet(), "x_test.go", out, parser.AllErrors)
		require.NoError(t, err, "%s", out)
		require.Equal(t, bytes.Count(src, []byte("\n")), bytes.Count(out, []byte("\n")))
		if bytes.Contains(src, []byte("session__")) {
			return
		}
		require.LessOrEqual(t, len(tests), len(trackCall.FindAll(out, -1)))
		imported := fmt.Appendf(nil, "; import session__ %q", sessionPath)
		require.Equal(t, string(src), string(trackCall.ReplaceAll(bytes.Replace(out, imported, nil, 1), nil)))
	})
}
