//course:since m04a

package httpapi

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
	"github.com/middle-go/course/tasktracker/web/cursor"
	"github.com/middle-go/course/tasktracker/web/middleware"
	"github.com/middle-go/course/tasktracker/web/problem"
	"github.com/middle-go/course/tasktracker/web/strictjson"
)

// httpError is an error of HTTP itself, which the use cases never see.
type httpError struct {
	status int
	code   string
	detail string
	fields []problem.FieldError
}

func (e *httpError) Error() string { return e.code + ": " + e.detail }

var (
	errNoRoute              = &httpError{status: http.StatusNotFound, code: "not_found", detail: "There is nothing at this path."}
	errOtherMethod          = &httpError{status: http.StatusMethodNotAllowed, code: "method_not_allowed", detail: "The header Allow has the methods of this path."}
	errUnauthenticated      = &httpError{status: http.StatusUnauthorized, code: "unauthenticated", detail: "Send the header Authorization: Bearer and the token of a session."}
	errNotAcceptable        = &httpError{status: http.StatusNotAcceptable, code: "not_acceptable", detail: "This API answers with JSON only."}
	errPreconditionFailed   = &httpError{status: http.StatusPreconditionFailed, code: "precondition_failed", detail: "The task has changed. Get it again and look."}
	errPreconditionRequired = &httpError{status: http.StatusPreconditionRequired, code: "precondition_required", detail: "Send If-Match with the ETag of the task that you have seen."}
	errMalformedTags        = &httpError{status: http.StatusBadRequest, code: "invalid_header", detail: "If-Match or If-None-Match is not a list of entity tags."}
)

// handler is a handler that returns what went wrong instead of writing it.
type handler func(w http.ResponseWriter, r *http.Request) error

// handle answers with the problem document for the error of h.
func (a *api) handle(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			a.fail(w, r, err)
		}
	}
}

// retryLater is what a client is told to wait when nobody knows better.
const retryLater = time.Second

func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	switch p.Status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", challenge(err))
	case http.StatusServiceUnavailable:
		p.RetryAfter = max(p.RetryAfter, retryLater)
	}
	if p.Status >= http.StatusInternalServerError {
		a.Log.LogAttrs(r.Context(), slog.LevelError, "request failed",
			slog.Any("error", err),
			slog.String("request_id", middleware.RequestIDFrom(r.Context())),
		)
		p.Detail = "" // what went wrong inside is for the log
	}
	problem.Write(w, p)
}

// challenge returns WWW-Authenticate of RFC 6750, section 3: a token that was
// sent and is no good is named as the reason.
func challenge(err error) string {
	const realm = `Bearer realm="tasktracker"`
	//course:since m04b
	switch {
	case errors.Is(err, app.ErrTokenExpired):
		return realm + `, error="invalid_token", error_description="expired"`
	case errors.Is(err, app.ErrNoSession):
		return realm + `, error="invalid_token"`
	}
	//course:end
	return realm
}

// problemOf is the only place where errors become answers.
func problemOf(err error) problem.Problem {
	if e, ok := errors.AsType[*httpError](err); ok {
		return problem.Problem{Status: e.status, Code: e.code, Detail: e.detail, Errors: e.fields}
	}
	if p, ok := bodyProblem(err); ok {
		return p
	}
	if e, ok := errors.AsType[*domain.TransitionError](err); ok {
		return problem.Problem{Status: http.StatusConflict, Code: "invalid_transition", Detail: sentence(e)}
	}
	//course:since m04b
	if e, ok := errors.AsType[*app.ThrottledError](err); ok {
		return problem.Problem{Status: http.StatusTooManyRequests, Code: "login_throttled", RetryAfter: e.Wait}
	}
	//course:end
	for _, known := range sentinels {
		if errors.Is(err, known.err) {
			return problem.Problem{Status: known.status, Code: known.code, Detail: sentence(known.err)}
		}
	}
	return kindProblem(err)
}

var sentinels = []struct {
	err    error
	status int
	code   string
}{
	{cursor.ErrInvalidCursor, http.StatusBadRequest, "invalid_cursor"},
	//course:since m04b
	{app.ErrEmailTaken, http.StatusConflict, "email_taken"},
	{app.ErrBadCredentials, http.StatusUnauthorized, "bad_credentials"},
	{app.ErrTokenExpired, http.StatusUnauthorized, "token_expired"},
	{app.ErrNoSession, http.StatusUnauthorized, "unauthenticated"},
	//course:end
}

// bodyProblem answers for a body that cannot be read.
func bodyProblem(err error) (problem.Problem, bool) {
	_, cutOff := errors.AsType[*http.MaxBytesError](err)
	if cutOff || errors.Is(err, strictjson.ErrTooLarge) {
		return problem.Problem{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large"}, true
	}
	malformed := problem.Problem{Status: http.StatusBadRequest, Code: "malformed_json"}
	if errors.Is(err, strictjson.ErrEmpty) {
		malformed.Detail = "The body is empty."
		return malformed, true
	}
	e, ok := errors.AsType[*strictjson.Problem](err)
	if !ok {
		return problem.Problem{}, false
	}
	switch e.Code {
	case strictjson.Syntax, strictjson.TrailingData, strictjson.TooDeep, strictjson.InvalidUTF8, strictjson.DuplicateKey:
		malformed.Detail = sentence(e)
		return malformed, true
	default:
		return invalid(problem.FieldError{Field: e.Path, Code: e.Code, Message: e.Message}), true
	}
}

func invalid(fields ...problem.FieldError) problem.Problem {
	return problem.Problem{
		Status: http.StatusUnprocessableEntity,
		Code:   "validation_failed",
		Detail: "The member errors has the fields that are wrong.",
		Errors: fields,
	}
}

// kindProblem answers for an error of which only the kind is known.
func kindProblem(err error) problem.Problem {
	switch errs.KindOf(err) {
	case errs.Invalid:
		var fields []problem.FieldError
		for _, f := range errs.FieldErrors(err) {
			fields = append(fields, problem.FieldError(f))
		}
		return invalid(fields...)
	case errs.NotFound:
		return problem.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: "There is no such resource, or it is not yours."}
	case errs.Conflict:
		return problem.Problem{Status: http.StatusConflict, Code: "conflict", Detail: "Somebody else changed this at the same moment. Look at it again."}
	case errs.Unauthenticated:
		return problem.Problem{Status: http.StatusUnauthorized, Code: "unauthenticated"}
	case errs.Forbidden:
		return problem.Problem{Status: http.StatusForbidden, Code: "forbidden"}
	case errs.Timeout:
		return problem.Problem{Status: http.StatusGatewayTimeout, Code: "timeout"}
	case errs.Unavailable, errs.Canceled: // the client that canceled reads no answer
		return problem.Problem{Status: http.StatusServiceUnavailable, Code: "unavailable"}
	default:
		return problem.Problem{Status: http.StatusInternalServerError, Code: "internal"}
	}
}

// sentence makes a sentence of the text of an error.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
