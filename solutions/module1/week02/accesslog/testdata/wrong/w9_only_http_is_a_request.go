// Wrong: believes that a request that is not HTTP makes the line a broken one.
// Caught by: TestParse_TLSBytesAsRequest

// Package accesslog parses the access logs of Apache, nginx and the task
// tracker, one line at a time and without copying.
package accesslog

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
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
func (e *ParseError) Error() string {
	return fmt.Sprintf("%s at offset %d: %v", e.Field, e.Offset, e.Err)
}

// Unwrap returns e.Err.
func (e *ParseError) Unwrap() error { return e.Err }

// Parse sets every field of e from line, which has no line end. If line is not
// a complete line of dialect d, it returns a [*ParseError] for the leftmost
// broken field, and *e is the zero Entry. Parse may be called from several
// goroutines at once, with an e of their own.
func Parse(line []byte, d Dialect, e *Entry) error {
	*e = Entry{}
	c := cursor{line: line, backslash: d != Nginx}
	e.Host = c.word("host")
	e.Addr = parseAddr(e.Host)
	e.Ident = known(c.word("ident"))
	e.User = c.user()
	e.Time = c.time()
	e.Method, e.Target, e.Proto = splitRequest(c.quoted("request"))
	if e.Target != nil && e.Method == nil {
		c.fail("no method")
	}
	e.Status = c.status()
	e.Bytes = c.bytes()
	e.Referer = c.quoted("referer")
	e.UserAgent = c.quoted("user agent")
	if d == TaskTracker {
		e.Duration = c.duration()
		e.RequestID = c.quoted("request id")
	}
	if err := c.end(); err != nil {
		*e = Entry{}
		return err
	}
	return nil
}

// cursor cuts a line into fields from left to right. The first broken field
// stops it: from then on all fields are zero values.
type cursor struct {
	line      []byte
	backslash bool // in quotes, a backslash takes the next byte along
	field     string
	start     int // of field
	pos       int // behind what is read
	err       error
}

func (c *cursor) fail(reason string) {
	if c.err == nil {
		c.err = &ParseError{Field: c.field, Offset: c.start, Err: errors.New(reason)}
	}
}

// next begins a field and returns the line from there, nothing if the space in
// front is missing.
func (c *cursor) next(field string) []byte {
	if c.err != nil {
		return nil
	}
	c.field, c.start = field, c.pos
	if c.pos > 0 {
		if c.pos == len(c.line) || c.line[c.pos] != ' ' {
			return nil
		}
		c.pos++
		c.start = c.pos
	}
	return c.line[c.pos:]
}

// take ends the field after n bytes.
func (c *cursor) take(b []byte, n int) []byte {
	c.pos += n
	return b[:n]
}

func (c *cursor) end() error {
	c.field, c.start = "line end", c.pos
	if c.pos < len(c.line) {
		c.fail("more than the dialect has")
	}
	return c.err
}

func (c *cursor) word(field string) []byte {
	b := c.next(field)
	n := bytes.IndexByte(b, ' ')
	if n < 0 {
		n = len(b)
	}
	if n == 0 {
		c.fail("missing")
	}
	return c.take(b, n)
}

func (c *cursor) user() []byte {
	b := c.next("user")
	n := bytes.Index(b, []byte(" ["))
	if n <= 0 {
		c.fail("missing, or no time behind it")
		return nil
	}
	b = c.take(b, n)
	if string(b) == `""` {
		return b[1:1]
	}
	return known(b)
}

func (c *cursor) quoted(field string) []byte {
	b := c.next(field)
	if len(b) == 0 || b[0] != '"' {
		c.fail("no opening quote")
		return nil
	}
	b = b[1:]
	n := c.closingQuote(b)
	if n < 0 {
		c.fail("no closing quote")
		return nil
	}
	c.pos += 2
	return known(c.take(b, n))
}

func (c *cursor) closingQuote(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '"':
			return i
		case b[i] == '\\' && c.backslash:
			i++
		}
	}
	return -1
}

func (c *cursor) status() int {
	b := c.word("status")
	n, ok := parseDigits(b)
	if !ok || len(b) != 3 {
		c.fail("not three digits")
	}
	return int(n)
}

func (c *cursor) bytes() int64 {
	b := known(c.word("bytes"))
	if b == nil {
		return 0
	}
	n, ok := parseDigits(b)
	if !ok {
		c.fail(`neither "-" nor 1 to 18 digits`)
	}
	return n
}

func (c *cursor) duration() time.Duration {
	whole, fraction, point := bytes.Cut(c.word("duration"), []byte{'.'})
	d, ok := parseDigits(whole)
	ok = ok && len(whole) <= 9
	d *= int64(time.Second)
	if point {
		f, fok := parseDigits(fraction)
		ok = ok && fok && len(fraction) <= 9
		for range 9 - len(fraction) {
			f *= 10
		}
		d += f
	}
	if !ok {
		c.fail("not seconds with at most nine digits on each side of the point")
	}
	return time.Duration(d)
}

func (c *cursor) time() time.Time {
	b := c.next("time")
	if len(b) < len(timeShape) {
		c.fail("incomplete")
		return time.Time{}
	}
	t, ok := parseTime(c.take(b, len(timeShape)))
	if !ok {
		c.fail("no time of the form [02/Jan/2006:15:04:05 -0700]")
	}
	return t
}

// timeShape is what a time looks like: 0 is a digit, a is anything, + is a sign.
const timeShape = "[00/aaa/0000:00:00:00 +0000]"

func parseTime(b []byte) (time.Time, bool) {
	for i := range len(timeShape) {
		ok := b[i] == timeShape[i]
		switch timeShape[i] {
		case '0':
			ok = isDigit(b[i])
		case '+':
			ok = ok || b[i] == '-'
		case 'a':
			ok = true
		}
		if !ok {
			return time.Time{}, false
		}
	}
	two := func(i int) int { return int(b[i]-'0')*10 + int(b[i+1]-'0') }

	year, month, day := two(8)*100+two(10), parseMonth(b[4:7]), two(1)
	hour, minute, second := two(13), two(16), two(19)
	zoneHour, zoneMinute := two(23), two(25)
	t := time.Date(year, month, day, hour, minute, second, 0, time.UTC)
	if month == 0 || t.Day() != day || // an hour above 23 moves the day too
		minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59 {
		return time.Time{}, false
	}
	east := time.Duration(zoneHour)*time.Hour + time.Duration(zoneMinute)*time.Minute
	if b[22] == '-' {
		east = -east
	}
	return t.Add(-east), true
}

func parseMonth(b []byte) time.Month {
	switch string(b) {
	case "Jan":
		return time.January
	case "Feb":
		return time.February
	case "Mar":
		return time.March
	case "Apr":
		return time.April
	case "May":
		return time.May
	case "Jun":
		return time.June
	case "Jul":
		return time.July
	case "Aug":
		return time.August
	case "Sep":
		return time.September
	case "Oct":
		return time.October
	case "Nov":
		return time.November
	case "Dec":
		return time.December
	}
	return 0
}

// splitRequest cuts a request line. What is not HTTP goes into target.
func splitRequest(b []byte) (method, target, proto []byte) {
	first, last := bytes.IndexByte(b, ' '), bytes.LastIndexByte(b, ' ')
	switch {
	case len(b) == 0:
		return nil, nil, nil
	case last > first+1 && isMethod(b[:first]) && isProto(b[last+1:]):
		return b[:first], b[first+1 : last], b[last+1:]
	case last == 3 && len(b) > 4 && string(b[:3]) == "GET":
		return b[:first], b[first+1:], nil
	}
	return nil, b, nil
}

func isMethod(b []byte) bool {
	for _, ch := range b {
		if (ch < 'A' || ch > 'Z') && ch != '-' && ch != '_' {
			return false
		}
	}
	return len(b) > 0
}

func isProto(b []byte) bool {
	return len(b) == 8 && string(b[:5]) == "HTTP/" && isDigit(b[5]) && b[6] == '.' && isDigit(b[7])
}

func parseAddr(host []byte) netip.Addr {
	if bytes.IndexByte(host, ':') >= 0 {
		a, _ := netip.ParseAddr(string(host))
		return a
	}
	var ip [4]byte
	for i := range ip {
		part, rest, more := bytes.Cut(host, []byte{'.'})
		n, ok := parseDigits(part)
		if !ok || n > 255 || len(part) > 1 && part[0] == '0' || more != (i < 3) {
			return netip.Addr{}
		}
		ip[i], host = byte(n), rest
	}
	return netip.AddrFrom4(ip)
}

// parseDigits reads 1 to 18 digits, which always fit into an int64.
func parseDigits(b []byte) (n int64, ok bool) {
	for _, ch := range b {
		if !isDigit(ch) {
			return n, false
		}
		n = n*10 + int64(ch-'0')
	}
	return n, len(b) >= 1 && len(b) <= 18
}

func isDigit(ch byte) bool { return '0' <= ch && ch <= '9' }

// known returns nil for the "-" that servers write for what they do not know.
func known(b []byte) []byte {
	if string(b) == "-" {
		return nil
	}
	return b
}

// Unescape appends field to dst with the escapes of dialect d undone, and
// returns the extended slice. A backslash that begins no escape of d stays. dst
// may be field[:0]; this overwrites the line.
func Unescape(dst, field []byte, d Dialect) []byte {
	for {
		i := bytes.IndexByte(field, '\\')
		if i < 0 {
			return append(dst, field...)
		}
		dst = append(dst, field[:i]...)
		ch, n := unescape(field[i:], d)
		dst = append(dst, ch)
		field = field[i+n:]
	}
}

// unescape returns the byte that b, which begins with a backslash, stands for
// and how many bytes of b say so.
func unescape(b []byte, d Dialect) (ch byte, n int) {
	if len(b) >= 4 && b[1] == 'x' {
		high, low := unhex(b[2]), unhex(b[3])
		if high >= 0 && low >= 0 {
			return byte(high<<4 | low), 4
		}
	}
	if len(b) >= 2 && d != Nginx {
		switch b[1] {
		case '"', '\\':
			return b[1], 2
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
		}
	}
	return '\\', 1
}

// unhex returns the value of a hexadecimal digit, -1 if it is none.
func unhex(ch byte) int {
	i := strings.IndexByte("0123456789abcdefABCDEF", ch)
	if i >= 16 {
		i -= 6
	}
	return i
}
