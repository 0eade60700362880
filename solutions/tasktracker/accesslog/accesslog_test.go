//course:since m01b

package accesslog_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/accesslog"
)

var entry = accesslog.Entry{
	Addr:   netip.MustParseAddr("2001:db8::1"),
	User:   "usr_ann",
	Time:   time.Date(2026, time.November, 23, 7, 15, 2, 0, time.UTC),
	Method: "GET", Target: "/v1/tasks?text=a", Proto: "HTTP/2.0",
	Status: 200, Bytes: 1843,
	UserAgent: "tt-cli/1.4.0",
	Duration:  3127 * time.Microsecond,
	RequestID: "req_1",
}

const line = `2001:db8::1 - usr_ann [23/Nov/2026:07:15:02 +0000] "GET /v1/tasks?text=a HTTP/2.0" 200 1843 "-" "tt-cli/1.4.0" 0.003127 "req_1"`

func TestAppend_Format(t *testing.T) {
	if got := string(entry.Append(nil)); got != line+"\n" {
		t.Errorf("got  %swant %s", got, line)
	}
}

func TestParse_UndoesAppend(t *testing.T) {
	for _, text := range []string{"", "-", `"`, `\`, `\x41`, "\n", "a\tb", " 200 ", "Café", "\xff"} {
		e := entry
		e.User, e.Referer, e.UserAgent, e.RequestID = text, text, text, text
		written := string(e.Append(nil))
		if got, err := accesslog.Parse(strings.TrimSuffix(written, "\n")); err != nil || got != e {
			t.Errorf("%q was written as %sand came back as %+v, %v", text, written, got, err)
		}
	}
}

func TestParse_UndoesApachesEscapes(t *testing.T) {
	got, err := accesslog.Parse(strings.Replace(line, "tt-cli/1.4.0", `\b\n\r\t\v\xC3\xa9\d\x4\\`, 1))
	if want := "\b\n\r\t\v\u00e9" + `\d\x4\`; err != nil || got.UserAgent != want {
		t.Errorf("got %q, %v, want %q", got.UserAgent, err, want)
	}
}

func TestParse_NamesTheBrokenField(t *testing.T) {
	for _, tc := range []struct{ old, text, field string }{
		{line, "", "host"},
		{"Nov", "nov", "time"},
		{"23/Nov", "31/Nov", "time"},
		{`"GET`, "GET", "request"},
		{" 200 ", " 2000 ", "status"},
		{" 1843 ", " -1 ", "bytes"},
		{`"-"`, "-", "referer"},
		{"0.003127", "3.", "duration"},
		{`req_1"`, `req_1\"`, "request id"},
		{`req_1"`, `req_1" `, "line end"},
	} {
		_, err := accesslog.Parse(strings.Replace(line, tc.old, tc.text, 1))
		if broken, ok := errors.AsType[*accesslog.ParseError](err); !ok || broken.Field != tc.field || broken.Unwrap() == nil {
			t.Errorf("%s instead of %s: got %v, want an error on %s", tc.text, tc.old, err, tc.field)
		}
	}
}

func TestParse_KeepsWhatIsNotHTTP(t *testing.T) {
	got, err := accesslog.Parse(strings.Replace(line, "GET /v1/tasks?text=a HTTP/2.0", `\x16\x03\x01`, 1))
	if err != nil || got.Target != "\x16\x03\x01" || got.Method != "" || got.Proto != "" {
		t.Errorf("got %+v, %v", got, err)
	}
}
