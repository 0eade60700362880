package m04a_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/acceptance/model"
	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

func TestM04a_IdempotentCreate(t *testing.T) {
	tt := start(t)
	ann, ben := tt.Developer("usr_ann"), tt.Developer("usr_ben")
	r := tracker.Create(`{"title":"once"}`).With("Idempotency-Key", "order-7")
	const why = "The network lost the first answer, the client asks again, and the customer has two tasks."

	first := ann.Want(t, r, 201, "")
	first.Check(t, first.Header.Get("Idempotency-Replayed") == "", "no Idempotency-Replayed: this is the first time", "")
	ann.Want(t, tracker.Patch(first.Task(t).Path(), "*", `{"title":"changed since"}`), 200, "")
	again := ann.Want(t, r, 201, why)
	again.Check(t, string(again.Body) == string(first.Body) && again.ETag() == first.ETag() && again.Header.Get("Location") == first.Header.Get("Location"),
		"the body, Location and ETag of the first answer, byte by byte", why)
	again.Check(t, again.Header.Get("Idempotency-Replayed") == "true", "Idempotency-Replayed: true", "The client should see that this is old.")
	page := ann.Want(t, tracker.Get("/v1/tasks"), 200, "")
	page.Check(t, len(page.Page(t).Items) == 1, "one task", why)

	ann.Refuse(t, tracker.Create(`{"title":"other"}`).With("Idempotency-Key", "order-7"), 422, "idempotency_mismatch", "Two orders under one key are a bug of the client, and he should hear of it.")
	key := strings.Repeat("~", 64)
	ann.Want(t, tracker.Create(`{"title":"once"}`).With("Idempotency-Key", key), 201, "")
	theirs := ben.Want(t, r, 201, "")
	theirs.Check(t, theirs.Task(t).OwnerID == "usr_ben" && theirs.Task(t).ID != first.Task(t).ID, "a task of Ben: keys belong to a user", "Ben would read a task of Ann.")

	same := tracker.Create(`{"title":"one of fifty"}`).With("Idempotency-Key", "fifty")
	answers := together(t, clients(ann, 50), func(ctx context.Context, c *tracker.Client) (tracker.Answer, error) { return c.Try(ctx, same) })
	for _, answer := range answers {
		answer.Check(t, answer.Status == 201 || answer.Status == 409 && answer.Problem(t).Code == "idempotency_in_flight", "201, or 409 idempotency_in_flight while the first one runs", why)
	}
	page = ann.Want(t, tracker.Get("/v1/tasks?q=fifty"), 200, "")
	page.Check(t, len(page.Page(t).Items) == 1, "one task after 50 equal requests at once", why)
}

func TestM04a_ConcurrentPatchOneWinner(t *testing.T) {
	const writers, rounds = 50, 12
	slow := strings.Repeat(" ", 30_000) // takes a while to parse, in which others come
	ann := startWith(t, tracker.Env{"GOMAXPROCS": "8"}).Developer("usr_ann")
	task := ann.Want(t, tracker.Create(`{"title":"a"}`), 201, "").Task(t)
	for round := range rounds {
		var n int
		var mu sync.Mutex
		answers := together(t, clients(ann, writers), func(ctx context.Context, c *tracker.Client) (tracker.Answer, error) {
			mu.Lock()
			n++
			title := fmt.Sprintf("writer %d of round %d", n, round)
			mu.Unlock()
			return c.Try(ctx, tracker.Patch(task.Path(), task.ETag(), `{"title":"`+title+`"`+slow+`}`))
		})
		var winners []tracker.Answer
		for _, answer := range answers {
			if answer.Status == 200 {
				winners = append(winners, answer)
				continue
			}
			answer.Check(t, answer.Status == 412, "412 for all but the winner", "")
		}
		if len(winners) != 1 {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("%d clients at once:\ncurl -X PATCH .../v1/tasks/%s -H 'If-Match: %s' -d '{\"title\":\"...\"}'", writers, task.ID, task.ETag()),
				Got:  rule.Textf("%d times 200", len(winners)),
				Want: rule.Text("once 200, otherwise 412"),
				Why:  "All but the last of these changes are lost, and their authors were told that they were saved. Check and write have to be one step.",
			})
		}
		got := ann.Want(t, tracker.Get(task.Path()), 200, "")
		got.Check(t, string(got.Body) == string(winners[0].Body), "the task as the winner was told: "+winners[0].Task(t).Title, "")
		task = got.Task(t)
	}
}

func clients(c *tracker.Client, n int) []*tracker.Client {
	all := make([]*tracker.Client, n)
	for i := range all {
		all[i] = c
	}
	return all
}

// together calls do once for each client, all at the same time, and returns the
// answers. A broken contract, or no answer, fails the test.
func together(t *testing.T, clients []*tracker.Client, do func(context.Context, *tracker.Client) (tracker.Answer, error)) []tracker.Answer {
	t.Helper()
	answers, errs := make([]tracker.Answer, len(clients)), make([]error, len(clients))
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i, client := range clients {
		wg.Go(func() {
			<-begin
			answers[i], errs[i] = do(t.Context(), client)
		})
	}
	close(begin)
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			answers[i].Check(t, false, err.Error(), "")
		}
	}
	return answers
}

func TestM04a_RandomRequests(t *testing.T) {
	tt := start(t)
	model.Run(t, []*tracker.Client{tt.Developer("usr_ann"), tt.Developer("usr_ben"), tt.Developer("usr_cid")}, 800)
}
