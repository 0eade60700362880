//course:since m04a

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// logBuffer is what the service has said so far.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestRun_WrongConfigurationIsExitCode2(t *testing.T) {
	for name, tc := range map[string]struct {
		args, environ []string
		say           string
	}{
		"command":       {args: []string{"srve"}, say: "srve"},
		"argument":      {args: []string{"serve", "now"}, say: "now"},
		"flag":          {args: []string{"-no-such-flag"}, say: "no-such-flag"},
		"variable":      {environ: []string{"TT_MAX_BODY=big"}, say: "TT_MAX_BODY"},
		"dev in public": {environ: []string{"TT_AUTH=dev", "TT_HTTP_ADDR=0.0.0.0:0"}, say: "TT_AUTH"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr logBuffer
			if code := run(t.Context(), tc.args, tc.environ, &stderr, &stderr); code != exitUsage || !strings.Contains(stderr.String(), tc.say) {
				t.Errorf("exit code %d, stderr:\n%s", code, stderr.String())
			}
		})
	}
}

func TestRun_PortInUseIsExitCode1(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var stderr logBuffer
	code := run(t.Context(), nil, []string{"TT_STORE=memory", "TT_HTTP_ADDR=" + l.Addr().String()}, &stderr, &stderr)
	if code != exitFailed || !strings.Contains(stderr.String(), "TT_HTTP_ADDR") {
		t.Errorf("exit code %d, stderr:\n%s", code, stderr.String())
	}
}

func TestRun_ServesUntilItIsToldToStop(t *testing.T) {
	dir := t.TempDir()
	addrFile := filepath.Join(dir, "addr")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stderr logBuffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"serve"}, []string{
			"TT_STORE=memory", "TT_HTTP_ADDR=127.0.0.1:0", "TT_ADDR_FILE=" + addrFile,
			"TT_ACCESS_LOG=" + filepath.Join(dir, "access.log"), "TT_LOG_FORMAT=text", "TT_NO_SUCH=1",
		}, &stderr, &stderr)
	}()

	addr := waitForAddr(t, addrFile, code, &stderr)
	resp, err := http.Get("http://" + addr + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("GET /readyz = %s", resp.Status)
	}

	cancel()
	if got := <-code; got != exitOK {
		t.Errorf("exit code %d, stderr:\n%s", got, stderr.String())
	}
	access, err := os.ReadFile(filepath.Join(dir, "access.log"))
	if err != nil || !bytes.Contains(access, []byte(`"GET /readyz HTTP/1.1" 200`)) {
		t.Errorf("access log = %q, %v", access, err)
	}
	if !strings.Contains(stderr.String(), "TT_NO_SUCH") {
		t.Errorf("a variable that means nothing is not in the log:\n%s", stderr.String())
	}
}

// waitForAddr returns the address that the service has written when it accepts
// connections.
func waitForAddr(t *testing.T, file string, code <-chan int, stderr *logBuffer) string {
	t.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case got := <-code:
			t.Fatalf("the service has ended with %d:\n%s", got, stderr.String())
		case <-poll.C:
		}
		content, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		var addrs struct{ HTTP string }
		if err := json.Unmarshal(content, &addrs); err != nil {
			t.Fatal(err)
		}
		return addrs.HTTP
	}
}
