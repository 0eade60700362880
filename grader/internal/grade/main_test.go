package grade_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/middle-go/course/grader/internal/cachedir"
	"github.com/middle-go/course/grader/internal/self"
)

func TestMain(m *testing.M) { os.Exit(prepareAndRun(m)) }

// helper is set in a process that a test starts: the grader that has been built.
const helper = "GRADER_TEST_HELPER"

// prepareAndRun builds the grader, which helps these tests instead of their own
// slow binary, and runs them.
func prepareAndRun(m *testing.M) int {
	// Tests have caches of their own, but for what the go command builds.
	build, err := cachedir.Build()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv("GRADER_GOCACHE", build)

	if os.Getenv(helper) == "" {
		dir, err := os.MkdirTemp("", "grader-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		grader := filepath.Join(dir, "grader")
		if out, err := exec.Command("go", "build", "-o", grader, "../../cmd/grader").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		os.Setenv(helper, grader)
	}
	self.Use(os.Getenv(helper))
	return m.Run()
}
