// Package mergepatch applies JSON Merge Patches (RFC 7396) to typed documents.
package mergepatch

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// The codes of a PatchError.
const (
	Syntax       = "syntax"        // the patch is not one JSON value
	UnknownField = "unknown_field" // a key that the struct does not have, in this exact spelling
	Immutable    = "immutable"     // a member that no patch may touch
	Null         = "null"          // null where the Go type has no nil
	TypeMismatch = "type_mismatch" // a value that the Go type cannot hold
)

// PatchError says what is wrong with a patch. All of it is meant for the client
// that sent it.
type PatchError struct {
	Path string // as in "assignee.name"; empty for the patch as a whole
	Code string // one of the constants above
}

// Error returns "merge patch: assignee.name: null": path and code. Without a
// Path the text has no second part.
func (e *PatchError) Error() string {
	if e.Path == "" {
		return "merge patch: " + e.Code
	}
	return "merge patch: " + e.Path + ": " + e.Code
}

// Apply returns doc as changed by patch, and the sorted paths of what is
// different now. A null in the patch clears, an object merges, everything else
// replaces, and what the patch does not name stays. A patch must not touch the
// immutable paths, not even with an equal value.
//
// If T or *T has a method Validate() error, the result must pass it: its error
// comes back wrapped or as it is. What is wrong with the patch itself is a
// *PatchError. With an error, out is the zero T and changed is nil.
//
// The result shares no memory with doc or patch, and Apply changes neither, so
// several goroutines may patch one doc at once. The content of doc is its JSON:
// what json.Marshal does not show is zero in the result.
func Apply[T any](doc T, patch []byte, immutable ...string) (out T, changed []string, err error) {
	var zero T
	before, err := json.Marshal(doc)
	if err != nil {
		return zero, nil, fmt.Errorf("merge patch: document: %w", err)
	}
	if !json.Valid(patch) {
		return zero, nil, &PatchError{Code: Syntax}
	}
	m := merger{immutable: immutable}
	patch = bytes.TrimSpace(patch)
	if len(immutable) > 0 && !isObject(patch) {
		return zero, nil, &PatchError{Code: Immutable}
	}
	t := reflect.TypeFor[T]()
	var merged json.RawMessage
	if !isObject(patch) && isNull(patch) {
		if !nillable(t) {
			return zero, nil, &PatchError{Code: Null}
		}
		merged = patch
	} else if merged, err = m.merge(target{typ: t}, before, patch, location{root: true}); err != nil {
		return zero, nil, err
	}
	if err := json.Unmarshal(merged, &out); err != nil {
		return zero, nil, fmt.Errorf("merge patch: result: %w", err)
	}
	if v, ok := any(&out).(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return zero, nil, err
		}
	}
	after, err := json.Marshal(out)
	if err != nil {
		return zero, nil, fmt.Errorf("merge patch: result: %w", err)
	}
	changed = diff(nil, before, after, location{root: true})
	slices.Sort(changed)
	return out, slices.Compact(changed), nil
}

// location is a place in a document.
type location struct {
	path string
	root bool
}

func (l location) member(key string) location {
	if l.root {
		return location{path: key}
	}
	return location{path: l.path + "." + key}
}

func (l location) element(i int) location {
	return location{path: l.path + "[" + strconv.Itoa(i) + "]"}
}

func (l location) fault(code string) error { return &PatchError{Path: l.path, Code: code} }

// target is what a JSON value must fit. An opaque target takes every JSON.
type target struct {
	typ    reflect.Type
	opaque bool
}

var (
	rawType           = reflect.TypeFor[json.RawMessage]()
	unmarshalerType   = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshalType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

type shape int

const (
	shapeOpaque shape = iota
	shapeAny
	shapeCustom // UnmarshalJSON
	shapeStruct
	shapeMap
	shapeList
	shapeLeaf
)

// shape says how JSON gets into t, and follows pointers.
func (t target) shape() (shape, reflect.Type) {
	if t.opaque {
		return shapeOpaque, nil
	}
	typ := t.typ
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case typ == rawType:
		return shapeOpaque, typ
	case typ.Kind() == reflect.Interface:
		return shapeAny, typ
	case reflect.PointerTo(typ).Implements(unmarshalerType):
		return shapeCustom, typ
	case reflect.PointerTo(typ).Implements(textUnmarshalType):
		return shapeLeaf, typ
	}
	switch typ.Kind() {
	case reflect.Struct:
		return shapeStruct, typ
	case reflect.Map:
		return shapeMap, typ
	case reflect.Slice, reflect.Array:
		return shapeList, typ
	}
	return shapeLeaf, typ
}

func nillable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return true
	}
	return false
}

func isObject(raw []byte) bool { return len(raw) > 0 && raw[0] == '{' }
func isArray(raw []byte) bool  { return len(raw) > 0 && raw[0] == '[' }
func isNull(raw []byte) bool   { return string(raw) == "null" }

// members decodes an object, and the last of equal keys counts. It returns an
// empty map for everything else.
func members(raw []byte) map[string]json.RawMessage {
	all := make(map[string]json.RawMessage)
	if isObject(raw) {
		if err := json.Unmarshal(raw, &all); err != nil {
			panic(err) // raw is valid JSON
		}
	}
	return all
}

func encode(object map[string]json.RawMessage) (json.RawMessage, error) {
	return json.Marshal(object)
}

type merger struct{ immutable []string }

// merge returns doc as patched by an object, or otherwise the patch itself, if
// it fits t.
func (m *merger) merge(t target, doc, patch []byte, at location) (json.RawMessage, error) {
	if !isObject(patch) {
		return check(t, patch, at)
	}
	shape, typ := t.shape()
	if shape == shapeList || shape == shapeLeaf {
		return nil, at.fault(TypeMismatch)
	}
	merged := members(doc)
	changes := members(patch)
	for _, key := range slices.Sorted(maps.Keys(changes)) {
		value := changes[key]
		here := at.member(key)
		child := target{opaque: true}
		switch shape {
		case shapeAny:
			child = target{typ: typ}
		case shapeMap:
			child = target{typ: typ.Elem()}
		case shapeStruct:
			field, ok := Fields(typ)[key]
			if !ok {
				return nil, here.fault(UnknownField)
			}
			child = target{typ: field}
		}
		if m.touches(value, here) {
			return nil, here.fault(Immutable)
		}
		if !isNull(value) {
			var err error
			if merged[key], err = m.merge(child, merged[key], value, here); err != nil {
				return nil, err
			}
			continue
		}
		if shape == shapeStruct {
			if !nillable(child.typ) {
				return nil, here.fault(Null)
			}
			if child.typ.Kind() == reflect.Pointer || !reflect.PointerTo(child.typ).Implements(unmarshalerType) {
				merged[key] = value
				continue
			}
		}
		delete(merged, key)
	}
	raw, err := encode(merged)
	if err != nil {
		return nil, at.fault(TypeMismatch)
	}
	if shape == shapeCustom {
		return check(t, raw, at)
	}
	return raw, nil
}

// touches reports whether a patch that sets the member here to value touches an
// immutable path there or below, apart from what an object goes on to name.
func (m *merger) touches(value []byte, here location) bool {
	for _, path := range m.immutable {
		if path == here.path || !isObject(value) && strings.HasPrefix(path, here.path+".") {
			return true
		}
	}
	return false
}

// check returns raw, without keys that do not count, if t can hold it.
func check(t target, raw []byte, at location) (json.RawMessage, error) {
	shape, typ := t.shape()
	if shape == shapeOpaque {
		return raw, nil
	}
	if isNull(raw) {
		if !nillable(t.typ) {
			return nil, at.fault(Null)
		}
		if shape != shapeCustom || t.typ.Kind() == reflect.Pointer {
			return raw, nil
		}
	}
	switch {
	case shape == shapeStruct && isObject(raw), shape == shapeMap && isObject(raw), shape == shapeAny && isObject(raw):
		all := members(raw)
		for _, key := range slices.Sorted(maps.Keys(all)) {
			here := at.member(key)
			child := target{typ: typ}
			switch shape {
			case shapeMap:
				child = target{typ: typ.Elem()}
			case shapeStruct:
				field, ok := Fields(typ)[key]
				if !ok {
					return nil, here.fault(UnknownField)
				}
				child = target{typ: field}
			}
			var err error
			if all[key], err = check(child, all[key], here); err != nil {
				return nil, err
			}
		}
		out, err := encode(all)
		if err != nil {
			return nil, at.fault(TypeMismatch)
		}
		return out, nil
	case shape == shapeList && isArray(raw), shape == shapeAny && isArray(raw):
		var all []json.RawMessage
		if err := json.Unmarshal(raw, &all); err != nil {
			return nil, at.fault(TypeMismatch)
		}
		child := target{typ: typ}
		if shape == shapeList {
			child = target{typ: typ.Elem()}
		}
		for i := range all {
			var err error
			if all[i], err = check(child, all[i], at.element(i)); err != nil {
				return nil, err
			}
		}
		out, err := json.Marshal(all)
		if err != nil {
			return nil, at.fault(TypeMismatch)
		}
		return out, nil
	}
	if err := json.Unmarshal(raw, reflect.New(typ).Interface()); err != nil {
		return nil, at.fault(TypeMismatch)
	}
	return raw, nil
}

// diff appends the paths at which two outputs of json.Marshal differ.
func diff(paths []string, before, after []byte, at location) []string {
	if !isObject(before) || !isObject(after) {
		if !bytes.Equal(before, after) {
			paths = append(paths, at.path)
		}
		return paths
	}
	old, new := members(before), members(after)
	for key, value := range old {
		if _, ok := new[key]; ok {
			paths = diff(paths, value, new[key], at.member(key))
		} else {
			paths = append(paths, at.member(key).path)
		}
	}
	for key := range new {
		if _, ok := old[key]; !ok {
			paths = append(paths, at.member(key).path)
		}
	}
	return paths
}
