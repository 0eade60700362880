package tracker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/middle-go/course/tasktracker/acceptance/contract"
)

// ErrClosedBefore means that a connection ended before the first byte of an
// answer.
var ErrClosedBefore = errors.New("the connection was closed before an answer began")

// Conn is one connection of a client, which it keeps for all its requests. It is
// for one goroutine. Unlike [Client] it never sends a request twice, so what it
// reports is what happened.
type Conn struct {
	client *Client
	conn   net.Conn
	in     *bufio.Reader
}

// Connect opens a connection.
func (c *Client) Connect(ctx context.Context) (*Conn, error) {
	dialer := net.Dialer{Timeout: connectWithin}
	conn, err := dialer.DialContext(ctx, "tcp", c.host())
	if err != nil {
		return nil, err
	}
	return &Conn{client: c, conn: conn, in: bufio.NewReader(conn)}, nil
}

// Close closes the connection.
func (c *Conn) Close() { c.conn.Close() }

// Do sends a request and reads its answer. The error wraps [ErrClosedBefore], is
// a [*contract.Violation], or says how the answer is broken.
func (c *Conn) Do(r Request) (Answer, error) {
	e := c.client.exchange(r)
	if err := c.send(e, ""); err != nil {
		return Answer{Exchange: e}, fmt.Errorf("%w: %w", ErrClosedBefore, err)
	}
	return c.receive(e)
}

// send writes a request with one more header line.
func (c *Conn) send(e contract.Exchange, line string) error {
	if err := c.conn.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return err
	}
	var request strings.Builder
	fmt.Fprintf(&request, "%s %s HTTP/1.1\r\nHost: %s\r\n%s", e.Method, strings.TrimPrefix(e.URL, c.client.url), c.client.host(), line)
	if len(e.RequestBody) > 0 {
		fmt.Fprintf(&request, "Content-Length: %d\r\n", len(e.RequestBody))
	}
	_ = e.RequestHeader.Write(&request) // into memory
	request.WriteString("\r\n")
	if line == "" {
		request.Write(e.RequestBody)
	}
	_, err := io.WriteString(c.conn, request.String())
	return err
}

func (c *Conn) receive(e contract.Exchange) (Answer, error) {
	if err := c.conn.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return Answer{Exchange: e}, err
	}
	if _, err := c.in.Peek(1); err != nil {
		return Answer{Exchange: e}, fmt.Errorf("%w: %w", ErrClosedBefore, err)
	}
	res, err := http.ReadResponse(c.in, &http.Request{Method: e.Method})
	if err != nil {
		return Answer{Exchange: e}, fmt.Errorf("the answer is cut off: %w", err)
	}
	defer res.Body.Close()
	e.Status, e.Header = res.StatusCode, res.Header
	if res.Close {
		e.Header.Set("Connection", "close") // which ReadResponse takes away
	}
	if e.Body, err = io.ReadAll(res.Body); err != nil {
		return Answer{Exchange: e}, fmt.Errorf("the answer is cut off: %w", err)
	}
	return Answer{Exchange: e}, c.client.caller.Check(e)
}

func (c *Client) host() string { return strings.TrimPrefix(c.url, "http://") }

func (c *Client) exchange(r Request) contract.Exchange {
	path, _, _ := strings.Cut(r.Path, "?")
	e := contract.Exchange{Method: r.Method, URL: c.url + r.Path, Path: path, RequestHeader: http.Header{}, RequestBody: []byte(r.Body)}
	for _, header := range []http.Header{c.sender, r.Header} {
		for name, values := range header {
			e.RequestHeader[name] = values
		}
	}
	return e
}

// Held is a request that the service has begun to handle: it has read the
// headers and waits for the body.
type Held struct {
	conn *Conn
	e    contract.Exchange
}

// Hold sends everything of r but the body, and returns when the service asks for
// that, as net/http does for a handler that reads the body of a request with
// Expect: 100-continue.
func (c *Client) Hold(ctx context.Context, r Request) (*Held, error) {
	conn, err := c.Connect(ctx)
	if err != nil {
		return nil, err
	}
	h := &Held{conn: conn, e: c.exchange(r)}
	if err := h.begin(); err != nil {
		conn.Close()
		return nil, err
	}
	return h, nil
}

func (h *Held) begin() error {
	if err := h.conn.send(h.e, "Expect: 100-continue\r\n"); err != nil {
		return err
	}
	res, err := http.ReadResponse(h.conn.in, nil)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusContinue {
		return fmt.Errorf("%s %s: the service answers %d before it has read the body", h.e.Method, h.e.Path, res.StatusCode)
	}
	return nil
}

// Release sends the body and returns the answer, as [Client.Try] does.
func (h *Held) Release() (Answer, error) {
	defer h.conn.Close()
	if _, err := h.conn.conn.Write(h.e.RequestBody); err != nil {
		return Answer{Exchange: h.e}, err
	}
	return h.conn.receive(h.e)
}
