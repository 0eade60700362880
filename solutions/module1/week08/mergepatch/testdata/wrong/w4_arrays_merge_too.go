// Wrong: believes that an array in a patch adds to the array of the document.
// Caught by: TestApply_ArrayReplacesNotMerges

// Package mergepatch applies JSON Merge Patches (RFC 7396) to typed documents.
package mergepatch

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
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
	var zero, result T
	before, err := json.Marshal(doc)
	if err != nil {
		return zero, nil, fmt.Errorf("merge patch: encode the document: %w", err)
	}
	if !json.Valid(patch) {
		return zero, nil, &PatchError{Code: Syntax}
	}

	patch = bytes.TrimSpace(patch)
	m := merger{immutable}
	if m.touches("", patch) {
		return zero, nil, &PatchError{Code: Immutable}
	}
	merged, err := m.merge(reflect.TypeFor[T](), "", before, patch)
	if err != nil {
		return zero, nil, err
	}
	if err := json.Unmarshal(merged, &result); err != nil {
		return zero, nil, fmt.Errorf("merge patch: decode the document: %w", err) // the patch fits, so it is not that
	}
	if v, ok := any(&result).(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return zero, nil, err
		}
	}

	after, err := json.Marshal(result)
	if err != nil {
		return zero, nil, fmt.Errorf("merge patch: encode the result: %w", err)
	}
	changed = diff(nil, "", before, after)
	slices.Sort(changed)
	return result, changed, nil
}

type object = map[string]json.RawMessage

type merger struct{ immutable []string }

// merge returns target, which is JSON of a t at path, as changed by patch.
func (m merger) merge(t reflect.Type, path string, target, patch json.RawMessage) (json.RawMessage, error) {
	if !isObject(patch) {
		if err := fits(t, path, patch); err != nil || patch[0] != '[' || len(target) == 0 || target[0] != '[' {
			return patch, err
		}
		return json.Marshal(append(parse[[]json.RawMessage](target), parse[[]json.RawMessage](patch)...))
	}
	member, ok := membersOf(t)
	if !ok {
		return nil, &PatchError{path, TypeMismatch}
	}

	merged := make(object)
	if isObject(target) {
		merged = parse[object](target)
	}
	for key, value := range parse[object](patch) {
		at := join(path, key)
		typ, ok := member(key)
		switch {
		case !ok:
			return nil, &PatchError{at, UnknownField}
		case m.touches(at, value):
			return nil, &PatchError{at, Immutable}
		case isNull(value) && base(t).Kind() == reflect.Struct && !nullable(typ):
			return nil, &PatchError{at, Null}
		case isNull(value):
			delete(merged, key)
			continue
		}
		value, err := m.merge(typ, at, merged[key], value)
		if err != nil {
			return nil, err
		}
		merged[key] = value
	}

	raw, _ := json.Marshal(merged) // its parts are JSON already
	if decodesJSON(base(t)) {
		return raw, fits(t, path, raw)
	}
	return raw, nil
}

// touches reports whether value, put at path, changes an immutable member or
// replaces one further down. The members further up had their turn.
func (m merger) touches(path string, value json.RawMessage) bool {
	for _, fixed := range m.immutable {
		below := path == "" || strings.HasPrefix(fixed, path+".")
		if fixed == path || below && !isObject(value) {
			return true
		}
	}
	return false
}

// fits tells whether value, which replaces what is at path, is good for a t.
func fits(t reflect.Type, path string, value json.RawMessage) error {
	if isNull(value) {
		if !nullable(t) {
			return &PatchError{path, Null}
		}
		return nil
	}
	t = base(t)
	switch kind := t.Kind(); {
	case decodesJSON(t) || decodesText(t):
	case isObject(value) && (kind == reflect.Struct || kind == reflect.Map):
		member, _ := membersOf(t)
		for key, value := range parse[object](value) {
			typ, ok := member(key)
			if !ok {
				return &PatchError{join(path, key), UnknownField}
			}
			if err := fits(typ, join(path, key), value); err != nil {
				return err
			}
		}
		return nil
	case value[0] == '[' && kind == reflect.Slice:
		for i, value := range parse[[]json.RawMessage](value) {
			if err := fits(t.Elem(), fmt.Sprintf("%s[%d]", path, i), value); err != nil {
				return err
			}
		}
		return nil
	}
	if json.Unmarshal(value, reflect.New(t).Interface()) != nil {
		return &PatchError{path, TypeMismatch}
	}
	return nil
}

// membersOf returns a function that knows the types of the members of a t. It
// returns false if a t is no JSON object.
func membersOf(t reflect.Type) (member func(key string) (reflect.Type, bool), ok bool) {
	t = base(t)
	all := func(t reflect.Type) func(string) (reflect.Type, bool) {
		return func(string) (reflect.Type, bool) { return t, true }
	}
	switch {
	case decodesJSON(t):
		return all(reflect.TypeFor[json.RawMessage]()), true
	case decodesText(t):
		return nil, false
	case t.Kind() == reflect.Struct:
		fields := Fields(t)
		return func(key string) (reflect.Type, bool) { typ, ok := fields[key]; return typ, ok }, true
	case t.Kind() == reflect.Map:
		return all(t.Elem()), true
	case t.Kind() == reflect.Interface:
		return all(t), true
	default:
		return nil, false
	}
}

// diff appends the paths of what differs between two JSON values.
func diff(changed []string, path string, before, after json.RawMessage) []string {
	if bytes.Equal(before, after) {
		return changed
	}
	if !isObject(before) || !isObject(after) {
		return append(changed, path)
	}
	b, a := parse[object](before), parse[object](after)
	for key := range b {
		if _, ok := a[key]; !ok {
			changed = append(changed, join(path, key))
		}
	}
	for key, value := range a {
		if old, ok := b[key]; ok {
			changed = diff(changed, join(path, key), old, value)
		} else {
			changed = append(changed, join(path, key))
		}
	}
	return changed
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// parse decodes valid JSON that is known to be a T.
func parse[T any](data json.RawMessage) (v T) {
	_ = json.Unmarshal(data, &v)
	return v
}

func isObject(value json.RawMessage) bool { return bytes.HasPrefix(value, []byte("{")) }
func isNull(value json.RawMessage) bool   { return string(value) == "null" }

func base(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

func nullable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return true
	default:
		return false
	}
}

func decodesJSON(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
}

func decodesText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}
