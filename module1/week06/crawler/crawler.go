// Package crawler fetches the pages that can be reached from some seeds, each
// once, with a fixed number of workers.
package crawler

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Attempts is how often a page that answers 503 is asked for.
const Attempts = 3

// RetryDelay is the time between the end of a 503 and the next attempt.
const RetryDelay = time.Second

// ErrBodyTooLarge reports an HTML page of more than Config.MaxBody bytes.
var ErrBodyTooLarge = errors.New("crawler: body too large")

// Why a URL was skipped: the keys of Report.Skipped.
const (
	SkipScheme    = "scheme"    // not http or https, or without a host
	SkipOffsite   = "offsite"   // SameHostOnly is set and no seed has this host
	SkipDepth     = "depth"     // more than MaxDepth links away from the seeds
	SkipRobots    = "robots"    // the robots.txt of its site forbids it
	SkipPages     = "pages"     // MaxPages pages were fetched before
	SkipCancelled = "cancelled" // the context ended before its answer was read
)

// Why a crawl ended: Report.Stopped.
const (
	StoppedDone      = "done"      // nothing was left
	StoppedPages     = "pages"     // MaxPages kept URLs from being fetched
	StoppedCancelled = "cancelled" // the context ended
)

// HostLimiter paces requests. Wait returns nil when a request to host may be
// sent. It is called by several goroutines.
type HostLimiter interface {
	Wait(ctx context.Context, host string) error
}

// Config says what to crawl, and how.
type Config struct {
	Workers  int   // requests at a time, at least 1
	MaxPages int   // pages to fetch, at least 1
	MaxDepth int   // links between a seed and a page, at least 0
	MaxBody  int64 // bytes of a page, at least 1

	// Client sends the requests. It belongs to the caller and is not changed.
	Client *http.Client
	// Links finds the links of the HTML page in r, which came from base. Several
	// workers call it at the same time.
	Links func(base *url.URL, r io.Reader) ([]*url.URL, error)
	// Limiter is asked before each request. Nil means no limits.
	Limiter HostLimiter

	UserAgent    string // the header, and whom a robots.txt addresses
	SameHostOnly bool   // stay on the hosts of the seeds
}

// Page is the outcome of one URL that was fetched.
type Page struct {
	URL       string   // in canonical form
	Status    int      // of the last answer; 0 if there was none
	Depth     int      // links on the shortest way from a seed
	Links     int      // how many URLs Config.Links returned
	Err       error    // why there is no answer, or why not all of it was used
	Redirects []string // sorted: the fetched pages that redirect to this one
}

// Report is what a crawl found.
type Report struct {
	Pages   []Page         // sorted by depth, then by URL
	Skipped map[string]int // how many URLs were found and not fetched, by reason
	Stopped string         // why the crawl ended
}

// Crawl fetches the pages that can be reached from seeds, each once. It returns
// when no page is left, MaxPages are fetched, or ctx ends; by then no goroutine
// of it is running. If ctx ended the crawl, the report has the pages that were
// complete, and the error is ctx.Err(). A Config or a seed that is wrong is an
// error, and nothing is fetched.
func Crawl(ctx context.Context, cfg Config, seeds ...string) (Report, error) {
	return Report{}, errors.ErrUnsupported
}
