package pipenet

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// Conn is one end of a connection.
type Conn struct {
	net.Conn
	network       *Network
	link          *link
	local, remote addr
	closed        atomic.Bool
}

// link is what both ends share.
type link struct{ reset atomic.Bool }

// LocalAddr returns the address of this end.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the address of the other end.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// Reset closes the connection as a TCP reset does: what the other side reads or
// writes from now on fails with ECONNRESET.
func (c *Conn) Reset() error {
	c.link.reset.Store(true)
	return c.Close()
}

// Close closes the connection. The other side reads [io.EOF] then, and its
// writes fail.
func (c *Conn) Close() error {
	c.closed.Store(true)
	c.network.mu.Lock()
	delete(c.network.conns, c)
	c.network.mu.Unlock()
	return c.Conn.Close()
}

// Read implements [net.Conn].
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	switch {
	case err == nil:
	case c.closed.Load() && errors.Is(err, io.ErrClosedPipe):
		err = c.failed("read", net.ErrClosed)
	case c.link.reset.Load():
		err = c.failed("read", os.NewSyscallError("read", syscall.ECONNRESET))
	}
	return n, err
}

// Write implements [net.Conn].
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	switch {
	case err == nil || !errors.Is(err, io.ErrClosedPipe):
	case c.closed.Load():
		err = c.failed("write", net.ErrClosed)
	case c.link.reset.Load():
		err = c.failed("write", os.NewSyscallError("write", syscall.ECONNRESET))
	default:
		err = c.failed("write", os.NewSyscallError("write", syscall.EPIPE))
	}
	return n, err
}

func (c *Conn) failed(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

type listener struct {
	network *Network
	address addr

	mu     sync.Mutex // held to send on conns, and to close it
	closed bool
	conns  chan *Conn
}

// connect hands the server's end to whoever accepts next. It reports whether
// the listener is open and has room for it.
func (l *listener) connect(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	select {
	case l.conns <- c:
		return true
	default:
		return false
	}
}

func (l *listener) Accept() (net.Conn, error) {
	c, ok := <-l.conns
	if !ok {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.address, Err: net.ErrClosed}
	}
	return c, nil
}

func (l *listener) Addr() net.Addr { return l.address }

// Close stops the listener. Connections that nobody accepted are closed.
func (l *listener) Close() error {
	l.network.forget(l)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	close(l.conns)
	for c := range l.conns {
		c.Close()
	}
	return nil
}
