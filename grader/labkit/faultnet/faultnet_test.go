package faultnet_test

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/grader/labkit/faultnet"
	"github.com/middle-go/course/grader/labkit/pipenet"
)

const message = "HTTP/1.1 200 OK"

// serve sends message on every connection and waits for the client's close.
func serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			io.WriteString(c, message)
			io.Copy(io.Discard, c)
		}()
	}
}

// inBubble calls f with a function that connects to a server with the fault.
func inBubble(t *testing.T, fault faultnet.Fault, f func(t *testing.T, dial func() net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := pipenet.New(t)
		l, err := network.Listen("a.example:80")
		if err != nil {
			t.Fatal(err)
		}
		go serve(faultnet.Listen(l, func(int) faultnet.Fault { return fault }))
		f(t, func() net.Conn {
			c, err := network.DialContext(t.Context(), "tcp", "a.example:80")
			if err != nil {
				t.Fatal(err)
			}
			return c
		})
	})
}

func readAll(c net.Conn) (string, error) {
	c.SetReadDeadline(time.Now().Add(time.Minute))
	b, err := io.ReadAll(c)
	return string(b), err
}

func TestClientGetsTheFirstBytesThenTheFault(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault faultnet.Fault
		want  string
		err   error
	}{
		{"closed", faultnet.Fault{Kind: faultnet.Close, After: 8}, message[:8], nil},
		{"closed before the first byte", faultnet.Fault{Kind: faultnet.Close}, "", nil},
		{"reset", faultnet.Fault{Kind: faultnet.Reset, After: 8}, message[:8], syscall.ECONNRESET},
		{"stalled", faultnet.Fault{Kind: faultnet.Stall, After: 8}, message[:8], os.ErrDeadlineExceeded},
		{"none", faultnet.Fault{}, message, os.ErrDeadlineExceeded},
		{"more than the server sends", faultnet.Fault{Kind: faultnet.Close, After: 100}, message, os.ErrDeadlineExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, tt.fault, func(t *testing.T, dial func() net.Conn) {
				got, err := readAll(dial())
				if got != tt.want || !errors.Is(err, tt.err) {
					t.Errorf("got %q and error %v, want %q and %v", got, err, tt.want, tt.err)
				}
			})
		})
	}
}

func TestTrickleTakesItsTime(t *testing.T) {
	fault := faultnet.Fault{Kind: faultnet.Trickle, After: 5, Every: time.Second}
	inBubble(t, fault, func(t *testing.T, dial func() net.Conn) {
		c, start := dial(), time.Now()
		got := make([]byte, len(message))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != message {
			t.Fatalf("got %q and error %v, want %q", got, err, message)
		}
		if got, want := time.Since(start), 10*time.Second; got != want {
			t.Errorf("5 bytes at once and 10 by the second took %v, want %v", got, want)
		}
	})
}

func TestTrickleEndsWhenTheServerCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := pipenet.New(t)
		l, err := network.Listen("a.example:80")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := network.DialContext(t.Context(), "tcp", "a.example:80"); err != nil {
			t.Fatal(err)
		}
		c, err := faultnet.Listen(l, func(int) faultnet.Fault {
			return faultnet.Fault{Kind: faultnet.Trickle, Every: time.Hour}
		}).Accept()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(time.Second)
			c.Close()
		}()
		start := time.Now()
		if _, err := io.WriteString(c, message); !errors.Is(err, net.ErrClosed) {
			t.Errorf("error %v, want %v", err, net.ErrClosed)
		}
		if got := time.Since(start); got != time.Second {
			t.Errorf("the write ended after %v, want %v", got, time.Second)
		}
	})
}

func TestPlanSeesConnectionsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := pipenet.New(t)
		l, err := network.Listen("a.example:80")
		if err != nil {
			t.Fatal(err)
		}
		go serve(faultnet.Listen(l, func(conn int) faultnet.Fault {
			return faultnet.Fault{Kind: faultnet.Close, After: int64(conn)}
		}))
		for i := 1; i <= 3; i++ {
			c, err := network.DialContext(t.Context(), "tcp", "a.example:80")
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := readAll(c); got != message[:i] {
				t.Errorf("connection %d: got %q, want %q", i, got, message[:i])
			}
		}
	})
}

func TestResetOverTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	failing := faultnet.Listen(l, func(int) faultnet.Fault { return faultnet.Fault{Kind: faultnet.Reset, After: 8} })
	go func() {
		c, err := failing.Accept()
		if err != nil {
			return
		}
		io.ReadFull(c, make([]byte, 1)) // a reset before that would fail the client's Dial
		io.WriteString(c, message)
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("?")); err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("error %v, want %v", err, syscall.ECONNRESET)
	}
}
