//course:mutant m01 gives an attempt no time limit: it waits for a silent gateway as long as the caller's context lives
//course:mutant m02 returns a nil error for a declined card (402)
//course:mutant m03 repeats a charge that has no key
//course:mutant m04 sends the Idempotency-Key with the first attempt only, not with its repeats
//course:mutant m05 sends a charge of a negative amount
//course:mutant m06 leaves the body of an answer unread and open unless the status is 201
//course:mutant m07 maps 409 to ErrDeclined instead of ErrDuplicate
//course:mutant m08 wraps the cause of ErrUnavailable with %v, so errors.Is and errors.As do not find it
//course:mutant m09 ignores the end of the caller's context once the first request is sent
//course:mutant m10 looks at the status before the error, and panics when there is no answer
//course:mutant m11 sends an amount above 2147483647 cut to 32 bits
//course:mutant m12 sends the key of the first charge with every later charge of the same Gateway
//course:mutant m13 trims spaces off the charge id
//course:mutant m14 returns an error that does not match ErrUnavailable after the last 503

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
	"os"
	"strings"
	"sync"
	"time"
)

var mutant = os.Getenv("MUTANT") // "" is the correct client

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

var errStatus503 = errors.New("status 503") // m14

// ChargeID names a charge. It is opaque: the gateway alone knows what its bytes
// mean.
type ChargeID string

// Gateway is a client of the payment gateway. It is safe for concurrent use.
type Gateway struct {
	url string
	hc  *http.Client

	once     sync.Once // m12
	firstKey string
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
	if cents == 0 || cents < 0 && mutant != "m05" {
		return "", errors.New("the amount must be positive")
	}
	attempts := maxAttempts
	if key == "" && mutant != "m03" {
		attempts = 1 // the gateway cannot tell a repeat from a second charge
	}
	if mutant == "m12" && key != "" {
		g.once.Do(func() { g.firstKey = key })
		key = g.firstKey
	}
	var unavailable error
	for n := 0; n < attempts && ctx.Err() == nil; n++ {
		if n > 0 && !wait(ctx, pause) {
			break
		}
		if mutant == "m09" {
			ctx = context.WithoutCancel(ctx)
		}
		if mutant == "m04" && n > 0 {
			key = ""
		}
		id, err := g.attempt(ctx, key, cents)
		if !errors.Is(err, ErrUnavailable) && !errors.Is(err, errStatus503) {
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
	if mutant != "m01" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
	}
	req, err := g.request(ctx, key, cents)
	if err != nil {
		return "", err
	}
	resp, err := g.hc.Do(req)
	if mutant == "m10" && resp.StatusCode == 0 {
		return "", errors.New("no status")
	}
	if err != nil {
		return "", noAnswer("", err)
	}
	var answer []byte
	if mutant != "m06" || resp.StatusCode == http.StatusCreated {
		defer resp.Body.Close()
		// A body that is read to its end leaves the connection fit for the next request.
		answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return "", noAnswer("read the answer: ", err)
		}
	}

	switch resp.StatusCode {
	case http.StatusCreated:
		return parseID(answer)
	case http.StatusPaymentRequired:
		if mutant == "m02" {
			return "", nil
		}
		return "", ErrDeclined
	case http.StatusConflict:
		if mutant == "m07" {
			return "", ErrDeclined
		}
		return "", ErrDuplicate
	case http.StatusServiceUnavailable:
		if mutant == "m14" {
			return "", errStatus503
		}
		return "", fmt.Errorf("%w: status 503", ErrUnavailable)
	default:
		return "", fmt.Errorf("unexpected status %d", resp.StatusCode)
	}
}

func noAnswer(doing string, cause error) error {
	if mutant == "m08" {
		return fmt.Errorf("%w: %s%v", ErrUnavailable, doing, cause)
	}
	return fmt.Errorf("%w: %s%w", ErrUnavailable, doing, cause)
}

func (g *Gateway) request(ctx context.Context, key string, cents int64) (*http.Request, error) {
	if mutant == "m11" {
		cents = int64(int32(cents))
	}
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
	if mutant == "m13" {
		created.ID = ChargeID(strings.TrimSpace(string(created.ID)))
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
