//go:build linux || darwin

package proc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/labkit/proc"
)

func TestProgram_IsTheOneThatTheGraderNames(t *testing.T) {
	built := service(t)
	t.Setenv(proc.EnvProgram, built.Path)
	require.Equal(t, built.Path, proc.Program(t, "./no/such/package", "").Path)
}

func TestProgram_IsBuiltWithoutAGrader(t *testing.T) {
	t.Setenv(proc.EnvProgram, "")
	require.Equal(t, service(t), proc.Program(t, "./testdata/service", ""))
}
