package contract

import (
	"errors"
	"fmt"
)

// CheckExamples checks every example of a body against the schema beside it, and
// returns how many there are.
func (c *Contract) CheckExamples() (n int, err error) {
	var broken []error
	c.walk(c.doc, "", func(object map[string]any, at pointer) {
		example, ok := object["example"]
		if _, hasSchema := object["schema"]; !ok || !hasSchema {
			return
		}
		n++
		if err := c.validate(at.to("schema"), example); err != nil {
			broken = append(broken, fmt.Errorf("example of %s: %w", at, err))
		}
	})
	return n, errors.Join(broken...)
}

func (c *Contract) walk(value any, at pointer, visit func(map[string]any, pointer)) {
	switch value := value.(type) {
	case map[string]any:
		visit(value, at)
		for key, member := range value {
			c.walk(member, at.to(key), visit)
		}
	case []any:
		for i, element := range value {
			c.walk(element, at.to(fmt.Sprint(i)), visit)
		}
	}
}
