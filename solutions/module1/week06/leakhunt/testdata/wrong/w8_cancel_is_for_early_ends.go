// Wrong: believes that a context that was not needed need not be cancelled.
// Caught by: TestCheck_NoGoroutineLeft/context_of_another_package

// Package leakhunt checks whether links still work, once or every few minutes.
package leakhunt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxDrain is how much of a body is read to get its connection back. To dial
// again is cheaper than to read more.
const maxDrain = 256 << 10

// ErrClosed is returned by Check when its Checker is closed.
var ErrClosed = errors.New("leakhunt: checker is closed")

// StatusError is the error of a link that was answered with a status of 400 or
// above.
type StatusError int

// Error returns the status in words.
func (s StatusError) Error() string {
	return fmt.Sprintf("status %d %s", int(s), http.StatusText(int(s)))
}

// Checker checks links. Make one with NewChecker. It is safe for concurrent
// use.
type Checker struct {
	hc    *http.Client
	every time.Duration

	closing context.Context // done when Close is called
	stop    context.CancelFunc

	mu      sync.Mutex // held to add to watches, and to end that
	watches sync.WaitGroup
}

// NewChecker returns a Checker that gets links with hc, and watches them with a
// round every so often; every is positive. hc belongs to the caller: it says
// how long one link may take and which connections are kept, and the Checker
// does not change it.
func NewChecker(hc *http.Client, every time.Duration) *Checker {
	closing, stop := context.WithCancel(context.Background())
	return &Checker{hc: hc, every: every, closing: closing, stop: stop}
}

// Check gets all urls at the same time and returns what is wrong with each of
// them: nil, a StatusError, or the error of the client. The urls are all
// different.
//
// If ctx is done or the Checker is closed before every link has its answer,
// Check returns at once, with the answers so far and the error of ctx or
// ErrClosed. Links without an answer are then missing.
func (c *Checker) Check(ctx context.Context, urls []string) (map[string]error, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	if ctx.Err() != nil || c.closing.Err() != nil {
		return nil, c.reason(ctx)
	}

	type result struct {
		url string
		err error
	}
	results := make(chan result, len(urls)) // room for all: no sender depends on a receiver
	for _, url := range urls {
		go func() { results <- result{url, get(ctx, c.hc, url)} }()
	}

	found := make(map[string]error, len(urls))
	for range urls {
		select {
		case r := <-results:
			if r.err != nil && ctx.Err() != nil {
				return found, c.reason(ctx) // cut off, not answered
			}
			found[r.url] = r.err
		case <-ctx.Done():
			return found, c.reason(ctx)
		}
	}
	return found, nil
}

// bound returns a context that is done when ctx is, when the Checker is closed,
// or when the function that comes with it is called. It must be called.
func (c *Checker) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	forget := context.AfterFunc(c.closing, cancel)
	return ctx, func() { forget() }
}

// get returns what is wrong with url.
func get(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	// The answer is known; an error in the rest of the body does not change it.
	io.CopyN(io.Discard, resp.Body, maxDrain)
	if resp.StatusCode >= http.StatusBadRequest {
		return StatusError(resp.StatusCode)
	}
	return nil
}

// reason returns why a Check with ctx has ended early.
func (c *Checker) reason(ctx context.Context) error {
	if c.closing.Err() != nil {
		return ErrClosed
	}
	return ctx.Err()
}

// Change is a link that stopped working, or works again.
type Change struct {
	URL     string
	Was, Is error // one of them is nil
}

// Watch checks urls now and then again and again, and sends what has changed
// since the round before. Before the first round every link counts as working.
// The changes of a round come in the order of urls. A round begins when all
// changes of the one before have been received; rounds that are late are
// skipped.
//
// The channel is closed when ctx is done or the Checker is closed, also if
// nobody receives.
func (c *Checker) Watch(ctx context.Context, urls []string) <-chan Change {
	changes := make(chan Change)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing.Err() != nil {
		close(changes)
		return changes
	}
	c.watches.Go(func() {
		defer close(changes)
		c.watch(ctx, urls, changes)
	})
	return changes
}

func (c *Checker) watch(ctx context.Context, urls []string, changes chan<- Change) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	ticker := time.NewTicker(c.every)
	defer ticker.Stop()
	var was map[string]error
	for {
		is, err := c.Check(ctx, urls)
		if err != nil {
			return
		}
		for _, url := range urls {
			if (was[url] == nil) == (is[url] == nil) {
				continue
			}
			select {
			case changes <- Change{URL: url, Was: was[url], Is: is[url]}:
			case <-ctx.Done():
				return
			}
		}
		was = is
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// Close ends every Check and every Watch, and returns when all channels of
// Watch are closed. The error is always nil. Close may be called more than
// once.
func (c *Checker) Close() error {
	c.mu.Lock()
	c.stop()
	c.mu.Unlock()
	c.watches.Wait()
	return nil
}
