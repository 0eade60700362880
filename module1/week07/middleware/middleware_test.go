package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/allocs"
	"github.com/middle-go/course/grader/labkit/pipenet"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week07/middleware"
)

// accessLog and the two below are how most reports begin.
const (
	accessLog = "h := AccessLog(line, log, now)(handler)\n"
	recovers  = "h := Recover(log)(handler)\n"
	timeout   = "h := Timeout(time.Second)(handler)\n"
)

func (l *logged) accessLog(handler http.HandlerFunc) http.Handler {
	return middleware.AccessLog(&l.lines, l.records.logger(), l.clock.now)(handler)
}

func TestChain_Order(t *testing.T) {
	var made, ran []string
	mark := func(name string) middleware.Middleware {
		return func(next http.Handler) http.Handler {
			made = append(made, name)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ran = append(ran, name+" in")
				next.ServeHTTP(w, r)
				ran = append(ran, name+" out")
			})
		}
	}
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = append(ran, "h") })
	for _, tc := range []struct {
		do   string
		mws  []middleware.Middleware
		want []string
	}{
		{"Chain(h)", nil, []string{"h"}},
		{"Chain(h, a)", []middleware.Middleware{mark("a")}, []string{"a in", "h", "a out"}},
		{"Chain(h, a, b, c)", []middleware.Middleware{mark("a"), mark("b"), mark("c")}, []string{"a in", "b in", "c in", "h", "c out", "b out", "a out"}},
	} {
		made, ran = nil, nil
		chain := middleware.Chain(h, tc.mws...)
		for n := range 2 {
			ran = nil
			serve(chain, get("/"))
			if !cmp.Equal(ran, tc.want) {
				rule.Broken(t, rule.Case{
					Do: tc.do + ".ServeHTTP(w, r)", Got: ran, Want: tc.want,
					Why: "The order decides. An access log inside of the recoverer never sees the 500, and outside of RequestID it has no id.",
				})
			}
			if len(made) != len(tc.mws) {
				rule.Broken(t, rule.Case{
					Do: fmt.Sprintf("h := %s\nfor range %d {\n    h.ServeHTTP(w, r)\n}", tc.do, n+1), Got: rule.Textf("%d calls of a middleware", len(made)), Want: rule.Textf("%d", len(tc.mws)),
					Why: "A middleware sets up its state when it is called: a limiter that is made anew for each request limits nothing.",
				})
			}
		}
	}
}

func TestSecurityHeaders_OnEveryAnswer(t *testing.T) {
	want := map[string]string{
		"X-Content-Type-Options":  "nosniff",
		"Content-Security-Policy": "default-src 'none'",
		"Referrer-Policy":         "no-referrer",
	}
	check := func(do string, h http.Handler, want map[string]string) {
		t.Helper()
		header := serve(h, get("/tasks")).Header()
		for name, value := range want {
			if got := header.Values(name); !cmp.Equal(got, []string{value}) {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("%s: %q", name, got), Want: rule.Textf("%s: %q", name, []string{value}),
					Why: "Somebody uploads a file of HTML, a browser shows it as a page of your domain, and its scripts run with your cookies.",
				})
			}
		}
		for name := range header {
			if strings.HasPrefix(name, "Access-Control-") {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("header %s", name), Want: rule.Text("no CORS headers"), Why: "No page of another origin may read this API."})
			}
		}
	}
	check("SecurityHeaders(handler)", middleware.SecurityHeaders(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "ok")
	})), want)
	check("Chain(handler, SecurityHeaders, Recover(log)) // the handler panics",
		middleware.Chain(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }),
			middleware.SecurityHeaders, middleware.Recover(slog.New(slog.DiscardHandler))), want)
	want["Content-Security-Policy"] = "default-src 'self'"
	check("SecurityHeaders(handler) // w.Header().Set(\"Content-Security-Policy\", \"default-src 'self'\")",
		middleware.SecurityHeaders(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'self'")
		})), want)
}

func TestRequestID_AcceptsValidRejectsHostile(t *testing.T) {
	newID := regexp.MustCompile(`^req_[A-Za-z0-9._-]{16,60}$`)
	seen := make(map[string]string) // id -> who got it
	request := func(name string, client []string, accept bool) {
		t.Helper()
		do := fmt.Sprintf("r.Header[\"X-Request-Id\"] = %q\nRequestID(handler).ServeHTTP(w, r)", client)
		r := get("/")
		if client != nil {
			r.Header["X-Request-Id"] = client
		}
		id, sent, runs := "", []string(nil), 0
		got := serve(middleware.RequestID(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			runs++
			id = middleware.RequestIDFrom(r.Context())
			sent = w.Header().Values("X-Request-Id")
		})), r)
		if answer := got.Header().Values("X-Request-Id"); runs != 1 || !cmp.Equal(sent, []string{id}) || !cmp.Equal(answer, []string{id}) {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("runs of the handler: %d, RequestIDFrom %q, X-Request-ID when it runs %q, in the answer %q", runs, id, sent, answer),
				Want: rule.Text("runs of the handler: 1, and three times the same id"),
				Why:  "The user reads the id off the answer, and you look for it in the log.",
			})
		}
		switch {
		case accept && id != client[0]:
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("id %q", id), Want: rule.Textf("id %q", client[0]),
				Why: "The gateway has logged this id. With a new one nobody finds both halves of the story.",
			})
		case !accept && !newID.MatchString(id):
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("id %q", id), Want: rule.Text("a new id: req_ and 16 to 60 of A-Z a-z 0-9 . _ -"),
				Why: name + ": the id goes into logs, headers, file names and dashboards, and a client must not write there what it likes.",
			})
		case !accept && seen[id] != "":
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("id %q, which another request has had", id), Want: rule.Text("a new id"),
				Why: "Two requests with one id are one story in the log, and a wrong one.",
			})
		}
		seen[id] = do
	}

	for _, id := range []string{"a", "7", "req_01jdz7r1k9", "4bf92f35-77b3.4da6_A", "-", "..", strings.Repeat("x", 64)} {
		request("valid", []string{id}, true)
	}
	request("no id", nil, false)
	request("an empty id", []string{""}, false)
	request("65 bytes", []string{strings.Repeat("x", 65)}, false)
	request("a megabyte", []string{strings.Repeat("x", 1<<20)}, false)
	request("a new line", []string{"a\n203.0.113.9 - - forged"}, false)
	request("a new line at the end", []string{"abc\n"}, false)
	request("two ids", []string{"abc", "def"}, false)
	request("one id twice", []string{"abc", "abc"}, false)
	request("not ASCII", []string{"caf\u00e9"}, false)
	request("a letter of another alphabet", []string{"\u0430bc"}, false)
	for c := range 256 {
		char := string([]byte{byte(c)})
		valid := regexp.MustCompile(`^[A-Za-z0-9._-]$`).MatchString(char)
		request(fmt.Sprintf("byte %#02x", c), []string{"a" + char + "b"}, valid)
		request(fmt.Sprintf("byte %#02x", c), []string{char}, valid)
	}
	for range 1000 {
		request("no id", nil, false)
	}

	if id := middleware.RequestIDFrom(t.Context()); id != "" {
		rule.Broken(t, rule.Case{Do: "RequestIDFrom(context.Background())", Got: id, Want: "", Why: "A job at night has no request."})
	}
	r := get("/")
	ctx := r.Context()
	serve(middleware.RequestID(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})), r)
	if r.Context() != ctx || len(r.Header) != 0 {
		rule.Broken(t, rule.Case{Do: "RequestID(handler).ServeHTTP(w, r)", Got: rule.Text("r has changed"), Want: rule.Text("a copy with a context of its own"),
			Why: "The caller still has r, and may use it at the same time."})
	}
}

// TestAccessLog_LineIsTheTaskTrackerFormat is TestAccessLog_ParsesWith21 of the
// plan: exercise 2.1 reads this dialect.
func TestAccessLog_LineIsTheTaskTrackerFormat(t *testing.T) {
	base := line{
		host: "192.0.2.1", ident: "-", user: "-", time: "23/Nov/2026:08:15:02 -0330", request: "GET /tasks?q=a%20b HTTP/1.1",
		status: "200", bytes: "0", referer: "-", userAgent: "-", seconds: "0.000", requestID: "-",
	}
	for _, tc := range []struct {
		do      string
		request func(r *http.Request)
		took    time.Duration
		want    func(l *line)
	}{
		{`r.RemoteAddr = "203.0.113.7:4711"`, func(r *http.Request) { r.RemoteAddr = "203.0.113.7:4711" }, 0, func(l *line) { l.host = "203.0.113.7" }},
		{`r.RemoteAddr = "[2001:db8:4f::1d]:4711"`, func(r *http.Request) { r.RemoteAddr = "[2001:db8:4f::1d]:4711" }, 0, func(l *line) { l.host = "2001:db8:4f::1d" }},
		{`r.RemoteAddr = "[fe80::1%eth0]:4711"`, func(r *http.Request) { r.RemoteAddr = "[fe80::1%eth0]:4711" }, 0, func(l *line) { l.host = "fe80::1" }},
		{`r.RemoteAddr = "203.0.113.7"`, func(r *http.Request) { r.RemoteAddr = "203.0.113.7" }, 0, func(l *line) { l.host = "203.0.113.7" }},
		{`r.RemoteAddr = "2001:db8::1"`, func(r *http.Request) { r.RemoteAddr = "2001:db8::1" }, 0, func(l *line) { l.host = "2001:db8::1" }},
		{`r.RemoteAddr = "@" // a Unix socket`, func(r *http.Request) { r.RemoteAddr = "@" }, 0, func(l *line) { l.host = "-" }},
		{`r.RemoteAddr = ""`, func(r *http.Request) { r.RemoteAddr = "" }, 0, func(l *line) { l.host = "-" }},
		{`r.RemoteAddr = "10.0.0.1 - bob" // from a header of a proxy`, func(r *http.Request) { r.RemoteAddr = "10.0.0.1 - bob" }, 0, func(l *line) { l.host = "-" }},
		{`r.Method = "DELETE"`, func(r *http.Request) { r.Method = "DELETE" }, 0, func(l *line) { l.request = "DELETE /tasks?q=a%20b HTTP/1.1" }},
		{`r.Proto = "HTTP/2.0"`, func(r *http.Request) { r.Proto = "HTTP/2.0" }, 0, func(l *line) { l.request = "GET /tasks?q=a%20b HTTP/2.0" }},
		{`r.Header.Set("Referer", "https://shop.example/?q=tea")`, func(r *http.Request) { r.Header.Set("Referer", "https://shop.example/?q=tea") }, 0, func(l *line) { l.referer = "https://shop.example/?q=tea" }},
		{`r.Header.Set("User-Agent", "tt-cli/1.4.0 (linux)")`, func(r *http.Request) { r.Header.Set("User-Agent", "tt-cli/1.4.0 (linux)") }, 0, func(l *line) { l.userAgent = "tt-cli/1.4.0 (linux)" }},
		{`r.Header.Set("User-Agent", "")`, func(r *http.Request) { r.Header.Set("User-Agent", "") }, 0, func(*line) {}},
		{"// the handler takes 12 ms", func(*http.Request) {}, 12 * time.Millisecond, func(l *line) { l.seconds = "0.012" }},
		{"// the handler takes 12.999999 ms", func(*http.Request) {}, 12999999 * time.Nanosecond, func(l *line) { l.seconds = "0.012" }},
		{"// the handler takes 1.05 s", func(*http.Request) {}, 1050 * time.Millisecond, func(l *line) { l.seconds = "1.050" }},
		{"// the handler takes 2 h", func(*http.Request) {}, 2 * time.Hour, func(l *line) { l.seconds = "7200.000" }},
		{"// the handler takes 0.9999 s", func(*http.Request) {}, 999900 * time.Microsecond, func(l *line) { l.seconds = "0.999" }},
		{"// somebody sets the clock back by 5 s", func(*http.Request) {}, -5 * time.Second, func(l *line) { l.seconds = "0.000" }},
	} {
		t.Run(tc.do, func(t *testing.T) {
			var l logged
			r := get("/tasks?q=a%20b")
			tc.request(r)
			serve(l.accessLog(func(http.ResponseWriter, *http.Request) { l.clock.move(tc.took) }), r)

			do := accessLog + "r := httptest.NewRequest(\"GET\", \"/tasks?q=a%20b\", nil)\n" + tc.do + "\nh.ServeHTTP(w, r)"
			want := base
			tc.want(&want)
			got := l.requireLine(t, do)
			if got != want {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("%+v\nin the line %q", got, l.lines.String()), Want: rule.Textf("%+v", want),
					Why: "Every field has one meaning, and the programs that read the log know no other.",
				})
			}
			rec := l.requireRecord(t, do, "request")
			wantRec := record{
				"msg": "request", "level": slog.LevelInfo, "method": r.Method, "path": "/tasks", "status": int64(200), "bytes": int64(0),
				"duration": max(tc.took, 0), "request_id": "", "aborted": false,
			}
			if diff := cmp.Diff(wantRec, rec); diff != "" {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("%v", rec), Want: rule.Textf("%v", wantRec), Why: "Dashboards ask for attributes by name, and add up numbers.",
				})
			}
		})
	}

	t.Run("id of the request", func(t *testing.T) {
		var l logged
		h := middleware.Chain(l.accessLog(func(http.ResponseWriter, *http.Request) {}), middleware.RequestID)
		r := get("/tasks")
		r.Header.Set("X-Request-ID", "req_01jdz7r1k9")
		serve(h, r)
		do := "h := Chain(handler, RequestID, AccessLog(line, log, now))\nr.Header.Set(\"X-Request-ID\", \"req_01jdz7r1k9\")\nh.ServeHTTP(w, r)"
		got, rec := l.requireLine(t, do), l.requireRecord(t, do, "request")
		if got.requestID != "req_01jdz7r1k9" || rec["request_id"] != "req_01jdz7r1k9" {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("%q in the line, %q in the record", got.requestID, rec["request_id"]), Want: rule.Text(`"req_01jdz7r1k9" in both`),
				Why: "With the id you get from the line to everything else that the request has logged.",
			})
		}
	})

	t.Run("one line at a time", func(t *testing.T) {
		const clients = 16
		var l logged
		l.lines.yield = func() { runtime.Gosched(); runtime.Gosched() }
		mw := middleware.AccessLog(&l.lines, l.records.logger(), l.clock.now)
		ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		routes := []http.Handler{mw(ok), mw(ok)}
		var wg sync.WaitGroup
		start := make(chan struct{})
		for n := range clients {
			wg.Go(func() {
				<-start
				for range 10 {
					serve(routes[n%2], get(fmt.Sprintf("/%d", n)))
				}
			})
		}
		close(start)
		wg.Wait()
		const do = "logs := AccessLog(line, log, now)\na, b := logs(handler), logs(handler)\n// 8 clients for each of a and b, 10 requests each"
		broken := 0
		for _, text := range l.lines.writes {
			if _, ok := parse(text); !ok {
				broken++
			}
		}
		if n := len(l.lines.writes); n != clients*10 || broken > 0 || l.lines.overlap {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("%d calls of Write, %d of them not one line, two at the same time: %v", n, broken, l.lines.overlap),
				Want: rule.Textf("%d calls of Write, 0 of them not one line, two at the same time: false", clients*10),
				Why:  "Lines of two requests run into each other, and a bytes.Buffer or a bufio.Writer below is a data race.",
			})
		}
	})
}

func TestAccessLog_StatusWhenNeverWritten(t *testing.T) {
	for _, tc := range []struct {
		do            string
		method        string
		handler       func(w http.ResponseWriter)
		status, bytes int
	}{
		{"// empty handler", "GET", func(http.ResponseWriter) {}, 200, 0},
		{`fmt.Fprint(w, "task")`, "GET", func(w http.ResponseWriter) { fmt.Fprint(w, "task") }, 200, 4},
		{"w.Write(nil)", "GET", func(w http.ResponseWriter) { _, _ = w.Write(nil) }, 200, 0},
		{"w.WriteHeader(204)", "GET", func(w http.ResponseWriter) { w.WriteHeader(204) }, 204, 0},
		{"w.WriteHeader(201)\nfmt.Fprint(w, \"task\")\nfmt.Fprint(w, \" 1\")", "GET", func(w http.ResponseWriter) {
			w.WriteHeader(201)
			fmt.Fprint(w, "task")
			fmt.Fprint(w, " 1")
		}, 201, 6},
		{"w.WriteHeader(404)\nw.WriteHeader(200)", "GET", func(w http.ResponseWriter) { w.WriteHeader(404); w.WriteHeader(200) }, 404, 0},
		{"fmt.Fprint(w, \"task\")\nw.WriteHeader(500)", "GET", func(w http.ResponseWriter) { fmt.Fprint(w, "task"); w.WriteHeader(500) }, 200, 4},
		{"w.WriteHeader(103)\nw.WriteHeader(201)", "GET", func(w http.ResponseWriter) { w.WriteHeader(103); w.WriteHeader(201) }, 201, 0},
		{"w.WriteHeader(103)", "GET", func(w http.ResponseWriter) { w.WriteHeader(103) }, 200, 0},
		{"http.NewResponseController(w).Flush()\nw.WriteHeader(500)", "GET", func(w http.ResponseWriter) {
			_ = http.NewResponseController(w).Flush()
			w.WriteHeader(500)
		}, 200, 0},
		{"io.Copy(w, file) // an empty one\nw.WriteHeader(404)", "GET", func(w http.ResponseWriter) {
			_, _ = io.Copy(w, struct{ io.Reader }{strings.NewReader("")})
			w.WriteHeader(404)
		}, 404, 0},
		{`fmt.Fprint(w, "task") // HEAD`, "HEAD", func(w http.ResponseWriter) { fmt.Fprint(w, "task") }, 200, 0},
		{"w.WriteHeader(499)", "GET", func(w http.ResponseWriter) { w.WriteHeader(499) }, 499, 0},
		{"w.WriteHeader(500)", "GET", func(w http.ResponseWriter) { w.WriteHeader(500) }, 500, 0},
		{"w.WriteHeader(503)", "GET", func(w http.ResponseWriter) { w.WriteHeader(503) }, 503, 0},
	} {
		t.Run(tc.do, func(t *testing.T) {
			var l logged
			var during string
			h := l.accessLog(func(w http.ResponseWriter, _ *http.Request) {
				tc.handler(w)
				during = l.lines.String()
			})
			serve(h, httptest.NewRequest(tc.method, "/tasks", nil))
			do := accessLog + "h.ServeHTTP(w, r)\n// the handler:\n" + tc.do
			if during != "" {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("%q while the handler still runs", during), Want: rule.Text("nothing yet"),
					Why: "Before the handler has returned nobody knows the status, the size and the time.",
				})
			}
			got, rec := l.requireLine(t, do), l.requireRecord(t, do, "request")
			want := [2]string{fmt.Sprint(tc.status), fmt.Sprint(tc.bytes)}
			if inLine, inRec := [2]string{got.status, got.bytes}, [2]string{fmt.Sprint(rec["status"]), fmt.Sprint(rec["bytes"])}; inLine != want || inRec != want {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("status and bytes %v in the line, %v in the record", inLine, inRec), Want: rule.Textf("%v in both", want),
					Why: "The log has to say what the client has got. A status 0, or one that was never sent, hides the error in your error rate.",
				})
			}
			level := slog.LevelInfo
			if tc.status >= 500 {
				level = slog.LevelError
			}
			if rec["level"] != level {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("level %v", rec["level"]), Want: rule.Textf("level %v", level), Why: "Who is on call filters by level."})
			}
		})
	}
}

func TestAccessLog_InjectionEscaped(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	var every strings.Builder
	for c := range 256 {
		every.WriteByte(byte(c))
	}
	values := []string{
		`x" 200 9 "-" "`, `\`, `\"`, `\\"`, `\x22`, "\n203.0.113.9 - - forged", "\r\n", "\b\n\r\t\v", "\a\f\x00\x1b[31m", "caf\u00e9", "\u2028", "\xff\xfe", "\x7f",
		every.String(),
	}
	for range 300 {
		b := make([]byte, 1+random.IntN(12))
		for i := range b {
			b[i] = byte(random.IntN(256))
			if random.IntN(2) == 0 {
				b[i] = `"\ nx[`[random.IntN(6)]
			}
		}
		values = append(values, string(b))
	}
	for _, value := range values {
		for _, field := range []string{"Referer", "User-Agent", "r.RequestURI", "r.Method"} {
			var l logged
			r := get("/")
			want := value
			do := fmt.Sprintf("r.Header[%q] = []string{%q}", field, value)
			switch field {
			case "r.RequestURI":
				r.RequestURI, want, do = value, "GET "+value+" HTTP/1.1", fmt.Sprintf("r.RequestURI = %q", value)
			case "r.Method":
				r.Method, want, do = value, value+" / HTTP/1.1", fmt.Sprintf("r.Method = %q", value)
			default:
				r.Header[field] = []string{value}
			}
			serve(l.accessLog(func(http.ResponseWriter, *http.Request) {}), r)
			text := l.lines.String()
			parsed, ok := parse(text)
			got := map[string]string{"Referer": parsed.referer, "User-Agent": parsed.userAgent, "r.RequestURI": parsed.request, "r.Method": parsed.request}[field]
			if !ok || got != want || parsed.status != "200" || !strings.Contains(text, apache(want)) {
				rule.Broken(t, rule.Case{
					Do: accessLog + do + "\nh.ServeHTTP(w, r)", Got: rule.Textf("the line %q", text), Want: rule.Textf("a line with \"%s\" in it", apache(want)),
					Why: fmt.Sprintf("A client writes its own status, size and time, or whole lines of requests that never were. (seed %d)", seed),
				})
			}
		}
	}
}

func TestAccessLog_LogsPanicsAs500(t *testing.T) {
	for _, tc := range []struct {
		do     string
		write  func(w http.ResponseWriter)
		value  any
		status string
	}{
		{`panic("boom")`, func(http.ResponseWriter) {}, "boom", "500"},
		{"panic(http.ErrAbortHandler)", func(http.ResponseWriter) {}, http.ErrAbortHandler, "500"},
		{"w.WriteHeader(103)\npanic(\"boom\")", func(w http.ResponseWriter) { w.WriteHeader(103) }, "boom", "500"},
		{"w.WriteHeader(201)\npanic(\"boom\")", func(w http.ResponseWriter) { w.WriteHeader(201) }, "boom", "201"},
		{"fmt.Fprint(w, \"half\")\npanic(http.ErrAbortHandler)", func(w http.ResponseWriter) { fmt.Fprint(w, "half") }, http.ErrAbortHandler, "200"},
	} {
		t.Run(tc.do, func(t *testing.T) {
			var l logged
			got := serve(l.accessLog(func(w http.ResponseWriter, _ *http.Request) {
				l.clock.move(time.Second)
				tc.write(w)
				panic(tc.value)
			}), get("/tasks"))
			do := accessLog + "h.ServeHTTP(w, r)\n// the handler, after a second:\n" + tc.do
			if got.panicked != tc.value {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("panic value %v", got.panicked), Want: rule.Textf("panic value %v", tc.value),
					Why: "A log that swallows panics makes a 200 out of them, and the recoverer outside never hears of it.",
				})
			}
			line, rec := l.requireLine(t, do), l.requireRecord(t, do, "request")
			if line.status != tc.status || line.seconds != "1.000" || fmt.Sprint(rec["status"]) != tc.status || rec["aborted"] != true || rec["level"] != slog.LevelError {
				rule.Broken(t, rule.Case{
					Do:   do,
					Got:  rule.Textf("line: status %s, %s s; record: status %v, aborted %v, level %v", line.status, line.seconds, rec["status"], rec["aborted"], rec["level"]),
					Want: rule.Textf("line: status %s, 1.000 s; record: status %s, aborted true, level ERROR", tc.status, tc.status),
					Why:  "The request that hurts most is the one that is missing from the log, or that looks well there.",
				})
			}
		})
	}

	t.Run("outside of Recover", func(t *testing.T) {
		var l logged
		h := middleware.Chain(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }),
			middleware.AccessLog(&l.lines, l.records.logger(), l.clock.now), middleware.Recover(l.records.logger()))
		const do = "h := Chain(handler, AccessLog(line, log, now), Recover(log)) // the handler panics\nh.ServeHTTP(w, r)"
		got := serve(h, get("/tasks"))
		line, rec := l.requireLine(t, do), l.requireRecord(t, do, "request")
		if size := fmt.Sprint(got.Body.Len()); got.panicked != nil || line.status != "500" || line.bytes != size || rec["aborted"] != false {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("panic value %v, status %s, bytes %s, aborted %v", got.panicked, line.status, line.bytes, rec["aborted"]),
				Want: rule.Textf("panic value <nil>, status 500, bytes %s, aborted false", size),
				Why:  "The client has got a complete answer: a 500 with a problem document.",
			})
		}
	})
}

func TestWrapper_FlushAndHijackSurvive(t *testing.T) {
	const do = "h := Chain(handler, SecurityHeaders, RequestID, AccessLog(line, log, now), Recover(log), BodyLimit(64))\n// the handler:\n"
	serveIn := func(t *testing.T, l *logged, handler http.HandlerFunc) *pipenet.Network {
		network := newNetwork(t)
		network.Serve("api.example:80", &http.Server{Handler: middleware.Chain(handler, middleware.SecurityHeaders, middleware.RequestID,
			middleware.AccessLog(&l.lines, l.records.logger(), l.clock.now), middleware.Recover(l.records.logger()), middleware.BodyLimit(64))})
		return network
	}

	t.Run("Flush", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const do = do + "fmt.Fprint(w, \"one\")\nhttp.NewResponseController(w).Flush()\n// wait until the client has read it\nfmt.Fprint(w, \"two\")"
			var l logged
			flushed := make(chan error, 1)
			read := make(chan struct{})
			network := serveIn(t, &l, func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, "one")
				flushed <- http.NewResponseController(w).Flush()
				select {
				case <-read:
				case <-time.After(time.Minute):
				}
				fmt.Fprint(w, "two")
			})
			start := time.Now()
			resp, err := network.Client().Get("http://api.example/events")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			first := make([]byte, 3)
			_, readErr := io.ReadFull(resp.Body, first)
			waited := time.Since(start)
			synctest.Wait()
			select {
			case err = <-flushed:
			default:
				err = errors.New("the handler did not run")
			}
			close(read)
			rest, _ := io.ReadAll(resp.Body)
			if err != nil || readErr != nil || waited != 0 || string(first) != "one" || string(rest) != "two" {
				rule.Broken(t, rule.Case{
					Do:   do,
					Got:  rule.Textf("Flush: %v; the client has %q after %v, and then %q", err, first, waited, rest),
					Want: rule.Textf("Flush: <nil>; the client has %q after 0s, and then %q", "one", "two"),
					Why:  "Server-sent events, progress and long polls stand still, for every handler behind this middleware.",
				})
			}
			synctest.Wait()
			if got := l.requireLine(t, do); got.status != "200" || got.bytes != "6" {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("line with status %s, bytes %s", got.status, got.bytes), Want: rule.Text("line with status 200, bytes 6"), Why: "A stream is traffic too."})
			}
		})
	})

	t.Run("Hijack", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const do = do + "conn, _, err := http.NewResponseController(w).Hijack()\nconn.Write(switching)\nconn.Close()"
			const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tt.v1\r\n\r\n"
			var l logged
			hijacked := make(chan error, 1)
			network := serveIn(t, &l, func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				hijacked <- err
				if err == nil {
					_, _ = io.WriteString(conn, switching)
					conn.Close()
				}
			})
			conn, err := network.DialContext(t.Context(), "tcp", "api.example:80")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(time.Minute))
			if _, err := io.WriteString(conn, "GET /v1/ws HTTP/1.1\r\nHost: api.example\r\nConnection: Upgrade\r\nUpgrade: tt.v1\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(conn)
			select {
			case err = <-hijacked:
			default:
				err = errors.New("the handler did not run")
			}
			if err != nil || string(got) != switching {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("Hijack: %v; the client reads %q", err, got), Want: rule.Textf("Hijack: <nil>; the client reads %q", switching),
					Why: "No WebSocket gets through this chain.",
				})
			}
			synctest.Wait()
			if got := l.requireLine(t, do); got.status != "101" || got.bytes != "0" {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("line with status %s, bytes %s", got.status, got.bytes), Want: rule.Text("line with status 101, bytes 0"),
					Why: "The connection belongs to another protocol now. A line with 200 says that there was an answer.",
				})
			}
		})
	})

	t.Run("deadlines", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var l logged
			result := make(chan error, 1)
			network := serveIn(t, &l, func(w http.ResponseWriter, _ *http.Request) {
				rc := http.NewResponseController(w)
				result <- errors.Join(rc.SetReadDeadline(time.Time{}), rc.SetWriteDeadline(time.Time{}), rc.EnableFullDuplex())
			})
			resp, err := network.Client().Get("http://api.example/export")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			select {
			case err = <-result:
			default:
				err = errors.New("the handler did not run")
			}
			if err != nil {
				rule.Broken(t, rule.Case{
					Do: do + "rc := http.NewResponseController(w)\nrc.SetWriteDeadline(time.Time{}) // and SetReadDeadline, EnableFullDuplex", Got: err, Want: rule.Text("no error"),
					Why: "An export of an hour cannot ask for more time than the server gives to everybody.",
				})
			}
		})
	})

	t.Run("a writer that cannot", func(t *testing.T) {
		for name, h := range map[string]func(http.Handler) http.Handler{
			"AccessLog": middleware.AccessLog(io.Discard, slog.New(slog.DiscardHandler), time.Now), "Recover": middleware.Recover(slog.New(slog.DiscardHandler)),
		} {
			var flush, hijack error
			ran := false
			h(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				ran = true
				rc := http.NewResponseController(w)
				flush = rc.Flush()
				_, _, hijack = rc.Hijack()
			})).ServeHTTP(&plainWriter{header: make(http.Header)}, get("/"))
			if !ran || !errors.Is(flush, errors.ErrUnsupported) || !errors.Is(hijack, errors.ErrUnsupported) {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("// w below %s has no Flush and no Hijack\nrc := http.NewResponseController(w)\nrc.Flush()\nrc.Hijack()", name),
					Got:  rule.Textf("the handler ran: %v, Flush: %v, Hijack: %v", ran, flush, hijack),
					Want: rule.Textf("the handler ran: true, and twice an error that is errors.ErrUnsupported"),
					Why:  "The handler asks to find another way. A promise that nobody keeps is worse than none.",
				})
			}
		}
	})
}

func TestWrapper_ReadFromCounted(t *testing.T) {
	var l logged
	const content = "a file of 21 bytes...\n"
	for name, mws := range map[string][]middleware.Middleware{
		"AccessLog":          {middleware.AccessLog(&l.lines, l.records.logger(), l.clock.now)},
		"AccessLog, Recover": {middleware.AccessLog(&l.lines, l.records.logger(), l.clock.now), middleware.Recover(l.records.logger())},
	} {
		l.lines.writes = nil
		h := middleware.Chain(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.Copy(w, struct{ io.Reader }{strings.NewReader(content)})
		}), mws...)
		w := &plainWriter{header: make(http.Header)}
		h.ServeHTTP(w, get("/file"))
		do := fmt.Sprintf("// behind %s\nw.WriteHeader(206)\nio.Copy(w, file) // %d bytes", name, len(content))
		got := l.requireLine(t, do)
		if want := fmt.Sprint(len(content)); w.readFrom != 1 || w.body.String() != content || got.bytes != want || got.status != "206" {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("calls of ReadFrom below: %d; body %q; line with status %s, bytes %s", w.readFrom, w.body.String(), got.status, got.bytes),
				Want: rule.Textf("calls of ReadFrom below: 1; body %q; line with status 206, bytes %s", content, want),
				Why:  "With ReadFrom the kernel sends the file. Without it every download goes through a buffer of your process; and what goes around Write is not counted.",
			})
		}
	}
}

func TestWrapper_ErrorsReachTheHandler(t *testing.T) {
	for _, tc := range []struct {
		do    string
		write func(w io.Writer) (int64, error)
	}{
		{`n, err := w.Write([]byte("task 1"))`, func(w io.Writer) (int64, error) {
			n, err := w.Write([]byte("task 1"))
			return int64(n), err
		}},
		{"n, err := io.Copy(w, file)", func(w io.Writer) (int64, error) { return io.Copy(w, struct{ io.Reader }{strings.NewReader("task 1")}) }},
	} {
		var l logged
		var n int64
		var err error
		h := middleware.Chain(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { n, err = tc.write(w) }),
			middleware.AccessLog(&l.lines, l.records.logger(), l.clock.now), middleware.Recover(l.records.logger()))
		h.ServeHTTP(&brokenWriter{plainWriter{header: make(http.Header)}}, get("/tasks"))
		do := "// the connection breaks after 4 bytes\n" + tc.do
		if got := l.requireLine(t, do); n != 4 || !errors.Is(err, errBroken) || got.bytes != "4" {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("%d, %v; line with bytes %s", n, err, got.bytes), Want: rule.Textf("4, %v; line with bytes 4", errBroken),
				Why: "An export that does not hear of the broken connection reads the whole table for nobody.",
			})
		}
	}
}

func TestRecover_PanicIs500(t *testing.T) {
	for _, tc := range []struct {
		do      string
		handler func(w http.ResponseWriter)
		value   string
	}{
		{`panic("secret: dsn=postgres://tt:pw@db")`, func(http.ResponseWriter) { panic("secret: dsn=postgres://tt:pw@db") }, "secret: dsn=postgres://tt:pw@db"},
		{`panic(errors.New("boom"))`, func(http.ResponseWriter) { panic(errors.New("boom")) }, "boom"},
		{"w.WriteHeader(103)\npanic(7)", func(w http.ResponseWriter) { w.WriteHeader(103); panic(7) }, "7"},
		{"w.WriteHeader(0) // which panics", func(w http.ResponseWriter) { w.WriteHeader(0) }, "invalid WriteHeader code 0"},
		{"io.Copy(w, file) // an empty one\npanic(\"boom\")", func(w http.ResponseWriter) {
			_, _ = io.Copy(w, struct{ io.Reader }{strings.NewReader("")})
			panic("boom")
		}, "boom"},
	} {
		t.Run(tc.do, func(t *testing.T) {
			var l logged
			h := middleware.Chain(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range map[string]string{
					"Content-Type": "text/csv", "Content-Length": "4096", "Content-Encoding": "gzip", "ETag": `"v1"`, "Last-Modified": "Mon, 23 Nov 2026 08:15:02 GMT", "Cache-Control": "max-age=3600",
				} {
					w.Header().Set(name, value)
				}
				tc.handler(w)
			}), middleware.RequestID, middleware.Recover(l.records.logger()))
			r := httptest.NewRequest(http.MethodPost, "/tasks", nil)
			r.Header.Set("X-Request-ID", "req_1")
			got := serve(h, r)

			do := "h := Chain(handler, RequestID, Recover(log))\n// the handler, after it has set Content-Length, Content-Encoding, ETag, Last-Modified and Cache-Control:\n" + tc.do
			if got.panicked != nil {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("panic value %v", got.panicked), Want: rule.Text("no panic"), Why: "The client gets a closed connection instead of an answer."})
			}
			requireProblem(t, do, got.Code, got.Header(), got.Body.Bytes(), 500, "internal", "Clients parse problem documents. A panic is not their fault, and they may try again.")
			stale := ""
			for _, name := range []string{"Content-Length", "Content-Encoding", "ETag", "Last-Modified"} {
				if got.Header().Get(name) != "" {
					stale += name + " "
				}
			}
			if cache := got.Header().Get("Cache-Control"); stale != "" || cache != "no-store" || got.Header().Get("X-Request-ID") != "req_1" {
				rule.Broken(t, rule.Case{
					Do:   do,
					Got:  rule.Textf("left over: %q, Cache-Control: %q, X-Request-ID: %q", stale, cache, got.Header().Get("X-Request-ID")),
					Want: rule.Textf("left over: %q, Cache-Control: %q, X-Request-ID: %q", "", "no-store", "req_1"),
					Why:  "The headers of the body that never came spoil the one that comes: the client waits for 4096 bytes, or a cache keeps the error for an hour.",
				})
			}
			if strings.Contains(got.Body.String(), tc.value) {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("body %q", got.Body), Want: rule.Text("a body without the panic value"), Why: "Panic values hold file names, SQL and passwords."})
			}
			rec := l.requireRecord(t, do, "panic")
			stack, _ := rec["stack"].(string)
			delete(rec, "stack")
			want := record{"msg": "panic", "level": slog.LevelError, "panic": tc.value, "method": "POST", "path": "/tasks", "request_id": "req_1"}
			if !cmp.Equal(rec, want) || !strings.Contains(stack, "TestRecover_PanicIs500") {
				rule.Broken(t, rule.Case{
					Do:   do,
					Got:  rule.Textf("%v, stack with the handler: %v", rec, strings.Contains(stack, "TestRecover_PanicIs500")),
					Want: rule.Textf("%v, stack with the handler: true", want),
					Why:  "The client has only a request id. The line of code must be in your log.",
				})
			}
		})
	}
}

func TestRecover_AbortHandlerRepanics(t *testing.T) {
	for name, write := range map[string]func(w http.ResponseWriter){
		"": func(http.ResponseWriter) {}, "fmt.Fprint(w, \"half\")\n": func(w http.ResponseWriter) { fmt.Fprint(w, "half") },
	} {
		var l logged
		got := serve(middleware.Recover(l.records.logger())(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			write(w)
			panic(http.ErrAbortHandler)
		})), get("/"))
		body := strings.TrimSuffix(got.Body.String(), "half")
		if got.panicked != http.ErrAbortHandler || body != "" || len(l.records.all()) != 0 {
			rule.Broken(t, rule.Case{
				Do:   recovers + "h.ServeHTTP(w, r)\n// the handler:\n" + name + "panic(http.ErrAbortHandler)",
				Got:  rule.Textf("panic value %v, body %q, %d records", got.panicked, got.Body, len(l.records.all())),
				Want: rule.Text("panic value net/http: abort Handler, nothing more in the body, 0 records"),
				Why:  "This value is a request to the server: close the connection, and log nothing. Reverse proxies use it when the backend breaks off.",
			})
		}
	}
}

func TestRecover_AfterHeadersClosesConnection(t *testing.T) {
	for _, tc := range []struct {
		do    string
		begin func(w http.ResponseWriter)
		body  string
	}{
		{"w.WriteHeader(200)", func(w http.ResponseWriter) { w.WriteHeader(200) }, ""},
		{`fmt.Fprint(w, "half")`, func(w http.ResponseWriter) { fmt.Fprint(w, "half") }, "half"},
		{"http.NewResponseController(w).Flush()", func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }, ""},
		{"io.Copy(w, file)", func(w http.ResponseWriter) { _, _ = io.Copy(w, struct{ io.Reader }{strings.NewReader("half")}) }, "half"},
	} {
		t.Run(tc.do, func(t *testing.T) {
			var l logged
			got := serve(middleware.Recover(l.records.logger())(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				tc.begin(w)
				panic("boom")
			})), get("/tasks"))
			do := recovers + "h.ServeHTTP(w, r)\n// the handler:\n" + tc.do + "\npanic(\"boom\")"
			if got.panicked != http.ErrAbortHandler || got.Code != 200 || got.Body.String() != tc.body {
				rule.Broken(t, rule.Case{
					Do:   do,
					Got:  rule.Textf("panic value %v, status %d, body %q", got.panicked, got.Code, got.Body),
					Want: rule.Textf("panic value net/http: abort Handler, status 200, body %q", tc.body),
					Why:  "The 200 is out. Whatever is written now becomes part of a file that the client believes to be complete.",
				})
			}
			if rec := l.requireRecord(t, do, "panic"); rec["panic"] != "boom" {
				rule.Broken(t, rule.Case{Do: do, Got: rec["panic"], Want: "boom", Why: "net/http says nothing about an abort. This record is the only one."})
			}
		})
	}

	t.Run("seen by a client", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			network := newNetwork(t)
			network.Serve("api.example:80", &http.Server{Handler: middleware.Recover(slog.New(slog.DiscardHandler))(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, "half")
				_ = http.NewResponseController(w).Flush()
				panic("boom")
			}))})
			resp, err := network.Client().Get("http://api.example/export")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if !errors.Is(err, io.ErrUnexpectedEOF) || string(body) != "half" {
				rule.Broken(t, rule.Case{
					Do:   recovers + "// the handler: fmt.Fprint(w, \"half\"), flush, panic(\"boom\")\nbody, err := io.ReadAll(resp.Body)",
					Got:  rule.Textf("%q, error %v", body, err),
					Want: rule.Textf("%q, error %v", "half", io.ErrUnexpectedEOF),
					Why:  "Only a connection that breaks tells the client that its export is not complete.",
				})
			}
		})
	})
}

func TestBodyLimit_413AndConnectionUsable(t *testing.T) {
	t.Run("announced", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			runs := 0
			network := newNetwork(t)
			network.Serve("api.example:80", &http.Server{Handler: middleware.BodyLimit(64)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				runs++
				body, err := io.ReadAll(r.Body)
				fmt.Fprintf(w, "%d bytes, error %v", len(body), err)
			}))})
			client := network.Client()
			send := func(size int) (*http.Response, string) {
				resp, err := client.Post("http://api.example/tasks", "text/plain", strings.NewReader(strings.Repeat("x", size)))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				return resp, string(body)
			}
			const do = "h := BodyLimit(64)(handler)\n// a POST with a body of %d bytes"
			for _, size := range []int{65, 100_000} {
				resp, body := send(size)
				requireProblem(t, fmt.Sprintf(do, size), resp.StatusCode, resp.Header, []byte(body), 413, "body_too_large", "The client has to learn that its file is too large, and not that something went wrong.")
				if runs != 0 {
					rule.Broken(t, rule.Case{Do: fmt.Sprintf(do, size), Got: rule.Text("the handler runs"), Want: rule.Text("it does not run"), Why: "The length was in the request. Work that is thrown away is still work."})
				}
			}
			for _, size := range []int{64, 0} {
				resp, body := send(size)
				if want := fmt.Sprintf("%d bytes, error <nil>", size); resp.StatusCode != 200 || body != want {
					rule.Broken(t, rule.Case{
						Do: fmt.Sprintf(do, size) + "\nbody, err := io.ReadAll(r.Body)", Got: rule.Textf("status %d, %s", resp.StatusCode, body), Want: rule.Textf("status 200, %s", want),
						Why: "The limit itself is allowed. The client has been told 64.",
					})
				}
			}
			if n := network.Dialed("api.example:80"); n != 1 {
				rule.Broken(t, rule.Case{
					Do: "h := BodyLimit(64)(handler)\n// bodies of 65, 100000, 64 and 0 bytes, one after the other", Got: rule.Textf("%d connections", n), Want: rule.Text("1 connection"),
					Why: "net/http reads the small rest of a body and keeps the connection. Closing it costs every client a handshake for a small mistake.",
				})
			}
		})
	})

	t.Run("not announced", func(t *testing.T) {
		for _, tc := range []struct {
			limit int64
			size  int
			read  int
			err   bool
		}{{64, 64, 64, false}, {64, 65, 64, true}, {64, 5000, 64, true}, {0, 0, 0, false}, {0, 1, 0, true}} {
			r := httptest.NewRequest(http.MethodPost, "/tasks", struct{ io.Reader }{strings.NewReader(strings.Repeat("x", tc.size))})
			before := r.Body
			var body []byte
			var err error
			runs := 0
			serve(middleware.BodyLimit(tc.limit)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				runs++
				body, err = io.ReadAll(r.Body)
			})), r)
			var tooLarge *http.MaxBytesError
			is := errors.As(err, &tooLarge)
			do := fmt.Sprintf("h := BodyLimit(%d)(handler)\n// a POST with a chunked body of %d bytes\nbody, err := io.ReadAll(r.Body)", tc.limit, tc.size)
			if runs != 1 || len(body) != tc.read || is != tc.err || !is && err != nil || is && tooLarge.Limit != tc.limit {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("runs of the handler: %d, %d bytes, error %v (%T)", runs, len(body), err, err), Want: rule.Textf("runs of the handler: 1, %d bytes, a *http.MaxBytesError{Limit: %d}: %v", tc.read, tc.limit, tc.err),
					Why: "A client that does not say how long its body is can send for ever, into the memory of your process.",
				})
			}
			if r.Body != before {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Text("r.Body of the caller has changed"), Want: rule.Text("a copy of the request with a body of its own"), Why: "Whoever is outside reads another body than the one it had."})
			}
		}
	})
}

func TestTimeout_InTimeIsUnchanged(t *testing.T) {
	for _, tc := range []struct {
		do      string
		handler func(w http.ResponseWriter)
		status  int
		kind    []string // X-Kind
		body    string
	}{
		{"// empty handler", func(http.ResponseWriter) {}, 200, []string{"outer"}, ""},
		{"w.Header().Set(\"X-Kind\", \"task\")\nw.WriteHeader(201)\nfmt.Fprint(w, \"task\")\nfmt.Fprint(w, \" 1\")\nw.Header().Set(\"X-Kind\", \"late\")", func(w http.ResponseWriter) {
			w.Header().Set("X-Kind", "task")
			w.WriteHeader(201)
			fmt.Fprint(w, "task")
			fmt.Fprint(w, " 1")
			w.Header().Set("X-Kind", "late")
		}, 201, []string{"task"}, "task 1"},
		{"w.WriteHeader(404)\nw.WriteHeader(200)", func(w http.ResponseWriter) { w.WriteHeader(404); w.WriteHeader(200) }, 404, []string{"outer"}, ""},
		{"w.WriteHeader(100)", func(w http.ResponseWriter) { w.WriteHeader(100) }, 200, []string{"outer"}, ""},
		{"w.WriteHeader(999)", func(w http.ResponseWriter) { w.WriteHeader(999) }, 999, []string{"outer"}, ""},
		{"fmt.Fprint(w, \"ok\")\nw.WriteHeader(500)", func(w http.ResponseWriter) { fmt.Fprint(w, "ok"); w.WriteHeader(500) }, 200, []string{"outer"}, "ok"},
		{"w.WriteHeader(103)\nw.WriteHeader(201)", func(w http.ResponseWriter) { w.WriteHeader(103); w.WriteHeader(201) }, 201, []string{"outer"}, ""},
		{"buf := []byte(\"one\")\nw.Write(buf)\ncopy(buf, \"two\")\nw.Write(buf)", func(w http.ResponseWriter) {
			buf := []byte("one")
			_, _ = w.Write(buf)
			copy(buf, "two")
			_, _ = w.Write(buf)
		}, 200, []string{"outer"}, "onetwo"},
		{"time.Sleep(999 * time.Millisecond)\nfmt.Fprint(w, \"ok\")", func(w http.ResponseWriter) {
			<-time.After(999 * time.Millisecond)
			fmt.Fprint(w, "ok")
		}, 200, []string{"outer"}, "ok"},
	} {
		t.Run(tc.do, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner := middleware.Timeout(time.Second)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { tc.handler(w) }))
				got := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Kind", "outer")
					inner.ServeHTTP(w, r)
				}), get("/tasks"))
				if kind := got.Result().Header.Values("X-Kind"); got.panicked != nil || got.Code != tc.status || !cmp.Equal(kind, tc.kind) || got.Body.String() != tc.body {
					rule.Broken(t, rule.Case{
						Do:   timeout + "w.Header().Set(\"X-Kind\", \"outer\")\nh.ServeHTTP(w, r)\n// the handler:\n" + tc.do,
						Got:  rule.Textf("status %d, X-Kind %q, body %q, panic value %v", got.Code, kind, got.Body, got.panicked),
						Want: rule.Textf("status %d, X-Kind %q, body %q, panic value <nil>", tc.status, tc.kind, tc.body),
						Why:  "A handler must not behave differently because a middleware was put around it.",
					})
				}
			})
		})
	}
}

func TestTimeout_ContextCancelled(t *testing.T) {
	type key struct{}
	t.Run("by the deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			var after time.Duration
			var cause error
			var value any
			ended := make(chan struct{})
			h := middleware.Timeout(time.Second)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				defer close(ended)
				value = r.Context().Value(key{})
				select {
				case <-r.Context().Done():
				case <-time.After(time.Minute):
				}
				after, cause = time.Since(start), r.Context().Err()
			}))
			r := get("/report")
			serve(h, r.WithContext(context.WithValue(r.Context(), key{}, "ann")))
			select {
			case <-ended:
			case <-time.After(2 * time.Minute):
			}
			if after != time.Second || cause != context.DeadlineExceeded || value != "ann" {
				rule.Broken(t, rule.Case{
					Do:   timeout + "h.ServeHTTP(w, r)\n// the handler:\n<-r.Context().Done()\nfmt.Println(r.Context().Err())",
					Got:  rule.Textf("done after %v, error %v, value of the caller's context %v", after, cause, value),
					Want: rule.Textf("done after 1s, error %v, value of the caller's context ann", context.DeadlineExceeded),
					Why:  "The client has gone with its 503, and the query goes on: a slow database gets more and more work that nobody waits for.",
				})
			}
		})
	})

	t.Run("by the client", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			ctx, cancel := context.WithCancel(t.Context())
			var after time.Duration
			ended := make(chan struct{})
			h := middleware.Timeout(time.Second)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				defer close(ended)
				select {
				case <-r.Context().Done():
				case <-time.After(time.Minute):
				}
				after = time.Since(start)
				<-time.After(time.Minute) // takes its time to clean up
			}))
			stop := time.AfterFunc(time.Second/4, cancel)
			defer stop.Stop()
			got := serve(h, get("/report").WithContext(ctx))
			back := time.Since(start)
			select {
			case <-ended:
			case <-time.After(3 * time.Minute):
			}
			if after != time.Second/4 || back != time.Second/4 || got.Code != 503 {
				rule.Broken(t, rule.Case{
					Do:   timeout + "h.ServeHTTP(w, r) // the client leaves after 250 ms; the handler needs a minute to clean up",
					Got:  rule.Textf("the handler's context is done after %v, ServeHTTP returns after %v with status %d", after, back, got.Code),
					Want: rule.Text("the handler's context is done after 250ms, ServeHTTP returns after 250ms with status 503"),
					Why:  "Nobody reads the answer any more. The access log must not say 200.",
				})
			}
		})
	})

	t.Run("when the handler has returned", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var ctx context.Context
			serve(middleware.Timeout(time.Second)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ctx = r.Context() })), get("/"))
			if ctx == nil || ctx.Err() == nil {
				rule.Broken(t, rule.Case{
					Do: timeout + "h.ServeHTTP(w, r)\n// then, with the context of the handler:\nctx.Err()", Got: rule.Text("the context lives"), Want: rule.Text("it is done"),
					Why: "Each request leaves a timer behind until its deadline.",
				})
			}
		})
	})
}

func TestTimeout_503Once(t *testing.T) {
	for _, tc := range []struct {
		name  string
		begin func(w http.ResponseWriter)
		do    string
	}{
		{"nothing written", func(http.ResponseWriter) {}, ""},
		{"half written", func(w http.ResponseWriter) { w.WriteHeader(201); fmt.Fprint(w, "half") }, "w.WriteHeader(201)\nfmt.Fprint(w, \"half\")\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lateN, late := 0, error(nil)
				ended := make(chan struct{})
				h := middleware.Timeout(time.Second)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					defer close(ended)
					tc.begin(w)
					<-time.After(time.Minute) // does not look at its context
					w.Header().Set("X-Late", "1")
					w.WriteHeader(http.StatusOK)
					lateN, late = fmt.Fprint(w, "late")
				}))
				do := timeout + "h.ServeHTTP(w, r)\n// the handler:\n" + tc.do + "time.Sleep(time.Minute)\nn, err := fmt.Fprint(w, \"late\")"
				w := newTimedWriter()
				h.ServeHTTP(w, get("/report"))
				back := time.Since(w.start)
				header, calls := w.header.Clone(), w.seen()
				select {
				case <-ended:
				case <-time.After(2 * time.Minute):
				}

				var body strings.Builder
				for _, call := range calls {
					if text, ok := strings.CutPrefix(call, "Write("); ok {
						if q, err := unquotePrefix(text); err == nil {
							body.WriteString(q)
						}
					}
				}
				if len(calls) == 0 || calls[0] != "WriteHeader(503) after 1s" || back != time.Second {
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Textf("%q, and ServeHTTP returns after %v", calls, back), Want: rule.Text(`first "WriteHeader(503) after 1s", and ServeHTTP returns after 1s`),
						Why: "The client gets one answer: complete, or 503 after the deadline. Never half of the one and then the other.",
					})
				}
				requireProblem(t, do, 503, header, []byte(body.String()), 503, "unavailable", "The client has to know that it may try again.")
				if after := w.seen(); len(after) != len(calls) || w.header.Get("X-Late") != "" {
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Textf("after ServeHTTP has returned: %q, X-Late: %q", after[len(calls):], w.header.Get("X-Late")), Want: rule.Text("the writer is left alone"),
						Why: "The server has given the writer to the next request on this connection: two goroutines write one answer.",
					})
				}
				if lateN != 0 || !errors.Is(late, http.ErrHandlerTimeout) {
					rule.Broken(t, rule.Case{Do: do + "\nfmt.Println(n, err)", Got: rule.Textf("%d %v", lateN, late), Want: rule.Textf("0 %v", http.ErrHandlerTimeout), Why: "A handler that is not told goes on writing a report for nobody."})
				}
			})
		})
	}

	t.Run("at the very deadline", func(t *testing.T) {
		for range 50 {
			synctest.Test(t, func(t *testing.T) {
				h := middleware.Timeout(time.Second)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "text/plain")
					fmt.Fprint(w, "half")
					<-r.Context().Done() // and gives up
				}))
				got := serve(h, get("/report"))
				requireProblem(t, timeout+"h.ServeHTTP(w, r)\n// the handler:\nfmt.Fprint(w, \"half\")\n<-r.Context().Done()\nreturn",
					got.Code, got.Header(), got.Body.Bytes(), 503, "unavailable",
					"A handler that gives up because its time is over has no complete answer, and half a report with a 200 is worse than none.")
			})
		}
	})
}

func TestTimeout_WriterHidesTheRealOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var errs [2]error
		ended := make(chan struct{})
		h := middleware.Timeout(time.Second)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			defer close(ended)
			fmt.Fprint(w, "half")
			errs[0] = http.NewResponseController(w).Flush()
			<-time.After(time.Minute)
			errs[1] = http.NewResponseController(w).Flush()
		}))
		w := newTimedWriter()
		h.ServeHTTP(w, get("/report"))
		select {
		case <-ended:
		case <-time.After(2 * time.Minute):
		}
		calls := w.seen()
		if !errors.Is(errs[0], errors.ErrUnsupported) || !errors.Is(errs[1], errors.ErrUnsupported) || len(calls) == 0 || calls[0] != "WriteHeader(503) after 1s" || strings.Contains(fmt.Sprint(calls), "Flush") {
			rule.Broken(t, rule.Case{
				Do:   timeout + "h.ServeHTTP(w, r)\n// the handler:\nfmt.Fprint(w, \"half\")\nrc := http.NewResponseController(w)\nrc.Flush()\ntime.Sleep(time.Minute)\nrc.Flush()",
				Got:  rule.Textf("errors %v and %v, calls %q", errs[0], errs[1], calls),
				Want: rule.Text("two errors that are errors.ErrUnsupported, and a writer below that sees a 503 after 1s and no Flush"),
				Why:  "A way around your writer lets the handler send a 200 before it is known who wins, and touch a connection that it has lost.",
			})
		}
	})
}

func TestTimeout_PanicReachesTheCaller(t *testing.T) {
	type custom struct{ n int }
	for _, value := range []any{"boom", http.ErrAbortHandler, custom{7}} {
		t.Run(fmt.Sprint(value), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := serve(middleware.Timeout(time.Second)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					fmt.Fprint(w, "half")
					panic(value)
				})), get("/"))
				if got.panicked != value || got.Body.Len() != 0 {
					rule.Broken(t, rule.Case{
						Do: timeout + "h.ServeHTTP(w, r)\n// the handler:\nfmt.Fprint(w, \"half\")\npanic(v)", Got: rule.Textf("panic value %v, body %q", got.panicked, got.Body), Want: rule.Textf("panic value %v, body \"\"", value),
						Why: "A panic in a goroutine of its own is out of the reach of Recover and of net/http, and ends the process.",
					})
				}
			})
		})
	}
	t.Run("after the deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			got := serve(middleware.Timeout(time.Second)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				<-time.After(time.Minute)
				panic("too late")
			})), get("/"))
			<-time.After(2 * time.Minute)
			if got.panicked != nil || got.Code != 503 {
				rule.Broken(t, rule.Case{
					Do: timeout + "h.ServeHTTP(w, r)\n// the handler:\ntime.Sleep(time.Minute)\npanic(\"too late\")", Got: rule.Textf("panic value %v, status %d", got.panicked, got.Code), Want: rule.Text("panic value <nil>, status 503, and the process lives"),
					Why: "One slow request with a bug ends all others.",
				})
			}
		})
	})
}

func TestTimeout_InvalidStatusPanics(t *testing.T) {
	for _, status := range []int{-1, 0, 99, 1000} {
		synctest.Test(t, func(t *testing.T) {
			reached := false
			got := serve(middleware.Timeout(time.Second)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				reached = true
			})), get("/"))
			if got.panicked == nil || reached {
				rule.Broken(t, rule.Case{
					Do: fmt.Sprintf(timeout+"h.ServeHTTP(w, r)\n// the handler:\nw.WriteHeader(%d)", status), Got: rule.Textf("panic value %v, and the handler goes on: %v", got.panicked, reached),
					Want: rule.Text("a panic in WriteHeader, as in net/http"),
					Why:  "A handler with a bug must fail at the line with the bug, not when its answer is sent.",
				})
			}
		})
	}
}

func TestChain_Allocs(t *testing.T) {
	const limit = 14
	ran := 0
	h := middleware.Chain(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		ran++
		w.WriteHeader(http.StatusNoContent)
	}), middleware.SecurityHeaders, middleware.RequestID, middleware.AccessLog(io.Discard, slog.New(slog.DiscardHandler), time.Now),
		middleware.Recover(slog.New(slog.DiscardHandler)), middleware.BodyLimit(64))
	r := get("/tasks")
	r.Header.Set("X-Request-ID", "req_01jdz7r1k9")
	w := &plainWriter{header: make(http.Header)}
	h.ServeHTTP(w, r)
	const do = "h := Chain(handler, SecurityHeaders, RequestID, AccessLog(io.Discard, log, time.Now), Recover(log), BodyLimit(64))\nh.ServeHTTP(w, r)"
	if id := w.header.Get("X-Request-ID"); ran != 1 || w.status != http.StatusNoContent || id != "req_01jdz7r1k9" {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("runs of the handler: %d, status %d, X-Request-ID %q", ran, w.status, id), Want: rule.Textf("runs of the handler: 1, status 204, X-Request-ID %q", "req_01jdz7r1k9"),
			Why: "A request passes all five, and comes back.",
		})
	}
	allocs.AtMost(t, limit, do, func() {
		w.status = 0
		h.ServeHTTP(w, r)
	})
}

// unquotePrefix returns the string that the quoted beginning of s stands for.
func unquotePrefix(s string) (string, error) {
	var q string
	_, err := fmt.Sscanf(s, "%q", &q)
	return q, err
}
