// Package weatherclient asks a forecast API for the current weather.
package weatherclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// The errors that a caller can act on. Current wraps them: test with errors.Is.
var (
	ErrCoordinates  = errors.New("weatherclient: coordinates out of range")
	ErrMissingData  = errors.New("missing data")
	ErrBodyTooLarge = errors.New("weatherclient: answer too large")
	ErrContentType  = errors.New("weatherclient: answer is not JSON")

	// ErrTimeout means that Config.Timeout is over. It matches
	// context.DeadlineExceeded too.
	ErrTimeout = fmt.Errorf("weatherclient: no complete answer in time: %w", context.DeadlineExceeded)
)

// APIError is a refusal by the API: a status other than 200, or an error object
// with status 200.
type APIError struct {
	Status     int
	Reason     string        // what the API says; empty if it says nothing
	RetryAfter time.Duration // how long the API asks to wait; 0 if it does not ask
}

// Error returns the status and the reason.
func (e *APIError) Error() string { return "" }

// DecodeError is a complete answer that is not what the API promises.
type DecodeError struct {
	Path string // the member, such as "current.time"; empty for the whole answer
	Err  error  // ErrMissingData for a member that is null or absent
}

// Error returns the path and the cause.
func (e *DecodeError) Error() string { return "" }

// Unwrap returns Err.
func (e *DecodeError) Unwrap() error { return nil }

// Config configures a Client. Only BaseURL is required.
type Config struct {
	// BaseURL is an absolute http or https URL, with or without a path. It has
	// no user, query or fragment.
	BaseURL string

	// HTTP sends the requests. The Client does not change it. Nil means a
	// client with the default transport.
	HTTP *http.Client

	// Timeout limits a call of Current from its start to the last byte of the
	// answer. 0 means 10 s; a negative Timeout is an error.
	Timeout time.Duration

	// MaxBody is the size of the largest answer in bytes, after decompression.
	// 0 means 1 MiB; a negative MaxBody is an error.
	MaxBody int64

	// UserAgent is sent with every request. Empty means that of net/http.
	UserAgent string
}

// Client is a client of a forecast API. It is safe for concurrent use.
type Client struct{}

// New returns a client, or an error if cfg is invalid. It sends nothing.
func New(cfg Config) (*Client, error) {
	return nil, errors.ErrUnsupported
}

// Observation is the weather at one place and time.
type Observation struct {
	At           time.Time // with the UTC offset of the place
	TemperatureC float64
	WindKmh      float64
	Code         int    // WMO weather code
	Place        string // the API's name for the time zone of the place, such as "Europe/Berlin"; may be empty
}

// Current returns the current weather at a latitude from -90 to 90 and a
// longitude from -180 to 180, in degrees. It sends one request and follows no
// redirect. With an error the Observation is zero.
//
// The error matches ErrCoordinates, when nothing is sent; ctx.Err() and the
// cause of ctx, when ctx ends; ErrTimeout; ErrContentType; ErrBodyTooLarge; or
// it is an *APIError or a *DecodeError. Otherwise the network failed, and the
// error of net/http is in the chain.
func (c *Client) Current(ctx context.Context, lat, lon float64) (Observation, error) {
	return Observation{}, errors.ErrUnsupported
}
