package m04b_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// entry is a line of an access log.
type entry struct {
	Host, Method, Target, Proto string
	Time                        time.Time
	Status                      int
	Bytes                       int64
	UserAgent, RequestID        string
}

// line is the dialect TaskTracker of exercise 2.1: combined, the seconds that the
// request took, and the request id.
var line = regexp.MustCompile(`^(\S+) (\S+) (.+) \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]` +
	` "((?:[^"\\]|\\.)*)" (\d{3}) (-|\d{1,18}) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)" (\d{1,9}(?:\.\d{1,9})?) "((?:[^"\\]|\\.)*)"$`)

var request = regexp.MustCompile(`^([A-Z_-]+) (.+) (HTTP/\d\.\d)$`)

func parseLine(text string) (e entry, err error) {
	m := line.FindStringSubmatch(text)
	if m == nil {
		return e, fmt.Errorf("not a line of the dialect TaskTracker")
	}
	if e.Time, err = time.Parse("02/Jan/2006:15:04:05 -0700", m[4]); err != nil {
		return e, err
	}
	r := request.FindStringSubmatch(unescape(m[5]))
	if r == nil {
		return e, fmt.Errorf("the request %q is not method, target and protocol", m[5])
	}
	e.Host, e.Method, e.Target, e.Proto = m[1], r[1], r[2], r[3]
	e.Status, _ = strconv.Atoi(m[6])
	e.Bytes, _ = strconv.ParseInt(strings.TrimPrefix(m[7], "-"), 10, 64)
	e.UserAgent, e.RequestID = unescape(m[9]), unescape(m[11])
	return e, nil
}

var escapes = regexp.MustCompile(`\\(x[0-9a-fA-F]{2}|.)`)

// unescape undoes the escapes of Apache's mod_log_config.
func unescape(s string) string {
	return escapes.ReplaceAllStringFunc(s, func(escape string) string {
		switch c := escape[1]; {
		case c == 'x' && len(escape) == 4:
			b, _ := strconv.ParseUint(escape[2:], 16, 8)
			return string([]byte{byte(b)})
		case c == 'n':
			return "\n"
		case c == 'r':
			return "\r"
		case c == 't':
			return "\t"
		case c == '"', c == '\\':
			return string(rune(c))
		default:
			return escape
		}
	})
}
