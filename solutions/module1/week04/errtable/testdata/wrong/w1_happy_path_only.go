// Wrong: believes that a client is tested when its happy path is.
// Caught by: TestSuite_KillsMutants

package errtable_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/module1/week04/errtable"
)

func TestCharge_Created(t *testing.T) {
	type request struct{ Method, URL, ContentType, Key, Body string }
	var got []request
	gateway := fakeGateway(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		got = append(got, request{r.Method, r.URL.String(), r.Header.Get("Content-Type"), r.Header.Get("Idempotency-Key"), string(body)})
		return answer(201, `{"id":"ch_1"}`), nil
	})
	g := errtable.NewGateway("http://gateway.test/v1", &http.Client{Transport: gateway})

	for _, key := range []string{"order-1", "order-2"} {
		id, err := g.Charge(t.Context(), key, 3_000_000_000)
		if err != nil || id != "ch_1" {
			t.Errorf("Charge = %q, %v; want ch_1", id, err)
		}
	}

	want := []request{
		{"POST", "http://gateway.test/v1/charges", "application/json", "order-1", `{"amount_cents":3000000000}`},
		{"POST", "http://gateway.test/v1/charges", "application/json", "order-2", `{"amount_cents":3000000000}`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the gateway received other requests (-want +got):\n%s", diff)
	}
}

// fakeGateway plays the gateway in memory.
type fakeGateway func(*http.Request) (*http.Response, error)

func (f fakeGateway) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body))}
}
