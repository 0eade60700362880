// Package pipenet is a network in memory, for tests in synctest bubbles. Sockets
// must not be used there: a goroutine that waits for a socket is not durably
// blocked, so the clock of the bubble never moves.
//
//	synctest.Test(t, func(t *testing.T) {
//		network := pipenet.New(t)
//		network.Serve("api.example:80", &http.Server{Handler: handler})
//		resp, err := network.Client().Get("http://api.example/v1/tasks")
//		...
//	})
//
// A connection is a [net.Pipe]: a write returns when the other side has read all
// of it, so there is no buffer that hides a reader that does not read. Deadlines
// work. When the test ends, listeners, servers and connections are closed, and
// the goroutines of net/http end with them.
package pipenet

import (
	"context"
	"fmt"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
)

// Network connects the listeners and the clients of one test. Its methods may
// be called by several goroutines.
type Network struct {
	t testing.TB

	mu        sync.Mutex
	listeners map[string]*listener
	dialed    map[string]int
	conns     map[*Conn]struct{}
}

// New returns a network without listeners, which is closed when t ends. In a
// bubble, call it with the t of the bubble.
func New(t testing.TB) *Network {
	n := &Network{
		t:         t,
		listeners: make(map[string]*listener),
		dialed:    make(map[string]int),
		conns:     make(map[*Conn]struct{}),
	}
	t.Cleanup(n.closeAll)
	return n
}

// backlog is how many connections may wait for Accept; more are refused.
const backlog = 128

// Listen returns a listener on an address such as "api.example:80". It fails if
// the address is in use. The port is part of the name: the client's default for
// http is 80.
func (n *Network) Listen(address string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[address] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: addr(address), Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	l := &listener{network: n, address: addr(address), conns: make(chan *Conn, backlog)}
	n.listeners[address] = l
	return l, nil
}

// Serve runs srv on address until the test ends. What srv logs goes to the log
// of the test, unless it has an ErrorLog.
func (n *Network) Serve(address string, srv *http.Server) {
	n.t.Helper()
	l, err := n.Listen(address)
	if err != nil {
		n.t.Fatal(err)
	}
	if srv.ErrorLog == nil {
		srv.ErrorLog = log.New(n.t.Output(), "", 0)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(l)
	}()
	n.t.Cleanup(func() {
		srv.Close()
		<-done
	})
}

// DialContext connects to a listener. It has the signature that
// [http.Transport] wants. The network must be a kind of tcp. Without a listener
// the connection is refused, at once.
func (n *Network) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	failed := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: addr(address), Err: err}
	}
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return failed(net.UnknownNetworkError(network))
	}
	if err := ctx.Err(); err != nil {
		return failed(err)
	}
	n.mu.Lock()
	l := n.listeners[address]
	n.dialed[address]++
	port := 49152 + n.dialed[address]
	n.mu.Unlock()
	if l == nil {
		return failed(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	client, server := n.pipe(addr(fmt.Sprintf("192.0.2.1:%d", port)), l.address)
	if !l.connect(server) {
		client.Close()
		server.Close()
		return failed(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	return client, nil
}

// forget makes the address of l free again.
func (n *Network) forget(l *listener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[string(l.address)] == l {
		delete(n.listeners, string(l.address))
	}
}

// Dialed returns how many connections to address were asked for so far.
func (n *Network) Dialed(address string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dialed[address]
}

// Transport returns a new transport that dials in the network. Its idle
// connections are closed when the test ends.
func (n *Network) Transport() *http.Transport {
	tr := &http.Transport{DialContext: n.DialContext}
	n.t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// Client returns a new client with a [Network.Transport] of its own.
func (n *Network) Client() *http.Client { return &http.Client{Transport: n.Transport()} }

func (n *Network) pipe(client, server addr) (*Conn, *Conn) {
	a, b := net.Pipe()
	link := new(link)
	ends := [2]*Conn{
		{Conn: a, network: n, link: link, local: client, remote: server},
		{Conn: b, network: n, link: link, local: server, remote: client},
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range ends {
		n.conns[c] = struct{}{}
	}
	return ends[0], ends[1]
}

func (n *Network) closeAll() {
	n.mu.Lock()
	listeners, conns := maps.Clone(n.listeners), maps.Clone(n.conns)
	n.mu.Unlock()
	for _, l := range listeners {
		l.Close()
	}
	for c := range conns {
		c.Close()
	}
}

// addr is the name of one end, such as "api.example:80".
type addr string

func (addr) Network() string  { return "tcp" }
func (a addr) String() string { return string(a) }
