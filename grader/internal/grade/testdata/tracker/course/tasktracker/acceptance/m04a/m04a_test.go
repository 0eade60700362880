package m04a_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/middle-go/course/grader/labkit/proc"
	"github.com/middle-go/course/tasktracker/acceptance/client"
)

func start(t *testing.T) *proc.Process {
	t.Helper()
	return proc.Start(t, proc.Program(t, "./cmd/tasktracker", "../.."), proc.Options{})
}

func TestM04a_Counts(t *testing.T) {
	p := start(t)
	for _, want := range []string{"1", "2", "3"} {
		if got := client.Post(t, "http://"+p.Addrs().HTTP+"/count"); got != want {
			t.Fatalf("POST /count\n  got: %q\n want: %q", got, want)
		}
	}
}

func TestM04a_CountsForEverybody(t *testing.T) {
	p := start(t)
	done := make(chan struct{})
	for range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 25 {
				res, err := http.Post("http://"+p.Addrs().HTTP+"/count", "", nil)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		}()
	}
	for range 4 {
		<-done
	}
	if got := client.Post(t, "http://"+p.Addrs().HTTP+"/count"); !strings.HasPrefix(got, "101") {
		t.Errorf("after 100 calls: got %q, want 101", got)
	}
}

func TestM04a_SigtermExitsWithZero(t *testing.T) {
	p := start(t)
	if code := p.Stop(t); code != 0 {
		t.Errorf("SIGTERM: got exit code %d, want 0", code)
	}
}
