package toolchain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/middle-go/course/grader/internal/self"
)

// Diagnostic is one finding of an analyzer.
type Diagnostic struct {
	Analyzer string
	File     string // as the go command names it
	Line     int
	Message  string
	Category string // of the analyzer's own making, or empty
}

// Vet runs the grader's own analyzers as a vet tool over the package in
// p.Dir/pkg, which may be the pattern "...". The go command caches the result,
// and what it found out about the packages that are imported, for each set of
// flags. A package that does not compile gives a [*BuildError].
func (g *Go) Vet(ctx context.Context, p Place, pkg string, flags []string) ([]Diagnostic, error) {
	tool, err := self.Executable()
	if err != nil {
		return nil, err
	}
	args := append([]string{"vet", "-json", "-vettool=" + tool}, flags...)
	r, err := g.run(ctx, p, step{}, append(args, "./"+pkg)...)
	if err != nil {
		return nil, err
	}
	if err := buildError(p, r); err != nil {
		return nil, err
	}
	return parseVet(r.Output)
}

// parseVet reads the output of go vet -json: for each package a comment line
// "# path" and an object package -> analyzer -> diagnostics, or an error.
func parseVet(out []byte) ([]Diagnostic, error) {
	var text strings.Builder
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			text.WriteString(line)
		}
	}
	var all []Diagnostic
	seen := map[Diagnostic]bool{}
	dec := json.NewDecoder(strings.NewReader(text.String()))
	for {
		var byPackage map[string]map[string]json.RawMessage
		if err := dec.Decode(&byPackage); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("go vet printed something unexpected: %w\n%s", err, out)
		}
		for _, byAnalyzer := range byPackage {
			for analyzer, raw := range byAnalyzer {
				var list []struct{ Posn, Message, Category string }
				if err := json.Unmarshal(raw, &list); err != nil {
					return nil, fmt.Errorf("analyzer %s: %s", analyzer, raw)
				}
				for _, d := range list {
					file, line := splitPosition(d.Posn)
					diag := Diagnostic{Analyzer: analyzer, File: file, Line: line, Message: d.Message, Category: d.Category}
					if !seen[diag] { // a package is vetted alone and with its tests
						seen[diag] = true
						all = append(all, diag)
					}
				}
			}
		}
	}
}

// splitPosition splits "file.go:12:3".
func splitPosition(posn string) (file string, line int) {
	parts := strings.Split(posn, ":")
	if len(parts) < 3 {
		return posn, 0
	}
	if n, err := strconv.ParseUint(parts[len(parts)-2], 10, 31); err == nil {
		line = int(n)
	}
	return strings.Join(parts[:len(parts)-2], ":"), line
}
