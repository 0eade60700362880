//course:since m04a

package server_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/tasktracker/web/server"
)

var limits = server.Limits{ReadHeader: 5 * time.Second, Request: 15 * time.Second, Drain: 20 * time.Second}

// pipes is a listener whose connections are pipes: in a bubble of synctest they
// know the time of the bubble, and waiting for them is waiting for nothing else.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error {
	close(p.closed)
	return nil
}

func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.conns <- there
	return here
}

// running is a server that runs. Its end is the result of Run.
type running struct {
	*server.Server
	listener pipes
	stop     func()
	end      chan error
}

type whoRuns struct{}

func start(t *testing.T, handler http.HandlerFunc) *running {
	t.Helper()
	s := &running{
		listener: pipes{conns: make(chan net.Conn), closed: make(chan struct{})},
		end:      make(chan error, 1),
	}
	s.Server = server.New(s.listener, limits, slog.New(slog.DiscardHandler))
	s.Handle(handler)
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), whoRuns{}, "the test"))
	s.stop = cancel
	ready := make(chan struct{})
	go func() { s.end <- s.Run(ctx, func() { close(ready) }) }()
	<-ready
	return s
}

// get sends a request and returns status and body of the answer.
func (s *running) get(header ...string) (status int, body string, err error) {
	dial := func(context.Context, string, string) (net.Conn, error) { return s.listener.dial(), nil }
	client := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	r, err := http.NewRequest("GET", "http://tracker", nil)
	if err != nil {
		return 0, "", err
	}
	r.Header["X-Test"] = header
	resp, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(content), err
}

func (s *running) stopAndWait(t *testing.T) {
	t.Helper()
	s.stop()
	if err := <-s.end; err != nil {
		t.Errorf("Run = %v", err)
	}
}

func TestRun_AnswersWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := start(t, func(w http.ResponseWriter, r *http.Request) {
			<-release
			if err := r.Context().Err(); err != nil {
				t.Errorf("the context of the request has ended: %v", err)
			}
			io.WriteString(w, "done for ")
			io.WriteString(w, r.Context().Value(whoRuns{}).(string))
		})
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			if _, body, err := s.get(); body != "done for the test" || err != nil {
				t.Errorf("the request in flight got %q, %v", body, err)
			}
		}()
		synctest.Wait()
		if err := s.Ready(t.Context()); err != nil {
			t.Errorf("Ready while serving = %v", err)
		}
		s.stop()
		synctest.Wait()
		if s.Ready(t.Context()) == nil {
			t.Error("Ready = nil after the end of the context")
		}
		close(release)
		<-answered
		s.stopAndWait(t)
	})
}

func TestRun_TellsOfRequestsThatDidNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done() // which Run ends when it gives up
		})
		go s.get()
		synctest.Wait()
		begin := time.Now()
		s.stop()
		if err := <-s.end; !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != limits.Drain {
			t.Errorf("Run = %v after %v, want DeadlineExceeded after %v", err, time.Since(begin), limits.Drain)
		}
	})
}

func TestRun_FailsWithItsListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	s := server.New(l, limits, slog.New(slog.DiscardHandler))
	if err := s.Run(t.Context(), func() {}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run on a closed listener = %v", err)
	}
}

func TestRun_HeadersHaveALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, func(http.ResponseWriter, *http.Request) {})
		for size, want := range map[int]int{8 << 10: http.StatusOK, 32 << 10: http.StatusRequestHeaderFieldsTooLarge} {
			if status, _, err := s.get(strings.Repeat("x", size)); status != want || err != nil {
				t.Errorf("a header of %d bytes = %d, %v; want %d", size, status, err, want)
			}
		}
		s.stopAndWait(t)
	})
}

func TestRun_SlowClientsAreCutOff(t *testing.T) {
	for name, tc := range map[string]struct {
		sent  string
		after time.Duration
	}{
		"headers without end": {"GET / HTTP/1.1\r\nHost: a\r\n", 5 * time.Second},
		"body without end":    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345", 25 * time.Second},
		"no second request":   {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 60 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
				begin := time.Now()
				conn := s.listener.dial()
				io.WriteString(conn, tc.sent)
				io.Copy(io.Discard, conn)
				if after := time.Since(begin).Truncate(time.Second); after != tc.after {
					t.Errorf("cut off after %v, want %v", after, tc.after)
				}
				s.stopAndWait(t)
			})
		})
	}
}

func TestRun_AnAnswerThatNobodyReadsHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		written := make(chan error)
		s := start(t, func(w http.ResponseWriter, r *http.Request) {
			_, err := w.Write(make([]byte, 1<<20))
			written <- err
		})
		begin := time.Now()
		io.WriteString(s.listener.dial(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if err := <-written; err == nil || time.Since(begin) != 20*time.Second {
			t.Errorf("Write = %v after %v, want an error after 20s", err, time.Since(begin))
		}
		s.stopAndWait(t)
	})
}
