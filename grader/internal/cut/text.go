package cut

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/course"
)

// text is a file of the reference whose markers are understood.
type text struct {
	name  string // as errors show it
	since string // the milestone that adds the file
	lines []line
}

// line is a line that is no marker.
type line struct {
	text   string // older text is not a comment any more
	number int
	since  string // the milestone that adds it, or empty
	until  string // the milestone that replaces it, or empty
}

// in reports whether the line stands in the cut of a milestone.
func (l line) in(id string) bool {
	return l.since <= id && (l.until == "" || id < l.until)
}

// first is the milestone of everything that has no marker.
var first = course.MilestoneOf(1)

// parse reads the markers of a file. Its error lists all that is wrong with
// them, with file and line.
func parse(name string, content []byte, s syntax) (*text, error) {
	p := &reader{text: text{name: name, since: first}, syntax: s, all: slices.Collect(strings.Lines(string(content)))}
	comments, body := s.comments(name, content)
	for i, l := range p.all {
		number := i + 1
		if c, ok := comments[number]; ok {
			p.marker(number, c, number < body)
			continue
		}
		p.add(number, l)
	}
	if p.open != nil {
		p.bad(p.open.line, "the region is never closed; end it with %send", s.marker)
	}
	if path.Ext(name) == ".go" {
		p.checkGroups(comments, body)
	}
	return &p.text, errors.Join(p.errs...)
}

// reader is a file in the course of being read.
type reader struct {
	text
	syntax syntax
	all    []string // the lines as they are
	marked bool     // the file has a marker of its own
	open   *region
	errs   []error
}

// region is one that has begun.
type region struct {
	line         int
	since, until string
}

func (p *reader) bad(line int, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s:%d: %s", p.name, line, fmt.Sprintf(format, args...)))
}

func (p *reader) marker(number int, c comment, head bool) {
	rest, ok := strings.CutPrefix(c.text, p.syntax.marker)
	verb, id, _ := strings.Cut(rest, " ")
	switch {
	case !ok:
		p.bad(number, "%q is no marker; markers begin with %q", c.text, p.syntax.marker)
		return
	case !c.alone:
		p.bad(number, "a marker stands on a line of its own")
		return
	case verb != "since" && verb != "until" && verb != "end":
		p.bad(number, "%s%s is no marker; there are since, until and end", p.syntax.marker, verb)
		return
	case verb == "end" && id != "":
		p.bad(number, "%send stands alone", p.syntax.marker)
		return
	case verb != "end" && !course.IsPlanned(id):
		p.bad(number, "%q is no milestone; the course has %s to %s", id, first, course.MilestoneOf(course.Weeks))
		id = first // the rest is checked as if it were one
	}
	switch {
	case head && verb == "since" && !p.marked:
		p.marked, p.since = true, id
		return
	case head:
		p.bad(number, "the head of a file has one marker, %ssince, for the whole file", p.syntax.marker)
		return
	case verb == "end" && p.open == nil:
		p.bad(number, "%send closes nothing", p.syntax.marker)
		return
	case verb != "end" && p.open != nil:
		p.bad(number, "regions cannot be nested; the one of line %d is still open", p.open.line)
		return
	}
	switch verb {
	case "end":
		p.open = nil
	case "since":
		p.open = &region{line: number, since: id}
	case "until":
		p.open = &region{line: number, until: id}
	}
}

// checkGroups refuses markers that gofmt moves: in a Go file, comments that touch
// a declaration at the left margin are its documentation, and gofmt puts
// directives at the end of that.
func (p *reader) checkGroups(comments map[int]comment, body int) {
	marker, plain := 0, false
	for i, l := range p.all[min(body, len(p.all)):] {
		number := body + i + 1
		_, isMarker := comments[number]
		switch {
		case isMarker && strings.HasPrefix(l, "//"):
			marker = number
		case strings.HasPrefix(l, "//"):
			plain = true
		default:
			if marker > 0 && plain && strings.TrimSpace(l) != "" {
				p.bad(marker, "an empty line is missing between the marker and the documentation beside it; gofmt joins them")
			}
			marker, plain = 0, false
		}
	}
}

func (p *reader) add(number int, content string) {
	l := line{text: content, number: number}
	if p.open != nil {
		l.since, l.until = p.open.since, p.open.until
	}
	if l.until != "" && strings.TrimSpace(content) != "" {
		older, ok := uncomment(content, p.syntax.comment)
		if !ok {
			p.bad(number, "older text stands in comments, so that the finished reference is right without it")
		}
		l.text = older
	}
	p.lines = append(p.lines, l)
}

// uncomment removes the mark of a comment, with one space after it if there is
// one, and leaves the indentation.
func uncomment(l, mark string) (string, bool) {
	indent := l[:len(l)-len(strings.TrimLeft(l, " \t"))]
	rest, ok := strings.CutPrefix(l[len(indent):], mark)
	return indent + strings.TrimPrefix(rest, " "), ok
}

// cut returns the content of the file in the cut of a milestone.
func (t *text) cut(id string) ([]byte, error) {
	kept, err := t.kept(id)
	if err != nil || path.Ext(t.name) != ".go" {
		return join(kept), err
	}
	return t.format(kept)
}

// kept returns the lines of the file in the cut of a milestone.
func (t *text) kept(id string) ([]line, error) {
	var kept []line
	for _, l := range t.lines {
		if l.in(id) {
			kept = append(kept, l)
		}
	}
	if path.Ext(t.name) == ".go" && len(kept) < len(t.lines) {
		return t.withoutUnusedImports(kept)
	}
	return kept, nil
}

func join(lines []line) []byte {
	var b []byte
	for _, l := range lines {
		b = append(b, l.text...)
	}
	return b
}
