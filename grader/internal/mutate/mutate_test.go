package mutate_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/packages"

	"github.com/middle-go/course/grader/internal/mutate"
)

var update = flag.Bool("update", false, "write the golden files")

const sample = "testdata/sample/sample.go"

// load returns the package of the sample, with its file replaced by content
// unless that is nil.
func load(t *testing.T, content []byte) *packages.Package {
	t.Helper()
	name, err := filepath.Abs(sample)
	require.NoError(t, err)
	cfg := &packages.Config{Mode: packages.LoadSyntax | packages.NeedCompiledGoFiles}
	if content != nil {
		cfg.Overlay = map[string][]byte{name: content}
	}
	list, err := packages.Load(cfg, "./"+filepath.Dir(sample))
	require.NoError(t, err)
	require.Len(t, list, 1)
	return list[0]
}

func rewrite(t *testing.T, skip func(mutate.Mutant) bool) ([]byte, []mutate.Mutant) {
	t.Helper()
	content, err := os.ReadFile(sample)
	require.NoError(t, err)
	pkg := load(t, nil)
	require.Empty(t, pkg.Errors)
	return mutate.Rewrite(mutate.Source{
		Name: sample, Content: content, Fset: pkg.Fset, File: pkg.Syntax[0], Info: pkg.TypesInfo, Package: pkg.Types,
	}, 1, skip)
}

func none(mutate.Mutant) bool { return false }

func TestMutantsAreThoseOfTheGoldenFile(t *testing.T) {
	_, mutants := rewrite(t, none)
	var got bytes.Buffer
	for _, m := range mutants {
		fmt.Fprintf(&got, "%d line %d %s\n", m.ID, m.Line, m.Key())
	}
	const golden = "testdata/sample.golden"
	if *update {
		require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("mutants (-want +got), to accept them: go test -update\n%s", diff)
	}
}

func TestRewrittenCodeCompilesButForAMissingReturn(t *testing.T) {
	content, mutants := rewrite(t, none)
	errs := load(t, content).TypeErrors
	require.Len(t, errs, 1, "%v", errs)
	require.Equal(t, "missing return", errs[0].Msg)
	content, rest := rewrite(t, func(m mutate.Mutant) bool { return m.Func == "drain" && m.Is == "removed" && m.Was[:5] == "panic" })
	require.Empty(t, load(t, content).Errors)
	require.Len(t, rest, len(mutants)-1)
}

func TestNumbersStayWhenAMutantIsLeftOut(t *testing.T) {
	_, all := rewrite(t, none)
	_, rest := rewrite(t, func(m mutate.Mutant) bool { return m.ID == 3 })
	if diff := cmp.Diff(append(all[:2:2], all[3:]...), rest); diff != "" {
		t.Errorf("mutants without number 3 (-want +got)\n%s", diff)
	}
}

func TestNoLineIsAdded(t *testing.T) {
	before, err := os.ReadFile(sample)
	require.NoError(t, err)
	after, _ := rewrite(t, none)
	require.Equal(t, bytes.Count(before, []byte("\n")), bytes.Count(after, []byte("\n")))
}

func TestKeysAreUnique(t *testing.T) {
	_, mutants := rewrite(t, none)
	seen := map[string]bool{}
	for _, m := range mutants {
		require.False(t, seen[m.Key()], m.Key())
		seen[m.Key()] = true
	}
}

func TestWithoutMutantsTheFileStays(t *testing.T) {
	content, mutants := rewrite(t, func(mutate.Mutant) bool { return true })
	before, err := os.ReadFile(sample)
	require.NoError(t, err)
	require.Empty(t, mutants)
	require.Equal(t, string(before), string(content))
}
