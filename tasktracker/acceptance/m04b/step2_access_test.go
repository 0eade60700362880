package m04b_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

func TestM04b_ForeignTaskIs404Everywhere(t *testing.T) {
	tt := tracker.Start(t, nil)
	ada, eve := signUp(t, tt, "ada"), signUp(t, tt, "eve")
	created := ada.Want(t, tracker.Create(`{"title":"secret plan","labels":["plan"]}`).With("Idempotency-Key", "k"), 201, "")
	task := created.Task(t)
	ada.Want(t, tracker.Create(`{"title":"another plan","labels":["plan"]}`), 201, "")
	const why = "Any other answer tells Eve that the task exists, or lets her at it."
	const none = "/v1/tasks/tsk_00000000000000000000000000"

	requests := map[string]func(path string) tracker.Request{
		"GET":               tracker.Get,
		"GET If-None-Match": func(p string) tracker.Request { return tracker.Get(p).With("If-None-Match", created.ETag()) },
		"HEAD":              tracker.Head,
		"PATCH":             func(p string) tracker.Request { return tracker.Patch(p, created.ETag(), `{"title":"mine"}`) },
		"PATCH *":           func(p string) tracker.Request { return tracker.Patch(p, "*", `{"title":"mine"}`) },
		"PATCH old version": func(p string) tracker.Request { return tracker.Patch(p, `"v99"`, `{"title":"mine"}`) },
		"DELETE":            tracker.Delete,
		"DELETE If-Match":   func(p string) tracker.Request { return tracker.Delete(p).With("If-Match", created.ETag()) },
		"transition":        func(p string) tracker.Request { return tracker.Post(p+"/transitions", `{"to":"cancelled"}`) },
		"bad transition":    func(p string) tracker.Request { return tracker.Post(p+"/transitions", `{"to":"done"}`) },
	}
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		t.Run(name, func(t *testing.T) {
			request := requests[name]
			missing := eve.Refuse(t, request(none), 404, "not_found", "")
			foreign := eve.Refuse(t, request(task.Path()), 404, "not_found", why)
			foreign.Check(t, sameBut(foreign, missing), "the same answer as for a task that never was:\n"+string(missing.Body), why)
		})
	}
	for _, query := range []string{"", "?label=plan", "?q=secret", "?limit=1", "?assignee=" + ada.ID} {
		page := eve.Want(t, tracker.Get("/v1/tasks"+query), 200, "")
		page.Check(t, len(page.Page(t).Items) == 0 && page.Page(t).NextCursor == nil, "no items", "A list is a route like others.")
	}
	cursor := ada.Want(t, tracker.Get("/v1/tasks?limit=1"), 200, "").Page(t).NextCursor
	if cursor == nil {
		t.Fatal("want a second page of two tasks with limit=1")
	}
	stolen, err := eve.Try(t.Context(), tracker.Get("/v1/tasks?limit=1&cursor="+*cursor))
	stolen.Check(t, err == nil && (stolen.Status == 400 || stolen.Status == 200 && len(stolen.Page(t).Items) == 0),
		"400 invalid_cursor, or nothing on the page", "A cursor must not be a key to somebody else's list.")

	for _, body := range []string{`{"title":"a","owner_id":"` + ada.ID + `"}`, `{"title":"a","id":"` + task.ID + `"}`} {
		eve.Refuse(t, tracker.Create(body).Bad(), 422, "validation_failed", "The owner is the user of the token, whatever the body says.")
	}
	theirs := eve.Want(t, tracker.Create(`{"title":"secret plan","labels":["plan"]}`).With("Idempotency-Key", "k"), 201, "")
	theirs.Check(t, theirs.Task(t).OwnerID == eve.ID && theirs.Header.Get("Idempotency-Replayed") == "", "a task of Eve", "A key belongs to its user.")
	eve.Want(t, tracker.Patch(theirs.Task(t).Path(), "*", `{"assignee_id":"`+ada.ID+`"}`), 200, "")

	got := ada.Want(t, tracker.Get(task.Path()), 200, "")
	got.Check(t, string(got.Body) == string(created.Body), "the task as it was", "Eve was told that she could not, and could.")
	all := ada.Want(t, tracker.Get("/v1/tasks"), 200, "")
	all.Check(t, len(all.Page(t).Items) == 2, "two tasks", "")
}

// guessers are the addresses that attempts to log in come from. A service may
// count attempts by address too, so each part of the test has its own.
type guessers struct {
	tt   *tracker.Tracker
	last int
}

// next returns a client at an address that nobody has used. Only Linux has more
// than one local address; elsewhere ok is false.
func (g *guessers) next(t *testing.T) (c *tracker.Client, ok bool) {
	t.Helper()
	g.last++
	c = g.tt.From("127.0.0." + strconv.Itoa(g.last))
	_, err := c.Try(t.Context(), tracker.Get("/healthz"))
	return c, err == nil
}

func TestM04b_LoginThrottle429(t *testing.T) {
	tt := tracker.Start(t, tracker.Env{"TT_LOGIN_MAX": "3", "TT_LOGIN_WINDOW": "1h"})
	from := &guessers{tt: tt, last: 1}
	ada := signUp(t, tt, "ada")
	guess := func(c *tracker.Client, email string, n int) {
		t.Helper()
		for range n {
			c.Refuse(t, credentials(email, "guess"), 401, "bad_credentials", "TT_LOGIN_MAX=3 attempts with a wrong password are free.")
		}
	}
	locked := func(c *tracker.Client, email, password string) {
		t.Helper()
		answer := c.Refuse(t, credentials(email, password), 429, "login_throttled", "Who may try without an end finds the password.")
		seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
		answer.Check(t, err == nil && seconds >= 1 && seconds <= 3600, "Retry-After between 1 and 3600 seconds", "")
	}
	first, many := from.next(t)
	if !many {
		first = tt.Anonymous()
	}
	guess(first, ada.Email, 3)
	locked(first, ada.Email, "guess")
	locked(first, ada.Email, password)
	locked(first, " ADA@Example.org", password)
	ada.Want(t, tracker.Get("/v1/me"), 200, "A stranger who guesses must not end the sessions of the owner.")
	if !many {
		return // the parts that follow need an address each
	}

	second, _ := from.next(t)
	locked(second, ada.Email, password)

	third, _ := from.next(t)
	register(t, tt.Anonymous(), "ben@example.org", password)
	guess(third, "ben@example.org", 2)
	logIn(t, third, "ben@example.org", password)
	fourth, _ := from.next(t)
	guess(fourth, "Ben@example.org", 2)
	logIn(t, fourth, "ben@example.org", password)

	fifth, _ := from.next(t)
	guess(fifth, "nobody@example.org", 3)
	locked(fifth, "nobody@example.org", password)

	sixth, _ := from.next(t)
	atOnce(t, sixth)
}

// atOnce sends many guesses for one account at the same time.
func atOnce(t *testing.T, c *tracker.Client) {
	const guesses = 12
	answers := make([]tracker.Answer, guesses)
	var wg sync.WaitGroup
	for i := range guesses {
		wg.Go(func() {
			answers[i], _ = c.Try(context.WithoutCancel(t.Context()), credentials("crowd@example.org", "guess"))
		})
	}
	wg.Wait()
	times := map[int]int{}
	for _, answer := range answers {
		times[answer.Status]++
	}
	if times[401] != 3 || times[429] != guesses-3 {
		rule.Broken(t, rule.Case{
			Do:   "12 clients at once:\n" + answers[0].Curl(),
			Got:  rule.Textf("%d times 401, %d times 429 (by status: %v)", times[401], times[429], times),
			Want: rule.Text("3 times 401, 9 times 429"),
			Why:  "An attempt that counts only after its password was checked lets all attempts in that come at once.",
		})
	}
}

func TestM04b_LoginThrottleEnds(t *testing.T) {
	const window = time.Second
	tt := tracker.Start(t, tracker.Env{"TT_LOGIN_MAX": "1", "TT_LOGIN_WINDOW": window.String()})
	register(t, tt.Anonymous(), "ada@example.org", password)
	tt.Anonymous().Refuse(t, credentials("ada@example.org", "guess"), 401, "bad_credentials", "")
	over := time.Now().Add(2 * window) // one is enough, and a service may count in windows of the clock
	poll := time.NewTicker(window + window/10)
	defer poll.Stop()
	for ; ; <-poll.C {
		sent := time.Now()
		answer, err := tt.Anonymous().Try(t.Context(), credentials("ada@example.org", password))
		answer.Check(t, err == nil && (answer.Status == 201 || answer.Status == 429), "201, or 429 within TT_LOGIN_WINDOW="+window.String(), "")
		if answer.Status == 201 {
			return
		}
		answer.Check(t, sent.Before(over), "201 once TT_LOGIN_WINDOW="+window.String()+" is over", "The owner would be locked out for ever.")
	}
}
