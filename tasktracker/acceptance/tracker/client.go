package tracker

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/acceptance/contract"
)

// Client sends requests as one user. It is safe for concurrent use, except for
// the methods that take a testing.TB: they stop the test, and are called from
// its goroutine.
type Client struct {
	url    string
	sender http.Header // says who sends
	caller contract.Caller
}

// Anonymous returns a client that does not say who it is.
func (tt *Tracker) Anonymous() *Client { return tt.client(nil, nil) }

// Developer returns a client of a user of TT_AUTH=dev.
func (tt *Tracker) Developer(user string) *Client {
	return tt.client(http.Header{"X-Tt-User": {user}}, nil)
}

// Bearer returns a client with a token.
func (tt *Tracker) Bearer(token string) *Client {
	return tt.client(http.Header{"Authorization": {"Bearer " + token}}, nil)
}

// From returns an anonymous client whose connections come from a local IP
// address.
func (tt *Tracker) From(ip string) *Client {
	return tt.client(nil, &net.TCPAddr{IP: net.ParseIP(ip)})
}

func (tt *Tracker) client(sender http.Header, from net.Addr) *Client {
	dialer := net.Dialer{Timeout: connectWithin, LocalAddr: from}
	base := &http.Transport{
		DialContext:         dialer.DialContext,
		MaxIdleConnsPerHost: 256,
		DisableCompression:  true,
	}
	tt.t.Cleanup(base.CloseIdleConnections)
	return &Client{
		url:    tt.URL(),
		sender: sender,
		caller: contract.Caller{Contract: tt.contract, Base: base, Seen: tt.history.add},
	}
}

// Try sends a request from any goroutine. The error is a [*contract.Violation]
// if the answer breaks the contract, or else says why there is no answer.
func (c *Client) Try(ctx context.Context, r Request) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if r.bad {
		ctx = contract.Deliberate(ctx)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, c.url+r.Path, strings.NewReader(r.Body))
	if err != nil {
		return Answer{}, err
	}
	switch {
	case r.Body == "":
		req.Body, req.ContentLength, req.GetBody = nil, 0, nil
	case r.chunked:
		req.ContentLength = -1
	}
	maps.Copy(req.Header, c.sender)
	maps.Copy(req.Header, r.Header)
	e, err := c.caller.Call(req)
	return Answer{Exchange: e}, err
}

// Want sends a request and fails t unless the answer has the status and keeps the
// contract. Why says what goes wrong otherwise; it may be empty.
func (c *Client) Want(t testing.TB, r Request, status int, why string) Answer {
	t.Helper()
	answer, err := c.Try(t.Context(), r)
	broken, violation := errors.AsType[*contract.Violation](err)
	switch {
	case err != nil && !violation:
		answer.broken(t, rule.Text("no answer: "+err.Error()), statusText(status), why)
	case answer.Status != status:
		answer.broken(t, nil, statusText(status), why)
	case violation:
		answer.broken(t, nil, rule.Text(broken.Err.Error()),
			"Clients are written against openapi.yaml; what differs from it breaks one of them.")
	}
	answer.keepsSecrets(t)
	return answer
}

// Refuse is [Client.Want] for an answer that is a problem document with a code.
func (c *Client) Refuse(t testing.TB, r Request, status int, code, why string) Answer {
	t.Helper()
	answer := c.Want(t, r, status, why)
	if r.Method == http.MethodHead {
		return answer
	}
	if got := answer.Problem(t).Code; got != code {
		answer.broken(t, nil, rule.Textf("%s with the code %s", statusText(status), code), why)
	}
	return answer
}
