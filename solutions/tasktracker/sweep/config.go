//course:since m03b

package sweep

import "time"

// Config says what a [Sweeper] does, and when. The zero Config is of use: a
// round every minute, no grace, and nothing is ever purged.
type Config struct {
	Every      time.Duration // between the begins of two rounds; 0 or less: a minute
	Grace      time.Duration // how long after its due time a task may still be worked on; less than 0: 0
	PurgeAfter time.Duration // how long an expired task is kept after its last change; 0 or less: for ever
	Batch      int           // how many tasks a page has; 0 or less: 100

	// Jitter returns the time between two rounds, given Every, so that several
	// processes do not sweep at the same moment. What is 0 or less counts as
	// Every. Nil: always Every.
	Jitter func(every time.Duration) time.Duration

	// Report is told how every round of [Sweeper.Run] went, by the goroutine of
	// Run. Nil: nobody is told.
	Report func(Stats, error)
}

const (
	defaultEvery = time.Minute
	defaultBatch = 100
)

func (c Config) withDefaults() Config {
	if c.Every <= 0 {
		c.Every = defaultEvery
	}
	if c.Batch <= 0 {
		c.Batch = defaultBatch
	}
	c.Grace = max(c.Grace, 0)
	if c.Jitter == nil {
		c.Jitter = func(every time.Duration) time.Duration { return every }
	}
	if c.Report == nil {
		c.Report = func(Stats, error) {}
	}
	return c
}
