// Wrong: believes that a decoder that is done has seen the whole answer.
// Caught by: TestCurrent_TruncatedBody/after_the_last_brace

// Package weatherclient asks a forecast API for the current weather.
package weatherclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	defaultTimeout = 10 * time.Second
	defaultMaxBody = 1 << 20  // bytes
	maxDrain       = 64 << 10 // bytes of an unwanted body that are read to keep its connection
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
func (e *APIError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("weatherclient: status %d", e.Status)
	}
	return fmt.Sprintf("weatherclient: status %d: %s", e.Status, e.Reason)
}

// DecodeError is a complete answer that is not what the API promises.
type DecodeError struct {
	Path string // the member, such as "current.time"; empty for the whole answer
	Err  error  // ErrMissingData for a member that is null or absent
}

// Error returns the path and the cause.
func (e *DecodeError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("weatherclient: decode the answer: %v", e.Err)
	}
	return fmt.Sprintf("weatherclient: decode %s: %v", e.Path, e.Err)
}

// Unwrap returns Err.
func (e *DecodeError) Unwrap() error { return e.Err }

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
type Client struct {
	http      http.Client
	endpoint  *url.URL // is not changed after New
	timeout   time.Duration
	maxBody   int64
	userAgent string
}

// New returns a client, or an error if cfg is invalid. It sends nothing.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(cfg.BaseURL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("weatherclient: base URL: %w", err)
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, fmt.Errorf("weatherclient: base URL %q: scheme must be http or https", cfg.BaseURL)
	case base.Hostname() == "":
		return nil, fmt.Errorf("weatherclient: base URL %q: no host", cfg.BaseURL)
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, fmt.Errorf("weatherclient: base URL of %s: has a user, query or fragment", base.Host)
	case cfg.Timeout < 0:
		return nil, fmt.Errorf("weatherclient: negative timeout %v", cfg.Timeout)
	case cfg.MaxBody < 0:
		return nil, fmt.Errorf("weatherclient: negative body limit %d", cfg.MaxBody)
	}
	c := &Client{
		endpoint:  base.JoinPath("v1/forecast"),
		timeout:   cfg.Timeout,
		maxBody:   min(cfg.MaxBody, math.MaxInt64-1), // one more byte tells full from too full
		userAgent: cfg.UserAgent,
	}
	if c.timeout == 0 {
		c.timeout = defaultTimeout
	}
	if c.maxBody == 0 {
		c.maxBody = defaultMaxBody
	}
	if cfg.HTTP != nil {
		c.http = *cfg.HTTP
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
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
	if !(math.Abs(lat) <= 90 && math.Abs(lon) <= 180) { // true for NaN too
		return Observation{}, fmt.Errorf("%w: latitude %v, longitude %v", ErrCoordinates, lat, lon)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, ErrTimeout)
	defer cancel()
	observation, err := c.fetch(ctx, lat, lon)
	if err == nil {
		return observation, nil
	}
	if ctx.Err() != nil {
		err = reason(ctx)
	}
	return Observation{}, err
}

func (c *Client) fetch(ctx context.Context, lat, lon float64) (Observation, error) {
	resp, err := c.send(ctx, lat, lon)
	if err != nil {
		return Observation{}, fmt.Errorf("weatherclient: %w", err)
	}
	defer release(resp.Body)

	if resp.StatusCode != http.StatusOK {
		return Observation{}, c.refusal(resp)
	}
	if !isJSON(resp.Header) {
		return Observation{}, fmt.Errorf("%w: %q", ErrContentType, resp.Header.Get("Content-Type"))
	}
	body := &limited{r: resp.Body, left: c.maxBody}
	observation, err := decode(body)
	if err != nil && body.err != nil {
		err = fmt.Errorf("weatherclient: read the answer: %w", body.err)
	}
	return observation, err
}

func (c *Client) send(ctx context.Context, lat, lon float64) (*http.Response, error) {
	u := *c.endpoint
	u.RawQuery = url.Values{
		"latitude":  {strconv.FormatFloat(lat, 'f', -1, 64)},
		"longitude": {strconv.FormatFloat(lon, 'f', -1, 64)},
		"current":   {"temperature_2m,wind_speed_10m,weather_code"},
		"timezone":  {"auto"},
	}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if c.userAgent != "" {
		req.Header.Set("User-Agent", c.userAgent)
	}
	return c.http.Do(req)
}

// release makes the connection fit for the next request, unless that would
// mean reading too much.
func release(body io.ReadCloser) {
	io.CopyN(io.Discard, body, maxDrain)
	body.Close()
}

// read returns the whole body.
func (c *Client) read(body io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(body, c.maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("weatherclient: read the answer: %w", err)
	}
	if int64(len(b)) > c.maxBody {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrBodyTooLarge, c.maxBody)
	}
	return b, nil
}

// refusal returns what the status, and the body as far as it is usable, say.
func (c *Client) refusal(resp *http.Response) *APIError {
	refused := &APIError{
		Status:     resp.StatusCode,
		RetryAfter: retryAfter(resp.Header.Get("Retry-After")),
	}
	if !isJSON(resp.Header) {
		return refused
	}
	if body, err := c.read(resp.Body); err == nil {
		var said struct {
			Reason string `json:"reason"`
		}
		if json.Unmarshal(body, &said) == nil {
			refused.Reason = said.Reason
		}
	}
	return refused
}

func isJSON(h http.Header) bool {
	mediaType, _, _ := mime.ParseMediaType(h.Get("Content-Type")) // it is there also beside a broken parameter
	return mediaType == "application/json"
}

// retryAfter reads a number of seconds or a date. What is neither, or lies in
// the past, is 0.
func retryAfter(value string) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil {
		if seconds > math.MaxInt64/uint64(time.Second) {
			return 0
		}
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(time.Until(date), 0)
	}
	return 0
}

// answer is the API's answer. Pointers tell null and absent from zero.
type answer struct {
	Error     bool   `json:"error"`
	Reason    string `json:"reason"`
	UTCOffset *int   `json:"utc_offset_seconds"`
	TimeZone  string `json:"timezone"`
	Current   struct {
		Time        *string  `json:"time"`
		Temperature *float64 `json:"temperature_2m"`
		Wind        *float64 `json:"wind_speed_10m"`
		Code        *int     `json:"weather_code"`
	} `json:"current"`
}

// limited reads at most left bytes, and remembers why it failed.
type limited struct {
	r    io.Reader
	left int64
	err  error
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	n, err := io.LimitReader(l.r, l.left+1).Read(p)
	if l.left -= int64(n); l.left < 0 {
		n, err = 0, ErrBodyTooLarge
	}
	if err != nil && err != io.EOF {
		l.err = err
	}
	return n, err
}

func decode(body io.Reader) (Observation, error) {
	var a answer
	if err := json.NewDecoder(body).Decode(&a); err != nil {
		var path string
		if wrongType, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			path = wrongType.Field
		}
		return Observation{}, &DecodeError{Path: path, Err: err}
	}
	if a.Error {
		return Observation{}, &APIError{Status: http.StatusOK, Reason: a.Reason}
	}
	for _, member := range []struct {
		path    string
		missing bool
	}{
		{"utc_offset_seconds", a.UTCOffset == nil},
		{"current.time", a.Current.Time == nil},
		{"current.temperature_2m", a.Current.Temperature == nil},
		{"current.wind_speed_10m", a.Current.Wind == nil},
		{"current.weather_code", a.Current.Code == nil},
	} {
		if member.missing {
			return Observation{}, &DecodeError{Path: member.path, Err: ErrMissingData}
		}
	}
	at, err := time.ParseInLocation("2006-01-02T15:04", *a.Current.Time, time.FixedZone(a.TimeZone, *a.UTCOffset))
	if err != nil {
		return Observation{}, &DecodeError{Path: "current.time", Err: err}
	}
	return Observation{
		At:           at,
		TemperatureC: *a.Current.Temperature,
		WindKmh:      *a.Current.Wind,
		Code:         *a.Current.Code,
		Place:        a.TimeZone,
	}, nil
}

// reason returns an error that matches both ctx.Err() and its cause. ctx is done.
func reason(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if !errors.Is(cause, err) {
		cause = fmt.Errorf("%w: %w", err, cause)
	}
	return fmt.Errorf("weatherclient: %w", cause)
}
