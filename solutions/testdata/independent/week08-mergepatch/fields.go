package mergepatch

import (
	"reflect"
	"strings"
	"sync"
)

var fieldsOf sync.Map // reflect.Type -> map[string]reflect.Type

// Fields returns the types of the fields that encoding/json knows in the struct
// type t, by their exact JSON names. Fields of embedded structs are among them.
// The map is shared: do not change it. Fields is safe for concurrent use.
func Fields(t reflect.Type) map[string]reflect.Type {
	if known, ok := fieldsOf.Load(t); ok {
		return known.(map[string]reflect.Type)
	}
	fields := make(map[string]reflect.Type)
	level := []reflect.Type{t}
	for seen := make(map[reflect.Type]bool); len(level) > 0; {
		level = addLevel(fields, level, seen)
	}
	known, _ := fieldsOf.LoadOrStore(t, fields)
	return known.(map[string]reflect.Type)
}

// addLevel adds the fields of the structs in level, unless a struct further out
// has the name, and returns the structs embedded in level.
func addLevel(fields map[string]reflect.Type, level []reflect.Type, seen map[reflect.Type]bool) (deeper []reflect.Type) {
	found := make(map[string]reflect.Type)
	for _, t := range level {
		if seen[t] {
			continue
		}
		seen[t] = true
		for f := range t.Fields() {
			tag := f.Tag.Get("json")
			name, _, _ := strings.Cut(tag, ",")
			if f.Anonymous && name == "" {
				embedded := f.Type
				if embedded.Kind() == reflect.Pointer {
					embedded = embedded.Elem()
				}
				if embedded.Kind() == reflect.Struct {
					deeper = append(deeper, embedded)
					continue
				}
			}
			if !f.IsExported() || tag == "-" {
				continue
			}
			if name == "" {
				name = f.Name
			}
			found[name] = f.Type
		}
	}
	for name, t := range found {
		if _, hidden := fields[name]; !hidden {
			fields[name] = t
		}
	}
	return deeper
}
