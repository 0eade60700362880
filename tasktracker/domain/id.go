package domain

import (
	"errors"
	"io"
	"time"
)

// TaskID identifies a task: "tsk_" and a ULID in lower case. The text of a ULID
// sorts by the millisecond in which it was made.
type TaskID string

// UserID identifies a user: 1 to 64 visible ASCII characters. The empty UserID
// is nobody.
type UserID string

// ProjectID identifies a project: 1 to 64 visible ASCII characters. The empty
// ProjectID is no project.
type ProjectID string

// NewTaskID returns the id of a task made at the given time: 48 bits of
// milliseconds since 1970 and 80 bits, which are 10 bytes, from entropy.
//
// It returns [ErrBadID] for a time whose milliseconds do not fit, before 1970
// or after August 10889. If entropy cannot give 10 bytes, it wraps the error of
// entropy. It is as safe for concurrent use as entropy is.
func NewTaskID(at time.Time, entropy io.Reader) (TaskID, error) {
	return "", errors.ErrUnsupported
}

// ParseTaskID returns s as an id, or [ErrBadID] if s is not exactly as
// [NewTaskID] writes it. An id has one spelling: capitals are refused, as are
// spaces and the letters that Crockford's base32 leaves out.
func ParseTaskID(s string) (TaskID, error) {
	return "", errors.ErrUnsupported
}
