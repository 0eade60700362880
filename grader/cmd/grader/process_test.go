package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// result is what a run of the command did.
type result struct {
	code           int // -1 if a signal ended it
	stdout, stderr string
}

func (r result) String() string {
	return fmt.Sprintf("exit code %d\nstdout:\n%s\nstderr:\n%s", r.code, r.stdout, r.stderr)
}

// shows demands an exit code, and a report on standard output that has every
// one of the given texts, with nothing beside it.
func (r result) shows(t *testing.T, code int, texts ...string) {
	t.Helper()
	require.Equal(t, code, r.code, "%v", r)
	require.Empty(t, r.stderr, "%v", r)
	for _, text := range texts {
		require.Contains(t, r.stdout, text)
	}
}

// complains demands an exit code and one line on standard error that has every
// one of the given texts, with nothing beside it.
func (r result) complains(t *testing.T, code int, texts ...string) {
	t.Helper()
	require.Equal(t, code, r.code, "%v", r)
	require.Empty(t, r.stdout, "%v", r)
	r.notes(t, texts...)
}

// notes demands one line on standard error.
func (r result) notes(t *testing.T, texts ...string) {
	t.Helper()
	require.Regexp(t, `\Agrader: [^\n]+\n\z`, r.stderr, "%v", r)
	for _, text := range texts {
		require.Contains(t, r.stderr, text)
	}
}

// grader runs the command in the root of the checkout.
func (c checkout) grader(t *testing.T, args ...string) result {
	t.Helper()
	return finish(t, start(t, c.command(t, args...)))
}

// graderWith runs the command with further variables in its environment.
func (c checkout) graderWith(t *testing.T, env []string, args ...string) result {
	t.Helper()
	cmd := c.command(t, args...)
	cmd.Env = append(cmd.Env, env...)
	return finish(t, start(t, cmd))
}

func (c checkout) command(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir = c.root
	cmd.Env = append(os.Environ(), "GRADER_CACHE="+c.cache, "NO_COLOR=", "CLICOLOR_FORCE=")
	return cmd
}

// process is a running command.
type process struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
}

func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: cmd}
	cmd.Stdout, cmd.Stderr = &p.stdout, &p.stderr
	require.NoError(t, cmd.Start())
	return p
}

func finish(t *testing.T, p *process) result {
	t.Helper()
	if err := p.Wait(); err != nil {
		_, exited := errors.AsType[*exec.ExitError](err)
		require.True(t, exited, "%v", err)
	}
	return result{code: p.ProcessState.ExitCode(), stdout: p.stdout.String(), stderr: p.stderr.String()}
}

// lines splits text and drops what is empty.
func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}
