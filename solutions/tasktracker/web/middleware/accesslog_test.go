//course:since m04a

package middleware_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/web/middleware"
)

// accessLog serves r and returns its line and its record in the log. By the
// clock the request takes 12.6 ms.
func accessLog(t *testing.T, r *http.Request, handler http.HandlerFunc) (line string, record map[string]any, panicked any) {
	t.Helper()
	clock := []time.Time{time.Date(2026, 11, 23, 8, 15, 2, 0, time.FixedZone("", 3600))}
	clock = append(clock, clock[0].Add(12_600*time.Microsecond))
	now := func() (at time.Time) {
		at, clock = clock[0], clock[1:]
		return at
	}
	var lines, records bytes.Buffer
	_, panicked = serve(middleware.AccessLog(&lines, slog.New(slog.NewJSONHandler(&records, nil)), now), r, handler)
	if err := json.Unmarshal(records.Bytes(), &record); err != nil {
		t.Fatalf("%v in the record %q", err, &records)
	}
	return lines.String(), record, panicked
}

func TestAccessLog_ALineForARequest(t *testing.T) {
	r := get("/v1/tasks?q=a%20b")
	r.RemoteAddr = "[2001:db8::1%eth0]:4711"
	r.Header.Set("User-Agent", "curl/8")
	r.Header.Set("X-Request-ID", "req_1")
	var line string
	var record map[string]any
	serve(middleware.RequestID, r, func(_ http.ResponseWriter, r *http.Request) {
		line, record, _ = accessLog(t, r, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, "nothing")
		})
	})
	want := `2001:db8::1 - - [23/Nov/2026:08:15:02 +0100] "GET /v1/tasks?q=a%20b HTTP/1.1" 404 7 "-" "curl/8" 0.012 "req_1"` + "\n"
	if line != want {
		t.Errorf("line = %swant = %s", line, want)
	}
	if record["level"] != "INFO" || record["request_id"] != "req_1" || record["status"] != 404.0 || record["path"] != "/v1/tasks" || record["aborted"] != false {
		t.Errorf("record = %v", record)
	}
}

func TestAccessLog_AClientCannotForgeALine(t *testing.T) {
	r := get("/")
	r.RemoteAddr = "10.0.0.1 evil"
	r.RequestURI = "/\n10.0.0.1 - - \"GET"
	r.Header.Set("User-Agent", "\" 0.001 \\ \x1b[31m é\t\r\b\v")
	line, _, _ := accessLog(t, r, func(http.ResponseWriter, *http.Request) {})
	want := `- - - [23/Nov/2026:08:15:02 +0100] "GET /\n10.0.0.1 - - \"GET HTTP/1.1" 200 0 "-" "\" 0.001 \\ \x1b[31m \xc3\xa9\t\r\b\v" 0.012 "-"` + "\n"
	if line != want {
		t.Errorf("line = %swant = %s", line, want)
	}
}

func TestAccessLog_CountsWhatWasSent(t *testing.T) {
	for name, tc := range map[string]struct {
		method  string
		handler http.HandlerFunc
		want    string
	}{
		"nothing": {"GET", func(http.ResponseWriter, *http.Request) {}, " 200 0 "},
		"written": {"GET", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "12345") }, " 200 5 "},
		"copied": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			io.Copy(w, io.LimitReader(strings.NewReader("12345"), 4))
		}, " 200 4 "},
		"head":       {"HEAD", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "12345") }, " 200 0 "},
		"first wins": {"GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(409); w.WriteHeader(200) }, " 409 0 "},
		"early hint": {"GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(404) }, " 404 0 "},
	} {
		r := get("/")
		r.Method = tc.method
		if line, _, _ := accessLog(t, r, tc.handler); !strings.Contains(line, tc.want) {
			t.Errorf("%s: line %swant%s", name, line, tc.want)
		}
	}
}

func TestAccessLog_FailuresOfOursAreErrors(t *testing.T) {
	for status, want := range map[int]string{http.StatusNotFound: "INFO", http.StatusInternalServerError: "ERROR"} {
		_, record, _ := accessLog(t, get("/"), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		if record["level"] != want {
			t.Errorf("level of a %d = %v, want %s", status, record["level"], want)
		}
	}
}

func TestAccessLog_APanicIsReportedAndGoesOn(t *testing.T) {
	line, record, panicked := accessLog(t, get("/"), func(http.ResponseWriter, *http.Request) { panic("bug") })
	if panicked != "bug" || !strings.Contains(line, " 500 0 ") || record["level"] != "ERROR" || record["aborted"] != true {
		t.Errorf("panic %v, line %q, record %v", panicked, line, record)
	}
}

func TestAccessLog_LinesDoNotMix(t *testing.T) {
	var lines bytes.Buffer // which is not safe for concurrent use
	h := middleware.AccessLog(&lines, slog.New(slog.DiscardHandler), time.Now)(http.NotFoundHandler())
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() { h.ServeHTTP(httptest.NewRecorder(), get("/")) })
	}
	group.Wait()
	if got := strings.Count(lines.String(), `" 404 19 "-" "-" `); got != 16 || strings.Count(lines.String(), "\n") != 16 {
		t.Errorf("%d of 16 lines are whole:\n%s", got, &lines)
	}
}
