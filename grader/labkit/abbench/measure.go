package abbench

import (
	"fmt"
	"runtime"
	"time"
)

const (
	patience  = 2 * time.Second  // for the calls that fill one block, in wall time
	budget    = 15 * time.Second // for all rounds, in wall time
	minRounds = 20               // however long they take
)

// plan is how long to measure. Collections make the time of allocating code
// uneven, so it gets longer blocks and more rounds.
type plan struct {
	block  time.Duration
	rounds int
}

var (
	steady     = plan{block: time.Millisecond, rounds: 100}
	allocating = plan{block: 2 * time.Millisecond, rounds: 300}
)

// Ratios returns baseline time / candidate time for each round of a comparison:
// 100 rounds, or 300 when a side allocates, fewer when a call takes longer than
// some 50 ms. It panics when a side cannot be measured. See [Compare] for what
// the sides may do.
func Ratios(baseline, candidate func()) []float64 {
	ratios, err := newMeter().compare(baseline, candidate)
	if err != nil {
		panic(err)
	}
	return ratios
}

// meter measures with the given clocks.
type meter struct {
	work func() time.Duration // advances with the work that is measured
	wall func() time.Time
}

func newMeter() meter { return meter{work: workTime, wall: time.Now} }

// side is one of the two functions and how often to call it in a block.
type side struct {
	name  string
	f     func()
	calls int
}

func (m meter) compare(baseline, candidate func()) ([]float64, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))

	sides := [2]side{{name: "baseline", f: baseline}, {name: "candidate", f: candidate}}
	p := steady
	for i := range sides {
		if err := m.calibrate(&sides[i]); err != nil {
			return nil, err
		}
		if sides[i].allocates() {
			p = allocating
		}
	}
	for i := range sides {
		sides[i].calls *= int(p.block / steady.block)
	}
	return m.rounds(p.rounds, sides)
}

// rounds measures both sides n times, the baseline first in every other round.
// One more round, the first, warms up.
func (m meter) rounds(n int, sides [2]side) ([]float64, error) {
	start := m.wall()
	ratios := make([]float64, 0, n)
	for round := range n + 1 {
		var perCall [2]float64
		for turn := range sides {
			i := (round + turn) % 2
			d := m.block(sides[i].f, sides[i].calls)
			if d <= 0 {
				return nil, fmt.Errorf("abbench: %d calls of the %s took no time that the clock can show", sides[i].calls, sides[i].name)
			}
			perCall[i] = float64(d) / float64(sides[i].calls)
		}
		if round == 0 {
			continue
		}
		ratios = append(ratios, perCall[0]/perCall[1])
		if len(ratios) >= minRounds && m.wall().Sub(start) > budget {
			break
		}
	}
	return ratios, nil
}

// calibrate finds how many calls fill a block of steady.
func (m meter) calibrate(s *side) error {
	start := m.wall()
	for n := 1; ; n *= 2 {
		d := m.block(s.f, n)
		if d >= steady.block/2 {
			s.calls = max(1, int(float64(n)*float64(steady.block)/float64(d)))
			return nil
		}
		if waited := m.wall().Sub(start); waited > patience {
			return fmt.Errorf("abbench: the %s cannot be measured: in %v it used %v of processor time; does it wait instead of working?",
				s.name, waited.Round(time.Millisecond), d)
		}
	}
}

func (m meter) block(f func(), calls int) time.Duration {
	start := m.work()
	for range calls {
		f()
	}
	return m.work() - start
}

// allocates reports whether one call in ten, or more, allocates.
func (s side) allocates() bool {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range s.calls {
		s.f()
	}
	runtime.ReadMemStats(&after)
	return (after.Mallocs-before.Mallocs)*10 >= uint64(s.calls)
}
