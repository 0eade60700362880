package domain

import (
	"errors"
	"fmt"
)

// ErrBadID means that a text is not the id of a task, or that a time has no
// place in an id. Functions wrap it, so ask with [errors.Is].
var ErrBadID = errors.New("bad task id")

// FieldError means that one field of a task breaks a rule. Functions return it
// as a *FieldError, so ask with [errors.AsType].
type FieldError struct {
	Field string // as the API spells it, such as title or labels[3]
	Code  Code
}

// Error returns the field and the code. The text for people is made by the
// layer that knows their language.
func (e *FieldError) Error() string {
	return fmt.Sprintf("invalid %s: %s", e.Field, e.Code)
}

// Code says what is wrong with a field. Clients program against codes, so a
// code never changes its meaning.
type Code string

// The codes of a [FieldError].
const (
	CodeRequired      Code = "required"       // empty or missing
	CodeTooLong       Code = "too_long"       // more runes than the limit
	CodeTooMany       Code = "too_many"       // more elements than the limit
	CodeBadCharacters Code = "bad_characters" // control characters or invalid UTF-8
	CodeBadFormat     Code = "bad_format"     // does not match the pattern of the field
	CodeUnknownValue  Code = "unknown_value"  // not one of the listed values
	CodeTooEarly      Code = "too_early"      // a time before the earliest one allowed
	CodeTooLate       Code = "too_late"       // a time after the latest one allowed
	CodeUnexpected    Code = "unexpected"     // set, where the rest of the task says it is not
	CodeOutOfRange    Code = "out_of_range"   // a number outside its limits
)

// TransitionError means that the status machine has no arrow between two
// statuses. Functions return it as a *TransitionError, so ask with
// [errors.AsType].
type TransitionError struct{ From, To Status }

// Error returns both statuses by name.
func (e *TransitionError) Error() string {
	return fmt.Sprintf("a task cannot go from %v to %v", e.From, e.To)
}
