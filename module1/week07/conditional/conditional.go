// Package conditional decides about conditional requests for resources that
// carry a version: who may write, and who has the newest copy already. It
// follows RFC 9110, section 13, as far as entity tags go.
package conditional

import (
	"errors"
	"net/http"
)

// ErrMalformed is the error for a list of entity tags that does not follow the
// grammar. Callers find it with errors.Is.
var ErrMalformed = errors.New("conditional: malformed list of entity tags")

// ETag is an entity tag. Opaque is what stands between the quotes, without any
// unescaping: a backslash is a character like others. Tags are compared by the
// methods StrongMatch and WeakMatch, not with ==.
type ETag struct {
	Opaque string
	Weak   bool
}

// String returns e as it stands in a header, such as "v7" or W/"v7", quotes
// included. It does not check Opaque.
func (e ETag) String() string { return "" }

// StrongMatch reports whether e and o are equal and neither is weak: the two
// representations are the same byte by byte.
func (e ETag) StrongMatch(o ETag) bool { return false }

// WeakMatch reports whether e and o have the same Opaque, weak or not: the two
// representations mean the same.
func (e ETag) WeakMatch(o ETag) bool { return false }

// ParseETags reads the value of an If-Match or If-None-Match header: a list of
// entity tags, or a single asterisk, for which any is true and tags is empty.
// Empty elements of the list are skipped, so a list may have no tag at all. For
// everything else the error is ErrMalformed, tags is empty and any is false.
func ParseETags(h string) (tags []ETag, any bool, err error) {
	return nil, false, errors.ErrUnsupported
}

// Decision is what to do with a request.
type Decision uint8

const (
	Proceed              Decision = iota // do what the method says
	NotModified                          // 304: the client has this representation
	PreconditionFailed                   // 412: the resource is not as the client expects
	PreconditionRequired                 // 428: the client has to say what it expects
	BadRequest                           // 400: a precondition that cannot be read
)

// Evaluate decides about r. current is the tag of the resource as it is now,
// and is ignored if the resource does not exist. With requireIfMatch, a request
// that would change an existing resource has to carry If-Match. Evaluate does
// not change r.
//
// The answer holds for the version that the caller looked at. The write has to
// name that version again, or another one can slip in between.
func Evaluate(r *http.Request, current ETag, exists bool, requireIfMatch bool) Decision {
	return Proceed
}

// Check evaluates r and reports whether the handler goes on. If not, it has
// answered: with the status of the decision, no content, and the headers that w
// had before, except those that describe content (Content-Type, Content-Length,
// Content-Encoding).
//
// For a GET or HEAD of an existing resource Check sets the header ETag when the
// handler goes on, and when it answers 304. In all other cases it leaves ETag
// alone.
func Check(w http.ResponseWriter, r *http.Request, current ETag, exists bool, requireIfMatch bool) bool {
	return false
}

// ForVersion returns the strong tag of version n of a resource: "v7" for 7.
func ForVersion(n uint64) ETag { return ETag{} }

// Version returns the n for which e is ForVersion(n), and whether there is one.
func Version(e ETag) (n uint64, ok bool) { return 0, false }
