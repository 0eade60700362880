package m04b_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

func TestM04b_BadConfigExit2(t *testing.T) {
	for _, tc := range []struct{ variable, value string }{
		{"TT_HTTP_ADDR", "nonsense"}, {"TT_AUTH", "none"}, {"TT_STORE", "floppy"}, {"TT_TOKEN_TTL", "soon"}, {"TT_TOKEN_TTL", "3600"},
		{"TT_LOGIN_MAX", "many"}, {"TT_LOGIN_WINDOW", "15"}, {"TT_MAX_BODY", "64KB?"}, {"TT_MAX_BODY", "-1"}, {"TT_READ_HEADER_TIMEOUT", "x"},
		{"TT_REQUEST_TIMEOUT", "-1s"}, {"TT_SHUTDOWN_TIMEOUT", "20 s"}, {"TT_LOG_LEVEL", "loud"}, {"TT_LOG_FORMAT", "xml"}, {"TT_SWEEP_INTERVAL", "-1m"},
	} {
		end := tracker.Refuse(t, tracker.Env{tc.variable: tc.value})
		wantExit2(t, end, tc.variable+"="+tc.value+" tasktracker", tc.variable)
	}
	wantExit2(t, tracker.Refuse(t, nil, "destroy"), "tasktracker destroy", "destroy")
	wantExit2(t, tracker.Refuse(t, nil, "serve", "-no-such-flag"), "tasktracker serve -no-such-flag", "no-such-flag")
	wantExit2(t, tracker.Refuse(t, nil, "serve", "-token-ttl", "soon"), "tasktracker serve -token-ttl soon", "token-ttl")

	tt := tracker.Start(t, tracker.Env{"TT_HTTP_ADDR": "192.0.2.1:1"}, "serve", "-http-addr", "127.0.0.1:0")
	tt.Anonymous().Want(t, tracker.Get("/readyz"), 200, "The flag of a variable has its name in kebab case, and wins.")

	missing := filepath.Join(t.TempDir(), "none", "access.log")
	if end := tracker.Refuse(t, tracker.Env{"TT_ACCESS_LOG": missing}); end.Serves || end.Code == 0 {
		rule.Broken(t, rule.Case{Do: "TT_ACCESS_LOG=/no/such/directory/access.log tasktracker", Got: rule.Textf("%+v", end), Want: rule.Text("it does not start"),
			Why: "A log that is not written is missed on the day when it is needed."})
	}
}

func wantExit2(t *testing.T, end tracker.Refusal, do, name string) {
	t.Helper()
	if end.Serves || end.Code != 2 || !strings.Contains(end.Stderr, name) {
		got := rule.Textf("exit code %d, stderr %q", end.Code, end.Stderr)
		if end.Serves {
			got = "it serves"
		}
		rule.Broken(t, rule.Case{Do: do, Got: got, Want: rule.Textf("exit code 2, and %s on stderr", name),
			Why: "A typing mistake in a deployment must not start a service that does something else."})
	}
}
