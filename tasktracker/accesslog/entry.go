// Package accesslog writes and reads the access log of the service: a line for
// each request, in which nothing that a client has sent can be mistaken for
// something that the service has written.
package accesslog

import (
	"fmt"
	"net/netip"
	"time"
)

// Entry is one request. A line of the log holds all of it, but keeps of Addr no
// zone, of Time no more than the second, and of Duration no more than the
// microsecond. Text that is not known is empty.
type Entry struct {
	Addr                  netip.Addr // of the client; zero: not known
	User                  string     // id of the user
	Time                  time.Time  // when the request began
	Method, Target, Proto string     // as they came; all three or none
	Status                int        // 000 to 999
	Bytes                 int64      // of the body that was sent; 0 or more
	Referer, UserAgent    string
	Duration              time.Duration
	RequestID             string
}

// ParseError says which field of a line is broken, and where it begins.
type ParseError struct {
	Field  string
	Offset int   // from the start of the line, in bytes
	Err    error // what is wrong with the field; never nil
}

// Error names the field, the offset and the cause.
func (e *ParseError) Error() string {
	return fmt.Sprintf("%s at offset %d: %v", e.Field, e.Offset, e.Err)
}

// Unwrap returns e.Err.
func (e *ParseError) Unwrap() error { return e.Err }
