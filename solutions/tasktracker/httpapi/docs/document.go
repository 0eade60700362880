//course:since m05a

package docs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is what the page shows of an OpenAPI document.
type document struct {
	Info struct {
		Title, Version, Summary, Description string
	}
	Tags []struct {
		Name, Description string
	}
	Components struct {
		Parameters map[string]parameter
		Responses  map[string]response
		Schemas    ordered[schema]
	}
	Paths ordered[ordered[yaml.Node]]

	Operations []*operation `yaml:"-"`
}

type operation struct {
	Method, Path string `yaml:"-"`
	Tags         []string
	ID           string `yaml:"operationId"`
	Summary      string
	Description  string
	Parameters   []parameter
	RequestBody  struct{ Content ordered[media] } `yaml:"requestBody"`
	Responses    ordered[response]
}

type parameter struct {
	Ref         string `yaml:"$ref"`
	Name, In    string
	Required    bool
	Description string
	Schema      schema
}

type response struct {
	Ref         string `yaml:"$ref"`
	Description string
	Content     ordered[media]
}

type media struct {
	Schema  schema
	Example any
}

type schema struct {
	Ref         string `yaml:"$ref"`
	Type        any    // a name, or a list of them
	Description string
	Properties  ordered[schema]
	Items       *schema
	AnyOf       []schema `yaml:"anyOf"`
	Enum        []string
	Const       any
	Default     any
	Pattern     string
	Format      string
	MinLength   int `yaml:"minLength"`
	MaxLength   int `yaml:"maxLength"`
}

// ordered is a mapping that keeps the order of the file.
type ordered[T any] []pair[T]

type pair[T any] struct {
	Key   string
	Value T
}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (o *ordered[T]) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: not a mapping", node.Line)
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Tag == "!!merge" {
			continue // headers only, which the page does not show
		}
		p := pair[T]{Key: node.Content[i].Value}
		if err := node.Content[i+1].Decode(&p.Value); err != nil {
			return err
		}
		*o = append(*o, p)
	}
	return nil
}

func parse(contract []byte) (*document, error) {
	var doc document
	if err := yaml.Unmarshal(contract, &doc); err != nil {
		return nil, err
	}
	for _, p := range doc.Paths {
		var shared []parameter
		for _, member := range p.Value {
			if member.Key == "parameters" {
				if err := member.Value.Decode(&shared); err != nil {
					return nil, err
				}
				continue
			}
			op := operation{Method: strings.ToUpper(member.Key), Path: p.Key}
			if err := member.Value.Decode(&op); err != nil {
				return nil, err
			}
			op.Parameters = append(shared, op.Parameters...)
			doc.resolve(&op)
			doc.Operations = append(doc.Operations, &op)
		}
	}
	return &doc, nil
}

// resolve replaces references by what they name.
func (d *document) resolve(op *operation) {
	for i, p := range op.Parameters {
		if p.Ref != "" {
			op.Parameters[i] = d.Components.Parameters[refName(p.Ref)]
		}
	}
	for i, r := range op.Responses {
		if r.Value.Ref != "" {
			op.Responses[i].Value = d.Components.Responses[refName(r.Value.Ref)]
		}
	}
}

// Of returns the operations of a tag.
func (d *document) Of(tag string) []*operation {
	var all []*operation
	for _, op := range d.Operations {
		if len(op.Tags) > 0 && op.Tags[0] == tag {
			all = append(all, op)
		}
	}
	return all
}

func refName(ref string) string { return path.Base(ref) }

// typeOf says in a few words what a value looks like.
func typeOf(s schema) string {
	switch {
	case s.Ref != "":
		return refName(s.Ref)
	case len(s.AnyOf) > 0:
		var names []string
		for _, one := range s.AnyOf {
			names = append(names, typeOf(one))
		}
		return strings.Join(names, " or ")
	case len(s.Enum) > 0:
		return strings.Join(s.Enum, ", ")
	case s.Const != nil:
		return fmt.Sprint(s.Const)
	case s.Items != nil:
		return "list of " + typeOf(*s.Items)
	}
	var kind string
	switch t := s.Type.(type) {
	case string:
		kind = t
	case []any:
		var names []string
		for _, name := range t {
			names = append(names, fmt.Sprint(name))
		}
		kind = strings.Join(names, " or ")
	}
	kind = cmp.Or(s.Format, kind)
	if s.MaxLength > 0 {
		kind += fmt.Sprintf(", %d to %d characters", s.MinLength, s.MaxLength)
	}
	return kind
}

func indented(v any) (string, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	return string(text), err
}
