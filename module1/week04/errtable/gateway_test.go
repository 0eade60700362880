package errtable_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/middle-go/course/module1/week04/errtable"
)

// fakeGateway plays the gateway in memory. Without a socket it also works in a
// synctest bubble, where waiting for five seconds takes no time.
type fakeGateway func(*http.Request) (*http.Response, error)

func (f fakeGateway) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer returns the answer of a gateway.
func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body))}
}

func TestCharge(t *testing.T) {
	gateway := fakeGateway(func(*http.Request) (*http.Response, error) {
		return answer(http.StatusCreated, `{"id":"ch_1"}`), nil
	})
	g := errtable.NewGateway("http://gateway.test", &http.Client{Transport: gateway})

	id, err := g.Charge(t.Context(), "order-1", 1250)
	if err != nil || id == "" {
		t.Errorf(`Charge(ctx, "order-1", 1250) = %q, %v; want an id and no error`, id, err)
	}
}
