// Package linkextract finds the links of HTML pages and brings URLs into one
// spelling, so that a crawler meets every page once.
package linkextract

import (
	"errors"
	"io"
	"net/url"
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
	return nil, errors.ErrUnsupported
}

// Normalize returns the one spelling of all URLs that are equivalent to u: by
// the syntax-based and scheme-based rules of RFC 3986, section 6.2. Fragment and
// user info are left out. u is a parsed http or https URL with a host, and stays
// as it is.
func Normalize(u *url.URL) string {
	return ""
}

// SameSite reports whether a and b are on the same host and port, whatever the
// case of the host. The default port of a URL's own scheme counts as no port, so
// the http and the https URL of a host are on one site. Both are parsed http or
// https URLs with a host.
func SameSite(a, b *url.URL) bool {
	return false
}
