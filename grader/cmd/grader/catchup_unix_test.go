//go:build unix

package main_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCatchUp_ThatCannotEndSaysWhereEverythingIs(t *testing.T) {
	t.Parallel()
	c := newTracker(t)
	c.write(t, "tasktracker/infra/notes.txt", "the student's\n")
	require.NoError(t, os.Chmod(c.path("tasktracker/infra"), 0o555))
	t.Cleanup(func() { os.Chmod(c.path("tasktracker/infra"), 0o755) })
	r := c.graderUnprivileged(t, "catch-up", "--week", "3")
	require.Equal(t, 2, r.code, "%v", r)
	require.Contains(t, r.stdout, "What you had is in tasktracker.before-week-03. Look at it:\n")
	require.Contains(t, r.stdout, "  mv tasktracker.before-week-03 tasktracker\n")
	r.notes(t, "catching up has begun and not ended; run the command again, or go back with the commands above: ", "infra/repo.go: permission denied")
	require.Equal(t, "the student's\n", c.read(t, "tasktracker.before-week-03/infra/notes.txt"))
}
