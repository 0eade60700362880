package router

import (
	"fmt"
	"time"
)

// Kind classifies an error by how an HTTP API answers it.
type Kind uint8

// Internal is the zero Kind: nobody has classified the error.
const (
	Internal Kind = iota
	Malformed
	Unauthenticated
	Forbidden
	NotFound
	MethodNotAllowed
	Conflict
	PreconditionFailed
	TooLarge
	UnsupportedMedia
	Invalid
	PreconditionRequired
	RateLimited
	Unavailable
	Timeout
)

// Error is an error that knows its answer. The application makes them, and
// often wraps them once more on the way to the handler.
type Error struct {
	Kind       Kind
	Code       string        // for programs, as in "email_taken"; empty means the default of Kind
	Detail     string        // for people, and safe to send; may be empty
	Fields     []FieldError  // what is wrong with the fields of a request; may be empty
	RetryAfter time.Duration // when to try again; 0 means unknown
	Err        error         // the cause, for the log and nobody else; may be nil
}

// Error returns a text for the log.
func (e *Error) Error() string {
	return fmt.Sprintf("kind %d, code %q: %v", e.Kind, e.Code, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// FieldError says what is wrong with one field of a request.
type FieldError struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}
