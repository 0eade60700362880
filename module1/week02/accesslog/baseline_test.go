package accesslog_test

import (
	"errors"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/middle-go/course/module1/week02/accesslog"
)

// This is the parser that the service runs today. It is right and slow, and it
// cannot say what is wrong with a line. The tests compare with it.

const (
	word      = `([^ ]+)`
	user      = `((?:[^ ]| +[^ \[])* *)` // no " [" in it
	clock     = `\[(\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-](?:[01]\d|2[0-3])[0-5]\d)\]`
	status    = `(\d{3})`
	bodyBytes = `(-|\d{1,18})`
	escaped   = `"((?:[^"\\]|\\.)*)"`
	unescaped = `"([^"]*)"`
	seconds   = `(\d{1,9}(?:\.\d{1,9})?)`
)

var combined = map[accesslog.Dialect]*regexp.Regexp{
	accesslog.Apache:      pattern(word, word, user, clock, escaped, status, bodyBytes, escaped, escaped),
	accesslog.Nginx:       pattern(word, word, user, clock, unescaped, status, bodyBytes, unescaped, unescaped),
	accesslog.TaskTracker: pattern(word, word, user, clock, escaped, status, bodyBytes, escaped, escaped, seconds, escaped),
}

func pattern(fields ...string) *regexp.Regexp {
	return regexp.MustCompile(`(?s)^` + strings.Join(fields, " ") + `$`)
}

var (
	http1 = regexp.MustCompile(`(?s)^([A-Z_-]+) (.+) (HTTP/\d\.\d)$`)
	http0 = regexp.MustCompile(`^(GET) ([^ ]+)()$`)
)

var errNoMatch = errors.New("no match")

func slowParse(line []byte, d accesslog.Dialect, e *accesslog.Entry) error {
	m := combined[d].FindSubmatch(line)
	if m == nil || len(m[3]) == 0 {
		return errNoMatch
	}
	at, err := time.Parse("02/Jan/2006:15:04:05 -0700", string(m[4]))
	if err != nil {
		return err
	}
	code, err := strconv.Atoi(string(m[6]))
	if err != nil {
		return err
	}
	sent, err := strconv.ParseInt(strings.Replace(string(m[7]), "-", "0", 1), 10, 64)
	if err != nil {
		return err
	}
	*e = accesslog.Entry{
		Host: m[1], Ident: unlessDash(m[2]), User: unlessDash(m[3]), Time: at.UTC(), Status: code, Bytes: sent,
		Referer: unlessDash(m[8]), UserAgent: unlessDash(m[9]),
	}
	if string(e.User) == `""` {
		e.User = []byte{}
	}
	if addr, err := netip.ParseAddr(string(e.Host)); err == nil {
		e.Addr = addr
	}
	if len(m) > 10 {
		e.RequestID = unlessDash(m[11])
		if e.Duration, err = time.ParseDuration(string(m[10]) + "s"); err != nil {
			return err
		}
	}
	request := m[5]
	if string(request) == "-" || len(request) == 0 {
		return nil
	}
	parts := http1.FindSubmatch(request)
	if parts == nil {
		parts = http0.FindSubmatch(request)
	}
	if parts == nil {
		e.Target = request
		return nil
	}
	e.Method, e.Target = parts[1], parts[2]
	if len(parts[3]) > 0 {
		e.Proto = parts[3]
	}
	return nil
}

func unlessDash(b []byte) []byte {
	if string(b) == "-" {
		return nil
	}
	return b
}
