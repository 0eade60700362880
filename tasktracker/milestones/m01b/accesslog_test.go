package m01b_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/accesslog"
)

// request is an entry with everything in it.
var request = accesslog.Entry{
	Addr:      netip.MustParseAddr("198.51.100.7"),
	User:      "usr_01jdz7q6w3",
	Time:      time.Date(2026, time.November, 23, 7, 15, 2, 0, time.UTC),
	Method:    "PATCH",
	Target:    "/v1/tasks/tsk_01jdz7qa0n?dry=1",
	Proto:     "HTTP/1.1",
	Status:    412,
	Bytes:     211,
	Referer:   "https://tasks.example/",
	UserAgent: "tt-cli/1.4.0",
	Duration:  12*time.Millisecond + 34*time.Microsecond,
	RequestID: "req_01jdz7r1k9",
}

const requestLine = `198.51.100.7 - usr_01jdz7q6w3 [23/Nov/2026:07:15:02 +0000] "PATCH /v1/tasks/tsk_01jdz7qa0n?dry=1 HTTP/1.1" 412 211 ` +
	`"https://tasks.example/" "tt-cli/1.4.0" 0.012034 "req_01jdz7r1k9"`

// with returns the request with a change.
func with(change func(e *accesslog.Entry)) accesslog.Entry {
	e := request
	change(&e)
	return e
}

// hostile are texts that end a field, a line or a log for those who let them.
var hostile = []string{
	"", "-", "--", `"`, `""`, `\`, `\\`, `\"`, `"-"`, ` `, "a b", " [", `" 200 0 "`, "\n", "\r\n", "\x00", "\x1b[2J", "\x7f",
	"Café", "\u2028", "\xff\xfe", `\x41`, `\n`, `C:\new`, "a\tb\vc\b", "日本",
}

// plain is what needs no escape in any field.
const plain = "!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~"

var printable = with(func(e *accesslog.Entry) {
	e.User, e.Referer, e.UserAgent, e.RequestID = plain, plain, plain, plain
	e.Method, e.Target, e.Proto = "M#", "/"+plain, "P#"
})

func TestAccessLog_Format(t *testing.T) {
	for _, tc := range []struct {
		name  string
		entry accesslog.Entry
		want  string
	}{
		{"everything", request, requestLine},
		{"nothing", accesslog.Entry{Time: request.Time}, `- - - [23/Nov/2026:07:15:02 +0000] "-" 000 0 "-" "-" 0.000000 "-"`},
		{"IPv6 with a zone", with(func(e *accesslog.Entry) { e.Addr = netip.MustParseAddr("fe80::1%eth0") }), strings.Replace(requestLine, "198.51.100.7", "fe80::1", 1)},
		{"a time of another zone", with(func(e *accesslog.Entry) {
			e.Time = e.Time.Add(999 * time.Millisecond).In(time.FixedZone("", 3*60*60))
		}), requestLine},
		{"nanoseconds", with(func(e *accesslog.Entry) { e.Duration += 999 }), requestLine},
		{"a slow one", with(func(e *accesslog.Entry) { e.Duration = 75*time.Second + 5*time.Microsecond }), strings.Replace(requestLine, "0.012034", "75.000005", 1)},
		{"a clock that went back", with(func(e *accesslog.Entry) { e.Duration = -time.Second }), strings.Replace(requestLine, "0.012034", "0.000000", 1)},
		{"a quote and a backslash", with(func(e *accesslog.Entry) { e.UserAgent = `x" \` }), strings.Replace(requestLine, "tt-cli/1.4.0", `x\" \\`, 1)},
		{"other bytes", with(func(e *accesslog.Entry) { e.UserAgent = "\n\x00\x0f\x10é~" }), strings.Replace(requestLine, "tt-cli/1.4.0", `\x0a\x00\x0f\x10\xc3\xa9~`, 1)},
		{"a space in a user", with(func(e *accesslog.Entry) { e.User = "ann lee" }), strings.Replace(requestLine, "usr_01jdz7q6w3", `ann\x20lee`, 1)},
		{"all printable characters but two", printable, strings.NewReplacer(
			"usr_01jdz7q6w3", plain, "PATCH", "M#", "/v1/tasks/tsk_01jdz7qa0n?dry=1", "/"+plain, "HTTP/1.1", "P#",
			"https://tasks.example/", plain, "tt-cli/1.4.0", plain, "req_01jdz7r1k9", plain).Replace(requestLine)},
		{"a client that sends -", with(func(e *accesslog.Entry) { e.Referer = "-" }), strings.Replace(requestLine, "https://tasks.example/", `\x2d`, 1)},
	} {
		do := fmt.Sprintf("line := entry.Append([]byte(\"before\")) // %s", tc.name)
		if got, want := string(tc.entry.Append([]byte("before"))), "before"+tc.want+"\n"; got != want {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Text(got), Want: rule.Text(want), Why: "Others read this log too. The README has the format, byte by byte."})
		}
	}
}

func TestAccessLog_RoundTrip(t *testing.T) {
	for _, text := range hostile {
		checkRoundTrip(t, with(func(e *accesslog.Entry) { e.User, e.Referer, e.UserAgent, e.RequestID = text, text, text, text }))
		checkRoundTrip(t, with(func(e *accesslog.Entry) { e.Target = "/" + text }))
	}
	checkRoundTrip(t, with(func(e *accesslog.Entry) { e.Addr = netip.Addr{} }))
	random := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		var b strings.Builder
		for range random.IntN(6) {
			b.WriteString(hostile[random.IntN(len(hostile))])
		}
		return b.String()
	}
	for range 500 {
		checkRoundTrip(t, accesslog.Entry{
			Addr: netip.AddrFrom4([4]byte{10, 0, 0, byte(random.IntN(256))}), User: text(),
			Time:   request.Time.Add(time.Duration(random.IntN(1e9)) * time.Second),
			Method: "GET", Target: "/" + text(), Proto: "HTTP/1.1",
			Status: 100 + random.IntN(900), Bytes: random.Int64N(1e15), Referer: text(), UserAgent: text(),
			Duration: time.Duration(random.Int64N(1e9)) * time.Microsecond, RequestID: text(),
		})
	}
}

func checkRoundTrip(t *testing.T, e accesslog.Entry) {
	t.Helper()
	line := string(e.Append(nil))
	body, ended := strings.CutSuffix(line, "\n")
	const do = "line := entry.Append(nil)"
	if !ended || strings.ContainsFunc(body, func(r rune) bool { return r < ' ' || r > '~' }) {
		rule.Broken(t, rule.Case{
			Do: do + "\nfmt.Printf(\"%q\", line)", Got: line, Want: rule.Text("printable ASCII, and one \\n at the end"),
			Why: "A client that can write the end of a line can write the next line too, in the name of anybody.",
		})
	}
	got, err := accesslog.Parse(body)
	if err != nil || got != e {
		rule.Broken(t, rule.Case{
			Do:  do + "\ngot, err := Parse(strings.TrimSuffix(string(line), \"\\n\"))",
			Got: rule.Textf("%+v, %v\nfrom the line %s", got, err, body), Want: rule.Textf("%+v, nil", e),
			Why: "What a client has sent must come back byte for byte, and in its own field.",
		})
	}
}

func TestAccessLog_EveryCutIsRefused(t *testing.T) {
	if got, err := accesslog.Parse(requestLine); err != nil || got != request {
		rule.Broken(t, rule.Case{Do: "got, err := Parse(line) // " + requestLine, Got: rule.Textf("%+v, %v", got, err), Want: rule.Textf("%+v, nil", request)})
	}
	for i := range requestLine {
		got, err := accesslog.Parse(requestLine[:i])
		if broken, ok := errors.AsType[*accesslog.ParseError](err); !ok || broken.Err == nil || got != (accesslog.Entry{}) {
			rule.Broken(t, rule.Case{
				Do: fmt.Sprintf("got, err := Parse(%q)", requestLine[:i]), Got: rule.Textf("%+v, %v", got, err), Want: rule.Text("the zero Entry, a *ParseError"),
				Why: "A process that is killed leaves half a line behind. Half a number is a wrong number.",
			})
		}
	}
}

func TestAccessLog_BrokenFields(t *testing.T) {
	fields := []string{
		"198.51.100.7", "-", "usr_01jdz7q6w3", "[23/Nov/2026:07:15:02 +0000]", `"PATCH /v1/tasks/tsk_01jdz7qa0n?dry=1 HTTP/1.1"`,
		"412", "211", `"https://tasks.example/"`, `"tt-cli/1.4.0"`, "0.012034", `"req_01jdz7r1k9"`,
	}
	for _, tc := range []struct {
		place int
		field string
		texts []string
	}{
		{0, "host", []string{""}},
		{1, "ident", []string{""}},
		{2, "user", []string{""}},
		{3, "time", []string{"", "-", "[31/Nov/2026:07:15:02 +0000]", "[23/nov/2026:07:15:02 +0000]", "[23/Nov/2026:24:15:02 +0000]", "[23/Nov/2026:07:15:02.5 +000]"}},
		{4, "request", []string{"", "GET", `'x'`}},
		{5, "status", []string{"", "-", "20", "2000", "+20", "2_0"}},
		{6, "bytes", []string{"", "x", "-1", "+1", "0x1", "1234567890123456789"}},
		{7, "referer", []string{"", "-"}},
		{8, "user agent", []string{"", "-"}},
		{9, "duration", []string{"", "-", ".5", "5.", "1e3", "-1.0", "1.5.5", "0.0123456789", "1234567890"}},
		{10, "request id", []string{"", "-", `"open\"`}},
	} {
		for _, text := range tc.texts {
			front, back := strings.Join(fields[:tc.place], " "), strings.Join(fields[tc.place+1:], " ")
			line := strings.TrimSpace(front+" "+text) + " " + back
			offset := min(len(front)+1, len(line))
			if tc.place == 0 {
				line, offset = text+" "+back, 0
			}
			if text == "" && tc.place > 0 { // two spaces
				line = front + "  " + back
			}
			checkBroken(t, line, tc.field, offset)
		}
	}
	checkBroken(t, strings.Replace(requestLine, `" 412`, `"412`, 1), "status", strings.Index(requestLine, " 412"))
	checkBroken(t, strings.Replace(requestLine, `" "`, `""`, 1), "user agent", strings.Index(requestLine, `" "`)+1)
	checkBroken(t, requestLine+" ", "line end", len(requestLine))
	checkBroken(t, requestLine+"x", "line end", len(requestLine))
	checkBroken(t, requestLine+"\r", "line end", len(requestLine))
}

func checkBroken(t *testing.T, line, field string, offset int) {
	t.Helper()
	got, err := accesslog.Parse(line)
	broken, ok := errors.AsType[*accesslog.ParseError](err)
	if !ok || broken.Field != field || broken.Offset != offset || got != (accesslog.Entry{}) {
		rule.Broken(t, rule.Case{
			Do: fmt.Sprintf("got, err := Parse(%q)", line), Got: rule.Textf("%+v, %v", got, err),
			Want: rule.Textf("the zero Entry, &ParseError{Field: %q, Offset: %d}", field, offset),
			Why:  "Somebody has to find this place in a file of 40 GB.",
		})
	}
	if cause := errors.Unwrap(err); cause == nil || cause != broken.Err {
		rule.Broken(t, rule.Case{Do: fmt.Sprintf("_, err := Parse(%q)\nerrors.Unwrap(err)", line), Got: cause, Want: rule.Textf("its Err, %v", broken.Err), Why: "errors.Is looks through Unwrap only."})
	}
}

func TestAccessLog_ReadsTheDialect(t *testing.T) {
	type reading struct {
		line string
		want accesslog.Entry
	}
	notHTTP := func(request string) reading {
		return reading{
			strings.Replace(requestLine, "PATCH /v1/tasks/tsk_01jdz7qa0n?dry=1 HTTP/1.1", request, 1),
			with(func(e *accesslog.Entry) { e.Method, e.Target, e.Proto = "", request, "" }),
		}
	}
	for _, tc := range []reading{
		{strings.Replace(requestLine, "0.012034", "0.012", 1), with(func(e *accesslog.Entry) { e.Duration = 12 * time.Millisecond })},
		{strings.Replace(requestLine, "0.012034", "3", 1), with(func(e *accesslog.Entry) { e.Duration = 3 * time.Second })},
		{strings.Replace(requestLine, "0.012034", "0.000000001", 1), with(func(e *accesslog.Entry) { e.Duration = 1 })},
		{strings.Replace(requestLine, " 211 ", " - ", 1), with(func(e *accesslog.Entry) { e.Bytes = 0 })},
		{strings.Replace(requestLine, "07:15:02 +0000", "03:45:02 -0330", 1), request},
		{strings.Replace(requestLine, "07:15:02 +0000", "08:15:02 +0100", 1), request},
		{strings.Replace(requestLine, "198.51.100.7", "build.example", 1), with(func(e *accesslog.Entry) { e.Addr = netip.Addr{} })},
		{strings.Replace(requestLine, "tt-cli/1.4.0", `\t\v\b\n\r\xC3\xa9\d\x4\`+`\`, 1), with(func(e *accesslog.Entry) { e.UserAgent = "\t\v\b\n\r\u00e9" + `\d\x4\` })},
		{strings.Replace(requestLine, "tt-cli/1.4.0", "", 1), with(func(e *accesslog.Entry) { e.UserAgent = "" })},
		{strings.Replace(requestLine, "PATCH /v1/tasks/tsk_01jdz7qa0n?dry=1 HTTP/1.1", `GET /a b HTTP/2.0`, 1), with(func(e *accesslog.Entry) { e.Method, e.Target, e.Proto = "GET", "/a b", "HTTP/2.0" })},
		{strings.Replace(requestLine, "PATCH /v1/tasks/tsk_01jdz7qa0n?dry=1 HTTP/1.1", `\x16\x03\x01`, 1), with(func(e *accesslog.Entry) { e.Method, e.Target, e.Proto = "", "\x16\x03\x01", "" })},
		{strings.Replace(requestLine, "PATCH /v1/tasks/tsk_01jdz7qa0n?dry=1 HTTP/1.1", `get /a HTTP/1.1`, 1), with(func(e *accesslog.Entry) { e.Method, e.Target, e.Proto = "", "get /a HTTP/1.1", "" })},
		{strings.Replace(requestLine, "usr_01jdz7q6w3", `ann\`, 1), with(func(e *accesslog.Entry) { e.User = `ann\` })},
		{strings.Replace(requestLine, "tt-cli/1.4.0", `\x4g`, 1), with(func(e *accesslog.Entry) { e.UserAgent = `\x4g` })},
		notHTTP(" /a HTTP/1.1"), notHTTP("GET  HTTP/1.1"), notHTTP("GET /a HTTP/1.10"), notHTTP("GET /a HTTP/11"), notHTTP("GET /a HTTP-1.1"),
		notHTTP("GET /a HTTP/1,1"), notHTTP("GET /a HTTP/x.1"), notHTTP("GET /a HTTP/1.x"), notHTTP("GET /a"), notHTTP("G3T /a HTTP/1.1"),
	} {
		if got, err := accesslog.Parse(tc.line); err != nil || got != tc.want {
			rule.Broken(t, rule.Case{
				Do: fmt.Sprintf("got, err := Parse(%q)", tc.line), Got: rule.Textf("%+v, %v", got, err), Want: rule.Textf("%+v, nil", tc.want),
				Why: "The dialect is that of week 2. What it can hold will stand in a log some day.",
			})
		}
	}
}
