package report

import (
	"fmt"
	"strings"

	"github.com/middle-go/course/grader/internal/course"
)

func (s *Summary) markdownChanges(p *page) {
	switch {
	case s.Changes == nil:
		return
	case len(s.Changes) == 0:
		p.add("\nNothing has changed since last time.\n")
		return
	}
	head := "\n### Since last time\n\n"
	for _, c := range s.Changes {
		if !p.add(fmt.Sprintf("%s- %s: %s\n", head, escape(c.Exercise), c.words())) {
			return
		}
		head = ""
	}
}

// words say in Markdown what is different.
func (c Change) words() string {
	text := fmt.Sprintf("from %s to %s", c.From, c.To)
	switch c.From {
	case "":
		text = fmt.Sprintf("%s, not graded last time", c.To)
	case c.To:
		text = fmt.Sprintf("still %s", c.To)
	}
	return text + named(". Mended: ", c.Mended) + named(". Newly broken: ", c.Broken)
}

// namedRules is how many rules a line on a change names.
const namedRules = 8

func named(what string, rules []string) string {
	if len(rules) == 0 {
		return ""
	}
	var list []string
	for i, r := range rules {
		if i == namedRules {
			list = append(list, fmt.Sprintf("%d more", len(rules)-i))
			break
		}
		if course.IsTest(r) {
			r = Rule(r)
		}
		list = append(list, escape(r))
	}
	return what + strings.Join(list, "; ")
}
