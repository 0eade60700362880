package grade_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/middle-go/course/grader/internal/cachedir"
	"github.com/middle-go/course/grader/internal/lint"
)

func TestMain(m *testing.M) {
	lint.RunVetTool()
	// Tests have caches of their own, but for what the go command builds.
	build, err := cachedir.Build()
	if err == nil {
		err = os.Setenv("GRADER_GOCACHE", build)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
