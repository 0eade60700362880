//course:since m05a

// Package docs makes a page for people of an OpenAPI document. The page needs
// no script and nothing from the network.
package docs

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"json": indented,
	"type": typeOf,
	"name": refName,
}).Parse(pageHTML))

// Policy is the Content-Security-Policy of the page: its own style and nothing
// else.
func Policy() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'", base64.StdEncoding.EncodeToString(sum[:]))
}

// Page returns the page for an OpenAPI 3.1 document in YAML.
func Page(contract []byte) ([]byte, error) {
	doc, err := parse(contract)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	var html bytes.Buffer
	err = page.Execute(&html, struct {
		*document
		Style template.CSS
	}{doc, template.CSS(pageCSS)})
	return html.Bytes(), err
}
