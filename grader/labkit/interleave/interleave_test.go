package interleave_test

import (
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/labkit/interleave"
)

const rounds, rivals = 300, 16

// desk lets one rival reserve its only seat.
type desk struct {
	mu    sync.Mutex
	taken bool
}

func (d *desk) reserve() bool {
	interleave.Point()
	d.mu.Lock()
	interleave.Point()
	defer d.mu.Unlock()
	if d.taken {
		return false
	}
	d.taken = true
	return true
}

// reserveSplit checks and writes in two lock sections.
func (d *desk) reserveSplit() bool {
	interleave.Point()
	d.mu.Lock()
	interleave.Point()
	taken := d.taken
	interleave.Point()
	d.mu.Unlock()
	interleave.Point()
	if taken {
		return false
	}
	interleave.Point()
	d.mu.Lock()
	interleave.Point()
	d.taken = true
	interleave.Point()
	d.mu.Unlock()
	interleave.Point()
	return true
}

// unfairRounds counts the rounds in which not exactly one rival got the seat.
func unfairRounds(reserve func(*desk) bool) int {
	unfair := 0
	for range rounds {
		var (
			d    desk
			wg   sync.WaitGroup
			wins = make(chan struct{}, rivals)
		)
		for range rivals {
			wg.Go(func() {
				if reserve(&d) {
					wins <- struct{}{}
				}
			})
		}
		wg.Wait()
		if len(wins) != 1 {
			unfair++
		}
	}
	return unfair
}

func TestPoint_ShowsASplitCheckAndSetInMostRounds(t *testing.T) {
	if !interleave.Enabled() {
		t.Logf("%d of %d rounds unfair without points", unfairRounds((*desk).reserveSplit), rounds)
		runWithPoints(t)
		return
	}
	unfair := unfairRounds((*desk).reserveSplit)
	t.Logf("%d of %d rounds unfair with points", unfair, rounds)
	require.Greater(t, unfair, rounds/2)
}

func TestPoint_LeavesCorrectCodeCorrect(t *testing.T) {
	if !interleave.Enabled() {
		runWithPoints(t)
		return
	}
	require.Zero(t, unfairRounds((*desk).reserve))
}

func TestEnabled_FollowsTheVariable(t *testing.T) {
	_, set := os.LookupEnv(interleave.Variable)
	require.Equal(t, set, interleave.Enabled())
}

// runWithPoints runs the calling test in two other processes, with a fixed and
// with a random seed.
func runWithPoints(t *testing.T) {
	t.Helper()
	for _, seed := range []string{"1", "random"} {
		out, err := child(t.Name(), seed).CombinedOutput()
		require.NoError(t, err, "%s", out)
		t.Logf("seed %s\n%s", seed, out)
	}
}

// child prepares a run of one test in a process of its own with the points on.
func child(test, seed string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), interleave.Variable+"="+seed, "GORACE=atexit_sleep_ms=0")
	return cmd
}
