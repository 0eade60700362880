package proc

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Binary is a program that [Build] made.
type Binary struct {
	Path  string // the executable
	cover bool   // it writes coverage counters when it exits
}

var builds = struct {
	sync.Mutex
	byKey map[string]func() (Binary, error)
}{byKey: make(map[string]func() (Binary, error))}

// Build compiles the package pkg, such as "./cmd/tasktracker", with the go
// command in the directory dir; "" is the directory of the test. Flags, such as
// -race or -cover, go to go build. A test process builds each combination once,
// and the binary lives until a later test process finds that it has ended.
//
// Build fails t with the compiler's output. Any goroutine of the test may use
// the result; Build itself stops the test, so it must be called from the
// goroutine that runs it.
func Build(t testing.TB, pkg, dir string, flags ...string) Binary {
	t.Helper()
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatalf("proc: %v", err)
	}
	bin, err := buildOnce(pkg, dir, flags)()
	if err != nil {
		t.Fatalf("proc: %v", err)
	}
	return bin
}

func buildOnce(pkg, dir string, flags []string) func() (Binary, error) {
	key := strings.Join(append([]string{pkg, dir}, flags...), "\x00")
	builds.Lock()
	defer builds.Unlock()
	if builds.byKey[key] == nil {
		builds.byKey[key] = sync.OnceValues(func() (Binary, error) { return build(pkg, dir, flags) })
	}
	return builds.byKey[key]
}

func build(pkg, dir string, flags []string) (Binary, error) {
	scratch, err := scratchDir()
	if err != nil {
		return Binary{}, fmt.Errorf("a directory for the binary: %w", err)
	}
	bin := Binary{
		Path:  filepath.Join(scratch, executable(filepath.Base(pkg))),
		cover: slices.Contains(flags, "-cover"),
	}
	args := append([]string{"build", "-o", bin.Path}, flags...)
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return Binary{}, fmt.Errorf("go build %s in %s: %w\n%s", pkg, dir, err, out)
	}
	return bin, nil
}

func executable(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}
