// Package accesslog parses the access logs of Apache, nginx and the task
// tracker, one line at a time and without copying.
package accesslog

import (
	"errors"
	"net/netip"
	"time"
)

// Dialect is the format of a log.
type Dialect uint8

// The dialects. Apache and Nginx are the combined format as these servers write
// it. TaskTracker is combined with Apache's escapes, followed by the duration in
// seconds and the quoted request id.
const (
	Apache Dialect = iota
	Nginx
	TaskTracker
)

// Entry is one line of a log. The byte slices are windows on the line: they are
// for reading, and valid as long as the line is not changed. They hold what
// stands in the log, see [Unescape]. A slice is nil if the log has "-", and
// empty if the log has nothing between two quotes.
type Entry struct {
	Host, Ident, User     []byte
	Addr                  netip.Addr // Host as an address, or the zero Addr
	Time                  time.Time  // in UTC
	Method, Target, Proto []byte     // Target is the whole request if it is none of HTTP
	Status                int
	Bytes                 int64 // of the body; 0 if the log has "-"
	Referer, UserAgent    []byte
	RequestID             []byte        // TaskTracker only
	Duration              time.Duration // TaskTracker only
}

// ParseError says which field of a line is broken, and where it begins.
type ParseError struct {
	Field  string
	Offset int   // from the start of the line, in bytes
	Err    error // what is wrong with the field; never nil
}

// Error names the field, the offset and the cause.
func (e *ParseError) Error() string { return "" }

// Unwrap returns e.Err.
func (e *ParseError) Unwrap() error { return nil }

// Parse sets every field of e from line, which has no line end. If line is not
// a complete line of dialect d, it returns a [*ParseError] for the leftmost
// broken field, and *e is the zero Entry. Parse may be called from several
// goroutines at once, with an e of their own.
func Parse(line []byte, d Dialect, e *Entry) error {
	return errors.ErrUnsupported
}

// Unescape appends field to dst with the escapes of dialect d undone, and
// returns the extended slice. A backslash that begins no escape of d stays. dst
// may be field[:0]; this overwrites the line.
func Unescape(dst, field []byte, d Dialect) []byte {
	return dst
}
