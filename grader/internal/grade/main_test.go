package grade_test

import (
	"os"
	"testing"

	"github.com/middle-go/course/grader/internal/lint"
	"github.com/middle-go/course/grader/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Shim()
	lint.RunVetTool()
	os.Exit(m.Run())
}
