package tracker

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/acceptance/contract"
)

// Answer is what the service says to a request.
type Answer struct{ contract.Exchange }

// Check fails t with this exchange unless ok. Want is in words.
func (a Answer) Check(t testing.TB, ok bool, want, why string) {
	t.Helper()
	if !ok {
		a.broken(t, nil, rule.Text(want), why)
	}
}

// broken fails t. A nil got is the answer itself.
func (a Answer) broken(t testing.TB, got, want any, why string) {
	t.Helper()
	if got == nil {
		got = rule.Text(a.Exchange.Answer())
	}
	rule.Broken(t, rule.Case{Do: a.Curl(), Got: got, Want: want, Why: why})
}

func (a Answer) keepsSecrets(t testing.TB) {
	t.Helper()
	if leak := a.Internals(); leak != "" {
		a.broken(t, nil, rule.Textf("an error without %q", leak),
			"What the inside of a service looks like helps those who attack it, and nobody else.")
	}
}

func statusText(status int) rule.Text {
	return rule.Text(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}

func decode[T any](t testing.TB, a Answer) T {
	t.Helper()
	var value T
	if err := json.Unmarshal(a.Body, &value); err != nil {
		a.broken(t, nil, rule.Text("a body in JSON: "+err.Error()), "")
	}
	return value
}

// Task returns the task of the answer.
func (a Answer) Task(t testing.TB) Task { t.Helper(); return decode[Task](t, a) }

// Page returns the page of tasks of the answer.
func (a Answer) Page(t testing.TB) Page { t.Helper(); return decode[Page](t, a) }

// Problem returns the problem document of the answer.
func (a Answer) Problem(t testing.TB) Problem { t.Helper(); return decode[Problem](t, a) }

// ETag returns the header ETag.
func (a Answer) ETag() string { return a.Header.Get("ETag") }
