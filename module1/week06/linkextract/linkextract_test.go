package linkextract_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	_ "golang.org/x/net/html" // for the solution; go.mod keeps what somebody imports

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week06/linkextract"
)

func TestExtract_SkipsJavascriptMailtoData(t *testing.T) {
	for _, href := range []string{
		"javascript:void(0)",
		"JavaScript:void(0)",
		" javascript:void(0)",
		"java\nscript:void(0)",
		"mailto:ann@example.com",
		"tel:+4930123456",
		"data:text/html,hello",
		"blob:https://example.com/1",
		"file:///etc/passwd",
		"ftp://example.com/pub/",
		"whatsapp://send?text=hello",
		"https:///no-host",
		"https://:443/no-host",
		"https:no-slashes",
		"http://[::1/half",
		"/100%",
	} {
		requireURLs(t, docsPage, fmt.Sprintf(`<a href="%s">x</a><a href="/next">y</a>`, href), []string{"https://example.com/next"},
			"A crawler fetches http and https. Every other scheme is a way into something that it was not meant for.")
	}
}

func TestExtract_BrokenHTML(t *testing.T) {
	for _, tc := range []struct{ name, page, want string }{
		{"upper case", `<A HREF="/1">One</A>`, "/1 One"},
		{"single quotes", `<a class=x href='/1'>One</a>`, "/1 One"},
		{"no quotes", `<a href=/1>One</a>`, "/1 One"},
		{"no quotes and a slash", `<a href=/dir/>One</a>`, "/dir/ One"},
		{"blanks around the sign", "<a\nhref = \"/1\" >One</a >", "/1 One"},
		{"no blank between attributes", `<a title="x"href="/1">One</a>`, "/1 One"},
		{"entity", `<a href="/1?a=1&amp;b=2&copy=3&#x23;f">One</a>`, "/1?a=1&b=2&copy=3#f One"},
		{"bracket in a value", `<a title="a > b" href="/1">One</a>`, "/1 One"},
		{"tag in a value", `<a title='<a href="/no">' href="/1">One</a>`, "/1 One"},
		{"other attributes", `<a data-href="/no" xhref="/no" href="/1">One</a>`, "/1 One"},
		{"attribute twice", `<a href="/1" href="/no">One</a>`, "/1 One"},
		{"comment", `<!-- <a href="/no"> --><a href="/1">One</a>`, "/1 One"},
		{"script", `<script>document.write('<a href="/no">')</script><a href="/1">One</a>`, "/1 One"},
		{"style", `<style>/* <a href="/no"> */</style><a href="/1">One</a>`, "/1 One"},
		{"text area", `<textarea><a href="/no"></textarea><a href="/1">One</a>`, "/1 One"},
		{"escaped markup", `&lt;a href="/no"&gt;<a href="/1">One</a>`, "/1 One"},
		{"tags of other names", `<abbr href="/no"><article href="/no"><link href="/no"><a href="/1">One</a>`, "/1 One"},
		{"self-closed", `<a href="/1"/>One</a>`, "/1 One"},
		{"never closed", `<a href="/1">One`, "/1 One"},
		{"two open", `<a href="/1">One<a href="/2">Two</a>`, "/1 One | /2 Two"},
		{"closed twice", `<a href="/1">One</a></a><a href="/2">Two</a>`, "/1 One | /2 Two"},
		{"closed crosswise", `<b><a href="/1">One<p></b>more</a><p>text`, "/1 Onemore"},
		{"across blocks", `<p><a href="/1">One<div>block</div></p><p>more</a>`, "/1 Oneblockmore"},
		{"cut in a tag", `<a href="/1">One</a><a href="/cut`, "/1 One"},
		{"cut before the end of a tag", `<a href="/1">One</a><a href="/cut" `, "/1 One"},
		{"open comment", `<a href="/1">One</a><!-- <a href="/no">Two</a>`, "/1 One"},
		{"stray brackets", `1 < 2 <> </> <3 <a href="/1">One</a>`, "/1 One"},
		{"bytes that are not UTF-8", "\xff<a href=\"/1\">One</a>\xfe", "/1 One"},
		{"bytes of zero", "\x00<a href=\"/1\">One</a>", "/1 One"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, l := range extract(t, "https://example.com/", tc.page) {
				got = append(got, strings.TrimPrefix(l.URL.String(), "https://example.com")+" "+l.Text)
			}
			if got := strings.Join(got, " | "); got != tc.want {
				rule.Broken(t, rule.Case{
					Do:   extractCall("https://example.com/", tc.page) + "\n// path and text of each link?",
					Got:  got,
					Want: tc.want,
					Why:  "No page on the web is valid. What counts is what a browser makes of it, one link for each start tag.",
				})
			}
		})
	}
}

func TestExtract_BaseHref(t *testing.T) {
	for _, tc := range []struct{ name, page, want, why string }{
		{
			"absolute", `<base href="https://cdn.example.org/v2/"><a href="a.html">`, "https://cdn.example.org/v2/a.html",
			"A mirror sends its pages with the base of the original. Without it every relative link leads nowhere.",
		},
		{
			"relative to the page", `<base href="../img/"><a href="a.html">`, "https://example.com/img/a.html",
			"The base is a reference like others.",
		},
		{
			"closed like XHTML", `<base href="/v2/" /><a href="a.html">`, "https://example.com/v2/a.html",
			"Half of the pages with a base close it with a slash.",
		},
		{
			"after the link", `<a href="a.html"></a><base href="/v2/">`, "https://example.com/v2/a.html",
			"A browser resolves a link when it is clicked: by then the whole page has been read.",
		},
		{
			"the first one counts", `<base href="/v1/"><base href="/v2/"><a href="a.html">`, "https://example.com/v1/a.html",
			"A template and a plug-in both set a base. HTML ignores the second.",
		},
		{
			"without href", `<base target="_blank"><base href="/v2/"><a href="a.html">`, "https://example.com/v2/a.html",
			"A base element that sets a target only says nothing about URLs.",
		},
		{
			"not http", `<base href="file:///home/ann/site/"><a href="a.html">`, "https://example.com/docs/a.html",
			"A page that was saved on a laptop must not send the crawler to the file system.",
		},
		{
			"not a URL", `<base href="http://[::1"><base href="/v2/"><a href="a.html">`, "https://example.com/docs/a.html",
			"The first base with an href decides, also when it is useless.",
		},
		{
			"with a blank in front", `<base href=" /v2/ "><a href="a.html">`, "https://example.com/v2/a.html",
			"The base is a reference like others: blanks at its ends do not count.",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			requireURLs(t, docsPage, tc.page, []string{tc.want}, tc.why)
		})
	}
}

func TestExtract_SchemeRelativeAndQueryOnly(t *testing.T) {
	const why = "This is the table of RFC 3986, section 5.4, in the words of real pages."
	for _, tc := range []struct{ href, want string }{
		{"//cdn.example.org/x", "https://cdn.example.org/x"},
		{"?page=2", "https://example.com/docs/intro.html?page=2"},
		{"", "https://example.com/docs/intro.html"},
		{"#top", "https://example.com/docs/intro.html#top"},
		{".", "https://example.com/docs/"},
		{"..", "https://example.com/"},
		{"../../../x", "https://example.com/x"},
		{"x/../y?q=../z", "https://example.com/docs/y?q=../z"},
		{"/x", "https://example.com/x"},
		{"x:8080/y", ""}, // a scheme named x
		{"./x:8080/y", "https://example.com/docs/x:8080/y"},
		{"HTTP://Example.ORG", "http://Example.ORG"},
		{" /x\n", "https://example.com/x"},
		{"/long\n\t/path", "https://example.com/long/path"},
		{"/two words", "https://example.com/two%20words"},
		{"/a%2Fb%7Ec", "https://example.com/a%2Fb%7Ec"},
	} {
		var want []string
		if tc.want != "" {
			want = []string{tc.want}
		}
		requireURLs(t, docsPage, fmt.Sprintf(`<a href="%s">x</a>`, tc.href), want, why)
	}
	requireURLs(t, docsPage, `<a href>x</a>`, []string{docsPage}, why)
}

func TestExtract_NoFollowAndMetaRobots(t *testing.T) {
	for _, tc := range []struct {
		page     string
		noFollow []bool
	}{
		{`<a href=/1 rel=nofollow>1</a><a href=/2>2</a>`, []bool{true, false}},
		{`<a href=/1 rel="noopener NoFollow ugc">1</a>`, []bool{true}},
		{"<a href=/1 rel='external\n\tnofollow'>1</a>", []bool{true}},
		{`<a href=/1 rel="nofollowed">1</a><a href=/2 rel="no follow">2</a>`, []bool{false, false}},
		{`<a href=/1 rel="">1</a><a href=/2 title=nofollow>2</a>`, []bool{false, false}},
		{`<area href=/1 rel=nofollow><area href=/2>`, []bool{true, false}},
		{`<meta name=robots content=nofollow><a href=/1>1</a>`, []bool{true}},
		{`<META NAME="ROBOTS" CONTENT="NOINDEX,NOFOLLOW"/><a href=/1>1</a>`, []bool{true}},
		{`<meta content=" max-snippet:20 , none " name="Robots"><a href=/1>1</a>`, []bool{true}},
		{`<a href=/1>1</a><meta name=robots content=nofollow>`, []bool{true}},
		{`<meta name=robots content=nofollow><meta name=robots content=follow><a href=/1>1</a>`, []bool{true}},
		{`<meta name=robots content="noindex, follow"><a href=/1>1</a>`, []bool{false}},
		{`<meta name=googlebot content=nofollow><meta name=description content=none><a href=/1>1</a>`, []bool{false}},
		{`<meta name=robots><a href=/1>1</a>`, []bool{false}},
		{`<!-- <meta name=robots content=nofollow> --><a href=/1>1</a>`, []bool{false}},
	} {
		do := extractCall(docsPage, tc.page) + "\n// NoFollow of each link?"
		var got []bool
		for _, l := range extract(t, docsPage, tc.page) {
			got = append(got, l.NoFollow)
		}
		if !slices.Equal(got, tc.noFollow) {
			rule.Broken(t, rule.Case{
				Do: do, Got: got, Want: tc.noFollow,
				Why: "Who ignores what a site asks for is blocked by it, and who sees it everywhere crawls nothing.",
			})
		}
	}
}

func TestExtract_Fixtures(t *testing.T) {
	for _, page := range []struct{ name, url string }{
		{"archive", "http://lists.example.net/pipermail/dev-net/1997-March/thread.html"},
		{"blog", "http://blog.example.com/2009/03/cheap-threads/"},
		{"docs", "https://docs.example.org/guide/install/"},
		{"news", "https://news.example.com/"},
		{"shop", "https://shop.example.com/c/schuhe?seite=2"},
	} {
		t.Run(page.name, func(t *testing.T) {
			f, err := os.Open("testdata/" + page.name + ".html")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			golden, err := os.ReadFile("testdata/" + page.name + ".links")
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Split(strings.TrimSuffix(string(golden), "\n"), "\n")
			do := fmt.Sprintf("f, _ := os.Open(\"testdata/%s.html\")\nlinks, err := Extract(parsed(%q), f)", page.name, page.url)

			links, err := linkextract.Extract(parse(t, page.url), f)
			requireNoError(t, do, err)
			var got []string
			for _, l := range links {
				word := "follow"
				if l.NoFollow {
					word = "nofollow"
				}
				got = append(got, fmt.Sprintf("%-8s %v %q", word, l.URL, l.Text))
			}
			requireSame(t, do, got, want, "A crawler sees of a page what Extract sees: a lost link is a lost section, an invented one is a 404 in somebody's log.")
		})
	}
}

func TestExtract_LinkText(t *testing.T) {
	for _, tc := range []struct{ page, want string }{
		{"<a href=/1>\n  Read\t<b>the</b>\n  docs </a>", "Read the docs"},
		{"<a href=/1>Go<b>lang</b></a>", "Golang"},
		{"<a href=/1>Fish &amp; chips&nbsp;&nbsp;5&euro;</a>", "Fish & chips 5€"},
		{"<a href=/1><img src=x.png alt=Logo></a>", ""},
		{"<a href=/1>a<script>b()</script><style>c{}</style>d</a>", "ad"},
		{"<a href=/1>a<!-- b -->c</a>d", "ac"},
		{"<a href=/1>a<a name=here>b</a>", "a"},
		{"<area href=/1 alt=' North\n side '>rest", "North side"},
		{"<area href=/1>rest", ""},
	} {
		do := extractCall("https://example.com/", tc.page) + "\nfmt.Printf(\"%q\", links[0].Text)"
		links := extract(t, "https://example.com/", tc.page)
		if len(links) != 1 {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%d links", len(links)), Want: rule.Text("1 link")})
		}
		if got := links[0].Text; got != tc.want {
			rule.Broken(t, rule.Case{
				Do: do, Got: got, Want: tc.want,
				Why: "The text of its links is the best description that a page has, and search lives on it.",
			})
		}
	}
}

func TestExtract_StopsAtLimit(t *testing.T) {
	const size = 8 << 20
	record := fmt.Sprintf("<p><a href=/x>%s</a>\n", strings.Repeat("x", 256-19))
	const link = `link := "<p><a href=/x>" + strings.Repeat("x", 237) + "</a>\n" // 256 bytes` + "\n"
	for _, tc := range []struct {
		name, page, made string
		links            int
	}{
		{"many links", strings.Repeat(record, size/256), `strings.Repeat(link, 8<<20/256)`, linkextract.MaxPage / 256},
		{"one endless text", "<a href=/x>" + strings.Repeat("x", size), `"<a href=/x>" + strings.Repeat("x", 8<<20)`, 1},
		{"one endless attribute", `<a href=/1></a><a href="` + strings.Repeat("x", size), `"<a href=/1></a><a href=\"" + strings.Repeat("x", 8<<20)`, 1},
		{"one byte too many", record + strings.Repeat(" ", linkextract.MaxPage-256) + "x", `link + strings.Repeat(" ", MaxPage-len(link)) + "x"`, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			do := fmt.Sprintf("page := strings.NewReader(%s)\nlinks, err := Extract(base, page)", tc.made)
			if strings.Contains(tc.made, "link") {
				do = link + do
			}
			page := &counted{r: strings.NewReader(tc.page)}
			links, err := linkextract.Extract(parse(t, docsPage), page)
			if len(links) != tc.links || !errors.Is(err, linkextract.ErrTooLarge) {
				rule.Broken(t, rule.Case{
					Do:   do,
					Got:  rule.Textf("%d links, error %v", len(links), err),
					Want: rule.Textf("%d links, ErrTooLarge", tc.links),
					Why:  "What a page said in its first MiB is good, and the caller has to know that there was more.",
				})
			}
			if page.n > linkextract.MaxPage+1 {
				rule.Broken(t, rule.Case{
					Do:   do + "\n// bytes that Extract reads?",
					Got:  page.n,
					Want: rule.Textf("at most %d", linkextract.MaxPage+1),
					Why:  "One server that never stops sending would fill the memory of the crawler.",
				})
			}
		})
	}

	exact := record + strings.Repeat(" ", linkextract.MaxPage-256)
	links, err := linkextract.Extract(parse(t, docsPage), strings.NewReader(exact))
	if len(links) != 1 || err != nil {
		rule.Broken(t, rule.Case{
			Do:   "links, err := Extract(base, page) // a page of exactly MaxPage bytes with one link",
			Got:  rule.Textf("%d links, error %v", len(links), err),
			Want: rule.Text("1 links, error <nil>"),
			Why:  "A limit that is reached is not exceeded.",
		})
	}
}

func TestExtract_ReadErrorKeepsLinks(t *testing.T) {
	for _, cause := range []error{errReset, io.ErrUnexpectedEOF} {
		page := io.MultiReader(strings.NewReader("<a href=/1>One</a><a href=/2>Two"), failing{cause})
		links, err := linkextract.Extract(parse(t, "https://example.com/"), page)
		if len(links) != 2 || !errors.Is(err, cause) {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("links, err := Extract(base, body) // 2 links, then body fails with %q", cause),
				Got:  rule.Textf("%d links, error %v", len(links), err),
				Want: rule.Textf("2 links, and an error that wraps %q", cause),
				Why:  "A page that was cut off by the network must not look like a short page.",
			})
		}
	}
}

func TestExtract_BaseStaysAsItIs(t *testing.T) {
	base := parse(t, docsPage+"?q=1#f")
	page := `<base href="/v2/"><a href="">x</a><a href="a">y</a>`
	links, err := linkextract.Extract(base, strings.NewReader(page))
	requireNoError(t, extractCall(docsPage+"?q=1#f", page), err)
	if got := base.String(); len(links) != 2 || got != docsPage+"?q=1#f" {
		rule.Broken(t, rule.Case{
			Do:   extractCall(docsPage+"?q=1#f", page) + "\n// the base afterwards?",
			Got:  rule.Textf("%d links, base %s", len(links), got),
			Want: rule.Textf("2 links, base %s?q=1#f", docsPage),
			Why:  "The URL belongs to the caller, and many workers may share it.",
		})
	}
}

func TestNormalize_Table(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"scheme and host in lower case", "HTTP://Example.COM/Path", "http://example.com/Path"},
		{"default port of http", "http://example.com:80/", "http://example.com/"},
		{"default port of https", "https://example.com:443/", "https://example.com/"},
		{"port of the other scheme", "http://example.com:443/", "http://example.com:443/"},
		{"other port", "http://example.com:8080/", "http://example.com:8080/"},
		{"empty port", "http://example.com:/", "http://example.com/"},
		{"IPv6", "http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"},
		{"empty path", "https://example.com", "https://example.com/"},
		{"empty path and query", "https://example.com?q=1", "https://example.com/?q=1"},
		{"user info", "https://ann:secret@example.com/", "https://example.com/"},
		{"fragment", "https://example.com/a#section", "https://example.com/a"},
		{"empty fragment", "https://example.com/a#", "https://example.com/a"},

		{"dots", "https://example.com/a/./b/../c", "https://example.com/a/c"},
		{"dots at the end", "https://example.com/a/b/..", "https://example.com/a/"},
		{"one dot at the end", "https://example.com/a/.", "https://example.com/a/"},
		{"dots above the root", "https://example.com/../../a", "https://example.com/a"},
		{"only dots", "https://example.com/..", "https://example.com/"},
		{"escaped dots", "https://example.com/a/%2e%2E/b", "https://example.com/b"},
		{"dots in names", "https://example.com/a../.b/...", "https://example.com/a../.b/..."},
		{"slash at the end", "https://example.com/a/", "https://example.com/a/"},
		{"empty segments", "https://example.com//a//b", "https://example.com//a//b"},
		{"dots and empty segments", "https://example.com/a//../b", "https://example.com/a/b"},
		{"dots in the query", "https://example.com/?p=/a/../b", "https://example.com/?p=/a/../b"},

		{"unreserved escapes", "https://example.com/%7Eann/%41%2D%2e%5f%30", "https://example.com/~ann/A-._0"},
		{"escapes in upper case", "https://example.com/%c3%bc", "https://example.com/%C3%BC"},
		{"raw UTF-8", "https://example.com/ü", "https://example.com/%C3%BC"},
		{"escaped slash", "https://example.com/a%2Fb", "https://example.com/a%2Fb"},
		{"escaped slash in lower case", "https://example.com/a%2fb", "https://example.com/a%2Fb"},
		{"escaped reserved bytes", "https://example.com/%21%24%26%3b%3D%3A%40%3F%23", "https://example.com/%21%24%26%3B%3D%3A%40%3F%23"},
		{"raw reserved bytes", "https://example.com/!$&'()*+,;=:@", "https://example.com/!$&'()*+,;=:@"},
		{"escaped per cent", "https://example.com/100%25", "https://example.com/100%25"},
		{"twice escaped", "https://example.com/%257E", "https://example.com/%257E"},
		{"raw blank", "https://example.com/a b", "https://example.com/a%20b"},
		{"brackets", "https://example.com/a[1]", "https://example.com/a%5B1%5D"},

		{"order of the query", "https://example.com/?b=2&a=1&b=1", "https://example.com/?b=2&a=1&b=1"},
		{"empty parts of the query", "https://example.com/?&a&&b=&=c&", "https://example.com/?&a&&b=&=c&"},
		{"plus and blank", "https://example.com/?q=a+b%20c%2Bd", "https://example.com/?q=a+b%20c%2Bd"},
		{"escapes in the query", "https://example.com/?q=%7e%3d%26%c3", "https://example.com/?q=~%3D%26%C3"},
		{"raw bytes in the query", "https://example.com/?q=ü \"x\"[]|", "https://example.com/?q=%C3%BC%20%22x%22%5B%5D%7C"},
		{"reserved bytes in the query", "https://example.com/?u=http://a/?b;c,d@e", "https://example.com/?u=http://a/?b;c,d@e"},
		{"lone per cent in the query", "https://example.com/?q=100%&r=%zz", "https://example.com/?q=100%25&r=%25zz"},
		{"per cent before an escape", "https://example.com/?q=%%34%31", "https://example.com/?q=%2541"},
		{"empty query", "https://example.com/?", "https://example.com/?"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := parse(t, tc.in)
			if got := linkextract.Normalize(u); got != tc.want {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("Normalize(parsed(%q))", tc.in),
					Got:  got,
					Want: tc.want,
					Why:  "Two spellings of one page are two visits. One spelling of two pages is a page that nobody visits.",
				})
			}
			if got := u.String(); got != parse(t, tc.in).String() {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("u := parsed(%q)\nNormalize(u)\nfmt.Println(u)", tc.in),
					Got:  got,
					Want: parse(t, tc.in).String(),
					Why:  "The URL belongs to the caller, who still wants to fetch it as it was written.",
				})
			}
		})
	}
}

func TestNormalize_Idempotent(t *testing.T) {
	const seed = 6_1
	rnd := rand.New(rand.NewPCG(seed, seed))
	pieces := []string{
		"/", "/", ".", "..", "%", "%2", "%2e", "%2F", "%25", "%7E", "%c3", "a", "B", "~", " ", "ü", "+", "&", "=", ";", ":", "@", "?", "#", "\xff", "[", "]", "\"", "41",
	}
	tested := 0
	for range 10_000 {
		raw := []byte(corpus[rnd.IntN(len(corpus))])
		for range 1 + rnd.IntN(6) {
			at := len("http://") + rnd.IntN(len(raw)-len("http://")+1)
			switch rnd.IntN(4) {
			case 0:
				raw = slices.Delete(raw, at, min(at+1+rnd.IntN(3), len(raw)))
			default:
				raw = slices.Insert(raw, at, []byte(pieces[rnd.IntN(len(pieces))])...)
			}
		}
		if checkNormalized(t, string(raw)) {
			tested++
		}
	}
	if tested < 2_000 {
		t.Fatalf("the test of the course is broken: only %d of its URLs can be used", tested)
	}
}

func FuzzNormalize(f *testing.F) {
	for _, raw := range corpus {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) { checkNormalized(t, raw) })
}

var corpus = []string{
	"http://example.com/",
	"https://Example.COM:443/a/./b/../c/?b=2&a=1#f",
	"http://example.com:80/a/../../b//c/..",
	"http://example.com/%7Eann/%2e%2E/a%2Fb%c3%bc",
	"http://example.com/%2541?%%34%31",
	"https://ann:pw@example.com?q=100%&r=a+b%20c%zz",
	"http://[::1]:8080/a b/ü[1]?x=\"y\"&&=z&",
	"https://example.com/.../.a/b.?",
	"https://example.com/;p=1/@:!$&'()*+,=?/?:@",
}

// checkNormalized checks what holds for all URLs, and reports whether raw is one
// that Normalize has to know.
func checkNormalized(t *testing.T, raw string) bool {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return false
	}
	once := linkextract.Normalize(u)
	broken := func(more string, got, want any, why string) {
		t.Helper()
		rule.Broken(t, rule.Case{Do: fmt.Sprintf("once := Normalize(parsed(%q))%s", raw, more), Got: got, Want: want, Why: why})
	}
	v, err := url.Parse(once)
	if err != nil || v.Host == "" || v.Scheme != u.Scheme || v.Fragment != "" || v.User != nil || v.Path == "" {
		broken("", once, rule.Text("an absolute URL that parses, with a path, without user info and fragment"),
			"The crawler fetches by this string.")
	}
	if twice := linkextract.Normalize(v); twice != once {
		broken("\nNormalize(parsed(once))", twice, once,
			"A spelling that changes when it is normalised again is not the one spelling: the page is visited twice.")
	}
	if hasDots(v.EscapedPath()) {
		broken("", once, rule.Text(`a path without "." and ".."`), "A path that climbs is another spelling of a page that is known.")
	}
	sameParts := func(sep, before, after string) {
		t.Helper()
		if got, want := decodedParts(after, sep), decodedParts(before, sep); !slices.Equal(got, want) {
			broken("", rule.Textf("%s\nthe server reads %q", once, got), rule.Textf("the server reads %q", want),
				"The new spelling has to mean the same as the old one, or the crawler fetches another page.")
		}
	}
	// A path that net/url itself has to escape again is left out: it loses %2F.
	if asWritten := u.RawPath == "" || u.RawPath == u.EscapedPath(); asWritten && !hasDots(u.Path) {
		sameParts("/", strings.TrimPrefix(u.EscapedPath(), "/"), strings.TrimPrefix(v.EscapedPath(), "/"))
	}
	sameParts("&", u.RawQuery, v.RawQuery)
	return true
}

// decodedParts is what a server makes of s: it splits, and then decodes.
func decodedParts(s, sep string) []string {
	parts := strings.Split(s, sep)
	for i := range parts {
		parts[i] = decoded(parts[i])
	}
	return parts
}

// decoded decodes what is an escape in s, and leaves the rest alone.
func decoded(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+3 <= len(s) {
			if c, err := url.PathUnescape(s[i : i+3]); err == nil {
				b.WriteString(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// hasDots reports whether path has a segment that is resolved away.
func hasDots(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

func TestSameSite_Ports(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"http://example.com/a", "http://example.com/b?q#f", true},
		{"http://example.com", "http://example.com:80/", true},
		{"https://example.com:443", "https://example.com", true},
		{"http://example.com:", "http://example.com", true},
		{"http://example.com", "https://example.com", true},
		{"http://example.com:80", "https://example.com:443", true},
		{"http://example.com:8080", "https://example.com:8080", true},
		{"http://Example.COM", "http://example.com", true},
		{"https://ann:pw@example.com/", "https://example.com/", true},
		{"http://[2001:DB8::1]:80/", "http://[2001:db8::1]/", true},
		{"http://example.com:8080", "http://example.com", false},
		{"http://example.com:443", "https://example.com", false},
		{"http://example.com:80", "https://example.com:80", false},
		{"http://example.com:8080", "http://example.com:8081", false},
		{"http://www.example.com", "http://example.com", false},
		{"http://evil-example.com", "http://example.com", false},
		{"http://example.com.evil.org", "http://example.com", false},
		{"http://example.com@evil.org/", "http://example.com/", false},
		{"http://[::1]:80/", "http://[::1:80]/", false},
	} {
		for _, pair := range [][2]string{{tc.a, tc.b}, {tc.b, tc.a}} {
			if got := linkextract.SameSite(parse(t, pair[0]), parse(t, pair[1])); got != tc.want {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("SameSite(parsed(%q), parsed(%q))", pair[0], pair[1]),
					Got:  got,
					Want: tc.want,
					Why:  "A crawl that takes its own site for another stops at the first page; one that takes another for its own never stops.",
				})
			}
		}
	}
}

const docsPage = "https://example.com/docs/intro.html"

var errReset = errors.New("connection reset by peer")

// failing is a reader whose connection breaks.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// counted counts the bytes that were read.
type counted struct {
	r io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

func parse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatalf("the test of the course is broken: %v", err)
	}
	return u
}

// extractCall is the Go code of what extract does.
func extractCall(base, page string) string {
	return fmt.Sprintf("links, err := Extract(parsed(%q), strings.NewReader(%q))", base, page)
}

func extract(t *testing.T, base, page string) []linkextract.Link {
	t.Helper()
	links, err := linkextract.Extract(parse(t, base), strings.NewReader(page))
	requireNoError(t, extractCall(base, page), err)
	for i, l := range links {
		if l.URL == nil {
			rule.Broken(t, rule.Case{
				Do: extractCall(base, page), Got: rule.Textf("link %d without a URL", i), Want: rule.Text("links with a URL"),
			})
		}
	}
	return links
}

func requireURLs(t *testing.T, base, page string, want []string, why string) {
	t.Helper()
	var got []string
	for _, l := range extract(t, base, page) {
		got = append(got, l.URL.String())
	}
	if !slices.Equal(got, want) {
		rule.Broken(t, rule.Case{
			Do: extractCall(base, page) + "\n// URL of each link?", Got: got, Want: want, Why: why,
		})
	}
}

func requireNoError(t *testing.T, do string, err error) {
	t.Helper()
	if err != nil {
		rule.Broken(t, rule.Case{Do: do, Got: err, Want: nil, Why: "A page that no browser complains about is no error."})
	}
}

// requireSame compares lists that are too long to show, and shows where they part.
func requireSame(t *testing.T, do string, got, want []string, why string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "no further link", "no further link"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			rule.Broken(t, rule.Case{
				Do: fmt.Sprintf("%s\nfmt.Println(links[%d])", do, i), Got: rule.Text(g), Want: rule.Text(w), Why: why,
			})
		}
	}
}
