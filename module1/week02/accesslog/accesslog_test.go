package accesslog_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/abbench"
	"github.com/middle-go/course/grader/labkit/allocs"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week02/accesslog"
)

var dialects = []struct {
	dialect    accesslog.Dialect
	name, file string
}{
	{accesslog.Apache, "Apache", "testdata/apache"},
	{accesslog.Nginx, "Nginx", "testdata/nginx"},
	{accesslog.TaskTracker, "TaskTracker", "testdata/tasktracker"},
}

func TestParse_IPv6AndHostname(t *testing.T) {
	for _, tc := range []struct{ host, addr string }{
		{"203.0.113.7", "203.0.113.7"},
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"::1", "::1"},
		{"2001:db8:4f::1d", "2001:db8:4f::1d"},
		{"2001:0DB8:0:0:0:0:0:1", "2001:db8::1"},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
		{"fe80::1%eth0", "fe80::1%eth0"},
		{"crawl-66-7.bots.example", "invalid IP"},
		{"localhost", "invalid IP"},
		{"unix:", "invalid IP"},
		{"203.0.113", "invalid IP"},
		{"203.0.113.", "invalid IP"},
		{"203.0..113", "invalid IP"},
		{"203.0.113.7.9", "invalid IP"},
		{"203.0.113.256", "invalid IP"},
		{"203.0.113.07", "invalid IP"},
		{"203.0.113.+7", "invalid IP"},
		{"4294967296.0.0.1", "invalid IP"},
		{"dead::beef::1", "invalid IP"},
	} {
		requireFields(t, tc.host+` - - [23/Nov/2026:07:15:02 +0000] "GET / HTTP/1.1" 200 5 "-" "-"`, accesslog.Nginx,
			"Host is an address, a name or a socket, as the server is configured. Only addresses can be compared with a block list.",
			fmt.Sprintf("Host=%q", tc.host), "Addr="+tc.addr, "Status=200")
	}
}

func TestParse_UserWithSpaces(t *testing.T) {
	for _, tc := range []struct{ user, want string }{
		{`-`, `nil`},
		{`ann`, `"ann"`},
		{`ann lee`, `"ann lee"`},
		{`- -`, `"- -"`},
		{`ann  lee `, `"ann  lee "`},
		{`ann[1]`, `"ann[1]"`},
		{`[ann`, `"[ann"`},
		{`""`, `""`},
		{`"ann"`, `"\"ann\""`},
		{`DOMAIN\\ann`, `"DOMAIN\\\\ann"`},
	} {
		requireFields(t, `192.0.2.7 - `+tc.user+` [23/Nov/2026:07:15:02 +0000] "GET / HTTP/1.1" 200 5 "-" "-"`, accesslog.Apache,
			"The user is what a client typed into a password dialog, and the server writes it down without quotes.",
			"Ident=nil", "User="+tc.want, "Time=2026-11-23T07:15:02Z", "Status=200")
	}
}

func TestParse_EscapedQuoteInUserAgent(t *testing.T) {
	for _, tc := range []struct{ raw, want string }{
		{`"say \"hi\""`, `say \"hi\"`},
		{`"say \"hi\" twice"`, `say \"hi\" twice`},
		{`"\""`, `\"`},
		{`"\\"`, `\\`},
		{`"\\\""`, `\\\"`},
		{`"ends with a backslash \\"`, `ends with a backslash \\`},
		{`"\x22 \" \x5c"`, `\x22 \" \x5c`},
		{`" two  spaces "`, ` two  spaces `},
		{`""`, ``},
	} {
		const why = "The client chooses these bytes. Whoever ends a field at the wrong quote lets the client write the fields behind it."
		head := `192.0.2.7 - - [23/Nov/2026:07:15:02 +0000] "GET / HTTP/1.1" 200 5 `
		want := strconv.Quote(tc.want)
		requireFields(t, head+`"-" `+tc.raw, accesslog.Apache, why, "Referer=nil", "UserAgent="+want)
		requireFields(t, head+tc.raw+` "Mozilla/5.0"`, accesslog.Apache, why, "Referer="+want, `UserAgent="Mozilla/5.0"`)
		requireFields(t, head+tc.raw+` `+tc.raw+` 0.25 `+tc.raw, accesslog.TaskTracker, why,
			"Referer="+want, "UserAgent="+want, "Duration=250ms", "RequestID="+want)
	}
}

func TestParse_NginxQuoteIsNeverEscaped(t *testing.T) {
	for _, tc := range []struct{ raw, want string }{
		{`"\x22quoted\x22"`, `\x22quoted\x22`},
		{`"C:\"`, `C:\`},
		{`"\\"`, `\\`},
		{`"\\\"`, `\\\`},
	} {
		requireFields(t, `192.0.2.7 - - [23/Nov/2026:07:15:02 +0000] "GET / HTTP/1.1" 200 5 `+tc.raw+` "Mozilla/5.0"`, accesslog.Nginx,
			`nginx writes \x22 for a quote in a field, so the next quote is the end whatever is in front of it.`,
			"Referer="+strconv.Quote(tc.want), `UserAgent="Mozilla/5.0"`)
	}
}

func TestParse_TLSBytesAsRequest(t *testing.T) {
	for _, request := range []string{
		`\x16\x03\x01`,
		`\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03`,
		`\x16\x03\x01 \xf1; HTTP/1.1`,
		`MGLNDD_192.0.2.10_443`,
		`SSH-2.0-OpenSSH_9.2p1 Debian-2`,
		`\n`,
		`GET`,
		`GET `,
		` `,
		` / HTTP/1.1`,
		`get / HTTP/1.1`,
		`GET  HTTP/1.1`,
		`GET /a b`,
		`GET / HTTP/1`,
		`GET / HTTP/1.10`,
		`GET / http/1.1`,
		`GET / HTTP/x.1`,
		`GET / HTTP/1-1`,
		`GET / HTTP/1.x`,
		`[AZ / HTTP/1.1`,
		`POST /a`,
		`USER anonymous`,
	} {
		requireFields(t, `192.0.2.44 - - [23/Nov/2026:07:15:31 +0000] "`+request+`" 400 226 "-" "-"`, accesslog.Apache,
			"Scanners speak TLS, SSH and nonsense to port 80 all day. These lines belong into the report of errors, with the bytes they sent.",
			"Method=nil", "Target="+strconv.Quote(request), "Proto=nil", "Status=400", "Bytes=226")
	}
}

func TestParse_HTTP09(t *testing.T) {
	for _, target := range []string{"/", "/index.html", "http://example.com/", "HTTP/1.1", `/\"q\"`} {
		requireFields(t, `192.0.2.90 - - [23/Nov/2026:07:16:00 +0000] "GET `+target+`" 200 1205 "-" "-"`, accesslog.Apache,
			"Health checks of old load balancers send a GET without a protocol. It is a request like any other.",
			`Method="GET"`, "Target="+strconv.Quote(target), "Proto=nil", "Status=200")
	}
}

func TestParse_RequestForms(t *testing.T) {
	for _, tc := range []struct{ request, method, target, proto string }{
		{`GET / HTTP/1.1`, "GET", "/", "HTTP/1.1"},
		{`POST /v1/tasks?limit=50 HTTP/2.0`, "POST", "/v1/tasks?limit=50", "HTTP/2.0"},
		{`OPTIONS * HTTP/1.0`, "OPTIONS", "*", "HTTP/1.0"},
		{`CONNECT mail.example:25 HTTP/1.1`, "CONNECT", "mail.example:25", "HTTP/1.1"},
		{`M-SEARCH * HTTP/1.1`, "M-SEARCH", "*", "HTTP/1.1"},
		{`AZ /all/of/the/alphabet HTTP/1.1`, "AZ", "/all/of/the/alphabet", "HTTP/1.1"},
		{`RPC_IN_DATA /rpc HTTP/1.1`, "RPC_IN_DATA", "/rpc", "HTTP/1.1"},
		{`GET /a b HTTP/1.1`, "GET", "/a b", "HTTP/1.1"},
		{`GET  /a  HTTP/1.1`, "GET", " /a ", "HTTP/1.1"},
		{`GET / HTTP/1.1 HTTP/1.1`, "GET", "/ HTTP/1.1", "HTTP/1.1"},
		{`GET /?q=\"a b\" HTTP/1.1`, "GET", `/?q=\"a b\"`, "HTTP/1.1"},
	} {
		requireFields(t, `192.0.2.7 - - [23/Nov/2026:07:15:02 +0000] "`+tc.request+`" 200 5 "-" "-"`, accesslog.Apache,
			"A target that loses what stands behind its first space hides the attack that the line is about.",
			fmt.Sprintf("Method=%q", tc.method), fmt.Sprintf("Target=%q", tc.target), fmt.Sprintf("Proto=%q", tc.proto))
	}
}

func TestParse_ZoneOffsets(t *testing.T) {
	// A machine in Kathmandu reads the logs of the world.
	defer func(local *time.Location) { time.Local = local }(time.Local)
	time.Local = time.FixedZone("+0545", (5*60+45)*60)

	for _, tc := range []struct{ clock, want string }{
		{"23/Nov/2026:07:15:02 +0000", "2026-11-23T07:15:02Z"},
		{"23/Nov/2026:07:15:02 -0000", "2026-11-23T07:15:02Z"},
		{"23/Nov/2026:07:15:02 +0100", "2026-11-23T06:15:02Z"},
		{"23/Nov/2026:07:15:02 -0800", "2026-11-23T15:15:02Z"},
		{"23/Nov/2026:07:15:02 -0330", "2026-11-23T10:45:02Z"},
		{"23/Nov/2026:07:15:02 +0545", "2026-11-23T01:30:02Z"},
		{"23/Nov/2026:07:15:02 -0015", "2026-11-23T07:30:02Z"},
		{"01/Jan/2027:00:30:00 +1345", "2026-12-31T10:45:00Z"},
		{"31/Dec/2026:23:30:00 -1200", "2027-01-01T11:30:00Z"},
		{"29/Feb/2028:23:59:59 -0001", "2028-03-01T00:00:59Z"},
	} {
		line := `192.0.2.7 - - [` + tc.clock + `] "GET / HTTP/1.1" 200 5 "-" "-"`
		requireFields(t, line, accesslog.Nginx,
			"Servers in three zones write one incident. Without their offsets its lines come in the wrong order.", "Time="+tc.want)
		var e accesslog.Entry
		if _ = accesslog.Parse([]byte(line), accesslog.Nginx, &e); e.Time.Location() != time.UTC {
			rule.Broken(t, rule.Case{
				Do:   call(line, accesslog.Nginx) + "\nfmt.Println(e.Time.Location() == time.UTC)",
				Got:  false,
				Want: true,
				Why:  "A time in the zone of the machine that reads the log gives another report on every machine.",
			})
		}
	}
}

func TestParse_EntryFullyReset(t *testing.T) {
	full := lines(t, "testdata/tasktracker.log")[1]
	empty := `unix: - - [23/Nov/2026:07:15:20 +0000] "-" 000 0 "-" "-"`
	broken := `192.0.2.7 - ann [23/Nov/2026:07:15:02 +0000] "GET / HTTP/1.1" 200 5 "https://shop.example/" "Mozilla/5.0 `

	e := parse(t, full, accesslog.TaskTracker)
	if err := accesslog.Parse([]byte(empty), accesslog.Nginx, &e); err != nil {
		requireFields(t, empty, accesslog.Nginx, "")
	}
	requireRows(t, rows(&e), goldenRows(t, empty, accesslog.Nginx),
		call(full, accesslog.TaskTracker)+"\n"+callAgain(empty, accesslog.Nginx),
		"A program has one Entry for a billion lines. A field left over from the line before sends a bill to the wrong customer.")

	e = parse(t, full, accesslog.TaskTracker)
	if err := accesslog.Parse([]byte(broken), accesslog.Apache, &e); err == nil {
		requireBroken(t, broken, accesslog.Apache, "user agent", strings.LastIndex(broken, `"`), "The field has no end.")
	}
	requireZero(t, &e, call(full, accesslog.TaskTracker)+"\n"+callAgain(broken, accesslog.Apache))
}

func TestParse_DashBytes(t *testing.T) {
	line := func(sent string) string {
		return `192.0.2.7 - - [23/Nov/2026:07:15:02 +0000] "HEAD / HTTP/1.1" 304 ` + sent + ` "-" "Mozilla/5.0"`
	}
	for _, tc := range []struct {
		sent string
		want string
	}{
		{"-", "0"},
		{"0", "0"},
		{"007", "7"},
		{"2326", "2326"},
		{"4294967296", "4294967296"},
		{"999999999999999999", "999999999999999999"},
	} {
		requireFields(t, line(tc.sent), accesslog.Apache,
			`Apache writes "-" for an answer without a body. A tenth of a day's lines has it.`,
			"Status=304", "Bytes="+tc.want, `UserAgent="Mozilla/5.0"`)
	}
	for _, sent := range []string{"", "--", "-5", "+5", "5k", "5.0", "0x10", "1_000", "1000000000000000000", "99999999999999999999"} {
		requireBroken(t, line(sent), accesslog.Apache, "bytes", strings.Index(line(""), "304")+4,
			"A sum of bytes that went wrong in one line is wrong for the month.")
	}
}

func TestParse_EmptyRequest408(t *testing.T) {
	for _, request := range []string{"-", ""} {
		requireFields(t, `192.0.2.44 - - [23/Nov/2026:07:15:20 +0000] "`+request+`" 408 - "-" "-"`, accesslog.Apache,
			"A client that connects and says nothing gets a line too. It has no request, and no request is nil.",
			"Method=nil", "Target=nil", "Proto=nil", "Status=408", "Bytes=0")
	}
}

func TestParse_ImpossibleTimes(t *testing.T) {
	const head = `192.0.2.7 - - `
	line := func(clock string) string { return head + clock + ` "GET / HTTP/1.1" 200 5 "-" "-"` }
	requireFields(t, line("[29/Feb/2028:23:59:59 +2359]"), accesslog.Apache, "2028 is a leap year.", "Time=2028-02-29T00:00:59Z")
	for _, clock := range []string{
		"[29/Feb/2027:00:00:00 +0000]", "[31/Apr/2026:00:00:00 +0000]", "[00/Nov/2026:00:00:00 +0000]", "[32/Dec/2026:00:00:00 +0000]",
		"[23/Nov/2026:24:00:00 +0000]", "[23/Nov/2026:07:60:00 +0000]", "[23/Nov/2026:07:15:60 +0000]",
		"[23/Nov/2026:07:15:02 +2400]", "[23/Nov/2026:07:15:02 +0060]", "[23/Nov/2026:07:15:02 00000]", "[23/Nov/2026:07:15:02 +00:0]",
		"[23/Now/2026:07:15:02 +0000]", "[23/nov/2026:07:15:02 +0000]", "[23/11./2026:07:15:02 +0000]",
		"[3/Nov/2026:07:15:02 +0000]", "[ 3/Nov/2026:07:15:02 +0000]", "[23/Nov/2026 07:15:02 +0000]", "[23-Nov-2026:07:15:02 +0000]",
		"[2026-11-23T07:15:02+00:00]", "[23/Nov/2026:07:15:02 +0000", "[23/Nov/2026:07:15:02.123 +0000]", "[]", "[",
	} {
		requireBroken(t, line(clock), accesslog.Apache, "time", len(head),
			"A time that does not exist comes from a line that was cut or forged. Rounded to one that does, nobody notices.")
	}
}

func TestParse_Duration(t *testing.T) {
	const head = `198.51.100.7 - - [23/Nov/2026:07:15:02 +0000] "GET /v1/tasks HTTP/1.1" 200 1843 "-" "tt-cli/1.4.0" `
	for _, tc := range []struct {
		seconds string
		want    time.Duration
	}{
		{"0", 0},
		{"12", 12 * time.Second},
		{"0.5", 500 * time.Millisecond},
		{"0.012", 12 * time.Millisecond},
		{"0.000127", 127 * time.Microsecond},
		{"1.000000001", time.Second + 1},
		{"007.250", 7250 * time.Millisecond},
		{"999999999.999999999", 999999999999999999},
	} {
		requireFields(t, head+tc.seconds+` "req_1"`, accesslog.TaskTracker,
			"0.012 is 12 milliseconds. Read as 12 nanoseconds or 12 seconds, the latency graph is fiction.",
			fmt.Sprint("Duration=", tc.want), `RequestID="req_1"`)
	}
	for _, seconds := range []string{"", "-", ".", ".5", "5.", "-1", "+1", "1e3", "1,5", "1.5s", "1.-5", "1.2.3", "1000000000", "0.0000000001"} {
		requireBroken(t, head+seconds+` "req_1"`, accesslog.TaskTracker, "duration", len(head),
			"A latency nobody can read is a broken line and not a fast request.")
	}
}

func TestParse_TruncatedAtEveryByte(t *testing.T) {
	for _, d := range dialects {
		for _, line := range lines(t, d.file+".log") {
			parse(t, line, d.dialect)
			for n := range len(line) {
				field, offset := brokenAt(line[:n], d.dialect)
				requireBroken(t, line[:n], d.dialect, field, offset,
					"The last line of a log that is being written, or of a full disk, ends anywhere. Half an entry must not be counted.")
			}
		}
	}
}

func TestParse_ErrorNamesFieldAndOffset(t *testing.T) {
	const apache = `192.0.2.7 - - [23/Nov/2026:07:15:02 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8.14.1"`
	const tracker = apache + ` 0.012 "req_1"`
	for _, tc := range []struct {
		dialect accesslog.Dialect
		line    string
		field   string
		offset  int
	}{
		{accesslog.Apache, "", "host", 0},
		{accesslog.Apache, " - -", "host", 0},
		{accesslog.Apache, "192.0.2.7", "ident", 9},
		{accesslog.Apache, "192.0.2.7 ", "ident", 10},
		{accesslog.Apache, strings.Replace(apache, " - ", "  ", 1), "ident", 10},
		{accesslog.Apache, strings.Replace(apache, "- [", " [", 1), "user", 12},
		{accesslog.Apache, "192.0.2.7 - ann", "user", 12},
		{accesslog.Apache, strings.Replace(apache, "Nov", "Now", 1), "time", 14},
		{accesslog.Apache, strings.Replace(apache, `] "`, `]"`, 1), "request", 42},
		{accesslog.Apache, strings.Replace(apache, `] "`, `]  "`, 1), "request", 43},
		{accesslog.Apache, strings.Replace(apache, `"GET`, `GET`, 1), "request", 43},
		{accesslog.Apache, apache[:58], "request", 43},
		{accesslog.Apache, strings.Replace(apache, `1" 2`, `1"2`, 1), "status", 59},
		{accesslog.Apache, strings.Replace(apache, "200", "20", 1), "status", 60},
		{accesslog.Apache, strings.Replace(apache, "200", "2000", 1), "status", 60},
		{accesslog.Apache, strings.Replace(apache, "200", "2x0", 1), "status", 60},
		{accesslog.Apache, strings.Replace(apache, "200", "+20", 1), "status", 60},
		{accesslog.Apache, strings.Replace(apache, "200", "-", 1), "status", 60},
		{accesslog.Apache, strings.Replace(apache, " 5 ", " five ", 1), "bytes", 64},
		{accesslog.Apache, strings.Replace(apache, `5 "-"`, `5 -`, 1), "referer", 66},
		{accesslog.Apache, strings.Replace(apache, `"-" "`, `"-""`, 1), "user agent", 69},
		{accesslog.Apache, strings.TrimSuffix(apache, `"`), "user agent", 70},
		{accesslog.Apache, strings.TrimSuffix(apache, `"`) + `\"`, "user agent", 70},
		{accesslog.Apache, strings.TrimSuffix(apache, `"`) + `\`, "user agent", 70},
		{accesslog.Apache, apache + " ", "line end", 83},
		{accesslog.Apache, apache + "\r", "line end", 83},
		{accesslog.Apache, apache + "\n", "line end", 83},
		{accesslog.Apache, apache + `"`, "line end", 83},
		{accesslog.Apache, tracker, "line end", 83},
		{accesslog.Nginx, tracker, "line end", 83},
		{accesslog.Nginx, strings.Replace(apache, "curl/", `\"`, 1), "line end", 73},
		{accesslog.TaskTracker, apache, "duration", 83},
		{accesslog.TaskTracker, strings.Replace(tracker, "0.012", "12ms", 1), "duration", 84},
		{accesslog.TaskTracker, strings.TrimSuffix(tracker, ` "req_1"`), "request id", 89},
		{accesslog.TaskTracker, strings.ReplaceAll(tracker, `"req_1"`, "req_1"), "request id", 90},
		{accesslog.TaskTracker, tracker + " -", "line end", 97},
	} {
		requireBroken(t, tc.line, tc.dialect, tc.field, tc.offset,
			"Somebody will look for the one bad line in three billion, and the error is all that he has.")
	}
}

func TestParse_FieldsAreBorrowed(t *testing.T) {
	text := lines(t, "testdata/tasktracker.log")[1]
	line := []byte(text)
	var e accesslog.Entry
	if err := accesslog.Parse(line, accesslog.TaskTracker, &e); err != nil {
		requireFields(t, text, accesslog.TaskTracker, "")
	}
	if string(line) != text {
		rule.Broken(t, rule.Case{Do: call(text, accesslog.TaskTracker) + "\nfmt.Println(string(line))", Got: line, Want: text, Why: "The caller still needs the line, for the report of errors."})
	}
	for i := range line {
		line[i] = 'x'
	}
	for _, f := range []struct {
		name  string
		bytes []byte
	}{
		{"Host", e.Host}, {"User", e.User}, {"Method", e.Method}, {"Target", e.Target}, {"Proto", e.Proto},
		{"UserAgent", e.UserAgent}, {"RequestID", e.RequestID},
	} {
		if len(f.bytes) == 0 || len(bytes.Trim(f.bytes, "x")) > 0 {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("line := []byte(%s)\nerr := Parse(line, TaskTracker, &e)\nfor i := range line {\n\tline[i] = 'x'\n}\nfmt.Printf(\"%%q\", e.%s)", literal(text), f.name),
				Got:  f.bytes,
				Want: rule.Text("only x: the field is a window on the line"),
				Why:  "A copy of every field of a billion lines is what this parser replaces.",
			})
		}
	}
}

func TestParse_Concurrent(t *testing.T) {
	logs := lines(t, "testdata/nginx.log")
	want := make([][]string, len(logs))
	for i, line := range logs {
		want[i] = goldenRows(t, line, accesslog.Nginx)
	}
	var wg sync.WaitGroup
	var wrong sync.Map
	for range 4 {
		wg.Go(func() {
			var e accesslog.Entry
			for n := range 20 * len(logs) {
				i := n % len(logs)
				if err := accesslog.Parse([]byte(logs[i]), accesslog.Nginx, &e); err != nil || !slices.Equal(rows(&e), want[i]) {
					wrong.LoadOrStore(i, rows(&e))
				}
			}
		})
	}
	wg.Wait()
	wrong.Range(func(i, got any) bool {
		requireRows(t, got.([]string), want[i.(int)], call(logs[i.(int)], accesslog.Nginx)+" // while three other goroutines call Parse",
			"Each log file has a goroutine. What they share in secret mixes their lines.")
		return false
	})
}

func TestUnescape_DialectsDiffer(t *testing.T) {
	for _, tc := range []struct{ field, apache, nginx string }{
		{`plain`, "plain", "plain"},
		{``, "", ""},
		{`\"hi\"`, `"hi"`, `\"hi\"`},
		{`\x22hi\x22`, `"hi"`, `"hi"`},
		{`caf\xc3\xa9`, "café", "café"},
		{`caf\xC3\xA9`, "café", "café"},
		{`caf\xc3\xA9`, "café", "café"},
		{`\b\n\r\t\v`, "\b\n\r\t\v", `\b\n\r\t\v`},
		{`\x00\x0a`, "\x00\n", "\x00\n"},
		{`C:\\new`, `C:\new`, `C:\\new`},
		{`C:\x5Cnew`, `C:\new`, `C:\new`},
		{`\\x41`, `\x41`, `\A`},
		{`\\\x41`, `\A`, `\\A`},
		{`\x5Cx41`, `\x41`, `\x41`},
		{`\d+\.go`, `\d+\.go`, `\d+\.go`},
		{`\X41\u0041\101`, `\X41\u0041\101`, `\X41\u0041\101`},
		{`\xg0\x0g\x`, `\xg0\x0g\x`, `\xg0\x0g\x`},
		{`\x/0\x0:\x@0\x0G`, `\x/0\x0:\x@0\x0G`, `\x/0\x0:\x@0\x0G`},
		{`\x09\xAF\xfa`, "\x09\xaf\xfa", "\x09\xaf\xfa"},
		{`\x4`, `\x4`, `\x4`},
		{`\`, `\`, `\`},
		{`end\`, `end\`, `end\`},
	} {
		for _, d := range dialects {
			want, why := tc.apache, "Each server has escapes of its own. With those of the other one, reports show bytes that no client sent."
			switch {
			case d.dialect == accesslog.Nginx:
				want = tc.nginx
				if tc.nginx != tc.apache {
					why = `nginx writes \x and two digits, and no other escape. A backslash in front of anything else is one that the client sent.`
				}
			case strings.Contains(tc.field, `\\`):
				why = "A backslash that was escaped is a backslash, and the byte behind it is text. Whoever replaces one kind of escape after the other reads it twice."
			}
			requireUnescaped(t, "", tc.field, d.dialect, want, why)
		}
	}
	requireUnescaped(t, "before ", `\x41`, accesslog.Apache, "before A", "What dst holds stays in front.")
}

// TestUnescape_UndoesTheServer escapes random bytes as the servers do.
func TestUnescape_UndoesTheServer(t *testing.T) {
	const seed, rounds = 1, 5_000
	r := rand.New(rand.NewPCG(seed, seed))
	for range rounds {
		sent := string(pieces(r, `"`, `\`, "x", "41", "n", "\n", "\t", "\v", "\x00", "\x7f", "é", "\xff", " ", "/tasks"))
		for _, d := range dialects {
			field := escapeApache(sent)
			if d.dialect == accesslog.Nginx {
				field = escapeNginx(sent)
			}
			requireUnescaped(t, "", field, d.dialect, sent, "A search for what the client sent must find what the client sent.")
		}
	}
}

func TestParse_Allocs(t *testing.T) {
	var e accesslog.Entry
	var dst []byte
	for _, d := range dialects {
		for _, text := range lines(t, d.file+".log") {
			text = strings.Replace(text, "+0000]", "-0330]", 1)
			parse(t, text, d.dialect)
			line := []byte(text)
			limit := 0
			if host, _, _ := strings.Cut(text, " "); strings.Contains(host, ":") {
				limit = 2
			}
			allocs.AtMost(t, limit, call(text, d.dialect), func() { _ = accesslog.Parse(line, d.dialect, &e) })
			dst = slices.Grow(dst[:0], len(line))
			allocs.AtMost(t, 0, fmt.Sprintf("dst = Unescape(dst[:0], e.UserAgent, %s) // dst has room", d.name), func() { dst = accesslog.Unescape(dst[:0], e.UserAgent, d.dialect) })
			if t.Failed() {
				return // one line is enough to read
			}
		}
	}
}

// TestParse_MatchesBaseline compares 8,000 mutations of the logs with the
// regular expressions.
func TestParse_MatchesBaseline(t *testing.T) {
	const seed, rounds = 2, 8_000
	r := rand.New(rand.NewPCG(seed, seed))
	var seeds []string
	for _, d := range dialects {
		seeds = append(seeds, lines(t, d.file+".log")...)
	}
	for n := range rounds {
		line := seeds[r.IntN(len(seeds))]
		for range r.IntN(4) {
			line = mutate(r, line, seeds)
		}
		requireBaseline(t, line, dialects[n%len(dialects)].dialect)
	}
}

func TestParse_ApacheGolden(t *testing.T)      { requireGolden(t, accesslog.Apache) }
func TestParse_NginxGolden(t *testing.T)       { requireGolden(t, accesslog.Nginx) }
func TestParse_TaskTrackerGolden(t *testing.T) { requireGolden(t, accesslog.TaskTracker) }

// requireGolden compares the rows of a log with its golden file, in which a line
// holds the fields of an entry with tabs between them.
func requireGolden(t *testing.T, d accesslog.Dialect) {
	t.Helper()
	golden := lines(t, dialects[d].file+".golden")
	for i, line := range lines(t, dialects[d].file+".log") {
		requireFields(t, line, d, "A field that is lost or cut here is wrong in every report of the day.", strings.Split(golden[i], "\t")...)
	}
}

func FuzzParse(f *testing.F) {
	for _, d := range dialects {
		for _, line := range lines(f, d.file+".log") {
			f.Add([]byte(line), uint8(d.dialect))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte, d uint8) {
		requireBaseline(t, string(line), accesslog.Dialect(d%3))
	})
}

func BenchmarkParse(b *testing.B) {
	type input struct {
		line    []byte
		dialect accesslog.Dialect
	}
	var inputs []input
	for _, d := range dialects {
		for _, line := range lines(b, d.file+".log") {
			inputs = append(inputs, input{[]byte(line), d.dialect})
		}
	}
	var e accesslog.Entry
	all := func(parse func([]byte, accesslog.Dialect, *accesslog.Entry) error) {
		for _, in := range inputs {
			if err := parse(in.line, in.dialect, &e); err != nil {
				b.Fatalf("%s: %v", in.line, err)
			}
		}
	}
	abbench.Compare(b, func() { all(slowParse) }, func() { all(accesslog.Parse) })
}

// requireBaseline compares Parse with the parser of the service.
func requireBaseline(t *testing.T, line string, d accesslog.Dialect) {
	t.Helper()
	var want accesslog.Entry
	if err := slowParse([]byte(line), d, &want); err != nil {
		field, offset := brokenAt(line, d)
		requireBroken(t, line, d, field, offset, "The parser that the service runs today refuses this line.")
		return
	}
	requireFields(t, line, d, "The parser that the service runs today reads this line so.", rows(&want)...)
}

// requireFields parses line and compares those fields that want names, each as
// rows gives it.
func requireFields(t testing.TB, line string, d accesslog.Dialect, why string, want ...string) {
	t.Helper()
	var e accesslog.Entry
	if err := accesslog.Parse(slices.Clip([]byte(line)), d, &e); err != nil {
		rule.Broken(t, rule.Case{Do: call(line, d), Got: err, Want: rule.Text("no error\n" + strings.Join(want, "\n")), Why: why})
	}
	var got []string
	for _, row := range rows(&e) {
		name, _, _ := strings.Cut(row, "=")
		if slices.ContainsFunc(want, func(w string) bool { return strings.HasPrefix(w, name+"=") }) {
			got = append(got, row)
		}
	}
	requireRows(t, got, want, call(line, d), why)
}

// requireRows reports the rows of got that differ from want. Both have the same
// fields in the same order.
func requireRows(t testing.TB, got, want []string, do, why string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	if len(got) != len(want) {
		t.Fatalf("the test names fields that do not exist, or in another order: %q, have %q", want, got)
	}
	var g, w []string
	for i := range want {
		if got[i] != want[i] {
			g, w = append(g, got[i]), append(w, want[i])
		}
	}
	rule.Broken(t, rule.Case{Do: do, Got: rule.Text(strings.Join(g, "\n")), Want: rule.Text(strings.Join(w, "\n")), Why: why})
}

// requireBroken demands an error of Parse about this field and offset, and an
// entry that holds nothing.
func requireBroken(t testing.TB, line string, d accesslog.Dialect, field string, offset int, why string) {
	t.Helper()
	want := rule.Textf("a *ParseError with Field %q, Offset %d, and an Err", field, offset)
	e := accesslog.Entry{Status: 500, User: []byte("the user of the line before")}
	err := accesslog.Parse(slices.Clip([]byte(line)), d, &e)
	if err == nil {
		rule.Broken(t, rule.Case{Do: call(line, d), Got: rule.Text(strings.Join(append([]string{"no error"}, rowsOf(&e, field)...), "\n")), Want: want, Why: why})
	}
	broken, ok := errors.AsType[*accesslog.ParseError](err)
	switch {
	case !ok:
		rule.Broken(t, rule.Case{Do: call(line, d), Got: rule.Textf("%T: %v", err, err), Want: want, Why: why})
	case broken.Field != field || broken.Offset != offset || broken.Err == nil:
		rule.Broken(t, rule.Case{
			Do:   call(line, d),
			Got:  rule.Textf("Field %q, Offset %d, Err %v", broken.Field, broken.Offset, broken.Err),
			Want: want, Why: why,
		})
	case errors.Unwrap(err) != broken.Err:
		rule.Broken(t, rule.Case{Do: call(line, d) + "\nerrors.Unwrap(err)", Got: errors.Unwrap(err), Want: rule.Textf("its Err, %v", broken.Err), Why: "errors.Is looks through Unwrap only."})
	case !strings.Contains(err.Error(), field) || !strings.Contains(err.Error(), strconv.Itoa(offset)) || !strings.Contains(err.Error(), broken.Err.Error()):
		rule.Broken(t, rule.Case{Do: call(line, d) + "\nerr.Error()", Got: err.Error(), Want: rule.Textf("a text with %q, %d and %q", field, offset, broken.Err.Error()), Why: "The text is what reaches the operator."})
	}
	requireZero(t, &e, "// e holds the line before\n"+callAgain(line, d))
}

// requireZero demands that e, after an error, holds nothing.
func requireZero(t testing.TB, e *accesslog.Entry, do string) {
	t.Helper()
	var left []string
	zero := rows(&accesslog.Entry{})
	for i, row := range rows(e) {
		if row != zero[i] {
			left = append(left, row)
		}
	}
	if len(left) > 0 {
		rule.Broken(t, rule.Case{
			Do:   do + " // an error",
			Got:  rule.Text("e still has " + strings.Join(left, ", ")),
			Want: rule.Text("e is Entry{}"),
			Why:  "A caller that counts bad lines and goes on must not find half of one, or the line before.",
		})
	}
}

func requireUnescaped(t *testing.T, dst, field string, d accesslog.Dialect, want, why string) {
	t.Helper()
	do := fmt.Sprintf("Unescape([]byte(%q), []byte(%s), %s)", dst, literal(field), dialects[d].name)
	original := []byte(field)
	got := accesslog.Unescape([]byte(dst), original, d)
	if string(got) != want {
		rule.Broken(t, rule.Case{Do: do, Got: got, Want: want, Why: why})
	}
	if string(original) != field {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("the field is now %q", original), Want: rule.Text("the field as it was"), Why: "The field is a part of the caller's line."})
	}
	if dst != "" {
		return
	}
	if got := accesslog.Unescape(original[:0], original, d); string(got) != want {
		rule.Broken(t, rule.Case{
			Do: fmt.Sprintf("field := []byte(%s)\nUnescape(field[:0], field, %s)", literal(field), dialects[d].name), Got: got, Want: want,
			Why: "What is unescaped is never longer, so a caller who is done with the line may use its bytes.",
		})
	}
}

// parse parses a line that is right.
func parse(t testing.TB, line string, d accesslog.Dialect) accesslog.Entry {
	t.Helper()
	var e accesslog.Entry
	if err := accesslog.Parse(slices.Clip([]byte(line)), d, &e); err != nil {
		rule.Broken(t, rule.Case{Do: call(line, d), Got: err, Want: rule.Text("no error"), Why: "This is a complete line of the dialect."})
	}
	return e
}

// rows shows the fields of an entry.
func rows(e *accesslog.Entry) []string {
	text := func(b []byte) string {
		if b == nil {
			return "nil"
		}
		return strconv.Quote(string(b))
	}
	return []string{
		"Host=" + text(e.Host), "Addr=" + e.Addr.String(), "Ident=" + text(e.Ident), "User=" + text(e.User),
		"Time=" + e.Time.UTC().Format(time.RFC3339Nano),
		"Method=" + text(e.Method), "Target=" + text(e.Target), "Proto=" + text(e.Proto),
		fmt.Sprint("Status=", e.Status), fmt.Sprint("Bytes=", e.Bytes),
		"Referer=" + text(e.Referer), "UserAgent=" + text(e.UserAgent),
		fmt.Sprint("Duration=", e.Duration), "RequestID=" + text(e.RequestID),
	}
}

// rowsOf returns those rows of e that the field of a ParseError is about.
func rowsOf(e *accesslog.Entry, field string) []string {
	name := strings.ReplaceAll(field, " ", "")
	if field == "request" {
		name = "Target"
	}
	return slices.DeleteFunc(rows(e), func(row string) bool {
		got, _, _ := strings.Cut(row, "=")
		return !strings.EqualFold(got, name)
	})
}

func goldenRows(t testing.TB, line string, d accesslog.Dialect) []string {
	t.Helper()
	var e accesslog.Entry
	if err := slowParse([]byte(line), d, &e); err != nil {
		t.Fatalf("the baseline refuses %q: %v", line, err)
	}
	return rows(&e)
}

// call is Go code that parses line.
func call(line string, d accesslog.Dialect) string {
	return fmt.Sprintf("var e Entry\nerr := Parse([]byte(%s), %s, &e)", literal(line), dialects[d].name)
}

// callAgain is Go code that parses line into an entry that is there already.
func callAgain(line string, d accesslog.Dialect) string {
	return fmt.Sprintf("err = Parse([]byte(%s), %s, &e)", literal(line), dialects[d].name)
}

// literal returns s as a Go string, without escapes if it can be.
func literal(s string) string {
	if strconv.CanBackquote(s) {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}

func lines(t testing.TB, name string) []string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

var (
	wordStart    = regexp.MustCompile(`^[^ ]+`)
	timeStart    = regexp.MustCompile(`^` + clock)
	escapedStart = regexp.MustCompile(`(?s)^` + escaped)
	plainStart   = regexp.MustCompile(`(?s)^` + unescaped)
	statusWord   = regexp.MustCompile(`^` + status + `$`)
	bytesWord    = regexp.MustCompile(`^` + bodyBytes + `$`)
	secondsWord  = regexp.MustCompile(`^` + seconds + `$`)
)

// brokenAt returns the first broken field of line, and where it begins.
func brokenAt(line string, d accesslog.Dialect) (field string, offset int) {
	quoted := escapedStart
	if d == accesslog.Nginx {
		quoted = plainStart
	}
	steps := []struct {
		field       string
		start, good *regexp.Regexp
	}{
		{"host", wordStart, nil},
		{"ident", wordStart, nil},
		{"user", nil, nil},
		{"time", timeStart, nil},
		{"request", quoted, nil},
		{"status", wordStart, statusWord},
		{"bytes", wordStart, bytesWord},
		{"referer", quoted, nil},
		{"user agent", quoted, nil},
		{"duration", wordStart, secondsWord},
		{"request id", quoted, nil},
	}
	if d != accesslog.TaskTracker {
		steps = steps[:9]
	}
	at := 0
	for _, s := range steps {
		if at > 0 {
			if !strings.HasPrefix(line[at:], " ") {
				return s.field, at
			}
			at++
		}
		n := 0
		if s.start == nil {
			n = strings.Index(line[at:], " [")
		} else {
			n = len(s.start.FindString(line[at:]))
		}
		if n <= 0 || s.good != nil && !s.good.MatchString(line[at:at+n]) {
			return s.field, at
		}
		if s.field == "time" {
			if _, err := time.Parse("[02/Jan/2006:15:04:05 -0700]", line[at:at+n]); err != nil {
				return s.field, at
			}
		}
		at += n
	}
	return "line end", at
}

// mutate changes one place of line.
func mutate(r *rand.Rand, line string, seeds []string) string {
	alphabet := []string{`"`, `\`, `\"`, `\\`, " ", "  ", " [", "[", "]", "-", `"-"`, `""`, "0", "9", "31", "Feb", ":", ".", "+", "/", "A", "x", "GET ", " HTTP/1.1", "\x00", "\xff", "é", "\n"}
	from := r.IntN(len(line) + 1)
	to := min(len(line), from+r.IntN(4))
	switch r.IntN(4) {
	case 0: // cut
		return line[:from] + line[to:]
	case 1: // splice
		other := seeds[r.IntN(len(seeds))]
		return line[:from] + other[min(from, len(other)):]
	case 2: // overwrite
		return line[:from] + alphabet[r.IntN(len(alphabet))] + line[to:]
	default: // insert
		return line[:from] + alphabet[r.IntN(len(alphabet))] + line[from:]
	}
}

// pieces joins up to 12 of choices.
func pieces(r *rand.Rand, choices ...string) []byte {
	var b []byte
	for range r.IntN(13) {
		b = append(b, choices[r.IntN(len(choices))]...)
	}
	return b
}

// escapeApache is ap_escape_logitem of Apache's server/util.c.
func escapeApache(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch ch := s[i]; {
		case ch == '"' || ch == '\\':
			b.WriteByte('\\')
			b.WriteByte(ch)
		case strings.IndexByte("\b\n\r\t\v", ch) >= 0:
			b.WriteByte('\\')
			b.WriteByte("bnrtv"[strings.IndexByte("\b\n\r\t\v", ch)])
		case ch < ' ' || ch > '~':
			fmt.Fprintf(&b, `\x%02x`, ch)
		default:
			b.WriteByte(ch)
		}
	}
	return b.String()
}

// escapeNginx is ngx_http_log_escape of nginx.
func escapeNginx(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if ch := s[i]; ch == '"' || ch == '\\' || ch < ' ' || ch > '~' {
			fmt.Fprintf(&b, `\x%02X`, ch)
		} else {
			b.WriteByte(ch)
		}
	}
	return b.String()
}
