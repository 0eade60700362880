package self_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/self"
)

func TestExecutable_IsThisProgramUnlessAnotherIsNamed(t *testing.T) {
	running, err := os.Executable()
	require.NoError(t, err)
	got, err := self.Executable()
	require.NoError(t, err)
	require.Equal(t, running, got)

	t.Cleanup(func() { self.Use("") })
	self.Use("/bin/grader")
	got, err = self.Executable()
	require.NoError(t, err)
	require.Equal(t, "/bin/grader", got)
}
