// Wrong: believes that an endpoint is tested when each of its status codes is.
// Caught by: TestSuite_KillsMutants

package apicontract_test

import (
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"

	"github.com/middle-go/course/module1/week08/apicontract"
)

func TestStatusCodes(t *testing.T) {
	const (
		plainJSON  = "Content-Type: application/json"
		mergePatch = "Content-Type: application/merge-patch+json"
		valid      = `{"title":"Pay rent","labels":["Home"],"due_at":"2027-03-01T09:00:00+03:00"}`
	)
	for _, tc := range []struct {
		name, user, method, path, body string
		headers                        []string
		want                           int
	}{
		{"create", "ann", "POST", "/v1/tasks", valid, []string{plainJSON}, 201},
		{"create again", "ann", "POST", "/v1/tasks", valid, []string{plainJSON, "Idempotency-Key: k1"}, 201},
		{"create another with the key", "ann", "POST", "/v1/tasks", `{"title":"x"}`, []string{plainJSON, "Idempotency-Key: k1"}, 422},
		{"create nothing", "ann", "POST", "/v1/tasks", ``, []string{plainJSON}, 400},
		{"create without a title", "ann", "POST", "/v1/tasks", `{}`, []string{plainJSON}, 422},
		{"create from text", "ann", "POST", "/v1/tasks", valid, []string{"Content-Type: text/plain"}, 415},
		{"create as nobody", "", "POST", "/v1/tasks", valid, []string{plainJSON}, 401},
		{"list", "ann", "GET", "/v1/tasks", ``, nil, 200},
		{"list 0", "ann", "GET", "/v1/tasks?limit=0", ``, nil, 400},
		{"list 101", "ann", "GET", "/v1/tasks?limit=101", ``, nil, 400},
		{"list from nowhere", "ann", "GET", "/v1/tasks?cursor=!", ``, nil, 400},
		{"get", "ann", "GET", "/v1/tasks/{id}", ``, nil, 200},
		{"get unknown", "ann", "GET", "/v1/tasks/unknown", ``, nil, 404},
		{"get Ann's", "bob", "GET", "/v1/tasks/{id}", ``, nil, 404},
		{"head", "ann", "HEAD", "/v1/tasks/{id}", ``, nil, 200},
		{"patch", "ann", "PATCH", "/v1/tasks/{id}", `{"due_at":null}`, []string{mergePatch, "If-Match: {etag}"}, 200},
		{"patch any version", "ann", "PATCH", "/v1/tasks/{id}", `{}`, []string{mergePatch}, 428},
		{"patch another version", "ann", "PATCH", "/v1/tasks/{id}", `{}`, []string{mergePatch, `If-Match: "other"`}, 412},
		{"patch as JSON", "ann", "PATCH", "/v1/tasks/{id}", `{}`, []string{plainJSON, "If-Match: {etag}"}, 415},
		{"patch Ann's", "bob", "PATCH", "/v1/tasks/{id}", `{}`, []string{mergePatch, "If-Match: {etag}"}, 404},
		{"move", "ann", "POST", "/v1/tasks/{id}/transitions", `{"to":"in_progress"}`, []string{plainJSON}, 200},
		{"move too far", "ann", "POST", "/v1/tasks/{id}/transitions", `{"to":"done"}`, []string{plainJSON}, 409},
		{"move nowhere", "ann", "POST", "/v1/tasks/{id}/transitions", `{"to":"lost"}`, []string{plainJSON}, 422},
		{"move Ann's", "bob", "POST", "/v1/tasks/{id}/transitions", `{"to":"in_progress"}`, []string{plainJSON}, 404},
		{"delete Ann's", "bob", "DELETE", "/v1/tasks/{id}", ``, nil, 404},
		{"delete", "ann", "DELETE", "/v1/tasks/{id}", ``, nil, 204},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := apicontract.New()
			created := do(server, "ann", "POST", "/v1/tasks", valid, plainJSON, "Idempotency-Key: k1").Header()
			fill := strings.NewReplacer("{id}", path.Base(created.Get("Location")), "{etag}", created.Get("ETag"))
			for i := range tc.headers {
				tc.headers[i] = fill.Replace(tc.headers[i])
			}

			got := do(server, tc.user, tc.method, fill.Replace(tc.path), tc.body, tc.headers...)

			if got.Code != tc.want {
				t.Errorf("%s %s answers %d, want %d", tc.method, tc.path, got.Code, tc.want)
			}
		})
	}
}

func do(server http.Handler, user, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+user)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return w
}
