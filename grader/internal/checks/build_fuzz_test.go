package checks

import (
	"io/fs"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/sandbox"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// A student's code is quoted by the compiler, with line feeds where it has any,
// so that everything may look like an error.
func FuzzBuildFindings(f *testing.F) {
	f.Add("# example.com/pool\nweek05/pool/pool.go:3:2: undefined: x\n\thave int\n\twant string\nvet: week05/pool/pool.go:4:1: y\n", "")
	f.Add("./pool.go:3: too short\npool.go:3:2: invalid operation: 1 + `\n/etc/passwd.go:1:1: ../..` (mismatched types)\n", "week05/pool")
	f.Add("../../x.go:99999999999999999999:1: far\nC:\\x.go:1:1: y\n..\\x.go:0: z\n", "/cache/work")
	f.Add("/cache/work/plain/module1/week05/pool/pool.go:7:1: missing return\n/cache/work/plain:1.go:1: x\n//.go:1: \n", "..")
	f.Add(strings.Repeat("a.go:1: x\n", 30)+"go: no such tool\n", "")
	f.Fuzz(func(t *testing.T, output, dir string) {
		r := poolRoom()
		r.dir = "/cache/work"
		result := decide("build", r.buildFindings(&toolchain.BuildError{Output: output, Dir: dir, End: sandbox.Exited}), "")
		require.Equal(t, Fail, result.Status, "code that does not compile never passes")
		require.LessOrEqual(t, len(result.Findings), maxBuildFindings)
		size := 0
		for _, found := range result.Findings {
			require.NotContains(t, found.Message, "\n")
			require.True(t, found.File == "" || fs.ValidPath(found.File), "%q is not a path from the root", found.File)
			require.Equal(t, found.File != "", found.Line > 0)
			require.True(t, utf8.ValidString(found.File+found.Message+found.Detail))
			size += len(found.Message) + len(found.Detail)
		}
		require.LessOrEqual(t, size, 4*len(output)+100, "a tab becomes four spaces")
	})
}
