// Wrong: believes that the text of an error is part of its contract.
// Caught by: TestSuite_PassesOnReference

package errtable_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/middle-go/course/module1/week04/errtable"
)

var errReset = errors.New("connection reset by peer")

func TestCharge(t *testing.T) {
	var (
		charged  = reply(201, `{"id":"ch_1"}`)
		declined = reply(402, `{"reason":"no funds"}`)
		busy     = reply(503, `{"reason":"try later"}`)
		reset    = fault(errReset)
		cut      = halfBody(func(context.Context) error { return io.ErrUnexpectedEOF })
	)
	for _, tc := range []struct {
		name   string
		key    string
		cents  int64
		script []turn
		want   outcome
	}{
		{"201", "order-1", 1250, []turn{charged}, outcome{ID: "ch_1", Sent: 1}},
		{"201 without a key", "", 1250, []turn{charged}, outcome{ID: "ch_1", Sent: 1}},
		{"smallest amount", "order-1", 1, []turn{charged}, outcome{ID: "ch_1", Sent: 1}},
		{"amount above 32 bits", "order-1", 3_000_000_000, []turn{charged}, outcome{ID: "ch_1", Sent: 1}},
		{"largest amount", "order-1", math.MaxInt64, []turn{charged}, outcome{ID: "ch_1", Sent: 1}},
		{"id with spaces and zeros", "order-1", 1250, []turn{reply(201, `{"id":" 007 "}`)}, outcome{ID: " 007 ", Sent: 1}},

		{"402", "order-1", 1250, []turn{declined}, outcome{Err: "declined", Sent: 1}},
		{"409", "order-1", 1250, []turn{reply(409, "")}, outcome{Err: "duplicate", Sent: 1}},
		{"500", "order-1", 1250, []turn{reply(500, "")}, outcome{Err: "other", Sent: 1}},
		{"201 with HTML", "order-1", 1250, []turn{reply(201, "<html>")}, outcome{Err: "other", Sent: 1}},
		{"201 with an empty id", "order-1", 1250, []turn{reply(201, `{"id":""}`)}, outcome{Err: "other", Sent: 1}},

		{"503 to the end", "order-1", 1250, []turn{busy, busy, busy}, outcome{Err: "unavailable", Sent: 3}},
		{"reset to the end", "order-1", 1250, []turn{reset, reset, reset}, outcome{Err: "unavailable", Cause: errReset, Sent: 3}},
		{"body cut to the end", "order-1", 1250, []turn{cut, cut, cut}, outcome{Err: "unavailable", Cause: io.ErrUnexpectedEOF, Sent: 3}},
		{"503, then 201", "order-1", 1250, []turn{busy, charged}, outcome{ID: "ch_1", Sent: 2}},
		{"reset, 503, 201", "order-1", 1250, []turn{reset, busy, charged}, outcome{ID: "ch_1", Sent: 3}},
		{"reset, then 402", "order-1", 1250, []turn{reset, declined}, outcome{Err: "declined", Sent: 2}},
		{"503 without a key", "", 1250, []turn{busy}, outcome{Err: "unavailable", Sent: 1}},
		{"reset without a key", "", 1250, []turn{reset}, outcome{Err: "unavailable", Cause: errReset, Sent: 1}},

		{"zero cents", "order-1", 0, nil, outcome{Err: "other"}},
		{"negative cents", "order-1", -1, nil, outcome{Err: "other"}},
		{"most negative cents", "order-1", math.MinInt64, nil, outcome{Err: "other"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gw := &fakeGateway{script: tc.script}

				id, err := gw.client().Charge(t.Context(), tc.key, tc.cents)

				got := outcome{ID: id, Err: kind(err), Sent: len(gw.requests)}
				if errors.Is(err, tc.want.Cause) {
					got.Cause = tc.want.Cause
				}
				if got != tc.want {
					t.Errorf("got %+v, want %+v; the error is %v", got, tc.want, err)
				}
				want := slices.Repeat([]request{charge(tc.key, tc.cents)}, len(gw.requests))
				if diff := cmp.Diff(want, gw.requests, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("the gateway received other requests (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestCharge_GivesUpSilentAttempts(t *testing.T) {
	for _, tc := range []struct {
		name string
		turn turn
	}{
		{"no answer", silence},
		{"half a body", halfBody(untilEnd)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				gw := &fakeGateway{script: []turn{tc.turn, tc.turn, tc.turn}}
				start := time.Now()

				_, err := gw.client().Charge(ctx, "order-1", 1250)

				if kind(err) != "unavailable" || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got error %v, want ErrUnavailable caused by a deadline", err)
				}
				if got, want := time.Since(start), 3*5*time.Second+2*200*time.Millisecond; got != want {
					t.Errorf("gave up after %v, want %v: three attempts of 5 s and two pauses", got, want)
				}
			})
		})
	}
}

func TestCharge_ReturnsWhenContextEnds(t *testing.T) {
	deadline := func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, d)
	}
	canceled := func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(d, cancel)
		return ctx, cancel
	}
	for _, tc := range []struct {
		name  string
		turn  turn
		end   func(context.Context, time.Duration) (context.Context, context.CancelFunc)
		after time.Duration
		want  error
	}{
		{"deadline in an attempt", silence, deadline, time.Second, context.DeadlineExceeded},
		{"cancel in an attempt", silence, canceled, time.Second, context.Canceled},
		{"cancel in a body", halfBody(untilEnd), canceled, time.Second, context.Canceled},
		{"cancel in a pause", fault(errReset), canceled, 100 * time.Millisecond, context.Canceled},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := tc.end(t.Context(), tc.after)
				defer cancel()
				gw := &fakeGateway{script: []turn{tc.turn}}
				start := time.Now()

				_, err := gw.client().Charge(ctx, "order-1", 1250)

				if kind(err) != "other" || !errors.Is(err, tc.want) {
					t.Errorf("got error %v, want %v and none of the three kinds", err, tc.want)
				}
				if got := time.Since(start); got != tc.after {
					t.Errorf("returned after %v, want %v", got, tc.after)
				}
				if got := len(gw.requests); got != 1 {
					t.Errorf("sent %d requests, want 1", got)
				}
			})
		})
	}
}

func TestCharge_ContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	gw := &fakeGateway{}

	_, err := gw.client().Charge(ctx, "order-1", 1250)

	if kind(err) != "other" || !errors.Is(err, context.Canceled) || len(gw.requests) != 0 {
		t.Errorf("got error %v after %d requests, want context.Canceled and none", err, len(gw.requests))
	}
}

func TestCharge_KeyBelongsToTheCall(t *testing.T) {
	charged := reply(201, `{"id":"ch_1"}`)
	gw := &fakeGateway{script: []turn{charged, charged, charged}}
	client := gw.client()
	want := []request{charge("order-1", 100), charge("", 200), charge("order-3", 300)}

	for _, r := range want {
		if _, err := client.Charge(t.Context(), r.Key, r.Cents); err != nil {
			t.Fatal(err)
		}
	}

	if diff := cmp.Diff(want, gw.requests); diff != "" {
		t.Errorf("the gateway received other requests (-want +got):\n%s", diff)
	}
}

func TestCharge_Concurrent(t *testing.T) {
	gw := &fakeGateway{script: slices.Repeat([]turn{reply(201, `{"id":"ch_1"}`)}, 8)}
	client := gw.client()
	var wg sync.WaitGroup
	var want []request
	for i := range 8 {
		r := charge(string(rune('a'+i)), int64(i+1))
		want = append(want, r)
		wg.Go(func() {
			if _, err := client.Charge(t.Context(), r.Key, r.Cents); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()

	slices.SortFunc(gw.requests, func(a, b request) int { return int(a.Cents - b.Cents) })
	if diff := cmp.Diff(want, gw.requests); diff != "" {
		t.Errorf("the gateway received other requests (-want +got):\n%s", diff)
	}
}

// A connection serves the next request only if the body before was read to its
// end and closed. No fake transport shows that, so this gateway has a socket.
func TestCharge_ReusesTheConnection(t *testing.T) {
	var status, conns atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(int(status.Load()))
		_, _ = io.WriteString(w, `{"id":"ch_1"}`)
	}))
	srv.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		conns.Add(1)
		return ctx
	}
	srv.Start()
	defer srv.Close()
	client := errtable.NewGateway(srv.URL, srv.Client())

	for _, s := range []int32{201, 402, 409, 500, 503, 201} {
		status.Store(s)
		_, _ = client.Charge(t.Context(), "", 1250) // without a key: one attempt
		if got := conns.Load(); got != 1 {
			t.Fatalf("the charge answered with %d used connection %d, want the first one again", s, got)
		}
	}
}

// outcome is all that the contract says about a charge.
type outcome struct {
	ID    errtable.ChargeID
	Err   string // see kind
	Cause error
	Sent  int
}

// kind names the error of the contract by the text of err.
func kind(err error) string {
	if err == nil {
		return ""
	}
	switch err.Error() {
	case errtable.ErrDeclined.Error():
		return "declined"
	case errtable.ErrDuplicate.Error():
		return "duplicate"
	case errtable.ErrUnavailable.Error():
		return "unavailable"
	default:
		return "other"
	}
}

// fakeGateway is a gateway in memory: request n gets the answer script[n].
type fakeGateway struct {
	script []turn

	mu       sync.Mutex
	requests []request
}

type request struct {
	Method, URL, ContentType, Key string
	Cents                         int64
}

// charge is the request that a charge must send.
func charge(key string, cents int64) request {
	return request{"POST", "http://gateway.test/v1/charges", "application/json", key, cents}
}

func (gw *fakeGateway) client() *errtable.Gateway {
	return errtable.NewGateway("http://gateway.test/v1", &http.Client{Transport: gw})
}

func (gw *fakeGateway) RoundTrip(r *http.Request) (*http.Response, error) {
	defer r.Body.Close()
	var body struct {
		AmountCents int64 `json:"amount_cents"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	return gw.receive(request{
		Method:      r.Method,
		URL:         r.URL.String(),
		ContentType: r.Header.Get("Content-Type"),
		Key:         r.Header.Get("Idempotency-Key"),
		Cents:       body.AmountCents,
	})(r.Context())
}

func (gw *fakeGateway) receive(r request) turn {
	gw.mu.Lock()
	defer gw.mu.Unlock()
	gw.requests = append(gw.requests, r)
	if len(gw.requests) > len(gw.script) {
		return reply(418, "the script is over")
	}
	return gw.script[len(gw.requests)-1]
}

// turn is what the gateway does with one request. The context is the request's.
type turn func(context.Context) (*http.Response, error)

func reply(status int, body string) turn {
	return func(context.Context) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

func fault(err error) turn {
	return func(context.Context) (*http.Response, error) { return nil, err }
}

func silence(ctx context.Context) (*http.Response, error) { return nil, untilEnd(ctx) }

func untilEnd(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// halfBody answers 201, and the body ends early with the error of fail.
func halfBody(fail func(context.Context) error) turn {
	return func(ctx context.Context) (*http.Response, error) {
		rest := readerFunc(func([]byte) (int, error) { return 0, fail(ctx) })
		body := io.MultiReader(strings.NewReader(`{"id":"ch_1"`), rest)
		return &http.Response{StatusCode: 201, Body: io.NopCloser(body)}, nil
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
