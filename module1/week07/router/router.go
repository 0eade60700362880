// Package router is the HTTP front of a small task API: its routes, and the one
// place where errors become answers, as problem documents of RFC 9457.
package router

import "net/http"

// Problem is the JSON document of an error. It never holds the cause of a 5xx.
type Problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail,omitempty"`
	Code      string       `json:"code"`
	RequestID string       `json:"request_id,omitempty"`
	Errors    []FieldError `json:"errors,omitempty"`
}

// WriteProblem answers with the problem document for err, which is not nil. If
// w comes from Handle and the answer has begun already, it writes nothing.
//
// It logs err, once and at level Error, when the client will not learn from the
// answer what happened: for a 5xx, and for an answer that has begun.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {}

// HandlerFunc is a handler that returns what went wrong instead of writing it.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Handle makes an http.Handler of h. What h returns goes to WriteProblem. If the
// answer has begun by then, Handle aborts it with a panic of
// http.ErrAbortHandler, so that the client cannot take a part for the whole.
//
// The writer that h gets works with http.ResponseController.
func Handle(h HandlerFunc) http.Handler { return http.NotFoundHandler() }

// TaskHandlers are the handlers behind the routes. They are called for any
// number of requests at the same time.
type TaskHandlers interface {
	List(http.ResponseWriter, *http.Request) error
	Get(w http.ResponseWriter, r *http.Request, id string) error
	Create(http.ResponseWriter, *http.Request) error
}

// NewRouter returns the routes of the API. The middlewares run for every
// request, also for those that match no route; the first is the outermost.
func NewRouter(tasks TaskHandlers, middlewares ...func(http.Handler) http.Handler) http.Handler {
	return http.NotFoundHandler()
}

// Pattern returns the pattern of the route that r has matched, such as
// /v1/tasks/{id}, and "unmatched" if there is none. In a middleware it knows the
// answer only after the next handler has returned.
func Pattern(r *http.Request) string { return "" }
