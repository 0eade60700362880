package logstat

import (
	"bytes"
	"errors"
	"strconv"
	"time"
)

// Line is one line of the task tracker's access log. The byte slices are
// windows on its text: the next line that is read may overwrite them.
type Line struct {
	Host, Method, Path, UserAgent []byte
	Time                          time.Time // in UTC
	Status                        int       // 000 to 999
	Bytes                         int64
	Duration                      time.Duration // 0 or more
}

// ParseLine sets every field of l from text, which has no "\n" at its end; a
// "\r" there is left out. The form is
//
//	host - user [23/Nov/2026:07:15:02 +0000] "GET /v1/tasks?limit=50 HTTP/1.1" 200 1843 "referer" "user agent" 0.003127 "request id"
//
// Path is the target without its query; of a request that is not HTTP it is the
// whole request, and Method is nil. Everything in a line is printable ASCII:
// the task tracker escapes the rest. ParseLine allocates nothing, and may be
// called from several goroutines at once, with an l of their own. After an
// error, l is the zero Line.
func ParseLine(text []byte, l *Line) error {
	if err := parse(bytes.TrimSuffix(text, []byte{'\r'}), l); err != nil {
		*l = Line{}
		return err
	}
	return nil
}

var (
	errASCII    = errors.New("line: a byte that is not printable ASCII")
	errHost     = errors.New("host: missing")
	errTime     = errors.New("time: not of the form [02/Jan/2006:15:04:05 +0000]")
	errRequest  = errors.New("request: not in quotes")
	errStatus   = errors.New("status: not three digits")
	errBytes    = errors.New(`bytes: neither "-" nor 1 to 18 digits`)
	errReferer  = errors.New("referer: not in quotes")
	errAgent    = errors.New("user agent: not in quotes")
	errDuration = errors.New("duration: not seconds with at most nine digits on each side of the point")
	errID       = errors.New("request id: not in quotes, or not the end of the line")
)

func parse(text []byte, l *Line) error {
	for _, b := range text {
		if b < ' ' || b > '~' {
			return errASCII
		}
	}
	var ok bool
	if l.Host, text, _ = bytes.Cut(text, []byte{' '}); len(l.Host) == 0 {
		return errHost
	}
	_, text, _ = bytes.Cut(text, []byte(" ["))
	if l.Time, text, ok = cutTime(text); !ok {
		return errTime
	}
	request, text, ok := cutQuoted(text)
	if !ok {
		return errRequest
	}
	l.Method, l.Path = splitRequest(request)

	field, text, _ := bytes.Cut(text, []byte{' '})
	status, ok := digits(field, 3)
	if !ok || len(field) != 3 {
		return errStatus
	}
	l.Status = int(status)
	field, text, _ = bytes.Cut(text, []byte{' '})
	if l.Bytes, ok = digits(field, 18); !ok && string(field) != "-" {
		return errBytes
	}
	if _, text, ok = cutQuoted(text); !ok {
		return errReferer
	}
	if l.UserAgent, text, ok = cutQuoted(text); !ok {
		return errAgent
	}
	field, text, _ = bytes.Cut(text, []byte{' '})
	if l.Duration, ok = seconds(field); !ok {
		return errDuration
	}
	if _, text, ok = cutQuoted(text); !ok || text != nil {
		return errID
	}
	return nil
}

// cutQuoted cuts a quoted field off text, with the space behind it. A rest that
// is nil means that the text ended with the field.
func cutQuoted(text []byte) (field, rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '"' {
		return nil, nil, false
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			field, rest = text[1:i], text[i+1:]
			if len(rest) == 0 {
				return field, nil, true
			}
			return field, rest[1:], rest[0] == ' '
		}
	}
	return nil, nil, false
}

func splitRequest(request []byte) (method, path []byte) {
	first, last := bytes.IndexByte(request, ' '), bytes.LastIndexByte(request, ' ')
	if last <= first || !bytes.HasPrefix(request[last+1:], []byte("HTTP/")) {
		return nil, request
	}
	path, _, _ = bytes.Cut(request[first+1:last], []byte{'?'})
	return request[:first], path
}

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// cutTime cuts a time off text, which begins behind its bracket.
func cutTime(text []byte) (t time.Time, rest []byte, ok bool) {
	const form = "02/Jan/2006:15:04:05"
	const zone = " +0000] "
	if len(text) < len(form+zone) || string(text[len(form):len(form+zone)]) != zone ||
		text[2] != '/' || text[6] != '/' || text[11] != ':' || text[14] != ':' || text[17] != ':' {
		return time.Time{}, nil, false
	}
	ok = true
	number := func(from, to int) int {
		n, good := digits(text[from:to], 4)
		ok = ok && good
		return int(n)
	}
	month := -1
	for i := 0; i < len(months); i += 3 {
		if string(text[3:6]) == months[i:i+3] {
			month = i/3 + 1
		}
	}
	day, second := number(0, 2), number(18, 20)
	t = time.Date(number(7, 11), time.Month(month), day, number(12, 14), number(15, 17), second, 0, time.UTC)
	ok = ok && month > 0 && t.Day() == day && t.Hour() == number(12, 14) && t.Second() == second
	return t, text[len(form+zone):], ok
}

func seconds(field []byte) (time.Duration, bool) {
	whole, fraction, point := bytes.Cut(field, []byte{'.'})
	s, ok := digits(whole, 9)
	d := time.Duration(s) * time.Second
	if point {
		n, good := digits(fraction, 9)
		for range 9 - len(fraction) {
			n *= 10
		}
		d += time.Duration(n)
		ok = ok && good
	}
	return d, ok
}

// digits returns the number that field is, if it has 1 to most digits and
// nothing else.
func digits(field []byte, most int) (int64, bool) {
	if len(field) == 0 || len(field) > most || field[0] == '+' || field[0] == '-' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(field), 10, 64)
	return n, err == nil
}
