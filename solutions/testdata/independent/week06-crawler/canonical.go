package crawler

import (
	"net/url"
	"strings"
)

// Canonical returns a copy of u as the report spells it: without fragment, with
// the host in lower case and "/" for an empty path. Two URLs are the same page
// if their canonical forms are the same string.
func Canonical(u *url.URL) *url.URL {
	c := *u
	c.Fragment, c.RawFragment = "", ""
	c.Host = strings.ToLower(c.Host)
	if c.Path == "" {
		c.Path = "/"
	}
	return &c
}
