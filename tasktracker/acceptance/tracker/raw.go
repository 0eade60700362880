package tracker

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// Raw opens a connection to the service, for bytes that no HTTP client sends.
// Reads and writes fail after a while; the test closes it when it ends.
func (tt *Tracker) Raw(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", tt.Addrs().HTTP, connectWithin)
	if err != nil {
		t.Fatalf("connect to the service: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// RawAnswer is what came back on a connection for bytes that are no proper
// request.
type RawAnswer struct {
	Status int // 0: the connection was closed without an answer
	Body   string
	Err    error // why there is no answer; a timeout means that nobody closed
}

// SendRaw sends bytes on a connection of its own and reads what comes back. The
// service may answer or close before it has got all of them.
func (tt *Tracker) SendRaw(t testing.TB, request string) RawAnswer {
	t.Helper()
	conn := tt.Raw(t)
	defer conn.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(conn, request) // fails if the service has had enough
	}()
	answer := ReadRaw(conn)
	conn.Close()
	<-sent
	return answer
}

// ReadRaw reads one answer from a connection.
func ReadRaw(conn net.Conn) RawAnswer {
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return RawAnswer{Err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return RawAnswer{Status: res.StatusCode, Body: string(body), Err: err}
}

// TimedOut reports whether the service neither answered nor closed.
func (a RawAnswer) TimedOut() bool {
	timeout, ok := errors.AsType[net.Error](a.Err)
	return ok && timeout.Timeout()
}
