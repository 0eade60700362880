// Wrong: believes that a link is the text href= and what is between the next two quotes.
// Caught by: TestExtract_BrokenHTML

// Package linkextract finds the links of HTML pages and brings URLs into one
// spelling, so that a crawler meets every page once.
package linkextract

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

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
	page, err := io.ReadAll(limited)
	if err == nil && limited.N == 0 {
		err = ErrTooLarge
	}
	text := string(page)
	var links []Link
	for {
		_, after, ok := strings.Cut(text, `<a href="`)
		if !ok {
			return links, err
		}
		ref, rest, _ := strings.Cut(after, `"`)
		_, rest, _ = strings.Cut(rest, ">")
		label, rest, _ := strings.Cut(rest, "</a>")
		if u, ok := resolve(base, html.UnescapeString(ref)); ok {
			links = append(links, Link{URL: u, Text: label})
		}
		text = rest
	}
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

// Normalize returns the one spelling of all URLs that are equivalent to u: by
// the syntax-based and scheme-based rules of RFC 3986, section 6.2. Fragment and
// user info are left out. u is a parsed http or https URL with a host, and stays
// as it is.
func Normalize(u *url.URL) string {
	origin := url.URL{Scheme: strings.ToLower(u.Scheme), Host: site(u)}
	s := origin.String() + removeDots(escape(u.EscapedPath(), pathBytes))
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
