package checks

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "record the traces of testdata again")

const traces = "testdata/traces"

// trace reads what a test of testdata/traces printed.
func trace(t *testing.T, name string) string {
	t.Helper()
	out, err := os.ReadFile(filepath.Join(traces, name+".txt"))
	require.NoError(t, err)
	return string(out)
}

// TestRecordTraces runs every test of testdata/traces as the grader would.
func TestRecordTraces(t *testing.T) {
	if !*update {
		t.Skip("records only with -update")
	}
	module := t.TempDir()
	dir := filepath.Join(module, "week05", "pool")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	for _, name := range []string{"pool.go", "pool_test.go"} {
		copyFile(t, filepath.Join(traces, name), filepath.Join(dir, name))
	}
	copyFile(t, "../../go.sum", filepath.Join(module, "go.sum"))
	mod := "module github.com/middle-go/course/module1\n\ngo 1.26.0\n\nrequire go.uber.org/goleak v1.3.0\n"
	require.NoError(t, os.WriteFile(filepath.Join(module, "go.mod"), []byte(mod), 0o644))

	run := func(env []string, name string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	build := func(binary string, flags ...string) {
		args := append([]string{"test", "-c", "-trimpath", "-vet=off", "-ldflags=-s -w", "-o", binary}, flags...)
		out, err := run([]string{"GOWORK=off", "GOFLAGS=-mod=mod", "GOPROXY=off"}, "go", append(args, ".")...)
		require.NoError(t, err, out)
	}
	plain, race := filepath.Join(module, "plain.test"), filepath.Join(module, "race.test")
	build(plain)
	build(race, "-race")
	tests, err := run(nil, plain, "-test.list=.")
	require.NoError(t, err)
	for name := range strings.FieldsSeq(tests) {
		binary, env := race, []string{"GOTRACEBACK=all", "GORACE=halt_on_error=1 exitcode=66 atexit_sleep_ms=0"}
		timeout := "300ms"
		switch name {
		case "TestFatalMap":
			binary = plain // the race detector would be first
		case "TestStackPlain", "TestMemoryPlain":
			binary, timeout = plain, "20s"
		case "TestMemory":
			timeout = "20s"
		}
		if strings.HasPrefix(name, "TestLeak") {
			env = append(env, "LEAK=1")
		}
		out, _ := run(env, "sh", "-c", `ulimit -v 2097152; exec "$@"`, "sh",
			binary, "-test.v=test2json", "-test.paniconexit0", "-test.timeout="+timeout, "-test.run=^"+name+"$")
		require.NoError(t, os.WriteFile(filepath.Join(traces, strings.TrimPrefix(name, "Test")+".txt"), []byte(out), 0o644))
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, content, 0o644))
}
