//course:since m04a

package httpapi

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/middle-go/course/tasktracker/web/idempotency"
	"github.com/middle-go/course/tasktracker/web/middleware"
)

// routes is the map of the API. The first middleware is the outermost.
func (a *api) routes() http.Handler {
	mux := chi.NewRouter()
	mux.Use(
		middleware.RequestID,
		middleware.AccessLog(a.AccessLog, a.Log, a.Now),
		middleware.SecurityHeaders,
		middleware.Recover(a.Log),
		middleware.BodyLimit(a.MaxBody),
		middleware.Deadline(a.RequestTimeout),
	)
	mux.NotFound(a.handle(noRoute))
	mux.MethodNotAllowed(a.handle(otherMethod(mux)))

	get(mux, "/healthz", a.handle(a.health))
	get(mux, "/readyz", a.handle(a.readiness))
	//course:since m05a
	a.docs(mux)
	//course:end

	//course:since m04b
	mux.With(acceptJSON).Post("/v1/users", a.handle(a.register))
	mux.With(acceptJSON).Post("/v1/sessions", a.handle(a.logIn))
	//course:end

	mux.Group(func(mux chi.Router) {
		mux.Use(acceptJSON, a.authenticate)
		//course:since m04b
		mux.Delete("/v1/sessions/current", a.handle(a.logOut))
		get(mux, "/v1/me", a.handle(a.me))
		//course:end

		repeatable := idempotency.Middleware(a.Idempotency, idempotencyScope, a.MaxBody)
		mux.With(repeatable).Post("/v1/tasks", a.handle(a.createTask))
		get(mux, "/v1/tasks", a.handle(a.listTasks))
		get(mux, "/v1/tasks/{id}", a.handle(a.getTask))
		mux.Patch("/v1/tasks/{id}", a.handle(a.patchTask))
		mux.Delete("/v1/tasks/{id}", a.handle(a.deleteTask))
		mux.Post("/v1/tasks/{id}/transitions", a.handle(a.moveTask))
	})
	return mux
}

// get routes GET, and HEAD with it: net/http drops the body of its answer.
func get(mux chi.Router, pattern string, h http.HandlerFunc) {
	mux.Get(pattern, h)
	mux.Head(pattern, h)
}

// idempotencyScope makes keys those of one user on one route.
func idempotencyScope(r *http.Request) string {
	return string(actor(r)) + " " + r.Method + " " + r.URL.Path
}

func noRoute(http.ResponseWriter, *http.Request) error { return errNoRoute }

// otherMethod answers OPTIONS, and requests whose method the path does not
// have. chi sends every unknown method here, whatever the path.
func otherMethod(mux *chi.Mux) handler {
	methods := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	return func(w http.ResponseWriter, r *http.Request) error {
		var allow []string
		for _, method := range methods {
			if mux.Match(chi.NewRouteContext(), method, cmp.Or(r.URL.RawPath, r.URL.Path)) {
				allow = append(allow, method)
			}
		}
		if len(allow) == 0 {
			return errNoRoute
		}
		allow = append(allow, http.MethodOptions)
		slices.Sort(allow)
		w.Header().Set("Allow", strings.Join(allow, ", "))
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		return errOtherMethod
	}
}
