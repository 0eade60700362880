// Package strictdecode decodes the JSON body of a request, and says exactly
// where a body is wrong that is not what the handler asked for.
package strictdecode

import (
	"errors"
	"io"
)

// The codes of a Problem.
const (
	Syntax       = "syntax"        // not JSON, or cut off
	TrailingData = "trailing_data" // something follows the value
	TooDeep      = "too_deep"      // more nested arrays and objects than Limits.Depth
	InvalidUTF8  = "invalid_utf8"  // a string that is not UTF-8
	DuplicateKey = "duplicate_key" // the same key twice in one object
	UnknownField = "unknown_field" // a key that the struct does not have, in this exact spelling
	Null         = "null"          // null where the Go type has no nil
	TypeMismatch = "type_mismatch" // a string for a number, an object for an array, and so on
	OutOfRange   = "out_of_range"  // a number that the Go type cannot hold
	InvalidValue = "invalid_value" // refused by the type's own UnmarshalJSON or UnmarshalText
)

// Errors about the body as a whole.
var (
	ErrTooLarge = errors.New("body too large")
	ErrEmpty    = errors.New("body is empty")
)

// Problem says what is wrong with a body, and where. All of it is meant for the
// client that sent it.
type Problem struct {
	Path    string // as in "items[2].sku"; empty for the body as a whole
	Code    string // one of the constants above, for programs
	Message string // for people; never empty, and without the names of Go types
	Line    int    // from 1
	Col     int    // from 1, in characters
}

// Error returns "line 3, column 14: items[2].nme: " and the message. Without a
// Path the text has no second part.
func (p *Problem) Error() string { return "" }

// Limits bounds the work for one body. The zero Limits are the defaults.
type Limits struct {
	Bytes int64 // the largest body; 0 or less means 1 MiB
	Depth int   // nested arrays and objects; 0 or less means 32, and more than 10000 means 10000
}

// Decode reads one JSON value from r to its end and decodes it into a T. It
// accepts less than package json does: it rejects unknown, repeated and
// misspelt keys, null for what cannot be nil, text that is not UTF-8, and
// everything but space after the value.
//
// It returns ErrTooLarge for a body larger than lim.Bytes, and takes at most
// lim.Bytes+1 bytes from r. It returns ErrEmpty for a body of nothing but space,
// an error that wraps the one of r if reading fails, and otherwise a *Problem.
// With an error the T is the zero value. Decode is safe for concurrent use.
func Decode[T any](r io.Reader, lim Limits) (T, error) {
	var zero T
	return zero, errors.ErrUnsupported
}
