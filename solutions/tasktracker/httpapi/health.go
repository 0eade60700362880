//course:since m04a

package httpapi

import (
	"fmt"
	"net/http"

	"github.com/middle-go/course/tasktracker/errs"
)

type health struct {
	Status string `json:"status"`
}

// health tells that the process lives. It asks nobody else: a database that is
// down is no reason to restart this process.
func (a *api) health(w http.ResponseWriter, r *http.Request) error {
	return send(w, http.StatusOK, health{"ok"})
}

// readiness tells whether a load balancer should send requests here.
func (a *api) readiness(w http.ResponseWriter, r *http.Request) error {
	if err := a.Ready(r.Context()); err != nil {
		return errs.E("readiness", errs.Unavailable, fmt.Errorf("not ready: %w", err))
	}
	return send(w, http.StatusOK, health{"ready"})
}
