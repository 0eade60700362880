package apicontract_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/middle-go/course/module1/week08/apicontract"
)

func TestCreate(t *testing.T) {
	server := apicontract.New()
	r := httptest.NewRequest("POST", "/v1/tasks", strings.NewReader(`{"title":"Pay rent"}`))
	r.Header.Set("Authorization", "Bearer ann")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()

	server.ServeHTTP(w, r)

	if w.Code != 201 || !strings.Contains(w.Body.String(), `"title":"Pay rent"`) {
		t.Errorf("POST /v1/tasks answers %d %s, want 201 and the task", w.Code, w.Body)
	}
}
