package crawler_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/grader/labkit/pipenet"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week06/crawler"
)

// web is a few sites on a network in memory, in a synctest bubble.
type web struct {
	t       *testing.T
	network *pipenet.Network
	start   time.Time

	mu             sync.Mutex
	hits           []hit
	inFlight, peak int
}

// hit is a request that a site got.
type hit struct {
	url, agent string
	at         time.Duration // since the bubble began
}

// doc is what a site answers: by default, status 200 and an HTML page.
type doc struct {
	status      int
	contentType string
	location    string
	links       []string
	body        string        // behind the links
	takes       time.Duration // before the answer begins
}

// inBubble runs test in a bubble, with a web that has no sites yet.
func inBubble(t *testing.T, test func(t *testing.T, w *web)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t, &web{t: t, network: pipenet.New(t), start: time.Now()})
	})
}

// serve puts a site on the web. A path that is not in docs is answered with 404.
func (w *web) serve(host string, docs map[string]doc) {
	w.serveFunc(host, func(uri string, _ int) (doc, bool) {
		d, ok := docs[uri]
		return d, ok
	})
}

// serveFunc puts a site on the web that has a doc for each path and query. nth
// counts the requests for it, from 1.
func (w *web) serveFunc(host string, docs func(uri string, nth int) (doc, bool)) {
	w.network.Serve(host+":80", &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		uri := r.URL.RequestURI()
		nth := w.arrive(hit{url: "http://" + host + uri, agent: r.UserAgent(), at: time.Since(w.start)})
		d, ok := docs(uri, nth)
		if !ok {
			d = doc{status: 404, body: "no such page"}
		}
		select {
		case <-time.After(d.takes):
		case <-r.Context().Done():
		}
		w.mu.Lock()
		w.inFlight--
		w.mu.Unlock()
		if d.contentType == "" {
			d.contentType = "text/html; charset=utf-8"
		}
		rw.Header().Set("Content-Type", d.contentType)
		if d.location != "" {
			rw.Header().Set("Location", d.location)
		}
		if d.status == 0 {
			d.status = 200
		}
		rw.WriteHeader(d.status)
		io.WriteString(rw, page(d.links...)+d.body)
	})})
}

// arrive counts the requests for the URL of h.
func (w *web) arrive(h hit) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hits = append(w.hits, h)
	w.inFlight++
	w.peak = max(w.peak, w.inFlight)
	n := 0
	for _, other := range w.hits {
		if other.url == h.url {
			n++
		}
	}
	return n
}

// requests returns all requests so far in order, and pages all but those for a
// robots.txt.
func (w *web) requests() []hit {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.hits)
}

func (w *web) pages() []hit {
	return slices.DeleteFunc(w.requests(), func(h hit) bool { return strings.HasSuffix(h.url, "/robots.txt") })
}

func (w *web) config() crawler.Config {
	transport := w.network.Transport()
	transport.MaxIdleConnsPerHost = 64
	return crawler.Config{
		Workers: 4, MaxPages: 1000, MaxDepth: 1000, MaxBody: 64 << 10,
		Client:       &http.Client{Transport: transport},
		Links:        links,
		UserAgent:    "shopbot/2.1",
		SameHostOnly: true,
	}
}

// crawl calls Crawl with a context that ends after a day of the bubble's time.
func (w *web) crawl(do string, cfg crawler.Config, seeds ...string) (crawler.Report, error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 24*time.Hour)
	defer cancel()
	return w.crawlContext(ctx, do, cfg, seeds...)
}

func (w *web) crawlContext(ctx context.Context, do string, cfg crawler.Config, seeds ...string) (crawler.Report, error) {
	w.t.Helper()
	type outcome struct {
		report crawler.Report
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		report, err := crawler.Crawl(ctx, cfg, seeds...)
		done <- outcome{report, err}
	}()
	select {
	case o := <-done:
		return o.report, o.err
	case <-time.After(30 * 24 * time.Hour):
		rule.Broken(w.t, rule.Case{
			Do: do, Got: rule.Text("Crawl still runs, a month after its context ended"), Want: rule.Text("a report"),
			Why: "All its goroutines wait for one another. This crawl ends with the next deployment.",
		})
		panic("unreachable")
	}
}

// links is the extractor of the tests: a page has a line "link URL" for each.
// From a line "broken" on it fails.
func links(base *url.URL, r io.Reader) ([]*url.URL, error) {
	var found []*url.URL
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if lines.Text() == "broken" {
			return found, errBroken
		}
		ref, ok := strings.CutPrefix(lines.Text(), "link ")
		if !ok {
			continue
		}
		u, err := base.Parse(ref)
		if err != nil {
			return found, err
		}
		found = append(found, u)
	}
	return found, lines.Err()
}

var errBroken = errors.New("broken page")

func page(links ...string) string {
	var b strings.Builder
	for _, link := range links {
		fmt.Fprintf(&b, "link %s\n", link)
	}
	return b.String()
}

// expect compares a report with want: a line for each page, then the reasons of
// skipped URLs, then why the crawl stopped.
func expect(t *testing.T, do string, report crawler.Report, err error, want []string, why string) {
	t.Helper()
	got := show(report)
	if err != nil {
		got = append(got, "error "+err.Error())
	}
	if !slices.Equal(got, want) {
		rule.Broken(t, rule.Case{Do: do, Got: differing(got, want), Want: differing(want, got), Why: why})
	}
}

func show(report crawler.Report) []string {
	var lines []string
	for _, p := range report.Pages {
		line := fmt.Sprintf("depth %d: %d %s, %d links", p.Depth, p.Status, p.URL, p.Links)
		if len(p.Redirects) > 0 {
			line += fmt.Sprintf(", redirects %v", p.Redirects)
		}
		if p.Err != nil {
			line += ", an error"
		}
		lines = append(lines, line)
	}
	for _, reason := range slices.Sorted(maps.Keys(report.Skipped)) {
		lines = append(lines, fmt.Sprintf("skipped %s: %d", reason, report.Skipped[reason]))
	}
	return append(lines, "stopped: "+report.Stopped)
}

func listing(lines []string) rule.Text { return rule.Text(strings.Join(lines, "\n")) }

// differing shows lines. Of many it leaves out those that others has too.
func differing(lines, others []string) rule.Text {
	const most = 6
	if len(lines) <= most && len(others) <= most || sameButOrder(lines, others) {
		return listing(lines)
	}
	shown := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return slices.Contains(others, line) })
	if left := len(lines) - len(shown); left > 0 {
		shown = append(shown, fmt.Sprintf("(%d lines as they should be)", left))
	}
	return listing(shown)
}

func sameButOrder(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// count returns how often each URL was asked for.
func count(hits []hit) map[string]int {
	n := make(map[string]int)
	for _, h := range hits {
		n[h.url]++
	}
	return n
}

func urls(hits []hit) []string {
	var list []string
	for _, h := range hits {
		list = append(list, h.url)
	}
	return list
}
