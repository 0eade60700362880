// Package crawler fetches the pages that can be reached from some seeds, each
// once, with a fixed number of workers.
package crawler

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
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

// spare is how much of a body is read beyond MaxBody, at most.
const spare = 64 << 10

// Crawl fetches the pages that can be reached from seeds, each once. It returns
// when no page is left, MaxPages are fetched, or ctx ends; by then no goroutine
// of it is running. If ctx ended the crawl, the report has the pages that were
// complete, and the error is ctx.Err(). A Config or a seed that is wrong is an
// error, and nothing is fetched.
func Crawl(ctx context.Context, cfg Config, seeds ...string) (Report, error) {
	switch {
	case cfg.Workers < 1:
		return Report{}, errors.New("crawler: Workers is below 1")
	case cfg.MaxPages < 1:
		return Report{}, errors.New("crawler: MaxPages is below 1")
	case cfg.MaxDepth < 0:
		return Report{}, errors.New("crawler: MaxDepth is below 0")
	case cfg.MaxBody < 1:
		return Report{}, errors.New("crawler: MaxBody is below 1")
	case cfg.Client == nil:
		return Report{}, errors.New("crawler: no Client")
	case cfg.Links == nil:
		return Report{}, errors.New("crawler: no Links")
	}
	urls := make([]*url.URL, len(seeds))
	for i, seed := range seeds {
		u, err := url.Parse(seed)
		if err != nil {
			return Report{}, fmt.Errorf("crawler: seed: %w", err)
		}
		if !fetchable(u) {
			return Report{}, fmt.Errorf("crawler: seed %q is not an http URL with a host", seed)
		}
		urls[i] = Canonical(u)
	}
	client := *cfg.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &crawl{
		cfg:     cfg,
		client:  &client,
		hosts:   make(map[string]bool),
		nodes:   make(map[string]*node),
		sites:   make(map[string]*site),
		results: make(chan result),
	}
	for _, u := range urls {
		c.hosts[u.Host] = true
	}
	for _, u := range urls {
		c.lower(c.find(u), 0)
	}
	c.run(ctx)
	return c.report(ctx)
}

func fetchable(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

// node is a URL that was found.
type node struct {
	url   *url.URL // canonical
	key   string
	site  *site // nil if the URL is never fetched, for the reason skip
	skip  string
	found int
	depth int // the smallest known

	queued  bool
	page    *Page   // of a complete fetch
	links   []*node // distinct
	forward *node   // the target of a redirect
}

// heapOfNodes has the node that was found first in front.
type heapOfNodes []*node

func (h heapOfNodes) Len() int           { return len(h) }
func (h heapOfNodes) Less(i, j int) bool { return h[i].found < h[j].found }
func (h heapOfNodes) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *heapOfNodes) Push(x any)        { *h = append(*h, x.(*node)) }
func (h *heapOfNodes) Pop() any {
	last := len(*h) - 1
	n := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return n
}

type site struct {
	robotsURL string
	host      string
	asked     bool // for the robots.txt
	known     bool // what it says
	robots    Robots
	queue     heapOfNodes // to fetch; when known, only what is allowed
	active    int         // fetches in progress
	last      int         // when the last fetch began or, before, when it was found
}

// ready reports whether a worker has something to do here.
func (s *site) ready() bool { return len(s.queue) > 0 && (s.known || !s.asked) }

// result is the end of a fetch.
type result struct {
	site    *site
	node    *node // nil for a robots.txt
	aborted bool  // because the context ended
	robots  Robots
	page    Page
	links   []*url.URL
	forward *url.URL
	final   bool // whether page.Err has nothing to do with the context
}

// crawl is the state of one call of Crawl. Only the goroutine of that call uses
// it, apart from cfg, client and results.
type crawl struct {
	cfg     Config
	client  *http.Client
	hosts   map[string]bool
	nodes   map[string]*node
	order   []*site
	sites   map[string]*site
	results chan result

	clock    int // counts discoveries and begins
	active   int // fetches in progress, robots.txt too
	started  int // pages
	complete int // pages
}

func (c *crawl) tick() int {
	c.clock++
	return c.clock
}

// find returns the node of u.
func (c *crawl) find(u *url.URL) *node {
	u = Canonical(u)
	key := u.String()
	if n, ok := c.nodes[key]; ok {
		return n
	}
	n := &node{url: u, key: key, found: c.tick(), depth: math.MaxInt}
	c.nodes[key] = n
	switch {
	case !fetchable(u):
		n.skip = SkipScheme
	case c.cfg.SameHostOnly && !c.hosts[u.Host]:
		n.skip = SkipOffsite
	default:
		key := u.Scheme + "://" + u.Host
		if c.sites[key] == nil {
			s := &site{robotsURL: key + "/robots.txt", host: u.Host, last: n.found}
			c.sites[key] = s
			c.order = append(c.order, s)
		}
		n.site = c.sites[key]
	}
	return n
}

// lower tells n that there is a way of this depth.
func (c *crawl) lower(n *node, depth int) {
	type way struct {
		to    *node
		depth int
	}
	for todo := []way{{n, depth}}; len(todo) > 0; {
		n, depth := todo[0].to, todo[0].depth
		todo = todo[1:]
		if depth >= n.depth {
			continue
		}
		n.depth = depth
		if n.site == nil || depth > c.cfg.MaxDepth {
			continue
		}
		if !n.queued {
			n.queued = true
			if !n.site.known || n.site.robots.Allows(n.url) {
				heap.Push(&n.site.queue, n)
			}
		}
		for _, to := range n.links {
			todo = append(todo, way{to, depth + 1})
		}
		if n.forward != nil {
			todo = append(todo, way{n.forward, depth})
		}
	}
}

// run fetches until the end of the crawl. No goroutine is left when it returns.
func (c *crawl) run(parent context.Context) {
	ctx, cancel := context.WithCancel(parent)
	var workers sync.WaitGroup
	for {
		for ctx.Err() == nil && c.active < c.cfg.Workers && c.started < c.cfg.MaxPages {
			s := c.next()
			if s == nil {
				break
			}
			r := result{site: s}
			if s.known {
				r.node = heap.Pop(&s.queue).(*node)
				c.started++
			} else {
				s.asked = true
			}
			s.last = c.tick()
			s.active++
			c.active++
			workers.Go(func() {
				if r.node == nil {
					c.fetchRobots(ctx, &r)
				} else {
					c.fetchPage(ctx, &r)
				}
				c.results <- r
			})
		}
		if c.active == 0 || c.complete == c.cfg.MaxPages {
			break
		}
		c.take(<-c.results)
	}
	cancel()
	for c.active > 0 {
		c.take(<-c.results)
	}
	workers.Wait()
}

// next returns the site whose turn it is, or nil.
func (c *crawl) next() *site {
	var best *site
	for _, s := range c.order {
		if s.ready() && (best == nil || cmp.Or(cmp.Compare(s.active, best.active), cmp.Compare(s.last, best.last)) < 0) {
			best = s
		}
	}
	return best
}

// take notes the end of a fetch.
func (c *crawl) take(r result) {
	c.active--
	r.site.active--
	if r.aborted {
		return
	}
	if r.node == nil {
		r.site.robots, r.site.known = r.robots, true
		r.site.queue = slices.DeleteFunc(r.site.queue, func(n *node) bool { return !r.robots.Allows(n.url) })
		heap.Init(&r.site.queue)
		return
	}
	c.complete++
	n := r.node
	n.page = &r.page
	if r.forward != nil {
		n.forward = c.find(r.forward)
		c.lower(n.forward, n.depth)
	}
	seen := make(map[*node]bool)
	for _, u := range r.links {
		to := c.find(u)
		if !seen[to] {
			seen[to] = true
			n.links = append(n.links, to)
			c.lower(to, n.depth+1)
		}
	}
}

func (c *crawl) report(ctx context.Context) (Report, error) {
	report := Report{Skipped: make(map[string]int), Stopped: StoppedDone}
	redirects := make(map[*node][]string)
	left := 0
	for _, n := range c.nodes {
		switch {
		case n.skip != "":
			report.Skipped[n.skip]++
		case n.page != nil:
			if n.forward != nil {
				redirects[n.forward] = append(redirects[n.forward], n.key)
			}
		case n.depth > c.cfg.MaxDepth:
			report.Skipped[SkipDepth]++
		case n.site.known && !n.site.robots.Allows(n.url):
			report.Skipped[SkipRobots]++
		default:
			left++
		}
	}
	for _, n := range c.nodes {
		if n.page == nil {
			continue
		}
		n.page.URL, n.page.Depth = n.key, n.depth
		n.page.Redirects = redirects[n]
		slices.Sort(n.page.Redirects)
		report.Pages = append(report.Pages, *n.page)
	}
	slices.SortFunc(report.Pages, func(a, b Page) int {
		return cmp.Or(cmp.Compare(a.Depth, b.Depth), strings.Compare(a.URL, b.URL))
	})
	switch {
	case left == 0:
		return report, nil
	case c.complete == c.cfg.MaxPages:
		report.Stopped = StoppedPages
		report.Skipped[SkipPages] = left
		return report, nil
	}
	report.Stopped = StoppedCancelled
	report.Skipped[SkipCancelled] = left
	return report, ctx.Err()
}

// get sends a request, and again after a 503. It gives the answer to read, which
// reads the body as far as it wants.
func (c *crawl) get(ctx context.Context, address, host string, read func(*http.Response) error) error {
	for attempt := 1; ; attempt++ {
		if c.cfg.Limiter != nil {
			if err := c.cfg.Limiter.Wait(ctx, host); err != nil {
				return err
			}
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		if c.cfg.UserAgent != "" {
			req.Header.Set("User-Agent", c.cfg.UserAgent)
		}
		resp, err := c.client.Do(req)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusServiceUnavailable || attempt == Attempts {
			err := read(resp)
			resp.Body.Close()
			return err
		}
		c.drain(resp)
		resp.Body.Close()
		pause := time.NewTimer(RetryDelay)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		}
	}
}

// beyond is one more than MaxBody.
func (c *crawl) beyond() int64 {
	return min(c.cfg.MaxBody, math.MaxInt64-spare) + 1
}

func (c *crawl) drain(resp *http.Response) error {
	_, err := io.Copy(io.Discard, io.LimitReader(resp.Body, c.beyond()))
	return err
}

func (c *crawl) fetchRobots(ctx context.Context, r *result) {
	r.robots = DisallowAll()
	err := c.get(ctx, r.site.robotsURL, r.site.host, func(resp *http.Response) error {
		switch {
		case resp.StatusCode == http.StatusOK:
			body := io.LimitReader(resp.Body, c.beyond()-1+spare)
			robots, err := ParseRobots(body, c.cfg.UserAgent)
			if err != nil {
				return err
			}
			r.robots = robots
			_, err = io.Copy(io.Discard, body)
			return err
		case resp.StatusCode >= 500:
		default:
			r.robots = Robots{}
		}
		return c.drain(resp)
	})
	r.aborted = err != nil && ctx.Err() != nil
}

func (c *crawl) fetchPage(ctx context.Context, r *result) {
	err := c.get(ctx, r.node.key, r.node.url.Host, func(resp *http.Response) error {
		r.page.Status = resp.StatusCode
		location := resp.Header.Get("Location")
		switch {
		case resp.StatusCode >= 300 && resp.StatusCode <= 399 && location != "":
			if to, err := r.node.url.Parse(location); err == nil {
				r.forward = to
			}
		case resp.StatusCode == http.StatusOK && isHTML(resp.Header.Get("Content-Type")):
			return c.parse(resp, r)
		}
		if err := c.drain(resp); err != nil && ctx.Err() != nil {
			return err
		}
		return nil
	})
	r.page.Err = err
	r.aborted = err != nil && ctx.Err() != nil && !r.final
}

func isHTML(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.TrimSpace(kind)
	return strings.EqualFold(kind, "text/html") || strings.EqualFold(kind, "application/xhtml+xml")
}

func (c *crawl) parse(resp *http.Response, r *result) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.beyond()))
	if int64(len(body)) > c.cfg.MaxBody {
		r.final = true
		return ErrBodyTooLarge
	}
	if err != nil {
		return err
	}
	base := *r.node.url
	links, err := c.cfg.Links(&base, bytes.NewReader(body))
	r.links, r.page.Links = links, len(links)
	r.final = true
	return err
}
