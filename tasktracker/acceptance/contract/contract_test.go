package contract_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/middle-go/course/tasktracker/acceptance/contract"
)

func TestDefault_IsTheContractOfTheTracker(t *testing.T) {
	path := filepath.Join("..", "..", "openapi.yaml")
	want, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("the tracker is not here: %v", err)
	}
	got, err := os.ReadFile("openapi.yaml")
	if err != nil || string(got) != string(want) {
		t.Errorf("contract/openapi.yaml differs from %s; copy it: cp %s contract/ (%v)", path, path, err)
	}
}

func TestCheck_EveryExampleKeepsTheContract(t *testing.T) {
	c := load(t)
	n, err := c.CheckExamples()
	if err != nil {
		t.Error(err)
	}
	if n < 15 {
		t.Errorf("got %d examples, want at least 15", n)
	}
}

func load(t *testing.T) *contract.Contract {
	t.Helper()
	c, err := contract.Default()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// problem is an answer that keeps the contract.
func problem() contract.Exchange {
	return contract.Exchange{
		Method: "GET", Path: "/v1/tasks/tsk_0", Status: 404,
		Header: http.Header{
			"Content-Type": {"application/problem+json"}, "X-Request-Id": {"r1"}, "Cache-Control": {"no-store"},
			"X-Content-Type-Options": {"nosniff"}, "Content-Security-Policy": {"default-src 'none'"}, "Referrer-Policy": {"no-referrer"},
		},
		Body: []byte(`{"type":"https://tasktracker.example/problems/not_found","title":"Not Found","status":404,"code":"not_found","request_id":"r1"}`),
	}
}

func TestCheckAnswer_FindsWhatDiffers(t *testing.T) {
	c := load(t)
	good := problem()
	if err := c.CheckAnswer(&good); err != nil {
		t.Fatalf("a good answer: got %v", err)
	}
	replace := func(old, new string) func(*contract.Exchange) {
		return func(e *contract.Exchange) { e.Body = []byte(strings.Replace(string(e.Body), old, new, 1)) }
	}
	for _, tc := range []struct {
		name   string
		damage func(*contract.Exchange)
		want   string
	}{
		{"no header", func(e *contract.Exchange) { e.Header.Del("X-Request-ID") }, "header X-Request-ID is required"},
		{"header twice", func(e *contract.Exchange) { e.Header.Add("X-Request-ID", "r2") }, "2 times"},
		{"header value", func(e *contract.Exchange) { e.Header.Set("Cache-Control", "public") }, "Cache-Control"},
		{"media type", func(e *contract.Exchange) { e.Header.Set("Content-Type", "application/json") }, "application/problem+json"},
		{"no body", func(e *contract.Exchange) { e.Body = nil }, "JSON"},
		{"two values", func(e *contract.Exchange) { e.Body = append(e.Body, "{}"...) }, "JSON"},
		{"missing member", replace(`"title":"Not Found",`, ``), "title"},
		{"other code", replace(`"code":"not_found"`, `"code":"gone"`), "code"},
		{"other status", replace(`"status":404`, `"status":400`), "status"},
		{"other request id", replace(`"request_id":"r1"`, `"request_id":"r2"`), "request_id"},
		{"other type", replace(`problems/not_found`, `problems/none`), "type"},
		{"unknown answer", func(e *contract.Exchange) { e.Status = 206 }, "no answer 206"},
		{"code that no error has", func(e *contract.Exchange) {
			e.Status = 501
			e.Body = []byte(strings.NewReplacer("404", "501", "not_found", "not_implemented").Replace(string(e.Body)))
		}, "code"},
		{"body of a 204", func(e *contract.Exchange) { e.Method, e.Status = "DELETE", 204 }, "no body"},
		{"body of HEAD", func(e *contract.Exchange) { e.Method = "HEAD" }, "no body"},
	} {
		e := problem()
		tc.damage(&e)
		if err := c.CheckAnswer(&e); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want an error with %q", tc.name, err, tc.want)
		}
	}
}

func TestCheckRequest_FindsWhatDiffers(t *testing.T) {
	c := load(t)
	for body, ok := range map[string]bool{
		`{"title":"a"}`: true, `{}`: false, `{"title":"a","x":1}`: false, `{"title":1}`: false, `{"title":"a","due_at":"x"}`: false, ``: false,
	} {
		e := contract.Exchange{Method: "POST", Path: "/v1/tasks", RequestHeader: http.Header{"Content-Type": {"application/json"}}, RequestBody: []byte(body)}
		if err := c.CheckRequest(&e); (err == nil) != ok {
			t.Errorf("POST /v1/tasks with %s: got %v", body, err)
		}
	}
	e := contract.Exchange{Method: "PUT", Path: "/v1/tasks"}
	if c.CheckRequest(&e) == nil {
		t.Error("PUT /v1/tasks is not in the contract")
	}
}

func TestExchange_CurlCanBePasted(t *testing.T) {
	for _, tc := range []struct {
		e    contract.Exchange
		want string
	}{
		{contract.Exchange{Method: "GET", URL: "http://127.0.0.1:1/v1/tasks?q=a&limit=1"}, `curl -i 'http://127.0.0.1:1/v1/tasks?q=a&limit=1'`},
		{contract.Exchange{Method: "POST", URL: "u", RequestHeader: http.Header{"A": {"b"}, "E": {""}}, RequestBody: []byte(`{"title":"it's"}`)},
			`curl -i -X POST 'u' -H 'A: b' -H 'E;' --data-binary '{"title":"it'\''s"}'`},
		{contract.Exchange{Method: "PATCH", URL: "u", RequestBody: []byte("a'\xff\n")}, `curl -i -X PATCH 'u' --data-binary $'a\'\xff\x0a'`},
	} {
		if got := tc.e.Curl(); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}

func TestExchange_Internals(t *testing.T) {
	for text, leaks := range map[string]bool{
		"The member errors has the fields that are wrong.":                                false,
		"Line 1, column 3: title: unknown field.":                                         false,
		"json: cannot unmarshal number into Go struct field newTask.title of type string": true,
		`strconv.Atoi: parsing "x": invalid syntax`:                                       true,
		`parsing time "x" as "2006-01-02T15:04:05Z07:00"`:                                 true,
		"runtime error: invalid memory address or nil pointer dereference":                true,
		"tasks.go:42: boom":       true,
		"*domain.TransitionError": true,
	} {
		e := contract.Exchange{Status: 400, Body: []byte(text)}
		if got := e.Internals(); (got != "") != leaks {
			t.Errorf("%q: got %q", text, got)
		}
	}
}
