// Package accesslog parses the access logs of Apache, nginx and the task
// tracker, one line at a time and without copying.
package accesslog

import (
	"bytes"
	"errors"
	"net/netip"
	"strconv"
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
	return "accesslog: " + e.Field + " at offset " + strconv.Itoa(e.Offset) + ": " + e.Err.Error()
}

// Unwrap returns e.Err.
func (e *ParseError) Unwrap() error { return e.Err }

var (
	errEnd      = errors.New("no end")
	errEmpty    = errors.New("empty")
	errSpace    = errors.New("missing, no space in front of it")
	errTime     = errors.New("not a time")
	errQuote    = errors.New("no opening quote")
	errUnclosed = errors.New("no closing quote")
	errNumber   = errors.New("not a number of the right size")
	errMore     = errors.New("more bytes behind the last field")
)

// Parse sets every field of e from line, which has no line end. If line is not
// a complete line of dialect d, it returns a [*ParseError] for the leftmost
// broken field, and *e is the zero Entry. Parse may be called from several
// goroutines at once, with an e of their own.
func Parse(line []byte, d Dialect, e *Entry) error {
	*e = Entry{}
	p := parser{line: line, backslash: d != Nginx}
	p.parse(d, e)
	if p.err != nil {
		*e = Entry{}
		return &ParseError{Field: p.field, Offset: p.start, Err: p.err}
	}
	return nil
}

type parser struct {
	line      []byte
	pos       int
	backslash bool
	field     string
	start     int
	err       error
}

func (p *parser) parse(d Dialect, e *Entry) {
	p.field = "host"
	if e.Host = p.word(); p.err != nil {
		return
	}
	e.Addr = addr(e.Host)
	if !p.space("ident") {
		return
	}
	if e.Ident = dash(p.word()); p.err != nil || !p.space("user") {
		return
	}
	if e.User = p.user(); p.err != nil || !p.space("time") {
		return
	}
	if e.Time = p.time(); p.err != nil || !p.space("request") {
		return
	}
	request := p.quoted()
	if p.err != nil {
		return
	}
	e.Method, e.Target, e.Proto = splitRequest(request)
	if !p.space("status") {
		return
	}
	status := p.word()
	if p.err != nil {
		return
	}
	n, ok := digits(status)
	if !ok || len(status) != 3 {
		p.err = errNumber
		return
	}
	e.Status = int(n)
	if !p.space("bytes") {
		return
	}
	size := p.word()
	if p.err != nil {
		return
	}
	if size = dash(size); size != nil {
		n, ok := digits(size)
		if !ok || len(size) > 18 {
			p.err = errNumber
			return
		}
		e.Bytes = n
	}
	if !p.space("referer") {
		return
	}
	if e.Referer = dash(p.quoted()); p.err != nil || !p.space("user agent") {
		return
	}
	if e.UserAgent = dash(p.quoted()); p.err != nil {
		return
	}
	if d == TaskTracker {
		if !p.space("duration") {
			return
		}
		if e.Duration = p.duration(); p.err != nil || !p.space("request id") {
			return
		}
		if e.RequestID = dash(p.quoted()); p.err != nil {
			return
		}
	}
	if p.pos < len(p.line) {
		p.field, p.start, p.err = "line end", p.pos, errMore
	}
}

// space begins the next field.
func (p *parser) space(field string) bool {
	p.field, p.start = field, p.pos
	if p.pos >= len(p.line) || p.line[p.pos] != ' ' {
		p.err = errSpace
		return false
	}
	p.pos++
	p.start = p.pos
	return true
}

func (p *parser) window(from, to int) []byte { return p.line[from:to:to] }

func (p *parser) word() []byte {
	n := bytes.IndexByte(p.line[p.pos:], ' ')
	if n < 0 {
		n = len(p.line) - p.pos
	}
	return p.take(n)
}

func (p *parser) take(n int) []byte {
	if n == 0 {
		p.err = errEmpty
		return nil
	}
	p.pos += n
	return p.window(p.start, p.pos)
}

func (p *parser) user() []byte {
	n := bytes.Index(p.line[p.pos:], []byte(" ["))
	if n < 0 {
		p.err = errEnd
		return nil
	}
	user := dash(p.take(n))
	if len(user) == 2 && user[0] == '"' && user[1] == '"' {
		return p.window(p.start+1, p.start+1)
	}
	return user
}

func (p *parser) quoted() []byte {
	if p.pos >= len(p.line) || p.line[p.pos] != '"' {
		p.err = errQuote
		return nil
	}
	for i := p.pos + 1; i < len(p.line); i++ {
		switch p.line[i] {
		case '\\':
			if p.backslash {
				i++
			}
		case '"':
			p.pos = i + 1
			return p.window(p.start+1, i)
		}
	}
	p.err = errUnclosed
	return nil
}

func (p *parser) duration() time.Duration {
	word := p.word()
	if p.err != nil {
		return 0
	}
	whole, frac, point := bytes.Cut(word, []byte("."))
	sec, ok := digits(whole)
	if !ok || len(whole) > 9 {
		p.err = errNumber
		return 0
	}
	var nsec int64
	if point {
		nsec, ok = digits(frac)
		if !ok || len(frac) > 9 {
			p.err = errNumber
			return 0
		}
		for range 9 - len(frac) {
			nsec *= 10
		}
	}
	return time.Duration(sec)*time.Second + time.Duration(nsec)
}

const timeForm = "[00/Aaa/0000:00:00:00 +0000]"

func (p *parser) time() time.Time {
	p.err = errTime
	if len(p.line)-p.pos < len(timeForm) {
		return time.Time{}
	}
	b := p.line[p.pos : p.pos+len(timeForm)]
	for i, c := range []byte(timeForm) {
		switch c {
		case '0':
			if b[i] < '0' || b[i] > '9' {
				return time.Time{}
			}
		case 'A', 'a':
		case '+':
			if b[i] != '+' && b[i] != '-' {
				return time.Time{}
			}
		default:
			if b[i] != c {
				return time.Time{}
			}
		}
	}
	two := func(i int) int { return int(b[i]-'0')*10 + int(b[i+1]-'0') }
	day, month, year := two(1), monthOf(b[4:7]), two(8)*100+two(10)
	hour, minute, second := two(13), two(16), two(19)
	zh, zm := two(23), two(25)
	if month == 0 || day < 1 || day > daysIn(month, year) || hour > 23 || minute > 59 || second > 59 || zh > 23 || zm > 59 {
		return time.Time{}
	}
	offset := time.Duration(zh)*time.Hour + time.Duration(zm)*time.Minute
	if b[22] == '+' {
		offset = -offset
	}
	p.err = nil
	p.pos += len(timeForm)
	return time.Date(year, month, day, hour, minute, second, 0, time.UTC).Add(offset)
}

func monthOf(b []byte) time.Month {
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

func daysIn(m time.Month, year int) int {
	switch m {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

func dash(b []byte) []byte {
	if len(b) == 1 && b[0] == '-' {
		return nil
	}
	return b
}

// digits reads a number of at least one digit. More than 18 digits overflow.
func digits(b []byte) (int64, bool) {
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(b) > 0
}

func splitRequest(r []byte) (method, target, proto []byte) {
	if len(r) == 0 || len(r) == 1 && r[0] == '-' {
		return nil, nil, nil
	}
	first := bytes.IndexByte(r, ' ')
	if first < 0 {
		return nil, r, nil
	}
	last := bytes.LastIndexByte(r, ' ')
	if last > first+1 && isMethod(r[:first]) && isProto(r[last+1:]) {
		return r[:first:first], r[first+1 : last : last], r[last+1:]
	}
	if first == last && string(r[:first]) == "GET" && first+1 < len(r) {
		return r[:first:first], r[first+1:], nil
	}
	return nil, r, nil
}

func isMethod(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return len(b) > 0
}

func isProto(b []byte) bool {
	return len(b) == 8 && string(b[:5]) == "HTTP/" && isDigit(b[5]) && b[6] == '.' && isDigit(b[7])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// addr is netip.ParseAddr without an allocation for what cannot be IPv6.
func addr(host []byte) netip.Addr {
	if bytes.IndexByte(host, ':') >= 0 {
		a, err := netip.ParseAddr(string(host))
		if err != nil {
			return netip.Addr{}
		}
		return a
	}
	var ip [4]byte
	part, n, v := 0, 0, 0
	for _, c := range host {
		switch {
		case isDigit(c):
			if n > 0 && v == 0 {
				return netip.Addr{}
			}
			v = v*10 + int(c-'0')
			n++
			if v > 255 {
				return netip.Addr{}
			}
		case c == '.':
			if n == 0 || part == 3 {
				return netip.Addr{}
			}
			ip[part] = byte(v)
			part, n, v = part+1, 0, 0
		default:
			return netip.Addr{}
		}
	}
	if part != 3 || n == 0 {
		return netip.Addr{}
	}
	ip[3] = byte(v)
	return netip.AddrFrom4(ip)
}

// Unescape appends field to dst with the escapes of dialect d undone, and
// returns the extended slice. A backslash that begins no escape of d stays. dst
// may be field[:0]; this overwrites the line.
func Unescape(dst, field []byte, d Dialect) []byte {
	for i := 0; i < len(field); {
		n := bytes.IndexByte(field[i:], '\\')
		if n < 0 {
			return append(dst, field[i:]...)
		}
		dst = append(dst, field[i:i+n]...)
		i += n
		c, size := escape(field[i:], d)
		dst = append(dst, c)
		i += size
	}
	return dst
}

// escape decodes what the backslash b[0] begins.
func escape(b []byte, d Dialect) (c byte, size int) {
	if len(b) >= 4 && b[1] == 'x' {
		hi, ok1 := hex(b[2])
		lo, ok2 := hex(b[3])
		if ok1 && ok2 {
			return hi<<4 | lo, 4
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

func hex(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
