package contract

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// Exchange is one request and its answer.
type Exchange struct {
	Method        string
	URL           string // absolute
	Path          string // without the query
	RequestHeader http.Header
	RequestBody   []byte

	Status int // 0: there was no answer
	Header http.Header
	Body   []byte
}

// Curl returns the request as a line for a shell.
func (e *Exchange) Curl() string {
	var line strings.Builder
	line.WriteString("curl -i")
	switch e.Method {
	case http.MethodGet:
	case http.MethodHead:
		line.WriteString(" --head")
	default:
		line.WriteString(" -X " + e.Method)
	}
	line.WriteString(" " + quote(shorten(e.URL, 500)))
	for _, name := range slices.Sorted(maps.Keys(e.RequestHeader)) {
		for _, value := range e.RequestHeader[name] {
			text := name + ": " + value
			if value == "" {
				text = name + ";" // curl's way to send an empty header
			}
			line.WriteString(" -H " + quote(shorten(text, 300)))
		}
	}
	switch {
	case len(e.RequestBody) == 0:
	case len(e.RequestBody) > 2000:
		fmt.Fprintf(&line, " --data-binary @body.json   # body.json has %d bytes: %s", len(e.RequestBody), shorten(string(e.RequestBody), 60))
	default:
		line.WriteString(" --data-binary " + quote(string(e.RequestBody)))
	}
	return line.String()
}

// quote quotes s for a POSIX shell, or for bash if s has bytes that no terminal
// shows.
func quote(s string) string {
	odd := func(r rune) bool { return r < ' ' || r == utf8.RuneError || r == 0x7f }
	if !strings.ContainsFunc(s, odd) && utf8.ValidString(s) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c == '\'' || c == '\\':
			b.WriteString("\\" + string(rune(c)))
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return "$'" + b.String() + "'"
}

// shown are the headers that say something about a broken rule.
var shown = []string{
	"Content-Type", "Location", "ETag", "Allow", "WWW-Authenticate", "Retry-After",
	"Idempotency-Replayed", "X-Request-ID",
}

// Answer returns the answer as far as a reader needs it.
func (e *Exchange) Answer() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s", e.Status, http.StatusText(e.Status))
	for _, name := range shown {
		for _, value := range e.Header.Values(name) {
			fmt.Fprintf(&b, "\n%s: %s", name, value)
		}
	}
	if len(e.Body) > 0 {
		b.WriteString("\n" + shorten(strings.TrimSpace(string(e.Body)), 1200))
	}
	return b.String()
}

func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + " ..."
}
