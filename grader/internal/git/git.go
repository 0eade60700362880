// Package git reads repositories with the git command.
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Repo is a directory in the work tree of a repository, or a bare repository.
type Repo struct{ dir string }

// Open returns the repository that dir lies in. The error says what is missing:
// the repository, or git.
func Open(ctx context.Context, dir string) (*Repo, error) {
	r := &Repo{dir: dir}
	_, err := r.run(ctx, "rev-parse", "--git-dir")
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("%s is not in a git repository", dir)
	}
	return r, err
}

// Commit returns the id of the commit that a name such as origin/main stands for.
func (r *Repo) Commit(ctx context.Context, name string) (string, error) {
	out, err := r.run(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("git knows no commit %q here", name)
	}
	return strings.TrimSpace(string(out)), nil
}

// MergeBase returns the commit where a and b parted. Without one, as in a
// shallow clone, ok is false.
func (r *Repo) MergeBase(ctx context.Context, a, b string) (id string, ok bool) {
	out, err := r.run(ctx, "merge-base", "--end-of-options", a, b)
	return strings.TrimSpace(string(out)), err == nil
}

// run runs a command of git and returns what it prints.
func (r *Repo) run(ctx context.Context, args ...string) ([]byte, error) {
	var out bytes.Buffer
	err := r.stream(ctx, &out, args...)
	return out.Bytes(), err
}

func (r *Repo) stream(ctx context.Context, stdout io.Writer, args ...string) error {
	cmd := Command(ctx, r.dir, args...)
	cmd.Stdout = stdout
	return Run(ctx, cmd)
}

// Command returns a command of git in dir, and in the repository that dir lies in.
// No hook and no file system monitor that a configuration names is started.
func Command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), namesRepository), "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_LITERAL_PATHSPECS=1", "GIT_TERMINAL_PROMPT=0")
	return cmd
}

// Run runs a command of git. The error has what git has to say.
func Run(ctx context.Context, cmd *exec.Cmd) error {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("git %s: %w\n%s", cmd.Args[firstArgument], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return nil
}

// firstArgument is where the arguments of [Command] begin: behind git itself and
// what it must not start.
const firstArgument = 5

// namesRepository reports whether a variable leads git to another repository
// than that of the directory, as in a hook.
func namesRepository(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	switch name {
	case "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE",
		"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES":
		return true
	}
	return false
}
