package m04b_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

// ledger is what the suite has sent, to be compared with the access log. It is
// safe for concurrent use.
type ledger struct {
	mu    sync.Mutex
	sent  map[string]entry // by request id
	agent string
}

// send sends a request and notes what its line has to say.
func (l *ledger) send(ctx context.Context, c *tracker.Client, r tracker.Request) {
	l.mu.Lock()
	id := fmt.Sprintf("ttlog-%d", len(l.sent))
	l.sent[id] = entry{}
	l.mu.Unlock()
	answer, _ := c.Try(ctx, r.With("X-Request-ID", id).With("User-Agent", l.agent).Bad())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent[id] = entry{
		Host: "127.0.0.1", Method: r.Method, Target: r.Path, Proto: "HTTP/1.1",
		Status: answer.Status, Bytes: int64(len(answer.Body)), UserAgent: l.agent, RequestID: id,
	}
}

func TestM04b_AccessLogFeedsTTLog(t *testing.T) {
	access := filepath.Join(t.TempDir(), "access.log")
	tt := tracker.Start(t, tracker.Env{"TT_ACCESS_LOG": access, "TT_MAX_BODY": "1KiB", "GOMAXPROCS": "8"})
	begun := time.Now().Truncate(time.Second)
	ada := signUp(t, tt, "ada")
	task := ada.Want(t, tracker.Create(`{"title":"a"}`), 201, "").Task(t)

	l := &ledger{sent: map[string]entry{}, agent: `tt-cli/1 "quoted" back\slash ` + "\xfc"}
	for _, r := range []tracker.Request{
		tracker.Get(task.Path()), tracker.Head(task.Path()), tracker.Get("/v1/tasks?q=%22x%22&limit=5"), tracker.Create(`{"title":"b"}`),
		tracker.Get(task.Path()).With("If-None-Match", "*"), tracker.Patch(task.Path(), "", `{}`), tracker.Create("{"),
		tracker.Create(strings.Repeat(" ", 2000)), tracker.Request{Method: "PUT", Path: "/v1/tasks"}, tracker.Get("/v1/none/%0a%1b[2J"),
		tracker.Get("/v1/tasks").With("Accept", "text/html"), tracker.Get("/v1/tasks").With("Authorization", "Basic x"), tracker.Delete(task.Path()), tracker.Delete(task.Path()),
	} {
		l.send(t.Context(), ada.Client, r)
	}
	l.agent = strings.Repeat("many words of many clients ", 20) + "at once"
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 20 {
				l.send(t.Context(), ada.Client, tracker.Get("/v1/tasks?limit=3"))
			}
		})
	}
	wg.Wait()
	stop(t, tt)

	var lines int
	classes, wantClasses := map[int]int{}, map[int]int{}
	for _, sent := range l.sent {
		wantClasses[sent.Status/100]++
	}
	for text := range strings.Lines(read(t, access)) {
		e, err := parseLine(strings.TrimSuffix(text, "\n"))
		if err != nil {
			brokenLine(t, text, rule.Textf("a line of the dialect TaskTracker: %v", err))
		}
		want, ours := l.sent[e.RequestID]
		if !ours {
			continue // a request without an id of ours, such as the registration
		}
		lines++
		classes[e.Status/100]++
		if e.Time.Before(begun) || e.Time.After(time.Now()) {
			brokenLine(t, text, rule.Text("the time of the request"))
		}
		e.Time = want.Time
		if e != want {
			brokenLine(t, text, rule.Textf("%+v", want))
		}
	}
	if lines != len(l.sent) || fmt.Sprint(classes) != fmt.Sprint(wantClasses) {
		rule.Broken(t, rule.Case{
			Do:   "send requests, stop the service, ttlog access.log",
			Got:  rule.Textf("%d lines, by class %v", lines, classes),
			Want: rule.Textf("%d lines, by class %v: one for each request, refused ones too", len(l.sent), wantClasses),
			Why:  "An error rate of a log that leaves out requests is wrong, and nobody can tell by how much.",
		})
	}
}

func brokenLine(t *testing.T, line string, want rule.Text) {
	t.Helper()
	rule.Broken(t, rule.Case{Do: "cat access.log", Got: rule.Text(strings.TrimSpace(line)), Want: want,
		Why: "ttlog of m01b reads this file, and counts what it finds."})
}
