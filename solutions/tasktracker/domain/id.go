package domain

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

const (
	taskPrefix = "tsk_"
	ulidLength = 26
	// Crockford's base32: no i, l, o or u, and in the order of ASCII.
	ulidDigits = "0123456789abcdefghjkmnpqrstvwxyz"

	maxForeignID = 64
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
	ulid, err := newULID(at, entropy)
	if err != nil {
		return "", err
	}
	return TaskID(taskPrefix + ulid), nil
}

func newULID(at time.Time, entropy io.Reader) (string, error) {
	ms := at.UnixMilli()
	if ms < 0 || ms >= 1<<48 {
		return "", fmt.Errorf("%w: no ULID for the time %v", ErrBadID, at)
	}
	var id [16]byte
	binary.BigEndian.PutUint64(id[:], uint64(ms)<<16)
	if _, err := io.ReadFull(entropy, id[6:]); err != nil {
		return "", fmt.Errorf("entropy for an id: %w", err)
	}
	return encodeULID(id), nil
}

func encodeULID(id [16]byte) string {
	hi, lo := binary.BigEndian.Uint64(id[:]), binary.BigEndian.Uint64(id[8:])
	var text [ulidLength]byte
	for i := range slices.Backward(text[:]) {
		text[i] = ulidDigits[lo%32]
		hi, lo = hi>>5, hi<<59|lo>>5
	}
	return string(text[:])
}

// ParseTaskID returns s as an id, or [ErrBadID] if s is not exactly as
// [NewTaskID] writes it. An id has one spelling: capitals are refused, as are
// spaces and the letters that Crockford's base32 leaves out.
func ParseTaskID(s string) (TaskID, error) {
	ulid, ok := strings.CutPrefix(s, taskPrefix)
	// 26 digits hold 130 bits; a first digit above 7 would need more than 128.
	if !ok || len(ulid) != ulidLength || ulid[0] > '7' || strings.Trim(ulid, ulidDigits) != "" {
		return "", fmt.Errorf("%w: %.40q", ErrBadID, s)
	}
	return TaskID(s), nil
}

// checkForeignID checks the id of something that is not a task. What such an id
// looks like inside is the business of those who make it.
func checkForeignID(field, id string) error {
	invisible := func(r rune) bool { return r <= ' ' || r > '~' }
	if len(id) > maxForeignID || strings.ContainsFunc(id, invisible) {
		return &FieldError{Field: field, Code: CodeBadFormat}
	}
	return nil
}

// CheckUserID returns a [FieldError] on owner_id unless id is 1 to 64 visible
// ASCII characters.
func CheckUserID(id UserID) error {
	if id == "" {
		return &FieldError{Field: "owner_id", Code: CodeRequired}
	}
	return checkForeignID("owner_id", string(id))
}
