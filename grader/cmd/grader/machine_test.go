package main_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMachine_WithoutGoNothingIsGraded(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	empty := []string{"PATH=" + t.TempDir()}
	for _, command := range [][]string{{"week", "1"}, {"verify"}} {
		c.graderWith(t, empty, command...).complains(t, 3, "the go command is not in PATH; install Go from https://go.dev/dl/")
	}
	r := c.graderWith(t, empty, "doctor")
	require.Equal(t, 3, r.code, "%v", r)
	require.Contains(t, r.stdout, "✗ go          the go command is not in PATH")
	require.Contains(t, r.stdout, "\n              to mend it: install go1.26 or later from https://go.dev/dl/\n")
	r.notes(t, "this machine cannot grade yet")
}

func TestMachine_WithoutACacheNothingIsGraded(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.cache = c.path(manifest) + "/cache"
	const advice = "set GRADER_CACHE to a directory that you may write"
	for _, command := range [][]string{{"week", "1"}, {"week", "1", "--no-cache"}, {"verify"}} {
		c.grader(t, command...).complains(t, 3, "the grader's cache cannot be written: ", advice)
	}
	r := c.grader(t, "doctor")
	require.Equal(t, 3, r.code, "%v", r)
	require.Contains(t, r.stdout, "✗ cache       the grader's cache cannot be written: ")
	require.NoFileExists(t, c.path(".grader/record.json"))
}

func TestMachine_WithoutModulesTheVerdictIsBlocked(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.graderWith(t, []string{"GOMODCACHE=" + t.TempDir(), "GOPROXY=off"}, "week", "1").shows(t, 3,
		"? aliasing  ",
		"\n    blocked: this machine lacks something; see make doctor\n",
		"the modules of the course could not be downloaded (GOPROXY=off); check the network and try again\n")
	c.grader(t, "status").shows(t, 0, "week  1  blocked ")
}

func TestMachine_WithoutACCompilerThePassIsBlocked(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solve(t)
	withoutCompiler := []string{"CC=" + filepath.Join(t.TempDir(), "cc")}
	c.graderWith(t, withoutCompiler, "week", "1").shows(t, 3,
		"? aliasing  ",
		"race: the race detector needs a C compiler; grader doctor says how to install one\n")
	c.graderWith(t, withoutCompiler, "doctor").shows(t, 0, "? C compiler  not found\n")
}

func TestDoctor_IsContentWithThisMachine(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.grader(t, "doctor").shows(t, 0, "✓ go          go1.", "\n✓ C compiler  found\n", "\n✓ cache       "+c.cache+"\n")
}

func TestRecord_AFileInItsPlaceDoesNotStopGrading(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.write(t, ".grader", "in the way")
	r := c.grader(t, "week", "1")
	require.Equal(t, 1, r.code, "%v", r)
	require.Contains(t, r.stdout, "✗ aliasing  Who shares this memory?\n")
	require.Contains(t, r.stdout, "0 of 1 done (")
	r.notes(t, "the record of hints and verdicts", filepath.Join(c.root, ".grader"))
	require.Equal(t, "in the way", c.read(t, ".grader"))
}

func TestRecord_DamageIsNamedAndKept(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.write(t, ".grader/record.json", "{half")
	r := c.grader(t, "week", "1")
	require.Equal(t, 1, r.code, "%v", r)
	r.notes(t, "record.json is damaged", "remove it to start a new record")
	c.grader(t, "status").complains(t, 2, "record.json is damaged")
	require.Equal(t, "{half", c.read(t, ".grader/record.json"))
}
