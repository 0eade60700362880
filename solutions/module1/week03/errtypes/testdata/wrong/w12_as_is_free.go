// Wrong: believes that a variable for errors.As costs nothing.
// Caught by: TestKindOf_NoAlloc

// Package errtypes is the error vocabulary of a service: what went wrong, where,
// what the client may read about it, and whether another attempt makes sense.
package errtypes

import (
	"context"
	"errors"
	"slices"
)

// Kind classifies an error by what the service does about it. A Kind is one of
// the nine constants.
type Kind uint8

// Internal is the zero Kind: nobody has classified the error.
const (
	Internal Kind = iota
	Invalid
	NotFound
	Conflict
	Unauthenticated
	Forbidden
	Timeout
	Unavailable
	Canceled
)

// String returns the name of k, which is also its default public message.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid request"
	case NotFound:
		return "not found"
	case Conflict:
		return "conflict"
	case Unauthenticated:
		return "unauthenticated"
	case Forbidden:
		return "forbidden"
	case Timeout:
		return "timeout"
	case Unavailable:
		return "unavailable"
	case Canceled:
		return "canceled"
	default:
		return "internal error"
	}
}

// severity lists the kinds from harmless to worst. Canceled is harmless because
// it is mostly the echo of another failure: one worker fails, its siblings are
// canceled.
var severity = [...]Kind{
	Canceled, Invalid, NotFound, Conflict, Forbidden, Unauthenticated, Timeout, Unavailable, Internal,
}

func (k Kind) severity() int { return slices.Index(severity[:], k) }

// Error is one step of an operation that failed. Do not change an Error once it
// was returned; then it is safe for concurrent use.
type Error struct {
	Op     string // the operation, as in "repo.Insert"; may be empty
	Kind   Kind   // Internal leaves the classification to Err
	Public string // what a client may read; may be empty
	Err    error  // the cause; may be nil
}

// Error returns Op and the text of Err, separated by ": ". Without an Err the
// name of Kind stands in for its text, without an Op the separator goes too.
// Public is not part of the text.
func (e *Error) Error() string {
	text := e.Kind.String()
	if e.Err != nil {
		text = e.Err.Error()
	}
	if e.Op == "" {
		return text
	}
	return e.Op + ": " + text
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an *Error in which only Kind is set, to the Kind
// of e. It looks at e alone and not at what e wraps. Internal matches nothing.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && t.Kind != Internal &&
		t.Op == "" && t.Public == "" && t.Err == nil
}

// E wraps err in an [*Error] with op and kind. If err is nil, it returns nil.
// Kind Internal adds op and leaves the classification to err.
func E(op string, kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Kind: kind, Err: err}
}

// WithPublic wraps err so that its public message is msg. Text and kind stay
// those of err. If err is nil, it returns nil; if msg is empty, it returns err.
func WithPublic(err error, msg string) error {
	if err == nil || msg == "" {
		return err
	}
	return &Error{Public: msg, Err: err}
}

// KindOf asks err, then what it wraps, from the outside in, and returns the
// first answer other than Internal. The answer of an [*Error] is its Kind, of a
// [*ValidationError] Invalid, of context.Canceled Canceled, and of
// context.DeadlineExceeded and everything whose method Timeout() bool returns
// true Timeout. An error that wraps several has the worst kind among them. If
// nobody answers, and for nil, the kind is Internal.
//
// From worst to harmless: Internal, Unavailable, Timeout, Unauthenticated,
// Forbidden, Conflict, NotFound, Invalid, Canceled.
func KindOf(err error) Kind {
	for err != nil {
		if kind := answer(err); kind != Internal {
			return kind
		}
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			_, kind := worst(many.Unwrap())
			return kind
		}
		err = errors.Unwrap(err)
	}
	return Internal
}

// answer is what err itself says about its kind.
func answer(err error) Kind {
	var network interface {
		error
		Timeout() bool
	}
	switch e := err.(type) {
	case *Error:
		return e.Kind
	case *ValidationError:
		return Invalid
	case interface{ Unwrap() []error }:
		return Internal
	}
	if _, self := err.(interface{ Timeout() bool }); self && errors.As(err, &network) && network.Timeout() || is(err, context.DeadlineExceeded) {
		return Timeout
	}
	if is(err, context.Canceled) {
		return Canceled
	}
	return Internal
}

// is is errors.Is for err alone, without what it wraps. The type of target must
// be comparable.
func is(err, target error) bool {
	x, ok := err.(interface{ Is(error) bool })
	return err == target || ok && x.Is(target)
}

// worst returns the first error of the worst kind, and that kind.
func worst(errs []error) (err error, kind Kind) {
	for _, e := range errs {
		if e == nil {
			continue
		}
		if k := KindOf(e); err == nil || k.severity() > kind.severity() {
			err, kind = e, k
		}
	}
	return err, kind
}

// PublicMessage returns what a client may read about err: the outermost Public
// that is not empty, otherwise the name of the kind of err. Of several wrapped
// errors only the first one of the worst kind is searched. No other text ever
// gets into the message. For nil it is empty.
func PublicMessage(err error) string {
	if err == nil {
		return ""
	}
	for e := err; e != nil; {
		if x, ok := e.(*Error); ok && x.Public != "" {
			return x.Public
		}
		if many, ok := e.(interface{ Unwrap() []error }); ok {
			e, _ = worst(many.Unwrap())
		} else {
			e = errors.Unwrap(e)
		}
	}
	return KindOf(err).String()
}

// Retryable reports whether the same call may succeed later: whether the kind
// of err is Timeout or Unavailable.
func Retryable(err error) bool {
	kind := KindOf(err)
	return kind == Timeout || kind == Unavailable
}

// FieldError says what is wrong with one field of a request. All of it is meant
// for the client.
type FieldError struct {
	Field   string // path in the request, as in "title"
	Code    string // for programs, as in "required"
	Message string // for people, as in "must not be empty"
}

// ValidationError rejects a request because of its fields.
type ValidationError struct{ Fields []FieldError }

// Error returns "invalid request: title: must not be empty; due: must be a date".
// Without fields it returns "invalid request".
func (v *ValidationError) Error() string {
	text, sep := Invalid.String(), ": "
	for _, f := range v.Fields {
		text += sep + f.Field + ": " + f.Message
		sep = "; "
	}
	return text
}

// FieldErrors returns the fields of every [*ValidationError] that err is or
// wraps, in the order of a depth-first walk, and equal ones once. The result
// belongs to the caller. It is nil if there are none.
func FieldErrors(err error) []FieldError { return appendFields(nil, err) }

func appendFields(all []FieldError, err error) []FieldError {
	switch e := err.(type) {
	case *ValidationError:
		for _, f := range e.Fields {
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	case interface{ Unwrap() error }:
		return appendFields(all, e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			all = appendFields(all, err)
		}
	}
	return all
}
