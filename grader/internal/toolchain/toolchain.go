// Package toolchain drives the go command for the grader: a hermetic
// environment, builds, test binaries and what they report.
package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/middle-go/course/grader/internal/sandbox"
)

// Go is an installed go command.
type Go struct {
	Version string // such as go1.26.8
	bin     string
	env     struct{ GOROOT, GOCACHE, GOMODCACHE, GOVERSION, GOPROXY, CC string }
}

// Find returns the go command that works in dir, which is a trusted directory: the
// one in PATH, or the newer one that it downloads because the go.work there asks
// for it.
func Find(ctx context.Context, dir string) (*Go, error) {
	bin, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("the go command is not in PATH; install Go from https://go.dev/dl/: %w", err)
	}
	cmd := exec.CommandContext(ctx, bin, "env", "-json", "GOROOT", "GOCACHE", "GOMODCACHE", "GOVERSION", "GOPROXY", "CC")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=", "GOFLAGS=")
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("the go command does not work here: %s", bytes.TrimSpace(exit.Stderr))
	}
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	g := &Go{bin: bin}
	if err := json.Unmarshal(out, &g.env); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	g.Version = g.env.GOVERSION
	g.bin = filepath.Join(g.env.GOROOT, "bin", "go")
	return g, nil
}

// HasCCompiler reports whether the compiler that -race needs on this system can
// be started.
func (g *Go) HasCCompiler() bool {
	name, _, _ := strings.Cut(g.env.CC, " ")
	_, err := exec.LookPath(name)
	return err == nil
}

// Limits of a build step. The memory limit is address space, of which the
// linker maps plenty.
var buildLimits = sandbox.Limits{
	Wall:     5 * time.Minute,
	CPU:      10 * time.Minute,
	Memory:   8 << 30,
	FileSize: 128 << 20,
	Output:   1 << 20,
}

// environment is everything the go command sees while it handles a submission:
// no variable of the caller but PATH, no network, no workspace of the student's.
func (g *Go) environment(workspace, tmp string, race bool) []string {
	cgo := "0"
	if race {
		cgo = "1"
	}
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + tmp,
		"TMPDIR=" + tmp,
		"GOROOT=" + g.env.GOROOT,
		"GOCACHE=" + g.env.GOCACHE,
		"GOMODCACHE=" + g.env.GOMODCACHE,
		"GOENV=off",
		"GOFLAGS=-mod=readonly",
		"GOWORK=" + workspace,
		"GOPROXY=off",
		"GOTOOLCHAIN=local",
		"GOTELEMETRY=off",
		"CGO_ENABLED=" + cgo,
		"CC=" + g.env.CC,
		"LC_ALL=C",
	}
}

// Place is a module in a work tree, where the go command runs.
type Place struct {
	Dir       string // absolute path of the module
	Workspace string // absolute path of the go.work to use
	Tmp       string // absolute path of a directory for temporary files
}

// run starts the go command in p, within the limits of a build step.
func (g *Go) run(ctx context.Context, p Place, race bool, args ...string) (sandbox.Result, error) {
	r, err := sandbox.Run(ctx, sandbox.Command{
		Args:   append([]string{g.bin}, args...),
		Dir:    p.Dir,
		Env:    g.environment(p.Workspace, p.Tmp, race),
		Limits: buildLimits,
	})
	if err != nil {
		return r, fmt.Errorf("go %s: %w", args[0], err)
	}
	if r.End == sandbox.Cancelled {
		return r, context.Cause(ctx)
	}
	return r, nil
}

// BuildOptions chooses a variant of a test binary.
type BuildOptions struct {
	Race  bool
	Cover string // import path of the package to cover, or empty
}

// BuildError is a submission that does not compile.
type BuildError struct {
	Output string
	End    sandbox.End
}

func (e *BuildError) Error() string { return "build: " + string(e.End) + "\n" + e.Output }

// BuildTest compiles the tests of the package in p.Dir/pkg into the file
// binary. The error is a [*BuildError] when the code is at fault.
func (g *Go) BuildTest(ctx context.Context, p Place, pkg, binary string, o BuildOptions) error {
	args := []string{"test", "-c", "-trimpath", "-vet=off", "-ldflags=-s -w", "-o", binary}
	if o.Race {
		args = append(args, "-race")
	}
	if o.Cover != "" {
		args = append(args, "-covermode=atomic", "-coverpkg="+o.Cover)
	}
	r, err := g.run(ctx, p, o.Race, append(args, "./"+pkg)...)
	if err != nil {
		return err
	}
	if r.End != sandbox.Exited || r.Code != 0 {
		return &BuildError{Output: string(r.Output), End: r.End}
	}
	return nil
}

// Escapes returns the compiler's escape diagnostics for the package in
// p.Dir/pkg, as lines "./file.go:line:col: x escapes to heap".
func (g *Go) Escapes(ctx context.Context, p Place, pkg string) (string, error) {
	r, err := g.run(ctx, p, false, "build", "-trimpath", "-gcflags=-m", "./"+pkg)
	if err != nil {
		return "", err
	}
	if r.End != sandbox.Exited || r.Code != 0 {
		return "", &BuildError{Output: string(r.Output), End: r.End}
	}
	return string(r.Output), nil
}

// Download fetches the modules that the test binaries of the package in
// p.Dir/pkg need, and those of the extra packages, with the caller's own
// environment and network. The work tree must hold trusted files only.
func (g *Go) Download(ctx context.Context, p Place, pkg string, extra []string) error {
	args := append([]string{"list", "-deps", "-test", "-f", "{{with .Error}}{{.}}{{end}}", "./" + pkg}, extra...)
	cmd := exec.CommandContext(ctx, g.bin, args...)
	cmd.Dir = p.Dir
	cmd.Env = append(os.Environ(), "GOWORK="+p.Workspace, "GOFLAGS=-mod=readonly", "GOTOOLCHAIN=local")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("the modules of the course could not be downloaded (GOPROXY=%s); check the network and try again\n%s", g.env.GOPROXY, strings.TrimSpace(stderr.String()))
	}
	return nil
}
