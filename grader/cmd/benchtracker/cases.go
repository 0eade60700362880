package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

// benchCase is one kind of request to one server.
type benchCase struct {
	name    string
	bare    string // name of the case with the same bytes from a bare handler; empty: this is it
	server  *server
	request []byte
	status  int
}

const newTask = `{"title":"Water the plants","labels":["home"],"due_at":"2099-01-01T08:00:00Z"}`

// prepare starts the servers, and fills them with one user and his tasks.
func prepare(tracker string) (cases []benchCase, stop func(), err error) {
	if tracker, err = filepath.Abs(tracker); err != nil {
		return nil, nil, err
	}
	root, err := os.MkdirTemp("", "benchtracker-")
	if err != nil {
		return nil, nil, err
	}
	var running []*server
	stop = func() {
		for _, s := range running {
			s.stop()
		}
		os.RemoveAll(root)
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	launch := func(name, program string, env ...string) (*server, error) {
		dir := filepath.Join(root, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, err
		}
		s, err := start(dir, program, append(env, "TT_DATA_DIR="+filepath.Join(dir, "data"))...)
		if err == nil {
			running = append(running, s)
		}
		return s, err
	}

	var ofTracker []benchCase
	var task, list []byte
	for _, store := range []string{"memory", "sqlite"} {
		s, err := launch(store, tracker, "TT_STORE="+store)
		if err != nil {
			return nil, stop, err
		}
		u, err := signUp(s)
		if err != nil {
			return nil, stop, err
		}
		if task, list, err = u.fill(); err != nil {
			return nil, stop, err
		}
		ofTracker = append(ofTracker,
			benchCase{"GET one task, " + store, bareTask, s, u.raw("GET", u.taskPath, ""), http.StatusOK},
			benchCase{"GET a list of 50, " + store, bareList, s, u.raw("GET", "/v1/tasks?limit=50", ""), http.StatusOK},
		)
		writer, err := signUp(s) // whose growing list nobody reads
		if err != nil {
			return nil, stop, err
		}
		ofTracker = append(ofTracker,
			benchCase{"POST a task, " + store, bareTask, s, writer.raw("POST", "/v1/tasks", newTask), http.StatusCreated})
	}

	self, err := os.Executable()
	if err != nil {
		return nil, stop, err
	}
	for _, b := range []struct {
		name string
		body []byte
	}{{bareTask, task}, {bareList, list}} {
		file := filepath.Join(root, "body of "+b.name)
		if err := os.WriteFile(file, b.body, 0o600); err != nil {
			return nil, stop, err
		}
		s, err := launch(b.name, self, bareEnv+"="+file)
		if err != nil {
			return nil, stop, err
		}
		cases = append(cases, benchCase{name: b.name, server: s, request: (&user{server: s}).raw("GET", "/", ""), status: http.StatusOK})
	}
	return append(cases, ofTracker...), stop, nil
}

const (
	bareTask = "bare handler, the bytes of one task"
	bareList = "bare handler, the bytes of a list of 50"
)

// user is somebody who is logged in.
type user struct {
	*server
	token    string
	taskPath string
	email    string
}

var users int

func signUp(s *server) (*user, error) {
	users++
	u := &user{server: s, email: fmt.Sprintf("user%d@example.org", users)}
	credentials := fmt.Sprintf(`{"email":%q,"password":"correct horse"}`, u.email)
	if _, err := u.call("POST", "/v1/users", fmt.Sprintf(`{"email":%q,"password":"correct horse","name":"Ada"}`, u.email)); err != nil {
		return nil, err
	}
	answer, err := u.call("POST", "/v1/sessions", credentials)
	if err != nil {
		return nil, err
	}
	var session struct {
		Token string `json:"access_token"`
	}
	err = json.Unmarshal(answer, &session)
	u.token = session.Token
	return u, err
}

// fill creates 1,000 tasks and returns the answers that will be measured.
func (u *user) fill() (task, list []byte, err error) {
	for range 1000 {
		if task, err = u.call("POST", "/v1/tasks", newTask); err != nil {
			return nil, nil, err
		}
	}
	var created struct{ ID string }
	if err := json.Unmarshal(task, &created); err != nil {
		return nil, nil, err
	}
	u.taskPath = "/v1/tasks/" + created.ID
	list, err = u.call("GET", "/v1/tasks?limit=50", "")
	return task, list, err
}

func (u *user) call(method, path, body string) ([]byte, error) {
	r, err := http.NewRequest(method, "http://"+u.addr+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if u.token != "" {
		r.Header.Set("Authorization", "Bearer "+u.token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if resp.StatusCode >= 300 {
		err = errors.Join(err, fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, answer))
	}
	return answer, err
}

// raw returns a request as it goes over the wire.
func (u *user) raw(method, path, body string) []byte {
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		method, path, u.addr, u.token, len(body), body)
}
