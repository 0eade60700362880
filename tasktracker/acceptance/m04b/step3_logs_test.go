package m04b_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

func TestM04b_NoSecretsInLogs(t *testing.T) {
	access := filepath.Join(t.TempDir(), "access.log")
	tt := tracker.Start(t, tracker.Env{"TT_LOG_LEVEL": "debug", "TT_ACCESS_LOG": access})
	const right, wrong = "Xq7-plainly-secret-1", "Xq7-plainly-secret-2"
	nobody := tt.Anonymous()
	register(t, nobody, "ada@example.org", right)
	nobody.Refuse(t, registration("ada@example.org", wrong, "Ada"), 409, "email_taken", "")
	nobody.Refuse(t, credentials("ada@example.org", wrong), 401, "bad_credentials", "")
	token := logIn(t, nobody, "ada@example.org", right).AccessToken
	ada := tt.Bearer(token)
	ada.Want(t, tracker.Get("/v1/me"), 200, "")
	for _, body := range []string{
		`{"email":"ada@example.org","password":"` + wrong,
		`{"email":"ada@example.org","password":["` + wrong + `"]}`,
		`{"email":"ada@example.org","password":"` + right + `","password":"` + right + `"}`,
		`{"email":"ada@example.org","` + wrong + `":1}`,
	} {
		for _, path := range []string{"/v1/sessions", "/v1/users"} {
			_, _ = nobody.Try(t.Context(), tracker.Post(path, body).Bad())
		}
	}
	for _, header := range []string{"Basic " + token, "Bearer " + token + " " + token, "Token " + token} {
		nobody.Refuse(t, tracker.Get("/v1/me").With("Authorization", header), 401, "unauthenticated", "")
	}
	ada.Want(t, tracker.Delete("/v1/sessions/current"), 204, "")
	ada.Refuse(t, tracker.Get("/v1/me"), 401, "unauthenticated", "")
	stop(t, tt)

	sum := sha256.Sum256([]byte(token))
	secrets := map[string]string{
		right: "a password", wrong: "a wrong password, which mostly is the right one of something else", token: "a token",
		hex.EncodeToString(sum[:]):                     "the hash of a token",
		base64.StdEncoding.EncodeToString(sum[:])[:42]: "the hash of a token",
		base64.URLEncoding.EncodeToString(sum[:])[:42]: "the hash of a token",
		"$argon2": "the hash of a password", "$pbkdf2": "the hash of a password", "$2a$": "the hash of a password", "$2b$": "the hash of a password",
	}
	for name, content := range map[string]string{"stderr": tt.Stderr(), "stdout": tt.Stdout(), "TT_ACCESS_LOG": read(t, access)} {
		for line := range strings.Lines(content) {
			for secret, what := range secrets {
				if strings.Contains(line, secret) {
					rule.Broken(t, rule.Case{
						Do:   "register, log in, fail to log in, log out, with TT_LOG_LEVEL=debug; then read " + name,
						Got:  rule.Text(strings.TrimSpace(line)),
						Want: rule.Textf("no line with %s", what),
						Why:  "Logs are copied, searched and kept by people who may not be every user.",
					})
				}
			}
		}
	}
}

// stop ends a service and fails t unless it exits with 0.
func stop(t *testing.T, tt *tracker.Tracker) {
	t.Helper()
	if code := tt.Stop(t); code != 0 {
		rule.Broken(t, rule.Case{Do: "kill -TERM $pid", Got: rule.Textf("exit code %d", code), Want: rule.Text("exit code 0"),
			Why: "Who was told to stop and did has not failed."})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		rule.Broken(t, rule.Case{Do: "TT_ACCESS_LOG=" + path + " tasktracker", Got: err, Want: rule.Text("a file with a line for each request")})
	}
	return string(content)
}

func TestM04b_LogLinesJSONWithRequestID(t *testing.T) {
	tt := tracker.Start(t, tracker.Env{"TT_LOG_LEVEL": "info"})
	ada := signUp(t, tt, "ada")
	ids := map[string]bool{}
	request := func(r tracker.Request) {
		id := fmt.Sprintf("test-%d", len(ids))
		ids[id] = true
		_, _ = ada.Try(t.Context(), r.With("X-Request-ID", id).Bad())
	}
	request(tracker.Get("/v1/me"))
	request(tracker.Create(`{"title":"a\nb"}`))
	request(tracker.Create(`{"title":"a"}`))
	request(tracker.Get("/v1/tasks/none"))
	request(tracker.Get("/nowhere%0a%22"))
	request(tracker.Request{Method: "PUT", Path: "/v1/tasks"})
	request(tracker.Create("{"))
	request(tracker.Get("/v1/tasks").With("Authorization", "none"))
	stop(t, tt)

	for line := range strings.Lines(tt.Stderr()) {
		var record struct {
			Time      time.Time `json:"time"`
			Level     string    `json:"level"`
			Msg       *string   `json:"msg"`
			RequestID string    `json:"request_id"`
		}
		err := json.Unmarshal([]byte(line), &record)
		if err != nil || record.Time.IsZero() || record.Level == "" || record.Msg == nil {
			rule.Broken(t, rule.Case{
				Do:   "tasktracker 2>log.json   # and a few requests",
				Got:  rule.Text(strings.TrimSpace(line)),
				Want: rule.Text("one JSON object a line, with time, level and msg"),
				Why:  "A line that the log store cannot parse is a line that nobody finds.",
			})
		}
		delete(ids, record.RequestID)
	}
	if len(ids) > 0 {
		rule.Broken(t, rule.Case{
			Do:   "curl -H 'X-Request-ID: test-0' ...; grep test-0 log.json",
			Got:  rule.Textf("no line with the request_id %v", keys(ids)),
			Want: rule.Text("at level info, at least one line with request_id for every request"),
			Why:  "The customer has this id, and asks what happened.",
		})
	}
}

func keys(set map[string]bool) []string {
	var all []string
	for key := range set {
		all = append(all, key)
	}
	return all
}
