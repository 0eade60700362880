// Package layercheck is a linter for the layers of a service: it reports
// imports that a layer must not have, and exported declarations that give away
// types of such packages.
package layercheck

import (
	"errors"
	"io"

	"golang.org/x/tools/go/analysis"
)

// Rules say which layers there are and what each of them may import.
type Rules struct{ Layers []Layer }

// Layer is the packages at and below an import path. A package that is at or
// below the paths of several layers belongs to the one with the longest path.
type Layer struct {
	Name string
	Path string

	// MayImport holds the names of the other layers whose packages this layer
	// may import. Its own packages it may import anyway.
	MayImport []string

	// Deny holds import paths. What is at or below one of them must not be
	// imported, whatever MayImport says. Packages outside all layers are
	// allowed unless they are denied.
	Deny []string
}

// ParseRules reads rules in the format that the README describes. Layers, and
// the words of their import and deny lines, keep their order. The text of an
// error about a line begins with "line 3: ". An error of r is wrapped.
func ParseRules(r io.Reader) (Rules, error) {
	return Rules{}, errors.ErrUnsupported
}

// NewAnalyzer returns an analyzer with the name layercheck that holds packages
// to rules. Its passes may run at the same time. The rules are as ParseRules
// returns them, and nobody changes them afterwards.
func NewAnalyzer(rules Rules) *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: "layercheck",
		Doc:  "report imports and exported types that cross the layers of a service",
		Run: func(pass *analysis.Pass) (any, error) {
			return nil, errors.ErrUnsupported
		},
	}
}
