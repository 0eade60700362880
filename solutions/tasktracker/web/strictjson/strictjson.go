//course:since m04a

// Package strictjson decodes the JSON body of a request, and says exactly
// where a body is wrong that is not what the handler asked for.
package strictjson

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"unicode/utf8"
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

var messages = map[string]string{
	Syntax:       "not valid JSON",
	TrailingData: "data after the JSON value",
	TooDeep:      "nested too deeply",
	InvalidUTF8:  "text is not UTF-8",
	DuplicateKey: "key appears twice",
	UnknownField: "unknown field",
	Null:         "must not be null",
	TypeMismatch: "wrong type of value",
	OutOfRange:   "number out of range",
	InvalidValue: "not a valid value",
}

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
func (p *Problem) Error() string {
	where := fmt.Sprintf("line %d, column %d: ", p.Line, p.Col)
	if p.Path != "" {
		where += p.Path + ": "
	}
	return where + p.Message
}

// Limits bounds the work for one body. The zero Limits are the defaults.
type Limits struct {
	Bytes int64 // the largest body; 0 or less means 1 MiB
	Depth int   // nested arrays and objects; 0 or less means 32, and more than 10000 means 10000
}

func (l Limits) withDefaults() Limits {
	if l.Bytes <= 0 {
		l.Bytes = 1 << 20
	}
	if l.Depth <= 0 {
		l.Depth = 32
	}
	l.Bytes = min(l.Bytes, math.MaxInt64-1) // Bytes+1 must not overflow
	l.Depth = min(l.Depth, 10_000)          // package json goes no deeper
	return l
}

const space = " \t\r\n"

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
	lim = lim.withDefaults()
	var value, zero T

	body, err := io.ReadAll(io.LimitReader(r, lim.Bytes+1))
	switch {
	case int64(len(body)) > lim.Bytes:
		return zero, ErrTooLarge
	case err != nil:
		return zero, fmt.Errorf("read body: %w", err)
	case len(bytes.Trim(body, space)) == 0:
		return zero, ErrEmpty
	}

	if p := checkSyntax(body, lim.Depth); p != nil {
		return zero, p
	}
	if p := check(body, reflect.TypeFor[T](), false); p != nil {
		return zero, p
	}
	if json.Unmarshal(body, &value) != nil {
		if p := check(body, reflect.TypeFor[T](), true); p != nil {
			return zero, p
		}
		return zero, problemAt(body, 0, "", TypeMismatch)
	}
	return value, nil
}

func problemAt(body []byte, at int, path, code string) *Problem {
	before := body[:at]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return &Problem{
		Path:    path,
		Code:    code,
		Message: messages[code],
		Line:    bytes.Count(before, []byte("\n")) + 1,
		Col:     utf8.RuneCount(line) + 1,
	}
}

// checkSyntax finds what is wrong with a body whatever the type.
func checkSyntax(body []byte, maxDepth int) *Problem {
	if at := tooDeep(body, maxDepth); at >= 0 {
		return problemAt(body, at, "", TooDeep)
	}
	if json.Valid(body) {
		return nil
	}

	dec := json.NewDecoder(bytes.NewReader(body))
	var value json.RawMessage
	if err := dec.Decode(&value); err != nil {
		at := len(body) // cut off, unless it says otherwise
		if e, ok := errors.AsType[*json.SyntaxError](err); ok {
			at = int(e.Offset) - 1
		}
		return problemAt(body, at, "", Syntax)
	}
	rest := bytes.TrimLeft(body[dec.InputOffset():], space)
	return problemAt(body, len(body)-len(rest), "", TrailingData)
}

// tooDeep returns the offset of the first bracket with more than limit open
// ones, itself included, or -1.
func tooDeep(body []byte, limit int) int {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return i
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return -1
}

// checker walks through a body next to the type that it is meant for. The body
// is valid JSON, so the walk needs no care for syntax.
type checker struct {
	body   []byte
	text   string // body again: substrings cost nothing
	pos    int
	path   []step
	decode bool // also decode every value on its own
}

// step is an index, or a key if index is noIndex.
type step struct {
	key   string
	index int
}

const noIndex = -1

// check returns the first problem of body as a t, if it has one. The values
// themselves are only tried if decode is set: that is slow, and only good for
// finding the one that made json.Unmarshal fail.
func check(body []byte, t reflect.Type, decode bool) *Problem {
	c := checker{body: body, text: string(body), decode: decode}
	return c.value(t)
}

func (c *checker) value(t reflect.Type) *Problem {
	c.skip(space)
	start := c.pos
	if c.body[start] == 'n' && !nullable(t) {
		return c.problem(start, Null)
	}

	base := t
	for base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	switch c.body[start] {
	case '{':
		return c.object(base)
	case '[':
		return c.array(base)
	case '"':
		if !utf8.ValidString(c.quoted()) {
			return c.problem(start, InvalidUTF8)
		}
	default:
		for c.pos < len(c.body) && strings.IndexByte(",]}"+space, c.body[c.pos]) < 0 {
			c.pos++
		}
	}
	return c.try(base, start)
}

func (c *checker) object(t reflect.Type) *Problem {
	start := c.pos
	var fields map[string]reflect.Type
	var elem reflect.Type
	switch {
	case decodesJSON(t):
		elem = opaque
	case decodesText(t):
		return c.problem(start, TypeMismatch)
	case t.Kind() == reflect.Struct:
		fields = fieldsOf(t)
	case t.Kind() == reflect.Map:
		elem = t.Elem()
	case t.Kind() == reflect.Interface:
		elem = t
	default:
		return c.problem(start, TypeMismatch)
	}

	seen := make(map[string]struct{})
	for c.next('}') {
		at := c.pos
		key := c.quoted()
		if !utf8.ValidString(key) {
			return c.problem(at, InvalidUTF8)
		}
		key = unquote(key)

		c.path = append(c.path, step{key: key, index: noIndex})
		if _, twice := seen[key]; twice {
			return c.problem(at, DuplicateKey)
		}
		seen[key] = struct{}{}
		member := elem
		if fields != nil {
			if member = fields[key]; member == nil {
				return c.problem(at, UnknownField)
			}
		}
		c.skip(space + ":")
		if p := c.value(member); p != nil {
			return p
		}
		c.path = c.path[:len(c.path)-1]
	}
	return c.try(t, start)
}

func (c *checker) array(t reflect.Type) *Problem {
	start := c.pos
	elem := t
	switch {
	case decodesJSON(t):
		elem = opaque
	case decodesText(t):
		return c.problem(start, TypeMismatch)
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		elem = t.Elem()
	case t.Kind() != reflect.Interface:
		return c.problem(start, TypeMismatch)
	}

	for i := 0; c.next(']'); i++ {
		c.path = append(c.path, step{index: i})
		if p := c.value(elem); p != nil {
			return p
		}
		c.path = c.path[:len(c.path)-1]
	}
	return c.try(t, start)
}

// try decodes the value between start and pos, if it is time for that. In
// objects and arrays only a type that decodes itself has anything to say: their
// members had their turn.
func (c *checker) try(t reflect.Type, start int) *Problem {
	container := c.body[start] == '{' || c.body[start] == '['
	if !c.decode || container && !decodesJSON(t) {
		return nil
	}
	err := json.Unmarshal(c.body[start:c.pos], reflect.New(t).Interface())
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case !ok || decodesJSON(t):
		return c.problem(start, InvalidValue)
	case strings.HasPrefix(e.Value, "number "): // followed by the number that does not fit
		return c.problem(start, OutOfRange)
	default:
		return c.problem(start, TypeMismatch)
	}
}

func (c *checker) problem(at int, code string) *Problem {
	var path strings.Builder
	for _, s := range c.path {
		switch {
		case s.index != noIndex:
			fmt.Fprintf(&path, "[%d]", s.index)
		case path.Len() > 0:
			path.WriteString("." + s.key)
		default:
			path.WriteString(s.key)
		}
	}
	return problemAt(c.body, at, path.String(), code)
}

func (c *checker) skip(chars string) {
	for c.pos < len(c.body) && strings.IndexByte(chars, c.body[c.pos]) >= 0 {
		c.pos++
	}
}

// next goes to the next member of an object or array, from its bracket or from
// the end of the member before. At the closing bracket it goes past it and
// returns false.
func (c *checker) next(closing byte) bool {
	if c.body[c.pos] == '{' || c.body[c.pos] == '[' {
		c.pos++
	}
	c.skip(space + ",")
	if c.body[c.pos] == closing {
		c.pos++
		return false
	}
	return true
}

// quoted goes past a string and returns it with its quotes.
func (c *checker) quoted() string {
	start := c.pos
	for c.pos++; c.body[c.pos] != '"'; c.pos++ {
		if c.body[c.pos] == '\\' {
			c.pos++
		}
	}
	c.pos++
	return c.text[start:c.pos]
}

func unquote(quoted string) string {
	if !strings.Contains(quoted, `\`) {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	_ = json.Unmarshal([]byte(quoted), &s) // valid, as the whole body is
	return s
}

// opaque is the type of what a json.Unmarshaler reads: anything may stand there.
var opaque = reflect.TypeFor[json.RawMessage]()

func decodesJSON(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
}

func decodesText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func nullable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return true
	default:
		return false
	}
}
