// Package zerocopy reads logfmt, the format of router logs, without copying
// what it reads.
package zerocopy

import (
	"errors"
	"io"
)

// ErrLineTooLong is wrapped by [Scanner.Err] when a line has more bytes than
// the limit of the scanner.
var ErrLineTooLong = errors.New("logfmt: line too long")

// Pair is one field of a line. Key and Value are borrowed from the scanner:
// they are for reading, until the next call of [Scanner.Next]. A key without
// "=" has a nil Value, a key with nothing behind the "=" an empty one.
type Pair struct{ Key, Value []byte }

// Retain returns copies of the key and the value that may be kept.
func (p Pair) Retain() (key, value string) { return "", "" }

// Scanner reads logfmt lines one by one. Create it with [NewScanner]. It is not
// safe for concurrent use.
type Scanner struct{}

// NewScanner returns a scanner that reads lines of at most maxLine bytes from
// r. The line end does not count. A negative maxLine counts as 0.
func NewScanner(r io.Reader, maxLine int) *Scanner { return &Scanner{} }

// Next advances to the next line that has a pair and reports whether there is
// one. It invalidates the pairs of the line before. It reads only when it holds
// no complete line. After it has returned false it always returns false.
func (s *Scanner) Next() bool { return false }

// Pairs returns the pairs of the current line in the order of the line. The
// slice and the bytes are valid until the next call of [Scanner.Next]. It is
// empty before the first call and after one that returned false.
func (s *Scanner) Pairs() []Pair { return nil }

// Line returns the number of the current line. The first line of the input is
// 1, lines without pairs count. It is 0 before the first call of [Scanner.Next],
// the number of the last line at the end of the input, and after an error the
// number of the line that could not be read.
func (s *Scanner) Line() int { return 0 }

// Err returns the first error: what the reader returned, unless that was
// [io.EOF], [io.ErrNoProgress] for a reader that gives neither bytes nor an
// error, or an error that wraps [ErrLineTooLong] and names the line.
func (s *Scanner) Err() error { return errors.ErrUnsupported }
