package contract

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// Violation is an exchange that breaks the contract.
type Violation struct {
	Exchange Exchange
	Err      error // what the contract says
}

// Error returns what the contract says.
func (v *Violation) Error() string { return "contract: " + v.Err.Error() }

// Unwrap returns Err.
func (v *Violation) Unwrap() error { return v.Err }

type deliberate struct{}

// Deliberate marks a request that breaks the contract on purpose: only its
// answer is checked.
func Deliberate(ctx context.Context) context.Context {
	return context.WithValue(ctx, deliberate{}, true)
}

// Caller sends requests and checks everything that passes. It is as safe for
// concurrent use as Base and Seen are.
type Caller struct {
	Contract *Contract
	Base     http.RoundTripper
	Seen     func(Exchange) // gets every exchange, also one without an answer
}

// Call sends a request and returns it with its answer. The error is a
// [*Violation] if the answer breaks the contract; otherwise it says why there is
// no answer.
func (c *Caller) Call(req *http.Request) (Exchange, error) {
	e := Exchange{
		Method:        req.Method,
		URL:           req.URL.String(),
		Path:          req.URL.EscapedPath(),
		RequestHeader: req.Header.Clone(),
	}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return e, err
		}
		e.RequestBody = body
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	if req.Context().Value(deliberate{}) == nil {
		if err := c.Contract.CheckRequest(&e); err != nil {
			return e, fmt.Errorf("the test itself breaks the contract: %w", err)
		}
	}
	if err := c.answer(req, &e); err != nil {
		c.Seen(e)
		return e, err
	}
	return e, c.Check(e)
}

// Check returns a [*Violation] if the answer of a complete exchange breaks the
// contract.
func (c *Caller) Check(e Exchange) error {
	c.Seen(e)
	if err := c.Contract.CheckAnswer(&e); err != nil {
		return &Violation{Exchange: e, Err: err}
	}
	return nil
}

func (c *Caller) answer(req *http.Request, e *Exchange) error {
	res, err := c.Base.RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read the answer %d: %w", res.StatusCode, err)
	}
	e.Status, e.Header, e.Body = res.StatusCode, res.Header, body
	return nil
}
