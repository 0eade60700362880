// Package model sends random requests to the service, and knows what it has to
// answer: it keeps the tasks of each user in a map.
package model

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

// EnvSeed is the variable with the seed of the random requests, a number. The
// default is 1, so that a failure shows again.
const EnvSeed = "TRACKER_SEED"

// Run sends random requests of some users and fails t at the first answer that
// is not the one of the model. The users have no tasks at the beginning.
func Run(t *testing.T, users []*tracker.Client, steps int) {
	t.Helper()
	m := &model{t: t, rnd: random(t)}
	for _, client := range users {
		m.users = append(m.users, &user{Client: client, tasks: map[string]tracker.Task{}})
	}
	for range steps {
		m.step()
	}
	for _, u := range m.users {
		m.list(u, query{})
	}
}

func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(1)
	if text := os.Getenv(EnvSeed); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s=%q is not a number", EnvSeed, text)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the seed was %d; %s sets another one", seed, EnvSeed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

type model struct {
	t     *testing.T
	rnd   *rand.Rand
	users []*user
}

// user is a user and what he has.
type user struct {
	*tracker.Client
	ids   []string // of his tasks, in the order of their creation
	tasks map[string]tracker.Task
	gone  []string // ids that he has deleted
}

func (m *model) step() {
	u := pick(m, m.users)
	if len(u.ids) == 0 {
		m.create(u)
		return
	}
	switch n := m.rnd.IntN(100); {
	case n < 22:
		m.create(u)
	case n < 46:
		m.patch(u, m.some(u))
	case n < 64:
		m.move(u, m.some(u))
	case n < 70:
		m.get(u, m.some(u))
	case n < 77:
		m.delete(u, m.some(u))
	case n < 83:
		m.miss(u)
	default:
		m.list(u, m.query())
	}
}

func (m *model) some(u *user) tracker.Task { return u.tasks[pick(m, u.ids)] }

// miss asks for a task that the user does not have.
func (m *model) miss(u *user) {
	const why = "A task that is deleted, or that belongs to somebody else, does not exist."
	path := "/v1/tasks/tsk_00000000000000000000000000"
	other := pick(m, m.users)
	switch {
	case other != u && len(other.ids) > 0:
		path = m.some(other).Path()
	case len(u.gone) > 0:
		path = "/v1/tasks/" + pick(m, u.gone)
	}
	requests := []tracker.Request{
		tracker.Get(path), tracker.Delete(path), tracker.Patch(path, "*", `{"title":"stolen"}`),
		tracker.Post(path+"/transitions", `{"to":"cancelled"}`),
	}
	u.Refuse(m.t, pick(m, requests), 404, "not_found", why)
}

func pick[T any](m *model, from []T) T { return from[m.rnd.IntN(len(from))] }

// maybe returns a value in half of all cases.
func maybe[T any](m *model, from []T) (value T, ok bool) {
	if m.rnd.IntN(2) == 0 {
		return value, false
	}
	return pick(m, from), true
}

func words(format string, a ...any) string { return fmt.Sprintf(format, a...) }
