//course:since m04b

package httpapi

import (
	"net"
	"net/http"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
)

// userJSON is a user as he sees himself.
type userJSON struct {
	ID        string  `json:"id"`
	Email     string  `json:"email"`
	Name      string  `json:"name"`
	CreatedAt instant `json:"created_at"`
}

func newUserJSON(u domain.User) userJSON {
	return userJSON{ID: string(u.ID), Email: u.Email, Name: u.Name, CreatedAt: instant(u.CreatedAt)}
}

func (a *api) register(w http.ResponseWriter, r *http.Request) error {
	type registration struct {
		Email    string `json:"email"`
		Password string `json:"password"`
		Name     string `json:"name"`
	}
	body, err := decode[registration](a, w, r)
	if err != nil {
		return err
	}
	user, err := a.Accounts.Register(r.Context(), app.Registration(body))
	if err != nil {
		return err
	}
	return send(w, http.StatusCreated, newUserJSON(user))
}

func (a *api) logIn(w http.ResponseWriter, r *http.Request) error {
	type credentials struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	}
	body, err := decode[credentials](a, w, r)
	if err != nil {
		return err
	}
	token, ends, err := a.Accounts.LogIn(r.Context(), body.Email, body.Password, clientAddress(r))
	if err != nil {
		return err
	}
	return send(w, http.StatusCreated, struct {
		AccessToken string  `json:"access_token"`
		TokenType   string  `json:"token_type"`
		ExpiresAt   instant `json:"expires_at"`
	}{token, "Bearer", instant(ends)})
}

func (a *api) logOut(w http.ResponseWriter, r *http.Request) error {
	token, _ := bearer(r)
	if err := a.Accounts.LogOut(r.Context(), token); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) me(w http.ResponseWriter, r *http.Request) error {
	user, err := a.Accounts.User(r.Context(), actor(r))
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, newUserJSON(user))
}

// clientAddress returns the address that the request came from. Behind a proxy
// that is the proxy's: headers such as X-Forwarded-For can be written by anybody,
// so the service does not believe them.
func clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
