//course:since m05a

package httpapi

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/middle-go/course/tasktracker"
	"github.com/middle-go/course/tasktracker/httpapi/docs"
)

// docs routes the contract: /docs for people, /openapi.yaml for programs.
func (a *api) docs(mux chi.Router) {
	page, err := docs.Page(tasktracker.OpenAPI)
	if err != nil {
		panic(err) // the contract is part of the program, and a test reads it
	}
	get(mux, "/docs", static("text/html; charset=utf-8", docs.Policy(), page))
	get(mux, "/openapi.yaml", static("application/yaml", "default-src 'none'", tasktracker.OpenAPI))
}

func static(contentType, policy string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Security-Policy", policy)
		_, _ = w.Write(content) // the client may have left
	}
}
