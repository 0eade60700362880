// Wrong: believes that an escape is only another way to write its byte.
// Caught by: TestNormalize_Table/escaped_slash

// Package linkextract finds the links of HTML pages and brings URLs into one
// spelling, so that a crawler meets every page once.
package linkextract

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/html"
)

// MaxPage is the length in bytes up to which a page is read.
const MaxPage = 1 << 20

// ErrTooLarge reports a page of more than MaxPage bytes.
var ErrTooLarge = errors.New("linkextract: page too large")

// Link is a link of a page.
type Link struct {
	URL      *url.URL // absolute, http or https, with a host; not normalised
	Text     string   // what stands between its tags, with single blanks and none at the ends
	NoFollow bool     // the link or its page asks crawlers not to follow it
}

// Extract returns the links of the HTML page in r, in the order of the page.
// The page came from base, an absolute http or https URL, which Extract does not
// change. Broken HTML is no error.
//
// Extract reads at most MaxPage+1 bytes. If the page is longer or r fails, it
// returns the links that it met and an error that wraps ErrTooLarge or the error
// of r.
func Extract(base *url.URL, r io.Reader) ([]Link, error) {
	limited := &io.LimitedReader{R: r, N: MaxPage + 1}
	z := html.NewTokenizer(limited)
	var p page
	for {
		switch z.Next() {
		case html.StartTagToken, html.SelfClosingTagToken:
			p.startTag(z.Token())
		case html.EndTagToken:
			p.endTag(z.Token())
		case html.TextToken:
			p.addText(z.Text())
		case html.ErrorToken:
			links := p.links(base)
			switch err := z.Err(); {
			case err != io.EOF:
				return links, fmt.Errorf("linkextract: read page: %w", err)
			case limited.N == 0:
				return links, ErrTooLarge
			default:
				return links, nil
			}
		}
	}
}

// page is what the tags so far have said. References are resolved at its end: a
// base element or a meta element counts for the links before it, too.
type page struct {
	refs     []*reference
	open     *reference // its text is being read; nil if there is none
	code     bool       // the text is a script or a style sheet
	base     *string    // reference of the first base element that has one
	noFollow bool
}

type reference struct {
	href     string
	text     strings.Builder
	noFollow bool
}

func (p *page) startTag(t html.Token) {
	switch t.Data {
	case "a":
		p.open = p.addReference(t)
	case "area":
		if area := p.addReference(t); area != nil {
			alt, _ := attr(t, "alt")
			area.text.WriteString(alt)
		}
	case "base":
		if href, ok := attr(t, "href"); ok && p.base == nil {
			p.base = &href
		}
	case "meta":
		if name, _ := attr(t, "name"); strings.EqualFold(name, "robots") {
			content, _ := attr(t, "content")
			p.noFollow = p.noFollow || forbidsFollowing(content)
		}
	case "script", "style":
		p.code = true
	}
}

func (p *page) endTag(t html.Token) {
	switch t.Data {
	case "a":
		p.open = nil
	case "script", "style":
		p.code = false
	}
}

func (p *page) addText(text []byte) {
	if p.open != nil && !p.code {
		p.open.text.Write(text)
	}
}

// addReference returns the new reference, or nil if t has no href.
func (p *page) addReference(t html.Token) *reference {
	href, ok := attr(t, "href")
	if !ok {
		return nil
	}
	rel, _ := attr(t, "rel")
	ref := &reference{href: href, noFollow: hasFold(strings.Fields(rel), "nofollow")}
	p.refs = append(p.refs, ref)
	return ref
}

// links resolves the references of a page that came from base.
func (p *page) links(base *url.URL) []Link {
	if p.base != nil {
		if u, ok := resolve(base, *p.base); ok {
			base = u
		}
	}
	var links []Link
	for _, ref := range p.refs {
		if u, ok := resolve(base, ref.href); ok {
			text := strings.Join(strings.Fields(ref.text.String()), " ")
			links = append(links, Link{URL: u, Text: text, NoFollow: ref.noFollow || p.noFollow})
		}
	}
	return links
}

var withoutLineBreaks = strings.NewReplacer("\t", "", "\n", "", "\r", "")

// resolve reports whether ref leads to something that a crawler can fetch.
func resolve(base *url.URL, ref string) (u *url.URL, ok bool) {
	u, err := base.Parse(withoutLineBreaks.Replace(strings.Trim(ref, " \t\n\f\r")))
	if err != nil || u.Hostname() == "" {
		return nil, false
	}
	return u, u.Scheme == "http" || u.Scheme == "https"
}

// attr returns the first attribute of t with the name key. HTML ignores others.
func attr(t html.Token, key string) (value string, ok bool) {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// forbidsFollowing reads the content of a robots meta element.
func forbidsFollowing(content string) bool {
	rules := strings.FieldsFunc(content, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	return hasFold(rules, "nofollow") || hasFold(rules, "none")
}

func hasFold(words []string, word string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, word) })
}

// Normalize returns the one spelling of all URLs that are equivalent to u: by
// the syntax-based and scheme-based rules of RFC 3986, section 6.2. Fragment and
// user info are left out. u is a parsed http or https URL with a host, and stays
// as it is.
func Normalize(u *url.URL) string {
	origin := url.URL{Scheme: strings.ToLower(u.Scheme), Host: site(u)}
	s := origin.String() + removeDots(escape(u.Path, pathBytes))
	if u.RawQuery != "" || u.ForceQuery {
		s += "?" + escape(u.RawQuery, queryBytes)
	}
	return s
}

// SameSite reports whether a and b are on the same host and port, whatever the
// case of the host. The default port of a URL's own scheme counts as no port, so
// the http and the https URL of a host are on one site. Both are parsed http or
// https URLs with a host.
func SameSite(a, b *url.URL) bool { return site(a) == site(b) }

var defaultPorts = map[string]string{"http": "80", "https": "443"}

// site returns the host of u in lower case, and its port unless that is the
// default.
func site(u *url.URL) string {
	host, port := strings.ToLower(u.Host), u.Port()
	if port == defaultPorts[strings.ToLower(u.Scheme)] || port == "" {
		return strings.TrimSuffix(host, ":"+port)
	}
	return host
}

// Bytes that a part of a URL may hold unescaped.
const (
	unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	pathBytes  = unreserved + "!$&'()*+,;=:@/"
	queryBytes = pathBytes + "?"
)

// escape brings the escapes in s into one spelling. It decodes those of
// unreserved bytes only: another byte may mean something else without its
// escape. Bytes that are not in allowed get one, and so does a '%' that begins
// none.
func escape(s, allowed string) string {
	var out strings.Builder
	for len(s) > 0 {
		c, plain, n := s[0], allowed, 1
		if decoded, ok := escaped(s); ok {
			c, plain, n = decoded, unreserved, len("%7E")
		}
		if strings.IndexByte(plain, c) >= 0 {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
		s = s[n:]
	}
	return out.String()
}

// escaped returns the byte of the escape at the start of s, if there is one.
func escaped(s string) (c byte, ok bool) {
	if len(s) < len("%7E") || s[0] != '%' {
		return c, false
	}
	n, err := strconv.ParseUint(s[1:3], 16, 8)
	return byte(n), err == nil
}

// removeDots resolves the segments "." and ".." of an absolute or empty path.
// Unlike path.Clean it keeps empty segments and the slash at the end.
func removeDots(path string) string {
	var kept []string
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		switch segment {
		case ".":
		case "..":
			kept = kept[:max(len(kept)-1, 0)]
		default:
			kept = append(kept, segment)
		}
	}
	if strings.HasSuffix(path, "/.") || strings.HasSuffix(path, "/..") {
		kept = append(kept, "") // what is left is a directory
	}
	return "/" + strings.Join(kept, "/")
}
