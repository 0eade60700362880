package proc

import (
	"os"
	"testing"
)

// EnvProgram is the variable in which the grader names the program under test,
// which it has built itself.
const EnvProgram = "TRACKER_PROGRAM"

// Program returns the program under test: the one that EnvProgram names, or
// else what [Build] makes of the other arguments, as it is without a grader.
func Program(t testing.TB, pkg, dir string, flags ...string) Binary {
	t.Helper()
	if path := os.Getenv(EnvProgram); path != "" {
		return Binary{Path: path, cover: true} // a program without counters ignores where to write them
	}
	return Build(t, pkg, dir, flags...)
}
