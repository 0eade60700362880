package m04b_test

import (
	"encoding/json"
	"testing"

	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

const password = "correct horse battery"

// account is a user who has registered and logged in.
type account struct {
	*tracker.Client
	ID, Email, Token string
}

// signUp registers name@example.org and logs in.
func signUp(t *testing.T, tt *tracker.Tracker, name string) account {
	t.Helper()
	email := name + "@example.org"
	user := register(t, tt.Anonymous(), email, password)
	token := logIn(t, tt.Anonymous(), email, password).AccessToken
	return account{Client: tt.Bearer(token), ID: user.ID, Email: email, Token: token}
}

type user struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
}

type session struct {
	AccessToken string `json:"access_token"`
	ExpiresAt   string `json:"expires_at"`
}

func register(t *testing.T, c *tracker.Client, email, password string) user {
	t.Helper()
	return decode[user](t, c.Want(t, registration(email, password, "Somebody"), 201, ""))
}

func logIn(t *testing.T, c *tracker.Client, email, password string) session {
	t.Helper()
	return decode[session](t, c.Want(t, credentials(email, password), 201, ""))
}

func registration(email, password, name string) tracker.Request {
	return tracker.Post("/v1/users", encode(map[string]string{"email": email, "password": password, "name": name}))
}

func credentials(email, password string) tracker.Request {
	return tracker.Post("/v1/sessions", encode(map[string]string{"email": email, "password": password}))
}

func decode[T any](t *testing.T, answer tracker.Answer) T {
	t.Helper()
	var value T
	if err := json.Unmarshal(answer.Body, &value); err != nil {
		answer.Check(t, false, "a body in JSON: "+err.Error(), "")
	}
	return value
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts
	}
	return string(text)
}

func move(task tracker.Task, to string) tracker.Request {
	return tracker.Post(task.Path()+"/transitions", encode(map[string]string{"to": to}))
}
