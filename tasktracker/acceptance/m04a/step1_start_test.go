package m04a_test

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

// start runs the service for developers.
func start(t *testing.T) *tracker.Tracker {
	t.Helper()
	return startWith(t, nil)
}

func startWith(t *testing.T, env tracker.Env) *tracker.Tracker {
	t.Helper()
	all := tracker.Env{"TT_AUTH": "dev"}
	for key, value := range env {
		all[key] = value
	}
	return tracker.Start(t, all)
}

func TestM04a_AddrFileAndReady(t *testing.T) {
	t.Run("port 0", func(t *testing.T) {
		tt := tracker.Start(t, tracker.Env{"TT_AUTH": "dev"}, "serve")
		addr, err := netip.ParseAddrPort(tt.Addrs().HTTP)
		if err != nil || addr.Port() == 0 || tt.Addrs().PID != tt.PID() {
			rule.Broken(t, rule.Case{
				Do:   "TT_AUTH=dev TT_HTTP_ADDR=127.0.0.1:0 TT_ADDR_FILE=addr.json tasktracker serve &\ncat addr.json",
				Got:  rule.Textf("http %q, pid %d", tt.Addrs().HTTP, tt.Addrs().PID),
				Want: rule.Textf(`{"http":"127.0.0.1:<the port that was taken>","pid":%d}`, tt.PID()),
				Why:  "Port 0 is only of use if somebody can learn which port it became.",
			})
		}
		nobody := tt.Anonymous()
		nobody.Want(t, tracker.Get("/healthz"), 200, "A supervisor restarts a process that does not answer here.")
		nobody.Want(t, tracker.Get("/readyz"), 200, "The file says that the service takes requests, so it must be ready.")
	})
	t.Run("a file that is there already", func(t *testing.T) {
		const old = "left by the process before\n"
		path := filepath.Join(t.TempDir(), "addr.json")
		if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
			t.Fatal(err)
		}
		reader, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		startWith(t, tracker.Env{"TT_ADDR_FILE": path})
		if got, err := io.ReadAll(reader); err != nil || string(got) != old {
			rule.Broken(t, rule.Case{
				Do:   "the service replaces TT_ADDR_FILE while somebody has the old file open",
				Got:  string(got),
				Want: rule.Text("the old content: a new file was renamed to this name"),
				Why:  "Who reads a file that is written in place can get half of it.",
			})
		}
	})
	t.Run("a port that is taken", func(t *testing.T) {
		other, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		addr, path := other.Addr().String(), filepath.Join(t.TempDir(), "addr.json")
		tt := tracker.Launch(t, tracker.Env{"TT_AUTH": "dev", "TT_HTTP_ADDR": addr, "TT_ADDR_FILE": path})
		do := "TT_HTTP_ADDR=" + addr + " TT_ADDR_FILE=addr.json tasktracker   # another process listens there"
		if code := tt.Wait(t); code == 0 {
			rule.Broken(t, rule.Case{Do: do, Got: "exit code 0", Want: rule.Text("another exit code"),
				Why: "A supervisor takes 0 for success and does not try again."})
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Text("addr.json exists"), Want: rule.Text("no addr.json"),
				Why: "Whoever waits for the file talks to a service that never listened: listen first, then write."})
		}
	})
}

func TestM04a_DevModeRefusesPublicAddress(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:8080"} {
		t.Run(addr, func(t *testing.T) {
			end := tracker.Refuse(t, tracker.Env{"TT_AUTH": "dev", "TT_HTTP_ADDR": addr})
			if end.Serves || end.Code != 2 {
				got := rule.Textf("exit code %d", end.Code)
				if end.Serves {
					got = "it serves"
				}
				rule.Broken(t, rule.Case{
					Do:   "TT_AUTH=dev TT_HTTP_ADDR=" + addr + " tasktracker",
					Got:  got,
					Want: rule.Text("exit code 2, and a word on stderr that says why"),
					Why:  "With TT_AUTH=dev everybody who reaches this address can be every user.",
				})
			}
		})
	}
}

func TestM04a_SigtermExit0(t *testing.T) {
	for _, signal := range []struct {
		os   os.Signal
		name string
	}{{syscall.SIGTERM, "SIGTERM"}, {os.Interrupt, "SIGINT"}} {
		t.Run(signal.name, func(t *testing.T) {
			tt := start(t)
			tt.Anonymous().Want(t, tracker.Get("/healthz"), 200, "")
			tt.Signal(t, signal.os)
			wantExit0(t, tt, "kill -"+signal.name[3:]+" $pid")
		})
	}
	t.Run("with a request in flight", func(t *testing.T) {
		tt := start(t)
		request, err := tt.Developer("usr_ann").Hold(t.Context(), tracker.Create(`{"title":"in flight"}`))
		if err != nil {
			rule.Broken(t, rule.Case{
				Do:   `curl -H 'Expect: 100-continue' -d '{"title":"in flight"}' .../v1/tasks   # the headers, then a pause`,
				Got:  err,
				Want: rule.Text("100 Continue: the service waits for the body"),
			})
		}
		tt.Signal(t, syscall.SIGTERM)
		answer, err := request.Release()
		if err != nil || answer.Status != 201 {
			rule.Broken(t, rule.Case{
				Do:   "a client has sent half of a request\nkill -TERM $pid\nthe client sends the rest",
				Got:  rule.Textf("status %d, %v", answer.Status, err),
				Want: rule.Text("201 Created"),
				Why:  "Every deploy would cut off those who are just being served.",
			})
		}
		wantExit0(t, tt, "kill -TERM $pid   # with a request in flight, which was answered")
	})
}

func wantExit0(t *testing.T, tt *tracker.Tracker, do string) {
	t.Helper()
	if code := tt.Wait(t); code != 0 {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("exit code %d", code), Want: rule.Text("exit code 0"),
			Why: "Who was told to stop and did has not failed; a supervisor would restart it or raise an alarm."})
	}
}
