package layercheck_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week03/layercheck"
)

// A variable of the environment with one of these names turns the test binary
// into the vet tool. Its value is a file with rules.
const (
	studentsRules = "LAYERCHECK_TEST_RULES"       // read with ParseRules, as cmd/layercheck does
	plainRules    = "LAYERCHECK_TEST_PLAIN_RULES" // read without it
)

func init() {
	student, plain := os.Getenv(studentsRules), os.Getenv(plainRules)
	if student == "" && plain == "" {
		return
	}
	debug.SetMaxStack(16 << 20)
	text, err := os.ReadFile(student + plain)
	if err != nil {
		log.Fatal(err)
	}
	rules := readRules(string(text))
	if student != "" {
		if rules, err = layercheck.ParseRules(bytes.NewReader(text)); err != nil {
			log.Fatalf("ParseRules: %v", err)
		}
	}
	unitchecker.Main(layercheck.NewAnalyzer(rules))
}

func TestVettool_ExitCode(t *testing.T) {
	f := load(t, "vettool.txtar")
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "layers.rules"), f.rules)

	t.Run("handshake", func(t *testing.T) {
		// What the go command asks before it vets anything.
		version := runTool(t, dir, studentsRules, "-V=full")
		if version.code != 0 || !regexp.MustCompile(`^\S+ version devel .*buildID=\w+\n$`).MatchString(version.stdout) {
			brokenTool(t, "layercheck -V=full", version, "exit code 0, and one line with the version",
				"The go command takes the answer as part of the key of its cache. Whatever else is printed spoils it.")
		}
		flags := runTool(t, dir, studentsRules, "-flags")
		var list []struct{ Name string }
		err := json.Unmarshal([]byte(flags.stdout), &list)
		if flags.code != 0 || err != nil || !slices.ContainsFunc(list, func(f struct{ Name string }) bool { return f.Name == "layercheck" }) {
			brokenTool(t, "layercheck -flags", flags, `exit code 0, and a JSON list with a flag "layercheck"`,
				"The go command refuses a tool whose flags it cannot read.")
		}
	})

	const why = "CI looks at nothing but the exit code, and a reviewer needs a place to click on."
	t.Run("text", func(t *testing.T) {
		for _, out := range vet(t, f, studentsRules) {
			requireOutcome(t, f, out, out.plainFindings(), why)
		}
	})
	t.Run("json", func(t *testing.T) {
		for _, out := range vet(t, f, studentsRules, "-json") {
			found, err := out.jsonFindings()
			if err != nil || out.code != 0 {
				brokenTool(t, "layercheck -json vet.cfg // "+out.pkg, out, "exit code 0, and JSON on the standard output",
					"This is how go vet itself asks; it makes the exit code out of what it reads.")
			}
			out.code = min(len(found), 1)
			requireOutcome(t, f, out, found, why)
		}
	})
}

// requireOutcome holds the findings of the tool in one package, and the exit code
// that go vet would have, against the fixture.
func requireOutcome(t *testing.T, f *fixture, out output, found []finding, why string) {
	t.Helper()
	want := f.wanted()
	want = slices.DeleteFunc(want, func(x finding) bool { return path.Dir(x.file) != out.pkg })
	slices.SortFunc(found, compareFindings)
	if slices.Equal(found, want) && out.code == min(len(want), 1) {
		return
	}
	var lines []string
	for _, x := range want {
		lines = append(lines, fmt.Sprintf("%s:%d: %s", x.file, x.line, x.message))
	}
	brokenTool(t, "layercheck vet.cfg // "+out.pkg+" of "+f.archive, out,
		strings.TrimSpace(fmt.Sprintf("exit code %d\n%s", min(len(want), 1), strings.Join(lines, "\n"))), why)
}

func brokenTool(t *testing.T, do string, got output, want, why string) {
	t.Helper()
	text := strings.TrimSpace(fmt.Sprintf("exit code %d\n%s%s", got.code, got.stdout, got.stderr))
	if len(text) > 2000 {
		text = text[:2000] + " and more"
	}
	rule.Broken(t, rule.Case{Do: do, Got: rule.Text(text), Want: rule.Text(want), Why: why})
}

// output is what the tool did with one package.
type output struct {
	pkg            string
	code           int
	stdout, stderr string
}

var position = regexp.MustCompile(`^(.+\.go):([0-9]+):[0-9]+$`)

// plainFindings reads "file.go:1:2: message" from the standard error.
func (o output) plainFindings() []finding {
	var list []finding
	for line := range strings.Lines(o.stderr) {
		place, message, _ := strings.Cut(strings.TrimSpace(line), ": ")
		list = append(list, newFinding(place, message))
	}
	return list
}

// jsonFindings reads package -> analyzer -> findings from the standard output.
func (o output) jsonFindings() ([]finding, error) {
	var byPackage map[string]map[string][]struct{ Posn, Message string }
	if err := json.Unmarshal([]byte(o.stdout), &byPackage); err != nil {
		return nil, err
	}
	var list []finding
	for _, d := range byPackage[o.pkg]["layercheck"] {
		list = append(list, newFinding(d.Posn, d.Message))
	}
	return list, nil
}

func newFinding(place, message string) finding {
	m := position.FindStringSubmatch(place)
	if m == nil {
		return finding{message: place + ": " + message}
	}
	line, _ := strconv.Atoi(m[2])
	return finding{file: filepath.ToSlash(m[1]), line: line, message: message}
}

// vet does what go vet does: it runs the tool in one process for each package,
// with a configuration file that says where the sources are and where what the
// tool has written about the imports.
func vet(t *testing.T, f *fixture, rules string, flags ...string) []output {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "layers.rules"), f.rules)
	for name, source := range f.sources {
		writeFile(t, filepath.Join(dir, filepath.FromSlash(name)), source)
	}
	facts := map[string]string{}
	var outs []output
	for i, name := range f.names() {
		u := f.packages[name]
		config := unitchecker.Config{
			ID: name, Compiler: "gc", Dir: filepath.Join(dir, filepath.FromSlash(name)), ImportPath: name,
			GoVersion: "go1.26", ImportMap: map[string]string{}, PackageVetx: facts,
			VetxOutput: filepath.Join(dir, fmt.Sprintf("%d.vetx", i)),
		}
		for _, file := range u.files {
			config.GoFiles = append(config.GoFiles, filepath.FromSlash(f.fset.File(file.FileStart).Name()))
		}
		for _, p := range u.types.Imports() {
			config.ImportMap[p.Path()] = p.Path()
		}
		text, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, "vet.cfg"), string(text))
		out := runTool(t, dir, rules, append(flags, "vet.cfg")...)
		out.pkg = name
		outs = append(outs, out)
		if _, err := os.Stat(config.VetxOutput); err != nil {
			break // the packages that import this one cannot be vetted
		}
		facts[name] = config.VetxOutput
	}
	return outs
}

// runTool starts this test binary as the vet tool in dir.
func runTool(t *testing.T, dir, rules string, args ...string) output {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Dir = dir
	cmd.Env = []string{rules + "=layers.rules", "TMPDIR=" + dir, "GORACE=atexit_sleep_ms=0"}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return output{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
}

func writeFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
