// Package faultnet makes the connections of a server fail in ways that real
// networks do: cut off, reset, stalled, slow.
//
//	listener = faultnet.Listen(listener, func(conn int) faultnet.Fault {
//		if conn == 1 {
//			return faultnet.Fault{Kind: faultnet.Reset, After: 120}
//		}
//		return faultnet.Fault{}
//	})
//
// A fault concerns what the server sends: the client gets the first bytes, then
// the network fails. So the server's code, and its test, stay as they are. It
// works on sockets and, in synctest bubbles, on a network of labkit/pipenet.
package faultnet

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Kind is what happens to a connection.
type Kind uint8

// The kinds of faults.
const (
	None    Kind = iota
	Close        // the connection is closed, as when the server's process dies
	Reset        // a TCP reset
	Stall        // nothing more arrives, and the connection stays open
	Trickle      // one byte arrives at a time, and then nothing for Every
)

// Fault is what happens to one connection.
type Fault struct {
	Kind  Kind
	After int64         // bytes that arrive before it happens
	Every time.Duration // the pause of a Trickle
}

// Listen returns a listener whose connections fail as plan says. plan gets the
// number of the connection, from 1, in the order in which they are accepted. It
// must be safe for use by several goroutines if Accept is called by several.
func Listen(l net.Listener, plan func(conn int) Fault) net.Listener {
	return &listener{Listener: l, plan: plan}
}

type listener struct {
	net.Listener
	plan     func(conn int) Fault
	accepted atomic.Int64
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	f := l.plan(int(l.accepted.Add(1)))
	if f.Kind == None {
		return c, nil
	}
	return &conn{Conn: c, fault: f, left: f.After, closed: make(chan struct{})}, nil
}

// conn is the server's end of a connection that will fail.
type conn struct {
	net.Conn
	fault Fault

	write sync.Mutex // held during Write
	left  int64      // bytes until the fault happens

	once   sync.Once
	closed chan struct{}
}

// Write sends b as far as the fault lets it. The server is not told: what is
// lost on the way is lost after the server wrote it.
func (c *conn) Write(b []byte) (int, error) {
	c.write.Lock()
	defer c.write.Unlock()
	if c.left > 0 {
		n, err := c.Conn.Write(b[:min(int64(len(b)), c.left)])
		c.left -= int64(n)
		if err != nil {
			return n, err
		}
		if c.left > 0 {
			return n, nil
		}
		rest, err := c.fail(b[n:])
		return n + rest, err
	}
	return c.fail(b)
}

// fail does with b, and with all that follows, what the fault says.
func (c *conn) fail(b []byte) (int, error) {
	switch c.fault.Kind {
	case Close:
		return len(b), c.Close()
	case Reset:
		return len(b), c.reset()
	case Stall:
		return len(b), nil
	case Trickle:
		return c.trickle(b)
	default:
		panic(fmt.Sprintf("faultnet: unknown kind of fault %d", c.fault.Kind))
	}
}

func (c *conn) trickle(b []byte) (int, error) {
	for i := range b {
		select {
		case <-time.After(c.fault.Every):
		case <-c.closed:
			return i, net.ErrClosed
		}
		if _, err := c.Conn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

// reset ends the connection without the exchange that a close begins.
func (c *conn) reset() error {
	switch inner := c.Conn.(type) {
	case interface{ Reset() error }: // labkit/pipenet
		return inner.Reset()
	case interface{ SetLinger(sec int) error }: // TCP
		if err := inner.SetLinger(0); err != nil {
			return err
		}
	}
	return c.Close()
}

// Close closes the connection and ends a Trickle.
func (c *conn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
