//course:since m01b

package accesslog

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Parse returns the entry of a line, which has no line end. If line is not a
// complete line of the log, it returns a [*ParseError] for the leftmost broken
// field.
func Parse(line string) (Entry, error) {
	c := cursor{line: line}
	var e Entry
	e.Addr, _ = netip.ParseAddr(c.word("host"))
	c.word("ident")
	e.User = plain(c.word("user"))
	e.Time = c.time()
	e.Method, e.Target, e.Proto = splitRequest(c.quoted("request"))
	e.Status = c.status()
	e.Bytes = c.bytes()
	e.Referer = plain(c.quoted("referer"))
	e.UserAgent = plain(c.quoted("user agent"))
	e.Duration = c.duration()
	e.RequestID = plain(c.quoted("request id"))
	if err := c.end(); err != nil {
		return Entry{}, err
	}
	return e, nil
}

// cursor cuts a line into fields from left to right. The first broken field
// stops it: from then on all fields are empty.
type cursor struct {
	line  string
	field string
	start int // of field
	pos   int // behind what is read
	err   error
}

func (c *cursor) fail(reason string) {
	if c.err == nil {
		c.err = &ParseError{Field: c.field, Offset: c.start, Err: errors.New(reason)}
	}
}

// next begins a field and returns the line from there, nothing if the space in
// front is missing.
func (c *cursor) next(field string) string {
	if c.err != nil {
		return ""
	}
	c.field, c.start = field, c.pos
	if c.pos > 0 {
		if c.pos == len(c.line) || c.line[c.pos] != ' ' {
			return ""
		}
		c.pos++
		c.start = c.pos
	}
	return c.line[c.pos:]
}

func (c *cursor) word(field string) string {
	word, _, _ := strings.Cut(c.next(field), " ")
	if word == "" {
		c.fail("missing")
	}
	c.pos += len(word)
	return word
}

func (c *cursor) quoted(field string) string {
	rest := c.next(field)
	if !strings.HasPrefix(rest, `"`) {
		c.fail("no opening quote")
		return ""
	}
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			c.pos += i + 1
			return rest[1:i]
		}
	}
	c.fail("no closing quote")
	return ""
}

func (c *cursor) time() time.Time {
	rest := c.next("time")
	text := rest[:min(len(rest), len(timeLayout))]
	t, err := time.Parse(timeLayout, text)
	if err != nil || t.Format(timeLayout) != text { // Parse takes "nov" and "02.5" too
		c.fail("no time of the form " + timeLayout)
	}
	c.pos += len(text)
	return t.UTC()
}

func (c *cursor) status() int {
	word := c.word("status")
	n, ok := digits(word, 3)
	if !ok || len(word) != 3 {
		c.fail("not three digits")
	}
	return int(n)
}

func (c *cursor) bytes() int64 {
	word := c.word("bytes")
	n, ok := digits(word, 18)
	if !ok && word != "-" {
		c.fail(`neither "-" nor 1 to 18 digits`)
	}
	return n
}

func (c *cursor) duration() time.Duration {
	whole, fraction, point := strings.Cut(c.word("duration"), ".")
	seconds, ok := digits(whole, 9)
	nanos, fractionOK := digits((fraction + "000000000")[:max(len(fraction), 9)], 9)
	if !ok || point && (fraction == "" || !fractionOK) {
		c.fail("not seconds with at most nine digits on each side of the point")
	}
	return time.Duration(seconds)*time.Second + time.Duration(nanos)
}

func (c *cursor) end() error {
	c.field, c.start = "line end", c.pos
	if c.pos < len(c.line) {
		c.fail("more than a line has")
	}
	return c.err
}

// digits returns the number that s is, if it has 1 to most digits and nothing
// else.
func digits(s string, most int) (int64, bool) {
	if s == "" || len(s) > most || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// splitRequest cuts a request line. What is not HTTP goes into target.
func splitRequest(s string) (method, target, proto string) {
	first, last := strings.IndexByte(s, ' '), strings.LastIndexByte(s, ' ')
	if last <= first+1 || !isMethod(s[:first]) || !isProto(s[last+1:]) {
		return "", plain(s), ""
	}
	return s[:first], unescape(s[first+1 : last]), s[last+1:]
}

func isMethod(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == ""
}

func isProto(s string) bool {
	return len(s) == len("HTTP/1.1") && strings.HasPrefix(s, "HTTP/") && s[6] == '.' && strings.Trim(s[5:6]+s[7:], "0123456789") == ""
}

// plain returns what a field stands for: nothing if it is "-".
func plain(s string) string {
	if s == "-" {
		return ""
	}
	return unescape(s)
}

func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for s != "" {
		ch, n := firstByte(s)
		b.WriteByte(ch)
		s = s[n:]
	}
	return b.String()
}

// firstByte returns the byte that s begins with and how many bytes of s say so.
func firstByte(s string) (ch byte, n int) {
	if s[0] != '\\' || len(s) == 1 {
		return s[0], 1
	}
	switch s[1] {
	case '"', '\\':
		return s[1], 2
	case 'b':
		return '\b', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'v':
		return '\v', 2
	case 'x':
		if len(s) >= 4 {
			if v, err := strconv.ParseUint(s[2:4], 16, 8); err == nil {
				return byte(v), 4
			}
		}
	}
	return '\\', 1
}
