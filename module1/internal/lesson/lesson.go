// Package lesson checks that the README.md of a week quotes the examples in its
// lesson_test.go, and what they print, exactly.
package lesson

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

const (
	file  = "lesson_test.go"
	child = "LESSON_OUTPUT" // set in the process that runs one test for its output
)

var (
	outputComment = regexp.MustCompile(`(?m)^// Output:\n(// .*\n)+`)
	packageClause = regexp.MustCompile(`^package \w+\n`)
)

// Check finds each Go snippet of README.md in lesson_test.go, and each answer, a
// snippet of plain text, as the output of an example. A package clause at the
// beginning of a snippet does not count. It must be called in the directory of
// the two files, where go test runs.
//
// What an example cannot do, such as starting a synctest bubble, a test may show
// instead. If its body ends in an Output comment, Check runs that test and
// compares what it printed.
func Check(t *testing.T) {
	t.Helper()
	if os.Getenv(child) != "" {
		t.Skip("runs one test for its output")
	}
	source := read(t, file)
	outputs := 0
	for name, body := range functions(t, source) {
		output := outputComment.FindString(unindent(body))
		switch isTest := strings.HasPrefix(name, "Test"); {
		case output != "":
			outputs++
			if isTest {
				checkOutput(t, name, output)
			}
		case strings.HasPrefix(name, "Example"):
			t.Errorf("%s has no output", name)
		}
	}

	source = unindent(source)
	code := outputComment.ReplaceAllString(source, "")
	for _, quote := range Snippets(t, "go", "") {
		quote = unindent(packageClause.ReplaceAllString(quote, ""))
		if !strings.Contains(code, quote) {
			t.Errorf("README.md quotes code that is not in %s:\n\n%s", file, quote)
		}
	}
	answers := Snippets(t, "text", "")
	for _, answer := range answers {
		if !strings.Contains(source, comment(answer)+"}\n") {
			t.Errorf("README.md gives an answer that is no output of an example:\n\n%s", answer)
		}
	}
	if len(answers) != outputs {
		t.Errorf("README.md has %d answers, %s %d outputs", len(answers), file, outputs)
	}
}

// functions returns the bodies of the functions in source by their names.
func functions(t *testing.T, source string) map[string]string {
	t.Helper()
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	bodies := make(map[string]string)
	for _, decl := range parsed.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
			bodies[f.Name.Name] = source[fset.Position(f.Body.Lbrace).Offset:fset.Position(f.Body.Rbrace).Offset]
		}
	}
	return bodies
}

// checkOutput runs one test of this test binary in a process of its own.
func checkOutput(t *testing.T, name, want string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+name+"$", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, out)
		return
	}
	printed, _, _ := strings.Cut(string(out), "PASS\n")
	if got := comment(printed); got != want {
		t.Errorf("%s printed\n%swant\n%s", name, got, want)
	}
}

// comment returns the Output comment of an example that prints text.
func comment(text string) string {
	var b strings.Builder
	b.WriteString("// Output:\n")
	for line := range strings.Lines(text) {
		b.WriteString("// " + line)
	}
	return b.String()
}

// Snippets returns the code blocks of README.md in a language that begin with
// prefix, without that prefix.
func Snippets(t *testing.T, language, prefix string) []string {
	t.Helper()
	var found []string
	block := regexp.MustCompile("(?s)```" + language + "\n(.*?)```")
	for _, m := range block.FindAllStringSubmatch(read(t, "README.md"), -1) {
		if rest, ok := strings.CutPrefix(m[1], prefix); ok {
			found = append(found, rest)
		}
	}
	return found
}

// Snippet is Snippets for a prefix that only one code block has.
func Snippet(t *testing.T, language, prefix string) string {
	t.Helper()
	list := Snippets(t, language, prefix)
	if len(list) != 1 {
		t.Fatalf("README.md has %d %s snippets that begin with %q, want 1", len(list), language, prefix)
	}
	return list[0]
}

// unindent removes the indentation of every line, which a quote may lose, and
// empty lines.
func unindent(code string) string {
	var b strings.Builder
	for line := range strings.Lines(code) {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
