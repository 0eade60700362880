package checks

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

func TestGlobals_FindsStateInThePackage(t *testing.T) {
	src := `package ring

import "errors"

var count int

var (
	cache, size = map[string]int{}, 0
	_           = size
)

var a, b = pair()

var (
	ErrFull        = errors.New("full")
	ErrEmpty, last = errors.New("empty"), 0
	errWrapped     = fmt.Errorf("no: %w", ErrFull)
	f              = func() error { return errors.New("x") }
	New            = errors.New
)

const limit = 10

type T struct{ count int }

func F() { var local int; _ = local }
`
	var got []string
	for _, f := range globals(assembly.File{Path: ringFile, Content: []byte(src)}) {
		require.Equal(t, ringFile, f.File)
		require.Equal(t, "globals", f.Rule)
		got = append(got, fmt.Sprintf("%d %s", f.Line, f.Message))
	}
	message := func(line int, name string) string {
		return fmt.Sprintf("%d package-level variable %s: this exercise keeps no state in the package", line, name)
	}
	require.Equal(t, []string{
		message(5, "count"), message(8, "cache"), message(8, "size"), message(12, "a"), message(12, "b"),
		message(16, "last"), message(17, "errWrapped"), message(18, "f"), message(19, "New"),
	}, got)
}

func TestGlobals_LooksAtTheSolutionOnly(t *testing.T) {
	for name, src := range map[string]string{
		"module1/week01/ring/ring_test.go": "package ring\nvar state int\n",
		"module1/week01/ring/notes.md":     "var state int\n",
		ringFile:                           "package ring\nvar state int\nfunc (\n", // the compiler explains it
	} {
		require.Empty(t, globals(assembly.File{Path: name, Content: []byte(src)}), name)
	}
}

func TestPolicyFlags_AreNoneForWhatIsWatchedAnyway(t *testing.T) {
	for _, c := range []struct {
		ex      course.Exercise
		want    []string
		applies bool
	}{
		{course.Exercise{}, nil, false},
		{course.Exercise{ForbidGlobals: true}, nil, true},
		{course.Exercise{Forbid: []string{"time.Sleep", "fmt.*"}}, nil, true},
		{course.Exercise{Sequential: true}, nil, true},
		{course.Exercise{Sequential: true, Forbid: []string{"net/url.Parse", "time.Sleep", "net.*"}}, []string{"-policy.forbid=net/url.Parse,net.*"}, true},
	} {
		require.Equal(t, c.want, policyFlags(&c.ex))
		require.Equal(t, c.applies, limitsCheck{}.Applies(&c.ex))
	}
}
