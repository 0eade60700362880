// Command layercheck is a vet tool that guards the layers in layers.rules:
//
//	go build -o /tmp/layercheck ./week03/layercheck/cmd/layercheck
//	go vet -vettool=/tmp/layercheck ./...
package main

import (
	_ "embed"
	"fmt"
	"os"
	"strings"

	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/middle-go/course/module1/week03/layercheck"
)

// The go command caches what a vet tool finds until the tool changes. A rules
// file that is read at run time could change without it.
//
//go:embed layers.rules
var text string

func main() {
	rules, err := layercheck.ParseRules(strings.NewReader(text))
	if err != nil {
		fmt.Fprintln(os.Stderr, "layercheck: layers.rules:", err)
		os.Exit(1)
	}
	unitchecker.Main(layercheck.NewAnalyzer(rules))
}
