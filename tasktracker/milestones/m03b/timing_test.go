package m03b_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/infra/memory"
	"github.com/middle-go/course/tasktracker/lifecycle"
	"github.com/middle-go/course/tasktracker/sweep"
)

// A sweeper is a service of the lifecycle.
var _ lifecycle.Service = (*sweep.Sweeper)(nil)

// running is a call of Run, in a bubble.
type running struct {
	begin    time.Time
	cancel   context.CancelFunc
	ready    time.Duration // when ready was called; -1: never
	returned chan struct{}
	after    time.Duration
	err      error
}

func start(t *testing.T, s *sweep.Sweeper) *running {
	r := &running{begin: time.Now(), ready: -1, returned: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	r.cancel = cancel
	go func() {
		defer close(r.returned)
		r.err = s.Run(ctx, func() {
			if r.ready < 0 {
				r.ready = time.Since(r.begin)
			}
		})
		r.after = time.Since(r.begin)
	}()
	return r
}

// stop cancels the context of Run and waits for its end.
func (r *running) stop(t *testing.T, do string) {
	t.Helper()
	r.cancel()
	timer := time.NewTimer(24 * time.Hour)
	defer timer.Stop()
	select {
	case <-r.returned:
	case <-timer.C:
		rule.Broken(t, rule.Case{Do: do, Got: rule.Text("Run does not return after its context is done"), Want: rule.Text("Run returns"), Why: "It holds up the stop of the whole program, until it is killed."})
	}
	synctest.Wait()
}

// rounds returns when the first list of each round began.
func (s *store) rounds(begin time.Time) []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var at []time.Duration
	for _, l := range s.lists {
		if d := l.at.Sub(begin); l.name == "Overdue" && (at == nil || d != at[len(at)-1]) {
			at = append(at, d)
		}
	}
	return at
}

func expectRounds(t *testing.T, do string, got []time.Duration, why string, want ...time.Duration) {
	t.Helper()
	if !slices.Equal(got, want) {
		rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("rounds begin at %v", got), Want: rule.Textf("rounds begin at %v", want), Why: why})
	}
}

func TestRun_FirstRunAfterInterval(t *testing.T) {
	for _, tc := range []struct {
		name         string
		every, first time.Duration
	}{
		{"10s", 10 * time.Second, 10 * time.Second},
		{"0", 0, time.Minute},
		{"-1", -1, time.Minute},
	} {
		t.Run("Every is "+tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore(overdue(1)...)
				r := start(t, sweeper(s, &news{}, sweep.Config{Grace: grace, Every: tc.every}))
				time.Sleep(tc.first - 1)
				before := s.rounds(r.begin)
				time.Sleep(2)
				do := "go New(tasks, events, clock, Config{Every: " + tc.name + "}).Run(ctx, ready)"
				r.stop(t, do)
				if r.ready != 0 {
					rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("ready is called after %v", r.ready), Want: rule.Text("ready is called at 0s"), Why: "The API waits for the sweeper to be ready. It needs none of its rounds."})
				}
				const why = "A program that crashes at once and is started again would sweep at each start, just when the store is busiest."
				expectRounds(t, do, before, why)
				expectRounds(t, do, s.rounds(r.begin), why, tc.first)
				expectNil(t, do, r.err, "A stop that was asked for is no error.")
			})
		})
	}
}

func TestRun_TickerDriftBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const every, rounds = 10 * time.Second, 1000
		s := newStore()
		rng := rand.New(rand.NewPCG(6, 1))
		s.listing = func() { time.Sleep(time.Duration(rng.Int64N(int64(every)))) } // shorter than every
		r := start(t, sweeper(s, &news{}, sweep.Config{Every: every}))
		time.Sleep((rounds+1)*every - 1)
		const do = "go sweeper.Run(ctx, ready) // Every is 10s; rounds take 0s to 10s"
		r.stop(t, do)
		got := s.rounds(r.begin)
		const why = "A pause after the work moves every round a little. The job of every night runs at noon after a year."
		for i := range min(len(got), rounds) {
			if want := time.Duration(i+1) * every; got[i] != want {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("round %d begins at %v", i+1, got[i]), Want: rule.Textf("round %d begins at %v", i+1, want), Why: why})
			}
		}
		if len(got) != rounds {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%d rounds in %v", len(got), (rounds+1)*every-1), Want: rule.Textf("%d rounds", rounds), Why: why})
		}
	})
}

func TestRun_NoOverlapWhenSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		var inside, overlaps, rounds atomic.Int64
		s.listing = func() {
			if inside.Add(1) > 1 {
				overlaps.Add(1)
			}
			if rounds.Add(1) <= 2 {
				time.Sleep(25 * time.Second)
			}
			inside.Add(-1)
		}
		r := start(t, sweeper(s, &news{}, sweep.Config{Every: 10 * time.Second}))
		time.Sleep(95 * time.Second)
		const do = "go sweeper.Run(ctx, ready) // Every is 10s; the first 2 rounds take 25s, the others no time"
		r.stop(t, do)
		const why = "The table was locked. Rounds that overlap, or are made up for in a crowd, lock it again."
		if n := overlaps.Load(); n > 0 {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%d rounds begin before another one has ended", n), Want: rule.Text("one round at a time"), Why: why})
		}
		expectRounds(t, do, s.rounds(r.begin), why,
			10*time.Second, 40*time.Second, 70*time.Second, 80*time.Second, 90*time.Second)
	})
}

func TestRun_JitterMovesThePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		s.listing = func() { time.Sleep(2 * time.Second) }
		plan := []time.Duration{7 * time.Second, 0, -time.Second, 12 * time.Second, time.Second, 4 * time.Second}
		var asked []time.Duration
		jitter := func(every time.Duration) time.Duration {
			asked = append(asked, every)
			return append(plan, time.Hour)[min(len(asked), len(plan)+1)-1]
		}
		r := start(t, sweeper(s, &news{}, sweep.Config{Every: 10 * time.Second, Jitter: jitter}))
		time.Sleep(time.Minute)
		do := fmt.Sprintf("go sweeper.Run(ctx, ready) // Every is 10s; rounds take 2s; Jitter returns, one after the other, %v", plan)
		r.stop(t, do)
		// 1s after 39s is past when the round that began at 39s ends.
		expectRounds(t, do, s.rounds(r.begin), "Replicas that were started by one deploy sweep at the same second, for ever, unless each plans for itself.",
			7*time.Second, 17*time.Second, 27*time.Second, 39*time.Second, 44*time.Second)
		for _, every := range asked {
			if every != 10*time.Second {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("Jitter(%v)", every), Want: rule.Text("Jitter(10s)"), Why: "What is random is decided outside, from the interval that was configured."})
			}
		}
	})
}

func TestRun_StopsMidBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := newStore(overdue(5)...), &news{}
		s.changing = func(domain.TaskID) { time.Sleep(time.Second) }
		r := start(t, sweeper(s, n, sweep.Config{Grace: grace, Every: 10 * time.Second}))
		time.Sleep(12*time.Second + 500*time.Millisecond)
		const do = "go sweeper.Run(ctx, ready) // the round begins at 10s, each of 5 tasks takes 1s; ctx is done at 12.5s"
		r.stop(t, do)
		const why = "A stop must not wait for a million tasks, and it must not leave one of them half done."
		if r.after != 13*time.Second || r.err != nil {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("Run returns at %v, error: %v", r.after, r.err), Want: rule.Text("Run returns at 13s, error: <nil>"), Why: why})
		}
		expectIDs(t, do, "expired", s.in(domain.StatusExpired), taskIDs(0, 1, 2), why)
		if len(n.events) != 3 {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%d events", len(n.events)), Want: rule.Text("3 events"), Why: why})
		}
	})
}

func TestRun_ErrorDoesNotKillService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(overdue(2)...)
		begin := time.Now()
		s.listing = func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.down = nil; time.Since(begin) < 25*time.Second {
				s.down = errDisk
			}
		}
		var mu sync.Mutex
		var got []string
		report := func(stats sweep.Stats, err error) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, fmt.Sprintf("%+v, errDisk: %v", stats, errors.Is(err, errDisk)))
		}
		r := start(t, sweeper(s, &news{}, sweep.Config{Grace: grace, Every: 10 * time.Second, Report: report}))
		time.Sleep(45 * time.Second)
		const do = "go sweeper.Run(ctx, ready) // Every is 10s; the store is down until 25s; ctx is done at 45s"
		r.stop(t, do)
		if r.after != 45*time.Second || r.err != nil {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("Run returns at %v, error: %v", r.after, r.err), Want: rule.Text("Run returns at 45s, error: <nil>"), Why: "A store that was down for a minute must not end the cleaning for ever."})
		}
		want := []string{
			"{Expired:0 Purged:0 Failed:1}, errDisk: true",
			"{Expired:0 Purged:0 Failed:1}, errDisk: true",
			"{Expired:2 Purged:0 Failed:0}, errDisk: false",
			"{Expired:0 Purged:0 Failed:0}, errDisk: false",
		}
		if !slices.Equal(got, want) {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Text("Report is told\n" + strings.Join(got, "\n")), Want: rule.Text("Report is told\n" + strings.Join(want, "\n")),
				Why: "A loop that goes on and tells nobody looks healthy for a year.",
			})
		}
	})
}

func TestRun_InLifecycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const do = "err := lifecycle.Run(ctx, []lifecycle.Service{New(repo, events, clock, Config{Every: 10 * time.Second})}) // ctx is done at 15s"
		repo, n := memory.NewTaskRepo(), &news{}
		for _, state := range append(overdue(3), expired(3)...) {
			if state.Status == domain.StatusExpired {
				state.ID = taskID(1000 + int(state.UpdatedAt.Sub(created).Hours()))
			}
			task, err := domain.Restore(state)
			if err != nil {
				t.Fatal("Restore:", err)
			}
			expectNil(t, "err := repo.Insert(ctx, task)", repo.Insert(t.Context(), task), "")
		}
		sw := sweep.New(repo, n, clock{}, sweep.Config{Grace: grace, PurgeAfter: keep, Every: 10 * time.Second})
		if got := sw.Name(); got != "sweeper" {
			rule.Broken(t, rule.Case{Do: "sweeper.Name()", Got: got, Want: "sweeper", Why: "The log calls it so."})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		expectNil(t, do, lifecycle.Run(ctx, []lifecycle.Service{sw}), "")
		var left []domain.Status
		for i := range 3 {
			for _, id := range taskIDs(i, 1000+i) {
				if task, err := repo.Get(t.Context(), owner, id); err == nil {
					left = append(left, task.State().Status)
				}
			}
		}
		if want := []domain.Status{domain.StatusExpired, domain.StatusExpired, domain.StatusExpired}; !slices.Equal(left, want) || len(n.events) != 6 {
			rule.Broken(t, rule.Case{
				Do: "// your repository, with 3 overdue tasks and 3 to purge\n" + do, Got: rule.Textf("%v are left, %d events", left, len(n.events)),
				Want: rule.Textf("%v are left, 6 events", want), Why: "Store, sweeper and lifecycle are made for each other. Here they meet.",
			})
		}
	})
}
