// Wrong: believes that a matching If-None-Match is a 304 for every method.
// Caught by: TestEvaluate_IfNoneMatchOnGetAndPut

// Package conditional decides about conditional requests for resources that
// carry a version: who may write, and who has the newest copy already. It
// follows RFC 9110, section 13, as far as entity tags go.
package conditional

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
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
func (e ETag) String() string {
	if e.Weak {
		return `W/"` + e.Opaque + `"`
	}
	return `"` + e.Opaque + `"`
}

// StrongMatch reports whether e and o are equal and neither is weak: the two
// representations are the same byte by byte.
func (e ETag) StrongMatch(o ETag) bool { return !e.Weak && !o.Weak && e.Opaque == o.Opaque }

// WeakMatch reports whether e and o have the same Opaque, weak or not: the two
// representations mean the same.
func (e ETag) WeakMatch(o ETag) bool { return e.Opaque == o.Opaque }

const blanks = " \t"

// ParseETags reads the value of an If-Match or If-None-Match header: a list of
// entity tags, or a single asterisk, for which any is true and tags is empty.
// Empty elements of the list are skipped, so a list may have no tag at all. For
// everything else the error is ErrMalformed, tags is empty and any is false.
func ParseETags(h string) (tags []ETag, any bool, err error) {
	if strings.Trim(h, blanks) == "*" {
		return nil, true, nil
	}
	tags = make([]ETag, 0, min(strings.Count(h, ",")+1, 16)) // a client may send a megabyte of commas
	for rest := strings.TrimLeft(h, blanks+","); rest != ""; {
		var tag ETag
		if tag, rest, err = cutTag(rest); err != nil {
			return nil, false, err
		}
		tags = append(tags, tag)

		rest = strings.TrimLeft(rest, blanks)
		if rest != "" && rest[0] != ',' {
			return nil, false, fmt.Errorf("%w: no comma after a tag", ErrMalformed)
		}
		rest = strings.TrimLeft(rest, blanks+",")
	}
	return tags, false, nil
}

// cutTag reads the tag at the start of s and returns what follows it.
func cutTag(s string) (tag ETag, rest string, err error) {
	rest, weak := strings.CutPrefix(s, "W/")
	rest, quoted := strings.CutPrefix(rest, `"`)
	if !quoted {
		return ETag{}, "", fmt.Errorf("%w: no opening quote", ErrMalformed)
	}
	for i := range len(rest) {
		switch c := rest[i]; {
		case c == '"':
			return ETag{Opaque: rest[:i], Weak: weak}, rest[i+1:], nil
		case c <= ' ' || c == 0x7f:
			return ETag{}, "", fmt.Errorf("%w: byte %#x in a tag", ErrMalformed, c)
		}
	}
	return ETag{}, "", fmt.Errorf("%w: no closing quote", ErrMalformed)
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
	switch r.Method {
	case http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return Proceed
	}
	if reads(r) && !exists {
		return Proceed
	}

	ifMatch, err1 := read(r, "If-Match")
	ifNoneMatch, err2 := read(r, "If-None-Match")
	switch {
	case err1 != nil || err2 != nil:
		return BadRequest
	case ifMatch.present && !(exists && ifMatch.contains(current.StrongMatch)):
		return PreconditionFailed
	case exists && ifNoneMatch.contains(current.WeakMatch):
		return NotModified
	case requireIfMatch && !ifMatch.present && exists && !reads(r):
		return PreconditionRequired
	}
	return Proceed
}

func reads(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}

// condition is the content of one header.
type condition struct {
	present bool
	any     bool
	tags    []ETag
}

// read reads all lines of a header as one list.
func read(r *http.Request, header string) (c condition, err error) {
	lines := r.Header.Values(header)
	if len(lines) == 0 {
		return condition{}, nil
	}
	c.present = true
	c.tags, c.any, err = ParseETags(strings.Join(lines, ", "))
	return c, err
}

func (c condition) contains(match func(ETag) bool) bool {
	return c.any || slices.ContainsFunc(c.tags, match)
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
	decision := Evaluate(r, current, exists, requireIfMatch)
	header := w.Header()
	if exists && reads(r) && (decision == Proceed || decision == NotModified) {
		header.Set("ETag", current.String())
	}
	if decision == Proceed {
		return true
	}
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding"} {
		header.Del(name)
	}
	w.WriteHeader(decision.status())
	return false
}

func (d Decision) status() int {
	switch d {
	case NotModified:
		return http.StatusNotModified
	case PreconditionFailed:
		return http.StatusPreconditionFailed
	case PreconditionRequired:
		return http.StatusPreconditionRequired
	default:
		return http.StatusBadRequest
	}
}

// ForVersion returns the strong tag of version n of a resource: "v7" for 7.
func ForVersion(n uint64) ETag {
	return ETag{Opaque: "v" + strconv.FormatUint(n, 10)}
}

// Version returns the n for which e is ForVersion(n), and whether there is one.
func Version(e ETag) (n uint64, ok bool) {
	n, _ = strconv.ParseUint(strings.TrimPrefix(e.Opaque, "v"), 10, 64)
	if e != ForVersion(n) { // the round trip refuses what ParseUint does, and leading zeros too
		return 0, false
	}
	return n, true
}
