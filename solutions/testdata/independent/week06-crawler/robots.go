package crawler

import (
	"bufio"
	"io"
	"net/url"
	"strings"
)

// maxRobots is how much of a robots.txt is read: what RFC 9309 asks for.
const maxRobots = 500 << 10

// Robots is what the robots.txt of a site tells one crawler. The zero value
// allows everything. It is never changed, so goroutines may share it.
type Robots struct {
	rules []robotsRule
}

type robotsRule struct {
	prefix string
	allow  bool
}

// DisallowAll returns rules that allow nothing.
func DisallowAll() Robots { return Robots{rules: []robotsRule{{prefix: "/"}}} }

// ParseRobots reads the rules for userAgent, such as "shopbot/2.1", from a
// robots.txt: those of the groups that name "shopbot", or else those for "*". It
// knows User-agent, Allow and Disallow, and compares paths as they are written:
// wildcards and other spellings of an escape are not supported.
// ParseRobots reads at most 500 KiB, and returns the error of r.
func ParseRobots(r io.Reader, userAgent string) (Robots, error) {
	product, _, _ := strings.Cut(userAgent, "/")
	product = strings.TrimSpace(product)
	var own, others Robots
	var named, ours, theirs bool // of the group: whether own or others get its rules
	inRules := true
	lines := bufio.NewScanner(io.LimitReader(r, maxRobots))
	lines.Buffer(nil, maxRobots+1)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch key = strings.ToLower(strings.TrimSpace(key)); key {
		case "user-agent":
			if inRules {
				ours, theirs, inRules = false, false, false
			}
			switch {
			case value == "*":
				theirs = true
			case product != "" && strings.EqualFold(value, product):
				ours, named = true, true
			}
		case "allow", "disallow":
			inRules = true
			if value == "" {
				continue
			}
			rule := robotsRule{prefix: value, allow: key == "allow"}
			if ours {
				own.rules = append(own.rules, rule)
			}
			if theirs {
				others.rules = append(others.rules, rule)
			}
		}
	}
	if named {
		return own, lines.Err()
	}
	return others, lines.Err()
}

// Allows reports whether the crawler may fetch u. The longest rule that matches
// decides; of two equals, the one that allows.
func (r Robots) Allows(u *url.URL) bool {
	path := u.RequestURI()
	longest, allow := -1, true
	for _, rule := range r.rules {
		if !strings.HasPrefix(path, rule.prefix) {
			continue
		}
		if n := len(rule.prefix); n > longest || n == longest && rule.allow {
			longest, allow = n, rule.allow
		}
	}
	return allow
}
