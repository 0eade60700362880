package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week06/crawler"
)

// Every test runs in a synctest bubble: its clock moves only while all
// goroutines wait, so each time below is exact. web_test.go has the sites.

const (
	root   = "http://shop.example/"
	doRoot = `Crawl(ctx, cfg, "http://shop.example/")`
)

func TestCrawl_ChainOf200(t *testing.T) {
	inBubble(t, func(t *testing.T, w *web) {
		const n = 200
		w.serveFunc("shop.example", func(uri string, _ int) (doc, bool) {
			var i int
			if _, err := fmt.Sscanf(uri, "/%d", &i); err != nil || i >= n {
				return doc{}, false
			}
			if i == n-1 {
				return doc{}, true
			}
			return doc{links: []string{fmt.Sprintf("/%d", i+1)}}, true
		})
		const do = `Crawl(ctx, cfg, "http://shop.example/0") // 200 pages, each links to the next one only`
		report, err := w.crawl(do, w.config(), root+"0")
		var want, got []string
		for i := range n {
			want = append(want, fmt.Sprintf("%d %s%d", i, root, i))
		}
		for _, p := range report.Pages {
			got = append(got, fmt.Sprintf("%d %s", p.Depth, p.URL))
		}
		if !slices.Equal(got, want) || report.Stopped != crawler.StoppedDone || err != nil {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("%d pages, stopped %q, error %v", len(got), report.Stopped, err),
				Want: rule.Textf("200 pages with the depths 0 to 199, stopped %q, error nil", crawler.StoppedDone),
				Why:  "At every hop one page is finished and one is new. Who looks between the two sees no work left.",
			})
		}
	})
}

func TestCrawl_EachPageOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, w *web) {
		const n = 25
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf("/%d", i), fmt.Sprintf("http://SHOP.example/%d#top", i))
		}
		all = append(all, "/", "http://shop.example", "#reviews")
		docs := map[string]doc{"/": {links: all, takes: time.Second}}
		for i := range n {
			docs[fmt.Sprintf("/%d", i)] = doc{links: all, takes: time.Duration(i%3+1) * time.Second}
		}
		w.serve("shop.example", docs)
		do := doRoot + " // 26 pages, and each links to all of them in two spellings"
		cfg := w.config()
		cfg.Workers = 8
		report, err := w.crawl(do, cfg, root, "http://shop.example", root+"#top")
		hits := count(w.pages())
		for u, times := range hits {
			if times != 1 {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("%d requests for %s", times, u), Want: rule.Text("one request for each page"),
					Why: "On a dense site every page is found by many others while it is being fetched: the crawl takes days, and the site blocks it.",
				})
			}
		}
		if len(hits) != n+1 || len(report.Pages) != n+1 || report.Stopped != crawler.StoppedDone || err != nil {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("%d pages fetched, %d in the report, stopped %q, error %v", len(hits), len(report.Pages), report.Stopped, err),
				Want: rule.Textf("%d pages fetched, %d in the report, stopped %q, error nil", n+1, n+1, crawler.StoppedDone),
				Why:  "The crawl is done when every page that was found has been fetched, and nobody can find another one.",
			})
		}
	})
}

func TestCrawl_PeakInFlight(t *testing.T) {
	for _, workers := range []int{1, 3, 8} {
		t.Run(fmt.Sprintf("%d workers", workers), func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *web) {
				docs := map[string]doc{"/": {takes: time.Second}}
				for i := range 24 {
					path := fmt.Sprintf("/%d", i)
					docs["/"] = doc{takes: time.Second, links: append(docs["/"].links, path)}
					docs[path] = doc{takes: time.Second}
				}
				w.serve("shop.example", docs)
				cfg := w.config()
				cfg.Workers = workers
				do := fmt.Sprintf("cfg.Workers = %d\n%s // links to 24 pages; each answer takes 1 s", workers, doRoot)
				_, err := w.crawl(do, cfg, root)
				took := time.Since(w.start)
				want := time.Duration(1+24/workers) * time.Second
				if w.peak != workers || took != want || err != nil {
					rule.Broken(t, rule.Case{
						Do:   do,
						Got:  rule.Textf("up to %d requests at a time, %v, error %v", w.peak, took, err),
						Want: rule.Textf("up to %d requests at a time, %v, error nil", workers, want),
						Why:  "Workers is what the operator of the other site agreed to, and what your descriptors allow.",
					})
				}
			})
		})
	}
}

func TestCrawl_TerminatesOnCycleAndSelfLoop(t *testing.T) {
	inBubble(t, func(t *testing.T, w *web) {
		w.serve("shop.example", map[string]doc{
			"/":  {links: []string{"/", "/a"}},
			"/a": {links: []string{"/b"}},
			"/b": {links: []string{"/", "/a", "/b", "/gone"}},
		})
		do := doRoot + " // / -> / and /a, /a -> /b, /b -> /, /a, /b and /gone"
		report, err := w.crawl(do, w.config(), root)
		expect(t, do, report, err, []string{
			"depth 0: 200 http://shop.example/, 2 links",
			"depth 1: 200 http://shop.example/a, 1 links",
			"depth 2: 200 http://shop.example/b, 4 links",
			"depth 3: 404 http://shop.example/gone, 0 links",
			"stopped: done",
		}, "Every navigation bar is a cycle.")
	})
	t.Run("no seeds", func(t *testing.T) {
		inBubble(t, func(t *testing.T, w *web) {
			report, err := w.crawl("Crawl(ctx, cfg)", w.config())
			expect(t, "Crawl(ctx, cfg)", report, err, []string{"stopped: done"}, "A list of sites can be empty.")
		})
	})
}

func TestCrawl_WideFanoutNoDeadlock(t *testing.T) {
	inBubble(t, func(t *testing.T, w *web) {
		const n = 5000
		var wide []string
		for i := range n {
			wide = append(wide, fmt.Sprintf("/%d", i))
		}
		var hits atomic.Int64
		cfg := w.config()
		cfg.Workers, cfg.MaxPages, cfg.MaxBody = 2, 2*n, 1<<20
		cfg.Client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			resp := &http.Response{
				StatusCode: 404, Header: http.Header{"Content-Type": {"text/html"}},
				Body: io.NopCloser(strings.NewReader("")), Request: r,
			}
			switch r.URL.Path {
			case "/":
				resp.StatusCode, resp.Body = 200, io.NopCloser(strings.NewReader(page(wide...)))
			case "/robots.txt":
				return resp, nil
			}
			hits.Add(1)
			return resp, nil
		})}
		const do = "cfg.Workers = 2\n" + doRoot + " // one page with 5000 links"
		report, err := w.crawl(do, cfg, root)
		if hits.Load() != n+1 || len(report.Pages) != n+1 || report.Stopped != crawler.StoppedDone || err != nil {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("%d pages fetched, %d in the report, stopped %q, error %v", hits.Load(), len(report.Pages), report.Stopped, err),
				Want: rule.Textf("%d pages fetched, %d in the report, stopped %q, error nil", n+1, n+1, crawler.StoppedDone),
				Why:  "When all workers wait for room in the queue, nobody is left to make room.",
			})
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCrawl_SlowHostDoesNotStarveOther(t *testing.T) {
	const why = "One shop with a broken database must not stop the crawl of all others."
	slow := map[string]doc{"/": {}}
	for i := range 30 {
		path := fmt.Sprintf("/%d", i)
		slow["/"] = doc{links: append(slow["/"].links, path)}
		slow[path] = doc{takes: 10 * time.Minute}
	}
	chain := func(uri string, _ int) (doc, bool) {
		var i int
		if _, err := fmt.Sscanf(uri, "/%d", &i); err != nil || i >= 20 {
			return doc{}, false
		}
		return doc{takes: time.Second, links: []string{fmt.Sprintf("/%d", i+1)}}, true
	}
	for _, workers := range []int{2, 4} {
		t.Run(fmt.Sprintf("slow answers, %d workers", workers), func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *web) {
				w.serve("slow.example", slow)
				w.serveFunc("fast.example", chain)
				cfg := w.config()
				cfg.Workers = workers
				do := fmt.Sprintf(`cfg.Workers = %d
Crawl(ctx, cfg, "http://slow.example/", "http://fast.example/0")
// slow has 31 pages, most take 10 min; fast has 20, each takes 1 s and links to the next one`, workers)
				_, err := w.crawl(do, cfg, "http://slow.example/", "http://fast.example/0")
				w.expectBefore(do, err, "http://fast.example/19", 19*time.Second, why)
			})
		})
	}
	t.Run("slow limiter", func(t *testing.T) {
		inBubble(t, func(t *testing.T, w *web) {
			w.serve("slow.example", slow)
			w.serveFunc("fast.example", chain)
			cfg := w.config()
			cfg.Workers = 2
			cfg.Limiter = limiterFunc(func(ctx context.Context, host string) error {
				if host == "slow.example" {
					return pause(ctx, 10*time.Minute)
				}
				return nil
			})
			const do = `// cfg.Limiter lets slow.example wait 10 min for each request
Crawl(ctx, cfg, "http://slow.example/", "http://fast.example/0")`
			_, err := w.crawl(do, cfg, "http://slow.example/", "http://fast.example/0")
			w.expectBefore(do, err, "http://fast.example/19", 19*time.Second, why)
		})
	})
	t.Run("a host that is found later", func(t *testing.T) {
		inBubble(t, func(t *testing.T, w *web) {
			docs := map[string]doc{"/": {links: slices.Concat(slow["/"].links, []string{"/partners"})}, "/partners": {links: []string{"http://fast.example/0"}}}
			for path, d := range slow {
				if path != "/" {
					docs[path] = d
				}
			}
			docs["/0"] = doc{takes: time.Minute, links: []string{"http://fast.example/0"}}
			w.serve("slow.example", docs)
			w.serveFunc("fast.example", chain)
			cfg := w.config()
			cfg.Workers, cfg.SameHostOnly = 2, false
			const do = `cfg.Workers, cfg.SameHostOnly = 2, false
Crawl(ctx, cfg, "http://slow.example/") // after 1 min, a page of slow links to fast`
			_, err := w.crawl(do, cfg, "http://slow.example/")
			w.expectBefore(do, err, "http://fast.example/19", 79*time.Second, why)
		})
	})
}

// expectBefore checks that u was asked for at a moment or earlier.
func (w *web) expectBefore(do string, err error, u string, latest time.Duration, why string) {
	w.t.Helper()
	got := rule.Text("never asked for")
	for _, h := range w.requests() {
		if h.url == u {
			if h.at <= latest && err == nil {
				return
			}
			got = rule.Textf("asked for %s at %v", u, h.at)
			break
		}
	}
	if err != nil {
		got += rule.Textf(", error %v", err)
	}
	rule.Broken(w.t, rule.Case{Do: do, Got: got, Want: rule.Textf("%s at %v", u, latest), Why: why})
}

func TestCrawl_SitesTakeTurns(t *testing.T) {
	inBubble(t, func(t *testing.T, w *web) {
		seeds := []string{"http://a.example/", "http://b.example/", "http://c.example/"}
		for _, host := range []string{"a.example", "b.example", "c.example"} {
			w.serve(host, map[string]doc{"/": {links: []string{"/1", "/2"}}, "/1": {}, "/2": {}})
		}
		cfg := w.config()
		cfg.Workers = 1
		const do = `cfg.Workers = 1
Crawl(ctx, cfg, "http://a.example/", "http://b.example/", "http://c.example/") // each has /, /1 and /2`
		if _, err := w.crawl(do, cfg, seeds...); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, path := range []string{"robots.txt", "", "1", "2"} {
			for _, seed := range seeds {
				want = append(want, seed+path)
			}
		}
		if got := urls(w.requests()); !slices.Equal(got, want) {
			rule.Broken(t, rule.Case{
				Do: do, Got: listing(got), Want: listing(want),
				Why: "With more sites than workers, the sites at the end of the list would wait for the end of the others.",
			})
		}
	})
}

func TestCrawl_NewSiteWaitsItsTurn(t *testing.T) {
	inBubble(t, func(t *testing.T, w *web) {
		w.serve("a.example", map[string]doc{"/": {links: []string{"http://b.example/", "/1", "/2"}, takes: time.Second}, "/1": {takes: time.Second}, "/2": {}})
		w.serve("b.example", map[string]doc{"/": {}})
		cfg := w.config()
		cfg.Workers, cfg.SameHostOnly = 1, false
		const do = `cfg.Workers, cfg.SameHostOnly = 1, false
Crawl(ctx, cfg, "http://a.example/") // links to http://b.example/, /1 and /2; a page takes a second`
		if _, err := w.crawl(do, cfg, "http://a.example/"); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"http://a.example/robots.txt", "http://a.example/", "http://a.example/1",
			"http://b.example/robots.txt", "http://a.example/2", "http://b.example/",
		}
		if got := urls(w.requests()); !slices.Equal(got, want) {
			rule.Broken(t, rule.Case{
				Do: do, Got: listing(got), Want: listing(want),
				Why: "Nothing is in progress at either site, so the one that has waited longer is next. Else a site that links to many others is crawled last.",
			})
		}
	})
}

func TestCrawl_CalendarTrapBounded(t *testing.T) {
	calendar := func(uri string, _ int) (doc, bool) {
		var day int
		if _, err := fmt.Sscanf(uri, "/cal?day=%d", &day); err != nil {
			return doc{}, false
		}
		return doc{links: []string{fmt.Sprintf("?day=%d", day+1), fmt.Sprintf("?day=%d", day+1000)}}, true
	}
	for _, tc := range []struct {
		name             string
		pages, depth     int
		wantPages        int
		skipped, stopped string
	}{
		{"by pages", 50, 1000, 50, crawler.SkipPages, crawler.StoppedPages},
		{"one page", 1, 1000, 1, crawler.SkipPages, crawler.StoppedPages},
		{"by depth", 1000, 3, 1 + 2 + 3 + 4, crawler.SkipDepth, crawler.StoppedDone},
		{"seeds only", 1000, 0, 1, crawler.SkipDepth, crawler.StoppedDone},
		{"pages are enough for the depth", 10, 3, 10, crawler.SkipDepth, crawler.StoppedDone},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *web) {
				w.serveFunc("shop.example", calendar)
				cfg := w.config()
				cfg.MaxPages, cfg.MaxDepth = tc.pages, tc.depth
				do := fmt.Sprintf("cfg.MaxPages, cfg.MaxDepth = %d, %d\n"+
					"Crawl(ctx, cfg, \"http://shop.example/cal?day=1\") // each day links to the days 1 and 1000 later", tc.pages, tc.depth)
				report, err := w.crawl(do, cfg, root+"cal?day=1")
				_, skipped := report.Skipped[tc.skipped]
				if n := len(w.pages()); n != tc.wantPages || len(report.Pages) != n || !skipped || len(report.Skipped) != 1 || report.Stopped != tc.stopped || err != nil {
					rule.Broken(t, rule.Case{
						Do:   do,
						Got:  rule.Textf("%d pages fetched, %d in the report, skipped %v, stopped %q, error %v", n, len(report.Pages), report.Skipped, report.Stopped, err),
						Want: rule.Textf("%d pages fetched, %d in the report, skipped only for %q, stopped %q, error nil", tc.wantPages, tc.wantPages, tc.skipped, tc.stopped),
						Why:  "A calendar has a link to tomorrow on every page, until the year 9999.",
					})
				}
			})
		})
	}
}

func TestCrawl_DepthIsTheShortestPath(t *testing.T) {
	inBubble(t, func(t *testing.T, w *web) {
		w.serve("shop.example", map[string]doc{
			"/":      {links: []string{"/slow", "/1"}},
			"/slow":  {links: []string{"/deep"}, takes: time.Minute},
			"/1":     {links: []string{"/2"}},
			"/2":     {links: []string{"/3"}},
			"/3":     {links: []string{"/deep"}},
			"/deep":  {links: []string{"/below"}},
			"/below": {links: []string{"/end"}},
			"/end":   {},
		})
		cfg := w.config()
		cfg.MaxDepth = 4
		const do = "cfg.MaxDepth = 4\n" + doRoot + `
// / -> /slow -> /deep -> /below -> /end, and / -> /1 -> /2 -> /3 -> /deep; /slow takes 1 min`
		report, err := w.crawl(do, cfg, root)
		expect(t, do, report, err, []string{
			"depth 0: 200 http://shop.example/, 2 links",
			"depth 1: 200 http://shop.example/1, 1 links",
			"depth 1: 200 http://shop.example/slow, 1 links",
			"depth 2: 200 http://shop.example/2, 1 links",
			"depth 2: 200 http://shop.example/deep, 1 links",
			"depth 3: 200 http://shop.example/3, 1 links",
			"depth 3: 200 http://shop.example/below, 1 links",
			"depth 4: 200 http://shop.example/end, 0 links",
			"stopped: done",
		}, "The way that is found first is not always the shortest: whether a page is fetched would depend on the speed of others.")
	})
}

// TestCrawl_DeterministicReportOrder crawls one tree with other delays each time.
func TestCrawl_DeterministicReportOrder(t *testing.T) {
	const seed = 6
	random := rand.New(rand.NewPCG(seed, seed))
	want := []string{"depth 0: 200 http://shop.example/, 4 links"}
	for i := 3; i >= 0; i-- {
		want = slices.Insert(want, 1, fmt.Sprintf("depth 1: 200 http://shop.example/%c, 4 links", 'a'+i))
	}
	for i := range 16 {
		want = append(want, fmt.Sprintf("depth 2: 200 http://shop.example/%c/%d, 0 links", 'a'+i/4, i%4))
	}
	want = append(want, "stopped: done")
	for round := range 5 {
		inBubble(t, func(t *testing.T, w *web) {
			docs := make(map[string]doc)
			takes := func() time.Duration { return time.Duration(random.IntN(1000)) * time.Millisecond }
			docs["/"] = doc{links: []string{"/d", "/b", "/a", "/c"}, takes: takes()}
			for i := range 16 {
				parent, child := fmt.Sprintf("/%c", 'a'+i/4), fmt.Sprintf("/%c/%d", 'a'+i/4, i%4)
				docs[parent] = doc{links: append(docs[parent].links, child), takes: takes()}
				docs[child] = doc{takes: takes()}
			}
			w.serve("shop.example", docs)
			do := fmt.Sprintf("%s // a tree of 21 pages, delays of round %d, seed %d", doRoot, round, seed)
			report, err := w.crawl(do, w.config(), root)
			expect(t, do, report, err, want, "Two reports of one site are compared with diff, to see what changed since yesterday.")
		})
	}
}

func TestCrawl_RedirectCountsTargetOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, w *web) {
		w.serve("shop.example", map[string]doc{
			"/":      {links: []string{"/old", "/older", "/new", "/loop"}},
			"/old":   {status: 301, location: "/new#price"},
			"/older": {status: 302, location: "http://SHOP.example/old"},
			"/new":   {links: []string{"/"}},
			"/loop":  {status: 307, location: "/pool", links: []string{"/not-parsed"}},
			"/pool":  {status: 308, location: "/loop"},
			"/moved": {status: 303},
		})
		do := doRoot + `
// / -> /old, /older, /new, /loop; redirects: /old to /new, /older to /old, /loop to /pool, /pool to /loop`
		cfg := w.config()
		report, err := w.crawl(do, cfg, root, root+"moved")
		expect(t, do, report, err, []string{
			"depth 0: 200 http://shop.example/, 4 links",
			"depth 0: 303 http://shop.example/moved, 0 links",
			"depth 1: 307 http://shop.example/loop, 0 links, redirects [http://shop.example/pool]",
			"depth 1: 200 http://shop.example/new, 1 links, redirects [http://shop.example/old]",
			"depth 1: 301 http://shop.example/old, 0 links, redirects [http://shop.example/older]",
			"depth 1: 302 http://shop.example/older, 0 links",
			"depth 1: 308 http://shop.example/pool, 0 links, redirects [http://shop.example/loop]",
			"stopped: done",
		}, "A redirect is one more way to a page, not one more page.")
		for u, n := range count(w.pages()) {
			if n != 1 {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("%d requests for %s", n, u), Want: rule.Text("one request for each page"),
					Why: "A client that follows redirects by itself visits pages behind the back of the crawler.",
				})
			}
		}
		if cfg.Client.CheckRedirect != nil {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Text("cfg.Client.CheckRedirect was set"), Want: rule.Text("a client as it was before"),
				Why: "The client belongs to the caller, who may use it for other requests at the same time.",
			})
		}
	})
	t.Run("two to one", func(t *testing.T) {
		inBubble(t, func(t *testing.T, w *web) {
			w.serve("shop.example", map[string]doc{
				"/b": {status: 301, location: "/"}, "/a": {status: 301, location: "/", takes: time.Second}, "/": {},
			})
			const do = `Crawl(ctx, cfg, "http://shop.example/b", "http://shop.example/a") // both redirect to /`
			report, err := w.crawl(do, w.config(), root+"b", root+"a")
			expect(t, do, report, err, []string{
				"depth 0: 200 http://shop.example/, 0 links, redirects [http://shop.example/a http://shop.example/b]",
				"depth 0: 301 http://shop.example/a, 0 links",
				"depth 0: 301 http://shop.example/b, 0 links",
				"stopped: done",
			}, "")
		})
	})
}

func TestCrawl_RobotsDisallow(t *testing.T) {
	site := func(robots doc) map[string]doc {
		return map[string]doc{
			"/robots.txt":     robots,
			"/":               {links: []string{"/cart/1", "/cart/2", "/tea", "/cart/public", "/tea"}},
			"/tea":            {links: []string{"/cart/1", "http://www.other.example/"}},
			"/cart/1":         {},
			"/cart/2":         {},
			"/cart/public":    {},
			"/cart/1/confirm": {},
		}
	}
	const (
		why     = "The operator asked for this in the one place where every crawler looks."
		rootOK  = "depth 0: 200 http://shop.example/, 5 links"
		public  = "depth 1: 200 http://shop.example/cart/public, 0 links"
		teaOK   = "depth 1: 200 http://shop.example/tea, 2 links"
		offsite = "skipped offsite: 1"
	)
	everything := []string{rootOK, "depth 1: 200 http://shop.example/cart/1, 0 links", "depth 1: 200 http://shop.example/cart/2, 0 links", public, teaOK, offsite, "stopped: done"}
	nothing := []string{"skipped robots: 1", "stopped: done"}
	for _, tc := range []struct {
		name   string
		robots doc
		want   []string
	}{
		{"rules", doc{status: 200, contentType: "text/plain", body: "User-agent: *\nDisallow: /cart/\nAllow: /cart/public\n", takes: time.Second}, []string{rootOK, public, teaOK, offsite, "skipped robots: 2", "stopped: done"}},
		{"rules for us", doc{status: 200, body: "User-agent: ShopBot\nDisallow: /cart\n\nUser-agent: *\nDisallow: /\n"}, []string{rootOK, teaOK, offsite, "skipped robots: 3", "stopped: done"}},
		{"the seed is forbidden", doc{status: 200, body: "User-agent: *\nDisallow: /\n"}, nothing},
		{"status 404", doc{status: 404, body: "User-agent: *\nDisallow: /\n"}, everything},
		{"status 302", doc{status: 302, location: "/tea", body: "User-agent: *\nDisallow: /\n"}, everything},
		{"status 500", doc{status: 500}, nothing},
		{"status 503", doc{status: 503}, nothing},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *web) {
				w.serve("shop.example", site(tc.robots))
				do := fmt.Sprintf("cfg.MaxDepth = 1\n%s\n// robots.txt: status %d, %q", doRoot, tc.robots.status, tc.robots.body)
				cfg := w.config()
				cfg.MaxDepth = 1
				report, err := w.crawl(do, cfg, root)
				expect(t, do, report, err, tc.want, why)

				requests := w.requests()
				asked := count(requests)[root+"robots.txt"]
				attempts := 1
				if tc.robots.status == 503 {
					attempts = crawler.Attempts
				}
				if asked != attempts || requests[0].url != root+"robots.txt" || len(requests)-asked != len(report.Pages) {
					rule.Broken(t, rule.Case{
						Do: do, Got: listing(urls(requests)),
						Want: rule.Textf("%d request(s) for robots.txt, then one for each page of the report", attempts), Why: why,
					})
				}
				if agent := requests[0].agent; agent != "shopbot/2.1" {
					rule.Broken(t, rule.Case{
						Do: "cfg.UserAgent = \"shopbot/2.1\"\n" + doRoot, Got: rule.Textf("User-Agent: %s", agent), Want: rule.Text("User-Agent: shopbot/2.1"),
						Why: "An operator who sees a problem must know whom to call.",
					})
				}
			})
		})
	}
	t.Run("no connection", func(t *testing.T) {
		inBubble(t, func(t *testing.T, w *web) {
			do := doRoot + " // nothing listens there"
			report, err := w.crawl(do, w.config(), root)
			expect(t, do, report, err, nothing, "What a site forbids is unknown while it is down.")
		})
	})
	t.Run("each site its own", func(t *testing.T) {
		inBubble(t, func(t *testing.T, w *web) {
			w.serve("shop.example", map[string]doc{"/": {links: []string{"http://blog.example/", "http://blog.example/drafts"}}, "/drafts": {}})
			w.serve("blog.example", map[string]doc{
				"/robots.txt": {body: "User-agent: *\nDisallow: /drafts\n"},
				"/":           {links: []string{"http://shop.example/drafts"}},
				"/drafts":     {},
			})
			cfg := w.config()
			cfg.SameHostOnly = false
			do := "cfg.SameHostOnly = false\n" + doRoot + " // only blog.example has a robots.txt, with Disallow: /drafts"
			report, err := w.crawl(do, cfg, root)
			expect(t, do, report, err, []string{
				"depth 0: 200 http://shop.example/, 2 links",
				"depth 1: 200 http://blog.example/, 1 links",
				"depth 2: 200 http://shop.example/drafts, 0 links",
				"skipped robots: 1",
				"stopped: done",
			}, "One site's rules say nothing about another.")
		})
	})
}

func TestCrawl_OffsiteNotFetched(t *testing.T) {
	docs := map[string]doc{
		"/":     {links: []string{"http://ads.example/", "http://ads.example/#top", "mailto:ann@shop.example", "http:///nowhere", "http://shop.example:8080/", "/exit"}},
		"/exit": {status: 302, location: "http://tracker.example/?from=shop"},
	}
	t.Run("SameHostOnly", func(t *testing.T) {
		inBubble(t, func(t *testing.T, w *web) {
			w.serve("shop.example", docs)
			for _, host := range []string{"ads.example", "tracker.example"} {
				w.serve(host, map[string]doc{"/": {}, "/?from=shop": {}})
			}
			do := doRoot + "\n// links to ads.example twice, mailto:, http:///nowhere, shop.example:8080 and /exit, which redirects to tracker.example"
			report, err := w.crawl(do, w.config(), root)
			expect(t, do, report, err, []string{
				"depth 0: 200 http://shop.example/, 6 links",
				"depth 1: 302 http://shop.example/exit, 0 links",
				"skipped offsite: 3",
				"skipped scheme: 2",
				"stopped: done",
			}, "One link to an encyclopedia, and the crawl of one shop becomes the crawl of the web.")
			for _, h := range w.requests() {
				if !strings.HasPrefix(h.url, root) {
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Textf("a request for %s", h.url), Want: rule.Text("requests to shop.example only"),
						Why: "A robots.txt is a request, too.",
					})
				}
			}
		})
	})
	t.Run("either scheme", func(t *testing.T) {
		inBubble(t, func(t *testing.T, w *web) {
			cfg := w.config()
			cfg.Client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				resp := &http.Response{StatusCode: 404, Header: make(http.Header), Body: http.NoBody, Request: r}
				if r.URL.Path == "/" && r.URL.Scheme == "http" {
					resp.StatusCode = 301
					resp.Header.Set("Location", "https://shop.example/")
				}
				return resp, nil
			})}
			do := doRoot + " // redirects to https://shop.example/, which is 404"
			report, err := w.crawl(do, cfg, root)
			expect(t, do, report, err, []string{
				"depth 0: 301 http://shop.example/, 0 links",
				"depth 0: 404 https://shop.example/, 0 links, redirects [http://shop.example/]",
				"stopped: done",
			}, "Most shops send the visitors of http to https. It is the same shop.")
		})
	})
	t.Run("all hosts", func(t *testing.T) {
		inBubble(t, func(t *testing.T, w *web) {
			w.serve("shop.example", docs)
			w.serve("ads.example", map[string]doc{"/": {}})
			w.serve("tracker.example", map[string]doc{"/?from=shop": {}})
			cfg := w.config()
			cfg.SameHostOnly = false
			do := "cfg.SameHostOnly = false\n" + doRoot + " // links to ads.example and to a host that is down, /exit redirects to tracker.example"
			report, err := w.crawl(do, cfg, root)
			expect(t, do, report, err, []string{
				"depth 0: 200 http://shop.example/, 6 links",
				"depth 1: 200 http://ads.example/, 0 links",
				"depth 1: 302 http://shop.example/exit, 0 links",
				"depth 1: 200 http://tracker.example/?from=shop, 0 links, redirects [http://shop.example/exit]",
				"skipped robots: 1",
				"skipped scheme: 2",
				"stopped: done",
			}, "")
		})
	})
}

func TestCrawl_NonHTMLNotParsed(t *testing.T) {
	inBubble(t, func(t *testing.T, w *web) {
		trap := []string{"/trap"}
		w.serve("shop.example", map[string]doc{
			"/":      {contentType: "TEXT/HTML", links: []string{"/xhtml", "/pdf", "/json", "/odd", "/404", "/500", "/204"}},
			"/xhtml": {contentType: "application/xhtml+xml; charset=utf-8; charset", links: []string{"/"}},
			"/pdf":   {contentType: "application/pdf", links: trap, body: strings.Repeat("x", 300<<10)},
			"/json":  {contentType: "application/json; note=text/html", links: trap},
			"/odd":   {contentType: "text/html-template", links: trap},
			"/404":   {status: 404, links: trap},
			"/500":   {status: 500, links: trap},
			"/204":   {status: 204},
		})
		do := doRoot + " // links to XHTML, PDF, JSON, text/html-template, and to pages with other statuses"
		report, err := w.crawl(do, w.config(), root)
		expect(t, do, report, err, []string{
			"depth 0: 200 http://shop.example/, 7 links",
			"depth 1: 204 http://shop.example/204, 0 links",
			"depth 1: 404 http://shop.example/404, 0 links",
			"depth 1: 500 http://shop.example/500, 0 links",
			"depth 1: 200 http://shop.example/json, 0 links",
			"depth 1: 200 http://shop.example/odd, 0 links",
			"depth 1: 200 http://shop.example/pdf, 0 links",
			"depth 1: 200 http://shop.example/xhtml, 1 links",
			"stopped: done",
		}, "Bytes of a PDF look like links sometimes, and error pages link to everything.")
	})
}

func TestCrawl_503RetriedThenReported(t *testing.T) {
	inBubble(t, func(t *testing.T, w *web) {
		w.serveFunc("shop.example", func(uri string, nth int) (doc, bool) {
			switch {
			case uri == "/":
				return doc{links: []string{"/down", "/busy", "/502"}}, true
			case uri == "/down", uri == "/busy" && nth < crawler.Attempts:
				return doc{status: 503, links: []string{"/trap"}, takes: 250 * time.Millisecond}, true
			case uri == "/502":
				return doc{status: 502}, true
			}
			return doc{}, uri == "/busy"
		})
		do := doRoot + " // /down always answers 503, /busy twice, /502 always 502; a 503 takes 250 ms"
		report, err := w.crawl(do, w.config(), root)
		expect(t, do, report, err, []string{
			"depth 0: 200 http://shop.example/, 3 links",
			"depth 1: 502 http://shop.example/502, 0 links",
			"depth 1: 200 http://shop.example/busy, 0 links",
			"depth 1: 503 http://shop.example/down, 0 links",
			"stopped: done",
		}, "A restart of the shop takes seconds. A missing page in the index stays for a week.")
		got := make(map[string][]time.Duration)
		for _, h := range w.pages() {
			path := strings.TrimPrefix(h.url, "http://shop.example")
			got[path] = append(got[path], h.at)
		}
		three := []time.Duration{0, 1250 * time.Millisecond, 2500 * time.Millisecond}
		want := map[string][]time.Duration{"/": {0}, "/502": {0}, "/down": three, "/busy": three}
		if !cmp.Equal(got, want) {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("requests at %v", got), Want: rule.Textf("requests at %v", want),
				Why: "A server that says it has too much to do needs a pause, not another request.",
			})
		}
	})
}

func TestCrawl_CancelReturnsPartial(t *testing.T) {
	docs := map[string]doc{"/": {links: []string{"/quick", "/slow", "/busy", "/1", "/2", "/3", "/4"}, takes: time.Second}, "/quick": {takes: time.Second}}
	for _, path := range []string{"/slow", "/1", "/2", "/3", "/4"} {
		docs[path] = doc{takes: time.Hour}
	}
	docs["/busy"] = doc{status: 503}
	const why = "Somebody stops the crawl to see what it has so far."
	for _, tc := range []struct {
		name string
		at   time.Duration
		want []string
	}{
		{"before the call", 0, []string{"skipped cancelled: 1", "stopped: cancelled", "error context canceled"}},
		{"in the first answer", time.Second / 2, []string{"skipped cancelled: 1", "stopped: cancelled", "error context canceled"}},
		{"in the pause after a 503", 1500 * time.Millisecond, []string{
			"depth 0: 200 http://shop.example/, 7 links", "skipped cancelled: 7", "stopped: cancelled", "error context canceled",
		}},
		{"among slow answers", 10 * time.Second, []string{
			"depth 0: 200 http://shop.example/, 7 links", "depth 1: 503 http://shop.example/busy, 0 links",
			"depth 1: 200 http://shop.example/quick, 0 links", "skipped cancelled: 5", "stopped: cancelled", "error context canceled",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *web) {
				w.serve("shop.example", docs)
				ctx, cancel := context.WithCancel(t.Context())
				if tc.at == 0 {
					cancel()
				} else {
					time.AfterFunc(tc.at, cancel)
				}
				do := fmt.Sprintf("// cancel() after %v\n%s // links to /quick, to /busy, which answers 503, and to 5 pages that take an hour", tc.at, doRoot)
				var late atomic.Int64
				cfg := w.config()
				cfg.Limiter = limiterFunc(func(context.Context, string) error {
					if ctx.Err() != nil {
						late.Add(1)
					}
					return nil
				})
				report, err := w.crawlContext(ctx, do, cfg, root)
				if got := time.Since(w.start); got != tc.at || !errors.Is(err, context.Canceled) {
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Textf("error %v after %v", err, got), Want: rule.Textf("error %v after %v", context.Canceled, tc.at), Why: why,
					})
				}
				expect(t, do, report, err, tc.want, why)
				if got := late.Load(); got > 0 {
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Textf("%d calls of cfg.Limiter.Wait after ctx had ended", got), Want: rule.Text("no fetch begins after the end of ctx"),
						Why: "A thousand pages are waiting. Each of them takes a turn of the limiter, and is not fetched.",
					})
				}
			})
		})
	}
	t.Run("in the limiter", func(t *testing.T) {
		inBubble(t, func(t *testing.T, w *web) {
			w.serve("shop.example", docs)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			cfg := w.config()
			cfg.Limiter = limiterFunc(func(ctx context.Context, _ string) error { return pause(ctx, time.Hour) })
			const do = "// ctx ends after 5 s, cfg.Limiter waits an hour\n" + doRoot
			report, err := w.crawlContext(ctx, do, cfg, root)
			expect(t, do, report, err, []string{"skipped cancelled: 1", "stopped: cancelled", "error context deadline exceeded"}, why)
		})
	})
	t.Run("after the last page", func(t *testing.T) {
		inBubble(t, func(t *testing.T, w *web) {
			ctx, cancel := context.WithCancel(t.Context())
			w.serve("shop.example", map[string]doc{"/": {}})
			cfg := w.config()
			cfg.Links = func(*url.URL, io.Reader) ([]*url.URL, error) {
				cancel()
				return nil, nil
			}
			const do = "// cfg.Links calls cancel() and returns nil, nil\n" + doRoot + " // one page"
			report, err := w.crawlContext(ctx, do, cfg, root)
			expect(t, do, report, err, []string{"depth 0: 200 http://shop.example/, 0 links", "stopped: done"}, "Nothing was left to cancel: the report is complete.")
		})
	})
}

func TestCrawl_BodyLimit(t *testing.T) {
	const limit = 1000
	filled := func(n int) doc {
		d := doc{links: []string{"/end"}}
		d.body = strings.Repeat("x", n-len(page(d.links...)))
		return d
	}
	inBubble(t, func(t *testing.T, w *web) {
		w.serve("shop.example", map[string]doc{
			"/":     {links: []string{"/fits", "/over"}},
			"/fits": filled(limit),
			"/over": filled(limit + 1),
			"/end":  {},
		})
		cfg := w.config()
		cfg.MaxBody = limit
		do := "cfg.MaxBody = 1000\n" + doRoot + " // /fits has 1000 bytes, /over 1001"
		report, err := w.crawl(do, cfg, root)
		expect(t, do, report, err, []string{
			"depth 0: 200 http://shop.example/, 2 links",
			"depth 1: 200 http://shop.example/fits, 1 links",
			"depth 1: 200 http://shop.example/over, 0 links, an error",
			"depth 2: 200 http://shop.example/end, 0 links",
			"stopped: done",
		}, "Half a page that looks like a whole one is a wrong index.")
		expectCause(t, do, report.Pages[2], crawler.ErrBodyTooLarge)
	})
	for _, tc := range []struct {
		name, path string
		maxBody    int64
		want       []string
	}{
		{"endless", "/", limit, []string{"depth 0: 200 http://shop.example/, 0 links, an error", "stopped: done"}},
		{"endless after a megabyte", "/", 1 << 20, []string{"depth 0: 200 http://shop.example/, 0 links, an error", "stopped: done"}},
		{"endless robots.txt", "/robots.txt", limit, []string{"depth 0: 404 http://shop.example/, 0 links", "stopped: done"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *web) {
				body := new(endless)
				cfg := w.config()
				cfg.MaxBody = tc.maxBody
				cfg.Client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					resp := &http.Response{StatusCode: 404, Header: http.Header{"Content-Type": {"text/html"}}, Body: http.NoBody, Request: r}
					if r.URL.Path == tc.path {
						resp.StatusCode = 200
						resp.Body = body
					}
					return resp, nil
				})}
				do := fmt.Sprintf("cfg.MaxBody = %d\n%s // %s has 8 MiB", tc.maxBody, doRoot, tc.path)
				report, err := w.crawl(do, cfg, root)
				expect(t, do, report, err, tc.want, "")
				if int64(body.read) > tc.maxBody+64<<10 || !body.closed {
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Textf("%d bytes read, closed: %v", body.read, body.closed), Want: rule.Textf("at most MaxBody + 64 KiB read, closed: true"),
						Why: "A log file that grows while it is read keeps the worker for ever.",
					})
				}
			})
		})
	}
}

// endless is a body of 8 MiB.
type endless struct {
	read   int
	closed bool
}

func (e *endless) Read(b []byte) (int, error) {
	if e.read >= 8<<20 {
		return 0, io.EOF
	}
	for i := range b {
		b[i] = 'x'
	}
	e.read += len(b)
	return len(b), nil
}

func (e *endless) Close() error {
	e.closed = true
	return nil
}

func TestCrawl_EveryBodyIsClosed(t *testing.T) {
	for _, tc := range []struct {
		name   string
		robots doc
	}{
		{"robots.txt with rules", doc{body: "User-agent: *\nDisallow: /0\n"}},
		{"robots.txt is missing", doc{status: 404, body: "no such page"}},
		{"robots.txt fails", doc{status: 500, body: "no database"}},
		{"robots.txt is busy", doc{status: 503, body: "come back later"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *web) {
				docs := allKinds("some text")
				docs["/robots.txt"] = tc.robots
				docs["/29"] = doc{body: strings.Repeat("x", 2000)}
				w.serve("shop.example", docs)
				cfg := w.config()
				cfg.MaxBody = 1000
				var answers, closed atomic.Int64
				transport := cfg.Client.Transport
				cfg.Client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					resp, err := transport.RoundTrip(r)
					if err != nil {
						return nil, err
					}
					answers.Add(1)
					resp.Body = &watchedBody{ReadCloser: resp.Body, onClose: sync.OnceFunc(func() { closed.Add(1) })}
					return resp, nil
				})}
				do := fmt.Sprintf("cfg.MaxBody = 1000\n%s // 30 pages: HTML, images, 404, 503 and redirects; one is too large\n// robots.txt: status %d", doRoot, max(tc.robots.status, 200))
				_, err := w.crawl(do, cfg, root)
				if a, c := answers.Load(), closed.Load(); a == 0 || c != a || err != nil {
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Textf("%d answers, %d bodies closed, error %v", a, c, err), Want: rule.Text("as many bodies closed as there were answers, error nil"),
						Why: "A body that nobody closes keeps its connection and two goroutines for ever. One for each site is enough to run out of descriptors.",
					})
				}
			})
		})
	}
}

// watchedBody tells when it is closed.
type watchedBody struct {
	io.ReadCloser
	onClose func()
}

func (b *watchedBody) Close() error {
	b.onClose()
	return b.ReadCloser.Close()
}

func TestCrawl_ErrorsAreReported(t *testing.T) {
	t.Run("of the network", func(t *testing.T) {
		inBubble(t, func(t *testing.T, w *web) {
			cfg := w.config()
			cfg.Client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				if r.URL.Path == "/robots.txt" {
					return &http.Response{StatusCode: 404, Body: http.NoBody, Request: r}, nil
				}
				return nil, syscall.ECONNRESET
			})}
			do := doRoot + " // the connection is reset"
			report, err := w.crawl(do, cfg, root)
			expect(t, do, report, err, []string{"depth 0: 0 http://shop.example/, 0 links, an error", "stopped: done"},
				"One broken page is a line in the report, not the end of the crawl.")
			expectCause(t, do, report.Pages[0], syscall.ECONNRESET)
		})
	})
	t.Run("of a body that breaks off", func(t *testing.T) {
		inBubble(t, func(t *testing.T, w *web) {
			cfg := w.config()
			cfg.Client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				if r.URL.Path == "/robots.txt" {
					return &http.Response{StatusCode: 404, Body: http.NoBody, Request: r}, nil
				}
				body := io.MultiReader(strings.NewReader(page("/tea")), broken{})
				return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: io.NopCloser(body), Request: r}, nil
			})}
			do := doRoot + " // the page breaks off after a link"
			report, err := w.crawl(do, cfg, root)
			expect(t, do, report, err, []string{"depth 0: 200 http://shop.example/, 0 links, an error", "stopped: done"}, "A page that broke off has links that broke off.")
			expectCause(t, do, report.Pages[0], io.ErrUnexpectedEOF)
		})
	})
	t.Run("of a URL that cannot be asked for", func(t *testing.T) {
		inBubble(t, func(t *testing.T, w *web) {
			w.serve("shop.example", map[string]doc{"/": {}})
			cfg := w.config()
			cfg.Links = func(base *url.URL, _ io.Reader) ([]*url.URL, error) {
				return []*url.URL{{Scheme: "http", Host: base.Host, Path: "/tea", RawQuery: "a\nb"}}, nil
			}
			do := doRoot + " // cfg.Links returns http://shop.example/tea?a\\nb, with a newline"
			report, err := w.crawl(do, cfg, root)
			expect(t, do, report, err, []string{
				"depth 0: 200 http://shop.example/, 1 links",
				"depth 1: 0 http://shop.example/tea?a\nb, 0 links, an error",
				"stopped: done",
			}, "A crawler meets every string that somebody has ever put into an href.")
		})
	})
	t.Run("of Links", func(t *testing.T) {
		inBubble(t, func(t *testing.T, w *web) {
			w.serve("shop.example", map[string]doc{"/": {links: []string{"/tea"}, body: "broken\n"}, "/tea": {}})
			do := doRoot + " // cfg.Links returns /tea and an error"
			report, err := w.crawl(do, w.config(), root)
			expect(t, do, report, err, []string{
				"depth 0: 200 http://shop.example/, 1 links, an error",
				"depth 1: 200 http://shop.example/tea, 0 links",
				"stopped: done",
			}, "What was found before the error was found.")
			expectCause(t, do, report.Pages[0], errBroken)
		})
	})
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func expectCause(t *testing.T, do string, p crawler.Page, want error) {
	t.Helper()
	if !errors.Is(p.Err, want) {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("%s: Err is %v", p.URL, p.Err), Want: rule.Textf("%s: Err matches %v", p.URL, want),
			Why: "Who reads the report decides by the cause whether to try again.",
		})
	}
}

func TestCrawl_LimiterAskedForEachRequest(t *testing.T) {
	inBubble(t, func(t *testing.T, w *web) {
		w.serveFunc("shop.example", func(uri string, nth int) (doc, bool) {
			switch uri {
			case "/":
				return doc{links: []string{"/busy", "http://SHOP.example:80/port", "http://closed.example/"}}, true
			case "/busy":
				return doc{status: 503}, true
			}
			return doc{}, false
		})
		var mu sync.Mutex
		asked := make(map[string]int)
		errClosed := errors.New("closed")
		cfg := w.config()
		cfg.SameHostOnly = false
		cfg.Limiter = limiterFunc(func(ctx context.Context, host string) error {
			mu.Lock()
			defer mu.Unlock()
			asked[host]++
			if host == "closed.example" || asked[host] == 2 && host == "shop.example:80" {
				return errClosed
			}
			return nil
		})
		do := "cfg.SameHostOnly = false\n" + doRoot + `
// links to /busy, which answers 503, to http://SHOP.example:80/port and to http://closed.example/;
// cfg.Limiter fails for closed.example and for the second request to shop.example:80`
		report, err := w.crawl(do, cfg, root)
		expect(t, do, report, err, []string{
			"depth 0: 200 http://shop.example/, 3 links",
			"depth 1: 503 http://shop.example/busy, 0 links",
			"depth 1: 0 http://shop.example:80/port, 0 links, an error",
			"skipped robots: 1",
			"stopped: done",
		}, "Without a turn, no request.")
		want := map[string]int{"shop.example": 2 + crawler.Attempts, "shop.example:80": 2, "closed.example": 1}
		if !cmp.Equal(asked, want) {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("Limiter.Wait was called %v", asked), Want: rule.Textf("%v", want),
				Why: "A robots.txt, and each attempt of a retry, is a request that the other side counts.",
			})
		}
		expectCause(t, do, report.Pages[2], errClosed)
	})
}

type limiterFunc func(ctx context.Context, host string) error

func (f limiterFunc) Wait(ctx context.Context, host string) error { return f(ctx, host) }

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestCrawl_ConnectionsReused(t *testing.T) {
	big := strings.Repeat("x", 40<<10)
	for _, workers := range []int{3, 1} {
		t.Run(fmt.Sprintf("%d workers", workers), func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *web) {
				w.serve("shop.example", allKinds(big))
				cfg := w.config()
				cfg.Workers, cfg.MaxBody = workers, int64(len(big))
				do := fmt.Sprintf("cfg.Workers, cfg.MaxBody = %d, 40<<10", workers)
				if workers > 1 {
					// Else the transport may dial while a connection is about to become idle.
					cfg.Client.Transport.(*http.Transport).MaxConnsPerHost = workers
					do += fmt.Sprintf(" // and MaxConnsPerHost = %d in the transport of cfg.Client", workers)
				}
				do += "\n" + doRoot + " // 30 pages: HTML, images, 404, 503 and redirects, all with 40 KiB, as robots.txt"
				report, err := w.crawl(do, cfg, root)
				if got := w.network.Dialed("shop.example:80"); got > workers || len(report.Pages) != 31 || err != nil {
					rule.Broken(t, rule.Case{
						Do:   do,
						Got:  rule.Textf("%d connections, %d pages, error %v", got, len(report.Pages), err),
						Want: rule.Textf("at most %d connections, 31 pages, error nil", workers),
						Why:  "A body that is not read to its end costs the connection: the next page pays for TCP and TLS again.",
					})
				}
			})
		})
	}
}

// allKinds is a site of 31 pages with answers of all kinds. All but the first
// have a body, and so has its robots.txt, which is missing.
func allKinds(body string) map[string]doc {
	docs := map[string]doc{"/robots.txt": {status: 404, body: body}}
	for i := range 30 {
		path := fmt.Sprintf("/%d", i)
		d := []doc{
			{},
			{contentType: "image/png"},
			{status: 404},
			{status: 503},
			{status: 301, location: "/"},
		}[i%5]
		d.body = body
		docs[path] = d
		docs["/"] = doc{links: append(docs["/"].links, path)}
	}
	return docs
}

func TestCrawl_BadConfig(t *testing.T) {
	inBubble(t, func(t *testing.T, w *web) {
		w.serve("shop.example", map[string]doc{"/": {}})
		for _, tc := range []struct {
			do     string
			change func(*crawler.Config)
			seed   string
		}{
			{"cfg.Workers = 0", func(c *crawler.Config) { c.Workers = 0 }, root},
			{"cfg.MaxPages = 0", func(c *crawler.Config) { c.MaxPages = 0 }, root},
			{"cfg.MaxDepth = -1", func(c *crawler.Config) { c.MaxDepth = -1 }, root},
			{"cfg.MaxBody = 0", func(c *crawler.Config) { c.MaxBody = 0 }, root},
			{"cfg.Client = nil", func(c *crawler.Config) { c.Client = nil }, root},
			{"cfg.Links = nil", func(c *crawler.Config) { c.Links = nil }, root},
			{"", nil, "/tea"},
			{"", nil, "shop.example"},
			{"", nil, "ftp://shop.example/"},
			{"", nil, "http:///tea"},
			{"", nil, "http://shop.example/%zz"},
		} {
			cfg := w.config()
			if tc.change != nil {
				tc.change(&cfg)
			}
			do := strings.TrimPrefix(fmt.Sprintf("%s\nCrawl(ctx, cfg, %q, %q)", tc.do, root, tc.seed), "\n")
			report, err := w.crawl(do, cfg, root, tc.seed)
			if n := len(w.requests()); err == nil || n > 0 || !cmp.Equal(report, crawler.Report{}) {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("%+v, error %v, %d requests", report, err, n), Want: rule.Text("an empty Report, an error, no request"),
					Why: "A crawl with a typo in its configuration ends at once, and an empty report looks like an empty site.",
				})
			}
		}
		cfg := w.config()
		cfg.Workers, cfg.MaxPages, cfg.MaxDepth, cfg.MaxBody, cfg.Limiter, cfg.UserAgent = 1, 1, 0, 1, nil, ""
		const do = "cfg.Workers, cfg.MaxPages, cfg.MaxDepth, cfg.MaxBody, cfg.Limiter = 1, 1, 0, 1, nil\n" + doRoot
		report, err := w.crawl(do, cfg, root)
		expect(t, do, report, err, []string{"depth 0: 200 http://shop.example/, 0 links", "stopped: done"}, "")
	})
}
