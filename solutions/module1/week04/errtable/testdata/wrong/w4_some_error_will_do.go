// Wrong: believes that covered lines are tested lines, and that a row is done once Charge returns some error.
// Caught by: TestSuite_KillsMutants

package errtable_test

import (
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/middle-go/course/module1/week04/errtable"
)

func TestCharge(t *testing.T) {
	for _, tc := range []struct {
		name   string
		key    string
		cents  int64
		status int // 0: no answer
		body   string
		want   errtable.ChargeID // "": an error
	}{
		{"created", "order-1", 1250, 201, `{"id":"ch_1"}`, "ch_1"},
		{"created, without a key", "", 1250, 201, `{"id":"ch_1"}`, "ch_1"},
		{"largest amount", "order-1", math.MaxInt64, 201, `{"id":"ch_1"}`, "ch_1"},
		{"no id", "order-1", 1250, 201, `{}`, ""},
		{"not JSON", "order-1", 1250, 201, `<html>`, ""},
		{"declined", "order-1", 1250, 402, ``, ""},
		{"duplicate", "order-1", 1250, 409, ``, ""},
		{"server error", "order-1", 1250, 500, ``, ""},
		{"unavailable", "order-1", 1250, 503, ``, ""},
		{"unavailable, without a key", "", 1250, 503, ``, ""},
		{"no answer", "order-1", 1250, 0, ``, ""},
		{"zero cents", "order-1", 0, 201, `{"id":"ch_1"}`, ""},
		{"negative cents", "order-1", -1, 201, `{"id":"ch_1"}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gateway := fakeGateway(func(*http.Request) (*http.Response, error) {
					if tc.status == 0 {
						return nil, errors.New("connection reset by peer")
					}
					return answer(tc.status, tc.body), nil
				})
				g := errtable.NewGateway("http://gateway.test", &http.Client{Transport: gateway})

				id, err := g.Charge(t.Context(), tc.key, tc.cents)

				if id != tc.want || (err == nil) != (tc.want != "") {
					t.Errorf("Charge = %q, %v", id, err)
				}
			})
		})
	}
}

// fakeGateway plays the gateway in memory.
type fakeGateway func(*http.Request) (*http.Response, error)

func (f fakeGateway) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body))}
}
