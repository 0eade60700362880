package assembly

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// In these sources «T:t» stands for the call that reports t, and «I» for the
// import. Without these marks they are the input.
var trackCases = []struct {
	name, src string
	tests     []string
}{
	{"top-level tests and fuzz targets", `package ring_test«I»

import "testing"

func TestRing(t *testing.T) {«T:t»
	t.Log("x")
}

func FuzzRing(f *testing.F) {«T:f»
	f.Add(1)
	f.Fuzz(func(t *testing.T, n int) {«T:t»
		t.Log(n)
	})
}
`, []string{"TestRing", "FuzzRing"}},

	{"subtests, also nested ones", `package ring_test«I»

import "testing"

func TestRing(t *testing.T) {«T:t»
	for _, name := range []string{"a", "b"} {
		t.Run(name, func(t *testing.T) {«T:t»
			t.Run("inner", func(inner *testing.T) {«T:inner» inner.Log() })
		})
	}
}
`, []string{"TestRing"}},

	{"bubbles", `package ring_test«I»

import (
	"testing"
	"testing/synctest"
)

func TestRing(t *testing.T) {«T:t»
	synctest.Test(t, func(t *testing.T) {«T:t»
		synctest.Wait()
	})
}
`, []string{"TestRing"}},

	{"helpers stay as they are", `package ring_test«I»

import "testing"

func TestRing(t *testing.T) {«T:t» check(t, 1) }

func check(t *testing.T, n int) { t.Helper() }

func Testify(t *testing.T) {}

func BenchmarkRing(b *testing.B) { b.Run("x", func(b *testing.B) {}) }

func (suite) TestMethod(t *testing.T) {}
`, []string{"TestRing"}},

	{"one-line functions", `package ring_test«I»; import "testing"; func TestA(t *testing.T) {«T:t»}; func TestB(t *testing.T) {«T:t» t.Log() }
`, []string{"TestA", "TestB"}},

	{"what other files of the package lack", `package ring_test«I» // with a comment

import "testing"

// TestRing has a name for its parameter.
func TestRing(
	t *testing.T,
) {«T:t»
	/* { */ t.Log("{")
}
`, []string{"TestRing"}},

	{"line ends of Windows", "package ring_test«I»\r\n\r\nimport \"testing\"\r\n\r\nfunc TestRing(t *testing.T) {«T:t»\r\n\tt.Log()\r\n}\r\n",
		[]string{"TestRing"}},

	{"position directives", `package ring_test«I»

import "testing"

//line other.go:100
func TestRing(t *testing.T) {«T:t»
}
`, []string{"TestRing"}},

	{"unnamed parameters have nothing to report with", `package ring_test

import "testing"

func TestA(*testing.T) {}
func TestB(_ *testing.T) {}
func TestC() { _ = func(_ *testing.T) {} }
`, nil},

	{"other types called T", `package ring_test

import "example.com/other"

func TestA(t *other.T) {}
func TestB(t testing.T) {}
func TestC(t testing.TB) {}
func TestD(t *T) {}
func TestE[T any](t T) {}
`, nil},

	{"nothing to track", "package ring_test\n\nfunc helper() {}\n", nil},
}

func TestTrack_ReportsEveryTestAndSubtest(t *testing.T) {
	for _, c := range trackCases {
		t.Run(c.name, func(t *testing.T) {
			in := marks(func(string) string { return "" }).Replace(c.src)
			want := marks(func(param string) string {
				if param == "" {
					return `; import session__ "github.com/middle-go/course/grader/labkit/session"`
				}
				return " session__.Track(" + param + ");"
			}).Replace(c.src)

			out, pkg, tests, err := track("ring_test.go", []byte(in))
			require.NoError(t, err)
			require.Equal(t, want, string(out))
			require.Equal(t, "ring_test", pkg)
			require.Equal(t, c.tests, tests)
			require.Equal(t, strings.Count(in, "\n"), strings.Count(string(out), "\n"), "lines must keep their numbers")
			_, err = parser.ParseFile(token.NewFileSet(), "ring_test.go", out, parser.AllErrors)
			require.NoError(t, err)
		})
	}
}

// marks replaces the marks of a source; the parameter of «I» is empty.
func marks(text func(param string) string) *strings.Replacer {
	return strings.NewReplacer("«I»", text(""), "«T:t»", text("t"), "«T:f»", text("f"), "«T:inner»", text("inner"))
}

func TestTrack_LeavesSyntaxErrorsToTheCompiler(t *testing.T) {
	_, _, _, err := track("ring_test.go", []byte("package ring_test\nfunc TestRing(t *testing.T {}\n"))
	require.ErrorContains(t, err, "ring_test.go:2:")
}

func TestTestMain_Parses(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), testMainFile, testMain("ring_test"), parser.AllErrors)
	require.NoError(t, err)
	require.Equal(t, "ring_test", file.Name.Name)
	require.True(t, declaresTestMain(testMain("ring_test")))
}
