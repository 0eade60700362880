// Wrong: believes that a path parameter has the form that we gave it.
// Caught by: TestRouter_404NotPanicForBadID

// Package router is the HTTP front of a small task API: its routes, and the one
// place where errors become answers, as problem documents of RFC 9457.
package router

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"
)

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

// answers says what the client gets for an error of a kind.
var answers = map[Kind]struct {
	status int
	code   string
}{
	Internal:             {http.StatusInternalServerError, "internal"},
	Malformed:            {http.StatusBadRequest, "malformed_json"},
	Unauthenticated:      {http.StatusUnauthorized, "unauthenticated"},
	Forbidden:            {http.StatusForbidden, "forbidden"},
	NotFound:             {http.StatusNotFound, "not_found"},
	MethodNotAllowed:     {http.StatusMethodNotAllowed, "method_not_allowed"},
	Conflict:             {http.StatusConflict, "conflict"},
	PreconditionFailed:   {http.StatusPreconditionFailed, "precondition_failed"},
	TooLarge:             {http.StatusRequestEntityTooLarge, "body_too_large"},
	UnsupportedMedia:     {http.StatusUnsupportedMediaType, "unsupported_media_type"},
	Invalid:              {http.StatusUnprocessableEntity, "validation_failed"},
	PreconditionRequired: {http.StatusPreconditionRequired, "precondition_required"},
	RateLimited:          {http.StatusTooManyRequests, "rate_limited"},
	Unavailable:          {http.StatusServiceUnavailable, "unavailable"},
	Timeout:              {http.StatusGatewayTimeout, "timeout"},
}

// classify returns the error that decides about the answer to err.
func classify(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		if _, known := answers[e.Kind]; known {
			return e
		}
		return &Error{}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &Error{Kind: TooLarge}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Kind: Timeout}
	}
	return &Error{}
}

// WriteProblem answers with the problem document for err, which is not nil. If
// w comes from Handle and the answer has begun already, it writes nothing.
//
// It logs err, once and at level Error, when the client will not learn from the
// answer what happened: for a 5xx, and for an answer that has begun.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	e := classify(err)
	answer := answers[e.Kind]
	begun := false
	if own, ok := w.(*writer); ok {
		begun = own.begun
	}
	if begun || answer.status >= 500 {
		slog.ErrorContext(r.Context(), "request failed", "status", answer.status, "error", err)
	}
	if begun {
		return
	}

	header := w.Header()
	p := Problem{
		Title:     http.StatusText(answer.status),
		Status:    answer.status,
		Code:      cmp.Or(e.Code, answer.code),
		RequestID: header.Get("X-Request-ID"),
	}
	p.Type = "https://tasktracker.example/problems/" + p.Code
	if p.Status < 500 {
		p.Detail, p.Errors = e.Detail, e.Fields
	}

	for _, ofTheSuccess := range []string{"Content-Length", "Content-Encoding", "ETag", "Last-Modified"} {
		header.Del(ofTheSuccess)
	}
	header.Set("Content-Type", contentType(r))
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Accept")
	if e.Kind == Unauthenticated {
		header.Set("WWW-Authenticate", "Bearer")
	}
	if (e.Kind == RateLimited || e.Kind == Unavailable) && e.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client has gone if this fails
}

const (
	problemType = "application/problem+json"
	jsonType    = "application/json"
)

// contentType returns the type of a problem document for the client behind r.
func contentType(r *http.Request) string {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if !accepts(accept, problemType) && accepts(accept, jsonType) {
		return jsonType
	}
	return problemType
}

// accepts reports whether the most specific range of accept that matches a type
// application/... allows it.
func accepts(accept, mediaType string) bool {
	quality := map[string]float64{}
	for part := range strings.SplitSeq(accept, ",") {
		mediaRange, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q, err := strconv.ParseFloat(cmp.Or(params["q"], "1"), 64)
		if err != nil {
			continue
		}
		quality[mediaRange] = q
	}
	for _, mediaRange := range []string{mediaType, "application/*", "*/*"} {
		if q, ok := quality[mediaRange]; ok {
			return q > 0
		}
	}
	return false
}

// HandlerFunc is a handler that returns what went wrong instead of writing it.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Handle makes an http.Handler of h. What h returns goes to WriteProblem. If the
// answer has begun by then, Handle aborts it with a panic of
// http.ErrAbortHandler, so that the client cannot take a part for the whole.
//
// The writer that h gets works with http.ResponseController.
func Handle(h HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own := &writer{ResponseWriter: w}
		err := h(own, r)
		if err == nil {
			return
		}
		begun := own.begun
		WriteProblem(own, r, err)
		if begun {
			panic(http.ErrAbortHandler)
		}
	})
}

// writer knows whether the answer has begun.
type writer struct {
	http.ResponseWriter
	begun bool
}

func (w *writer) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.begun = true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(b []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(b)
}

// FlushError is for http.ResponseController. A flush sends the header.
func (w *writer) FlushError() error {
	err := http.NewResponseController(w.ResponseWriter).Flush()
	w.begun = w.begun || err == nil
	return err
}

func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// TaskHandlers are the handlers behind the routes. They are called for any
// number of requests at the same time.
type TaskHandlers interface {
	List(http.ResponseWriter, *http.Request) error
	Get(w http.ResponseWriter, r *http.Request, id string) error
	Create(http.ResponseWriter, *http.Request) error
}

var crockford = regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{26}$`)

// NewRouter returns the routes of the API. The middlewares run for every
// request, also for those that match no route; the first is the outermost.
func NewRouter(tasks TaskHandlers, middlewares ...func(http.Handler) http.Handler) http.Handler {
	get := func(w http.ResponseWriter, r *http.Request) error {
		id, err := pathParam(r, "id")
		if err != nil || id[:4] != "tsk_" || !crockford.MatchString(id[4:30]) {
			return &Error{Kind: NotFound, Err: err}
		}
		return tasks.Get(w, r, id)
	}
	noRoute := func(http.ResponseWriter, *http.Request) error { return &Error{Kind: NotFound} }

	mux := chi.NewRouter()
	mux.Use(middlewares...)
	mux.NotFound(Handle(noRoute).ServeHTTP)
	mux.MethodNotAllowed(Handle(otherMethod(mux)).ServeHTTP)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		mux.Method(method, "/v1/tasks", Handle(tasks.List))
		mux.Method(method, "/v1/tasks/{id}", Handle(get))
	}
	mux.Method(http.MethodPost, "/v1/tasks", Handle(tasks.Create))
	return mux
}

// pathParam returns a path parameter, unescaped once. chi routes on the escaped
// path if the URL keeps one, and otherwise on the path that is unescaped already.
func pathParam(r *http.Request, name string) (string, error) {
	value := chi.URLParam(r, name)
	if r.URL.RawPath == "" {
		return value, nil
	}
	return url.PathUnescape(value)
}

// otherMethod answers OPTIONS, and requests whose method the path does not
// have. chi sends every unknown method here, whatever the path.
func otherMethod(mux *chi.Mux) HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		var allow []string
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			if mux.Match(chi.NewRouteContext(), method, cmp.Or(r.URL.RawPath, r.URL.Path)) {
				allow = append(allow, method)
			}
		}
		if len(allow) == 0 {
			return &Error{Kind: NotFound}
		}
		allow = append(allow, http.MethodOptions)
		slices.Sort(allow)
		w.Header().Set("Allow", strings.Join(allow, ", "))
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		return &Error{Kind: MethodNotAllowed}
	}
}

// Pattern returns the pattern of the route that r has matched, such as
// /v1/tasks/{id}, and "unmatched" if there is none. In a middleware it knows the
// answer only after the next handler has returned.
func Pattern(r *http.Request) string {
	return cmp.Or(chi.RouteContext(r.Context()).RoutePattern(), "unmatched")
}
