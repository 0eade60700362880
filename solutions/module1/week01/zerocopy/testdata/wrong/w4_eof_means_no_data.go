// Wrong: believes that a Read that returns io.EOF returned no bytes.
// Caught by: TestScanner_DataWithEOF

// Package zerocopy reads logfmt, the format of router logs, without copying
// what it reads.
package zerocopy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// ErrLineTooLong is wrapped by [Scanner.Err] when a line has more bytes than
// the limit of the scanner.
var ErrLineTooLong = errors.New("logfmt: line too long")

// Pair is one field of a line. Key and Value are borrowed from the scanner:
// they are for reading, until the next call of [Scanner.Next]. A key without
// "=" has a nil Value, a key with nothing behind the "=" an empty one.
type Pair struct{ Key, Value []byte }

// Retain returns copies of the key and the value that may be kept.
func (p Pair) Retain() (key, value string) { return string(p.Key), string(p.Value) }

const (
	minBuffer     = 16 << 10
	maxEmptyReads = 100
)

// Scanner reads logfmt lines one by one. Create it with [NewScanner]. It is not
// safe for concurrent use.
type Scanner struct {
	r       io.Reader
	readErr error // what ended r
	maxLine int
	buf     []byte
	start   int // buf[start:] is read and not yet scanned
	pairs   []Pair
	scratch []byte // the unescaped values of the current line
	line    int
	err     error
}

// NewScanner returns a scanner that reads lines of at most maxLine bytes from
// r. The line end does not count. A negative maxLine counts as 0.
func NewScanner(r io.Reader, maxLine int) *Scanner {
	return &Scanner{r: r, maxLine: max(maxLine, 0)}
}

// Next advances to the next line that has a pair and reports whether there is
// one. It invalidates the pairs of the line before. It reads only when it holds
// no complete line. After it has returned false it always returns false.
func (s *Scanner) Next() bool {
	s.pairs, s.scratch = s.pairs[:0], s.scratch[:0]
	for len(s.pairs) == 0 {
		line, ok := s.readLine()
		if !ok {
			return false
		}
		s.cut(line)
	}
	return true
}

// Pairs returns the pairs of the current line in the order of the line. The
// slice and the bytes are valid until the next call of [Scanner.Next]. It is
// empty before the first call and after one that returned false.
func (s *Scanner) Pairs() []Pair { return s.pairs }

// Line returns the number of the current line. The first line of the input is
// 1, lines without pairs count. It is 0 before the first call of [Scanner.Next],
// the number of the last line at the end of the input, and after an error the
// number of the line that could not be read.
func (s *Scanner) Line() int { return s.line }

// Err returns the first error: what the reader returned, unless that was
// [io.EOF], [io.ErrNoProgress] for a reader that gives neither bytes nor an
// error, or an error that wraps [ErrLineTooLong] and names the line.
func (s *Scanner) Err() error { return s.err }

// readLine returns the next line without its end.
func (s *Scanner) readLine() (line []byte, ok bool) {
	searched := 0
	for s.err == nil {
		line = s.buf[s.start:]
		i := bytes.IndexByte(line[searched:], '\n')
		used := len(line)
		if i >= 0 {
			line = line[:searched+i]
			used = len(line) + 1
		}
		searched = len(line)

		line = bytes.TrimSuffix(line, []byte{'\r'})
		switch {
		case len(line) > s.maxLine:
			s.line++
			s.err = fmt.Errorf("line %d: %w", s.line, ErrLineTooLong)
		case i >= 0, s.readErr == io.EOF && used > 0:
			s.line++
			s.start += used
			return line, true
		case s.readErr == io.EOF:
			return nil, false
		case s.readErr != nil:
			s.line++
			s.err = s.readErr
		default:
			s.fill()
		}
	}
	return nil, false
}

// fill reads at least one byte behind buf[start:], or sets readErr.
func (s *Scanner) fill() {
	switch {
	case len(s.buf) < cap(s.buf): // there is room
	case s.start == 0: // the line is longer than the buffer
		s.buf = slices.Grow(s.buf, max(len(s.buf), minBuffer))
	default:
		s.buf = s.buf[:copy(s.buf, s.buf[s.start:])]
		s.start = 0
	}
	for range maxEmptyReads {
		n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.readErr = err
		if err != nil {
			return
		}
		s.buf = s.buf[:len(s.buf)+n]
		if n > 0 {
			return
		}
	}
	s.readErr = io.ErrNoProgress
}

// cut sets the pairs of line.
func (s *Scanner) cut(line []byte) {
	for {
		line = bytes.TrimLeft(line, " \t")
		if len(line) == 0 {
			return
		}
		var p Pair
		p.Key, line = cutBefore(line, " \t=")
		if rest, ok := bytes.CutPrefix(line, []byte{'='}); ok {
			p.Value, line = s.cutValue(rest)
		}
		s.pairs = append(s.pairs, p)
	}
}

func (s *Scanner) cutValue(b []byte) (value, rest []byte) {
	b, ok := bytes.CutPrefix(b, []byte{'"'})
	if !ok {
		return cutBefore(b, " \t")
	}
	value, rest = cutBefore(b, `"\`)
	if len(rest) > 0 && rest[0] == '\\' {
		value, rest = s.unescape(b)
	}
	return value, bytes.TrimPrefix(rest, []byte{'"'})
}

// unescape copies b up to its closing quote into scratch. Values of the same
// line that are there already stay where they are.
func (s *Scanner) unescape(b []byte) (value, rest []byte) {
	from, i := len(s.scratch), 0
	for ; i < len(b) && b[i] != '"'; i++ {
		if b[i] != '\\' || i+1 == len(b) {
			s.scratch = append(s.scratch, b[i])
			continue
		}
		i++
		switch b[i] {
		case '"', '\\':
			s.scratch = append(s.scratch, b[i])
		case 'n':
			s.scratch = append(s.scratch, '\n')
		case 'r':
			s.scratch = append(s.scratch, '\r')
		case 't':
			s.scratch = append(s.scratch, '\t')
		default:
			s.scratch = append(s.scratch, '\\', b[i])
		}
	}
	return s.scratch[from:], b[i:]
}

// cutBefore cuts b before the first of chars, or at its end.
func cutBefore(b []byte, chars string) (before, rest []byte) {
	i := bytes.IndexAny(b, chars)
	if i < 0 {
		i = len(b)
	}
	return b[:i], b[i:]
}
