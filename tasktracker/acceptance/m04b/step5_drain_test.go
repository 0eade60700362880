package m04b_test

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/acceptance/contract"
	"github.com/middle-go/course/tasktracker/acceptance/model"
	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

func TestM04b_DrainUnderLoad(t *testing.T) {
	const held, busy = 100, 100
	tt := tracker.Start(t, nil)
	ada := signUp(t, tt, "ada")

	// Half of the clients are in the middle of a request: the service has their
	// headers and waits for the body.
	requests := make([]*tracker.Held, held)
	for i := range requests {
		h, err := ada.Hold(t.Context(), tracker.Create(fmt.Sprintf(`{"title":"in flight %d"}`, i)))
		if err != nil {
			t.Fatalf("a request with Expect: 100-continue: %v", err)
		}
		requests[i] = h
	}
	// The others send one request after the other, until their connection ends.
	load := newLoad(t, ada.Client, busy)

	tt.Signal(t, syscall.SIGTERM)
	awaitRefusal(tt)
	var broken []string
	for i, h := range requests {
		answer, err := h.Release()
		if err != nil || answer.Status != 201 {
			broken = append(broken, fmt.Sprintf("request in flight %d: status %d, %v", i, answer.Status, err))
		}
	}
	broken = append(broken, load.wait()...)
	if len(broken) > 0 {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("%d clients, half of them in the middle of a request\nkill -TERM $pid", held+busy),
			Got:  rule.Textf("%d broken answers, such as\n%s", len(broken), broken[0]),
			Want: rule.Text("every request whose headers the service has read is answered, and no answer is cut off"),
			Why:  "A deploy happens ten times a day. Each one would show an error to everybody who is just saving something.",
		})
	}
	if code := tt.Wait(t); code != 0 {
		rule.Broken(t, rule.Case{Do: "kill -TERM $pid", Got: rule.Textf("exit code %d", code), Want: rule.Text("exit code 0"),
			Why: "Everything was answered in time."})
	}
}

// awaitRefusal returns when the service takes no new connections. One that still
// does after a while may do so: it has time until the requests are answered.
func awaitRefusal(tt *tracker.Tracker) {
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for giveUp := time.After(2 * time.Second); ; {
		conn, err := net.DialTimeout("tcp", tt.Addrs().HTTP, time.Second)
		if err != nil {
			return
		}
		conn.Close()
		select {
		case <-tt.Exited():
			return
		case <-giveUp:
			return
		case <-look.C:
		}
	}
}

// load is a number of clients that send requests without a pause.
type load struct {
	wg     sync.WaitGroup
	mu     sync.Mutex
	broken []string
}

// newLoad returns when every client has had its first answer.
func newLoad(t *testing.T, c *tracker.Client, clients int) *load {
	t.Helper()
	l := &load{}
	var first sync.WaitGroup
	first.Add(clients)
	for range clients {
		l.wg.Go(func() {
			conn, err := c.Connect(t.Context())
			if err != nil {
				l.add("connect: " + err.Error())
				first.Done()
				return
			}
			defer conn.Close()
			for n := 0; ; n++ {
				answer, err := conn.Do(tracker.Get("/v1/tasks?limit=10"))
				if n == 0 {
					first.Done()
				}
				if l.end(answer, err, n) {
					return
				}
			}
		})
	}
	first.Wait()
	return l
}

// end reports whether a client has to stop, and notes a broken answer. A
// connection that is closed between two requests is none: no byte of an answer
// has come, and the client may send the request again elsewhere.
func (l *load) end(answer tracker.Answer, err error, n int) bool {
	_, violation := errors.AsType[*contract.Violation](err)
	switch {
	case errors.Is(err, tracker.ErrClosedBefore) && n > 0:
		return true
	case err != nil && !violation:
		l.add(fmt.Sprintf("answer %d on a connection: %v", n+1, err))
		return true
	case violation, answer.Status != 200 && answer.Status != 503:
		l.add(fmt.Sprintf("answer %d on a connection: status %d, %v", n+1, answer.Status, err))
		return true
	}
	return answer.Status != 200 || answer.Header.Get("Connection") == "close"
}

func (l *load) add(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = append(l.broken, what)
}

func (l *load) wait() []string {
	l.wg.Wait()
	return l.broken
}

func TestM04b_RandomRequests(t *testing.T) {
	tt := tracker.Start(t, nil)
	var users []*tracker.Client
	for _, name := range []string{"ann", "ben", "cid"} {
		users = append(users, signUp(t, tt, name).Client)
	}
	model.Run(t, users, 500)
}
