// Wrong: believes that the page that was found first is always next.
// Caught by: TestCrawl_SlowHostDoesNotStarveOther

// Package crawler fetches the pages that can be reached from some seeds, each
// once, with a fixed number of workers.
package crawler

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
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
	c, err := newCrawl(cfg, seeds)
	if err != nil {
		return Report{}, err
	}
	c.run(ctx)
	return c.report(ctx.Err())
}

// crawl is the work graph. One goroutine, the one in run, owns it. Fetches run
// beside it and know nothing but their page.
type crawl struct {
	cfg     Config
	client  *http.Client
	home    map[string]bool // hosts of the seeds
	pages   map[string]*page
	sites   map[string]*site
	turns   []*site // the site that was served last is at the end
	found   int     // pages that were queued
	started int     // pages, without robots.txt files
	running int     // fetches, whose outcomes will come
}

// page is a URL that was found.
type page struct {
	url    *url.URL
	site   *site
	never  string // the reason why it is not fetched wherever it is found
	depth  int    // the shortest way known so far
	seq    int    // the order in which pages were queued
	queued bool   // since it was found within MaxDepth
	result *result
	links  []*page // of result, so that a shorter way reaches what is behind
}

// site is a scheme, host and port. Its robots.txt is fetched when its first page
// is due.
type site struct {
	queue   []*page
	running int
	asked   bool    // for robots
	robots  *Robots // nil: no answer yet
}

type result struct {
	status   int
	links    []*url.URL
	redirect bool // to the only link
	err      error
}

func newCrawl(cfg Config, seeds []string) (*crawl, error) {
	switch {
	case cfg.Workers < 1, cfg.MaxPages < 1, cfg.MaxDepth < 0, cfg.MaxBody < 1:
		return nil, errors.New("crawler: a limit is too small")
	case cfg.Client == nil, cfg.Links == nil:
		return nil, errors.New("crawler: Client and Links are required")
	}
	client := *cfg.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &crawl{
		cfg:    cfg,
		client: &client,
		home:   make(map[string]bool),
		pages:  make(map[string]*page),
		sites:  make(map[string]*site),
	}
	var urls []*url.URL
	for _, seed := range seeds {
		u, err := url.Parse(seed)
		if err != nil {
			return nil, fmt.Errorf("crawler: seed: %w", err)
		}
		if !fetchable(u) {
			return nil, fmt.Errorf("crawler: seed %q is not an absolute http or https URL", seed)
		}
		u = Canonical(u)
		c.home[u.Host] = true
		urls = append(urls, u)
	}
	for _, u := range urls {
		c.reach(c.page(u), 0)
	}
	return c, nil
}

func fetchable(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// run ends when no fetch is running and none can be started. An outcome brings
// the links of its page along, so a page is never finished before what it links
// to is known.
func (c *crawl) run(ctx context.Context) {
	outcomes := make(chan func())
	for {
		for c.running < c.cfg.Workers && ctx.Err() == nil {
			fetch := c.next(ctx)
			if fetch == nil {
				break
			}
			c.running++
			go func() { outcomes <- fetch() }()
		}
		if c.running == 0 {
			return
		}
		apply := <-outcomes
		c.running--
		apply()
	}
}

// next takes work from the site that has the least of it in progress. The fetch
// it returns may run in any goroutine; what that returns belongs to the owner.
func (c *crawl) next(ctx context.Context) (fetch func() (apply func())) {
	if c.started == c.cfg.MaxPages {
		return nil
	}
	var s *site
	for _, candidate := range c.turns {
		if candidate.due() && (s == nil || candidate.queue[0].seq < s.queue[0].seq) {
			s = candidate
		}
	}
	if s == nil {
		return nil
	}
	i := slices.Index(c.turns, s)
	c.turns = append(slices.Delete(c.turns, i, i+1), s)
	s.running++
	p := s.queue[0]
	if !s.asked {
		s.asked = true
		return func() func() {
			robots := c.fetchRobots(ctx, p.url)
			return func() { c.finishRobots(ctx, s, robots) }
		}
	}
	s.queue = s.queue[1:]
	c.started++
	return func() func() {
		res := c.fetch(ctx, p.url)
		return func() { c.finish(ctx, p, res) }
	}
}

// due reports whether s has something to fetch now. It drops what robots.txt
// forbids.
func (s *site) due() bool {
	if s.asked && s.robots == nil {
		return false
	}
	for s.robots != nil && len(s.queue) > 0 && !s.robots.Allows(s.queue[0].url) {
		s.queue = s.queue[1:]
	}
	return len(s.queue) > 0
}

func (c *crawl) finishRobots(ctx context.Context, s *site, robots Robots) {
	s.running--
	if ctx.Err() == nil {
		s.robots = &robots
	}
}

func (c *crawl) finish(ctx context.Context, p *page, res result) {
	p.site.running--
	if res.err != nil && ctx.Err() != nil {
		return
	}
	p.result = &res
	for _, u := range res.links {
		p.links = append(p.links, c.page(Canonical(u)))
	}
	c.reachLinks(p)
}

// page returns the page of a canonical URL.
func (c *crawl) page(u *url.URL) *page {
	key := u.String()
	p := c.pages[key]
	if p == nil {
		p = &page{url: u, depth: math.MaxInt}
		switch {
		case !fetchable(u):
			p.never = SkipScheme
		case c.cfg.SameHostOnly && !c.home[u.Host]:
			p.never = SkipOffsite
		default:
			p.site = c.site(u)
		}
		c.pages[key] = p
	}
	return p
}

func (c *crawl) site(u *url.URL) *site {
	key := u.Scheme + "://" + u.Host
	s := c.sites[key]
	if s == nil {
		s = new(site)
		c.sites[key] = s
		c.turns = append(c.turns, s)
	}
	return s
}

// reach notes a way of depth links to p. A page is queued once; a shorter way
// only makes its links closer.
func (c *crawl) reach(p *page, depth int) {
	if depth >= p.depth {
		return
	}
	p.depth = depth
	switch {
	case p.queued:
		c.reachLinks(p)
	case p.never == "" && depth <= c.cfg.MaxDepth:
		p.queued = true
		c.found++
		p.seq = c.found
		p.site.queue = append(p.site.queue, p)
	}
}

func (c *crawl) reachLinks(p *page) {
	if p.result == nil {
		return
	}
	depth := p.depth
	if !p.result.redirect {
		depth++
	}
	for _, link := range p.links {
		c.reach(link, depth)
	}
}

func (c *crawl) report(cause error) (Report, error) {
	rep := Report{Skipped: make(map[string]int), Stopped: StoppedDone}
	redirects := make(map[*page][]string)
	left := 0
	for url, p := range c.pages {
		switch {
		case p.result != nil:
			if p.result.redirect {
				redirects[p.links[0]] = append(redirects[p.links[0]], url)
			}
		case p.never != "":
			rep.Skipped[p.never]++
		case p.depth > c.cfg.MaxDepth:
			rep.Skipped[SkipDepth]++
		case p.site.robots != nil && !p.site.robots.Allows(p.url):
			rep.Skipped[SkipRobots]++
		default:
			left++
		}
	}
	for url, p := range c.pages {
		if p.result == nil {
			continue
		}
		found := Page{URL: url, Status: p.result.status, Depth: p.depth, Err: p.result.err, Redirects: redirects[p]}
		if !p.result.redirect {
			found.Links = len(p.links)
		}
		slices.Sort(found.Redirects)
		rep.Pages = append(rep.Pages, found)
	}
	slices.SortFunc(rep.Pages, func(a, b Page) int {
		return cmp.Or(cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.URL, b.URL))
	})
	switch {
	case left == 0:
		return rep, nil
	case cause != nil:
		rep.Stopped = StoppedCancelled
		rep.Skipped[SkipCancelled] = left
		return rep, cause
	default:
		rep.Stopped = StoppedPages
		rep.Skipped[SkipPages] = left
		return rep, nil
	}
}

func (c *crawl) fetch(ctx context.Context, u *url.URL) result {
	resp, err := c.get(ctx, u)
	if err != nil {
		return result{err: err}
	}
	defer c.discard(resp.Body)
	res := result{status: resp.StatusCode}
	if resp.StatusCode/100 == 3 {
		if target, err := resp.Location(); err == nil {
			res.links, res.redirect = []*url.URL{target}, true
		}
		return res
	}
	if resp.StatusCode != http.StatusOK || !isHTML(resp.Header) {
		return res
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.maxBody()+1))
	switch {
	case err != nil:
		res.err = err
	case int64(len(body)) > c.cfg.MaxBody:
		res.err = ErrBodyTooLarge
	default:
		res.links, res.err = c.cfg.Links(u, bytes.NewReader(body))
	}
	return res
}

func isHTML(h http.Header) bool {
	mediaType, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	switch strings.ToLower(strings.TrimSpace(mediaType)) {
	case "text/html", "application/xhtml+xml":
		return true
	}
	return false
}

func (c *crawl) fetchRobots(ctx context.Context, page *url.URL) Robots {
	resp, err := c.get(ctx, &url.URL{Scheme: page.Scheme, Host: page.Host, Path: "/robots.txt"})
	if err != nil {
		return DisallowAll()
	}
	defer c.discard(resp.Body)
	switch {
	case resp.StatusCode == http.StatusOK:
		robots, err := ParseRobots(resp.Body, c.cfg.UserAgent)
		if err != nil {
			return DisallowAll()
		}
		return robots
	case resp.StatusCode >= 500:
		return DisallowAll()
	default:
		return Robots{}
	}
}

// get asks for u until the answer is not a 503, or Attempts are used up.
func (c *crawl) get(ctx context.Context, u *url.URL) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		resp, err := c.send(ctx, u)
		if err != nil || resp.StatusCode != http.StatusServiceUnavailable || attempt == Attempts {
			return resp, err
		}
		c.discard(resp.Body)
		select {
		case <-time.After(RetryDelay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *crawl) send(ctx context.Context, u *url.URL) (*http.Response, error) {
	if c.cfg.Limiter != nil {
		if err := c.cfg.Limiter.Wait(ctx, u.Host); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if c.cfg.UserAgent != "" {
		req.Header.Set("User-Agent", c.cfg.UserAgent)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	resp.Body = limitedBody{io.LimitReader(resp.Body, c.maxBody()+slack), resp.Body}
	return resp, nil
}

// slack is what may be read of a body beyond MaxBody.
const slack = 64 << 10

func (c *crawl) maxBody() int64 { return min(c.cfg.MaxBody, math.MaxInt64-slack) }

type limitedBody struct {
	io.Reader
	io.Closer
}

// discard reads what is left of a body, so that the connection can be used
// again. It stops where send has limited the body.
func (c *crawl) discard(body io.ReadCloser) {
	io.Copy(io.Discard, body)
	body.Close()
}
