//course:since m04a

package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/middle-go/course/tasktracker/domain"
)

type actorKey struct{}

// actor returns the user who sent r. The middleware authenticate has put him
// there.
func actor(r *http.Request) domain.UserID {
	id, _ := r.Context().Value(actorKey{}).(domain.UserID)
	return id
}

// authenticate finds out who sends a request, once, for all handlers behind it.
func (a *api) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := a.identify(r)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), actorKey{}, id)))
	})
}

func (a *api) identify(r *http.Request) (domain.UserID, error) {
	//course:since m04b
	if !a.TrustDev {
		token, ok := bearer(r)
		if !ok {
			return "", errUnauthenticated
		}
		return a.Accounts.Authenticate(r.Context(), token)
	}
	//course:end
	id := r.Header.Get("X-TT-User")
	if !strings.HasPrefix(id, "usr_") || domain.CheckUserID(domain.UserID(id)) != nil {
		return "", errNoDevUser
	}
	return domain.UserID(id), nil
}

var errNoDevUser = &httpError{
	status: http.StatusUnauthorized,
	code:   "unauthenticated",
	detail: "Send the header X-TT-User: usr_ and a name. The service runs with TT_AUTH=dev.",
}

//course:since m04b

// bearer returns the token of the header Authorization (RFC 6750, section 2.1).
func bearer(r *http.Request) (string, bool) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimLeft(token, " ")
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

//course:end
