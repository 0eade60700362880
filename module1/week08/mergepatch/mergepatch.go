// Package mergepatch applies JSON Merge Patches (RFC 7396) to typed documents.
package mergepatch

import "errors"

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
func (e *PatchError) Error() string { return "" }

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
	return out, nil, errors.ErrUnsupported
}
