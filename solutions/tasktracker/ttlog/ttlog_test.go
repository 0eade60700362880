//course:since m01b

package ttlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/middle-go/course/tasktracker/accesslog"
	"github.com/middle-go/course/tasktracker/ttlog"
)

func request(path string, status int) string {
	e := accesslog.Entry{
		Time:   time.Date(2026, time.November, 23, 7, 15, 2, 0, time.UTC),
		Method: "GET", Target: path, Proto: "HTTP/1.1", Status: status, Bytes: 10,
	}
	return string(e.Append(nil))
}

func TestRun_Text(t *testing.T) {
	log := request("/b", 200) + request("/a\n", 404) + request("/b?x", 700)
	var stdout, stderr bytes.Buffer
	code := ttlog.Run(nil, strings.NewReader(log), &stdout, &stderr)
	const want = "requests 3, bad 0, bytes 30\n1xx 0, 2xx 1, 3xx 0, 4xx 1, 5xx 0, other 1\np50 0s, p99 0s\n2\t\"/b\"\n1\t\"/a\\n\"\n"
	if code != 0 || stdout.String() != want || stderr.Len() > 0 {
		t.Errorf("got %d\n%s%s", code, &stdout, &stderr)
	}
}

func TestRun_JSON(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := ttlog.Run([]string{"-json", "-top", "1"}, strings.NewReader(request("/b", 200)+request("/a", 500)), &stdout, &stderr)
	const want = `{"requests":2,"bad":0,"bytes":20,"classes":[0,0,1,0,0,1],"p50_ns":0,"p99_ns":0,"top":[{"path":"/a","n":1,"err":0}]}` + "\n"
	if code != 0 || stdout.String() != want {
		t.Errorf("got %d, %s%s", code, &stdout, &stderr)
	}
}

func TestRun_ExitCodes(t *testing.T) {
	good := request("/", 200)
	name := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(name, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		stdin string
		args  []string
		want  int
	}{
		{good, nil, 0},
		{"", []string{name}, 0},
		{good, []string{"-help"}, 0},
		{good, []string{name + ".gz", "-"}, 1},
		{good, []string{"-top", "0"}, 2},
		{good + "half a line", nil, 3},
		{strings.Repeat("x", 100_000) + "\n" + good, nil, 3},
	} {
		var stdout, stderr bytes.Buffer
		if code := ttlog.Run(tc.args, strings.NewReader(tc.stdin), &stdout, &stderr); code != tc.want {
			t.Errorf("%q: got %d, want %d, %s", tc.args, code, tc.want, &stderr)
		}
	}

	var stdout, stderr bytes.Buffer
	if code := ttlog.Run(nil, iotest.ErrReader(errors.New("no disk")), &stdout, &stderr); code != 1 || !strings.Contains(stderr.String(), "no disk") {
		t.Errorf("a read error: got %d, %s", code, &stderr)
	}
}

func TestRun_BoundsOfManyPaths(t *testing.T) {
	var log strings.Builder
	for i := range 3000 {
		log.WriteString(request(fmt.Sprintf("/%d", i), 200) + request("/often", 200))
	}
	var stdout, stderr bytes.Buffer
	ttlog.Run([]string{"-top", "2"}, strings.NewReader(log.String()), &stdout, &stderr)
	if lines := strings.Split(stdout.String(), "\n"); lines[3] != "3000\t\"/often\"" || !strings.HasPrefix(lines[4], "1..") {
		t.Errorf("got\n%s", &stdout)
	}
}
