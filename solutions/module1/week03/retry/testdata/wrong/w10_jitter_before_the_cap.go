// Wrong: believes that it does not matter whether jitter or the cap comes first.
// Caught by: TestDo_JitterGetsTheCappedBackoff

// Package retry repeats outgoing calls that failed, with a pause that grows.
package retry

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// Policy says how often and how patiently Do tries. The zero Policy is one
// attempt. Do does not change a Policy, so one value serves many goroutines if
// its functions are safe for concurrent use.
type Policy struct {
	// Attempts is the largest number of calls of op. Less than 1 means 1.
	Attempts int

	// Base is the backoff after the first failed attempt. It doubles with every
	// further one. 0 or less means no backoff.
	Base time.Duration

	// Cap is the longest wait between two attempts. 0 or less means no limit.
	Cap time.Duration

	// Budget limits the time from the start of Do to the start of an attempt.
	// Time spent in op counts. It does not interrupt op. 0 or less means no
	// limit.
	Budget time.Duration

	// Jitter turns the capped backoff into the wait. Do keeps the result
	// between 0 and Cap. It is never called with 0. Nil means no jitter.
	Jitter func(backoff time.Duration) time.Duration

	// Retryable reports whether an error of op is worth another attempt. It is
	// not asked about context.Canceled, which never is. Nil means that all
	// other errors are.
	Retryable func(err error) bool

	// RetryAfter returns the wait that a server asked for in err, if it did.
	// It replaces backoff and jitter, and Do keeps it between 0 and Cap. Nil
	// means that no server asks.
	RetryAfter func(err error) (wait time.Duration, ok bool)
}

// ExhaustedError is returned when Do gives up on errors that were worth another
// attempt.
type ExhaustedError struct {
	Attempts int           // calls of op
	Elapsed  time.Duration // from the start of Do to its return

	// Errs holds the error of every attempt, in order. If the context stopped
	// Do, the reason follows as one more error.
	Errs []error
}

// Error returns "retry: gave up after 3 attempts in 300ms: " and the last error
// of Errs. Without errors the text ends before the colon.
func (e *ExhaustedError) Error() string {
	text := fmt.Sprintf("retry: gave up after %d attempts in %v", e.Attempts, e.Elapsed)
	if len(e.Errs) == 0 {
		return text
	}
	return fmt.Sprintf("%s: %v", text, e.Errs[len(e.Errs)-1])
}

// Unwrap returns Errs, for errors.Is and errors.As.
func (e *ExhaustedError) Unwrap() []error { return e.Errs }

// Do calls op until it succeeds or p gives up, and waits between the calls. It
// passes ctx and the number of the attempt, from 1. It returns nil after a
// success, an error that must not be retried as op returned it, and otherwise
// an *ExhaustedError. It never waits when no attempt can follow. A panic of op
// passes through.
func Do(ctx context.Context, p Policy, op func(ctx context.Context, attempt int) error) error {
	start := time.Now()
	var errs []error
	giveUp := func(why ...error) error {
		return &ExhaustedError{Attempts: len(errs), Elapsed: time.Since(start), Errs: append(errs, why...)}
	}

	for attempt := 1; ctx.Err() == nil; attempt++ {
		err := op(ctx, attempt)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
		if !p.retryable(err) {
			return err
		}
		if attempt >= p.Attempts {
			return giveUp()
		}
		wait := p.wait(attempt, err)
		if deadline, ok := ctx.Deadline(); ok && wait >= time.Until(deadline) {
			return giveUp(context.DeadlineExceeded)
		}
		if p.Budget > 0 && wait >= p.Budget-time.Since(start) {
			return giveUp()
		}
		sleep(ctx, wait)
	}
	return giveUp(reason(ctx))
}

func (p Policy) retryable(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	return p.Retryable == nil || p.Retryable(err)
}

// wait returns the pause after failed attempt n.
func (p Policy) wait(n int, err error) time.Duration {
	if p.RetryAfter != nil {
		if after, ok := p.RetryAfter(err); ok {
			return p.clamp(after)
		}
	}
	backoff := p.backoff(n)
	if p.Jitter != nil && backoff > 0 {
		backoff = p.Jitter(backoff)
	}
	return p.clamp(backoff)
}

// backoff returns Base * 2^(n-1). The shift is tested before it is
// made: a product that overflowed can look like any duration.
func (p Policy) backoff(n int) time.Duration {
	base, shift := max(p.Base, 0), n-1
	if base > math.MaxInt64>>shift {
		return math.MaxInt64
	}
	return base << shift
}

func (p Policy) clamp(d time.Duration) time.Duration {
	if p.Cap > 0 {
		d = min(d, p.Cap)
	}
	return max(d, 0)
}

// sleep waits for d or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// reason returns an error that is both ctx.Err() and its cause. ctx is done.
func reason(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
