// Package errtable charges cards through a payment gateway.
package errtable

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	maxAttempts    = 3
	attemptTimeout = 5 * time.Second
	pause          = 200 * time.Millisecond // between two attempts
	maxAnswer      = 64 << 10               // bytes
)

// The errors that a caller can act on. Charge wraps them: test with errors.Is.
var (
	ErrDeclined    = errors.New("card declined")
	ErrDuplicate   = errors.New("key was used for another amount")
	ErrUnavailable = errors.New("gateway unavailable")
)

// ChargeID names a charge. It is opaque: the gateway alone knows what its bytes
// mean.
type ChargeID string

// Gateway is a client of the payment gateway. It is safe for concurrent use.
type Gateway struct {
	url string
	hc  *http.Client
}

// NewGateway returns a client of the gateway at base, an absolute URL without a
// slash at its end. It sends every request through hc, which must not be nil.
func NewGateway(base string, hc *http.Client) *Gateway {
	return &Gateway{url: base + "/charges", hc: hc}
}

// Charge takes cents, 1 or more, from the customer's card and returns the id of
// the charge.
//
// The key, printable ASCII, makes the charge safe to repeat: the gateway makes
// one charge for one key. With a key, Charge makes up to three attempts, 200 ms
// apart, as long as the gateway answers 503 or gives no complete answer within
// 5 s. With an empty key it makes one attempt.
//
// The error matches one of [ErrDeclined] (status 402), [ErrDuplicate] (409) and
// [ErrUnavailable] (503 or no answer, which then has its cause in the chain).
// It matches none of them if cents is below 1, when nothing is sent, and if the
// gateway's answer is not understood, which is not repeated. When ctx ends,
// Charge returns at once and the error matches ctx.Err() and none of the three.
func (g *Gateway) Charge(ctx context.Context, key string, cents int64) (ChargeID, error) {
	id, err := g.charge(ctx, key, cents)
	if err != nil {
		return "", fmt.Errorf("charge %q of %d cents: %w", key, cents, err)
	}
	return id, nil
}

func (g *Gateway) charge(ctx context.Context, key string, cents int64) (ChargeID, error) {
	if cents < 1 {
		return "", errors.New("the amount must be positive")
	}
	attempts := maxAttempts
	if key == "" {
		attempts = 1 // the gateway cannot tell a repeat from a second charge
	}
	var unavailable error
	for n := 0; n < attempts && ctx.Err() == nil; n++ {
		if n > 0 && !wait(ctx, pause) {
			break
		}
		id, err := g.attempt(ctx, key, cents)
		if !errors.Is(err, ErrUnavailable) {
			return id, err
		}
		unavailable = err
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return "", unavailable
}

// attempt sends the charge once. Its error matches ErrUnavailable if a repeat
// could help.
func (g *Gateway) attempt(ctx context.Context, key string, cents int64) (ChargeID, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	req, err := g.request(ctx, key, cents)
	if err != nil {
		return "", err
	}
	resp, err := g.hc.Do(req)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer resp.Body.Close()
	// A body that is read to its end leaves the connection fit for the next request.
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("%w: read the answer: %w", ErrUnavailable, err)
	}

	switch resp.StatusCode {
	case http.StatusCreated:
		return parseID(answer)
	case http.StatusPaymentRequired:
		return "", ErrDeclined
	case http.StatusConflict:
		return "", ErrDuplicate
	case http.StatusServiceUnavailable:
		return "", fmt.Errorf("%w: status 503", ErrUnavailable)
	default:
		return "", fmt.Errorf("unexpected status %d", resp.StatusCode)
	}
}

func (g *Gateway) request(ctx context.Context, key string, cents int64) (*http.Request, error) {
	body, err := json.Marshal(struct {
		AmountCents int64 `json:"amount_cents"`
	}{cents})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	return req, nil
}

func parseID(answer []byte) (ChargeID, error) {
	var created struct {
		ID ChargeID `json:"id"`
	}
	if err := json.Unmarshal(answer, &created); err != nil {
		return "", fmt.Errorf("decode the answer: %w", err)
	}
	if created.ID == "" {
		return "", errors.New("the answer has no charge id")
	}
	return created.ID, nil
}

// wait returns true after d, or false as soon as ctx ends.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
