package pipenet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/grader/labkit/pipenet"
)

func get(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestHTTPWorksInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := pipenet.New(t)
		network.Serve("api.example:80", &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s %s", r.Host, r.RemoteAddr)
		})})
		client := network.Client()
		for range 3 {
			if got, want := get(t, client, "http://api.example/"), "api.example 192.0.2.1:49153"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		if n := network.Dialed("api.example:80"); n != 1 {
			t.Errorf("%d connections for three requests in a row, want 1", n)
		}
	})
}

func TestTimeIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := pipenet.New(t)
		network.Serve("slow.example:80", &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		})})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://slow.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = network.Client().Do(req)
		if got := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || got != 3*time.Second {
			t.Errorf("error %v after %v, want a deadline after 3s", err, got)
		}
	})
}

func TestHTTPSchemeNamesThePort(t *testing.T) {
	network := pipenet.New(t)
	network.Serve("a.example:8080", &http.Server{Handler: http.NotFoundHandler()})
	_, err := network.Client().Get("http://a.example/")
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v, want a refused connection", err)
	}
}

func TestAddressInUse(t *testing.T) {
	network := pipenet.New(t)
	l, err := network.Listen("db.example:5432")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := network.Listen("db.example:5432"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("second Listen: error %v, want %v", err, syscall.EADDRINUSE)
	}
	l.Close()
	if _, err := network.Listen("db.example:5432"); err != nil {
		t.Errorf("Listen after Close: %v", err)
	}
}

// connect returns both ends of a new connection.
func connect(t *testing.T) (client, server net.Conn) {
	t.Helper()
	network := pipenet.New(t)
	l, err := network.Listen("db.example:5432")
	if err != nil {
		t.Fatal(err)
	}
	client, err = network.DialContext(t.Context(), "tcp", "db.example:5432")
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestErrorsAreThoseOfTCP(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(server *pipenet.Conn)
		op   func(client net.Conn) error
		want error
	}{
		{"read after the other side closed", closeConn, read, io.EOF},
		{"write after the other side closed", closeConn, write, syscall.EPIPE},
		{"read after a reset", resetConn, read, syscall.ECONNRESET},
		{"write after a reset", resetConn, write, syscall.ECONNRESET},
		{"read after own close", keepConn, func(c net.Conn) error { c.Close(); return read(c) }, net.ErrClosed},
		{"write after own close", keepConn, func(c net.Conn) error { c.Close(); return write(c) }, net.ErrClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, server := connect(t)
			tt.end(server.(*pipenet.Conn))
			if err := tt.op(client); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func closeConn(c *pipenet.Conn) { c.Close() }
func resetConn(c *pipenet.Conn) { c.Reset() }
func keepConn(*pipenet.Conn)    {}

func read(c net.Conn) error  { _, err := c.Read(make([]byte, 1)); return err }
func write(c net.Conn) error { _, err := c.Write([]byte("x")); return err }

func TestAddressesAreThoseOfTheNetwork(t *testing.T) {
	client, server := connect(t)
	for _, tt := range []struct{ name, got, want string }{
		{"client's remote", client.RemoteAddr().String(), "db.example:5432"},
		{"server's local", server.LocalAddr().String(), "db.example:5432"},
		{"server's remote", server.RemoteAddr().String(), client.LocalAddr().String()},
	} {
		if tt.got != tt.want {
			t.Errorf("%s address: got %s, want %s", tt.name, tt.got, tt.want)
		}
	}
	if _, _, err := net.SplitHostPort(server.RemoteAddr().String()); err != nil {
		t.Error(err)
	}
}

func TestClosedListenerRefusesAndClosesWhoWaits(t *testing.T) {
	network := pipenet.New(t)
	l, err := network.Listen("db.example:5432")
	if err != nil {
		t.Fatal(err)
	}
	waiting, err := network.DialContext(t.Context(), "tcp", "db.example:5432")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := read(waiting); !errors.Is(err, io.EOF) {
		t.Errorf("connection that nobody accepted: read gives %v, want EOF", err)
	}
	if _, err := network.DialContext(t.Context(), "tcp", "db.example:5432"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("Dial after Close: error %v, want a refused connection", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: error %v, want %v", err, net.ErrClosed)
	}
}

func TestDialHonoursContextAndNetwork(t *testing.T) {
	network := pipenet.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := network.DialContext(ctx, "tcp", "a.example:80"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
	var unknown net.UnknownNetworkError
	if _, err := network.DialContext(t.Context(), "udp", "a.example:80"); !errors.As(err, &unknown) {
		t.Errorf("udp: error %v, want an unknown network", err)
	}
}

func TestConnectionsEndWithTheTest(t *testing.T) {
	var client net.Conn
	t.Run("inner", func(t *testing.T) {
		client, _ = connect(t)
	})
	if err := read(client); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after the test ended: error %v, want %v", err, net.ErrClosed)
	}
}
