package toolchain

import (
	"cmp"
	"os"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// parsed is what parseVet finds, in the order of the lines.
func parsed(t *testing.T, out []byte) []Diagnostic {
	t.Helper()
	list, err := parseVet(out)
	require.NoError(t, err)
	slices.SortFunc(list, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Analyzer, b.Analyzer))
	})
	return list
}

func TestParseVet_ReadsWhatGoVetPrints(t *testing.T) {
	out, err := os.ReadFile("testdata/vet.json") // by go1.26.8, with the grader as its vet tool
	require.NoError(t, err)
	const file, test = "/cache/work/plain/x/x.go", "/cache/work/plain/x/x_test.go"
	want := []Diagnostic{
		{Analyzer: "SA5009", File: file, Line: 12, Message: "Printf format %d has arg #1 of wrong type string"},
		{Analyzer: "printf", File: file, Line: 12, Message: "fmt.Printf format %d has arg name of wrong type string"},
		{Analyzer: "SA1004", File: file, Line: 13, Message: "sleeping for 1 nanoseconds is probably a bug; be explicit if it isn't"},
		{Analyzer: "policy", File: file, Line: 13, Message: "time.Sleep is forbidden in this exercise", Category: "time.Sleep"},
		{Analyzer: "copylocks", File: file, Line: 17, Message: "G passes lock by value: sync.Mutex"},
		{Analyzer: "SA2002", File: test, Line: 11, Message: "the goroutine calls T.Fatal, which must be called in the same goroutine as the test"},
		{Analyzer: "testinggoroutine", File: test, Line: 11, Message: "call to (*testing.T).Fatal from a non-test goroutine"},
	}
	require.Empty(t, gocmp.Diff(want, parsed(t, out)))

	// A package is vetted alone and with its tests; the go command may name it.
	twice := append([]byte("# example.com/vet/x\n"), out...)
	twice = append(append(twice, "# example.com/vet/x [example.com/vet/x.test]\n"...), out...)
	require.Empty(t, gocmp.Diff(want, parsed(t, twice)))
}

func TestParseVet_OfCleanCodeIsEmpty(t *testing.T) {
	for _, out := range []string{"", "{}\n", "# example.com/x\n{}\n{}\n"} {
		require.Empty(t, parsed(t, []byte(out)))
	}
}

func TestParseVet_TakesNothingElseForClean(t *testing.T) {
	for out, want := range map[string]string{
		`{"example.com/x": {"printf": {"error": "analysis skipped"}}}`: `analyzer printf: {"error": "analysis skipped"}`,
		"panic: runtime error": "go vet printed something unexpected",
		`{"example.com/x": {`:  "go vet printed something unexpected",
		"{} ] panic":           "go vet printed something unexpected",
	} {
		_, err := parseVet([]byte(out))
		require.ErrorContains(t, err, want)
	}
}

func TestSplitPosition_TakesFileAndLine(t *testing.T) {
	for posn, want := range map[string]struct {
		file string
		line int
	}{
		"x.go:12:3":             {"x.go", 12},
		"/a/b/x.go:12:3":        {"/a/b/x.go", 12},
		`C:\a\x.go:12:3`:        {`C:\a\x.go`, 12},
		"x.go":                  {"x.go", 0},
		"":                      {"", 0},
		"a:b/x.go:7:1":          {"a:b/x.go", 7},
		"x.go:-7:3":             {"x.go", 0},
		"x.go:twelve:3":         {"x.go", 0},
		"<unknown position>: -": {"<unknown position>: -", 0},
	} {
		file, line := splitPosition(posn)
		require.Equal(t, want.file, file, posn)
		require.Equal(t, want.line, line, posn)
	}
}
