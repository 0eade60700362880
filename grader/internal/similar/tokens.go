package similar

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"hash/maphash"
	"path"
)

// Source is one file. If its name ends with .go it is read as Go, whether it
// parses or not, and otherwise as words.
type Source struct {
	Path    string
	Content []byte
}

// lexeme is one token of a source without what a copier changes.
type lexeme struct {
	hash uint64
	line int
}

// text is the lexemes of one source.
type text struct {
	path    string
	lexemes []lexeme
}

var seed = maphash.MakeSeed()

func read(sources []Source) []text {
	var all []text
	for _, s := range sources {
		lex := words
		if path.Ext(s.Path) == ".go" {
			lex = lexemes
		}
		all = append(all, text{s.Path, lex(s.Content)})
	}
	return all
}

// words reads a text that is not Go.
func words(content []byte) []lexeme {
	var all []lexeme
	n := 0
	for line := range bytes.Lines(content) {
		n++
		for word := range bytes.FieldsSeq(line) {
			all = append(all, lexeme{maphash.Bytes(seed, word), n})
		}
	}
	return all
}

// lexemes reads what stands below the imports, without comments. The names that a
// student may choose are one and the same, and so are all strings; keywords,
// operators, numbers, predeclared and exported names stay.
func lexemes(content []byte) []lexeme {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(content))
	var s scanner.Scanner
	s.Init(file, content, func(token.Position, string) {}, 0)
	from := importsEnd(content)
	var all []lexeme
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return all
		}
		if file.Offset(pos) < from || tok == token.SEMICOLON || tok == token.COMMA {
			continue
		}
		all = append(all, lexeme{maphash.String(seed, normal(tok, lit)), file.PositionFor(pos, false).Line})
	}
}

func normal(tok token.Token, lit string) string {
	switch {
	case tok == token.IDENT && (ast.IsExported(lit) || types.Universe.Lookup(lit) != nil), tok == token.INT, tok == token.FLOAT:
		return lit
	default:
		return tok.String()
	}
}

// importsEnd is the offset behind the package clause and the imports.
func importsEnd(content []byte) int {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", content, parser.ImportsOnly)
	if err != nil {
		return 0
	}
	end := file.Name.End()
	for _, d := range file.Decls {
		end = max(end, d.End())
	}
	return fset.PositionFor(end, false).Offset
}
