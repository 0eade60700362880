//course:since m05a

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// serviceEnv makes the test binary the service.
const serviceEnv = "TASKTRACKER_TEST_SERVICE"

func TestMain(m *testing.M) {
	if os.Getenv(serviceEnv) != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestSQLite_KeepsWhatWasAcknowledgedBeforeAKill(t *testing.T) {
	const rounds, creates = 20, 1000
	dir := t.TempDir()
	acknowledged := make([]map[string]task, users) // by title
	for user := range acknowledged {
		acknowledged[user] = map[string]task{}
	}
	for round := range rounds {
		s := startService(t, dir)
		killAfter := int64(1 + rand.IntN(creates/4))
		var (
			wg    sync.WaitGroup
			mu    sync.Mutex
			count atomic.Int64
		)
		for n := range creates {
			wg.Go(func() {
				title, key := fmt.Sprintf("round %d, task %d", round, n), ""
				if n < users {
					key = keyOf(title)
				}
				created, err := s.create(userOf(n), title, key)
				if err != nil {
					return // the service was killed before it answered
				}
				mu.Lock()
				acknowledged[n%users][title] = created
				mu.Unlock()
				if count.Add(1) == killAfter {
					s.kill()
				}
			})
		}
		wg.Wait()
		if count.Load() < killAfter {
			t.Fatalf("only %d of %d creates were acknowledged: %s", count.Load(), killAfter, s.said())
		}
	}

	s := startService(t, dir)
	for user := range users {
		stored := map[string]string{}
		for _, task := range s.list(t, userOf(user)) {
			if other, twice := stored[task.Title]; twice {
				t.Errorf("%q is there twice: %s and %s", task.Title, other, task.ID)
			}
			stored[task.Title] = task.ID
		}
		for title, created := range acknowledged[user] {
			if stored[title] != created.ID {
				t.Errorf("%q was acknowledged as %s, and stored is %q", title, created.ID, stored[title])
			}
			if !strings.HasSuffix(title, fmt.Sprintf(" task %d", user)) {
				continue
			}
			if again, err := s.create(userOf(user), title, keyOf(title)); err != nil || again != created {
				t.Errorf("the answer to a repeated request: got %+v, %v, want %+v", again, err, created)
			}
		}
		t.Logf("%s: %d creates were acknowledged, %d are stored", userOf(user), len(acknowledged[user]), len(stored))
	}
	s.stop(t)
}

func TestSQLite_SixteenClientsCreateAtOnce(t *testing.T) {
	s := startService(t, t.TempDir())
	createAtOnce(t, 40, s)
	s.stop(t)
}

func TestSQLite_TwoProcessesShareADirectory(t *testing.T) {
	dir := t.TempDir()
	both := []*service{launch(t, dir), launch(t, dir)} // and so both make the files
	for _, s := range both {
		s.await(t)
	}
	createAtOnce(t, 40, both...)

	// What one does, the other sees at once.
	created, err := both[0].create(userOf(0), "Pass me on", "")
	if err != nil {
		t.Fatal(err)
	}
	path := "/v1/tasks/" + created.ID
	for n := range 20 {
		patch := fmt.Sprintf(`{"title":"Passed on %d times"}`, n)
		header := http.Header{"If-Match": {created.ETag}, "Content-Type": {"application/merge-patch+json"}}
		if err := both[1-n%2].do(http.MethodPatch, path, userOf(0), header, patch, http.StatusOK, &created); err != nil {
			t.Fatal(err)
		}
		var seen task
		if err := both[n%2].do(http.MethodGet, path, userOf(0), nil, "", http.StatusOK, &seen); err != nil || seen != created {
			t.Fatalf("got %+v, %v, want %+v", seen, err, created)
		}
	}
	for _, s := range both {
		s.stop(t)
	}
}

// createAtOnce creates tasks with 16 clients, each of which goes from one service
// to the next. Each task is created twice with the same key, and so there is one.
func createAtOnce(t *testing.T, each int, services ...*service) {
	t.Helper()
	const clients = 16
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			for n := range each {
				title := fmt.Sprintf("client %d, task %d", client, n)
				first, err1 := services[(client+n)%len(services)].create(userOf(client), title, keyOf(title))
				again, err2 := services[(client+n+1)%len(services)].create(userOf(client), title, keyOf(title))
				if err := errors.Join(err1, err2); err != nil || first != again {
					t.Errorf("%s: got %+v and %+v, %v", title, first, again, err)
				}
			}
		})
	}
	wg.Wait()
	for _, s := range services {
		titles := map[string]bool{}
		for n := range users {
			for _, task := range s.list(t, userOf(n)) {
				titles[task.Title] = true
			}
		}
		if len(titles) != clients*each {
			t.Errorf("%d tasks are stored, want %d", len(titles), clients*each)
		}
	}
}

// users is how many users there are. Their tasks are in several shards.
const users = 8

func userOf(n int) string { return fmt.Sprintf("usr_%d", n%users) }

// service is a process that serves.
type service struct {
	cmd  *exec.Cmd
	url  string
	http *http.Client

	addr chan string   // gets the address when the process listens
	done chan struct{} // closed when the process has said all

	mu  sync.Mutex
	log bytes.Buffer
}

// startService starts a process on a directory and waits until it listens.
func startService(t *testing.T, dir string) *service {
	t.Helper()
	s := launch(t, dir)
	s.await(t)
	return s
}

func launch(t *testing.T, dir string) *service {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &service{
		cmd:  exec.CommandContext(t.Context(), program),
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}, Timeout: time.Minute},
		addr: make(chan string, 1),
		done: make(chan struct{}),
	}
	s.cmd.Env = append(os.Environ(), serviceEnv+"=1", "TT_STORE=sqlite", "TT_DATA_DIR="+dir, "TT_SHARDS=2",
		"TT_AUTH=dev", "TT_HTTP_ADDR=127.0.0.1:0", "TT_LOG_FORMAT=json", "TT_REQUEST_TIMEOUT=50s")
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.kill()
		<-s.done
		_ = s.cmd.Wait() // its end is a kill, or stop has looked at it
		if t.Failed() {
			t.Log(s.said())
		}
	})
	go s.read(stderr)
	return s
}

func (s *service) await(t *testing.T) {
	t.Helper()
	select {
	case addr := <-s.addr:
		s.url = "http://" + addr
	case <-s.done:
		t.Fatalf("the service has ended: %s", s.said())
	}
}

// read keeps what the process says, and finds the address in it.
func (s *service) read(stderr io.Reader) {
	defer close(s.done)
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		var entry struct{ Msg, Addr string }
		_ = json.Unmarshal(lines.Bytes(), &entry) // a panic is no JSON
		switch entry.Msg {
		case "request":
			continue
		case "listening":
			s.addr <- entry.Addr
		}
		s.mu.Lock()
		fmt.Fprintln(&s.log, lines.Text())
		s.mu.Unlock()
	}
}

// said returns the end of what the process has said, without the requests.
func (s *service) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := s.log.String()
	return log[max(0, len(log)-4000):]
}

func (s *service) kill() { _ = s.cmd.Process.Kill() }

// stop ends the process as an operator does. It must not have met an error.
func (s *service) stop(t *testing.T) {
	t.Helper()
	s.http.CloseIdleConnections()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-s.done
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the service ends with %v: %s", err, s.said())
	}
	if strings.Contains(s.said(), `"level":"ERROR"`) {
		t.Errorf("the service has met an error: %s", s.said())
	}
}

// task is what these tests look at.
type task struct {
	ID    string
	Title string
	ETag  string `json:"-"` // of the answer
}

// keyOf returns the Idempotency-Key of the request that creates a task.
func keyOf(title string) string { return strings.ReplaceAll(title, " ", "_") }

// create creates a task, with an Idempotency-Key unless that is empty.
func (s *service) create(user, title, key string) (task, error) {
	header := http.Header{"Content-Type": {"application/json"}}
	if key != "" {
		header.Set("Idempotency-Key", key)
	}
	var created task
	err := s.do(http.MethodPost, "/v1/tasks", user, header, fmt.Sprintf(`{"title":%q}`, title), http.StatusCreated, &created)
	return created, err
}

func (s *service) list(t *testing.T, user string) []task {
	t.Helper()
	var all []task
	for cursor := ""; ; {
		var page struct {
			Items      []task
			NextCursor string `json:"next_cursor"`
		}
		if err := s.do(http.MethodGet, "/v1/tasks?limit=100&cursor="+cursor, user, nil, "", http.StatusOK, &page); err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Items...)
		if cursor = page.NextCursor; cursor == "" {
			return all
		}
	}
}

// do sends a request and decodes the answer, which must have the status want.
func (s *service) do(method, path, user string, header http.Header, body string, want int, answer any) error {
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	if header != nil {
		req.Header = header
	}
	req.Header.Set("X-TT-User", user)
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != want {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, content)
	}
	if task, ok := answer.(*task); ok {
		task.ETag = resp.Header.Get("ETag")
	}
	return json.Unmarshal(content, answer)
}
