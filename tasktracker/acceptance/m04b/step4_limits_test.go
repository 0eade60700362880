package m04b_test

import (
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

func TestM04b_BodyLimit(t *testing.T) {
	const limit = 1024
	tt := tracker.Start(t, tracker.Env{"TT_MAX_BODY": "1KiB"})
	ada := signUp(t, tt, "ada")
	task := ada.Want(t, tracker.Create(`{"title":"a"}`), 201, "").Task(t)
	pad := func(r tracker.Request, n int) tracker.Request {
		r.Body = strings.Repeat(" ", n-len(r.Body)) + r.Body
		return r
	}
	for _, r := range []tracker.Request{
		registration("ben@example.org", password, "Ben"), credentials(ada.Email, password), tracker.Create(`{"title":"b"}`),
		tracker.Create(`{"title":"c"}`).With("Idempotency-Key", "k"), tracker.Patch(task.Path(), "*", `{"title":"d"}`), move(task, "in_progress"),
	} {
		const why = "Each body is read into memory. Without a limit a few clients fill it."
		tooLarge := ada.Refuse(t, pad(r, limit+1), 413, "body_too_large", why)
		tooLarge = ada.Refuse(t, pad(r, limit+1).Chunked(), 413, "body_too_large", "Whoever does not tell the length must not have more.")
		answer, err := ada.Try(t.Context(), pad(r, limit).Chunked())
		tooLarge.Check(t, err == nil && answer.Status < 300, fmt.Sprintf("a success with one byte less, not %d (%v)", answer.Status, err), "The limit itself is allowed.")
	}
	large := tt.SendRaw(t, "POST /v1/users HTTP/1.1\r\nHost: tt\r\nContent-Type: application/json\r\nContent-Length: 10485760\r\n\r\n"+strings.Repeat(" ", 10<<20))
	if large.Status != 413 {
		rule.Broken(t, rule.Case{Do: "head -c 10M /dev/zero | tr '\\0' ' ' | curl -i -H 'Content-Type: application/json' --data-binary @- .../v1/users",
			Got: rule.Textf("status %d, %v", large.Status, large.Err), Want: rule.Text("413 at once")})
	}
	ada.Want(t, tracker.Get("/v1/me"), 200, "The service goes on.")
}

// closedWithin is far more than the timeouts of the service, which gives a body a
// few seconds more than its headers.
const closedWithin = 12 * time.Second

func TestM04b_SlowHeadersClosed(t *testing.T) {
	tt := tracker.Start(t, tracker.Env{"TT_READ_HEADER_TIMEOUT": "300ms", "TT_REQUEST_TIMEOUT": "500ms"})
	starts := []string{
		"", "GET", "GET /healthz HTTP/1.1\r\n", "GET /healthz HTTP/1.1\r\nHost: tt\r\nX-Slow: ", "GET /healthz HTTP/1.1\r\nHost: tt\r\n",
		"POST /v1/users HTTP/1.1\r\nHost: tt\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
	}
	var slow []net.Conn
	for range 20 {
		for _, start := range starts {
			conn := tt.Raw(t)
			if err := conn.SetDeadline(time.Now().Add(closedWithin)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, start); err != nil {
				t.Fatal(err)
			}
			slow = append(slow, conn)
		}
	}
	drips := tt.Raw(t)
	go drip(drips)

	nobody := tt.Anonymous()
	nobody.Want(t, tracker.Get("/healthz"), 200, "While slow clients hold their connections, others are served.")
	for i, conn := range append(slow, drips) {
		answer := tracker.ReadRaw(conn)
		if !answer.TimedOut() && answer.Status != 500 {
			continue
		}
		start := "GET /healthz HTTP/1.1\\r\\nX: and then one byte after the other"
		if i < len(slow) {
			start = fmt.Sprintf("%q", starts[i%len(starts)])
		}
		rule.Broken(t, rule.Case{
			Do:   "TT_READ_HEADER_TIMEOUT=300ms TT_REQUEST_TIMEOUT=500ms tasktracker &\nprintf " + start + " | nc -q 60 127.0.0.1 $port",
			Got:  rule.Textf("after %v: status %d, %v", closedWithin, answer.Status, answer.Err),
			Want: rule.Text("the connection is closed, with an answer or without"),
			Why:  "A few thousand such connections, and nobody else gets one. They cost the attacker nothing.",
		})
	}
	nobody.Want(t, tracker.Get("/healthz"), 200, "")
}

// drip sends a header byte by byte, each in time, until the service has had
// enough.
func drip(conn net.Conn) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	_, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nX: ")
	for err == nil {
		<-tick.C
		_, err = io.WriteString(conn, "x")
	}
}

func TestM04b_RawBytes(t *testing.T) {
	tt := tracker.Start(t, nil)
	ada := signUp(t, tt, "ada")
	requests := map[string]string{
		"a header of 2 MiB": "GET /v1/me HTTP/1.1\r\nHost: tt\r\nX: " + strings.Repeat("x", 2<<20) + "\r\n\r\n",
		"100000 headers":    "GET /v1/me HTTP/1.1\r\nHost: tt\r\n" + strings.Repeat("X-Header: 1234567890\r\n", 100_000) + "\r\n",
		"an endless line":   "GET /" + strings.Repeat("a", 2<<20),
		"TLS":               "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n",
		"no HTTP":           "HELO tracker\r\n\r\n",
		"two lengths":       "POST /v1/tasks HTTP/1.1\r\nHost: tt\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
		"length and chunks": "POST /v1/tasks HTTP/1.1\r\nHost: tt\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"a bad chunk":       "POST /v1/users HTTP/1.1\r\nHost: tt\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"a NUL":             "GET /v1/tasks/\x00 HTTP/1.1\r\nHost: tt\r\n\r\n",
		"version 9":         "GET /healthz HTTP/9.9\r\nHost: tt\r\n\r\n",
	}
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		t.Run(name, func(t *testing.T) {
			request := requests[name]
			answer := tt.SendRaw(t, request)
			refused := answer.Status == 0 || answer.Status >= 400
			if answer.TimedOut() || !refused || answer.Status == 500 || strings.Contains(answer.Body, "goroutine") {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("printf %.120q | nc 127.0.0.1 $port", request),
					Got:  rule.Textf("status %d %q, %v", answer.Status, answer.Body, answer.Err),
					Want: rule.Text("a refusal, but no 500, or a closed connection"),
				})
			}
		})
	}
	ada.Want(t, tracker.Get("/v1/me"), 200, "The service goes on.")
}
