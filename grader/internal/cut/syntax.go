package cut

import (
	"go/scanner"
	"go/token"
	"path"
	"strings"
)

// syntax is how a kind of file writes a marker.
type syntax struct {
	comment string // what begins a comment: // or # or --
	marker  string // what begins a marker: //course: or # course:
}

var (
	slashes = syntax{comment: "//", marker: "//course:"}
	hashes  = syntax{comment: "#", marker: "# course:"}
	dashes  = syntax{comment: "--", marker: "-- course:"}
)

// syntaxOf returns the syntax of a file by its name, or false if a file of that
// kind can carry no marker. Testdata carries none: it is compared byte by byte.
func syntaxOf(name string) (syntax, bool) {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if path.Base(dir) == "testdata" {
			return syntax{}, false
		}
	}
	base := path.Base(name)
	switch base {
	case "Dockerfile", "Makefile", ".dockerignore", ".gitignore", ".gitattributes":
		return hashes, true
	}
	switch path.Ext(base) {
	case ".go", ".proto", ".js":
		return slashes, true
	case ".yaml", ".yml", ".toml", ".sh", ".env", ".conf":
		return hashes, true
	case ".sql", ".lua":
		return dashes, true
	}
	return syntax{}, false
}

// comments returns the text of what may be a marker, by line: every comment
// that begins with course: after its comment mark, and whether it stands alone.
// Lines count from 1. The second result is the line of the package clause of a
// Go file; in other files the marker of the whole file stands before line 2, or
// before line 3 if line 1 begins with #!.
func (s syntax) comments(name string, content []byte) (map[int]comment, int) {
	if path.Ext(name) == ".go" {
		return goComments(content)
	}
	found := map[int]comment{}
	body, line := 2, 0
	for text := range strings.Lines(string(content)) {
		line++
		text = strings.TrimSpace(text)
		if line == 1 && strings.HasPrefix(text, "#!") {
			body = 3
		}
		if s.resembles(text) {
			found[line] = comment{text: text, alone: true}
		}
	}
	return found, body
}

type comment struct {
	text  string
	alone bool
}

// resembles reports whether a comment is a marker or was meant as one.
func (s syntax) resembles(text string) bool {
	rest, ok := strings.CutPrefix(text, s.comment)
	return ok && strings.HasPrefix(strings.TrimSpace(rest), "course:")
}

// goComments scans rather than parses: with both sides of a change in it, a
// file need not be valid Go. A raw string is no comment.
func goComments(content []byte) (map[int]comment, int) {
	found := map[int]comment{}
	pkg := 0
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(content))
	var s scanner.Scanner
	s.Init(file, content, func(token.Position, string) {}, scanner.ScanComments)
	for {
		pos, tok, lit := s.Scan()
		switch tok {
		case token.EOF:
			return found, pkg
		case token.PACKAGE:
			if pkg == 0 {
				pkg = file.Line(pos)
			}
		case token.COMMENT:
			if !slashes.resembles(lit) {
				continue
			}
			line := file.Line(pos)
			before := content[file.Offset(file.LineStart(line)):file.Offset(pos)]
			found[line] = comment{text: strings.TrimSpace(lit), alone: len(strings.TrimSpace(string(before))) == 0}
		}
	}
}
