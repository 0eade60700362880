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
	"regexp"
	"strings"
	"time"

	"github.com/middle-go/course/grader/internal/cachedir"
	"github.com/middle-go/course/grader/internal/sandbox"
	"github.com/middle-go/course/grader/internal/self"
)

// Go is an installed go command.
type Go struct {
	Version string // such as go1.26.8
	bin     string
	cache   string // of what it builds of submissions
	home    string // see makeHome
	env     struct{ GOROOT, GOMODCACHE, GOVERSION, GOPROXY, CC string }
}

// Find returns the go command that works in dir, which is a trusted directory: the
// one in PATH, or the newer one that it downloads because the go.work there asks
// for it.
func Find(ctx context.Context, dir string) (*Go, error) {
	bin, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("the go command is not in PATH; install Go from https://go.dev/dl/: %w", err)
	}
	cmd := exec.CommandContext(ctx, bin, "env", "-json", "GOROOT", "GOMODCACHE", "GOVERSION", "GOPROXY", "CC")
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
	if g.cache, err = cachedir.Build(); err != nil {
		return nil, err
	}
	cache, err := cachedir.Path()
	if err != nil {
		return nil, err
	}
	g.home = filepath.Join(cache, "home")
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
		"HOME=" + g.home,
		"TMPDIR=" + tmp,
		"GOROOT=" + g.env.GOROOT,
		"GOCACHE=" + g.cache,
		"GOMODCACHE=" + g.env.GOMODCACHE,
		"GOENV=off",
		"GOFLAGS=-mod=readonly",
		"GOWORK=" + workspace,
		"GOPROXY=off",
		"GOTOOLCHAIN=local",
		"GOGC=400", // compiler and linker live for a second: less time for some more memory
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

// step is one call of the go command on a submission.
type step struct {
	race  bool
	write []string // files and directories beside its cache and temporary files
	runs  bool     // it runs what it has built: a tool of Go's own
}

// run starts the go command in p, in the box of a build step: it reads the work
// tree, the modules and the tools of this system, and writes what s names.
func (g *Go) run(ctx context.Context, p Place, s step, args ...string) (sandbox.Result, error) {
	vetTool, err := self.Executable()
	if err != nil {
		return sandbox.Result{}, err
	}
	if err := os.MkdirAll(g.cache, 0o700); err != nil {
		return sandbox.Result{}, fmt.Errorf("the cache of what is built cannot be written: %w", err)
	}
	if err := g.makeHome(); err != nil {
		return sandbox.Result{}, err
	}
	reach := sandbox.Reach{
		Read:     append([]string{p.tree(), g.home, g.env.GOMODCACHE}, systemConfig...),
		Write:    append([]string{p.Tmp, g.cache}, s.write...),
		Exec:     append([]string{g.env.GOROOT, vetTool}, g.tools()...),
		Children: true,
	}
	if s.runs {
		reach.Exec = append(reach.Exec, p.Tmp, g.cache)
	}
	r, err := sandbox.Run(ctx, sandbox.Command{
		Args:   append([]string{g.bin}, args...),
		Dir:    p.Dir,
		Env:    g.environment(p.Workspace, p.Tmp, s.race),
		Limits: buildLimits,
		Reach:  reach,
	})
	if err != nil {
		return r, fmt.Errorf("go %s: %w", args[0], err)
	}
	if r.End == sandbox.Cancelled {
		return r, context.Cause(ctx)
	}
	return r, nil
}

// tree is the root of the work tree of p.
func (p Place) tree() string { return filepath.Dir(p.Workspace) }

// systemTools is where systems keep the C compiler that -race needs, and what
// it calls and reads.
var systemTools = []string{"/usr", "/bin", "/lib", "/lib32", "/lib64", "/opt", "/nix/store", "/home/linuxbrew/.linuxbrew"}

// systemConfig is what the C compiler reads beside them.
var systemConfig = []string{"/etc/alternatives", "/etc/ld.so.conf", "/etc/ld.so.conf.d"}

func (g *Go) tools() []string {
	name, _, _ := strings.Cut(g.env.CC, " ")
	if cc, err := exec.LookPath(name); err == nil && filepath.IsAbs(cc) {
		if cc, err = filepath.EvalSymlinks(cc); err == nil {
			return append([]string{filepath.Dir(cc)}, systemTools...)
		}
	}
	return systemTools
}

// BuildOptions chooses a variant of a test binary.
type BuildOptions struct {
	Race  bool
	Cover string // import paths of the packages to cover, with commas between, or empty
}

// flags are the arguments of go build and go test -c.
func (o BuildOptions) flags(output string) []string {
	args := []string{"-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", output}
	if o.Race {
		args = append(args, "-race")
	}
	if o.Cover != "" {
		args = append(args, "-cover", "-covermode=atomic", "-coverpkg="+o.Cover)
	}
	return args
}

// BuildError is a submission that does not compile.
type BuildError struct {
	Output string
	End    sandbox.End
	Dir    string // what file names in Output are relative to
}

func (e *BuildError) Error() string { return "build: " + string(e.End) + "\n" + e.Output }

// BuildTest compiles the tests of the package in p.Dir/pkg into the file
// binary. The error is a [*BuildError] when the code is at fault.
func (g *Go) BuildTest(ctx context.Context, p Place, pkg, binary string, o BuildOptions) error {
	args := append([]string{"test", "-c", "-vet=off"}, o.flags(binary)...)
	return g.build(ctx, p, o.Race, binary, append(args, "./"+pkg)...)
}

// BuildProgram compiles the main package in p.Dir/pkg into the file binary. The
// error is a [*BuildError] when the code is at fault.
func (g *Go) BuildProgram(ctx context.Context, p Place, pkg, binary string, o BuildOptions) error {
	args := append([]string{"build"}, o.flags(binary)...)
	return g.build(ctx, p, o.Race, binary, append(args, "./"+pkg)...)
}

// build writes into the directory of binary, which exists afterwards.
func (g *Go) build(ctx context.Context, p Place, race bool, binary string, args ...string) error {
	dir := filepath.Dir(binary)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	r, err := g.run(ctx, p, step{race: race, write: []string{dir}}, args...)
	if err != nil {
		return err
	}
	return buildError(p, r)
}

// buildError returns a [*BuildError] unless the go command ended well.
func buildError(p Place, r sandbox.Result) error {
	if r.End == sandbox.Exited && r.Code == 0 {
		return nil
	}
	return &BuildError{Output: string(r.Output), End: r.End, Dir: p.Dir}
}

// CoverProfile writes the counters that programs built with coverage left in
// dir to the file profile, in the format of go test -coverprofile.
func (g *Go) CoverProfile(ctx context.Context, p Place, dir, profile string) error {
	if err := os.WriteFile(profile, nil, 0o600); err != nil {
		return err
	}
	r, err := g.run(ctx, p, step{write: []string{dir, profile}, runs: true}, "tool", "covdata", "textfmt", "-i="+dir, "-o="+profile)
	if err != nil {
		return err
	}
	if r.End != sandbox.Exited || r.Code != 0 {
		return fmt.Errorf("go tool covdata: %s: %s", r.End, bytes.TrimSpace(r.Output))
	}
	return nil
}

// Escapes returns the compiler's escape diagnostics for the package in
// p.Dir/pkg, as lines "./file.go:line:col: x escapes to heap".
func (g *Go) Escapes(ctx context.Context, p Place, pkg string) (string, error) {
	r, err := g.run(ctx, p, step{}, "build", "-trimpath", "-gcflags=-m", "./"+pkg)
	if err != nil {
		return "", err
	}
	return string(r.Output), buildError(p, r)
}

// Download fetches the modules that the test binaries of the package in
// p.Dir/pkg need, and those of the extra packages, with the caller's own
// environment and network. The work tree must hold trusted files only.
func (g *Go) Download(ctx context.Context, p Place, pkg string, extra []string) error {
	_, err := g.list(ctx, p, append([]string{"-deps", "-test", "./" + pkg}, extra...))
	return err
}

// DownloadKnown fetches the modules of the packages that the go.mod of p.Dir
// knows. Paths of no module are left for the compiler to explain. The work tree
// must hold trusted files only; the paths are those of a submission.
func (g *Go) DownloadKnown(ctx context.Context, p Place, packages []string) error {
	out, err := g.list(ctx, p, append([]string{"-e", "-deps", "-f", "{{with .Error}}{{.Err}}{{println}}{{end}}", "--"}, packages...))
	if err != nil {
		return err
	}
	for line := range strings.Lines(out) {
		if strings.TrimSpace(line) != "" && !noSuchPackage.MatchString(line) {
			return g.offline(out)
		}
	}
	return nil
}

// noSuchPackage matches what the go command says of a path that no module has.
var noSuchPackage = regexp.MustCompile(`no required module provides package|does not contain package|module \S+ provides package|malformed import path|is not in std|build constraints exclude|use of internal package|cannot find module providing`)

// list runs go list with the caller's own environment and network.
func (g *Go) list(ctx context.Context, p Place, args []string) (string, error) {
	cmd := exec.CommandContext(ctx, g.bin, append([]string{"list"}, args...)...)
	cmd.Dir = p.Dir
	cmd.Env = append(os.Environ(), "GOWORK="+p.Workspace, "GOFLAGS=-mod=readonly", "GOTOOLCHAIN=local")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", g.offline(stderr.String())
	}
	return string(out), nil
}

func (g *Go) offline(said string) error {
	return fmt.Errorf("the modules of the course could not be downloaded (GOPROXY=%s); check the network and try again\n%s", g.env.GOPROXY, strings.TrimSpace(said))
}
