//go:build unix

package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecord_ReadOnlyCheckoutStillGetsVerdicts(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.makeReadOnly(t)

	r := c.graderUnprivileged(t, "week", "1")
	require.Equal(t, 1, r.code, "%v", r)
	require.Contains(t, r.stdout, "✗ aliasing  Who shares this memory?\n")
	r.notes(t, "the record of hints and verdicts is not kept: ", "permission denied")

	r = c.graderUnprivileged(t, "week", "1", "--submission", "solutions")
	require.Equal(t, 0, r.code, "%v", r)
	require.Contains(t, r.stdout, "✓ aliasing  ")
	r.notes(t, "permission denied")

	r = c.graderUnprivileged(t, "hint", exercise)
	require.Equal(t, 0, r.code, "%v", r)
	require.Contains(t, r.stdout, "hint 1 of 3")
	r.notes(t, "permission denied")

	c.graderUnprivileged(t, "status").shows(t, 0, "week  1  open ")
	require.NoDirExists(t, c.path(".grader"))
}

// makeReadOnly takes the permission to write from every directory of the
// checkout until the test is over.
func (c checkout) makeReadOnly(t *testing.T) {
	t.Helper()
	mode := func(mode os.FileMode) error {
		return filepath.WalkDir(c.root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			return os.Chmod(name, mode)
		})
	}
	t.Cleanup(func() { require.NoError(t, mode(0o755)) })
	require.NoError(t, mode(0o555))
}

// graderUnprivileged runs the command as a user whom permissions bind.
func (c checkout) graderUnprivileged(t *testing.T, args ...string) result {
	t.Helper()
	p := &process{Cmd: c.command(t, args...)}
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	require.NoError(t, startUnprivileged(t, p.Cmd))
	return finish(t, p)
}
